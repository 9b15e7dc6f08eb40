import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { FakeRequest } from "../../../sandbox/fake.ts";
import { AwsError } from "./query.ts";

/** Who claims to have signed: the key is looked up before the claim can be checked, hence `verify`. */
export interface SignedBy {
  readonly accessKeyId: string;
  /** The Region that it was signed for. */
  readonly region: string;
  /** Only temporary keys come with one. */
  readonly sessionToken: string | undefined;
  /** Checks the signature against the key's secret; throws SignatureDoesNotMatch. */
  verify(secret: string): void;
}

/**
 * Signature version 4 of a request as it was received (recipe: wire.md 3.3; the header list is the client's
 * own). Undefined where the request carries no signature at all.
 */
export function signatureOf(request: FakeRequest, now: number): SignedBy | undefined {
  const header = request.headers.authorization;
  if (!header) return undefined;
  const { accessKeyId, scope, signed, given } = parseHeader(header);
  const stamp = request.headers["x-amz-date"] ?? "";
  if (scope[3] !== "aws4_request" || !stamp.startsWith(scope[0] ?? "-")) {
    throw new AwsError("SignatureDoesNotMatch", 403, "Credential should be scoped to a valid region and date.");
  }
  checkAge(stamp, now);
  const toSign = ["AWS4-HMAC-SHA256", stamp, scope.join("/"), sha256(canonicalRequest(request, signed))].join("\n");
  const verify = (secret: string) => {
    const key = scope.reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`));
    const bodyHash = request.headers["x-amz-content-sha256"];
    const bodyIsRight = bodyHash === undefined || bodyHash === sha256(request.body);
    if (!bodyIsRight || !timingSafeEqual(hmac(key, toSign), Buffer.from(given, "hex"))) throw mismatch;
  };
  return { accessKeyId, region: scope[1] ?? "", sessionToken: request.headers["x-amz-security-token"], verify };
}

const mismatch = new AwsError(
  "SignatureDoesNotMatch",
  403,
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
);

/** Scope: date, Region, service, terminal. */
function parseHeader(header: string) {
  const parts = /^AWS4-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/.exec(
    header,
  );
  if (!parts)
    throw new AwsError("IncompleteSignature", 400, "Authorization header is not an AWS4-HMAC-SHA256 signature.");
  const [, credential = "", signed = "", given = ""] = parts;
  const [accessKeyId = "", ...scope] = credential.split("/");
  return { accessKeyId, scope, signed, given };
}

/** With the headers that the client says it signed: every client signs others (wire.md 3.1). */
const canonicalRequest = (request: FakeRequest, signed: string): string =>
  [
    request.method,
    canonicalPath(request.sentPath),
    canonicalQuery(request.query),
    ...signed.split(";").map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}`),
    "",
    signed,
    request.headers["x-amz-content-sha256"] ?? sha256(request.body),
  ].join("\n");

/** AWS takes a signature up to 15 minutes off its own clock. */
function checkAge(stamp: string, now: number): void {
  const [, y, m, d, h, min, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp) ?? [];
  const at = Date.parse(`${y}-${m}-${d}T${h}:${min}:${s}Z`);
  if (Math.abs(at - now) <= 15 * 60_000) return;
  const when = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
  throw new AwsError("SignatureDoesNotMatch", 403, `Signature expired: ${stamp} is now earlier than ${when}`);
}

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** RFC 3986: encodeURIComponent leaves five characters that AWS encodes. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/** As sent, prefix included, because the client signed that; an empty one is `/` (wire.md 3.3). */
const canonicalPath = (path: string): string =>
  path === ""
    ? "/"
    : path
        .split("/")
        .map((segment) => encode(decodeURIComponent(segment)))
        .join("/");

/** Sorted by encoded name, then by value (wire.md 3.3). */
function canonicalQuery(query: URLSearchParams): string {
  const pairs = [...query].map(([key, value]) => [encode(key), encode(value)] as const);
  pairs.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1));
  return pairs.map(([key, value]) => `${key}=${value}`).join("&");
}
