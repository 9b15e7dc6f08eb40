import { createHash, createHmac } from "node:crypto";
import { fromJson, toJson } from "../json.ts";
import { fault, type Value } from "../values.ts";
import { type Builtin, bytes, of, text } from "./signature.ts";

const algorithms: Readonly<Record<string, string>> = {
  MD5: "md5",
  SHA1: "sha1",
  SHA256: "sha256",
  SHA384: "sha384",
  SHA512: "sha512",
};

function algorithm(name: Value | undefined): string {
  const found = algorithms[text(name).toUpperCase()];
  if (found === undefined) throw fault("ValueError", `the algorithm ${text(name)} is not played`);
  return found;
}

function parsed(data: Value | undefined): Value {
  const source = data instanceof Uint8Array ? new TextDecoder().decode(data) : text(data);
  try {
    return fromJson(source);
  } catch {
    throw fault("ValueError", "not JSON");
  }
}

const decoded = (source: string): Value => {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(source)) throw fault("ValueError", "not base64");
  return new Uint8Array(Buffer.from(source, "base64"));
};

/** `json.*`, `base64.*` and `hash.*` (serverless.md 5.4). */
export const codeFunctions: Readonly<Record<string, Builtin>> = {
  "json.decode": of("data", ([data]) => parsed(data)),
  "json.encode": of("data", ([data]) => new TextEncoder().encode(toJson(data ?? null))),
  "json.encode_to_string": of("data", ([data]) => toJson(data ?? null)),
  "base64.encode": of("data", ([data]) => Buffer.from(bytes(data)).toString("base64")),
  "base64.decode": of("data", ([data]) => decoded(text(data))),
  "hash.compute_checksum": of(
    "data algorithm",
    ([data, name]) => new Uint8Array(createHash(algorithm(name)).update(bytes(data)).digest()),
  ),
  "hash.compute_hmac": of(
    "key data algorithm",
    ([key, data, name]) => new Uint8Array(createHmac(algorithm(name), bytes(key)).update(bytes(data)).digest()),
  ),
};
