import type { CredentialsAsk, Session } from "../../model.ts";
import { CloudError, deadline } from "../../run/retry.ts";

/**
 * The default chain of the SDK (environment, profiles, SSO, container, instance), a named profile, or a role
 * on top of either. The SDK's own code fetches them, outside our retry layer and transport: one attempt, 1 s
 * for a metadata server, 15 s for the whole. Throws a `CloudError` of class `credentials`, and nothing else.
 */
export async function credentials({ scope, access }: CredentialsAsk): Promise<Session> {
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
    fix: ["aws sso login   or aws configure, then run it again", "crosstrust plan --sandbox   needs no account at all"],
  });
