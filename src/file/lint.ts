import type { Federation, Finding, Identity, Link, Party } from "../model.ts";
import { acceptLine } from "../model.ts";
import { acceptable } from "./acceptable.ts";
import { lintChains } from "./chains.ts";

/** A file, and the rules that it is held against. */
interface RulesAsk {
  readonly federation: Federation;
  readonly parties: readonly Party[];
  /** 1000 unless `--max-links` says otherwise (case 11 of reliability-and-security.md, 3a). */
  readonly maxLinks: number;
}

/** A file, and what its user has agreed to. */
export interface LintAsk extends RulesAsk {
  /** Links whose privileged permissions were consented to by name; `all` where nothing is granted. */
  readonly allowPrivileged: readonly string[] | "all";
  /** Marks what the file and the flags accept; left out, nothing of it. */
  readonly accept?: (findings: readonly Finding[]) => readonly Finding[];
}

/**
 * Rules that need no cloud: those of each party, and those over the whole file. All of them are listed; one
 * of severity `error` means that the file must not be used (exit 65, nothing contacted).
 */
export const lintFile = (ask: LintAsk): readonly Finding[] => agreedIn(lintRules(ask), ask);

/** Returns what the rules find, before anybody has agreed to anything. */
export function lintRules(ask: RulesAsk): readonly Finding[] {
  const { federation, parties } = ask;
  const byParty = federation.links.flatMap((link) =>
    parties
      .filter((party) => party.name === link.from.party || party.name === link.to.party)
      .flatMap((party) => party.lint(link, identityOf(link, parties))),
  );
  return [
    ...tooMany(ask),
    ...collisions(federation.links, parties),
    ...lintChains(federation.links, parties),
    ...byParty,
    ...parties.flatMap((party) => party.lintAll?.(federation.links, (link) => identityOf(link, parties)) ?? []),
  ];
}

/** Returns the findings of the rules as they count for this user: what was agreed to, and what ends the command. */
export const agreedIn = (
  found: readonly Finding[],
  ask: Pick<LintAsk, "accept" | "allowPrivileged">,
): readonly Finding[] => (ask.accept?.(found) ?? found).map((finding) => consented(finding, ask));

/**
 * Returns the file without the links that a rule forbids: nobody can say what they would need, such as a link from a cloud
 * to itself. What can be agreed to is no such error.
 */
export function soundIn(federation: Federation, found: readonly Finding[]): Federation {
  const forbids = ({ severity, code }: Finding) => severity === "error" && !acceptable.some((one) => one.code === code);
  const wrong = new Set(found.filter(forbids).flatMap(({ links = [] }) => links));
  return wrong.size === 0
    ? federation
    : { ...federation, links: federation.links.filter(({ name }) => !wrong.has(name)) };
}

/** The shape let only issuers through, so there is always one. */
function identityOf(link: Link, parties: readonly Party[]): Identity {
  const issuer = parties.find(({ name }) => name === link.from.party)?.issuer;
  if (!issuer) throw new Error(`${link.from.party} issues nothing`);
  return issuer.identify(link).identity;
}

/** Privilege that nobody agreed to ends the command. What was agreed to is said as what it is. */
function consented(finding: Finding, { allowPrivileged }: Pick<LintAsk, "allowPrivileged">): Finding {
  if (!/^(AWS|GOOGLE)-PRIVILEGED$/.test(finding.code) || finding.accepted) return finding;
  const agreed = allowPrivileged === "all" || finding.links?.some((link) => allowPrivileged.includes(link));
  return agreed ? finding : { ...finding, severity: "error", fix: [...finding.fix, ...waysToAgree(finding)] };
}

const waysToAgree = ({ code, of = "", links = ["LINK"] }: Finding): readonly string[] => [
  `or accept it in the file, on the link: ${acceptLine(code, of)}`,
  `or once, with lint, plan and apply alike: --allow-privileged ${links[0]}`,
];

/** At the first link over the limit; the fix is the flag with the right number, for those who mean it. */
function tooMany({ federation, maxLinks }: RulesAsk): readonly Finding[] {
  const { links } = federation;
  const place = links[maxLinks]?.place;
  if (!place) return [];
  const says = `the file has ${links.length} links; more than ${maxLinks} are probably a mistake`;
  return [
    {
      code: "TOO-MANY-LINKS",
      severity: "error",
      at: { place },
      says,
      because: [],
      fix: [`--max-links ${links.length}`],
    },
  ];
}

/**
 * Two sides that differ only by case or by - and _: the clouds, or people, take them for one (case 3). Sides
 * spelled alike are one thing that two links share, and no finding.
 */
function collisions(links: readonly Link[], parties: readonly Party[]): readonly Finding[] {
  const seen = new Map<string, { readonly title: string; readonly link: Link }>();
  const findings: Finding[] = [];
  for (const link of links) {
    for (const side of ["from", "to"] as const) {
      const title = parties.find((party) => party.name === link[side].party)?.title(link, side) ?? "";
      // Names live in accounts and projects: the same word in two of them is two things.
      const { account, project } = link[side].spec;
      const scope = [side, link[side].party, account, project].join(" ");
      const key = `${scope} ${title.toLowerCase().replaceAll("_", "-")}`;
      const first = seen.get(key);
      if (!first) seen.set(key, { title, link });
      else if (first.title !== title) findings.push(collision(link, side, { title, first }));
    }
  }
  return findings;
}

interface Clash {
  readonly title: string;
  readonly first: { readonly title: string; readonly link: Link };
}

const collision = (link: Link, side: "from" | "to", { title, first }: Clash): Finding => ({
  code: "NAME-COLLISION",
  severity: "error",
  at: { place: link.at(`${side}.${link[side].party}`) },
  links: [first.link.name, link.name],
  says: `${title} here and ${first.title} in line ${first.link.place.line} differ only in spelling`,
  because: [],
  fix: ["write them alike where one thing is meant, else make them differ"],
});
