import {
  type Address,
  type Change,
  type Finding,
  finding,
  type Kind,
  type Leftovers,
  type Live,
  type Mark,
  type Party,
  type Resource,
  type Seek,
  type World,
} from "../model.ts";
import { CloudError } from "./retry.ts";
import { partOf } from "./sharing.ts";
import { troubleOf } from "./trouble.ts";

export const nothing: Leftovers = { found: [], scopes: [], findings: [] };

export const belongsTo = (party: Party) => (resource: Resource) =>
  party.kinds.some((kind) => owns(kind, resource.address));
export const owns = (kind: Kind, address: Address): boolean => address.startsWith(`${kind.name}/`);

/** The part of a question that says what to look for. */
export interface Looking {
  readonly resources: readonly Resource[];
  readonly leftovers: "none" | "named" | "all";
  readonly owner: string;
  readonly parties: readonly Party[];
  readonly hash: (address: Address) => string;
}

const none: Seek["remembered"] = { unnamed: 0, has: () => false };

type Reading = Promise<{ readonly live: ReadonlyMap<Address, Live> }>;

/**
 * What is ours and named by no link, in the accounts and projects that the file names; no other scope is known
 * (contract, section 8). What carries a mark is found by it, at the same time as the rest is read; what has none is
 * sought after that, because the marks of its carriers remember it.
 */
export async function look(ask: Looking, reading: Reading, world: World): Promise<Leftovers> {
  const kinds = ask.parties.flatMap((party) => party.kinds.map((kind) => ({ kind, party })));
  const marked = kinds.filter(({ kind }) => !kind.unmarked);
  const first = await Promise.all(marked.map((one) => lookFor({ ...one, remembered: none }, ask, world)));
  const { live } = await reading;
  const marks = [...live.values(), ...first.flatMap(({ found }) => found.map((one) => one.live))].flatMap(ours(ask));
  const remembered = rememberedBy(marks, ask);
  const rest = kinds.filter(({ kind }) => kind.unmarked);
  const all = [...first, ...(await Promise.all(rest.map((one) => lookFor({ ...one, remembered }, ask, world))))];
  const [found, findings] = [all.flatMap((one) => one.found), all.flatMap((one) => one.findings)];
  const scopes = [...new Set(all.flatMap((one) => one.scopes))];
  const lost = remembered.unnamed - found.filter(({ address }) => remembered.has(address)).length;
  return { found, scopes, findings: lost > 0 && findings.length === 0 ? [elsewhere(lost, scopes)] : findings };
}

const elsewhere = (count: number, scopes: readonly string[]): Finding => ({
  ...{ code: "LEFTOVERS-ELSEWHERE", severity: "hint", at: {}, because: [] },
  says: `${count} things of a former file are nowhere in ${scopes.join(", ")}: they are gone, or where the file names nothing`,
  fix: ["the next apply forgets them; look there first where it named another project"],
});

const ours =
  ({ owner }: Looking) =>
  (live: Live): readonly Mark[] =>
    live.state === "present" && live.mark?.owner === owner ? [live.mark] : [];

function rememberedBy(marks: readonly Mark[], { resources, hash, leftovers }: Looking): Seek["remembered"] {
  const held = new Set(marks.flatMap(({ holds }) => holds ?? []));
  for (const { address } of resources) held.delete(hash(address));
  return { unnamed: leftovers === "all" ? held.size : 0, has: (address) => held.has(hash(address)) };
}

interface Sought extends Pick<Seek, "remembered"> {
  readonly kind: Kind;
  readonly party: Party;
}

async function lookFor({ kind, party, remembered }: Sought, ask: Looking, world: World): Promise<Leftovers> {
  const { resources, owner } = ask;
  const named = resources.filter(({ address }) => owns(kind, address));
  const beside = ask.leftovers === "all" ? resources.filter(belongsTo(party)) : named;
  if (beside.length === 0) return nothing;
  try {
    const left = await kind.list({ named, beside, owner, remembered }, world);
    return { ...left, found: left.found.map((one) => ({ ...one, live: partOf(one.live, owner) })) };
  } catch (error) {
    // Whoever may not even look for what the file does not name has never made it either.
    if (named.length === 0 && error instanceof CloudError && error.class === "denied") return nothing;
    return { ...nothing, findings: [unseen(error)] };
  }
}

/**
 * Without the permission the rest of the plan still stands, and a warning says what it cannot see. A list that failed for
 * the moment may hold something, so that the run could not tell.
 */
function unseen(error: unknown): Finding {
  const { says, asks, fix } = troubleOf(error, {});
  const what = `what a former file left behind was not looked for everywhere: ${says}`;
  if (error instanceof CloudError && error.class === "denied")
    return finding("LEFTOVERS-UNSEEN", { severity: "warning", links: [], says: what, fix });
  return finding("LEFTOVERS-UNSEEN", { asks: asks === "denied" ? asks : "untold", links: [], says: what, fix });
}

/** What no link names belongs to none of them, and a plan with it is not empty. */
export function leftOver(changes: readonly Change[]): readonly Finding[] {
  if (changes.length === 0) return [];
  const some = changes.slice(0, 3).map(({ address }) => address);
  const says = `${changes.length} things of this deployment are named by no link: ${some.join(", ")}`;
  const fix = [
    "crosstrust plan   # shows them all, and their number",
    `crosstrust apply --prune ${changes.length}   # deletes them`,
  ];
  return [{ code: "LEFTOVERS", severity: "warning", at: {}, says, because: [], fix }];
}
