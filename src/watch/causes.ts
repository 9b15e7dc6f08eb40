import type { Address, Ailment, Finding, Health, Link, LinkHealth, LinkMemory, Side, Verdict } from "../model.ts";

/** What is worth an alert. `unknown` is no news about the link, and `unproved` is how the file wants it. */
export const isSick = (verdict: Verdict): boolean => ["open", "broken", "drifted"].includes(verdict);

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
 * Why a link fares badly. The lead is one thing at each place, because one incident is one alert: where a hop got a no
 * it is that hop's finding, at the side that decides it (for `open` the hop that let somebody in); of a drift it is what
 * lets strangers in, else the drift itself, at the account it is in. A thousand links that fail for one reason have one
 * cause.
 */
export function causesOf(line: LinkHealth, link: Link, { findings }: Health): Causes {
  if (!isSick(line.verdict)) return { lead: [], all: [] };
  const refused = line.hops
    .filter(({ result }) => result === "no")
    .sort((one, other) => Number(other.step === "refuse") - Number(one.step === "refuse"))
    .map(({ step, finding }) => ({
      what: finding ?? line.verdict,
      where: placeOf(step === "mint" ? link.from : link.to),
    }));
  const strange = findings
    .filter((finding) => finding.severity === "security" && !isBeside(finding) && concerns(finding, line.link))
    .map(({ code, at }) => ({ what: code, where: at.address ? scopeOf(at.address) : placeOf(link.to) }));
  const drift = line.changes.map(({ address }) => ({ what: "drifted", where: scopeOf(address) }));
  const lead = refused.length > 0 ? refused.slice(0, 1) : oneEach(strange.length > 0 ? strange : drift);
  return { lead, all: [...new Map([...refused, ...strange, ...drift].map((one) => [keyOf(one), one])).values()] };
}

/** Of each place the first by name, so that it is the same one in each run whatever order the findings come in. */
function oneEach(all: readonly Ailment[]): readonly Ailment[] {
  const backwards = all.toSorted((one, other) => (keyOf(one) < keyOf(other) ? 1 : -1));
  return [...new Map(backwards.map((cause) => [cause.where, cause])).values()];
}

/** It makes no link fare badly, so it is no cause of that. */
export const isBeside = ({ beside, witness }: Finding): boolean => beside === true && witness === undefined;

const concerns = ({ links }: Finding, name: string): boolean => links?.includes(name) ?? false;

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
