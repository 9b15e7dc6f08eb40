import type { Change, Difference, Finding, Json, Plan, Verb } from "../model.ts";
import { effectLines } from "./effects.ts";
import { byWeight, distinct, findingLine, standingCount, withoutStanding } from "./findings.ts";
import { columns, commandLine, count, heading, ink, type Paper, partsOf } from "./paper.ts";
import { specRows, valueText } from "./spec.ts";
import { displayed } from "./visible.ts";

/** A link as a heading: what people call its two sides, and where it stands. */
export interface Titled {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** `federation.yaml:4` */
  readonly where: string;
}

/** `links` are the ones to show; `scopes` where leftovers were looked for; `command` decides how it ends. */
export interface PlanView {
  readonly file: string;
  /** What the plan is about, where it is not links. */
  readonly about?: string;
  readonly world: "sandbox" | "cloud";
  readonly plan: Plan;
  readonly links: readonly Titled[];
  readonly scopes: readonly string[];
  readonly command: "plan" | "apply" | "destroy";
  /** Whether to show the hints that every run gives, too. */
  readonly all?: boolean;
  /** Link names and consents as they were typed: the fingerprint covers them, so `apply` needs them too. */
  readonly words: string;
}

const signs: Readonly<Record<Verb, string>> = {
  create: "+",
  restore: "^",
  update: "~",
  replace: "~",
  adopt: "?",
  keep: "=",
  delete: "-",
  release: "-",
};

const causes = {
  drifted: "drifted: somebody changed the cloud",
  edited: "edited: somebody changed the file",
  moved: "moved: something it refers to changed",
  both: "both the file and the cloud changed",
  unfinished: "unfinished: a run was cut off",
} as const;

/**
 * The whole plan: link by link what differs, then what stands against it, the sums, and the next command. A
 * shared thing is shown under each of its links. `withFindings`: false where the caller tells them in full.
 */
export function planText(given: PlanView, paper: Paper, withFindings = true): string {
  const view = displayed(given);
  const { plan, links } = view;
  const made = plan.waves.flat();
  const ordered = [...plan.changes].sort((one, other) => made.indexOf(one.address) - made.indexOf(other.address));
  const blocks = links
    .filter((link) => !isGone(link, view))
    .map((link) => linkBlock(link, { changes: ordered, unread: plan.unread }, paper));
  const orphans = plan.changes.filter((change) => change.links.length === 0);
  const leftovers =
    orphans.length > 0
      ? [["no link names these any more", ...orphans.flatMap((change) => changeLines(change, paper))].join("\n")]
      : [];
  const findings = withFindings
    ? byWeight(distinct(withoutStanding(plan.findings, view.all))).map((finding) => findingLine(finding, paper))
    : [];
  const effects = effectLines(view.plan.effects, view.world);
  return [
    heading([view.file, view.about ?? count(links.length, "link"), view.world === "sandbox" ? "sandbox" : undefined]),
    "",
    ...[...blocks, ...leftovers].flatMap((block) => [block, ""]),
    ...(findings.length > 0 ? [...findings, ""] : []),
    ...(effects.length > 0 ? [...effects, ""] : []),
    ...(withFindings ? standingCount(plan.findings, commandLine("plan --all", paper), view.all) : []),
    ...ending(view, paper),
  ].join("\n");
}

/** Nothing of the link is there to be destroyed, and nothing kept us from seeing that. */
const isGone = ({ name }: Titled, { command, plan }: PlanView): boolean =>
  command === "destroy" && !plan.changes.some(({ links }) => links.includes(name)) && !plan.findings.some(isStop);

/** A link with no change at all could not be read: that must not look like one that is well. */
function linkBlock(
  link: Titled,
  { changes, unread: all }: { readonly changes: readonly Change[]; readonly unread: Plan["unread"] },
  paper: Paper,
): string {
  const head = `${link.name}   ${link.from}  ->  ${link.to}`.padEnd(72);
  const mine = changes.filter((change) => change.links.includes(link.name));
  const unread = all.filter(({ links }) => links.includes(link.name));
  const different = mine.filter(({ verb }) => verb !== "keep");
  const body =
    different.length > 0
      ? different.flatMap((change) => changeLines(change, paper))
      : mine.length > 0 && unread.length === 0
        ? ["  =  as the file says"]
        : [];
  const blind = mine.length === 0 && unread.length === 0 ? ["  ?  could not be read"] : unread.map(unreadLine);
  return [`${ink(paper, "bold", head)} ${ink(paper, "dim", link.where)}`, ...body, ...blind].join("\n");
}

/** What is not known is shown beside what is. */
function unreadLine({ address }: Plan["unread"][number]): string {
  const { party, kind, name } = partsOf(address);
  return `  ?  ${party.padEnd(6)}  ${kind.padEnd(15)}  ${name}   could not be read`;
}

function changeLines(change: Change, paper: Paper): readonly string[] {
  const { party, kind, name } = partsOf(change.address);
  const sign = signs[change.verb];
  const colour = sign === "+" || sign === "^" ? "green" : sign === "-" ? "red" : "yellow";
  const head = `  ${ink(paper, colour, sign)}  ${party.padEnd(6)}  ${kind.padEnd(15)}  ${name}`;
  const note = noteOf(change);
  return [note ? `${head.padEnd(58)} ${note}` : head, ...detail(change).map((line) => `       ${line}`)];
}

function noteOf(change: Change): string {
  const joins = change.live.state === "present" && change.live.joins;
  if (change.verb === "adopt") return joins ? "another deployment made it: this one joins" : "exists, not made by us";
  if (change.verb === "restore") {
    const named = change.live.state === "deleted" && change.live.outputs.uniqueId;
    return named ? "was deleted: comes back with its unique id" : "was deleted, and holds its id: comes back";
  }
  if (change.verb === "release")
    return change.live.state === "present" && change.live.mark?.adopted
      ? "it was there before: given back as it was"
      : "others have a part in it: given back, not deleted";
  if (change.verb === "replace") return `${change.cause ? causes[change.cause] : ""}; deleted and made anew`;
  return change.cause ? causes[change.cause] : "";
}

function detail(change: Change): readonly string[] {
  if (change.verb === "create" || change.verb === "restore")
    return change.desired ? columns(specRows(change.desired), "  ") : [];
  return change.differences.flatMap(differenceLines);
}

/** Live above file, so that the eye reads down from what is to what should be; `!` where live lets too much in. */
function differenceLines({ path, desired, live, weight }: Difference): readonly string[] {
  const [label, policy] = labelOf(path);
  const mark = weight === "opens" || weight === "loosens" ? "   !" : "";
  const text = (value: Json | undefined) =>
    policy && value !== undefined ? (value ? policy : "(none)") : valueText(value);
  return [`${label}   live  ${text(live)}${mark}`, `${" ".repeat(label.length)}   file  ${text(desired)}`];
}

/** How a path is called, and the policy it names where its value only says whether it is there. */
function labelOf(path: string): readonly [label: string, policy?: string] {
  if (path === "trust") return ["trusts"];
  if (path.startsWith("trust.")) return [`trusts  ${path.slice("trust.".length)}`];
  const arn = /^may\.arn:.*:policy\/(.+)$/.exec(path)?.[1];
  if (arn) return ["may", arn];
  return path.startsWith("may.") ? ["may"] : [path];
}

/** What is counted: always, or only where there is any of it. */
const sums: readonly (readonly [readonly Verb[], string, "always" | "any"])[] = [
  [["create", "restore"], "to create", "always"],
  [["update"], "to repair", "always"],
  [["replace"], "to delete and make anew", "any"],
  [["adopt"], "to adopt", "any"],
  [["delete"], "to delete", "always"],
  [["release"], "to give back", "any"],
];

/**
 * Returns what a plan did not see, as a clause; undefined where it saw everything. "Nothing to do" and "nothing is there"
 * are conclusions, and this is the premise that they need.
 */
export function unseenText({ unread, findings }: Plan): string | undefined {
  const shown = unread
    .slice(0, 3)
    .map(({ address }) => address)
    .join(", ");
  const more = unread.length > 3 ? ` and ${unread.length - 3} more` : "";
  const left = findings.some(({ code }) => code === "LEFTOVERS-UNSEEN");
  const parts = [
    ...(unread.length > 0 ? [`${shown}${more} could not be read`] : []),
    ...(left ? ["what a former file left was not looked for everywhere"] : []),
  ];
  if (parts.length > 0) return parts.join("; ");
  const untold = findings.some(
    ({ severity, asks }) => severity === "error" && (asks === "untold" || asks === "denied"),
  );
  return untold ? "not everything could be told" : undefined;
}

const unseenLine = (plan: Plan): readonly string[] => {
  const unseen = unseenText(plan);
  return unseen === undefined ? [] : [`not all is known   ${unseen}`];
};

/** Ends a plan without a change. */
function idle(view: PlanView, looked: readonly string[], paper: Paper): readonly string[] {
  const { plan, command } = view;
  const kept = `${plan.changes.length} as they should be`;
  const unseen = unseenText(plan);
  if (unseen === undefined) {
    if (command === "destroy") return [`nothing to destroy: nothing of ${whoseOf(view)} is there`, ...looked];
    return [...looked, `nothing to do   ${kept}`];
  }
  return [
    ...looked,
    `no change is planned   ${kept}   ${unseen}`,
    ...(command === "plan" && plan.findings.some(isStop)
      ? [`next   ${commandLine("plan", paper)}   once it can be read`]
      : []),
  ];
}

/** Returns how many things a plan creates, repairs and so on, as one line: `1 to create, 0 to repair, ...`. */
export function sumsOf(plan: Plan, between = ", "): string {
  // What no link names stays until its number was agreed to, so it is not among what is deleted.
  const stay = plan.prunes ? [] : plan.changes.filter(({ links, desired }) => links.length === 0 && !desired);
  const due = plan.changes.filter((change) => !stay.includes(change));
  const number = (verbs: readonly Verb[]) => due.filter(({ verb }) => verbs.includes(verb)).length;
  const all = sums.map(([verbs, words, when]) => [number(verbs), words, when] as const);
  const left = [stay.length, "named by no link: left in place", "any"] as const;
  const counted = [...all, left].filter(([sum, , when]) => sum > 0 || when === "always");
  return [...counted.map(([sum, words]) => `${sum} ${words}`), `${number(["keep"])} as they should be`].join(between);
}

function ending(view: PlanView, paper: Paper): readonly string[] {
  const { plan, command } = view;
  const kept = plan.changes.filter(({ verb }) => verb === "keep").length;
  const looked = view.scopes.length > 0 ? [`leftovers looked for in: ${view.scopes.join(", ")}`] : [];
  const isIdle = kept === plan.changes.length && !plan.findings.some(isRefused);
  if (isIdle && (unseenText(plan) !== undefined || !plan.findings.some(isStop))) return idle(view, looked, paper);
  const legend = legendOf(plan.changes);
  const typed = commandLine(`apply ${short(plan)}${view.words}`, paper);
  const last = plan.findings.some(isRefused)
    ? "apply writes nothing of it before that is settled"
    : `apply exactly this:  ${typed}`;
  const next = command === "plan" ? [`plan ${short(plan)}    ${last}`] : [];
  return [...looked, ...(legend ? [legend] : []), ...unseenLine(plan), sumsOf(plan, "   "), ...next];
}

/** A plan of some links is never swept: what others have is there still. */
export const whoseOf = ({ plan, links }: PlanView): string =>
  plan.swept ? "this deployment" : links.map(({ name }) => name).join(", ");

/** What ends an apply before it writes anything. */
const isRefused = ({ asks, code }: Finding): boolean =>
  asks === "usage" || asks === "conflict" || code.startsWith("LINKS-");

const isStop = (finding: Finding): boolean => finding.severity === "error";
const short = (plan: Plan): string => plan.fingerprint.slice(0, 16);

/** Only the signs that occur, and only where one of them is not plain. */
function legendOf(changes: readonly Change[]): string {
  const meanings: Readonly<Record<string, string>> = {
    "?": "? not made by us",
    "^": "^ comes back",
    "!": "! lets in what the file does not",
  };
  const used = new Set(changes.filter(({ verb }) => verb !== "keep").map(({ verb }) => signs[verb]));
  if (changes.some(({ differences }) => differences.some(({ weight }) => weight === "opens" || weight === "loosens")))
    used.add("!");
  return Object.entries(meanings)
    .filter(([sign]) => used.has(sign))
    .map(([, meaning]) => meaning)
    .join("   ");
}
