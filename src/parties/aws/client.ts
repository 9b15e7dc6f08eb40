import type { z } from "zod";
import { partitionOf, regionOf as partitionRegion } from "../../judge/issuers/partitions.ts";
import type { Access, Session, World } from "../../model.ts";
import { type Call, CloudError, type CloudErrorInit, call, type ErrorClass, located } from "../../run/retry.ts";
import type { Query } from "./query.ts";

/** How to reach one account: which account, by which credentials, in which Region. */
export interface Account {
  readonly account: string;
  /** `profile`, `assumeRole`, `region` of the file; absent means the default chain and us-east-1. */
  readonly access?: Access;
}

/** Without a Region in the file, the one where IAM's global endpoint is. */
const regionOf = (access: Access | undefined): string => access?.region ?? "us-east-1";

/** One host a partition for IAM; a Region for STS, as global tokens fail in opt-in ones (failures.md F20). */
export function hostOf(service: "iam" | "sts", access: Access | undefined): string {
  const region = regionOf(access);
  if (region.startsWith("cn-"))
    return service === "iam" ? "iam.cn-north-1.amazonaws.com.cn" : `sts.${region}.amazonaws.com.cn`;
  if (region.startsWith("us-gov-"))
    return service === "iam" ? "iam.us-gov.amazonaws.com" : `sts.${region}.amazonaws.com`;
  return service === "iam" ? "iam.amazonaws.com" : `sts.${region}.amazonaws.com`;
}

/** The one Region of a partition that IAM's requests are signed for; another is refused (failures.md F20). */
const iamRegion = (access: Access | undefined): string => partitionRegion(partitionOf(regionOf(access)));

/** One call: for the retry layer, which account it goes to, and what its answer must hold. */
export interface Ask<O> extends Call {
  readonly account: Account;
  /** What the answer must hold; a missing field is "could not tell", never "absent" (fact sheet, trap 1). */
  readonly answer: z.ZodType<O>;
}

/** What is asked: an operation of the service, and its input as AWS's own types have it. */
export interface Asked {
  readonly input: object;
}

/**
 * One IAM call with the operator's credentials, through the one retry layer. Every failure of the call is a
 * `CloudError`.
 */
export async function iam<O>(world: World, ask: Ask<O> & Asked): Promise<O> {
  const { account, access } = ask.account;
  return call(world, ask, async () => {
    const session = await world.credentials({ party: "aws", scope: account, ...(access ? { access } : {}) });
    return send(world, ask, { service: "iam", region: iamRegion(access), session });
  });
}

/** One STS call; `session` is absent for AssumeRoleWithWebIdentity, which is unsigned (wire.md, trap 5). */
export async function sts<O>(world: World, ask: Ask<O> & Asked & { readonly session?: Session }): Promise<O> {
  const { session } = ask;
  return call(world, ask, () => send(world, ask, { service: "sts", region: regionOf(ask.account.access), session }));
}

type Signing = Pick<Query, "service" | "region" | "session">;

/**
 * AWS's own description of the operation, writer, reader and signer, over our own transport: so it has the world's
 * deadline and size cap, and follows no redirect. The SDK's clients around them are left out: they search this machine
 * for settings, resend what must not be sent twice and misread IAM's classes (fact sheet, traps 4, 5), and cost a
 * function more at its start than its check. All of it is loaded here, so that commands without a cloud stay quick.
 */
async function send<O>(world: World, ask: Ask<O> & Asked, { service, ...signing }: Signing): Promise<O> {
  const { requestOf, answerOf } = await import("./query.ts");
  const endpoint = new URL(await world.locate(`aws.${service}`, `https://${hostOf(service, ask.account.access)}`));
  const { operation, input } = ask;
  const query: Query = { ...signing, ...{ service, operation, input, endpoint, at: world.clock.now() } };
  return checked(ask, async () => {
    const { url, headers, body } = await requestOf(query);
    const answer = await world.http({ method: "POST", url, headers, body });
    requireWhole(operation, answer.status, answer.body.toString());
    return answerOf(query, answer);
  });
}

/**
 * AWS's reader takes an empty body, or a web page, for success with no fields (fact sheet reliability-and-security,
 * trap 1): the root element must be the action's own, from its opening to its end, and so must that of an
 * error. Throws `lost` for what is cut off and `malformed` for what is something else (2.1, TB and MF).
 */
function requireWhole(action: string, status: number, answer: string): void {
  const roots = status < 300 ? [`${action}Response`] : ["ErrorResponse", "Response"];
  const root = roots.find((name) => answer.includes(`<${name}`));
  if (root && answer.trimEnd().endsWith(`</${root}>`)) return;
  const says = root ? "the answer is cut off" : "the answer is empty or not AWS's";
  // A gateway in between answers 5xx in its own words; what it stood before may have happened or not.
  const kind = root ? "lost" : status >= 500 ? "transient" : "malformed";
  throw new CloudError({ service: "aws", operation: action, class: kind, code: "", status, message: says });
}

/** Sends, and holds the answer against its shape: a list lost on the way must not read as an empty one. */
async function checked<O>(ask: Ask<O>, send: () => Promise<unknown>): Promise<O> {
  let answer: unknown;
  try {
    answer = await send();
  } catch (error) {
    throw translate(error, ask);
  }
  const parsed = ask.answer.safeParse(answer);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join(".") ?? "";
  throw failure(ask, {
    class: "malformed",
    code: "",
    status: 200,
    message: `the answer holds no usable ${field || "body"}`,
  });
}

/**
 * The SDK's errors and our own transport's, as the one error of the house. `Code` comes before `name`: it is
 * the wire's, while errors of the service model carry a name that the SDK made (aws.md 5.1).
 */
function translate(error: unknown, ask: Call): CloudError {
  if (error instanceof CloudError) return located(error, ask);
  const answer = error as { name?: string; Code?: string; message?: string; $metadata?: { httpStatusCode?: number } };
  const status = answer.$metadata?.httpStatusCode ?? 0;
  const code = answer.Code ?? answer.name ?? "";
  // No service exception: the answer could not be parsed, and its text is not ours to print.
  if (status < 400) return failure(ask, { class: "malformed", code: "", status, message: "the answer cannot be read" });
  const kind = classOf(code, status, answer.message ?? "");
  // An expired token is the caller's own in a signed call, and the link's in an exchange.
  const own = ask.operation !== "AssumeRoleWithWebIdentity" && kind === "refused" ? "unauthenticated" : kind;
  const fix = remedy(own, ask, answer.message ?? "");
  return failure(ask, { class: own, code, status, message: answer.message ?? code, ...(fix ? { fix } : {}) });
}

/** The command that would mend a refusal of IAM, ready to paste; AWS names the caller in its message. */
function remedy(kind: ErrorClass, ask: Call, message: string): readonly string[] | undefined {
  if (/Signature (?:expired|not yet current)|RequestExpired/.test(message))
    return ["set this machine's clock: aws refuses what was signed more than 5 minutes ago or ahead"];
  if (kind === "unauthenticated")
    return ["aws sso login   # or name a profile in the file (to.aws.profile); then run it again"];
  if (kind === "missing" && message.includes(":policy/crosstrust-control/"))
    return ["crosstrust onboard --control   # makes the boundary, with an administrator's credentials"];
  if (kind !== "denied" || ask.service !== "aws.iam") return undefined;
  const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:${ask.operation}","Resource":"*"}]}`;
  const role = /^User: \S+:assumed-role\/([^/]+)\//.exec(message)?.[1];
  const user = /^User: \S+:user\/(?:\S*\/)?([^/\s]+) /.exec(message)?.[1];
  const whom = role ? `put-role-policy --role-name ${role}` : `put-user-policy --user-name ${user ?? "YOU"}`;
  return [`aws iam ${whom} --policy-name crosstrust-setup --policy-document '${document}'`];
}

const failure = (ask: Call, init: Omit<CloudErrorInit, "service" | "operation">): CloudError =>
  new CloudError({ service: ask.service, operation: ask.operation, ...init });

/** The one cause of InvalidIdentityToken that passes by itself as a rule, and it is told by its text alone (2.6). */
export const noKeys = /retrieve verification key/;

/**
 * Which class an AWS code belongs to (fact sheet reliability-and-security, 1.1 trap 5 and 2.1): by code,
 * never by text alone. LimitExceeded (409) falls through to `invalid`: it is a hard quota, although the SDK
 * retries it. "Invalid principal" in a policy passes while the principal propagates (aws.md 7).
 */
function classOf(code: string, status: number, message: string): ErrorClass {
  const name = code.replace(/Exception$/, "");
  if (/^(Throttling|Throttled|RequestLimitExceeded|TooManyRequests)/.test(name)) return "throttled";
  if (/^(ConcurrentModification|EntityTemporarilyUnmodifiable|DeleteConflict)$/.test(name)) return "race";
  if (name === "MalformedPolicyDocument" && message.includes("Invalid principal")) return "race";
  if (/^NoSuchEntity/.test(name)) return "missing";
  if (/^EntityAlreadyExists/.test(name)) return "exists";
  if (/^IDPCommunicationError/.test(name) || noKeys.test(message)) return "transient";
  if (/^(InvalidIdentityToken|IDPRejectedClaim|ExpiredToken|ExpiredIdentityToken)/.test(name)) return "refused";
  if (
    /^(InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|RequestExpired|MissingAuthenticationToken|AuthFailure)/.test(
      name,
    )
  ) {
    return "unauthenticated";
  }
  if (/^AccessDenied/.test(name)) return "denied";
  if (status >= 500) return "transient";
  return status === 401 ? "unauthenticated" : status === 403 ? "denied" : "invalid";
}
