import type { Host } from "../../../sandbox/fake.ts";
import { require_ } from "./access.ts";
import { denyPolicyKey, type StoredDenyPolicy } from "./deny-rules.ts";
import { GoogleError, type RestCall, type Route } from "./rest.ts";
import { projectOf, sameEtag } from "./store.ts";

const root = String.raw`^/v2/policies/cloudresourcemanager\.googleapis\.com/projects/([^/]+)/denypolicies`;
const one = `${root}/([a-z0-9.-]+)`;

/** IAM v2: deny policies of projects (google.md 3.1). Only those of an organization have any. */
export const denyPolicyRoutes: readonly Route[] = [
  { method: "POST", pattern: new RegExp(`${root}$`), operation: "CreatePolicy", write: true, run: create },
  { method: "GET", pattern: new RegExp(`${root}$`), operation: "ListPolicies", write: false, run: list },
  {
    method: "GET",
    pattern: new RegExp(`${one}$`),
    operation: "GetPolicy",
    write: false,
    run: (call) => shown(found(call)),
  },
  { method: "PUT", pattern: new RegExp(`${one}$`), operation: "UpdatePolicy", write: true, run: update },
  { method: "DELETE", pattern: new RegExp(`${one}$`), operation: "DeletePolicy", write: true, run: remove },
];

function projectFor({ parts, host, principal }: RestCall, verb: string): string {
  const { id, noOrganization } = projectOf(host, parts[0] ?? "");
  if (noOrganization)
    throw new GoogleError([403, "PERMISSION_DENIED"], `Permission iam.googleapis.com/denypolicies.${verb} denied.`);
  require_(principal, { permission: `iam.denypolicies.${verb}`, project: id }, host);
  return id;
}

function found(call: RestCall, verb = "get"): StoredDenyPolicy {
  const stored = call.host.state.get<StoredDenyPolicy>(denyPolicyKey(projectFor(call, verb), call.parts[1]));
  if (!stored) throw new GoogleError([404, "NOT_FOUND"], "Requested entity was not found.");
  return stored;
}

const shown = ({ id, number, ...rest }: StoredDenyPolicy) => ({
  name: `policies/cloudresourcemanager.googleapis.com%2Fprojects%2F${number}/denypolicies/${id}`,
  kind: "DenyPolicy",
  ...rest,
});

const nextEtag = (host: Host): string => Buffer.from(`deny/${host.state.next("denyPolicy")}`).toString("base64");

function saved(host: Host, project: string, policy: StoredDenyPolicy) {
  host.state.put(denyPolicyKey(project, policy.id), policy);
  return done(shown(policy));
}

/** Done at once: how long a real one takes is not known. */
const done = (policy: { name: string }) => ({
  ...{ name: `${policy.name}/operations/sandbox`, done: true },
  response: { "@type": "type.googleapis.com/google.iam.v2.Policy", ...policy },
});

function create(call: RestCall) {
  const project = projectFor(call, "create");
  const id = call.request.query.get("policyId") ?? "";
  if (!/^[a-z][a-z0-9.-]{2,62}$/.test(id)) throw new GoogleError([400, "INVALID_ARGUMENT"], "Invalid policy id.");
  if (call.host.state.get(denyPolicyKey(project, id)))
    throw new GoogleError([409, "ALREADY_EXISTS"], "Requested entity already exists");
  const { number } = projectOf(call.host, project);
  return saved(call.host, project, { ...fieldsOf(call), id, number, etag: nextEtag(call.host) });
}

const fieldsOf = ({ body }: RestCall) => {
  const { displayName, annotations, rules } = body as Partial<StoredDenyPolicy>;
  if ((displayName ?? "").length > 63)
    throw new GoogleError([400, "INVALID_ARGUMENT"], "The display name is longer than 63 characters.");
  return { displayName: displayName ?? "", annotations: annotations ?? {}, rules: rules ?? [] };
};

/** The etag stands inside, and a stale one is refused (google.md 12). */
function update(call: RestCall) {
  const stored = found(call, "update");
  const { etag } = call.body as { etag?: string };
  if (etag && !sameEtag(etag, stored.etag))
    throw new GoogleError([409, "ABORTED"], "There were concurrent policy changes.");
  const project = projectOf(call.host, call.parts[0] ?? "").id;
  return saved(call.host, project, { ...stored, ...fieldsOf(call), etag: nextEtag(call.host) });
}

function list(call: RestCall) {
  const all = call.host.view
    .list<StoredDenyPolicy>(denyPolicyKey(projectFor(call, "list")))
    .map(([, policy]) => shown(policy));
  return all.length > 0 ? { policies: all } : {};
}

function remove(call: RestCall) {
  const stored = found(call, "delete");
  const etag = call.request.query.get("etag");
  if (etag && !sameEtag(etag, stored.etag))
    throw new GoogleError([409, "ABORTED"], "There were concurrent policy changes.");
  call.host.state.delete(denyPolicyKey(projectOf(call.host, call.parts[0] ?? "").id, stored.id));
  return done(shown(stored));
}
