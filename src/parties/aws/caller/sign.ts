import { createHash, createHmac } from "node:crypto";
import type { Session } from "../../../model.ts";

/** What is signed: where AWS will be asked, for whom, and when. */
export interface SignAsk {
  readonly region: string;
  /** The pool provider that the proof is for; nobody else can use it, because it is signed too. */
  readonly target: string;
  readonly session: Session;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** A request as Google takes it apart (google.md 8.1): the keys of its headers in the order that is signed. */
export interface SignedRequest {
  readonly url: string;
  readonly method: "POST";
  readonly headers: readonly { readonly key: string; readonly value: string }[];
}

const query = "Action=GetCallerIdentity&Version=2011-06-15";

/**
 * GetCallerIdentity, signed with Signature version 4 and not sent: whoever gets it asks AWS who signed it. The
 * target is among the signed headers, which Google recommends and its own libraries leave out (google.md 8.1).
 */
export function signedRequest({ region, target, session, now }: SignAsk): SignedRequest {
  const { accessKeyId = "", secretAccessKey = "", sessionToken } = session.secrets;
  const host = `sts.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
  const temporary = sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken };
  const signed = Object.entries({
    ...{ host, "x-amz-date": stamp },
    ...temporary,
    "x-goog-cloud-target-resource": target,
  });
  const names = signed.map(([name]) => name).join(";");
  const lines = signed.map(([name, value]) => `${name}:${value}`);
  // The path of a URL without one is `/`; the body is empty (wire.md 4.6).
  const canonical = ["POST", "/", query, ...lines, "", names, sha256("")].join("\n");
  const scope = [stamp.slice(0, 8), region, "sts", "aws4_request"];
  const key = scope.reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`));
  const signature = hmac(key, ["AWS4-HMAC-SHA256", stamp, scope.join("/"), sha256(canonical)].join("\n"));
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join("/")}, SignedHeaders=${names}, Signature=${signature.toString("hex")}`;
  const headers = [
    ...signed.map(([name, value]) => ({ key: name, value })),
    { key: "Authorization", value: authorization },
  ];
  return { url: `https://${host}?${query}`, method: "POST", headers };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** As a subject token: the JSON text, percent-encoded (google.md 8.1); a form encodes it once more. */
export const subjectToken = (request: SignedRequest): string => encodeURIComponent(JSON.stringify(request));
