/** A fault of one action or resource, without its place: `may` of a federation file has these names and no document. */
export interface NameFault {
  readonly stage: "resource-form" | "resource-legacy" | "action-form";
  readonly says: string;
  readonly because?: string;
}

/** AWS's partitions (botocore, partitions.json). */
const partitions = ["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"];

/** What the path of an IAM resource may begin with, in the order and words of IAM's refusal. */
const iamPaths = [
  "user/",
  "federated-user/",
  "role/",
  "group/",
  "instance-profile/",
  "mfa/",
  "server-certificate/",
  "policy/",
  "sms-mfa/",
  "saml-provider/",
  "oidc-provider/",
  "report/",
  "access-report/",
];

/**
 * What IAM takes as well, though its refusal does not list it: the root user (AWS's own policy IAMCreateRootUserPassword),
 * and kinds of resources that came later (service authorization reference).
 */
const unlistedIamPaths = /^(?:\*|root$|assumed-role\/|delegation-request\/|template\/)/;

/** Resources of S3 that live in a region and an account (service authorization reference); buckets and objects do not. */
const s3Regional = /^(?:accesspoint|job|storage-lens|storage-lens-group|access-grants|async-request)\b/;

/** What is wrong with a resource of an identity policy; nothing for `*`. */
export function resourceFault(resource: string): NameFault | undefined {
  if (resource === "*") return undefined;
  const [prefix = "", ...rest] = resource.split(":");
  if (rest.length === 0) return form(`Resource ${resource} must be in ARN format or "*".`);
  const [partition = "", vendor, region, account, ...path] = rest;
  // A pattern, such as `aws*`, is for AWS to match: nothing that is known says that it is refused.
  if (!/[*?]/.test(partition) && !partitions.includes(partition)) {
    const [, b = "*", c = "*", d = "*"] = rest;
    const shown = [partition, b, c, d, rest.slice(4).join(":") || "*"].join(":");
    return form(`Partition "${partition}" is not valid for resource "arn:${shown}".`);
  }
  if (prefix !== "arn") return form(`Resource ${resource} must be in ARN format or "*".`);
  if (vendor === undefined || /[*?]/.test(vendor)) {
    return form("Resource vendor must be fully qualified and cannot contain regexes.");
  }
  const name = path.join(":");
  const misplaced = whereFault(resource, { vendor, region, account, name });
  if (misplaced) return misplaced;
  if (vendor === "" || (rest.length < 5 && resource.includes("::"))) {
    const because = `${resource} has too few parts for an ARN: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`;
    return { stage: "resource-legacy", says: "The policy failed legacy parsing", because };
  }
  return undefined;
}

const form = (says: string): NameFault => ({ stage: "resource-form", says });

interface Where {
  readonly vendor: string;
  readonly region: string | undefined;
  readonly account: string | undefined;
  readonly name: string;
}

/**
 * IAM has no regions, and a bucket is of no region and no account. AWS's own policies write a bucket with `*` for its
 * account, so a pattern passes. The sentence about the account is inferred from the one about the region.
 */
function whereFault(resource: string, { vendor, region, account, name }: Where): NameFault | undefined {
  if (region === undefined) return undefined;
  const regional = vendor === "s3" && (s3Regional.test(name) || name.startsWith("*"));
  if (region !== "" && vendor === "iam") return form(`IAM resource ${resource} cannot contain region information.`);
  if (region !== "" && vendor === "s3" && !regional) {
    return form(`Resource ${resource} can not contain region information.`);
  }
  if (name === "") return undefined;
  if (vendor === "iam") {
    const known = unlistedIamPaths.test(name) || iamPaths.some((path) => name.startsWith(path));
    if (!known) return form(`IAM resource path must either be "*" or start with ${iamPaths.join(", ")}.`);
  }
  if (vendor === "s3" && !regional && /^[^*?$]+$/.test(account ?? "")) {
    return form(`Resource ${resource} can not contain account information.`);
  }
  return undefined;
}

/** What is wrong with an action: `*`, or a vendor, one colon and a name. */
export function actionFault(action: string): NameFault | undefined {
  if (action === "*") return undefined;
  const [vendor = "", ...names] = action.split(":");
  const refused = (says: string): NameFault => ({ stage: "action-form", says });
  if (names.length === 0) {
    return refused("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
  }
  if (names.length > 1) return refused("Actions/Condition can contain only one colon.");
  return vendor === "*" || /^[a-zA-Z0-9.-]+$/.test(vendor) ? undefined : refused(`Vendor ${vendor} is not valid`);
}
