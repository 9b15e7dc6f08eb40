import type { Policy, Statement } from "../../../judge/aws/policy.ts";
import type { Services } from "./services.ts";

/** What the functions of one deployment have to do with in one account. ARNs, with wildcards where they end in one. */
export interface Reach {
  readonly account: string;
  readonly partition: string;
  readonly deployment: string;
  /** Roles that are made here. */
  readonly made: readonly string[];
  readonly oidcProviders: readonly string[];
  /** Managed policies that the file lets roles have. */
  readonly attachable: readonly string[];
  readonly boundaries: readonly string[];
  /** What the file's roles need. */
  readonly services: Services;
}

const iam = (...names: readonly string[]): readonly string[] => names.map((name) => `iam:${name}`);
const allow = (
  action: readonly string[],
  resource: readonly string[],
  condition?: Statement["condition"],
): Statement => ({
  ...{ effect: "Allow", action, resource },
  ...(condition ? { condition } : {}),
});
const document = (statements: readonly Statement[]): Policy => ({ version: "2012-10-17", statements });

const readsRole = iam("GetRole", "GetRolePolicy", "ListRolePolicies", "ListAttachedRolePolicies");

/** Reading what the file names, and looking for what it no longer names. */
function reading({ account, partition, made, oidcProviders }: Reach): readonly Statement[] {
  const lists = iam("ListRoles", "GetAccountAuthorizationDetails");
  const oidc = [
    allow(iam("GetOpenIDConnectProvider"), [`arn:${partition}:iam::${account}:oidc-provider/*`]),
    allow(iam("ListOpenIDConnectProviders"), ["*"]),
  ];
  return [
    // Of a role that is not there IAM knows no path, so a reader who is held to one is refused instead of told so. The
    // list below shows every role in any case.
    allow(readsRole, [`arn:${partition}:iam::${account}:role/*`]),
    // Leftovers are sought where roles are made, and nowhere else.
    ...(made.length > 0 ? [allow(lists, ["*"])] : []),
    ...(oidcProviders.length > 0 ? oidc : []),
  ];
}

/**
 * Reads, and is denied everything else whatever else is attached to it some day (fact sheet reliability-and-security,
 * 4.5). To be let in by a link's role it needs no permission: that call is not signed.
 */
export const checkerPolicy = (reach: Reach): Policy => {
  const policies = reach.attachable.filter((arn) => arn.startsWith(`arn:${reach.partition}:iam::${reach.account}:`));
  return document([
    ...reading(reach),
    // Where links only use roles: other roles that take the same tokens are looked for all the same.
    ...(reach.made.length > 0 ? [] : [allow(iam("ListRoles"), ["*"])]),
    // What a policy of the account's own allows is decided by its default version.
    ...(policies.length > 0 ? [allow(iam("GetPolicy"), policies)] : []),
    { effect: "Deny", notAction: [...iam("Get*", "List*"), "sts:GetCallerIdentity"], resource: ["*"] },
  ]);
};

const writesRole = iam(
  ...["UpdateRole", "UpdateAssumeRolePolicy", "PutRolePolicy", "DeleteRolePolicy"],
  // Any may be taken off, also one that somebody put there: a repair must be able to.
  ...["DetachRolePolicy", "PutRolePermissionsBoundary"],
);
const writesOidcProvider = iam(
  ...["CreateOpenIDConnectProvider", "TagOpenIDConnectProvider", "UpdateOpenIDConnectProviderThumbprint"],
  ...["AddClientIDToOpenIDConnectProvider", "RemoveClientIDFromOpenIDConnectProvider"],
);
/** Deleting is a person's, and so is everything that would lead out of the boundary (fact sheet, 4.4). */
const never = iam(
  ...["DeleteRolePermissionsBoundary", "PassRole", "CreatePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion"],
  ...["DeletePolicy", "DeletePolicyVersion", "CreateUser", "CreateAccessKey", "CreateLoginProfile"],
  ...["UpdateLoginProfile", "AddUserToGroup", "AttachUserPolicy", "AttachGroupPolicy", "PutUserPolicy"],
  ...["PutGroupPolicy", "CreateSAMLProvider", "UpdateSAMLProvider", "DeleteRole", "DeleteOpenIDConnectProvider"],
);

/**
 * Makes and changes roles within the boundary, and OIDC providers that the file names (fact sheet
 * reliability-and-security, 4.4). What it cannot be kept from is letting somebody into a role it may write: IAM has no
 * condition on the content of a trust, hence the boundary, and the checker.
 */
export function provisionerPolicy(reach: Reach): Policy {
  const { account, partition, deployment, made, oidcProviders, attachable, boundaries } = reach;
  const within = { "iam:permissionsboundary": boundaries };
  const [asked, there] = ["aws:requesttag/crosstrust:owner", "aws:resourcetag/crosstrust:owner"] as const;
  const created = { StringEquals: { ...within, [asked]: [deployment] } };
  // The owner too: a boundary alone could be put on another deployment's role, which would then be within it.
  const changed = { StringEquals: { ...within, [there]: [deployment] } };
  const attached = { ...changed, ArnEquals: { "iam:policyarn": attachable } };
  // A role that is to be made has no tags yet; another deployment's has its own owner.
  const tagged = { StringEquals: { [asked]: [deployment] }, StringEqualsIfExists: { [there]: [deployment] } };
  const control = ["role", "policy"].map((kind) => `arn:${partition}:iam::${account}:${kind}/crosstrust-control/*`);
  return document([
    ...reading(reach),
    ...(made.length > 0
      ? [allow(iam("CreateRole"), made, created), allow(iam("TagRole"), made, tagged), allow(writesRole, made, changed)]
      : []),
    ...(made.length > 0 && attachable.length > 0 ? [allow(iam("AttachRolePolicy"), made, attached)] : []),
    ...(oidcProviders.length > 0 ? [allow(writesOidcProvider, oidcProviders)] : []),
    { effect: "Deny", action: never, resource: ["*"] },
    { effect: "Deny", action: ["iam:*"], resource: control },
  ]);
}

/** Ways out of any boundary, and ways to blind whoever watches. */
const escapes = [
  ...["iam:*", "organizations:*", "account:*", "sts:AssumeRole", "sts:AssumeRoot", "sts:GetFederationToken"],
  ...["kms:ScheduleKeyDeletion", "kms:PutKeyPolicy", "cloudtrail:StopLogging", "cloudtrail:DeleteTrail"],
  ...["cloudtrail:PutEventSelectors", "config:StopConfigurationRecorder", "guardduty:DeleteDetector"],
];

/**
 * What no role of the deployment may ever do, whoever writes its policies: the services that the file needs and none
 * of the ways out (fact sheet reliability-and-security, 4.4). Where it is not known which services those are, every
 * service stays open.
 */
export const boundaryPolicy = ({ services }: Pick<Reach, "services">): Policy =>
  document([
    allow("known" in services ? services.known.map((service) => `${service}:*`) : ["*"], ["*"]),
    { effect: "Deny", action: escapes, resource: ["*"] },
  ]);
