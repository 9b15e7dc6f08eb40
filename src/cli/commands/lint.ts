import { effectsOf } from "../../crosstrust/effects.ts";
import { reviewLive } from "../../crosstrust/review.ts";
import type { Federation, Finding, World } from "../../model.ts";
import { parties } from "../../parties/index.ts";
import { expand } from "../../plan/expand.ts";
import { order } from "../../plan/order.ts";
import { effectLines } from "../../say/effects.ts";
import { placedText } from "../../say/findings.ts";
import { document, findingBody } from "../../say/json.ts";
import { codes, exitOf } from "../../verdict/exit.ts";
import { version } from "../../version.ts";
import type { Answer } from "../answer.ts";
import { type Flags, isError, type LintConsents, type Loaded, loadFile, paperFor } from "../context.ts";
import { BadFile, UsageError } from "../exit.ts";
import { listedAs } from "../listed.ts";
import type { Command } from "../run.ts";
import { checkNames } from "./plan.ts";

/** What lint takes beside the global flags: the one-time consents, and which findings end it with 3. */
export interface LintFlags {
  readonly allowPrivileged?: readonly string[];
  readonly allowBroadSubject?: readonly string[];
  readonly severity?: string;
}

interface LintAsk {
  readonly consents: Exclude<LintConsents, "all">;
  readonly severity: "error" | "security";
}

/** Throws a `UsageError` for a severity that ends nothing. */
export function severityOf({ severity = "error" }: LintFlags): "error" | "security" {
  if (severity !== "error" && severity !== "security")
    throw new UsageError(`--severity takes error or security, not ${severity}`);
  return severity;
}

const askOf = ({ allowPrivileged = [], allowBroadSubject = [], ...rest }: LintFlags): LintAsk => ({
  consents: { allowPrivileged, allowBroadSubject },
  severity: severityOf(rest),
});

/** The file's own findings; its errors end the command before anything is contacted. */
function readFile(flags: Flags, { consents, live }: { consents: LintAsk["consents"]; live: boolean }): Loaded {
  const loaded = loadFile(flags, consents, !live);
  checkNames(loaded.federation, [...consents.allowPrivileged, ...consents.allowBroadSubject]);
  const { resources, findings: clashes } = expand(loaded.federation.links, parties);
  const errors = [...clashes, ...order(resources).findings];
  if (errors.length > 0) throw new BadFile(errors);
  return loaded;
}

/** Findings that need no cloud. No world is opened, so nothing can be contacted. */
export function lint(flags: Flags, own: LintFlags = {}): Answer {
  const { consents, severity } = askOf(own);
  const { federation, findings, reviewed } = readFile(flags, { consents, live: false });
  const all = [...findings, ...reviewed];
  const exit = severity === "security" && all.some(isOpenQuestion) ? codes.broken : codes.fine;
  return answer({ flags, federation, findings: all, world: flags.sandbox ? "sandbox" : "cloud", exit });
}

/** Somebody has access that nobody has decided about. */
export const isOpenQuestion = ({ severity, accepted }: Finding): boolean => severity === "security" && !accepted;

/** The same rules over what is there now. Reads what `plan` reads, and writes nothing, so that no consent is asked. */
export const lintLive: Command<LintFlags> = async ({ flags, world }, given) => {
  const { consents, severity } = askOf(given);
  const { federation, findings: own } = readFile(flags, { consents, live: true });
  const { findings, trouble, idle } = await reviewLive(federation, world, consents);
  const all = [...own, ...findings, ...trouble, ...idle];
  const weighed = severity === "security" ? [...own, ...findings] : findings;
  return answer({ flags, federation, findings: all, world: world.kind, exit: exitOfReview(weighed, trouble) });
};

/**
 * 65 on errors, as without `--live`. A trust that lets strangers in is open: 3, in the contract's order before what
 * could not be read (77, 75).
 */
function exitOfReview(findings: readonly Finding[], trouble: readonly Finding[]): number {
  const unread = exitOf({ findings: trouble });
  if (unread === codes.interrupted) return unread;
  if (findings.some(isError)) return codes.badFile;
  return findings.some(isOpenQuestion) ? codes.broken : unread;
}

/** How many findings there are, as the last line says it. */
export function countsOf(findings: readonly Finding[]): readonly string[] {
  const undecided = findings.filter(({ accepted }) => !accepted);
  const number = (of: Finding["severity"]) => undecided.filter(({ severity }) => severity === of).length;
  const [errors, open, agreed] = [number("error"), number("security"), findings.length - undecided.length];
  const count = errors === 0 ? "no errors" : errors === 1 ? "1 error" : `${errors} errors`;
  const decided = agreed > 0 ? [`${agreed} accepted`] : [];
  return [count, ...(open > 0 ? [`${open} about security`] : []), ...decided];
}

interface Said {
  readonly flags: Flags;
  readonly federation: Federation;
  readonly findings: readonly Finding[];
  readonly world: World["kind"];
  readonly exit: number;
}

function answer({ flags, federation, findings, world, exit }: Said): Answer {
  const envelope = { tool: version, world, command: "lint", exit };
  const effects = effectsOf(federation, []);
  const more = effects.length > 0 ? { effects } : {};
  if (flags.json) return { exit, text: document(envelope, { findings: findings.map(findingBody), ...more }) };
  const listed = listedAs(flags, findings);
  if (listed !== undefined) return { exit, text: listed };
  const { length } = federation.links;
  const links = length === 1 ? "1 link" : `${length} links`;
  const last = [federation.file, links, ...countsOf(findings)].join("   ");
  const told = findings.length > 0 ? [placedText(findings, paperFor(process.stdout, flags))] : [];
  return { exit, text: [...told, ...effectLines(effects, world), last].join("\n") };
}
