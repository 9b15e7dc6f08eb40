import { createHash } from "node:crypto";
import { principalOf, require_, requireActAs, requireApi } from "./access.ts";
import { patched } from "./mask.ts";
import { GoogleError, type RestCall, type Route, restFake } from "./rest.ts";
import { projectOf } from "./store.ts";
import { checkWorkflow, invalid, keyOf, type StoredWorkflow } from "./workflow-store.ts";

const location = "^/v1/projects/([^/]+)/locations/([^/]+)";
const path = (rest: string): RegExp => new RegExp(`${location}${rest}$`);
const one = path("/workflows/([^/:]+)");

const routes: readonly Route[] = [
  { method: "POST", pattern: path("/workflows"), operation: "CreateWorkflow", write: true, run: create },
  { method: "GET", pattern: path("/workflows"), operation: "ListWorkflows", write: false, run: list },
  { method: "GET", pattern: one, operation: "GetWorkflow", write: false, run: (call) => held(call, "get") },
  { method: "PATCH", pattern: one, operation: "UpdateWorkflow", write: true, run: update },
  { method: "DELETE", pattern: one, operation: "DeleteWorkflow", write: true, run: remove },
  {
    ...{ method: "GET", pattern: path("/operations/(workflow-[^/:]+)"), operation: "GetOperation", write: false },
    run: operation,
  },
];

/** Workflows v1 (serverless.md 5.7, wire.md 4.9): a source that cannot run is refused when it is deployed. */
export const workflows = restFake(
  { service: "google.workflows", hosts: ["workflows.googleapis.com"], routes },
  principalOf,
);

const parentOf = ({ host, parts: [project = "", place] }: RestCall): string =>
  `projects/${projectOf(host, project).id}/locations/${place}`;

function allowed({ host, parts: [project = ""], principal }: RestCall, permission: string): void {
  requireApi(host, project, "workflows.googleapis.com");
  require_(principal, { permission: `workflows.${permission}`, project }, host);
}

function held(call: RestCall, verb: string): StoredWorkflow {
  allowed(call, `workflows.${verb}`);
  const name = `${parentOf(call)}/workflows/${call.parts[2]}`;
  const found = call.host.state.get<StoredWorkflow>(keyOf(name));
  if (!found) throw new GoogleError([404, "NOT_FOUND"], `Resource '${name}' was not found`);
  return found;
}

function create(call: RestCall) {
  const { host, body } = call;
  allowed(call, "workflows.create");
  const id = call.request.query.get("workflowId") ?? "";
  if (!/^[A-Za-z](?:[\w-]{0,62}[A-Za-z0-9])?$/.test(id)) throw invalid("workflow_id is not a valid one");
  const name = `${parentOf(call)}/workflows/${id}`;
  if (host.state.get(keyOf(name))) throw new GoogleError([409, "ALREADY_EXISTS"], `Resource '${name}' already exists`);
  const empty = {
    name,
    state: "ACTIVE",
    createTime: nowOf(call),
    sourceContents: "",
    serviceAccount: "",
    revisionId: "",
  };
  const unknown = Object.keys(body).find((field) => field !== "name" && !fields.includes(field));
  if (unknown !== undefined) throw invalid(`The field ${unknown} is not played.`);
  const made = checked(call, patched(empty, body, { mask: null, allowed: fields }));
  return written(call, "create", { ...made, ...revisionAfter(call, "000000", made) });
}

function list(call: RestCall) {
  allowed(call, "workflows.list");
  const found = call.host.view.list<StoredWorkflow>(keyOf(`${parentOf(call)}/workflows/`));
  return found.length > 0 ? { workflows: found.map(([, workflow]) => workflow) } : {};
}

const fields = [
  ...["description", "labels", "serviceAccount", "sourceContents"],
  ...["callLogLevel", "executionHistoryLevel", "userEnvVars"],
];

/** A new revision comes of another source or another account alone (serverless.md 5.7). */
function update(call: RestCall) {
  const before = held(call, "update");
  const mask = call.request.query.get("updateMask");
  const after = checked(call, patched(before, call.body, { mask, allowed: fields }));
  const moved = after.sourceContents !== before.sourceContents || after.serviceAccount !== before.serviceAccount;
  return written(call, "update", { ...after, ...(moved ? revisionAfter(call, before.revisionId, after) : {}) });
}

function remove(call: RestCall) {
  const { name } = held(call, "delete");
  call.host.state.delete(keyOf(name));
  return started(call, {
    verb: "delete",
    target: name,
    response: { "@type": "type.googleapis.com/google.protobuf.Empty" },
  });
}

const nowOf = ({ host }: RestCall): string => new Date(host.now()).toISOString();

/** Whoever deploys must be allowed to act as the workflow's account, the project's default one where none is named. */
function checked(call: RestCall, workflow: StoredWorkflow): StoredWorkflow {
  const { number } = projectOf(call.host, call.parts[0] ?? "");
  const email = workflow.serviceAccount.split("/").at(-1) || `${number}-compute@developer.gserviceaccount.com`;
  const account = requireActAs(call.principal, email, call.host);
  checkWorkflow(workflow);
  return { ...workflow, serviceAccount: `projects/${account.project}/serviceAccounts/${account.email}` };
}

/** `000002-a4d`: an ordinal number and three hexadecimal characters. */
function revisionAfter(call: RestCall, before: string, { sourceContents, serviceAccount }: StoredWorkflow) {
  const ordinal = String(Number(before.slice(0, 6)) + 1).padStart(6, "0");
  const digest = createHash("sha256").update(`${ordinal}/${serviceAccount}/${sourceContents}`).digest("hex");
  return { revisionId: `${ordinal}-${digest.slice(0, 3)}`, revisionCreateTime: nowOf(call) };
}

function written(call: RestCall, verb: string, workflow: StoredWorkflow) {
  const made = { ...workflow, updateTime: nowOf(call) };
  call.host.state.put(keyOf(made.name), made);
  const response = { "@type": "type.googleapis.com/google.cloud.workflows.v1.Workflow", ...made };
  return started(call, { verb, target: made.name, response });
}

interface Work {
  readonly verb: string;
  readonly target: string;
  readonly response: object;
}

/** Told as begun; whoever asks again hears that it is done (wire.md 4.9: gcloud always asks again). */
function started(call: RestCall, { verb, target, response }: Work) {
  const { host } = call;
  const name = `${parentOf(call)}/operations/workflow-${host.state.next("google.workflow.operation")}`;
  const times = { createTime: nowOf(call), endTime: nowOf(call) };
  const type = "type.googleapis.com/google.cloud.workflows.v1.OperationMetadata";
  const metadata = { "@type": type, target, verb, apiVersion: "v1", ...times };
  host.state.put(`google.operation/${name}`, { name, metadata, done: true, response });
  return { name, metadata: { ...metadata, endTime: undefined } };
}

function operation(call: RestCall): unknown {
  allowed(call, "operations.get");
  const found = call.host.state.get(`google.operation/${parentOf(call)}/operations/${call.parts[2]}`);
  if (!found) throw new GoogleError([404, "NOT_FOUND"], "Operation not found.");
  return found;
}
