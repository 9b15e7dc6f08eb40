import { createHash } from "node:crypto";
import type { FakeAnswer, Host } from "../../../sandbox/fake.ts";

/** As the token endpoints and the metadata service answer: never kept by anybody on the way. */
const headers = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
  pragma: "no-cache",
} as const;

export const answer = (status: number, body: unknown): FakeAnswer => ({ status, headers, body: JSON.stringify(body) });

/** One of Entra's numbered refusals: 401 for `invalid_client`, 400 for all others (entra.md 4.2). */
export class EntraError extends Error {
  readonly number: number;
  readonly error: string;

  constructor(number: number, error: string, text: string) {
    super(text);
    this.number = number;
    this.error = error;
  }

  /** With the trailer of newer answers, which part its fields by blanks (entra.md, trap 13). */
  answer(host: Host): FakeAnswer {
    const timestamp = `${new Date(host.now()).toISOString().slice(0, 19).replace("T", " ")}Z`;
    const trace = guidFrom(`trace/${host.now()}/${this.number}`);
    const correlation = guidFrom(`correlation/${host.now()}/${this.number}`);
    return answer(this.error === "invalid_client" ? 401 : 400, {
      error: this.error,
      error_description: `AADSTS${this.number}: ${this.message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
      error_codes: [this.number],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
      error_uri: `https://login.microsoftonline.com/error?code=${this.number}`,
    });
  }
}

/** A GUID made from a text, so that ids can be reproduced. */
export function guidFrom(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

const tenantWords =
  "Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.";

/** One text, two values of `error`: the discovery document's has its own (entra.md 3.1 and 4.2). */
export const noTenant = (tenant: string, error: "invalid_tenant" | "invalid_request"): EntraError =>
  new EntraError(90002, error, `Tenant '${tenant}' not found. ${tenantWords}`);
