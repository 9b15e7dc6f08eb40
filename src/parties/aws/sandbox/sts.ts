import { sessionClaims } from "../../../judge/aws/claims.ts";
import { federatedOf, judgeTrust } from "../../../judge/aws/judge.ts";
import { parsePolicy } from "../../../judge/aws/policy.ts";
import { audienceOf } from "../../../judge/aws/token.ts";
import { partitionOf } from "../../../judge/issuers/partitions.ts";
import type { Fake, Host } from "../../../sandbox/fake.ts";
import { attempt, attempted, faults } from "./iam.ts";
import { webIdentityToken } from "./outbound.ts";
import { hostIn } from "./partitions.ts";
import { authorize, issueSession, type Principal, principalOf } from "./principals.ts";
import {
  AwsError,
  failure,
  listParam,
  type Params,
  paramsOf,
  type Result,
  required,
  success,
  timestamp,
} from "./query.ts";
import { isCallOf } from "./query-call.ts";
import { roleOf, type StoredRole } from "./roles.ts";
import { verifyToken } from "./token.ts";
import { unplayedAction } from "./unplayed-action.ts";
import { validate } from "./validate.ts";

/** STS, Query protocol. AssumeRoleWithWebIdentity is unsigned, everything else is signed (wire.md, trap 5). */
export const sts: Fake = {
  service: "aws.sts",
  hosts: ["sts.amazonaws.com", "sts.*.amazonaws.com", "sts.*.amazonaws.com.cn"],
  owns: (request) => isCallOf("sts", request),
  open(request, host) {
    const params = paramsOf(request);
    const name = params.get("Action") ?? "";
    const who = attempt(() => principalOf(request, host));
    const perform = async (): Promise<Result> => {
      const unsigned = name === "AssumeRoleWithWebIdentity";
      if (who instanceof AwsError && !unsigned) throw who;
      validate("sts", name, params);
      if (unsigned) return assumeWithWebIdentity(params, request.host, host);
      if (who instanceof AwsError) throw who;
      if (name === "GetCallerIdentity") return { Arn: who.arn, UserId: who.userId, Account: who.account };
      if (name === "GetWebIdentityToken") return outbound(params, who, hostIn(who.partition, host));
      throw unplayedAction("sts", name);
    };
    const run = async () => {
      const done = await attempted(perform);
      return done instanceof AwsError ? failure("sts", done) : success("sts", name, done);
    };
    return { name: name || "Unknown", write: false, principal: who instanceof AwsError ? "anonymous" : who.arn, run };
  },
  fault: (kind) => failure("sts", faults[kind]),
};

/** A role that nobody made here is a workload's own, whose rights are not kept; one that was made is held to them. */
function outbound(params: Params, who: Principal, host: Host): Result {
  const { account, session } = who;
  const context = {};
  if (session && roleOf(host.state, account, session.role))
    authorize(who, "sts:GetWebIdentityToken", { resource: "*", context, host });
  return webIdentityToken(params, who, host);
}

/** In STS's style: none of these texts is recorded (aws.md 5.2). */
const invalid = (field: string, says: string): AwsError =>
  new AwsError(
    "ValidationError",
    400,
    `1 validation error detected: Value at '${field}' failed to satisfy constraint: ${says}`,
  );

/** A fresh role is refused with the same words as a wrong token until it has propagated (aws.md, trap 4). */
const denied = new AwsError("AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity");

/** The partition of a real host of STS; undefined at the sandbox's own address, which is that of none. */
function partitionAt(endpoint: string): string | undefined {
  const region = /^sts\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(endpoint)?.[1];
  return region === undefined ? undefined : partitionOf(region);
}

/**
 * Request, token, trust, duration: AWS's own order is not recorded (aws.md 5.2). An unsigned request names its partition by
 * the role and by the endpoint: at another partition's endpoint nobody has the OIDC provider (aws.md 5.2).
 */
async function assumeWithWebIdentity(params: Params, endpoint: string, whole: Host): Promise<Result> {
  const asked = readAsk(params);
  const { token, account, partition, roleArn } = asked;
  const host = hostIn(partition, whole);
  const at = partitionAt(endpoint) ?? partition;
  const claims = await verifyToken({ token, account, partition: at, roleArn }, hostIn(at, whole));
  const role = trusted(asked, claims, host);
  if (asked.duration > role.maxSession) {
    throw new AwsError(
      "ValidationError",
      400,
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );
  }
  return answer(asked, { claims, role }, host);
}

/** What a request came to: the token's claims, and the role that believes them. */
interface Granted {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly role: StoredRole;
}

/** `Audience` is what AWS read as audience, azp or aud; the token's own end does not cap the session (aws.md 5.3). */
function answer(asked: Asked, { claims, role }: Granted, host: Host): Result {
  const { account, partition, sessionName: name, policy, policyArns } = asked;
  const expires = Math.floor(host.now() / 1000) + asked.duration;
  const narrowed = { ...(policy === undefined ? {} : { policy }), ...(policyArns.length > 0 ? { policyArns } : {}) };
  const about = { account, partition, role: role.name, roleId: role.id, name, expires, ...narrowed };
  const { id, secret, token } = issueSession(host, about);
  const { sourceIdentity } = sessionClaims(claims);
  const Arn = `arn:${partition}:sts::${account}:assumed-role/${role.name}/${name}`;
  return {
    SubjectFromWebIdentityToken: String(claims.sub),
    Audience: audienceOf(claims),
    AssumedRoleUser: { Arn, AssumedRoleId: `${role.id}:${name}` },
    Credentials: {
      AccessKeyId: id,
      SecretAccessKey: secret,
      SessionToken: token,
      Expiration: timestamp(expires * 1000),
    },
    Provider: federatedOf(String(claims.iss), account, partition),
    ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
    PackedPolicySize: packedSize({ claims, asked }),
  };
}

/**
 * Percent of what a session may carry. Recorded without a session policy: 24 for an empty subject, 25 for 13 characters,
 * 34 for 300, one more with a source identity, none for a tag. What policies add is our guess, and never 100.
 */
function packedSize({ claims, asked }: { claims: Granted["claims"]; asked: Asked }): number {
  const { sourceIdentity } = sessionClaims(claims);
  const session = 24 + Math.ceil(String(claims.sub).length / 30) + (sourceIdentity === undefined ? 0 : 1);
  const policies = (asked.policy?.length ?? 0) + asked.policyArns.join("").length;
  return Math.min(99, session + Math.ceil(policies / 60));
}

/** The request, read and held against the limits of the service model (aws.md 5.3, 11.2). */
interface Asked {
  readonly partition: string;
  readonly account: string;
  readonly roleArn: string;
  /** Path and name, with its leading slash. */
  readonly path: string;
  readonly sessionName: string;
  readonly token: string;
  /** Seconds. */
  readonly duration: number;
  /** The session policy as sent: it narrows what the session may do. */
  readonly policy: string | undefined;
  /** Managed policies that narrow it too: it may what the policy or one of these allows. */
  readonly policyArns: readonly string[];
}

/** A ProviderId is for tokens of Facebook and Amazon; a JWT with one is refused (recorded). */
function checkProviderId(id: string | undefined): void {
  if (id === undefined) return;
  if (id === "www.amazon.com")
    throw new AwsError("InvalidIdentityToken", 400, "Provided Token is not a Login With Amazon token");
  if (id === "graph.facebook.com")
    throw new AwsError(
      "IDPRejectedClaim",
      403,
      `${id} rejected OAuth token with response "Bad signature" and code 190`,
    );
  const says =
    "Unrecognized OAuth provider. Do not include a provider parameter when submitting OpenIDConnect ID tokens";
  throw new AwsError("AccessDenied", 403, says);
}

/** Throws the AwsError of what the request itself is refused for. */
function readAsk(params: Params): Asked {
  const arn = /^arn:(aws[a-z-]*):iam::(\d{12}):role(\/.+)$/.exec(required(params, "RoleArn"));
  const [, partition = "aws", account = "", path = ""] = arn ?? [];
  if (!account) throw invalid("roleArn", "Member must be a role ARN");
  const sessionName = required(params, "RoleSessionName");
  const token = required(params, "WebIdentityToken");
  checkProviderId(params.get("ProviderId"));
  const roleArn = arn?.[0] ?? "";
  const policyArns = listParam(params, "PolicyArns").map((member) => member.get("arn") ?? "");
  const rest = { duration: durationOf(params), policy: sessionPolicy(params), policyArns };
  return { partition, account, roleArn, path, sessionName, token, ...rest };
}

/** The role, where it has propagated and lets this token in; a missing one answers alike (aws.md 5.2). */
function trusted(
  { account, partition, path, sessionName }: Asked,
  claims: Readonly<Record<string, unknown>>,
  host: Host,
): StoredRole {
  // What has not reached everywhere is not there yet: a fresh trust is refused for a while (aws.md 7).
  const role = roleOf(host.propagated, account, path.split("/").at(-1) ?? "");
  const trust = role && parsePolicy(role.trust);
  const asker = {
    claims,
    federated: federatedOf(String(claims.iss), account, partition),
    // Whoever calls the sandbox is on this machine, and in no network that a policy can name.
    request: { sessionName, now: host.now(), sourceIp: "127.0.0.1", outside: true },
  };
  if (!role || !trust || role.path + role.name !== path || judgeTrust(asker, trust).allow !== true) throw denied;
  return role;
}

/** An hour where none is asked for; the role's own maximum is checked later. */
const durationOf = (params: Params): number => Number(params.get("DurationSeconds") ?? "3600");

/** Throws MalformedPolicyDocument, whose text is not recorded (aws.md 5.2). */
function sessionPolicy(params: Params): string | undefined {
  const text = params.get("Policy");
  if (text !== undefined && !parsePolicy(text))
    throw new AwsError("MalformedPolicyDocument", 400, "Syntax errors in policy.");
  return text;
}
