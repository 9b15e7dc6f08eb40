import type { IamAction } from "./action.ts";
import { roleMay } from "./permissions.ts";
import { listParam, members, required } from "./query.ts";
import { roleOf } from "./roles.ts";

/**
 * The policy simulator: the operator may everything, a role what its policies allow, others nothing. Of a call that is
 * only thought of no condition key is known, and context entries are not read.
 */
export const simulateActions: Readonly<Record<string, IamAction>> = {
  SimulatePrincipalPolicy: {
    write: false,
    run: ({ params, account, host }) => {
      const source = required(params, "PolicySourceArn");
      // By name alone, in the caller's own account.
      const role = source.includes(":role/") ? roleOf(host.view, account, source.split("/").at(-1) ?? "") : undefined;
      const asked = listParam(params, "ResourceArns").map((member) => member.get("") ?? "");
      const resources = asked.length > 0 ? asked : ["*"];
      const allowed = (action: string, resource: string) =>
        source.endsWith(":user/operator") ||
        (role !== undefined && roleMay(role, { action: action.toLowerCase(), resource, context: {} }, host.view));
      const results = listParam(params, "ActionNames").flatMap((member) =>
        resources.map((EvalResourceName) => {
          const EvalActionName = member.get("") ?? "";
          const EvalDecision = allowed(EvalActionName, EvalResourceName) ? "allowed" : "implicitDeny";
          return { EvalActionName, EvalResourceName, EvalDecision };
        }),
      );
      return { EvaluationResults: members(results), IsTruncated: false };
    },
  },
};
