import { principalOf, require_ } from "./access.ts";
import { signIdToken } from "./iamcredentials.ts";
import { GoogleError, type RestCall, type Route, restFake } from "./rest.ts";
import { accountOf } from "./store.ts";

const base = "^/v1/projects/([^/]+)/locations/([^/]+)/jobs";
const path = (rest: string): RegExp => new RegExp(`${base}${rest}$`);

const routes: readonly Route[] = [
  { method: "POST", pattern: path(""), operation: "CreateJob", write: true, run: create },
  { method: "GET", pattern: path("/([^/:]+)"), operation: "GetJob", write: false, run: (call) => job(call) },
  { method: "DELETE", pattern: path("/([^/:]+)"), operation: "DeleteJob", write: true, run: remove },
  { method: "POST", pattern: path("/([^/:]+):run"), operation: "RunJob", write: false, run },
];

/** Cloud Scheduler v1: jobs that call a URL with an OIDC token, on demand (serverless.md 4, wire.md 4.10). */
export const scheduler = restFake(
  { service: "google.cloudscheduler", hosts: ["cloudscheduler.googleapis.com"], routes },
  principalOf,
);

/** `schedule` is kept, never acted on. `status.code` is an HTTP status, where Google has a canonical code. */
interface Job {
  readonly name: string;
  readonly state: string;
  readonly lastAttemptTime?: string;
  readonly status?: { readonly code: number };
  readonly httpTarget: {
    readonly uri: string;
    readonly httpMethod?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly oidcToken?: { readonly serviceAccountEmail: string; readonly audience?: string };
  };
}

const keyOf = (name: string): string => `google.job/${name}`;
const invalid = (says: string): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], says);

function job({ parts, host }: RestCall): Job {
  const [project, location, id] = parts;
  const found = host.state.get<Job>(keyOf(`projects/${project}/locations/${location}/jobs/${id}`));
  if (!found) throw new GoogleError([404, "NOT_FOUND"], "Job not found.");
  return found;
}

function create({ body, host, parts, principal }: RestCall): Job {
  const given = body as unknown as Job;
  require_(principal, { permission: "cloudscheduler.jobs.create", project: parts[0] ?? "" }, host);
  if (!given.httpTarget?.uri) throw invalid("The job needs an HTTP target.");
  if (host.state.get(keyOf(given.name))) throw new GoogleError([409, "ALREADY_EXISTS"], "Job already exists.");
  const made = { ...given, state: "ENABLED", userUpdateTime: new Date(host.now()).toISOString() };
  host.state.put(keyOf(given.name), made);
  return made;
}

function remove(call: RestCall) {
  call.host.state.delete(keyOf(job(call).name));
  return {};
}

/** `status` of a job is a `google.rpc.Status`, so its code is not the HTTP one (Cloud Scheduler API, Job). */
const rpcCode = (status: number): number =>
  status < 300 ? 0 : ({ 400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 429: 8, 503: 14, 504: 4 }[status] ?? 2);

/**
 * Calls the target as the real one would: an OIDC token of the job's account, for the full URI unless the job
 * names an audience, and the headers that name the run (serverless.md 4.2, 4.3).
 */
async function run(call: RestCall): Promise<Job> {
  const { host } = call;
  const found = job(call);
  const { uri, httpMethod = "POST", headers = {}, body, oidcToken } = found.httpTarget;
  const at = new Date(host.now()).toISOString();
  const account = oidcToken && accountOf(host.state, oidcToken.serviceAccountEmail);
  if (oidcToken && !account) throw invalid(`Service account ${oidcToken.serviceAccountEmail} does not exist.`);
  const token =
    account && signIdToken(host, account, { audience: oidcToken?.audience ?? uri, azp: account.uniqueId, email: true });
  const own = {
    "x-cloudscheduler": "true",
    "x-cloudscheduler-jobname": found.name.split("/").at(-1) ?? "",
    "x-cloudscheduler-scheduletime": at,
  };
  const status = await host.deliver(uri, {
    method: httpMethod,
    headers: { ...headers, ...own, ...(token ? { authorization: `Bearer ${token}` } : {}) },
    ...(body === undefined ? {} : { body: Buffer.from(body, "base64") }),
  });
  const done: Job = { ...found, lastAttemptTime: at, status: { code: rpcCode(status) } };
  host.state.put(keyOf(found.name), done);
  return done;
}
