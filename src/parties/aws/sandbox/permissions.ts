import { every, holds, like, some } from "../../../judge/aws/conditions.ts";
import { actionTruth } from "../../../judge/aws/judge.ts";
import { type Policy, parsePolicy, type Statement } from "../../../judge/aws/policy.ts";
import type { View } from "../../../sandbox/state.ts";
import { managedPolicy } from "./policies.ts";
import type { StoredRole } from "./roles.ts";

/** One action on one resource; an ARN, or `*` where a call names none. */
export interface Asked {
  /** Lower-case, `iam:createrole`. */
  readonly action: string;
  readonly resource: string;
  /** Condition keys of the call, lower-case; what a call does not have is left out. */
  readonly context: Readonly<Record<string, string>>;
}

/**
 * Whether a role may do something: its own policies and its boundary must both allow it, and a Deny in any of them
 * wins (IAM user guide, "policy evaluation logic"). A boundary grants nothing; one that is not there allows nothing.
 */
export function roleMay(role: StoredRole, asked: Asked, view: View): boolean {
  const inline = Object.values(role.inline).flatMap((text) => parsePolicy(text) ?? []);
  const granted = [...inline, ...role.managed.flatMap((arn) => managedPolicy(view, arn))];
  const bounded = role.boundary === undefined || permits(managedPolicy(view, role.boundary), asked);
  return bounded && permits(granted, asked);
}

/**
 * Whether policies together allow something: one Allow in any of them, a Deny in none. What cannot be decided here neither
 * allows nor leaves out a Deny.
 */
export function permits(policies: readonly Policy[], asked: Asked): boolean {
  const matching = policies.flatMap(({ version, statements }) =>
    statements
      .filter((statement) => applies(statement, asked))
      .map(({ effect, condition }) => ({ effect, truth: met(condition, asked, version) })),
  );
  const denied = matching.some(({ effect, truth }) => effect === "Deny" && truth !== false);
  return !denied && matching.some(({ effect, truth }) => effect === "Allow" && truth === true);
}

/** Keys that a call of IAM may have and this sandbox fills; of any other it cannot tell (fact sheet, 4.4). */
const filled = /^(iam:permissionsboundary|iam:policyarn|(aws|iam):(requesttag|resourcetag)\/.+)$/;

const met = (condition: Statement["condition"], { context }: Asked, version: string) =>
  every(
    Object.entries(condition ?? {}).flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => {
        const value = context[key];
        const absent = filled.test(key) ? ("absent" as const) : ("unknown" as const);
        const reading =
          value === undefined
            ? { state: absent, readFrom: "the call" }
            : { state: "present" as const, values: [value], readFrom: "the call" };
        return holds({ operator, values, reading, variables: version === "2012-10-17" });
      }),
    ),
  );

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
