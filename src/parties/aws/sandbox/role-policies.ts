import { countedLength } from "../../../judge/aws/grammar/check.ts";
import type { IamAction } from "./action.ts";
import { attachable } from "./attach.ts";
import { page } from "./paging.ts";
import { checkedPolicy } from "./policy-check.ts";
import { AwsError, members, required } from "./query.ts";
import { quotasOf, within } from "./quotas.ts";
import { change } from "./role-actions.ts";
import { theRole } from "./roles.ts";

/** IAM's actions on what a role may do; quotas in quotas.ts. */
export const policyActions: Readonly<Record<string, IamAction>> = {
  AttachRolePolicy: {
    write: true,
    run: (call) =>
      change(call, (role) => {
        const arn = attachable(call, required(call.params, "PolicyArn"));
        if (!role.managed.includes(arn)) {
          within(call, { quota: "AttachedPoliciesPerRoleQuota", as: "PoliciesPerRole" }, role.managed.length + 1);
        }
        // Attaching what is attached already is no error.
        return { managed: [...new Set([...role.managed, arn])] };
      }),
  },
  // What is not attached cannot be detached: NoSuchEntity, which for whoever removes a role is done.
  DetachRolePolicy: {
    write: true,
    run: (call) =>
      change(call, (role) => {
        const arn = required(call.params, "PolicyArn");
        if (!role.managed.includes(arn)) throw new AwsError("NoSuchEntity", 404, `Policy ${arn} was not found.`);
        return { managed: role.managed.filter((one) => one !== arn) };
      }),
  },
  ListAttachedRolePolicies: {
    write: false,
    run: (call) => {
      const { managed } = theRole(call.host.view, call.account, required(call.params, "RoleName"));
      const prefix = call.params.get("PathPrefix") ?? "/";
      const below = managed.filter((arn) => pathOf(arn).startsWith(prefix));
      const { items, rest } = page(call, below);
      const attached = items.map((PolicyArn) => ({ PolicyName: PolicyArn.split("/").at(-1), PolicyArn }));
      return { AttachedPolicies: members(attached), ...rest };
    },
  },
  // A full replace: the same name again is no error.
  PutRolePolicy: {
    write: true,
    run: (call) =>
      change(call, (role) => {
        const document = checkedPolicy(required(call.params, "PolicyDocument"), "inline");
        const inline = { ...role.inline, [required(call.params, "PolicyName")]: document };
        // The quota is on all inline policies of the role together.
        const most = quotasOf(call.host.state).RolePolicySizeQuota;
        if (countedLength(Object.values(inline).join("")) > most) {
          const says = `Maximum policy size of ${most} bytes exceeded for role ${role.name}`;
          throw new AwsError("LimitExceeded", 409, says);
        }
        return { inline };
      }),
  },
  // Percent-encoded, as AWS answers it (aws.md 9.1).
  GetRolePolicy: {
    write: false,
    run: ({ params, account, host }) => {
      const role = theRole(host.view, account, required(params, "RoleName"));
      const name = required(params, "PolicyName");
      const document = role.inline[name];
      if (document === undefined)
        throw new AwsError("NoSuchEntity", 404, `The role policy with name ${name} cannot be found.`);
      return { RoleName: role.name, PolicyName: name, PolicyDocument: encodeURIComponent(document) };
    },
  },
  DeleteRolePolicy: {
    write: true,
    run: (call) =>
      change(call, (role) => {
        const name = required(call.params, "PolicyName");
        if (role.inline[name] === undefined) {
          throw new AwsError("NoSuchEntity", 404, `The role policy with name ${name} cannot be found.`);
        }
        const { [name]: _, ...inline } = role.inline;
        return { inline };
      }),
  },
  ListRolePolicies: {
    write: false,
    run: (call) => {
      const { inline } = theRole(call.host.view, call.account, required(call.params, "RoleName"));
      const { items, rest } = page(call, Object.keys(inline));
      return { PolicyNames: members(items), ...rest };
    },
  },
};

/** Of a policy's ARN: `/` in `arn:aws:iam::aws:policy/ReadOnlyAccess`. */
const pathOf = (arn: string): string => /:policy(\/(?:.*\/)?)/.exec(arn)?.[1] ?? "/";
