import { relative, resolve } from "node:path";
import type { Finding, Place } from "../../model.ts";
import { lintTrustText } from "../../parties/aws/trust/lint-file.ts";
import { placedText } from "../../say/findings.ts";
import { document, findingBody } from "../../say/json.ts";
import { codes } from "../../verdict/exit.ts";
import { version } from "../../version.ts";
import type { Answer } from "../answer.ts";
import { type Flags, isError, paperFor, readText } from "../context.ts";
import { BadFile, UsageError } from "../exit.ts";
import { listedAs } from "../listed.ts";
import { countsOf, isOpenQuestion, type LintFlags, severityOf } from "./lint.ts";

/** What `lint` takes with `--trust-policy`; the flags that are about a federation file are refused. */
export interface LintTrustFlags extends LintFlags {
  readonly trustPolicy: string;
  readonly live?: boolean;
}

/**
 * Lints a trust policy in a file alone, with the rules of `lint --live`. Takes a document, percent-encoded or not, and the answer
 * of `aws iam get-role`. Contacts nothing. Throws a `BadFile` for what AWS would refuse to keep.
 */
export function lintTrustPolicy(flags: Flags, own: LintTrustFlags): Answer {
  const asked = [
    own.live && "--live",
    own.allowPrivileged && "--allow-privileged",
    own.allowBroadSubject && "--allow-broad-subject",
  ];
  const idle = asked.filter((flag) => typeof flag === "string");
  if (idle.length > 0)
    throw new UsageError(`--trust-policy judges one policy by itself, so ${idle.join(" and ")} means nothing with it`);
  const severity = severityOf(own);
  const text = readText(own.trustPolicy);
  const file = relative(process.cwd(), resolve(own.trustPolicy)) || own.trustPolicy;
  const findings = lintTrustText(text)
    .map(({ remark, at }): Finding => ({ ...remark, at: { place: placeIn(text, at, file) } }))
    .sort((a, b) => order(a) - order(b));
  if (findings.some(isError)) throw new BadFile(findings);
  const exit = severity === "security" && findings.some(isOpenQuestion) ? codes.broken : codes.fine;
  const world = flags.sandbox ? "sandbox" : "cloud";
  const listed = listedAs(flags, findings);
  if (listed !== undefined) return { exit, text: listed };
  if (flags.json) {
    return {
      exit,
      text: document({ tool: version, world, command: "lint", exit }, { findings: findings.map(findingBody) }),
    };
  }
  const told = findings.length > 0 ? [placedText(findings, paperFor(process.stdout, flags))] : [];
  return { exit, text: [...told, [file, "1 trust policy", ...countsOf(findings)].join("   ")].join("\n") };
}

const order = ({ at: { place } }: Finding): number => (place ? place.line * 1e6 + place.column : 0);

/** Lines and columns count from 1. */
function placeIn(text: string, at: number, file: string): Place {
  const before = text.slice(0, Math.max(at, 0));
  return { file, line: before.split("\n").length, column: before.length - before.lastIndexOf("\n") };
}
