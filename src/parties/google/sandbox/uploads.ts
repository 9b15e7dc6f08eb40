import type { FakeRequest, Host } from "../../../sandbox/fake.ts";
import { type Hashes, hashesIn } from "./hashes.ts";
import { StorageError, type StoredObject, saveObject, type Upload } from "./objects.ts";
import type { RestCall } from "./rest.ts";

/** An upload in parts, kept as `google.upload/ID` until its last part. */
interface Session {
  readonly upload: Upload;
  readonly query: string;
  /** The blobs of what has come so far. */
  readonly blobs: readonly string[];
  readonly bytes: number;
}

interface Part {
  readonly type: string;
  readonly content: Buffer;
}

/** The resource that goes before the content. */
interface Resource {
  readonly name?: string;
  readonly contentType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly md5Hash?: string;
  readonly crc32c?: string;
}

const invalid = (says: string): StorageError => new StorageError([400, "invalid"], says);

/** Of the resource that goes before the content, else of the query and the header. */
function uploadOf(
  bucket: string,
  query: URLSearchParams,
  { resource, type, hashes }: { resource: Resource; type: string; hashes: Partial<Hashes> },
): Upload {
  const name = resource.name ?? query.get("name") ?? "";
  if (name === "") throw new StorageError([400, "required"], "Required parameter: name");
  const { metadata, md5Hash, crc32c, contentType = type } = resource;
  const said = { ...hashes, ...(md5Hash ? { md5Hash } : {}), ...(crc32c ? { crc32c } : {}) };
  return { bucket, name, contentType, said, ...(metadata ? { metadata } : {}) };
}

/**
 * A media or multipart upload as name and content; a resumable one opens a session and answers where its parts go
 * (wire.md 4.8, step 10). `save` checks what must hold before the object is replaced.
 */
export function insert(call: RestCall, checked: (upload: Upload) => void): unknown {
  const { request, parts } = call;
  const [bucket = ""] = parts;
  const type = request.headers["content-type"] ?? "application/octet-stream";
  const kind = request.query.get("uploadType");
  if (kind === "resumable") return opened(call, checked);
  const whole = (): { resource: Resource; content: Part } => {
    if (kind === "media") return { resource: {}, content: { type, content: request.body } };
    if (kind !== "multipart") throw invalid("Unknown uploadType.");
    const [first, second] = multipart(request.body, type);
    if (!first || !second) throw invalid("A multipart upload has two parts.");
    return { resource: jsonOf(first.content), content: second };
  };
  const { resource, content } = whole();
  const upload = uploadOf(bucket, request.query, {
    resource,
    type: content.type,
    hashes: hashesIn(request.headers["x-goog-hash"]),
  });
  checked(upload);
  return saveObject(call.host, upload, content.content);
}

function jsonOf(content: Buffer): Resource {
  if (content.length === 0) return {};
  try {
    return JSON.parse(content.toString("utf8")) as Resource;
  } catch {
    throw invalid("Parse Error");
  }
}

/** `multipart/related`; gcloud puts its boundary into single quotes, and they belong to it. */
function multipart(body: Buffer, type: string): readonly Part[] {
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1];
  if (boundary === undefined) throw invalid("A multipart upload names a boundary.");
  const candidates = [boundary, boundary.replace(/^'(.*)'$/, "$1")];
  const line = candidates.find((one) => body.includes(`--${one}`));
  if (line === undefined) throw invalid("The boundary does not occur.");
  const parts: Part[] = [];
  const mark = Buffer.from(`--${line}`);
  for (let at = body.indexOf(mark); ; ) {
    const next = body.indexOf(mark, at + mark.length);
    if (next < 0) return parts;
    parts.push(partOf(body.subarray(at + mark.length, next)));
    at = next;
  }
}

/** Headers, an empty line, the content; lines end with CRLF, and apitools writes bare LF. */
function partOf(raw: Buffer): Part {
  const text = raw.toString("latin1");
  const gap = /\r?\n\r?\n/.exec(text);
  if (!gap) throw invalid("A part has no headers.");
  const end = text.endsWith("\r\n") ? raw.length - 2 : raw.length - 1;
  const type = /^content-type:\s*(.+?)\s*$/im.exec(text.slice(0, gap.index))?.[1];
  return { type: type ?? "application/octet-stream", content: raw.subarray(gap.index + gap[0].length, end) };
}

function opened({ host, request, parts, body }: RestCall, checked: (upload: Upload) => void) {
  const type = request.headers["x-upload-content-type"] ?? "application/octet-stream";
  const resource = Object.keys(body).length > 0 ? (body as Resource) : jsonOf(request.body);
  const upload = uploadOf(parts[0] ?? "", request.query, {
    resource,
    type,
    hashes: hashesIn(request.headers["x-goog-hash"]),
  });
  checked(upload);
  const id = `sandbox-${host.state.next("google.upload")}`;
  const session: Session = { upload, query: request.query.toString(), blobs: [], bytes: 0 };
  host.state.put(`google.upload/${id}`, session);
  const at = originOf(request, host);
  const location = `${at}/upload/storage/v1/b/${upload.bucket}/o?uploadType=resumable&upload_id=${id}`;
  return { status: 200, headers: { location, "x-guploader-uploadid": id }, body: "" };
}

/** Where the client came to, so that its next request finds the way too. */
const originOf = (request: FakeRequest, host: Host): string =>
  request.host.startsWith("127.") ? `${host.base}/google/storage` : `https://${request.host}`;

/** 308 until the last byte is there; `*` asks how far it has come. */
export function resume(call: RestCall): unknown {
  const { host, request } = call;
  const key = `google.upload/${request.query.get("upload_id")}`;
  const session = host.state.get<Session>(key);
  if (!session) throw new StorageError([404, "notFound"], "Upload session not found.");
  const range = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(request.headers["content-range"] ?? "");
  const total = range ? range[3] : String(request.body.length);
  if (range?.[1] !== undefined && Number(range[1]) !== session.bytes)
    throw invalid("The parts do not follow each other.");
  const next: Session = {
    ...session,
    blobs: request.body.length > 0 ? [...session.blobs, host.blobs.put(request.body)] : session.blobs,
    bytes: session.bytes + request.body.length,
  };
  if (String(next.bytes) !== total) {
    host.state.put(key, next);
    const headers: Record<string, string> = next.bytes > 0 ? { range: `bytes=0-${next.bytes - 1}` } : {};
    return { status: 308, headers, body: "" };
  }
  host.state.delete(key);
  const contents = next.blobs.map((digest) => host.blobs.get(digest) ?? Buffer.alloc(0));
  // A client that has hashed while it sent says what came out with its last part.
  const said = { ...next.upload.said, ...hashesIn(request.headers["x-goog-hash"]) };
  return saveObject(host, { ...next.upload, said }, Buffer.concat(contents)) satisfies StoredObject;
}
