import { createHash } from "node:crypto";
import { z } from "zod";
import { notWatched } from "../crosstrust/audit.ts";
import { type Finding, type Health, type LinkHealth, type Verdict, verdicts, type World } from "../model.ts";
import { inParallel } from "../run/retry.ts";
import { conclude } from "../verdict/run.ts";
import { noted } from "./notes.ts";

/** One instance's share of a run that is divided over many; `run` is the same for all of them. */
export interface Share {
  readonly run: string;
  readonly part: number;
}

/** A whole run, to be put together: how many shares it had. */
export interface Whole {
  readonly run: string;
  readonly parts: number;
}

const nameOf = ({ run, part }: Share): string => `health-part-${run}-${part}`;

/** In the order of the file; how many to a batch is the caller's. */
export const batchesOf = (links: readonly { readonly name: string }[], size: number): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(links.length / size) }, (_, at) =>
    links.slice(at * size, (at + 1) * size).map(({ name }) => name),
  );

/** Kept until it is gathered. Sent twice, the later one stands: both looked at the same links. */
export const keepPart = (world: World, share: Share, health: Health): Promise<void> =>
  world.store.write(nameOf(share), JSON.stringify(health));

/** The answer to a gathering, the verdict that it tells, and whether that is good news. */
export interface Gathered {
  readonly verdict: Verdict;
  readonly healthy: boolean;
  readonly text: string;
}

const gatheredSchema: z.ZodType<Gathered> = z.object({
  verdict: z.enum(verdicts),
  healthy: z.boolean(),
  text: z.string(),
});

const share = z.looseObject({
  ...{ fingerprint: z.string(), ms: z.number() },
  links: z.array(z.looseObject({ link: z.string(), verdict: z.enum(verdicts) })),
  findings: z.array(z.looseObject({ code: z.string(), says: z.string() })),
});
/** A share that cannot be read did not arrive. What it says of each link goes on as it was stored. */
const shareSchema = z.custom<Health>((value) => share.safeParse(value).success);

const answerOf = ({ run }: Pick<Whole, "run">): string => `health-part-${run}-gathered`;

export const keepGathered = (world: World, whole: Whole, answer: Gathered): Promise<void> =>
  world.store.write(answerOf(whole), JSON.stringify(answer));

export async function gatheredBefore(world: World, whole: Whole): Promise<Gathered | undefined> {
  const text = await world.store.read(answerOf(whole));
  return noted(text, gatheredSchema);
}

/**
 * What the shares found, as one check of all links would have said it. A link that none of them told of is `unknown`: its
 * share did not arrive, and silence is no good news. The same finding of several shares is one.
 */
export async function gathered(world: World, whole: Whole, links: readonly { readonly name: string }[]) {
  const shares = Array.from({ length: whole.parts }, (_, part) => ({ run: whole.run, part }));
  const texts = await inParallel(shares, 16, (share) => world.store.read(nameOf(share)));
  const found = texts.flatMap((text) => noted(text, shareSchema) ?? []);
  const told = new Map(found.flatMap((health) => health.links.map((link) => [link.link, link] as const)));
  const all = links.map(({ name }): LinkHealth => told.get(name) ?? untold(name));
  const byText = new Map(found.flatMap(ownFindings).map((one) => [JSON.stringify(one), one] as const));
  const unwatched = distinct(found.flatMap((health) => health.unwatched ?? []));
  const findings = [...byText.values(), ...notWatched(unwatched)];
  const prints = found.map(({ fingerprint }) => fingerprint).sort();
  const health: Health = {
    at: new Date(world.clock.now()).toISOString(),
    ms: Math.max(0, ...found.map(({ ms }) => ms)),
    fingerprint: createHash("sha256").update(prints.join(" ")).digest("hex"),
    links: all,
    findings,
    inventory: distinct(found.flatMap(({ inventory = [] }) => inventory)),
    unwatched,
    ...conclude({ links: all, findings, leftovers: false }),
  };
  return { health, forget: () => inParallel(shares, 16, (share) => world.store.remove(nameOf(share))) };
}

/** What a share only planned of another's links, the other one has proved and says better. */
function ownFindings({ links, findings }: Health): readonly Finding[] {
  const own = new Set(links.map(({ link }) => link));
  return findings.filter(
    ({ code, links: of }) => code !== "NOT-WATCHED" && (!of || of.length === 0 || of.some((link) => own.has(link))),
  );
}

const lost = "its part of the run did not arrive";

/** Several shares look at what they have in common. */
const distinct = <T>(all: readonly T[]): readonly T[] => [
  ...new Map(all.map((one) => [JSON.stringify(one), one])).values(),
];

const untold = (link: string): LinkHealth => ({
  link,
  verdict: "unknown",
  missing: [{ premise: "mint", says: lost }],
  hops: [{ step: "mint", result: "unknown", ms: 0, saw: lost }],
  changes: [],
});
