import type { IamAction } from "./action.ts";
import { permits } from "./permissions.ts";
import { listParam, members, required } from "./query.ts";
import { roleOf } from "./roles.ts";

/** The policy simulator: the operator may everything, a role what its policies allow. */
export const simulateActions: Readonly<Record<string, IamAction>> = {
  SimulatePrincipalPolicy: {
    write: false,
    run: ({ params, account, host }) => {
      const source = required(params, "PolicySourceArn");
      const role = source.includes(":role/") ? roleOf(host.view, account, source.split("/").at(-1) ?? "") : undefined;
      const allowed = (action: string) =>
        source.endsWith(":user/operator") ||
        (role !== undefined && permits(role, { action: action.toLowerCase(), resource: "*" }));
      const results = listParam(params, "ActionNames").map((member) => {
        const EvalActionName = member.get("") ?? "";
        return {
          EvalActionName,
          EvalResourceName: "*",
          EvalDecision: allowed(EvalActionName) ? "allowed" : "implicitDeny",
        };
      });
      return { EvaluationResults: members(results), IsTruncated: false };
    },
  },
};
