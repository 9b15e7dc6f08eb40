import type { Asks, Code } from "../model.ts";
import { withoutHidden } from "../model.ts";

/**
 * What an error means to us, once for the whole product (reliability-and-security.md, 2.1).
 *
 * - `unsent`: nothing reached the other side (refused, unresolvable, connect timeout): safe to send again
 * - `throttled`: the other side asks for patience; taken as turned away before it did anything
 * - `transient`: the other side says that it failed; whether a write landed is not known
 * - `lost`: the answer was cut off or never came: whether a write landed is not known
 * - `malformed`: an answer came and says nothing we can use: never "absent", never "works"
 * - `race`: somebody else is writing the same thing
 * - `denied`, `unauthenticated`, `missing`, `exists`, `refused`, `invalid`: definite answers
 * - `credentials`: none could be had · `interrupted`: the user stopped us
 */
export type ErrorClass =
  | "unsent"
  | "throttled"
  | "transient"
  | "lost"
  | "malformed"
  | "race"
  | "denied"
  | "unauthenticated"
  | "missing"
  | "exists"
  | "refused"
  | "invalid"
  | "credentials"
  | "interrupted";

/** What is known of a failed call, in the words of its client. */
export interface CloudErrorInit {
  readonly class: ErrorClass;
  /** Such as `aws.iam`. */
  readonly service: string;
  readonly operation: string;
  /** The vendor's own code, e.g. `AccessDenied`; empty where there was no answer. */
  readonly code: string;
  /** HTTP status, 0 where there was no answer. */
  readonly status: number;
  readonly message: string;
  /** Seconds the other side asked us to wait. */
  readonly retryAfter?: number;
  /** What is missing or wrong, where the vendor names it: a permission, an API, a constraint. */
  readonly detail?: string;
  /** The commands that would mend it, as its party knows them. */
  readonly fix?: readonly string[];
  /** Code of the page that explains it, and the exit code it asks for, where its class does not say enough. */
  readonly known?: { readonly code: Code; readonly asks: Asks } | undefined;
  /** An earlier try of the same call may have landed, so that this answer may be about what that one did. */
  readonly resent?: boolean;
  /** How the cloud calls this request, for its support and its logs. */
  readonly requestId?: string;
  /** Seconds by which the clock of this machine was set during the run, so that a refusal may be about the time alone. */
  readonly clockJump?: number;
  /** Nothing arrived, because the service is somewhere else by now: asking there is no second try. */
  readonly moved?: boolean;
}

/**
 * The only error that leaves a call. Its message is redacted, and it carries no foreign error, not even as
 * its cause: those hold tokens in their message, stack and config (reliability-and-security.md, 1.1, trap 6).
 */
export class CloudError extends Error implements CloudErrorInit {
  readonly class: ErrorClass;
  readonly service: string;
  readonly operation: string;
  readonly code: string;
  readonly status: number;
  readonly retryAfter?: number;
  readonly detail?: string;
  readonly fix?: readonly string[];
  readonly moved?: boolean;
  readonly resent?: boolean;
  readonly clockJump?: number;
  readonly known?: CloudErrorInit["known"];
  readonly requestId?: string;

  constructor(init: CloudErrorInit) {
    super(redact(init.message));
    this.name = "CloudError";
    this.class = init.class;
    this.service = init.service;
    this.operation = init.operation;
    this.code = init.code;
    this.status = init.status;
    if (init.retryAfter !== undefined) this.retryAfter = init.retryAfter;
    if (init.detail !== undefined) this.detail = redact(init.detail);
    if (init.fix !== undefined) this.fix = init.fix;
    if (init.moved !== undefined) this.moved = init.moved;
    if (init.resent !== undefined) this.resent = init.resent;
    if (init.clockJump !== undefined) this.clockJump = init.clockJump;
    if (init.known !== undefined) this.known = init.known;
    if (init.requestId !== undefined) this.requestId = init.requestId;
  }
}

/** A transport error knows only a host; here it gets the service and operation that it was meant for. */
export const located = (error: CloudError, at: { readonly service: string; readonly operation: string }): CloudError =>
  new CloudError({ ...error, message: error.message, service: at.service, operation: at.operation });

/** Whether a write with this answer may have landed: then it is looked for, not blindly sent again. */
export const mayHaveLanded = (error: CloudError): boolean => ["transient", "lost", "malformed"].includes(error.class);

/** "Missing" as a value, and no other error: what could not be read is not absent (fact sheet, trap 1). */
export async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof CloudError && error.class === "missing") return undefined;
    throw error;
  }
}

// What tokens and keys look like, wherever they stand: JWTs, Google access tokens, AWS key ids, whatever
// follows a telling name, long base64.
const secrets: readonly RegExp[] = [
  /eyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g,
  /ya29\.[\w.-]+/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g,
  /(?<=(?:SecretAccessKey|SessionToken|access_token|accessToken|refresh_token|id_token|assertion|client_secret)["'=:>\s]{1,6})[\w+/=.%-]{8,}/gi,
  /\b[A-Za-z0-9+/]{80,}={0,2}/g,
];

/** Takes tokens and keys out of a text that others wrote; keeps it short and on one line. */
export function redact(text: string): string {
  const clean = secrets.reduce((rest, pattern) => rest.replace(pattern, "[redacted]"), text);
  // Control characters in a foreign text could rewrite the screen.
  return withoutHidden(clean, () => "\0")
    .replace(/\0+/g, " ")
    .slice(0, 600);
}
