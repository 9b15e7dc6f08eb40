import { z } from "zod";
import { partitionOf } from "../../judge/issuers/partitions.ts";
import type { Link } from "../../model.ts";

/** Kept as text: an account may start with 0 (`digits`: the JSON schema accepts an integer too). */
const account = () =>
  z
    .string()
    .regex(/^\d{12}$/, "an AWS account id has exactly 12 digits")
    .meta({ digits: true });

// IAM's own character sets (fact sheet reliability-and-security, case 29). Only an ARN may carry a path
// before the name.
const roleName = /^[\w+=,.@-]{1,64}$/;
const roleArn = /^arn:aws[a-z-]*:iam::(\d{12}):role(\/(?:[\x21-\x7e]+\/)?)([\w+=,.@-]{1,64})$/;
const policyArn = /^arn:aws[a-z-]*:iam::(aws|\d{12}):policy\/[\w+=,.@/-]+$/;

/** A plain name is made and owned, a full ARN is only used (contract, section 3). */
const role = () =>
  z
    .string()
    .refine(
      (text) => roleName.test(text) || roleArn.test(text),
      "a role is a name of 1-64 of A-Z a-z 0-9 _+=,.@- (made here), or a full role ARN (used)",
    );

/** Seconds from `3600`, `60m` or `1h`; a role takes 3600 to 43200 (aws.md 11.2). */
const maxSession = () =>
  z
    .string()
    .regex(/^\d{1,6}[smh]?$/, "a duration is digits with s, m or h behind them, such as 1h")
    .transform((text) => Number.parseInt(text, 10) * ({ m: 60, h: 3600 }[text.slice(-1)] ?? 1))
    .refine((seconds) => seconds >= 3600 && seconds <= 43200, "a role's longest session is between 1h and 12h")
    .meta({ digits: true });

/**
 * Where the functions' own roles and the boundary are: outside every path that they may write (fact sheet
 * reliability-and-security, 4.4).
 */
export const controlPath = "/crosstrust-control/";

/** The boundary of all roles of a deployment that has a control plane; known before it exists. */
export const boundaryArnOf = (where: { account: string; partition: string; deployment: string }): string =>
  `arn:${where.partition}:iam::${where.account}:policy${controlPath}${where.deployment}-boundary`;

/** The role of one of the functions. */
export const controlRoleOf = (deployment: string, who: "checker" | "provisioner"): string => `${deployment}-${who}`;

/** Where roles are made. It is no default of the shape, because what a file states may contradict an ARN. */
const defaultPath = "/crosstrust/";

/** Seconds that a session of a role lasts at most, where the file does not say. */
const defaultSession = 3600;

const text = (pattern: RegExp, says: string) => z.string().regex(pattern, says);

/** `to.aws`. `audience` and `sessionName` have no default here: theirs depend on the link and its token. */
export const to = () => ({
  account: account(),
  role: role(),
  // The IAM character set without `*` and `?`, which a condition would read as wildcards.
  audience: text(
    /^[\x21-\x29\x2b-\x3e\x40-\x7e]{1,255}$/,
    "an audience has 1-255 printable characters without * ? and blanks",
  ).optional(),
  // One path for all that is made: leftovers are sought below it, and an operator can be limited to it.
  path: text(/^\/(?:[\x21-\x29\x2b-\x3e\x40-\x7e]+\/)?$/, "an IAM path begins and ends with /")
    .max(512)
    .refine((path) => !path.startsWith(controlPath), "this path is the control plane's own")
    .optional()
    .meta({ default: defaultPath }),
  maxSession: maxSession().optional(),
  boundary: text(policyArn, "a boundary is the full ARN of a managed policy").optional(),
  region: text(/^[a-z]{2}(?:-[a-z]+)+-\d$/, "a region looks like us-east-1").default("us-east-1"),
  sessionName: text(/^[\w+=,.@-]{2,64}$/, "a session name has 2-64 of A-Z a-z 0-9 _+=,.@-").optional(),
  profile: text(/^[\w.@+:/-]{1,128}$/, "a profile is a name in ~/.aws/config").optional(),
  assumeRole: text(roleArn, "assumeRole is a full role ARN").optional(),
});

/** Sessions and users alike; a role's own ARN names nobody that ever signs a request. */
const callerArn =
  /^arn:aws[a-z-]*:(?:sts::\d{12}:assumed-role\/[\w+=,.@-]{1,64}\/[\w+=,.@-]{2,64}|iam::\d{12}:user\/[\w+=,.@/-]{1,576})$/;

/** `from.aws`: a workload is used, never made. A role is meant with all its sessions. */
export const from = () => ({
  account: account(),
  role: text(roleName, "a role is a name of 1-64 of A-Z a-z 0-9 _+=,.@-, without its path").optional(),
  instance: text(/^i-[0-9a-f]{8,17}$/, "an instance looks like i-0123456789abcdef0").optional(),
  arn: text(
    callerArn,
    "an arn names a user, or a session of a role: arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION",
  ).optional(),
  proof: z
    .enum(["signed-request", "outbound-jwt"], "proof is signed-request or outbound-jwt")
    .default("signed-request"),
  region: text(/^[a-z]{2}(?:-[a-z]+)+-\d$/, "a region looks like us-east-1").default("us-east-1"),
  profile: text(/^[\w.@+:/-]{1,128}$/, "a profile is a name in ~/.aws/config").optional(),
  assumeRole: text(roleArn, "assumeRole is a full role ARN").optional(),
});

/** Whom a link is for is said in one of three ways. */
export const forms = [
  ["account", "role"],
  ["account", "instance"],
  ["account", "arn"],
] as const;

/** What the file says of an AWS workload. */
export type CallerSide = z.infer<z.ZodObject<ReturnType<typeof from>>>;
export const callerOf = (link: Link): CallerSide => link.from.spec as unknown as CallerSide;

/**
 * `may` for an AWS role. There is no Deny, NotAction or condition to write: the file carries no policy
 * documents (fact sheet reliability-and-security, threat T1).
 */
export const may = () =>
  z.union([
    text(policyArn, "a managed policy is a full ARN such as arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"),
    z.strictObject({
      allow: z
        .array(text(/^(?:\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$/, "an action looks like s3:GetObject"))
        .min(1, "name at least one action"),
      resources: z
        .array(text(/^(?:\*|arn:[\x21-\x7e]+)$/, "a resource is a full ARN, or *"))
        .min(1, "name at least one resource"),
    }),
  ]);

/** What the file says of a role. */
export type TargetSide = z.infer<z.ZodObject<ReturnType<typeof to>>>;
export const targetSideOf = (link: Link): TargetSide => link.to.spec as unknown as TargetSide;

/** The role at the end of a link, with everything that follows from the file alone. */
export interface RoleTarget {
  readonly account: string;
  readonly name: string;
  /** With its leading and trailing slash; `/` for none. */
  readonly path: string;
  /** `aws`, `aws-cn` or `aws-us-gov`: of the region for a role we make, of the ARN for one that is used. */
  readonly partition: string;
  readonly hold: "own" | "use";
  /** Seconds. */
  readonly maxSession: number;
  /** The ARN of a managed policy; null, not absent, so that "none" is compared like a value. */
  readonly boundary: string | null;
  readonly region: string;
  readonly sessionName?: string;
}

/** The role a link ends at. A full ARN is used: its own account and path hold, and nothing of it is written. */
export function roleOf(link: Link): RoleTarget {
  const spec = targetSideOf(link);
  const arn = roleArn.exec(spec.role);
  const region = { region: spec.region, maxSession: spec.maxSession ?? defaultSession, boundary: boundaryOf(link) };
  const named = spec.sessionName === undefined ? {} : { sessionName: spec.sessionName };
  if (!arn) {
    const made = {
      account: spec.account,
      name: spec.role,
      path: spec.path ?? defaultPath,
      partition: partitionOf(spec.region),
    };
    return { ...made, hold: "own", ...region, ...named };
  }
  const [, owner = spec.account, path = "/", name = ""] = arn;
  return { account: owner, name, path, partition: spec.role.split(":")[1] ?? "aws", hold: "use", ...region, ...named };
}

/**
 * A second role, always made here, in the account that the first one is in. It is cut to IAM's 64 characters: two links
 * that then share it lose nothing, for both let in the checker alone.
 */
export function canaryRole({ role, ...to }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const [, owner = to.account, , name = String(role)] = roleArn.exec(String(role)) ?? [];
  return { ...to, account: owner, role: `${name.slice(0, 57)}-canary` };
}

/** The file's own word first; else the control plane's, without which the provisioner could write no role. */
function boundaryOf(link: Link): string | null {
  const { boundary, account, region } = targetSideOf(link);
  if (boundary !== undefined) return boundary;
  if (!link.controlled) return null;
  return boundaryArnOf({ account, partition: partitionOf(region), deployment: link.deployment });
}

/** An ARN follows from account, path and name, so it is known before the role exists. */
export const roleArnOf = (role: RoleTarget): string =>
  `arn:${role.partition}:iam::${role.account}:role${role.path}${role.name}`;

/** How to reach the account. Not part of the spec: another way to the same role is no change of it. */
export function accessOf(link: Link): Record<string, string> {
  const spec = targetSideOf(link);
  const given = { profile: spec.profile, assumeRole: spec.assumeRole, region: spec.region };
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
