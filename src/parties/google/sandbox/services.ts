import type { Host } from "../../../sandbox/fake.ts";
import { principalOf, require_ } from "./access.ts";
import { appEngineEmail, computeEmail } from "./google-accounts.ts";
import { type RestCall, type Route, restFake } from "./rest.ts";
import { addDefaultAccount, projectOf, type StoredProject, saveProject } from "./store.ts";

const base = "^/v1/projects/([^/:]+)/services";
const path = (rest: string): RegExp => new RegExp(`${base}${rest}$`);

const routes: readonly Route[] = [
  { method: "GET", pattern: path(""), operation: "ListServices", write: false, run: list },
  { method: "GET", pattern: path(":batchGet"), operation: "BatchGetServices", write: false, run: batchGet },
  {
    method: "POST",
    pattern: path(":batchEnable"),
    operation: "BatchEnableServices",
    write: true,
    run: (call) => turn(call, namesIn(call), true),
  },
  {
    method: "GET",
    pattern: path("/([^/:]+)"),
    operation: "GetService",
    write: false,
    run: (call) => shown(held(call, "get"), call.parts[1] ?? ""),
  },
  {
    method: "POST",
    pattern: path("/([^/:]+):enable"),
    operation: "EnableService",
    write: true,
    run: (call) => turn(call, [call.parts[1] ?? ""], true),
  },
  {
    method: "POST",
    pattern: path("/([^/:]+):disable"),
    operation: "DisableService",
    write: true,
    run: (call) => turn(call, [call.parts[1] ?? ""], false),
  },
];

/** Service Usage v1 (wire.md 4.4): a project starts with every API on that the sandbox plays, but for `startsOff`. */
export const services = restFake(
  { service: "google.serviceusage", hosts: ["serviceusage.googleapis.com"], routes },
  principalOf,
);

const played = [
  ...["artifactregistry", "cloudbuild", "cloudresourcemanager", "cloudscheduler", "iam", "iamcredentials", "logging"],
  ...["monitoring", "run", "serviceusage", "storage", "sts", "workflowexecutions", "workflows"],
].map((name) => `${name}.googleapis.com`);

function held({ parts, host, principal }: RestCall, verb: string): StoredProject {
  const project = projectOf(host, parts[0] ?? "");
  require_(principal, { permission: `serviceusage.services.${verb}`, project: project.id }, host);
  return project;
}

/** Every name is answered by project number (wire.md 4.4). What the sandbox does not play is never on. */
const shown = (project: StoredProject, name: string) => ({
  name: `projects/${project.number}/services/${name}`,
  config: { name },
  state: played.includes(name) && !project.disabled.includes(name) ? "ENABLED" : "DISABLED",
  parent: `projects/${project.number}`,
});

function list(call: RestCall) {
  const project = held(call, "list");
  const all = played.map((name) => shown(project, name));
  const wanted = /state:(ENABLED|DISABLED)/.exec(call.request.query.get("filter") ?? "")?.[1];
  return { services: all.filter((service) => wanted === undefined || service.state === wanted) };
}

function batchGet(call: RestCall) {
  const project = held(call, "get");
  const names = call.request.query.getAll("names").map((name) => name.split("/").at(-1) ?? "");
  return { services: names.map((name) => shown(project, name)) };
}

const namesIn = ({ body }: RestCall): readonly string[] =>
  Array.isArray(body.serviceIds) ? body.serviceIds.map(String) : [];

/** Done at once, which gcloud takes as well as an operation to wait for (wire.md 4.4). */
function turn(call: RestCall, names: readonly string[], on: boolean) {
  const project = held(call, on ? "enable" : "disable");
  const others = project.disabled.filter((name) => !names.includes(name));
  const changed = { ...project, disabled: on ? others : [...others, ...names] };
  saveProject(call.host, changed);
  if (on) addDefaultAccounts(call.host, project, names);
  const kind = on ? "EnableServiceResponse" : "DisableServiceResponse";
  const type = `type.googleapis.com/google.api.serviceusage.v1.${kind}`;
  return {
    name: `operations/acat.p2-${project.number}-1`,
    done: true,
    response: { "@type": type, service: shown(changed, names[0] ?? "") },
  };
}

/** The accounts that come with an API: Cloud Run builds as that of Compute Engine. */
function addDefaultAccounts(host: Host, project: StoredProject, names: readonly string[]): void {
  const enables = (...apis: readonly string[]) => apis.some((api) => names.includes(`${api}.googleapis.com`));
  if (enables("run", "compute")) {
    const displayName = "Compute Engine default service account";
    addDefaultAccount(host, project, { email: computeEmail(project), displayName });
  }
  if (enables("appengine")) {
    const displayName = "App Engine default service account";
    addDefaultAccount(host, project, { email: appEngineEmail(project), displayName });
  }
}
