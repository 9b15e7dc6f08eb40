import {
  type Audit,
  type Federation,
  type Finding,
  finding,
  type Resource,
  type Unwatched,
  type World,
} from "../model.ts";
import { parties } from "../parties/index.ts";
import type { Expansion } from "../plan/expand.ts";
import type { Observed } from "../run/observe.ts";
import { troubleOf } from "../run/trouble.ts";
import { grantText } from "./report.ts";

/** Who else may act as what the links rely on, of all parties together. */
export interface Audited {
  /** For the plan: what is to be decided, what failed, and once what may not be looked at. */
  readonly findings: readonly Finding[];
  readonly inventory: readonly Finding[];
  readonly unwatched: readonly Unwatched[];
  /** Among the findings: readings that failed for the moment, so that nothing is concluded about their links. */
  readonly untold: readonly Finding[];
}

/** For whoever does not ask. */
export const unaudited: Audited = { findings: [], inventory: [], unwatched: [], untold: [] };

/** What was read, and for which links. */
export interface AuditWork {
  readonly ask: { readonly federation: Federation; readonly only: readonly string[] };
  readonly expansion: Expansion;
  /** What the named links need. */
  readonly resources: readonly Resource[];
  readonly observed: Observed;
}

/** Asks each party who may act as its things. Where nothing could be read, nobody is asked. */
export async function audit({ ask, expansion, resources, observed }: AuditWork, world: World): Promise<Audited> {
  // With credentials of another account nothing was read, and nothing more is asked.
  if (observed.live.size === 0) return unaudited;
  const { links, control, speakers } = ask.federation;
  const question = {
    links,
    only: ask.only,
    resources,
    desired: expansion.resources,
    live: observed.live,
    control,
    speakers,
    grants: grantText,
  };
  const found: readonly Audit[] = (
    await Promise.all(parties.map((party) => party.audit?.(question, world) ?? []))
  ).flat();
  const untold = distinct(
    found.flatMap(({ failed }) =>
      failed.map(({ error, address, links: of }) => troubleOf(error, { address, links: of })),
    ),
  );
  const unwatched = found.flatMap((one) => one.unwatched);
  const told = found.flatMap(({ findings }) => findings).map((one): Finding => ({ ...one, beside: true }));
  return {
    findings: [...told, ...untold, ...notWatched(unwatched)],
    inventory: found.flatMap(({ inventory }) => inventory),
    unwatched,
    untold,
  };
}

/** Many readings fail for one reason. */
const distinct = (findings: readonly Finding[]): readonly Finding[] => [
  ...new Map(findings.map((one) => [`${one.code} ${one.at.address} ${one.says}`, one])).values(),
];

/** Everything that may not be looked at, as one warning: it is about the installation, and no link fares worse for it. */
export function notWatched(unwatched: readonly Unwatched[]): readonly Finding[] {
  if (unwatched.length === 0) return [];
  const whats = [...new Set(unwatched.map(({ what }) => what))];
  const fix = [...new Set(unwatched.map((one) => one.fix))];
  return [finding("NOT-WATCHED", { severity: "warning", links: [], says: `not watched: ${whats.join("; ")}`, fix })];
}
