import { may, requireApi } from "./access.ts";
import { StorageError } from "./objects.ts";
import { GoogleError, type RestCall } from "./rest.ts";
import { checkedPolicy, emptyPolicy, nextPolicy, projectOf, type StoredPolicy, type StoredProject } from "./store.ts";

/** Kept as `google.bucket/NAME`: names are one space for all projects. */
export interface StoredBucket {
  readonly name: string;
  readonly project: string;
  readonly created: string;
  readonly updated: string;
  readonly metageneration: number;
  /** As it was sent: location, labels, lifecycle, iamConfiguration and the like. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly policy: StoredPolicy;
}

const keyOf = (name: string): string => `google.bucket/${name}`;

/** Undefined for a bucket that was only named. */
export const bucketOf = ({ host }: RestCall, name: string): StoredBucket | undefined =>
  host.state.get<StoredBucket>(keyOf(name));

/** A token of a pool goes nowhere without a binding, as little as to a bucket that was never made; others may use that. */
export function requireObject(call: RestCall, permission: string, name: string): void {
  const made = bucketOf(call, name);
  if (!made && !call.principal.also) return;
  if (!made) throw forbidden(call, permission);
  const policy = call.host.propagated.get<StoredBucket>(keyOf(name))?.policy ?? emptyPolicy;
  requireOn(call, permission, { ...made, policy });
}

/** Throws the 403 in this API's own words. */
export function requireOn(call: RestCall, permission: string, bucket: StoredBucket): void {
  requireApi(call.host, bucket.project, "storage.googleapis.com");
  if (may(call.principal, { permission, project: bucket.project, on: bucket }, call.host)) return;
  throw forbidden(call, permission);
}

const forbidden = ({ principal }: RestCall, permission: string): StorageError =>
  new StorageError(
    [403, "forbidden"],
    `${principal.email || principal.member} does not have ${permission} access to the Google Cloud Storage bucket. Permission '${permission}' denied on resource (or it may not exist).`,
  );

/** The bucket a call names, once its caller may do this. */
function held(call: RestCall, permission: string): StoredBucket {
  const bucket = bucketOf(call, call.parts[0] ?? "");
  if (!bucket) throw new StorageError([404, "notFound"], "The specified bucket does not exist.");
  requireOn(call, permission, bucket);
  const wanted = call.request.query.get("ifMetagenerationMatch");
  if (wanted !== null && wanted !== String(bucket.metageneration)) throw unmet();
  return bucket;
}

const unmet = (): StorageError =>
  new StorageError([412, "conditionNotMet"], "At least one of the pre-conditions you specified did not hold.");

const shown = (call: RestCall, { name, project, created, updated, metageneration, fields }: StoredBucket) => ({
  kind: "storage#bucket",
  id: name,
  selfLink: `https://www.googleapis.com/storage/v1/b/${name}`,
  ...fields,
  name,
  projectNumber: projectOf(call.host, project).number,
  ...{ metageneration: String(metageneration), etag: `CA${metageneration}=`, timeCreated: created, updated },
});

/** Without fine-grained access there are no ACLs, so these four bindings are all that a new bucket has. */
const first = (project: string) => [
  {
    role: "roles/storage.legacyBucketOwner",
    members: [`projectEditor:${project}`, `projectOwner:${project}`],
  },
  { role: "roles/storage.legacyBucketReader", members: [`projectViewer:${project}`] },
];

export function createBucket(call: RestCall): unknown {
  const { host, body, request, principal } = call;
  const project = projectOf(host, request.query.get("project") ?? "").id;
  requireApi(host, project, "storage.googleapis.com");
  if (!may(principal, { permission: "storage.buckets.create", project }, host))
    throw forbidden(call, "storage.buckets.create");
  const { name = "", ...given } = body as { name?: string };
  if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/.test(name) || name.includes("google") || name.startsWith("goog"))
    throw new StorageError([400, "invalid"], `Invalid bucket name: '${name}'`);
  const known = bucketOf(call, name);
  if (known) throw taken(known.project === project);
  const at = new Date(host.now()).toISOString();
  const bucket: StoredBucket = {
    ...{ name, project, created: at, updated: at, metageneration: 1, policy: nextPolicy(host, first(project), 1) },
    fields: { ...defaults, ...given, ...configuration({}, given), ...placeOf(given) },
  };
  host.state.put(keyOf(name), bucket);
  return shown(call, bucket);
}

/** Names are the world's: one that another project has is refused in other words. */
const taken = (own: boolean): StorageError =>
  new StorageError(
    [409, "conflict"],
    own
      ? "Your previous request to create the named bucket succeeded and you already own it."
      : "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
  );

const defaults = { storageClass: "STANDARD", softDeletePolicy: { retentionDurationSeconds: "604800" } };

function placeOf(given: { readonly location?: unknown }) {
  const location = String(given.location ?? "US").toUpperCase();
  return { location, locationType: /^(US|EU|ASIA)$/.test(location) ? "multi-region" : "region" };
}

/** Both halves are always shown; `lockedTime` is when uniform access can no longer be taken back. */
function configuration(before: Fields, given: Fields) {
  type Access = { uniformBucketLevelAccess?: { enabled?: boolean }; publicAccessPrevention?: string };
  const access = { ...(before.iamConfiguration as Access), ...(given.iamConfiguration as Access) };
  const uniform = { enabled: false, ...access.uniformBucketLevelAccess };
  const prevention = access.publicAccessPrevention ?? "inherited";
  return {
    iamConfiguration: { ...access, uniformBucketLevelAccess: uniform, publicAccessPrevention: prevention },
  };
}

type Fields = Readonly<Record<string, unknown>>;

export function listBuckets(call: RestCall): unknown {
  const { host, request, principal } = call;
  const project = projectOf(host, request.query.get("project") ?? "").id;
  requireApi(host, project, "storage.googleapis.com");
  if (!may(principal, { permission: "storage.buckets.list", project }, host))
    throw forbidden(call, "storage.buckets.list");
  const prefix = keyOf(request.query.get("prefix") ?? "");
  const items = host.view
    .list<StoredBucket>(prefix)
    .flatMap(([, one]) => (one.project === project ? [shown(call, one)] : []));
  return { kind: "storage#buckets", ...(items.length > 0 ? { items } : {}) };
}

/** gcloud asks it before it takes folders away: there are none here but in names. */
export function getStorageLayout(call: RestCall): unknown {
  const { name, fields } = held(call, "storage.buckets.get");
  const { location, locationType } = fields;
  const hierarchicalNamespace = { enabled: false };
  return { kind: "storage#storageLayout", bucket: name, location, locationType, hierarchicalNamespace };
}

export const getBucket = (call: RestCall): unknown => shown(call, held(call, "storage.buckets.get"));

/** What a client sends back as it read it, and what no write changes. */
const fixed = [
  ...["kind", "id", "selfLink", "name", "projectNumber", "metageneration", "etag", "timeCreated", "updated"],
  ...["location", "locationType"],
];

/** JSON merge patch: null takes a field or a label away. */
export function patchBucket(call: RestCall): unknown {
  const bucket = held(call, "storage.buckets.update");
  const { labels, ...all } = call.body as { labels?: Readonly<Record<string, string | null>> };
  const rest = Object.fromEntries(Object.entries(all).filter(([name]) => !fixed.includes(name)));
  const merged = labels === undefined ? {} : { labels: without({ ...(bucket.fields.labels as Fields), ...labels }) };
  const fields = without({ ...bucket.fields, ...rest, ...configuration(bucket.fields, rest), ...merged });
  const updated = new Date(call.host.now()).toISOString();
  const next = { ...bucket, fields, updated, metageneration: bucket.metageneration + 1 };
  call.host.state.put(keyOf(bucket.name), next);
  return shown(call, next);
}

const without = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));

export function deleteBucket(call: RestCall): unknown {
  const { name } = held(call, "storage.buckets.delete");
  if (call.host.state.list(`google.object/${name}/`).length > 0)
    throw new StorageError([409, "conflict"], "The bucket you tried to delete is not empty.");
  call.host.state.delete(keyOf(name));
  return { status: 204, body: "" };
}

const policyShown = ({ name, policy }: StoredBucket) => ({
  kind: "storage#policy",
  resourceId: `projects/_/buckets/${name}`,
  ...policy,
  bindings: policy.bindings.length > 0 ? policy.bindings : undefined,
});

export const getBucketPolicy = (call: RestCall): unknown => policyShown(named(call, "storage.buckets.getIamPolicy"));

/** The same for one that was only named: to its policy it is there, belongs to the first project, and has no bindings. */
function named(call: RestCall, permission: string): StoredBucket {
  const { host, parts } = call;
  const [name = ""] = parts;
  if (bucketOf(call, name)) return held(call, permission);
  const project = host.state.list<StoredProject>("google.project/")[0]?.[1].id ?? "acme-prod";
  const at = new Date(host.now()).toISOString();
  const bucket: StoredBucket = {
    ...{ name, project, created: at, updated: at, metageneration: 1, policy: emptyPolicy },
    fields: { ...defaults, ...configuration({}, {}), ...placeOf({}) },
  };
  requireOn(call, permission, bucket);
  return bucket;
}

/** A stale etag is a failed precondition here, where other services say `ABORTED`. */
export function setBucketPolicy(call: RestCall): unknown {
  const bucket = named(call, "storage.buckets.setIamPolicy");
  const given = call.body as Partial<StoredPolicy>;
  const { iamConfiguration } = bucket.fields as { iamConfiguration?: { publicAccessPrevention?: string } };
  const open = (given.bindings ?? []).some(({ members }) =>
    members.some((one) => /^all(Authenticated)?Users$/.test(one)),
  );
  if (open && iamConfiguration?.publicAccessPrevention === "enforced")
    throw new StorageError(
      [412, "conditionNotMet"],
      "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced.",
    );
  const next = { ...bucket, policy: newPolicy(call, bucket, given) };
  call.host.state.put(keyOf(bucket.name), next);
  return policyShown(next);
}

function newPolicy({ host }: RestCall, bucket: StoredBucket, given: Partial<StoredPolicy>): StoredPolicy {
  try {
    return checkedPolicy(host, bucket.policy, given);
  } catch (error) {
    if (error instanceof GoogleError && error.canonical === "ABORTED") throw unmet();
    if (error instanceof GoogleError) throw new StorageError([error.status, "invalid"], error.message);
    throw error;
  }
}

export function testBucketPermissions(call: RestCall): unknown {
  const bucket = bucketOf(call, call.parts[0] ?? "");
  if (!bucket) throw new StorageError([404, "notFound"], "The specified bucket does not exist.");
  const asked = call.request.query.getAll("permissions");
  const held = asked.filter((permission) =>
    may(call.principal, { permission, project: bucket.project, on: bucket }, call.host),
  );
  return { kind: "storage#testIamPermissionsResponse", ...(held.length > 0 ? { permissions: held } : {}) };
}
