import { parsePolicy } from "../../../judge/aws/policy.ts";
import type { Finding, LivePresent, Mark } from "../../../model.ts";
import { finding } from "../../../model.ts";
import { CloudError } from "../../../run/retry.ts";
import type { Account } from "../client.ts";
import type { LiveRole } from "./calls.ts";
import { formerOf, isVouched, type RawRole, recordFixes, sidIn, staysBecause } from "./former.ts";
import { respell } from "./respell.ts";
import { isMadeHere, markOf, type RoleSpec } from "./spec.ts";

/** Which role to read. */
export interface Wanted {
  readonly account: Account;
  readonly name: string;
  /** Gives the spelling of actions; IAM does not care about their case. */
  readonly like?: RoleSpec;
}

/** In the members of a desired spec. Whose mark it is, `observe` looks at: another's role is foreign. */
export function present(wanted: Wanted, { role, inline, managed }: RawRole): LivePresent<RoleSpec> {
  const trust = parsePolicy(decodeURIComponent(role.AssumeRolePolicyDocument));
  if (!trust) throw unreadable("its trust policy is not a policy document");
  const documents = inline.map(([name, text]) => {
    const policy = parsePolicy(text);
    if (!policy) throw unreadable(`its inline policy ${name} is not a policy document`);
    return [name, respell(policy, wanted.like?.inline[name])] as const;
  });
  const tagged = markOf(role.Tags ?? []);
  // A tag is not enough for a role to be somebody else's: it would escape its destruction.
  const forged = tagged?.adopted === true && isMadeHere(role.Description) && !isVouched({ role });
  const mark = tagged && forged ? withoutFormer(tagged) : tagged;
  const spec = {
    account: wanted.account.account,
    partition: role.Arn.split(":")[1] ?? "aws",
    name: role.RoleName,
    path: role.Path,
    maxSession: role.MaxSessionDuration,
    boundary: role.PermissionsBoundary?.PermissionsBoundaryArn ?? null,
    trust,
    managed,
    inline: Object.fromEntries(documents),
  } as unknown as RoleSpec;
  const owner = mark ? (mark.adopted ? "adopted" : "ours") : "foreign";
  const unusable = owner === "adopted" ? staysBecause({ role, inline, managed }) : undefined;
  const notes = [
    ...(forged ? [forgedNote(role.RoleName)] : []),
    ...(unusable === undefined ? [] : [unusableNote(role, unusable)]),
  ];
  const sid = sidIn(decodeURIComponent(role.AssumeRolePolicyDocument));
  return {
    state: "present",
    owner,
    spec,
    outputs: { arn: role.Arn, roleId: role.RoleId, ...(sid ? { vouches: sid } : {}) },
    ...(mark ? { mark } : {}),
    ...(notes.length > 0 ? { notes } : {}),
    // The first record holds all of it, so there is never another one of the same owner.
    former: (owner) =>
      mark?.adopted && mark.owner === owner
        ? { ...(mark.was === undefined ? {} : { was: mark.was }), lost: [] }
        : formerOf({ role, inline, managed }),
  };
}

const withoutFormer = ({ adopted: _, was: __, ...mark }: Mark): Mark => mark;

/** What a tag says that only crosstrust writes, and that the role itself contradicts. */
const forgedNote = (name: string): Finding =>
  finding("MARK-CONTRADICTED", {
    severity: "warning",
    says: `the role ${name} was made by crosstrust, and a tag says that it was there before: the tag counts for nothing`,
    fix: [`aws iam untag-role --role-name ${name} --tag-keys crosstrust:adopted`],
  });

/** Said while it can still be mended, and not only by the destroy that needs the record. */
const unusableNote = ({ RoleName, Tags = [] }: LiveRole, why: string): Finding =>
  finding("NOT-RESTORED", {
    severity: "warning",
    says: `destroy would leave the role ${RoleName} as it is: ${why}`,
    fix: recordFixes(RoleName, Tags),
  });

/** Of this class nothing is concluded: the run says that it could not tell. */
const unreadable = (message: string): CloudError =>
  new CloudError({ class: "malformed", service: "aws.iam", operation: "GetRole", code: "", status: 200, message });
