import type { Host } from "../../../sandbox/fake.ts";
import { principalOf, require_, requireApi } from "./access.ts";
import { GoogleError, type RestCall, type Route, restFake } from "./rest.ts";
import { projectOf } from "./store.ts";

/** Kept as `google.repository/PROJECT/REGION/ID`. */
interface StoredRepository {
  readonly name: string;
  readonly format: string;
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly createTime: string;
  readonly updateTime: string;
}

/** One for each image name, kept as `google.package/PROJECT/REGION/REPOSITORY/ID`. */
interface StoredPackage {
  readonly name: string;
  readonly createTime: string;
  readonly updateTime: string;
  readonly digests: readonly string[];
}

const base = "^/v1/projects/([^/]+)/locations/([^/]+)";
const path = (rest: string): RegExp => new RegExp(`${base}${rest}$`);

const routes: readonly Route[] = [
  { method: "POST", pattern: path("/repositories"), operation: "CreateRepository", write: true, run: create },
  { method: "GET", pattern: path("/repositories"), operation: "ListRepositories", write: false, run: list },
  {
    ...{ method: "GET", pattern: path("/repositories/([^/:]+)"), operation: "GetRepository", write: false },
    run: (call) => repository(call, "get"),
  },
  {
    method: "DELETE",
    pattern: path("/repositories/([^/:]+)"),
    operation: "DeleteRepository",
    write: true,
    run: remove,
  },
  {
    ...{ method: "GET", pattern: path("/repositories/([^/]+)/packages"), operation: "ListPackages", write: false },
    run: listPackages,
  },
  {
    ...{ method: "DELETE", pattern: path("/repositories/([^/]+)/packages/([^/:]+)"), operation: "DeletePackage" },
    ...{ write: true, run: removePackage },
  },
  { method: "GET", pattern: path("/operations/([^/]+)"), operation: "GetOperation", write: false, run: operation },
];

/** Artifact Registry v1: repositories, and in them one package for each image that was built (wire.md 4.8). */
export const artifactregistry = restFake(
  { service: "google.artifactregistry", hosts: ["artifactregistry.googleapis.com"], routes },
  principalOf,
);

function checked({ parts, host, principal }: RestCall, permission: string): string {
  const { id } = projectOf(host, parts[0] ?? "");
  requireApi(host, id, "artifactregistry.googleapis.com");
  require_(principal, { permission: `artifactregistry.${permission}`, project: id }, host);
  return id;
}

const keyOf = (project: string, { parts }: RestCall, id?: string): string =>
  `google.repository/${project}/${parts[1]}/${id ?? ""}`;
const packagesOf = (project: string, { parts }: RestCall): string =>
  `google.package/${project}/${parts[1]}/${parts[2]}/`;

function repository(call: RestCall, verb: string): StoredRepository {
  const project = checked(call, `repositories.${verb}`);
  const found = call.host.state.get<StoredRepository>(keyOf(project, call, call.parts[2]));
  if (!found) throw new GoogleError([404, "NOT_FOUND"], "Requested entity was not found.");
  return found;
}

function create(call: RestCall) {
  const { host, body, parts, request } = call;
  const project = checked(call, "repositories.create");
  const id = request.query.get("repositoryId") ?? "";
  if (!/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(id))
    throw new GoogleError([400, "INVALID_ARGUMENT"], "The repository id is not valid.");
  if (host.state.get(keyOf(project, call, id)))
    throw new GoogleError([409, "ALREADY_EXISTS"], "the repository already exists");
  const { format = "DOCKER", description, labels } = body as Partial<StoredRepository>;
  const at = new Date(host.now()).toISOString();
  const made: StoredRepository = {
    name: `projects/${project}/locations/${parts[1]}/repositories/${id}`,
    ...{ format, createTime: at, updateTime: at },
    ...(description ? { description } : {}),
    ...(labels ? { labels } : {}),
  };
  host.state.put(keyOf(project, call, id), made);
  return done(call, { "@type": "type.googleapis.com/google.devtools.artifactregistry.v1.Repository", ...made });
}

function list(call: RestCall) {
  const project = checked(call, "repositories.list");
  const found = call.host.view.list<StoredRepository>(keyOf(project, call)).map(([, one]) => one);
  return found.length > 0 ? { repositories: found } : {};
}

/** Its packages go with it. */
function remove(call: RestCall) {
  const project = projectOf(call.host, call.parts[0] ?? "").id;
  repository(call, "delete");
  for (const [key] of call.host.state.list(packagesOf(project, call))) call.host.state.delete(key);
  call.host.state.delete(keyOf(project, call, call.parts[2]));
  return done(call, { "@type": "type.googleapis.com/google.protobuf.Empty" });
}

function listPackages(call: RestCall) {
  const project = checked(call, "packages.list");
  repository(call, "get");
  const found = call.host.view.list<StoredPackage>(packagesOf(project, call)).map(([, one]) => one);
  const packages = found.map(({ name, createTime, updateTime }) => ({ name, createTime, updateTime }));
  return packages.length > 0 ? { packages } : {};
}

/** What was deployed from it runs on: Cloud Run keeps a copy of its own. */
function removePackage(call: RestCall) {
  const project = checked(call, "packages.delete");
  const key = `${packagesOf(project, call)}${call.parts[3]}`;
  const found = call.host.state.get<StoredPackage>(key);
  if (!found) throw new GoogleError([404, "NOT_FOUND"], "Requested entity was not found.");
  for (const digest of found.digests) call.host.state.delete(`google.image/${digest}`);
  call.host.state.delete(key);
  return done(call, { "@type": "type.googleapis.com/google.protobuf.Empty" });
}

/** Done at once; the answer is kept, because gcloud asks for it all the same. */
function done({ host, parts }: RestCall, response: Readonly<Record<string, unknown>>) {
  const project = projectOf(host, parts[0] ?? "").id;
  const id = `sandbox-${host.state.next("google.artifactregistry")}`;
  const name = `projects/${project}/locations/${parts[1]}/operations/${id}`;
  const made = { name, done: true, response };
  host.state.put(`google.operation/${name}`, made);
  return made;
}

function operation(call: RestCall) {
  const project = checked(call, "repositories.get");
  const name = `projects/${project}/locations/${call.parts[1]}/operations/${call.parts[2]}`;
  const found = call.host.state.get(`google.operation/${name}`);
  if (!found) throw new GoogleError([404, "NOT_FOUND"], "Requested entity was not found.");
  return found;
}

/** Notes a built image, whose repository must exist. `uri` as `REGION-docker.pkg.dev/PROJECT/REPOSITORY/PACKAGE`. */
export function savePackage(host: Host, { uri, digest }: { readonly uri: string; readonly digest: string }): void {
  const [, region, named = "", repo, id] =
    /^([a-z0-9-]+)-docker\.pkg\.dev\/([^/]+)\/([^/]+)\/([^/@:]+)$/.exec(uri) ?? [];
  if (!id) throw new GoogleError([400, "INVALID_ARGUMENT"], `Invalid image name '${uri}'.`);
  const project = projectOf(host, named).id;
  if (!host.state.get(`google.repository/${project}/${region}/${repo}`))
    throw new GoogleError([404, "NOT_FOUND"], `Repository "${repo}" not found`);
  const key = `google.package/${project}/${region}/${repo}/${id}`;
  const known = host.state.get<StoredPackage>(key);
  const at = new Date(host.now()).toISOString();
  host.state.put(key, {
    name: `projects/${project}/locations/${region}/repositories/${repo}/packages/${id}`,
    createTime: known?.createTime ?? at,
    updateTime: at,
    digests: [...new Set([...(known?.digests ?? []), digest])],
  });
}
