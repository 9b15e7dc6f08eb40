import { principalOf, require_, requireActAs } from "./access.ts";
import { patched } from "./mask.ts";
import { type RestCall, type Route, restFake } from "./rest.ts";
import { checked, invalid, type Job, missing, taken } from "./scheduler-job.ts";
import { dispatch } from "./scheduler-run.ts";

const base = "^/v1/projects/([^/]+)/locations/([^/]+)/jobs";
const path = (rest: string): RegExp => new RegExp(`${base}${rest}$`);
const one = path("/([^/:]+)");

const routes: readonly Route[] = [
  { method: "POST", pattern: path(""), operation: "CreateJob", write: true, run: create },
  { method: "GET", pattern: path(""), operation: "ListJobs", write: false, run: list },
  { method: "GET", pattern: one, operation: "GetJob", write: false, run: (call) => held(call, "get") },
  { method: "PATCH", pattern: one, operation: "UpdateJob", write: true, run: update },
  { method: "DELETE", pattern: one, operation: "DeleteJob", write: true, run: remove },
  {
    ...{ method: "POST", pattern: path("/([^/:]+):pause"), operation: "PauseJob", write: true },
    run: (call) => turned(call, "pause", "PAUSED"),
  },
  {
    ...{ method: "POST", pattern: path("/([^/:]+):resume"), operation: "ResumeJob", write: true },
    run: (call) => turned(call, "enable", "ENABLED"),
  },
  { method: "POST", pattern: path("/([^/:]+):run"), operation: "RunJob", write: false, run },
];

/**
 * Cloud Scheduler v1: jobs that call a URL with a token of their account, on demand; no clock runs them (serverless.md 4,
 * wire.md 4.10).
 */
export const scheduler = restFake(
  { service: "google.cloudscheduler", hosts: ["cloudscheduler.googleapis.com"], routes },
  principalOf,
);

const keyOf = (name: string): string => `google.job/${name}`;
const parentOf = ({ parts: [project, location] }: RestCall): string => `projects/${project}/locations/${location}`;

function allowed({ host, parts, principal }: RestCall, verb: string): void {
  require_(principal, { permission: `cloudscheduler.jobs.${verb}`, project: parts[0] ?? "" }, host);
}

function held(call: RestCall, verb: string): Job {
  allowed(call, verb);
  const found = call.host.state.get<Job>(keyOf(`${parentOf(call)}/jobs/${call.parts[2]}`));
  if (!found) throw missing();
  return found;
}

function saved({ host }: RestCall, job: Job): Job {
  host.state.put(keyOf(job.name), job);
  return job;
}

/** Whoever makes a job act as an account must be allowed to act as it (serverless.md 4.2). */
function accountChecked(call: RestCall, job: Job): Job {
  const { oidcToken, oauthToken } = job.httpTarget;
  const email = (oidcToken ?? oauthToken)?.serviceAccountEmail;
  if (email === undefined) return job;
  const account = requireActAs(call.principal, email, call.host);
  if (account.project !== call.parts[0]) throw invalid("The service account must be in the job's own project.");
  return job;
}

function create(call: RestCall): Job {
  const { body, host } = call;
  allowed(call, "create");
  const name =
    typeof body.name === "string" ? body.name : `${parentOf(call)}/jobs/job-${host.state.next("google.job")}`;
  if (!name.startsWith(`${parentOf(call)}/jobs/`)) throw invalid("The job's name is not in this location.");
  const job = accountChecked(call, checked({ ...body, name }));
  if (host.state.get(keyOf(name))) throw taken();
  return saved(call, { ...job, state: "ENABLED", userUpdateTime: new Date(host.now()).toISOString() });
}

function list(call: RestCall) {
  allowed(call, "list");
  const jobs = call.host.view.list<Job>(keyOf(`${parentOf(call)}/jobs/`)).map(([, job]) => job);
  return jobs.length > 0 ? { jobs } : {};
}

const allowedFields = ["description", "schedule", "timeZone", "attemptDeadline", "httpTarget", "retryConfig"];

/** What the caller may not set, such as the state, stays (serverless.md 4.4). */
function update(call: RestCall): Job {
  const before = held(call, "update");
  const after = patched(before, call.body, { mask: call.request.query.get("updateMask"), allowed: allowedFields });
  const job = accountChecked(call, checked({ ...after }));
  return saved(call, { ...job, userUpdateTime: new Date(call.host.now()).toISOString() });
}

function remove(call: RestCall) {
  call.host.state.delete(keyOf(held(call, "delete").name));
  return {};
}

const turned = (call: RestCall, verb: string, state: string): Job => saved(call, { ...held(call, verb), state });

/** Also of a paused job: a run that was asked for is no run of the schedule. */
async function run(call: RestCall): Promise<Job> {
  const job = held(call, "run");
  const { lastAttemptTime, code } = await dispatch(job, call.host);
  // It may have been changed or deleted meanwhile: then what was written stays.
  const now = call.host.state.get<Job>(keyOf(job.name));
  const told = { lastAttemptTime, status: { code } };
  return now ? saved(call, { ...now, ...told }) : { ...job, ...told };
}
