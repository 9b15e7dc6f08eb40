import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { World } from "../model.ts";

const leaseSchema = z.object({ holder: z.string(), until: z.number() });

/** Under which name, and for how many milliseconds: longer than any run takes. */
export interface Lease {
  readonly name: string;
  readonly ms: number;
}

/** The job's result; nothing where somebody else is at it. */
export type Leased<T> = { readonly held: true; readonly value: T } | { readonly held: false };

/**
 * Does a job unless another process is at it. Who is killed holds it until its time is over and no longer; who runs
 * into its end is overtaken, so what the job writes must be safe against that (`remember` drops what is old).
 *
 * Without its store it does the job all the same: two checks at once do no harm, and none would be silence.
 */
export async function leased<T>(world: World, lease: Lease, job: () => Promise<T>): Promise<Leased<T>> {
  const holder = randomUUID();
  const taken = await take(world, lease, holder).catch(() => "unsaid" as const);
  if (taken === false) return { held: false };
  try {
    return { held: true, value: await job() };
  } finally {
    // Whoever cannot give it back lets it run out.
    if (taken === true) await giveBack(world, lease, holder).catch(() => {});
  }
}

async function take({ store, clock }: World, { name, ms }: Lease, holder: string): Promise<boolean> {
  const found = await store.open(name);
  const { until } = parsed(found?.text);
  const now = clock.now();
  // One that is held for longer than anybody takes it was written by a clock that is wrong.
  if (until > now && until <= now + ms) return false;
  return store.swap(name, JSON.stringify({ holder, until: now + ms }), found?.version);
}

/** Only our own: it may have run out and be somebody else's by now. */
async function giveBack({ store }: World, { name }: Lease, holder: string): Promise<void> {
  const found = await store.open(name);
  if (found && parsed(found.text).holder === holder)
    await store.swap(name, JSON.stringify({ holder, until: 0 }), found.version);
}

/** What cannot be read holds nobody up. */
function parsed(text: string | undefined): z.infer<typeof leaseSchema> {
  try {
    return leaseSchema.parse(JSON.parse(text ?? ""));
  } catch {
    return { holder: "", until: 0 };
  }
}
