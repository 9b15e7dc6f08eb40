import { like, some } from "../trust/conditions.ts";
import { actionTruth } from "../trust/judge.ts";
import { type Policy, parsePolicy, type Statement } from "../trust/policy.ts";
import type { StoredRole } from "./roles.ts";

/** One action on one resource; an ARN, or `*` where a call names none. */
export interface Asked {
  /** Lower-case, `iam:createrole`. */
  readonly action: string;
  readonly resource: string;
}

/** The managed policies of AWS whose content the sandbox knows; any other grants nothing here. */
const known: Readonly<Record<string, readonly string[]>> = {
  AdministratorAccess: ["*"],
  IAMFullAccess: ["iam:*"],
  IAMReadOnlyAccess: ["iam:get*", "iam:list*", "iam:generate*", "iam:simulate*"],
  ReadOnlyAccess: ["*:get*", "*:list*", "*:describe*"],
  AmazonS3ReadOnlyAccess: ["s3:get*", "s3:list*", "s3:describe*"],
  AmazonS3FullAccess: ["s3:*"],
};

/** Whether a role or a policy allows something: one Allow, no Deny. A boundary grants nothing. */
export function permits(holder: StoredRole | Policy, asked: Asked): boolean {
  if ("statements" in holder) return allows([holder], asked);
  const inline = Object.values(holder.inline).flatMap((text) => parsePolicy(text) ?? []);
  const granted = allows([...inline, ...holder.managed.flatMap(managed)], asked);
  return granted && (holder.boundary === undefined || allows(managed(holder.boundary), asked));
}

/** A managed policy as a document; nothing for one whose content is not known here: it grants nothing. */
function managed(arn: string): readonly Policy[] {
  const name = arn.split("/").at(-1) ?? "";
  const action = arn.startsWith("arn:aws:iam::aws:policy/") ? known[name] : undefined;
  return action ? [{ version: "2012-10-17", statements: [{ effect: "Allow", action, resource: ["*"] }] }] : [];
}

function allows(policies: readonly Policy[], asked: Asked): boolean {
  const matching = policies.flatMap((policy) => policy.statements).filter((statement) => applies(statement, asked));
  // Conditions of identity policies are not evaluated here: an Allow with one grants nothing, a Deny with one denies.
  const denied = matching.some(({ effect }) => effect === "Deny");
  return !denied && matching.some(({ effect, condition }) => effect === "Allow" && condition === undefined);
}

/** Resource and action; a statement with neither Resource nor NotResource is about nothing. */
function applies(statement: Statement, { action, resource }: Asked): boolean {
  const named = (patterns: readonly string[]) => some(patterns.map((pattern) => like(pattern, resource))) === true;
  const there = statement.resource
    ? named(statement.resource)
    : statement.notResource
      ? !named(statement.notResource)
      : false;
  return there && actionTruth(statement, action);
}
