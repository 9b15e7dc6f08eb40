import type { z } from "zod";
import type { HttpAnswer, Session, World } from "../../model.ts";
import { type Call, CloudError, type CloudErrorInit, call, type ErrorClass, jsonOf, located } from "../../run/retry.ts";
import { remedy } from "./remedy.ts";

/** Where the services answer; a sandbox or `--endpoint` moves them. */
const bases = {
  "google.iam": "https://iam.googleapis.com",
  "google.iamcredentials": "https://iamcredentials.googleapis.com",
  "google.cloudresourcemanager": "https://cloudresourcemanager.googleapis.com",
  "google.cloudbilling": "https://cloudbilling.googleapis.com",
  "google.serviceusage": "https://serviceusage.googleapis.com",
  "google.storage": "https://storage.googleapis.com",
  "google.sts": "https://sts.googleapis.com",
  "google.oauth2": "https://openidconnect.googleapis.com",
  "google.metadata": "http://metadata.google.internal",
} as const;

/** One REST call, and what its answer must hold. */
export interface Ask<O> extends Call {
  readonly service: keyof typeof bases;
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** With its query, percent-encoded. */
  readonly path: string;
  /** The project whose credentials are used. */
  readonly project: string;
  /** Sent as JSON. Absent: no body and no content type, as gcloud does it (wire.md 4.1). */
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly text?: string;
  /** Besides those that every call has. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes of an answer what the schema sees, where it is not JSON: a document that was stored. */
  readonly read?: (answer: HttpAnswer) => unknown;
  /** Every answer is checked: a missing field is "could not tell", never "absent" (fact sheet, trap 1). */
  readonly answer: z.ZodType<O>;
}

/**
 * One REST call with the operator's access token, through the one retry layer. Throws `CloudError`. A refused
 * token is renewed once (fact sheet, 2.1, XK), also for a create: what answers 401 has not landed.
 */
export async function google<O>(world: World, ask: Ask<O>): Promise<O> {
  const attempt = (fresh: boolean) =>
    call(world, ask, async () => {
      const session = await world.credentials({ party: "google", scope: ask.project, fresh });
      return send(world, ask, session);
    });
  try {
    return await attempt(false);
  } catch (error) {
    if (!(error instanceof CloudError) || error.class !== "unauthenticated") throw error;
    return attempt(true);
  }
}

/** One attempt. Status 200 proves nothing before the schema has seen the body (fact sheet, trap 1). */
async function send<O>(world: World, ask: Ask<O>, session: Session): Promise<O> {
  const base = await world.locate(ask.service, bases[ask.service]);
  const text = ask.text ?? (ask.body === undefined ? undefined : JSON.stringify(ask.body));
  const body = text === undefined ? {} : { body: text };
  const json = text === undefined ? {} : { "content-type": "application/json" };
  const quota = session.about?.quotaProject ? { "x-goog-user-project": session.about.quotaProject } : {};
  const headers = {
    authorization: `Bearer ${session.secrets.accessToken ?? ""}`,
    accept: "application/json",
    ...json,
    ...quota,
    ...ask.headers,
  };
  let answer: HttpAnswer;
  try {
    answer = await world.http({ method: ask.method, url: `${base}${ask.path}`, headers, ...body });
  } catch (error) {
    throw error instanceof CloudError ? located(error, ask) : error;
  }
  if (answer.status >= 400) throw refusal(ask, answer, session.principal);
  const parsed = ask.answer.safeParse(ask.read ? ask.read(answer) : jsonOf(answer.body));
  if (parsed.success) return parsed.data;
  if (isCutOff(answer.body))
    throw failure(ask, { class: "lost", code: "", status: answer.status, message: "the answer is cut off" });
  const field = parsed.error.issues[0]?.path.join(".") || "body";
  throw failure(ask, {
    class: "malformed",
    code: "",
    status: answer.status,
    message: `the answer holds no usable ${field}`,
  });
}

const failure = (ask: Call, init: Omit<CloudErrorInit, "service" | "operation">): CloudError =>
  new CloudError({ service: ask.service, operation: ask.operation, ...init });

/** Begins as JSON and does not end as it: an answer was on its way (2.1, TB). */
const isCutOff = (body: Buffer): boolean => /^\s*[[{]/.test(body.toString("utf8")) && jsonOf(body) === undefined;

/** As far as it is read. Newer answers say why in `details`, older ones in `errors` (google.md 12). */
interface ErrorBody {
  readonly error?: {
    readonly message?: string;
    readonly status?: string;
    readonly details?: readonly {
      readonly reason?: string;
      readonly metadata?: Readonly<Record<string, string>>;
      readonly violations?: readonly { readonly type?: string; readonly description?: string }[];
    }[];
    readonly errors?: readonly { readonly reason?: string }[];
  };
}

/**
 * An answer of 400 or more. The reason decides before the status does, because some 403s are quota (fact
 * sheet, 2.1 and 7). `detail` is what a fix has to name: constraint, else permission, else API.
 */
function refusal(ask: Ask<unknown>, { status, headers, body }: HttpAnswer, principal: string): CloudError {
  if (isCutOff(body)) return failure(ask, { class: "lost", code: "", status, message: "the answer is cut off" });
  const error = (jsonOf(body) as ErrorBody | undefined)?.error ?? {};
  const details = Array.isArray(error.details) ? error.details : [];
  const reasons = [...details.map((detail) => detail.reason), ...(error.errors ?? []).map((one) => one.reason)];
  const constraint = details
    .flatMap((detail) => detail.violations ?? [])
    .find((one) => one.type?.startsWith("constraints/"));
  const named = details.map((detail) => detail.metadata).find(Boolean);
  const detail = constraint?.type ?? named?.permission ?? named?.service;
  const reason = reasons.find(Boolean) ?? "";
  const seconds = Number(headers["retry-after"]);
  const kind = classOf(status, `${reason} ${error.status ?? ""}`, String(error.message ?? ""));
  const fix = remedy({
    class: kind,
    reason,
    detail,
    operation: ask.operation,
    project: ask.project,
    path: ask.path,
    principal,
  });
  return failure(ask, {
    class: kind,
    code: reason === "SERVICE_DISABLED" ? reason : String(error.status ?? reason),
    status,
    message: messageOf(error.message, constraint?.description) ?? `answered ${status}`,
    ...(detail ? { detail } : {}),
    ...(headers["retry-after"] && Number.isFinite(seconds) ? { retryAfter: seconds } : {}),
    ...(fix ? { fix } : {}),
  });
}

/** A policy of the organization says what it is about beside the message, which names nothing (google.md 5). */
function messageOf(message: unknown, why: unknown): string | undefined {
  if (typeof message !== "string") return undefined;
  return typeof why === "string" && why !== message ? `${message} ${why}` : message;
}

/**
 * A 409 is a race only where Google asks for the whole read-modify-write again: ABORTED, or its text alone in older
 * answers; 412 is an etag that no longer holds (google.md 12).
 */
function classOf(status: number, reason: string, message: string): ErrorClass {
  const quota =
    /rateLimitExceeded|RATE_LIMIT|CONCURRENT_OPERATIONS_QUOTA_EXCEEDED/i.test(reason) || /per minute/i.test(message);
  if (status === 429 || (status === 403 && quota)) return "throttled";
  if (status === 401) return "unauthenticated";
  if (status === 403) return "denied";
  if (status === 404) return "missing";
  if (status === 412) return "race";
  if (status === 409) return /\bABORTED\b|concurrent policy changes/i.test(`${reason} ${message}`) ? "race" : "exists";
  return status >= 500 ? "transient" : "invalid";
}
