import type { Finding } from "../../model.ts";
import { findingLine, findingText } from "../../say/findings.ts";
import { document, findingBody } from "../../say/json.ts";
import { shownValue } from "../../say/visible.ts";
import { codes } from "../../verdict/exit.ts";
import { version } from "../../version.ts";
import type { Answer } from "../answer.ts";
import type { Context } from "../context.ts";

/** What came of judging a proof. */
export interface Outcome {
  readonly claims: Readonly<Record<string, unknown>>;
  /** The first ones say why; those without `asks` are about the trust besides. */
  readonly findings: readonly Finding[];
  readonly exit: number;
  /** Whose sentence `answer` is. */
  readonly cloud?: "aws" | "google";
  /** What the cloud answers to such a proof, in its own words; absent where it lets it in or nobody knows. */
  readonly answer?: string;
  /** The line for a proof that is let in. */
  readonly fine?: string;
  /** What was not looked at. */
  readonly notes?: readonly string[];
  /** Members by which a policy of Google can mean the identity. */
  readonly principals?: readonly string[];
}

/** 3 for what is refused, 75 for what cannot be told from here. */
export const exitOfJudgement = (finding: Finding | undefined): number =>
  finding?.asks === "untold" ? codes.untold : codes.broken;

/** The verdict as text or JSON. The cloud's own sentence stands below the cause that it does not name. */
export function explained({ flags, world, paper }: Context, outcome: Outcome): Answer {
  const { claims, findings, exit, cloud = "aws", answer, fine, notes = [], principals = [] } = outcome;
  if (flags.json) {
    const body = {
      claims,
      findings: findings.map(findingBody),
      ...(answer === undefined ? {} : { answer }),
      ...(principals.length > 0 ? { principals } : {}),
      ...(notes.length > 0 ? { notes } : {}),
    };
    return { exit, text: document({ tool: version, world: world.kind, command: "explain", exit }, body) };
  }
  const causes = findings.filter(({ asks }) => asks !== undefined);
  const besides = findings.filter(({ asks }) => asks === undefined);
  const parts = [
    shownValue(whoOf(claims)),
    ...notes.map((note) => `note   ${note}`),
    "",
    ...(fine === undefined ? [] : [shownValue(fine)]),
    ...causes.map((one) => findingText(one, paper)),
    ...(answer === undefined ? [] : ["", shownValue(`${cloud} answers such a proof with   ${answer}`)]),
    ...(principals.length > 0 ? ["", "in the pool it is", ...principals.map((one) => `  ${shownValue(one)}`)] : []),
    ...(besides.length > 0 ? ["", "lint says besides", ...besides.map((one) => findingLine(one, paper))] : []),
  ];
  return { exit, text: parts.join("\n") };
}

/** A token by subject and issuer, a caller of AWS by its ARN. */
function whoOf({ sub, iss, arn, account }: Outcome["claims"]): string {
  if (iss === undefined && account !== undefined) return `${arn}   of the aws account ${account}`;
  if (iss === undefined && sub === undefined) return "a signed request";
  return `${sub ?? "(no sub)"}   of ${iss ?? "(no iss)"}`;
}
