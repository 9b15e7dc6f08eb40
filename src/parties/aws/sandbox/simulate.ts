import { type Policy, parsePolicy } from "../../../judge/aws/policy.ts";
import type { IamAction, IamCall } from "./action.ts";
import { page } from "./paging.ts";
import { type Asked, type Decided, type Decision, decide } from "./permissions.ts";
import { readablePolicy } from "./policies.ts";
import { AwsError, listParam, members, type Params, required, textsParam } from "./query.ts";
import { roleOf, type StoredRole } from "./roles.ts";
import { type Span, statementSpans } from "./statement-spans.ts";

/**
 * The policy simulator: the operator may everything, a role what its policies allow, others nothing. A condition key that
 * no context entry gives is absent. Resource policies and other callers are not simulated.
 */
export const simulateActions: Readonly<Record<string, IamAction>> = {
  SimulatePrincipalPolicy: { write: false, run: simulate },
};

/** One statement that takes part, as a policy of its own: a policy that was read keeps no order of its statements. */
interface Taking {
  readonly id: string;
  readonly span: Span | undefined;
  readonly policy: Policy;
}

function simulate(call: IamCall) {
  const { params } = call;
  const { granting, bounding } = policiesOf(call);
  const context = contextIn(params);
  const named = textsParam(params, "ResourceArns");
  const results = textsParam(params, "ActionNames").flatMap((action) =>
    (named.length > 0 ? named : ["*"]).map((resource) => {
      const asked: Asked = { action: action.toLowerCase(), resource, context, complete: true };
      const decided = decide(
        granting.map(({ policy }) => policy),
        asked,
      );
      const bound = bounding && decide(bounding, asked).decision;
      return resultOf({ action, resource, isNamed: named.length > 0 }, { decided, bound, granting });
    }),
  );
  const { items, rest } = page(call, results);
  return { EvaluationResults: members(items), ...rest };
}

interface Row {
  readonly action: string;
  readonly resource: string;
  /** Whether the call names resources: then each has a result of its own besides. */
  readonly isNamed: boolean;
}

interface Outcome {
  readonly decided: Decided;
  /** What the boundary says; undefined where there is none. */
  readonly bound: Decision | undefined;
  readonly granting: readonly Taking[];
}

/** The members of a result (service model, EvaluationResult). */
function resultOf({ action, resource, isNamed }: Row, { decided, bound, granting }: Outcome) {
  const decision = bound === undefined || decided.decision !== "allowed" ? decided.decision : bound;
  const matched = decided.matched.flatMap((at) => {
    const source = granting[at];
    return source ? [{ SourcePolicyId: source.id, SourcePolicyType: "IAM Policy", ...source.span }] : [];
  });
  const reasons = {
    MatchedStatements: members(matched),
    MissingContextValues: members(decided.missing),
    ...(bound === undefined
      ? {}
      : { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: bound === "allowed" } }),
  };
  const specific = { EvalResourceName: resource, EvalResourceDecision: decision, ...reasons };
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: decision,
    ...reasons,
    ...(isNamed ? { EvalDecisionDetails: "", ResourceSpecificResults: members([specific]) } : {}),
  };
}

/** What the principal has, and what the call adds; a boundary of the call goes over the role's own. */
function policiesOf(call: IamCall): { granting: readonly Taking[]; bounding: readonly Policy[] | undefined } {
  const { params, account, host } = call;
  const source = required(params, "PolicySourceArn");
  // By name alone, in the caller's own account.
  const role = source.includes(":role/") ? roleOf(host.view, account, source.split("/").at(-1) ?? "") : undefined;
  const added = textsParam(params, "PolicyInputList").flatMap((text, at) => taking(`PolicyInputList.${at + 1}`, text));
  const own = source.endsWith(":user/operator")
    ? managed(call, ["arn:aws:iam::aws:policy/AdministratorAccess"])
    : role
      ? [...inlineOf(role), ...managed(call, role.managed)]
      : [];
  const bounds = textsParam(params, "PermissionsBoundaryPolicyInputList").flatMap((text) => taking("boundary", text));
  const boundary = role?.boundary === undefined ? undefined : managed(call, [role.boundary]);
  const bounding = (bounds.length > 0 ? bounds : boundary)?.map(({ policy }) => policy);
  return { granting: [...own, ...added], bounding };
}

/** The statements of a document, which must be one where the call brings it; the words of the refusal are approximate. */
function taking(id: string, text: string): readonly Taking[] {
  if (!parsePolicy(text)) throw new AwsError("InvalidInput", 400, `Invalid Input Policy: ${id}`);
  const { Statement, ...rest }: { readonly Statement?: unknown } = JSON.parse(text);
  const spans = statementSpans(text);
  return [Statement ?? []].flat().flatMap((one, at) => {
    const policy = parsePolicy(JSON.stringify({ ...rest, Statement: one }));
    return policy ? [{ id, span: spans[at], policy }] : [];
  });
}

/** The id of an inline policy is approximate. */
const inlineOf = (role: StoredRole): readonly Taking[] =>
  Object.entries(role.inline).flatMap(([name, text]) => taking(`role_${role.name}_${name}`, text));

/** Those whose content is known here; any other grants nothing. */
function managed({ host, account }: IamCall, arns: readonly string[]): readonly Taking[] {
  return arns.flatMap((arn) => {
    try {
      const { name, versions, inForce } = readablePolicy(host.view, account, arn);
      return taking(name, versions[inForce] ?? "");
    } catch (error) {
      if (error instanceof AwsError) return [];
      throw error;
    }
  });
}

/** Keys are compared without case, as in policies. */
const contextIn = (params: Params): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    listParam(params, "ContextEntries").map((entry) => {
      const values = [...entry].filter(([key]) => key.startsWith("ContextKeyValues.")).map(([, value]) => value);
      return [(entry.get("ContextKeyName") ?? "").toLowerCase(), values];
    }),
  );
