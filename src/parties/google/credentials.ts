import type { CredentialsAsk, Session } from "../../model.ts";
import { CloudError, deadline } from "../../run/retry.ts";

/** The second one is for `userinfo`: `--grant-me` has to name the operator in a policy. */
const scopes = ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email"];

/**
 * Application default credentials: a sign-in by gcloud, an external account, or the metadata server. Google's
 * library fetches them: an outer deadline, and its errors never reach the user, because they hold tokens
 * (fact sheet, trap 6). `principal` is known on Google's machines
 * alone, else it is empty.
 */
export async function credentials({ scope, fresh }: CredentialsAsk): Promise<Session> {
  const { Compute, GoogleAuth } = await import("google-auth-library");
  try {
    const auth = new GoogleAuth({ scopes, clientOptions: { ...(fresh ? { forceRefreshOnFailure: true } : {}) } });
    const client = await deadline(auth.getClient(), 10_000);
    const { token } = await deadline(client.getAccessToken(), 15_000);
    if (!token) throw new Error("no token");
    const expires = client.credentials.expiry_date;
    const machine = client instanceof Compute;
    const principal = machine
      ? await deadline(auth.getCredentials(), 5000).then((found) => found.client_email ?? "")
      : "";
    const about = {
      source: machine ? "metadata" : "adc",
      ...(client.quotaProjectId ? { quotaProject: client.quotaProjectId } : {}),
    };
    return { secrets: { accessToken: token }, principal, about, ...(expires ? { expiresAt: expires } : {}) };
  } catch (error) {
    throw noCredentials(error, scope);
  }
}

/** What the network did is no statement about credentials: such a failure is "could not tell" (fact sheet, 2.1). */
function noCredentials(error: unknown, scope: string): CloudError {
  const { code, status, message = "" } = error as { code?: unknown; status?: unknown; message?: string };
  const network = /^(E[A-Z_]+|UND_ERR_[A-Z_]+)$/.test(String(code)) && code !== "ENOENT";
  const unreached = network || Number(status ?? code) >= 500 || message.startsWith("no answer within");
  return new CloudError({
    ...{ service: "google.oauth2", operation: "Token", code: "", status: 0 },
    class: unreached ? "transient" : "credentials",
    message: unreached ? "google's sign-in does not answer" : `there are no google credentials for ${scope}`,
    ...(unreached
      ? {}
      : { fix: ["gcloud auth application-default login", "crosstrust plan --sandbox   # needs no account at all"] }),
  });
}
