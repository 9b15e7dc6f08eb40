import { createHash } from "node:crypto";
import { type FakeAnswer, json } from "../../../sandbox/fake.ts";
import { holds, principalOf } from "./access.ts";
import { type RestCall, type Route, restFake } from "./rest.ts";
import { checkedPolicy, emptyPolicy, operator, type StoredPolicy } from "./store.ts";

interface StoredObject {
  readonly bucket: string;
  readonly name: string;
  readonly generation: string;
  readonly contentType: string;
  readonly updated: string;
  readonly text: string;
}

/** The object itself is served below `/download` too: `mediaLink` leads there. */
const one = /^(?:\/download)?\/storage\/v1\/b\/([^/]+)\/o\/(.+)$/;

const routes: readonly Route[] = [
  { method: "GET", pattern: /^\/storage\/v1\/b\/([^/]+)\/iam$/, operation: "GetIamPolicy", write: false, run: policy },
  {
    method: "PUT",
    pattern: /^\/storage\/v1\/b\/([^/]+)\/iam$/,
    operation: "SetIamPolicy",
    write: true,
    run: setPolicy,
  },
  {
    ...{ method: "POST", pattern: /^\/upload\/storage\/v1\/b\/([^/]+)\/o$/, operation: "InsertObject", write: true },
    ...{ media: true, run: insert },
  },
  { method: "GET", pattern: /^\/storage\/v1\/b\/([^/]+)\/o$/, operation: "ListObjects", write: false, run: list },
  { method: "GET", pattern: one, operation: "GetObject", write: false, run: get },
  { method: "DELETE", pattern: one, operation: "DeleteObject", write: true, run: remove },
];

/**
 * Cloud Storage JSON API, as far as small documents with preconditions need it: a bucket exists as soon as it is named.
 * Whoever has a token may use it until somebody sets its policy; whoever came through a pool needs a binding at once.
 */
export const storage = restFake({ service: "google.storage", hosts: ["storage.googleapis.com"], routes }, principalOf);

interface StoredBucket {
  readonly policy: StoredPolicy;
}
const bucketKey = (bucket: string): string => `google.bucket/${bucket}`;
const policyOf = ({ host }: RestCall, bucket: string): StoredPolicy | undefined =>
  host.state.get<StoredBucket>(bucketKey(bucket))?.policy;

function policy(call: RestCall) {
  const { bindings, ...rest } = policyOf(call, call.parts[0] ?? "") ?? emptyPolicy;
  return { kind: "storage#policy", ...rest, ...(bindings.length > 0 ? { bindings } : {}) };
}

/** Only the operator writes policies here. Its etag is checked like any other's (google.md 12). */
function setPolicy(call: RestCall) {
  const bucket = call.parts[0] ?? "";
  if (call.principal.member !== operator.member) return forbidden(call, "storage.buckets.setIamPolicy");
  const now = policyOf(call, bucket) ?? emptyPolicy;
  call.host.state.put(bucketKey(bucket), { policy: checkedPolicy(call.host, now, call.body as Partial<StoredPolicy>) });
  return policy(call);
}

/** The words of the JSON API for somebody who lacks a permission. */
const forbidden = ({ principal, parts }: RestCall, permission: string): FakeAnswer =>
  refusal(
    403,
    "forbidden",
    `${principal.email || principal.member} does not have ${permission} access to the Google Cloud Storage object. Permission '${permission}' denied on resource (or it may not exist): ${parts.join("/")}.`,
  );

/** The bucket's own policy, as far as it has reached everywhere; a project above it is not known here. */
function unpermitted(call: RestCall, permission: string): FakeAnswer | undefined {
  const { host, principal, parts } = call;
  const held = host.propagated.get<StoredBucket>(bucketKey(parts[0] ?? ""))?.policy;
  if (principal.member === operator.member || (!held && !principal.also)) return undefined;
  return holds(principal, permission, held?.bindings ?? []) ? undefined : forbidden(call, permission);
}

const keyOf = (bucket: string, name: string): string => `google.object/${bucket}/${name}`;

/** This API's errors have no canonical status; clients look at `reason`. */
const refusal = (code: number, reason: string, message: string): FakeAnswer =>
  json(code, { error: { code, message, errors: [{ message, domain: "global", reason }] } });
const missing = (bucket: string, name: string): FakeAnswer =>
  refusal(404, "notFound", `No such object: ${bucket}/${name}`);

/** 0 stands for "not there"; without the parameter anything holds. */
function fails({ request }: RestCall, found: StoredObject | undefined): FakeAnswer | undefined {
  const wanted = request.query.get("ifGenerationMatch");
  if (wanted === null || wanted === (found?.generation ?? "0")) return undefined;
  return refusal(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");
}

const shown = ({ text, ...rest }: StoredObject) => ({
  kind: "storage#object",
  id: `${rest.bucket}/${rest.name}/${rest.generation}`,
  ...rest,
  mediaLink: `https://storage.googleapis.com/download/storage/v1/b/${rest.bucket}/o/${encodeURIComponent(rest.name)}?generation=${rest.generation}&alt=media`,
  storageClass: "STANDARD",
  size: String(Buffer.byteLength(text)),
  md5Hash: md5(text),
});
const md5 = (text: string): string => createHash("md5").update(text).digest("base64");

function insert(call: RestCall): unknown {
  const { host, parts, request } = call;
  const [bucket = ""] = parts;
  const unfit = unpermitted(call, "storage.objects.create");
  if (unfit) return unfit;
  const name = request.query.get("name") ?? "";
  if (request.query.get("uploadType") !== "media" || name === "")
    return refusal(400, "required", "Only uploadType=media with a name is played here.");
  const refused = fails(call, host.state.get<StoredObject>(keyOf(bucket, name)));
  if (refused) return refused;
  const object: StoredObject = {
    ...{ bucket, name },
    // In life a time in microseconds; all that clients may rely on is that it is never used again.
    generation: String(1_700_000_000_000_000 + host.state.next("google.object")),
    contentType: request.headers["content-type"] ?? "application/octet-stream",
    updated: new Date(host.now()).toISOString(),
    text: request.body.toString("utf8"),
  };
  host.state.put(keyOf(bucket, name), object);
  return shown(object);
}

/** `alt=media`: the text itself, its generation and hash in headers, and plain text where it is missing. */
function get(call: RestCall): unknown {
  const { host, parts, request } = call;
  const unfit = unpermitted(call, "storage.objects.get");
  if (unfit) return unfit;
  const [bucket = "", name = ""] = parts;
  const media = request.query.get("alt") === "media";
  const found = host.view.get<StoredObject>(keyOf(bucket, name));
  if (!found) {
    if (!media) return missing(bucket, name);
    return { status: 404, headers: { "content-type": "text/html" }, body: `No such object: ${bucket}/${name}` };
  }
  if (!media) return shown(found);
  const headers = { "x-goog-generation": found.generation, "x-goog-hash": `md5=${md5(found.text)}` };
  return { status: 200, headers: { ...headers, "content-type": found.contentType }, body: found.text };
}

function list(call: RestCall): unknown {
  const { host, parts, request } = call;
  const unfit = unpermitted(call, "storage.objects.list");
  if (unfit) return unfit;
  const prefix = keyOf(parts[0] ?? "", request.query.get("prefix") ?? "");
  const items = host.view.list<StoredObject>(prefix).map(([, object]) => shown(object));
  return { kind: "storage#objects", ...(items.length > 0 ? { items } : {}) };
}

function remove(call: RestCall): unknown {
  const [bucket = "", name = ""] = call.parts;
  const unfit = unpermitted(call, "storage.objects.delete");
  if (unfit) return unfit;
  const found = call.host.state.get<StoredObject>(keyOf(bucket, name));
  if (!found) return missing(bucket, name);
  const refused = fails(call, found);
  if (refused) return refused;
  call.host.state.delete(keyOf(bucket, name));
  return { status: 204, body: "" };
}
