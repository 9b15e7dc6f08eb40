import type { Delivered, Host } from "../../../sandbox/fake.ts";
import { issueAccessToken } from "./access.ts";
import { signIdToken } from "./iamcredentials.ts";
import { type HttpTarget, type Job, type RetryConfig, seconds } from "./scheduler-job.ts";
import { accountOf } from "./store.ts";

/** How a run of a job ended: when its last attempt began, and the code of a `google.rpc.Status`. */
export interface Dispatched {
  readonly lastAttemptTime: string;
  readonly code: number;
}

/**
 * Calls the target until it answers 2xx or the retries are used up. The pauses between attempts take no time here; they
 * count for `maxRetryDuration` all the same.
 */
export async function dispatch(job: Job, host: Host): Promise<Dispatched> {
  let [retries, waited] = [0, 0];
  for (;;) {
    const lastAttemptTime = new Date(host.now()).toISOString();
    const code = await attempt(job, host);
    const pause = pauseBefore(retries, job.retryConfig);
    if (code === 0 || !goesOn(job.retryConfig, retries, waited + pause)) return { lastAttemptTime, code };
    retries += 1;
    waited += pause;
  }
}

/** Until both limits are reached; without either there is no retry (serverless.md 4.1). */
const goesOn = ({ retryCount, maxRetryDuration }: RetryConfig, retries: number, waited: number): boolean =>
  retries < retryCount || waited < seconds(maxRetryDuration);

/** Doubles `maxDoublings` times, then grows by the last step, never beyond the longest. */
export function pauseBefore(retries: number, config: RetryConfig): number {
  const { maxDoublings, minBackoffDuration, maxBackoffDuration } = config;
  const doubled = seconds(minBackoffDuration) * 2 ** Math.min(retries, maxDoublings);
  const linear = Math.max(1, retries - maxDoublings + 1);
  return Math.min(doubled * linear, seconds(maxBackoffDuration));
}

/** One call, with the headers that name the run (serverless.md 4.3). */
async function attempt({ name, httpTarget, attemptDeadline }: Job, host: Host): Promise<number> {
  const token = tokenFor(httpTarget, host);
  // The account is gone since the job was made: nothing is sent.
  if (token === "none") return 16;
  const body = httpTarget.body === undefined ? undefined : Buffer.from(httpTarget.body, "base64");
  const given = Object.entries(httpTarget.headers ?? {}).map(([key, value]) => [key.toLowerCase(), value] as const);
  const answer = await host.deliver({
    method: httpTarget.httpMethod,
    url: httpTarget.uri,
    headers: {
      // serverless.md 4.1: without a type of its own.
      ...(body ? { "content-type": "application/octet-stream" } : {}),
      ...Object.fromEntries(given),
      "user-agent": "Google-Cloud-Scheduler",
      "x-cloudscheduler": "true",
      "x-cloudscheduler-jobname": name.split("/").at(-1) ?? "",
      "x-cloudscheduler-scheduletime": new Date(host.now()).toISOString(),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body,
    timeout: seconds(attemptDeadline) * 1000,
  });
  return codeOf(answer);
}

/** An ID token for the full URI unless the job names an audience, or an access token (serverless.md 4.2). */
function tokenFor({ uri, oidcToken, oauthToken }: HttpTarget, host: Host): string | undefined {
  const asked = oidcToken ?? oauthToken;
  if (!asked) return undefined;
  const account = accountOf(host.state, asked.serviceAccountEmail);
  if (!account || account.disabled) return "none";
  if (oauthToken)
    return issueAccessToken(host, account.email, oauthToken.scope ? { scopes: [oauthToken.scope] } : {}).token;
  return signIdToken(host, account, { audience: oidcToken?.audience ?? uri, azp: account.uniqueId, email: true });
}

const codes: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 429: 8, 503: 14, 504: 4 };

/** 2xx is success; a redirect is not followed here, where the real one follows it. */
function codeOf(answer: Delivered): number {
  if ("failure" in answer) return answer.failure === "timeout" ? 4 : 14;
  return answer.status >= 200 && answer.status < 300 ? 0 : (codes[answer.status] ?? 2);
}
