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
  readonly causes: readonly Ailment[];
}

/**
 * Why a link fares badly. Of a hop that got a no it is the finding's code, at the side where that hop is decided; of a
 * drift it is what lets strangers in, else the drift itself, at the account it is in. A thousand links that fail for
 * one reason have one cause.
 */
export function causesOf(line: LinkHealth, link: Link, { findings }: Health): readonly Ailment[] {
  if (!isSick(line.verdict)) return [];
  const failed = line.hops
    .filter(({ result }) => result === "no")
    .map(({ step, finding }) => ({
      what: finding ?? line.verdict,
      where: placeOf(step === "mint" ? link.from : link.to),
    }));
  const changed = line.changes.map(({ address }) => scopeOf(address));
  const open = findings.filter((finding) => finding.severity === "security" && concerns(finding, line.link));
  const strange = open.map(({ code, at }) => ({
    what: code,
    where: at.address ? scopeOf(at.address) : placeOf(link.to),
  }));
  const drift = strange.length > 0 ? strange : changed.map((where) => ({ what: "drifted", where }));
  const found = [...failed, ...(line.verdict === "broken" ? [] : drift)];
  const all = found.length > 0 ? found : [{ what: line.verdict, where: placeOf(link.to) }];
  return [...new Map(all.map((cause) => [keyOf(cause), cause])).values()];
}

const concerns = ({ links }: Finding, name: string): boolean => links?.includes(name) ?? false;

/** `aws:role/111122223333/reports` is at `aws 111122223333`; an issuer, whose address is its URL, is at itself. */
function scopeOf(address: Address): string {
  const [, party = "", kind = "", rest = ""] = /^(\w+):(\w+)\/(.*)$/.exec(address) ?? [];
  return `${party} ${kind === "issuer" ? rest : (rest.split("/")[0] ?? "")}`;
}

/** What a side has in common with others of its party: the widest thing that its part of the file names. */
function placeOf({ party, spec }: Side): string {
  const named = ["issuer", "tenant", "account", "project"].map((key) => spec[key]).find(Boolean);
  return named === undefined ? party : `${party} ${String(named)}`;
}
