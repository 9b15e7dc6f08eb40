import type { Accept, Code, Consents, Finding } from "../model.ts";
import { acceptLine, finding } from "../model.ts";

/** What a user has agreed to: the decisions of the file, and the flags of this run. */
export interface Deciding {
  readonly accepts: readonly Accept[];
  readonly consents: Pick<Consents, "allowBroadSubject" | "allowPrivileged">;
  /** Epoch milliseconds, by the clock of the world. */
  readonly now: number;
  /** The links that share a link's pool provider, the link itself among them. */
  readonly sharing: (link: string) => readonly string[];
}

/**
 * Returns the findings with what is to be decided said once for all links that share a trust: each link still needs its
 * own consent, and the fixes name them all.
 */
export function oncePerTrust(findings: readonly Finding[], { sharing }: Pick<Deciding, "sharing">): readonly Finding[] {
  const alike = ({ code, of, links = [], accepted: agreed }: Finding): string =>
    JSON.stringify([code, of, agreed !== undefined, links.map((link) => [...sharing(link)].sort()).sort()]);
  const groups = Map.groupBy(findings, (one) => (isDecision(one) ? alike(one) : one));
  return [...groups.values()].flatMap(([first, ...others]) => (first ? [together(first, others)] : []));
}

const isDecision = ({ code, of, links }: Finding): boolean =>
  of !== undefined && links !== undefined && flagOf(code) !== undefined;

function together(first: Finding, others: readonly Finding[]): Finding {
  if (others.length === 0) return first;
  const all = [first, ...others];
  const places = new Set(
    others.map(({ at }) => at.address ?? "").filter((address) => address !== (first.at.address ?? "")),
  );
  const more = places.size > 0 ? ` (the same of ${places.size} more)` : "";
  const links = [...new Set(all.flatMap((one) => one.links ?? []))];
  const reasons = [...new Set(all.flatMap(({ accepted: agreed }) => agreed?.reason ?? []))];
  return {
    ...first,
    says: `${first.says}${more}`,
    links,
    fix: links.length > 1 && others.some(({ fix }) => fix.length > 0) ? fixesFor(all, links) : first.fix,
    ...(first.accepted === undefined ? {} : { accepted: { ...first.accepted, reason: reasons.join("; ") } }),
  };
}

/** Consents are by link: each has its flag, or its line in the file. */
function fixesFor(all: readonly Finding[], links: readonly string[]): readonly string[] {
  const [first] = all;
  if (first?.asks === undefined) return [...new Set(all.flatMap(({ fix }) => fix))];
  return consentFixes(first.code, first.of ?? "", links);
}

/** Returns how a value is agreed to, for good or once, on each of some links. */
export function consentFixes(code: Code, of: string, links: readonly string[]): readonly string[] {
  const where = links.length === 1 ? `the link ${links[0]}` : `each of the links ${links.join(", ")}`;
  const fix = `accept it in the file, on ${where}: ${acceptLine(code, of)}`;
  const flag = flagOf(code);
  const consents = links.map((link) => `${flag} ${link}`).join(" ");
  return flag ? [fix, `crosstrust apply ${consents}   # or once`] : [fix];
}

/** The flag that gives a one-time consent for a code. */
export const flagOf = (code: Code): string | undefined => flags.find(({ codes }) => codes.includes(code))?.flag;

const flags: readonly {
  readonly flag: string;
  readonly codes: readonly Code[];
  readonly consent: keyof Deciding["consents"];
}[] = [
  { flag: "--allow-broad-subject", codes: ["BROAD-SUBJECT"], consent: "allowBroadSubject" },
  { flag: "--allow-privileged", codes: ["AWS-PRIVILEGED", "GOOGLE-PRIVILEGED"], consent: "allowPrivileged" },
];

/**
 * Returns the findings with `accepted` set on those that somebody has agreed to, for every link that they concern. An
 * accepted finding keeps its severity and asks for nothing.
 */
export const accepted = (findings: readonly Finding[], deciding: Deciding): readonly Finding[] =>
  findings.map((one) => {
    const agreed = one.accepted ?? agreement(one, deciding);
    if (!agreed) return one;
    const { asks: _, ...rest } = one;
    return { ...rest, accepted: agreed };
  });

/** The reason of the first decision that covers a finding; undefined where one of its links is not covered. */
function agreement(one: Finding, deciding: Deciding): Finding["accepted"] {
  const whole = deciding.accepts.find((accept) => accept.link === undefined && covers(accept, one, deciding.now));
  if (whole) return reasonOf(whole);
  const links = one.links ?? [];
  const reasons = links.map((link) => ofLink(one, link, deciding));
  return reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined;
}

/** A flag names no value, so it never covers an outsider who was found to get in. */
function ofLink(one: Finding, link: string, deciding: Deciding): Finding["accepted"] {
  const { accepts, consents, now } = deciding;
  const accept = accepts.find((each) => covers(each, one, now) && scopeOf(each, deciding).includes(link));
  if (accept) return reasonOf(accept);
  const flag = flags.find(({ codes, consent }) => codes.includes(one.code) && consents[consent].includes(link));
  return flag && one.witness === undefined ? { reason: `${flag.flag} ${link}` } : undefined;
}

const covers = (accept: Accept, { code, of }: Finding, now: number): boolean =>
  accept.finding === code && accept.of === of && !isExpired(accept, now);

/** The links of an accept that stands on a link or on its pool provider. */
function scopeOf({ link, shared }: Accept, { sharing }: Deciding): readonly string[] {
  if (link === undefined) return [];
  return shared ? sharing(link) : [link];
}

const reasonOf = ({ reason, until }: Accept): NonNullable<Finding["accepted"]> => ({
  reason,
  ...(until === undefined ? {} : { until }),
});

const day = 24 * 60 * 60 * 1000;

/** `until` is a day, which ends at midnight UTC. */
const isExpired = ({ until }: Accept, now: number): boolean => until !== undefined && now >= Date.parse(until) + day;

/** Accepts whose last day is over: what they covered counts again. */
export const expired = ({ accepts, now }: Pick<Deciding, "accepts" | "now">): readonly Finding[] =>
  accepts
    .filter((accept) => isExpired(accept, now))
    .map((accept) =>
      finding("ACCEPT-EXPIRED", {
        ...whereOf(accept),
        severity: "warning",
        says: `the accept of ${accept.finding} (${accept.of}) ended on ${accept.until}: it accepts nothing any more`,
        fix: ["decide again: write a later until, or take away what it accepted"],
      }),
    );

/**
 * Accepts of these codes that match none of the findings. Whoever asks has to have looked for all of them, in the whole
 * file.
 */
export function unused(
  findings: readonly Finding[],
  { codes, ...deciding }: Deciding & { readonly codes: readonly Code[] },
): readonly Finding[] {
  const matches = (accept: Accept): boolean =>
    findings.some(
      (one) =>
        covers(accept, one, deciding.now) &&
        (accept.link === undefined || (one.links ?? []).some((link) => scopeOf(accept, deciding).includes(link))),
    );
  return deciding.accepts
    .filter((accept) => codes.includes(accept.finding) && !isExpired(accept, deciding.now) && !matches(accept))
    .map((accept) =>
      finding("ACCEPT-UNUSED", {
        ...whereOf(accept),
        severity: "warning",
        says: `no finding ${accept.finding} of this file is about "${accept.of}": this accept accepts nothing`,
        fix: ["copy the value after `of` from the finding; or take the accept out of the file"],
      }),
    );
}

const whereOf = ({ place, link }: Accept): Pick<Finding, "at" | "links"> => ({
  at: { place },
  ...(link === undefined ? {} : { links: [link] }),
});

/** What was agreed to, once for each link: a flag and an accept of the same thing are equal here. */
export const effective = (findings: readonly Finding[]): readonly string[] => [
  ...new Set(
    findings
      .filter((one) => one.accepted !== undefined)
      .flatMap(({ code, of = "", links = [] }) => links.map((link) => JSON.stringify([code, of, link]))),
  ),
];
