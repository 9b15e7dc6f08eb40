import type { FakeRequest, Unplayed } from "../../../sandbox/fake.ts";
import { principalOf } from "./access.ts";
import { errorInfo, faults, GoogleError } from "./rest.ts";

/**
 * Every service of Google that is not played. The answer is Google's JSON error, with a status for which no client tries
 * again and which nobody takes for "not there": 501, which would say it best, is tried again by gcloud.
 */
export const unplayed: Unplayed = {
  service: "google.unplayed",
  hosts: ["**.googleapis.com"],
  claims: () => false,
  // At its own address only what a client of Google's sent, or what stands below the prefix that a service has here.
  owns: ({ path, headers }) =>
    path.startsWith("/google/") ||
    headers["x-goog-api-client"] !== undefined ||
    /^Bearer ya29\./.test(headers.authorization ?? "") ||
    /^(?:google-cloud-sdk|gcloud)/i.test(headers["user-agent"] ?? ""),
  open(request, host) {
    const service = serviceOf(request);
    const operation = `${request.method} ${request.path}`;
    return {
      name: `${service}:${operation}`,
      write: false,
      principal: principalOf(request, host)?.member ?? "anonymous",
      run: () => refusal(service, operation).answer(),
    };
  },
  fault: (kind) => faults[kind].answer(),
};

const refusal = (service: string, operation: string): GoogleError =>
  new GoogleError([400, "FAILED_PRECONDITION"], `${service} is not played here, and nothing was done: ${operation}`, [
    errorInfo("NOT_PLAYED", { service }, "crosstrust"),
  ]);

/** `compute.googleapis.com`, of whatever endpoint: regional (`europe-west1-`, `.rep`), or for client certificates (`.mtls`). */
function serviceOf({ host, path }: FakeRequest): string {
  const [, prefixed] = /^\/google\/([a-z0-9-]+)(?:\/|$)/.exec(path) ?? [];
  if (prefixed) return `${prefixed}.googleapis.com`;
  const bare = host.replace(/:\d+$/, "").toLowerCase();
  if (!bare.endsWith(".googleapis.com")) return "this service of Google";
  const [label = ""] = bare.split(".");
  return `${label.replace(/^[a-z]+-[a-z]+\d-/, "")}.googleapis.com`;
}
