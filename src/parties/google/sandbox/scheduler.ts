import type { Host } from "../../../sandbox/fake.ts";
import { principalOf, require_, requireActAs } from "./access.ts";
import { executionsEnded } from "./execution-run.ts";
import { patched } from "./mask.ts";
import { type RestCall, type Route, restFake } from "./rest.ts";
import { nextRun, scheduleOf } from "./schedule.ts";
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
  {
    method: "POST",
    pattern: path("/([^/:]+):run"),
    operation: "RunJob",
    write: false,
    run: (call) => ran(held(call, "run"), call.host),
  },
];

/**
 * Cloud Scheduler v1: jobs that call a URL with a token of their account, on demand and when the sandbox's clock passes
 * their time (serverless.md 4, wire.md 4.10).
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

function saved({ host }: Pick<RestCall, "host">, job: Job): Job {
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

/** Also of a paused job, where somebody asks for it: that is no run of the schedule. */
async function ran(job: Job, host: Host): Promise<Job> {
  const { lastAttemptTime, code } = await dispatch(job, host);
  // It may have been changed or deleted meanwhile: then what was written stays.
  const now = host.state.get<Job>(keyOf(job.name));
  const told = { lastAttemptTime, status: { code } };
  return now ? saved({ host }, { ...now, ...told }) : { ...job, ...told };
}

/** Of all jobs that are not paused: when the next one is due after a moment, and not after another one. */
export function nextDue(span: { readonly after: number; readonly until: number }, host: Host): number | undefined {
  const times = scheduled(host).flatMap((job) => dueAt(job, span) ?? []);
  return times.length > 0 ? Math.min(...times) : undefined;
}

/** Runs every job that is due at a moment, and waits until each and whatever workflow it has started has ended. */
export async function runDue(at: number, host: Host): Promise<void> {
  const due = scheduled(host).filter((job) => dueAt(job, { after: at - 1, until: at }) === at);
  await Promise.all(due.map((job) => ran(job, host)));
  await executionsEnded(host);
}

const scheduled = (host: Host): readonly Job[] =>
  host.state.list<Job>(keyOf("")).flatMap(([, job]) => (job.state === "ENABLED" ? [job] : []));

function dueAt(job: Job, span: { readonly after: number; readonly until: number }): number | undefined {
  // A job that an older version of the sandbox has kept may have a schedule that was not looked at.
  const schedule = scheduleOf(job.schedule);
  const since = Date.parse(job.userUpdateTime ?? "");
  return schedule && nextRun(schedule, { timeZone: job.timeZone, since }, span);
}
