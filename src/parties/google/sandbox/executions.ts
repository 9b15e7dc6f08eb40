import { principalOf, require_, requireApi } from "./access.ts";
import { begin, cancel, isRunning, type StoredExecution, uuidOf } from "./execution-run.ts";
import { GoogleError, type RestCall, type Route, restFake } from "./rest.ts";
import { projectOf } from "./store.ts";
import { invalid, type StoredWorkflow, keyOf as workflowKey } from "./workflow-store.ts";

const base = "^/v1/projects/([^/]+)/locations/([^/]+)/workflows/([^/]+)/executions";
const path = (rest: string): RegExp => new RegExp(`${base}${rest}$`);

const routes: readonly Route[] = [
  { method: "POST", pattern: path(""), operation: "CreateExecution", write: true, run: create },
  { method: "GET", pattern: path(""), operation: "ListExecutions", write: false, run: list },
  {
    ...{ method: "GET", pattern: path("/([^/:]+)"), operation: "GetExecution", write: false },
    run: (call) => held(call, "get"),
  },
  { method: "POST", pattern: path("/([^/:]+):cancel"), operation: "CancelExecution", write: true, run: stop },
];

/** Workflow Executions v1 (serverless.md 5.7): executions run in the background, and faster than in life. */
export const executions = restFake(
  { service: "google.workflowexecutions", hosts: ["workflowexecutions.googleapis.com"], routes },
  principalOf,
);

/** serverless.md 5.6. */
const maxArgument = 32 * 1024;

const keyOf = (name: string): string => `google.execution/${name}`;

function workflowOf(call: RestCall, verb: string): StoredWorkflow {
  const { host, principal, parts } = call;
  const project = projectOf(host, parts[0] ?? "").id;
  requireApi(host, project, "workflowexecutions.googleapis.com");
  require_(principal, { permission: `workflows.executions.${verb}`, project }, host);
  const name = `projects/${project}/locations/${parts[1]}/workflows/${parts[2]}`;
  const found = host.state.get<StoredWorkflow>(workflowKey(name));
  if (!found) throw new GoogleError([404, "NOT_FOUND"], `Resource '${name}' was not found`);
  return found;
}

/** An execution that another process had begun does not go on in this one: its state says so. */
function held(call: RestCall, verb: string): StoredExecution {
  const { name } = workflowOf(call, verb);
  const key = keyOf(`${name}/executions/${call.parts[3]}`);
  const found = call.host.state.get<StoredExecution>(key);
  if (!found) throw new GoogleError([404, "NOT_FOUND"], "workflow execution not found");
  if (found.state !== "ACTIVE" || isRunning(call.host, found.name)) return found;
  const payload = JSON.stringify({ message: "the sandbox was stopped while this ran", tags: ["SystemError"] });
  const failed = { ...found, state: "FAILED", error: { payload, context: "" } } as const;
  call.host.state.put(key, failed);
  return failed;
}

function create(call: RestCall): StoredExecution {
  const { host, body } = call;
  const workflow = workflowOf(call, "create");
  const { argument, callLogLevel, labels } = body as Partial<StoredExecution>;
  if (argument !== undefined) checkArgument(argument);
  const at = new Date(host.now()).toISOString();
  const execution: StoredExecution = {
    name: `${workflow.name}/executions/${uuidOf(`${workflow.name}/${host.state.next(keyOf(workflow.name))}`)}`,
    state: "ACTIVE",
    createTime: at,
    startTime: at,
    workflowRevisionId: workflow.revisionId,
    ...(argument === undefined ? {} : { argument }),
    ...(callLogLevel === undefined ? {} : { callLogLevel }),
    ...(workflow.labels || labels ? { labels: { ...workflow.labels, ...labels } } : {}),
  };
  host.state.put(keyOf(execution.name), execution);
  begin({ workflow, execution, key: keyOf(execution.name) }, host);
  return execution;
}

/** JSON as a text, not as a value (serverless.md 4.2). */
function checkArgument(argument: unknown): void {
  if (typeof argument !== "string") throw invalid("argument is a JSON string.");
  if (Buffer.byteLength(argument) > maxArgument) throw invalid("The argument is larger than 32 KB.");
  try {
    JSON.parse(argument);
  } catch {
    throw invalid("argument is not JSON.");
  }
}

/** The latest first; in the basic view without what they were given and gave. */
function list(call: RestCall) {
  const { name } = workflowOf(call, "list");
  const all = call.host.view.list<StoredExecution>(keyOf(`${name}/executions/`)).map(([, execution]) => execution);
  const full = call.request.query.get("view") === "FULL";
  const shown = ({ name, state, startTime, endTime, duration, workflowRevisionId }: StoredExecution) => ({
    ...{ name, state, startTime, endTime, duration, workflowRevisionId },
  });
  const executions = all.reverse().map((execution) => (full ? execution : shown(execution)));
  return executions.length > 0 ? { executions } : {};
}

async function stop(call: RestCall): Promise<StoredExecution> {
  const { name, state } = held(call, "cancel");
  if (state !== "ACTIVE") throw new GoogleError([400, "FAILED_PRECONDITION"], "The execution has ended already.");
  await cancel(call.host, name);
  return held(call, "cancel");
}
