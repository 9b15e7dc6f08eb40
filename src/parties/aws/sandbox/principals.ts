import { createHash } from "node:crypto";
import { type Policy, parsePolicy } from "../../../judge/aws/policy.ts";
import { partitionOf } from "../../../judge/issuers/partitions.ts";
import { characters, type FakeRequest, type Host } from "../../../sandbox/fake.ts";
import { permits, roleMay } from "./permissions.ts";
import { managedPolicy } from "./policies.ts";
import { AwsError } from "./query.ts";
import type { CallContext } from "./request-context.ts";
import { roleOf } from "./roles.ts";
import { signatureOf } from "./sigv4.ts";

/** Who signed a request. */
export interface Principal {
  readonly account: string;
  readonly partition: string;
  readonly arn: string;
  readonly userId: string;
  /** Absent for the operator, who is an administrator of every account that is named. */
  readonly session?: SessionToken;
}

/** What a session token holds; sealed, so that the sandbox keeps no sessions. */
export interface SessionToken {
  readonly account: string;
  readonly partition: string;
  /** Its name, without the path, as in the ARN of a session. */
  readonly role: string;
  /** A user's own session has no role; with its path, as in the user's ARN. */
  readonly user?: string;
  readonly roleId: string;
  readonly name: string;
  readonly accessKeyId: string;
  /** Epoch seconds. */
  readonly expires: number;
  /** The session policy, which narrows whatever the role may do. */
  readonly policy?: string;
  /** ARNs of managed policies that narrow it as well. */
  readonly policyArns?: readonly string[];
}

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** Every session token begins with it; a text sealed under another one does not open. */
const sessionPrefix = "IQoJsandbox";

/**
 * The operator's long-lived key of an account: the account number stands in its id, its secret is derived. So
 * every account that is named has an operator, and none of them has to be kept.
 */
export function operatorKey(account: string, host: Host): { accessKeyId: string; secretAccessKey: string } {
  const number = Number(account).toString(32).padStart(8, "0");
  const coded = [...number].map((digit) => base32[Number.parseInt(digit, 32)]).join("");
  const check = characters(
    createHash("sha256")
      .update(host.secrets.mac(`aws-key/${account}`))
      .digest(),
    base32,
    8,
  );
  return { accessKeyId: `AKIA${coded}${check}`, secretAccessKey: secretOf(`AKIA${coded}${check}`, host) };
}

/** 40 characters, derived from the id and this sandbox's seed. */
const secretOf = (accessKeyId: string, host: Host): string =>
  host.secrets.issue(host.secrets.mac(`aws-secret/${accessKeyId}`).slice(0, 40));

/** The account number back out of a key's id: 8 characters of base32. */
function accountOfKey(accessKeyId: string): string {
  const digits = [...accessKeyId.slice(4, 12)].map((character) => base32.indexOf(character).toString(32)).join("");
  return String(Number.parseInt(digits, 32)).padStart(12, "0");
}

/** Credentials of a new session. */
export function issueSession(
  host: Host,
  given: Omit<SessionToken, "accessKeyId">,
): { id: string; secret: string; token: string } {
  const count = host.state.next("aws-session");
  const id = `ASIA${characters(
    createHash("sha256")
      .update(host.secrets.mac(`session/${count}`))
      .digest(),
    base32,
    16,
  )}`;
  return { id, secret: secretOf(id, host), token: host.secrets.seal(sessionPrefix, { ...given, accessKeyId: id }) };
}

/**
 * Whose request this is, by SigV4 and session token. Throws the AwsError that AWS would answer with. The partition is that
 * of the Region it was signed for: a session of one is worth nothing in another.
 */
export function principalOf(request: FakeRequest, host: Host): Principal {
  const signed = signatureOf(request, host.now());
  if (!signed) throw new AwsError("MissingAuthenticationToken", 403, "Request is missing Authentication Token");
  const { accessKeyId, sessionToken } = signed;
  const partition = partitionOf(signed.region);
  const invalid = new AwsError("InvalidClientTokenId", 403, "The security token included in the request is invalid.");
  if (sessionToken === undefined) {
    const account = accountOfKey(accessKeyId);
    const key = accessKeyId.startsWith("AKIA") ? operatorKey(account, host) : undefined;
    if (key?.accessKeyId !== accessKeyId) throw invalid;
    signed.verify(key.secretAccessKey);
    const arn = `arn:${partition}:iam::${account}:user/operator`;
    return { account, partition, arn, userId: `AIDA${accessKeyId.slice(4)}` };
  }
  const session = host.secrets.open<SessionToken>(sessionPrefix, sessionToken);
  if (session?.accessKeyId !== accessKeyId || session.partition !== partition) throw invalid;
  signed.verify(secretOf(accessKeyId, host));
  if (session.expires * 1000 <= host.now()) {
    throw new AwsError("ExpiredToken", 403, "The security token included in the request is expired");
  }
  const { account, role, roleId, name } = session;
  return {
    account,
    partition,
    arn: session.user
      ? `arn:${partition}:iam::${account}:user/${session.user}`
      : `arn:${partition}:sts::${account}:assumed-role/${role}/${name}`,
    userId: session.user ? roleId : `${roleId}:${name}`,
    session,
  };
}

/**
 * Both must allow: the role within its boundary, and the session policy; a Deny in any of them wins. The operator may
 * everything.
 */
export function authorize(principal: Principal, action: string, { resource, context, host }: About): void {
  if (!principal.session) return;
  const { account, role, roleId } = principal.session;
  const named = roleOf(host.state, account, role);
  // A namesake made later is another role: sessions of the old one get nothing of it.
  const held = named?.id === roleId ? named : undefined;
  const asked = { action: action.toLowerCase(), resource, context };
  const narrowing = sessionPolicies(principal.session, host);
  const within = narrowing === undefined || permits(narrowing, asked);
  if (held && within && roleMay(held, asked, host.state)) return;
  const because = "because no identity-based policy allows the";
  throw new AwsError(
    "AccessDenied",
    403,
    `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} ${because} ${action} action`,
  );
}

/**
 * The session policies of a session together, or undefined where it was given none. A managed policy that is not there, or
 * whose content is not known here, allows nothing; what AWS answers to one is not recorded.
 */
function sessionPolicies({ policy, policyArns = [] }: SessionToken, host: Host): readonly Policy[] | undefined {
  if (policy === undefined && policyArns.length === 0) return undefined;
  const inline = policy === undefined ? [] : [parsePolicy(policy) ?? { version: "2012-10-17", statements: [] }];
  return [...inline, ...policyArns.flatMap((arn) => managedPolicy(host.state, arn))];
}

interface About extends CallContext {
  readonly host: Host;
}
