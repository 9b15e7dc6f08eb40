import { GoogleError } from "./rest.ts";
import { isTimeZone, scheduleOf } from "./schedule.ts";

/** Durations as `"180s"`. */
export interface Job {
  readonly name: string;
  readonly schedule: string;
  readonly timeZone: string;
  readonly state: string;
  readonly userUpdateTime?: string;
  readonly attemptDeadline: string;
  readonly retryConfig: RetryConfig;
  readonly httpTarget: HttpTarget;
  readonly lastAttemptTime?: string;
  /** A `google.rpc.Status`: its code is not the HTTP one. */
  readonly status?: { readonly code: number };
}

export interface RetryConfig {
  readonly retryCount: number;
  readonly maxRetryDuration: string;
  readonly minBackoffDuration: string;
  readonly maxBackoffDuration: string;
  readonly maxDoublings: number;
}

/** `body` in base64. */
export interface HttpTarget {
  readonly uri: string;
  readonly httpMethod: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly oidcToken?: { readonly serviceAccountEmail: string; readonly audience?: string };
  readonly oauthToken?: { readonly serviceAccountEmail: string; readonly scope?: string };
}

export const invalid = (says: string): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], says);
export const missing = (): GoogleError => new GoogleError([404, "NOT_FOUND"], "Job not found.");
export const taken = (): GoogleError => new GoogleError([409, "ALREADY_EXISTS"], "Job already exists.");

/** Seconds of a duration; throws 400 for what is none. */
export function seconds(duration: unknown): number {
  const found = /^(\d+(?:\.\d+)?)s$/.exec(String(duration))?.[1];
  if (found === undefined) throw invalid(`Not a duration: ${String(duration)}`);
  return Number(found);
}

/** What serverless.md 4.1 says of a field that is left out. */
const defaults = { timeZone: "Etc/UTC", attemptDeadline: "180s" };
const retries: RetryConfig = {
  retryCount: 0,
  maxRetryDuration: "0s",
  minBackoffDuration: "5s",
  maxBackoffDuration: "3600s",
  maxDoublings: 5,
};

/** A job as it is kept: with its defaults. Throws 400 for what the API would not take (serverless.md 4.1). */
export function checked(given: Readonly<Record<string, unknown>>): Job {
  const job = {
    ...defaults,
    ...given,
    retryConfig: { ...retries, ...(given.retryConfig as object) },
  } as unknown as Job;
  if (!/\/jobs\/[A-Za-z0-9_-]{1,500}$/.test(job.name)) throw invalid("The job's id is not a valid one.");
  if (typeof job.schedule !== "string" || !scheduleOf(job.schedule) || !isTimeZone(job.timeZone))
    throw invalid("Schedule or time zone is invalid.");
  const deadline = seconds(job.attemptDeadline);
  if (deadline < 15 || deadline > 1800) throw invalid("The attempt deadline is between 15 s and 30 min.");
  const { retryCount, maxDoublings, ...durations } = job.retryConfig;
  if (!Number.isInteger(retryCount) || retryCount < 0 || retryCount > 5)
    throw invalid("retry_count is between 0 and 5.");
  if (!Number.isInteger(maxDoublings) || maxDoublings < 0) throw invalid("max_doublings is not negative.");
  for (const duration of Object.values(durations)) seconds(duration);
  return { ...job, httpTarget: target(job.httpTarget) };
}

function target(given: HttpTarget | undefined): HttpTarget {
  if (!given?.uri) throw invalid("The job needs an HTTP target.");
  if (!/^https?:\/\//.test(given.uri) || given.uri.length > 2083) throw invalid("The URI is not a valid one.");
  const { httpMethod = "POST", body, oidcToken, oauthToken } = given;
  if (body !== undefined && !["POST", "PUT", "PATCH"].includes(httpMethod))
    throw invalid(`A body cannot be sent with ${httpMethod}.`);
  if (oidcToken && oauthToken) throw invalid("A target has one kind of token.");
  return { ...given, httpMethod };
}
