import { Readable } from "node:stream";
import type { IAMClient } from "@aws-sdk/client-iam";
import type { STSClient } from "@aws-sdk/client-sts";
import type { z } from "zod";
import type { Access, Session, World } from "../../model.ts";
import { type Call, CloudError, type CloudErrorInit, call, type ErrorClass, located } from "../../run/retry.ts";

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
const iamRegion = (access: Access | undefined): string => {
  const region = regionOf(access);
  return region.startsWith("cn-") ? "cn-north-1" : region.startsWith("us-gov-") ? "us-gov-west-1" : "us-east-1";
};

/** One call: for the retry layer, which account it goes to, and what its answer must hold. */
export interface Ask<O> extends Call {
  readonly account: Account;
  /** What the answer must hold; a missing field is "could not tell", never "absent" (fact sheet, trap 1). */
  readonly answer: z.ZodType<O>;
}

/**
 * One IAM call with the operator's credentials, through the one retry layer. Every failure of the call is a
 * `CloudError`. The SDK is loaded here and not at the top, so that commands without a cloud stay quick.
 */
export async function iam<O>(world: World, ask: Ask<O>, send: (client: IAMClient) => Promise<unknown>): Promise<O> {
  return call(world, ask, async () => {
    const { IAMClient } = await import("@aws-sdk/client-iam");
    const session = await world.credentials({ party: "aws", scope: ask.account.account, ...withAccess(ask.account) });
    const config = await configOf(world, "iam", { access: ask.account.access, session });
    const region = iamRegion(ask.account.access);
    const client = reused(world, ["iam", region, config], () => new IAMClient({ ...config, region }));
    return checked(ask, () => send(client));
  });
}

/** One STS call; `session` is absent for AssumeRoleWithWebIdentity, which is unsigned (wire.md, trap 5). */
export async function sts<O>(
  world: World,
  ask: Ask<O> & { readonly session?: Session },
  send: (client: STSClient) => Promise<unknown>,
): Promise<O> {
  return call(world, ask, async () => {
    const { STSClient } = await import("@aws-sdk/client-sts");
    const config = await configOf(world, "sts", { access: ask.account.access, session: ask.session });
    const region = regionOf(ask.account.access);
    const client = reused(world, ["sts", region, config], () => new STSClient({ ...config, region }));
    return checked(ask, () => send(client));
  });
}

type Config = Awaited<ReturnType<typeof configOf>>;

const clients = new WeakMap<World, Map<string, object>>();

/** Enough for the operator of a few accounts; sessions that were only proved are not kept for long. */
const mostClients = 8;

/**
 * A client is a kilobyte of middleware in a thousand pieces: one a call would be most of the memory of a large health
 * check. Same place, same keys, same clock: same client; the oldest goes.
 */
function reused<C extends object>(world: World, [service, region, config]: [string, string, Config], make: () => C): C {
  const { endpoint, credentials, systemClockOffset } = config;
  const drift = Math.round(systemClockOffset / 1000);
  const key = JSON.stringify([service, region, endpoint, credentials, drift]);
  const mine = clients.get(world) ?? new Map<string, object>();
  clients.set(world, mine);
  const client = (mine.get(key) as C | undefined) ?? make();
  mine.delete(key);
  mine.set(key, client);
  const [oldest] = mine.keys();
  if (mine.size > mostClients && oldest !== undefined) mine.delete(oldest);
  return client;
}

const withAccess = ({ access }: Account): { access?: Access } => (access ? { access } : {});

interface Reach {
  readonly access: Access | undefined;
  readonly session: Session | undefined;
}

/** The SDK with the world's endpoint, transport, clock and keys, and without retries of its own. */
async function configOf(world: World, service: "iam" | "sts", { access, session }: Reach) {
  const endpoint = await world.locate(`aws.${service}`, `https://${hostOf(service, access)}`);
  // Given in any case, if only as empty text: the SDK must never search this machine for keys of its own.
  const { accessKeyId = "", secretAccessKey = "", sessionToken } = session?.secrets ?? {};
  const temporary = sessionToken === undefined ? {} : { sessionToken };
  return {
    endpoint,
    credentials: { accessKeyId, secretAccessKey, ...temporary },
    // One layer retries, and it is ours: the SDK resends creates and misreads IAM's classes (fact sheet, traps 4, 5).
    maxAttempts: 1,
    ...settled,
    requestHandler: new WorldHandler(world),
    // Signatures carry the time of the world; the sandbox's clock can be moved (contract, section 5).
    systemClockOffset: world.clock.now() - Date.now(),
  };
}

/**
 * What the SDK would look for in this machine's own AWS settings, for each client anew: none of it has a say where the
 * endpoint is given, and looking costs more than the call.
 */
const settled = {
  retryMode: "standard",
  defaultsMode: "standard",
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  userAgentAppId: async () => undefined,
  authSchemePreference: async () => [],
} as const;

/** Sends the SDK's requests through the world, so that they have its deadline and size cap and follow no redirect. */
class WorldHandler {
  readonly metadata = { handlerProtocol: "http/1.1" };
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  async handle(request: SdkRequest) {
    const port = request.port === undefined ? "" : `:${request.port}`;
    const query = Object.entries(request.query ?? {}).map(
      ([key, value]) => `${key}=${encodeURIComponent(String(value))}`,
    );
    const url = `${request.protocol}//${request.hostname}${port}${request.path}${query.length ? `?${query.join("&")}` : ""}`;
    const { status, headers, body } = await this.world.http({
      method: request.method,
      url,
      headers: request.headers,
      ...(request.body === undefined ? {} : { body: String(request.body) }),
    });
    const action = new URLSearchParams(String(request.body ?? "")).get("Action") ?? "";
    requireWhole(action, status, body.toString());
    return { response: { statusCode: status, headers: { ...headers }, body: Readable.from([body]) } };
  }

  // These two the SDK asks of every handler; there is nothing to set.
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

/**
 * The SDK reads an empty body, or a web page, as success with no fields (fact sheet reliability-and-security,
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

/** As much of the SDK's request as is sent on; the body of the Query protocol is always text. */
interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
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
    return ["aws sso login, or name a profile in the file (to.aws.profile), then run it again"];
  if (kind === "missing" && message.includes(":policy/crosstrust-control/"))
    return ["crosstrust onboard --control   makes the boundary, with an administrator's credentials"];
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
