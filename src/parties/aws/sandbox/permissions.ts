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
  readonly context: Readonly<Record<string, string | readonly string[]>>;
  /** Whether a key that is not in `context` is absent, as in a simulation. Of a real call most are not known here. */
  readonly complete?: boolean;
}

/** What policies come to, in the words of the policy simulator. */
export type Decision = "allowed" | "explicitDeny" | "implicitDeny";

/** A decision, and what it rests on. */
export interface Decided {
  readonly decision: Decision;
  /** The policies whose statements decide it, by their place: those that deny, else those that allow. */
  readonly matched: readonly number[];
  /** Keys that conditions of matching statements ask for and the call does not have. */
  readonly missing: readonly string[];
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

/** Whether policies together allow something: one Allow in any of them, a Deny in none. */
export const permits = (policies: readonly Policy[], asked: Asked): boolean =>
  decide(policies, asked).decision === "allowed";

/** What cannot be decided here neither allows nor leaves out a Deny: an Allow must hold, a Deny must not. */
export function decide(policies: readonly Policy[], asked: Asked): Decided {
  const matching = policies.flatMap(({ version, statements }, policy) =>
    statements.flatMap((one) => {
      if (!applies(one, asked)) return [];
      const keys = Object.values(one.condition ?? {}).flatMap((tests) => Object.keys(tests));
      return [{ policy, keys, effect: one.effect, truth: met(one.condition, asked, version) }];
    }),
  );
  const denials = matching.filter(({ effect, truth }) => effect === "Deny" && truth !== false);
  const permissions = matching.filter(({ effect, truth }) => effect === "Allow" && truth === true);
  const missing = matching.flatMap(({ keys }) => keys).filter((key) => asked.context[key] === undefined);
  return {
    decision: denials.length > 0 ? "explicitDeny" : permissions.length > 0 ? "allowed" : "implicitDeny",
    matched: [...new Set((denials.length > 0 ? denials : permissions).map(({ policy }) => policy))],
    missing: [...new Set(missing)],
  };
}

/** Keys that a call of IAM may have and this sandbox fills; of any other it cannot tell (fact sheet, 4.4). */
const filled = /^(iam:permissionsboundary|iam:policyarn|(aws|iam):(requesttag|resourcetag)\/.+)$/;

const met = (condition: Statement["condition"], { context, complete = false }: Asked, version: string) =>
  every(
    Object.entries(condition ?? {}).flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => {
        const value = context[key];
        const absent = complete || filled.test(key) ? ("absent" as const) : ("unknown" as const);
        const reading =
          value === undefined
            ? { state: absent, readFrom: "the call" }
            : { state: "present" as const, values: [value].flat(), readFrom: "the call" };
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
