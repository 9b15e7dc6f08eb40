import { createHash } from "node:crypto";
import type { Host } from "../../../../sandbox/fake.ts";
import { may, principalOf, require_, requireApi } from "../access.ts";
import { GoogleError, type RestCall, type Route, restFake } from "../rest.ts";
import { accountOf, checkedPolicy, emptyPolicy, projectOf, type StoredPolicy } from "../store.ts";
import { submitBuild } from "./builds.ts";
import { imageOf, revisionName, shown } from "./knative.ts";
import { programKey } from "./program.ts";
import { regions } from "./regions.ts";
import { keyOf, type StoredService, saveService, servicesOf, type Template } from "./store.ts";

const knative = "^/apis/serving\\.knative\\.dev/v1/namespaces/([^/]+)/services";
const one = new RegExp(`${knative}/([^/]+)$`);
const policy = (verb: string): RegExp =>
  new RegExp(`^/v1/projects/([^/]+)/locations/([^/]+)/services/([^/:]+):${verb}$`);

const routes: readonly Route[] = [
  { method: "POST", pattern: new RegExp(`${knative}$`), operation: "CreateService", write: true, run: create },
  { method: "GET", pattern: new RegExp(`${knative}$`), operation: "ListServices", write: false, run: list },
  {
    ...{ method: "GET", pattern: /^\/v1\/projects\/([^/]+)\/locations\/([^/]+)\/services$/ },
    ...{ operation: "ListServices", write: false, run: list },
  },
  {
    ...{ method: "GET", pattern: one, operation: "GetService", write: false },
    run: (call) => shown(call.host, held(call, "get")),
  },
  { method: "PUT", pattern: one, operation: "ReplaceService", write: true, run: replace },
  { method: "DELETE", pattern: one, operation: "DeleteService", write: true, run: remove },
  {
    ...{ method: "GET", pattern: policy("getIamPolicy"), operation: "GetIamPolicy", write: false },
    run: (call) => policyOf(located(call, "getIamPolicy").policy),
  },
  { method: "POST", pattern: policy("setIamPolicy"), operation: "SetIamPolicy", write: true, run: setPolicy },
  { method: "POST", pattern: policy("testIamPermissions"), operation: "TestIamPermissions", write: false, run: test },
  {
    ...{ method: "POST", pattern: /^\/v2\/projects\/([^/]+)\/locations\/([^/]+)\/builds:submit$/ },
    ...{ operation: "SubmitBuild", write: true, run: submitBuild },
  },
];

/**
 * Cloud Run Admin: the Knative v1 API that gcloud speaks, and builds of v2 (wire.md 4.8). A regional host is the
 * region of what it names; the global one lists all of them.
 */
export const run = restFake(
  {
    service: "google.run",
    hosts: ["run.googleapis.com", ...regions.map((region) => `${region}-run.googleapis.com`)],
    routes,
  },
  principalOf,
);

const invalid = (says: string): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], says);

/** Undefined at the global host and below a prefix. */
const regionOf = ({ request }: RestCall): string | undefined =>
  /^([a-z0-9-]+)-run\.googleapis\.com/.exec(request.host)?.[1];

function projectFor({ host, principal, parts }: RestCall, permission: string): string {
  const { id } = projectOf(host, parts[0] ?? "");
  requireApi(host, id, "run.googleapis.com");
  // On a service of its own policy this is asked again, with that policy.
  if (/^run\.services\.(create|list)$/.test(permission)) require_(principal, { permission, project: id }, host);
  return id;
}

const notThere = ({ project, region, name }: Pick<StoredService, "project" | "region" | "name">): GoogleError =>
  new GoogleError(
    [404, "NOT_FOUND"],
    `Resource '${name}' of kind 'SERVICE' in region '${region}' in project '${project}' does not exist.`,
  );

/** The service that a Knative path names, once its caller may see it. */
function held(call: RestCall, verb: string): StoredService {
  const region = regionOf(call) ?? "global";
  return found(call, { region, name: call.parts[1] ?? "", verb });
}

/** The same for the paths that name the region. */
const located = (call: RestCall, verb: string): StoredService =>
  found(call, { region: call.parts[1] ?? "", name: call.parts[2] ?? "", verb });

function found(call: RestCall, { region, name, verb }: { region: string; name: string; verb: string }): StoredService {
  const permission = `run.services.${verb}`;
  const project = projectFor(call, permission);
  const view = verb === "get" ? call.host.view : call.host.state;
  const service = view.get<StoredService>(keyOf({ project, region, name }));
  require_(call.principal, { permission, project, on: service }, call.host);
  if (!service) throw notThere({ project, region, name });
  return service;
}

/** The part of a Knative service that a write may change. */
interface Given {
  readonly metadata?: {
    readonly name?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly template?: Template };
}

function create(call: RestCall) {
  const { host, body } = call;
  const region = regionOf(call);
  if (region === undefined) throw invalid("A service is created at its region's endpoint.");
  const project = projectFor(call, "run.services.create");
  const given = body as Given;
  const name = given.metadata?.name ?? "";
  if (!/^[a-z]([-a-z0-9]{0,47}[a-z0-9])?$/.test(name))
    throw invalid(
      `metadata.name: The service name '${name}' must be at most 49 lower-case letters, digits and dashes.`,
    );
  if (host.state.get(keyOf({ project, region, name })))
    throw new GoogleError([409, "ALREADY_EXISTS"], `Resource '${name}' already exists.`);
  const template = given.spec?.template ?? {};
  checkTemplate(call, { project, template });
  const uid = createHash("sha256")
    .update(`run/${host.state.next("google.run")}`)
    .digest("hex");
  const service: StoredService = {
    ...{ project, region, name, uid: uid.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, "$1-$2-$3-$4-$5") },
    ...{ created: host.now(), generation: 1, resourceVersion: versionOf(host), policy: emptyPolicy },
    ...described(given, template),
    ...{ creator: call.principal.email, modifier: call.principal.email },
    revision: revisionName(name, 1, template),
    ...troubleOf(host, template),
  };
  saveService(host, service);
  return shown(host, service);
}

/** Opaque to clients, and never the same twice. */
const versionOf = (host: Host): string => `AAY${host.state.next("google.run.version").toString(36).padStart(6, "0")}`;

/** What Google itself adds is left out: it is added again when the service is shown. */
function described({ metadata = {} }: Given, template: Template) {
  const { "cloud.googleapis.com/location": _, ...labels } = metadata.labels ?? {};
  const {
    "run.googleapis.com/ingress-status": __,
    "run.googleapis.com/urls": ___,
    ...annotations
  } = metadata.annotations ?? {};
  return { labels, annotations, template };
}

/** An image that nobody built fails the revision and not the call, as it does in life; the words are approximate. */
const troubleOf = (host: Host, template: Template): { readonly trouble?: string } =>
  imageOf(host, template) ? {} : { trouble: `Image '${template.spec?.containers?.[0]?.image}' not found.` };

/** Whoever deploys must be allowed to act as what runs. */
function checkTemplate(
  { host, principal }: RestCall,
  { project, template }: { readonly project: string; readonly template: Template },
): void {
  const { containers = [], serviceAccountName } = template.spec ?? {};
  if (containers.length !== 1) throw invalid("Exactly one container is played here.");
  if (containers[0]?.env?.some(({ valueFrom }) => valueFrom !== undefined))
    throw invalid("Secrets as environment variables are not played here.");
  const email = serviceAccountName ?? `${projectOf(host, project).number}-compute@developer.gserviceaccount.com`;
  const account = accountOf(host.state, email);
  const wanted = { permission: "iam.serviceAccounts.actAs", project: account?.project ?? project, account };
  if (account && may(principal, wanted, host)) return;
  throw new GoogleError(
    [403, "PERMISSION_DENIED"],
    `Permission 'iam.serviceaccounts.actAs' denied on service account ${email} (or it may not exist).`,
  );
}

/** A new revision only where the template changed; who wrote meanwhile is found by the version. */
function replace(call: RestCall) {
  const { host, body } = call;
  const before = held(call, "update");
  const given = body as Given;
  const seen = given.metadata?.resourceVersion;
  if (seen !== undefined && seen !== before.resourceVersion)
    throw new GoogleError(
      [409, "ABORTED"],
      `Conflict for resource '${before.name}': version '${seen}' was specified but current version is '${before.resourceVersion}'.`,
    );
  const template = given.spec?.template ?? {};
  checkTemplate(call, { project: before.project, template });
  const same = JSON.stringify(template) === JSON.stringify(before.template);
  const generation = before.generation + 1;
  const { trouble: _, ...kept } = before;
  const service: StoredService = {
    ...kept,
    ...{ generation, resourceVersion: versionOf(host), ...described(given, template) },
    modifier: call.principal.email,
    revision: same ? before.revision : revisionName(before.name, generation, template),
    ...troubleOf(host, template),
  };
  saveService(host, service);
  return shown(host, service);
}

function list(call: RestCall) {
  const project = projectFor(call, "run.services.list");
  // `-` stands for all regions, and so does the global host without a region in the path.
  const named = call.parts[1] === "-" ? undefined : call.parts[1];
  const region = regionOf(call) ?? named;
  const all = servicesOf(call.host.view, project).filter(
    (service) => region === undefined || service.region === region,
  );
  return {
    ...{ apiVersion: "serving.knative.dev/v1", kind: "ServiceList", metadata: {} },
    items: all.map((service) => shown(call.host, service)),
  };
}

/** Its process ends with it. */
function remove(call: RestCall) {
  const service = held(call, "delete");
  call.host.state.delete(keyOf(service));
  call.host.programs.end(programKey(service));
  return { kind: "Status", apiVersion: "v1", status: "Success", details: { name: service.name, kind: "Service" } };
}

const policyOf = (policy: StoredPolicy) => ({
  ...policy,
  ...(policy.bindings.length > 0 ? {} : { bindings: undefined }),
});

function setPolicy(call: RestCall) {
  const service = located(call, "setIamPolicy");
  const policy = checkedPolicy(call.host, service.policy, (call.body.policy ?? {}) as Partial<StoredPolicy>);
  saveService(call.host, { ...service, policy });
  return policyOf(policy);
}

function test(call: RestCall) {
  const { host, parts, body, principal } = call;
  const project = projectFor(call, "run.services.test");
  const on = host.state.get<StoredService>(keyOf({ project, region: parts[1] ?? "", name: parts[2] ?? "" }));
  const asked = Array.isArray(body.permissions) ? body.permissions.map(String) : [];
  const permissions = asked.filter((permission) => may(principal, { permission, project, on }, host));
  return permissions.length > 0 ? { permissions } : {};
}
