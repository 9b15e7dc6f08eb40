import { partitionOf } from "../../judge/issuers/partitions.ts";
import type { CredentialsAsk, Session, World } from "../../model.ts";
import { googleAssertion } from "../../run/minting.ts";
import { CloudError, deadline } from "../../run/retry.ts";
import { assumeRole } from "./exchange.ts";
import { controlPath, controlRoleOf } from "./shape.ts";

/** Which function of which deployment this process is. */
export interface ControlAccess {
  readonly deployment: string;
  readonly who: "checker" | "provisioner";
  readonly audience: string;
  /** CloudTrail names the session by it. */
  readonly sessionName: string;
}

/**
 * What the file names for an account comes first; then, in a deployed function, the control plane's role there; then
 * the default chain. A function that its role does not let in gets nothing else: what else it might find on its machine
 * is not what was agreed to.
 */
export function credentials(ask: CredentialsAsk, world: World, control?: ControlAccess): Promise<Session> {
  const named = ask.access?.profile ?? ask.access?.assumeRole;
  return control && named === undefined ? controlSession(ask, world, control) : ownCredentials(ask);
}

/** The shortest session there is: a new one costs two calls. */
const controlSeconds = 900;

/** The metadata server says who this function is, and the account's control role believes it: no key is stored. */
export async function controlSession(
  { scope, access }: CredentialsAsk,
  world: World,
  { deployment, who, audience, sessionName }: ControlAccess,
): Promise<Session> {
  const name = controlRoleOf(deployment, who);
  try {
    return await assumeRole(
      world,
      { account: scope, ...(access ? { access } : {}) },
      {
        RoleArn: `arn:${partitionOf(access?.region ?? "")}:iam::${scope}:role${controlPath}${name}`,
        RoleSessionName: sessionName,
        WebIdentityToken: await googleAssertion(audience, world),
        DurationSeconds: controlSeconds,
      },
    );
  } catch (error) {
    if (!(error instanceof CloudError) || (error.class !== "denied" && error.class !== "refused")) throw error;
    throw new CloudError({
      ...{ class: "credentials", service: "aws.sts", operation: "AssumeRoleWithWebIdentity" },
      ...{ code: error.code, status: error.status },
      message: `the role ${name} of ${scope} does not let this function in`,
      fix: ["crosstrust onboard --control   # with an administrator's credentials of that account"],
    });
  }
}

/**
 * The default chain of the SDK (environment, profiles, SSO, container, instance), a named profile, or a role
 * on top of either. The SDK's own code fetches them, outside our retry layer and transport: one attempt, 1 s
 * for a metadata server, 15 s for the whole. Throws a `CloudError` of class `credentials`, and nothing else.
 */
async function ownCredentials({ scope, access }: CredentialsAsk): Promise<Session> {
  const { fromNodeProviderChain, fromTemporaryCredentials } = await import("@aws-sdk/credential-providers");
  const profile = access?.profile;
  const region = access?.region ?? "us-east-1";
  const base = fromNodeProviderChain({
    ...(profile ? { profile } : {}),
    clientConfig: { region, maxAttempts: 1 },
    maxRetries: 0,
    timeout: 1000,
  });
  const role = access?.assumeRole;
  const source = role
    ? fromTemporaryCredentials({
        masterCredentials: base,
        params: { RoleArn: role, RoleSessionName: "crosstrust" },
        clientConfig: { region, maxAttempts: 1 },
      })
    : base;
  try {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await deadline(source(), 15_000);
    const temporary = sessionToken ? { sessionToken } : {};
    return {
      secrets: { accessKeyId, secretAccessKey, ...temporary },
      principal: profile ?? role ?? "the default chain",
      ...(expiration ? { expiresAt: expiration.getTime() } : {}),
    };
    // The SDK's text is dropped: it may hold what a credential_process wrote to stderr (fact sheet
    // reliability-and-security, 1.1).
  } catch {
    throw none(scope, role ? `the role ${role}` : profile ? `the profile ${profile}` : undefined);
  }
}

/** Says which way was tried, `what`, where the file names one; without it the default chain was asked. */
const none = (account: string, what: string | undefined): CloudError =>
  new CloudError({
    class: "credentials",
    service: "aws.sts",
    operation: "",
    code: "",
    status: 0,
    message: what ? `${what} gives no aws credentials for ${account}` : `there are no aws credentials for ${account}`,
    fix: [
      "aws sso login   # or aws configure; then run it again",
      "crosstrust plan --sandbox   # needs no account at all",
    ],
  });
