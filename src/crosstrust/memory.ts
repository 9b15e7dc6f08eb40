import type { Memory, Undelivered, World } from "../model.ts";
import { recalled } from "../watch/memory.ts";
import { type Run, remember } from "../watch/remember.ts";

/** A newer one pushes the oldest out: nobody wants a hundred old messages when a webhook comes back. */
const most = 100;

/** Where it is kept, and who is to be told; nobody: it is remembered for show alone. */
export interface Keeping {
  readonly name: string;
  readonly to: Undelivered["to"];
}

/**
 * Remembers a run. What there is to say is stored with it before it is said: who is killed in between says it later, and
 * who is killed before has decided nothing. Throws where the store does not answer.
 */
export async function rememberRun(world: World, run: Run, { name, to }: Keeping): Promise<Memory> {
  return change(world, name, (held) => {
    const { memory, notices } = remember(held, run);
    const news = to.length > 0 ? notices.map((notice): Undelivered => ({ ...notice, to })) : [];
    return { ...memory, outbox: [...memory.outbox, ...news].slice(-most) };
  });
}

/** What is still to be said after some of it was. */
export const keepOutbox = (world: World, name: string, outbox: Memory["outbox"]): Promise<Memory> =>
  change(world, name, (held) => {
    if (!held) throw new Error("the memory is gone");
    return { ...held, outbox };
  });

/** Reads, changes and swaps until nobody was faster; among those who take a lease first that is once. */
async function change(
  { store, clock }: World,
  name: string,
  step: (held: Memory | undefined) => Memory,
): Promise<Memory> {
  for (let tried = 1; ; tried++) {
    const found = await store.open(name);
    const next = step(recalled(found?.text));
    if (await store.swap(name, JSON.stringify(next), found?.version)) return next;
    if (tried === 5) throw new Error(`${name} is being written by others all the time`);
    await clock.sleep(50 * tried);
  }
}
