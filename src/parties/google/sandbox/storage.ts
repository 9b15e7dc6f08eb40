import type { FakeAnswer } from "../../../sandbox/fake.ts";
import { principalOf } from "./access.ts";
import {
  createBucket,
  deleteBucket,
  getBucket,
  getBucketPolicy,
  getStorageLayout,
  listBuckets,
  patchBucket,
  requireObject,
  setBucketPolicy,
  testBucketPermissions,
} from "./buckets.ts";
import { hashHeader } from "./hashes.ts";
import {
  contentOf,
  etagOf,
  objectKey,
  objectOf,
  StorageError,
  type StoredObject,
  saveObject,
  shownObject,
} from "./objects.ts";
import { type RestCall, type Route, restFake } from "./rest.ts";
import { insert, resume } from "./uploads.ts";

const one = /^\/storage\/v1\/b\/([^/]+)\/o\/(.+)$/;
const upload = /^\/(?:resumable\/)?upload\/storage\/v1\/b\/([^/]+)\/o$/;
const buckets = /^\/storage\/v1\/b$/;
const bucket = /^\/storage\/v1\/b\/([^/]+)$/;
const policy = /^\/storage\/v1\/b\/([^/]+)\/iam$/;

const routes: readonly Route[] = [
  ...[
    { method: "POST", pattern: buckets, operation: "CreateBucket", write: true, run: createBucket },
    { method: "GET", pattern: buckets, operation: "ListBuckets", write: false, run: listBuckets },
    { method: "GET", pattern: bucket, operation: "GetBucket", write: false, run: getBucket },
    { method: "PATCH", pattern: bucket, operation: "UpdateBucket", write: true, run: patchBucket },
    { method: "DELETE", pattern: bucket, operation: "DeleteBucket", write: true, run: deleteBucket },
    { method: "GET", pattern: policy, operation: "GetBucketIamPolicy", write: false, run: getBucketPolicy },
    { method: "PUT", pattern: policy, operation: "SetBucketIamPolicy", write: true, run: setBucketPolicy },
  ],
  {
    ...{ method: "GET", pattern: /^\/storage\/v1\/b\/([^/]+)\/storageLayout$/ },
    ...{ operation: "GetStorageLayout", write: false, run: getStorageLayout },
  },
  {
    ...{ method: "GET", pattern: /^\/storage\/v1\/b\/([^/]+)\/managedFolders$/ },
    ...{ operation: "ListManagedFolders", write: false, run: () => ({ kind: "storage#managedFolders" }) },
  },
  {
    ...{ method: "POST", pattern: /^\/storage\/v1\/b\/([^/]+)\/o\/(.+)\/rewriteTo\/b\/([^/]+)\/o\/(.+)$/ },
    ...{ operation: "RewriteObject", write: true, run: rewrite },
  },
  {
    ...{ method: "GET", pattern: /^\/storage\/v1\/b\/([^/]+)\/iam\/testPermissions$/ },
    ...{ operation: "TestBucketIamPermissions", write: false, run: testBucketPermissions },
  },
  { method: "POST", pattern: upload, operation: "InsertObject", write: true, media: true, run: put },
  {
    method: "PUT",
    pattern: upload,
    operation: "ContinueUpload",
    write: true,
    media: true,
    run: (call) => shownOr(resume(call)),
  },
  { method: "GET", pattern: /^\/storage\/v1\/b\/([^/]+)\/o$/, operation: "ListObjects", write: false, run: list },
  { method: "GET", pattern: one, operation: "GetObject", write: false, run: get },
  {
    method: "GET",
    pattern: /^\/download\/storage\/v1\/b\/([^/]+)\/o\/(.+)$/,
    operation: "GetObject",
    write: false,
    run: get,
  },
  { method: "PATCH", pattern: one, operation: "UpdateObject", write: true, run: patch },
  { method: "DELETE", pattern: one, operation: "DeleteObject", write: true, run: remove },
];

/**
 * Cloud Storage JSON API: buckets, their IAM policy, and objects with preconditions. Objects may also go where no
 * bucket was made: a bucket is there as soon as it is named, and whoever has a token may use it, save for tokens of a
 * pool; one that was made, or whose policy was set, asks for permissions.
 */
export const storage = {
  ...restFake({ service: "google.storage", hosts: ["storage.googleapis.com"], routes }, principalOf),
  maxBody: 40 * 1024 * 1024,
};

/** What an object asks of its bucket, where that was made. */
function allow(call: RestCall, verb: string): void {
  requireObject(call, `storage.objects.${verb}`, call.parts[0] ?? "");
}

const missing = (bucket: string, name: string): StorageError =>
  new StorageError([404, "notFound"], `No such object: ${bucket}/${name}`);

/** 0 stands for "not there"; without the parameter anything holds. */
function check({ request }: RestCall, found: StoredObject | undefined): void {
  const wanted = request.query.get("ifGenerationMatch");
  if (wanted === null || wanted === (found?.generation ?? "0")) return;
  throw new StorageError([412, "conditionNotMet"], "At least one of the pre-conditions you specified did not hold.");
}

function put(call: RestCall): unknown {
  allow(call, "create");
  return shownOr(insert(call, ({ bucket, name }) => check(call, objectOf(call.host.state, bucket, name))));
}

/** An upload in parts answers with a whole answer until its last one. */
const shownOr = (result: unknown): unknown =>
  typeof (result as FakeAnswer).status === "number" ? result : shownObject(result as StoredObject);

/** `alt=media`: the content itself, its generation and hash in headers, and plain text where it is missing. */
function get(call: RestCall): unknown {
  allow(call, "get");
  const { host, parts, request } = call;
  const [bucket = "", name = ""] = parts;
  const media = request.query.get("alt") === "media";
  const found = objectOf(host.view, bucket, name);
  const wanted = request.query.get("generation");
  if (!found || (wanted !== null && wanted !== found.generation)) {
    if (!media) throw missing(bucket, name);
    return { status: 404, headers: { "content-type": "text/html" }, body: `No such object: ${bucket}/${name}` };
  }
  if (!media) return shownObject(found);
  const content = contentOf(host, found);
  const headers = {
    "accept-ranges": "bytes",
    etag: etagOf(found),
    "x-goog-generation": found.generation,
    "x-goog-metageneration": String(found.metageneration ?? 1),
    "x-goog-hash": hashHeader(found),
    "x-goog-storage-class": "STANDARD",
    "x-goog-stored-content-encoding": "identity",
    "x-goog-stored-content-length": String(found.size),
  };
  const type = { "content-type": found.contentType };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  if (from === undefined) return { status: 200, headers: { ...headers, ...type }, body: content };
  // The other form, the last bytes of a content, is answered whole: a range is a wish (RFC 9110, 14.2).
  if (Number(from) >= content.length)
    return { status: 416, headers: { ...headers, "content-range": `bytes */${content.length}` }, body: "" };
  const end = Math.min(to ? Number(to) + 1 : content.length, content.length);
  const range = { "content-range": `bytes ${from}-${end - 1}/${content.length}` };
  return { status: 206, headers: { ...headers, ...type, ...range }, body: content.subarray(Number(from), end) };
}

/** A copy within the cloud, done at once. */
function rewrite(call: RestCall): unknown {
  allow(call, "get");
  const { host, parts } = call;
  const [from = "", name = "", bucket = "", copy = ""] = parts;
  allow({ ...call, parts: [bucket] }, "create");
  const found = objectOf(host.state, from, name);
  if (!found) throw missing(from, name);
  check(call, objectOf(host.state, bucket, copy));
  const { contentType, metadata } = found;
  const upload = { bucket, name: copy, contentType, ...(metadata ? { metadata } : {}) };
  const resource = shownObject(saveObject(host, upload, contentOf(host, found)));
  const { size } = resource;
  return { kind: "storage#rewriteResponse", done: true, objectSize: size, totalBytesRewritten: size, resource };
}

/** What may be said anew about a content that stays: null takes an entry away, as everywhere in this API. */
function patch(call: RestCall): unknown {
  allow(call, "update");
  const [bucket = "", name = ""] = call.parts;
  const found = objectOf(call.host.state, bucket, name);
  if (!found) throw missing(bucket, name);
  check(call, found);
  const { contentType = found.contentType, metadata } = call.body as Partial<StoredObject>;
  const merged = metadata === null ? {} : { ...found.metadata, ...metadata };
  const kept = Object.entries(merged).filter(([, value]) => value !== null);
  const next: StoredObject = {
    ...found,
    contentType,
    metadata: Object.fromEntries(kept),
    metageneration: (found.metageneration ?? 1) + 1,
    updated: new Date(call.host.now()).toISOString(),
  };
  call.host.state.put(objectKey(bucket, name), next);
  return shownObject(next);
}

/** As many as one answer holds. */
const mostListed = 1000;

/**
 * With a delimiter, what lies deeper is told by its first part alone; such a part counts as one name of the page. The
 * token of a page is the last name of the one before.
 */
function list(call: RestCall): unknown {
  allow(call, "list");
  const { host, parts, request } = call;
  const { query } = request;
  const [prefix, delimiter] = [query.get("prefix") ?? "", query.get("delimiter") ?? ""];
  const cut = (name: string): string | undefined => {
    const at = delimiter ? name.indexOf(delimiter, prefix.length) : -1;
    return at < 0 ? undefined : name.slice(0, at + delimiter.length);
  };
  const all = host.view.list<StoredObject>(objectKey(parts[0] ?? "", prefix)).map(([, object]) => object);
  const inside = all.filter(({ name }) => isBetween(name, query)).sort((one, other) => byBytes(one.name, other.name));
  const names = [...new Set(inside.map(({ name }) => cut(name) ?? name))].sort(byBytes);
  const after = Buffer.from(query.get("pageToken") ?? "", "base64url").toString();
  const left = names.filter((name) => byBytes(name, after) > 0);
  const page = left.slice(0, Math.min(Number(query.get("maxResults") ?? mostListed) || mostListed, mostListed));
  const shown = new Set(page);
  const items = inside.filter(({ name }) => cut(name) === undefined && shown.has(name)).map(shownObject);
  const prefixes = page.filter((name) => delimiter && cut(name) === name);
  const last = page.at(-1);
  const more = last !== undefined && page.length < left.length;
  return {
    kind: "storage#objects",
    ...(more ? { nextPageToken: Buffer.from(last).toString("base64url") } : {}),
    ...(items.length > 0 ? { items } : {}),
    ...(prefixes.length > 0 ? { prefixes } : {}),
  };
}

/** Names are ordered by their UTF-8, not by UTF-16. */
const byBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));

/** From `startOffset` on, and before `endOffset`. */
function isBetween(name: string, query: URLSearchParams): boolean {
  const [start, end] = [query.get("startOffset"), query.get("endOffset")];
  return (start === null || byBytes(name, start) >= 0) && (end === null || byBytes(name, end) < 0);
}

function remove(call: RestCall): unknown {
  allow(call, "delete");
  const [bucket = "", name = ""] = call.parts;
  const found = objectOf(call.host.state, bucket, name);
  const wanted = call.request.query.get("generation");
  if (!found || (wanted !== null && wanted !== found.generation)) throw missing(bucket, name);
  check(call, found);
  call.host.state.delete(objectKey(bucket, name));
  return { status: 204, body: "" };
}
