import type {
  Address,
  Ailment,
  Change,
  Finding,
  Health,
  Link,
  LinkHealth,
  LinkMemory,
  Side,
  Verdict,
} from "../model.ts";
import { concerns, isWitnessed } from "../verdict/link.ts";
import { ratings } from "../verdict/table.ts";
import { driftsOf, gravityOf } from "./drift.ts";

/** Whether a verdict is worth an alert. `unknown` is no news about the link, and `unproved` is how the file wants it. */
export const isSick = (verdict: Verdict): boolean => ratings[verdict].standing === "sick";

/** Two causes are one where their keys are equal. */
export const keyOf = ({ what, where }: Ailment): string => `${what} @ ${where}`;

/** One link in one run, with what was known of it before. */
export interface Sighting {
  readonly link: string;
  readonly held: LinkMemory | undefined;
  readonly line: LinkHealth;
  readonly causes: Causes;
}

/** `lead`: what an alert is opened for. `all`: what keeps one open, also while something worse stands before it. */
export interface Causes {
  readonly lead: readonly Ailment[];
  readonly all: readonly Ailment[];
}

/**
 * Why a link fares badly. The lead is one thing at each place, because one incident is one alert: the finding that
 * witnesses an outsider; else the finding of the step that got a no, at the side that decides it; else what about a
 * difference admits outsiders; else the difference itself, at the account it is in. A thousand links that fail for one
 * reason have one cause.
 */
export function causesOf(line: LinkHealth, link: Link, { findings }: Health): Causes {
  if (!isSick(line.verdict)) return { lead: [], all: [] };
  const grave = findings.filter(
    (finding) =>
      (isWitnessed(finding) || (isOpenQuestion(finding) && !isBeside(finding))) && concerns(finding, line.link),
  );
  const causeOf = ({ code, at }: Finding): Ailment => ({
    what: code,
    where: at.address ? scopeOf(at.address) : placeOf(link.to),
  });
  const witnessed = grave.filter(isWitnessed).map(causeOf);
  const strange = grave.map(causeOf);
  const refused = refusedOf(line, link);
  const drifts = line.changes.map((change) => ailmentsOf(change, line.verdict));
  const differs = drifts.flatMap((one) => one.slice(0, 1));
  const all = [...new Map([...strange, ...refused, ...drifts.flat()].map((one) => [keyOf(one), one])).values()];
  if (witnessed.length > 0) return { lead: oneEach(witnessed), all };
  if (refused.length > 0) return { lead: refused.slice(0, 1), all };
  return { lead: oneEach(strange.length > 0 ? strange : differs), all };
}

/** What a difference is as causes of alerts, the gravest first: at the account it is in, by what it does. */
export const ailmentsOf = (change: Change, verdict: Verdict): readonly Ailment[] =>
  (verdict === "absent" ? ["absent"] : driftsOf(change)).map((what) => ({ what, where: scopeOf(change.address) }));

/** A security finding that the file does not accept. */
const isOpenQuestion = ({ severity, accepted }: Finding): boolean => severity === "security" && accepted === undefined;

/** Each step that got a no, the refusals first: an outsider who gets in is worse than a workload that does not. */
const refusedOf = ({ hops, verdict }: LinkHealth, link: Link): readonly Ailment[] =>
  hops
    .filter(({ result }) => result === "no")
    .sort((one, other) => Number(other.step === "refuse") - Number(one.step === "refuse"))
    .map(({ step, finding }) => ({
      what: finding ?? verdict,
      where: placeOf(step === "mint" ? link.from : link.to),
    }));

/** Of each place the gravest, and of equals the first by name, so that it is the same one in each run whatever order the findings come in. */
function oneEach(all: readonly Ailment[]): readonly Ailment[] {
  const last = (one: Ailment, other: Ailment): boolean =>
    gravityOf(one.what) === gravityOf(other.what)
      ? keyOf(one) < keyOf(other)
      : gravityOf(one.what) > gravityOf(other.what);
  const backwards = all.toSorted((one, other) => (last(one, other) ? 1 : -1));
  return [...new Map(backwards.map((cause) => [cause.where, cause])).values()];
}

/** It makes no link fare badly, so it is no cause of that. */
export const isBeside = ({ beside, witness }: Finding): boolean => beside === true && witness === undefined;

/** `aws:role/111122223333/reports` is at `aws 111122223333`; an issuer, whose address is its URL, is at itself. */
export function scopeOf(address: Address): string {
  const [, party = "", kind = "", rest = ""] = /^(\w+):(\w+)\/(.*)$/.exec(address) ?? [];
  return `${party} ${kind === "issuer" ? rest : (rest.split("/")[0] ?? "")}`;
}

/** What a side has in common with others of its party: the widest thing that its part of the file names. */
function placeOf({ party, spec }: Side): string {
  const named = ["issuer", "tenant", "account", "project"].map((key) => spec[key]).find(Boolean);
  return named === undefined ? party : `${party} ${String(named)}`;
}
