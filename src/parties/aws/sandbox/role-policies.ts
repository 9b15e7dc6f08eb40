import { parsePolicy } from "../../../judge/aws/policy.ts";
import type { IamAction } from "./action.ts";
import { page } from "./paging.ts";
import { partitionIn } from "./partitions.ts";
import { AwsError, members, required } from "./query.ts";
import { change } from "./role-actions.ts";
import { theRole } from "./roles.ts";

/** IAM's actions on what a role may do; quotas: 10 managed policies, 10,240 characters inline (aws.md 7). */
export const policyActions: Readonly<Record<string, IamAction>> = {
  AttachRolePolicy: {
    write: true,
    run: (call) =>
      change(call, (role) => {
        // Managed policies are not kept here: any well-formed ARN of the partition can be attached.
        const arn = required(call.params, "PolicyArn");
        if (!/^arn:aws[a-z-]*:iam::(aws|\d{12}):policy\//.test(arn) || partitionIn(arn) !== call.partition) {
          throw new AwsError("NoSuchEntity", 404, `Policy ${arn} does not exist or is not attachable.`);
        }
        if (role.managed.length >= 10 && !role.managed.includes(arn)) {
          throw new AwsError("LimitExceeded", 409, "Cannot exceed quota for PoliciesPerRole: 10");
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
        const document = required(call.params, "PolicyDocument");
        if (!parsePolicy(document)) throw new AwsError("MalformedPolicyDocument", 400, "Syntax errors in policy.");
        const inline = { ...role.inline, [required(call.params, "PolicyName")]: document };
        // The quota is on all inline policies of the role together; white space is left out of the count.
        if (Object.values(inline).join("").replace(/\s/g, "").length > 10_240) {
          throw new AwsError("LimitExceeded", 409, `Maximum policy size of 10240 bytes exceeded for role ${role.name}`);
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
