import type { Remark } from "../../model.ts";
import { remark } from "../../model.ts";
import { like } from "./conditions.ts";

/**
 * Managed policies of AWS that amount to owning the account, as of 2026-11: each of them lets its holder write
 * permissions, or act in every service. ReadOnlyAccess, SecurityAudit and ViewOnlyAccess are not among them.
 */
const privilegedPolicies: readonly string[] = [
  "AdministratorAccess",
  "AdministratorAccess-AWSElasticBeanstalk",
  "AdministratorAccess-Amplify",
  "AWSOrganizationsFullAccess",
  "AWSSSOMasterAccountAdministrator",
  "AWSSSOMemberAccountAdministrator",
  "IAMFullAccess",
  "PowerUserAccess",
];

/** Whether a managed policy, by its ARN, is one of the privileged ones. */
export const isPrivilegedPolicy = (arn: string): boolean => privilegedPolicies.includes(arn.split("/").at(-1) ?? "");

/** A policy of a customer: its document is not read here, so nothing is known of it. */
const isCustomers = (arn: string): boolean => /^arn:[^:]+:iam::\d{12}:policy\//.test(arn);

/** What is to be said of one managed policy. */
export function judgeManagedPolicy(arn: string): readonly Remark[] {
  if (isPrivilegedPolicy(arn)) return [administrator(arn)];
  if (!isCustomers(arn)) return [];
  return [
    remark("PRIVILEGE-NOT-JUDGED", {
      severity: "warning",
      of: arn,
      says: `crosstrust does not read the document of ${arn}, so its privilege is not judged`,
      fix: ["write its statements into may; or accept it, once you have read it"],
    }),
  ];
}

/** What is to be said of the actions of one Allow statement, each judged with each resource. */
export function judgeActions(actions: readonly string[], resources: readonly string[]): readonly Remark[] {
  return actions.flatMap((action) =>
    resources.flatMap((resource) => {
      const of = `${action} on ${resource}`;
      const reach = reachOf(action, resource);
      if (reach === "administrator") return [administrator(of)];
      return reach === "one" ? [chain(of)] : [];
    }),
  );
}

const administrator = (of: string): Remark =>
  remark("AWS-PRIVILEGED", {
    severity: "security",
    of,
    says: `${of} makes whoever gets in an administrator`,
    fix: ["name the actions and the resources that the workload needs"],
  });

const chain = (of: string): Remark =>
  remark("AWS-ROLE-CHAIN", {
    severity: "warning",
    of,
    says: `${of}: whoever gets in can also use what that role or user may do`,
    fix: ["look at what it may do, and accept it; or leave the action out"],
  });

/** `one`: as much as the one role or user that the resource names. */
type Reach = "administrator" | "one" | "none";

/** The worst that an action, which may be a pattern, can do on a resource, which may be one too. */
function reachOf(action: string, resource: string): Reach {
  const [service = "", name = "*"] = action.toLowerCase().split(":");
  const reaches = services
    .filter((one) => like(service, one.service) && touches(resource, one.resources))
    .map(({ reach }) => reach(name, resource));
  if (reaches.includes("administrator")) return "administrator";
  return reaches.includes("one") ? "one" : "none";
}

/** Whether a resource can be one of a service: an ARN names its service, and `*` is all of them. */
const touches = (resource: string, service: string): boolean =>
  resource === "*" || like((resource.split(":")[2] ?? "").toLowerCase(), service);

/** One role, user or the like by its full name; its account may be a pattern, its name may not. */
const isNamed = (resource: string): boolean => /^arn:[^:]*:iam::[^:]*:[a-z-]+\/[^*?]+$/.test(resource);

const byResource = (resource: string): Reach => (isNamed(resource) ? "one" : "administrator");

/** Services whose actions give out permissions, and the service that stands in the ARNs of their resources. */
const services: readonly {
  readonly service: string;
  readonly resources: string;
  readonly reach: (name: string, resource: string) => Reach;
}[] = [
  { service: "iam", resources: "iam", reach: iam },
  { service: "sts", resources: "iam", reach: sts },
  { service: "organizations", resources: "organizations", reach: wholeOrganization },
  { service: "sso", resources: "sso", reach: wholeOrganization },
];

/** A pattern whose text before the first wildcard begins so covers nothing but reading. */
const isReading = (name: string): boolean => /^(?:get|list|generate|simulate|describe|search)/.test(name);

/** They write permissions, or who is believed: one of them on one role is enough to become administrator. */
const escalating: readonly string[] = [
  "addclientidtoopenidconnectprovider",
  "addusertogroup",
  "attachgrouppolicy",
  "attachrolepolicy",
  "attachuserpolicy",
  "createopenidconnectprovider",
  "createpolicyversion",
  "createsamlprovider",
  "deleterolepermissionsboundary",
  "deleteuserpermissionsboundary",
  "putgrouppolicy",
  "putrolepermissionsboundary",
  "putrolepolicy",
  "putuserpermissionsboundary",
  "putuserpolicy",
  "setdefaultpolicyversion",
  "updateopenidconnectproviderthumbprint",
  "updatesamlprovider",
];

/** AWS decides what a service-linked role may do, and who may use it. */
const harmless: readonly string[] = ["createservicelinkedrole", "changepassword"];

/** PassRole, CreateAccessKey, UpdateAssumeRolePolicy and the rest reach as far as their resource. */
function iam(name: string, resource: string): Reach {
  if (isReading(name) || harmless.includes(name)) return "none";
  return escalating.some((one) => like(name, one)) ? "administrator" : byResource(resource);
}

const assuming: readonly string[] = ["assumerole", "assumerolewithwebidentity", "assumerolewithsaml", "assumeroot"];

function sts(name: string, resource: string): Reach {
  return assuming.some((one) => like(name, one)) ? byResource(resource) : "none";
}

/** What is written there holds for many accounts. */
function wholeOrganization(name: string): Reach {
  return isReading(name) ? "none" : "administrator";
}
