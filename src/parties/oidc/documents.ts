import { z } from "zod";
import type { Code, HttpAnswer, World } from "../../model.ts";
import { CloudError, call, jsonOf, located } from "../../run/retry.ts";

/** What an issuer says of itself, as far as the clouds read it. */
export interface Documents {
  readonly jwksUri: string;
  /** Where a program asks for a token; people's issuers may have none. */
  readonly tokenEndpoint?: string;
  /** Key ids in the order served; a key without one has an empty id. */
  readonly kids: readonly string[];
  /** Members that AWS requires and the discovery document does not have. */
  readonly lacking: readonly string[];
  /** What a cloud will stumble over although it can be read from here: one sentence each. */
  readonly doubts: readonly string[];
}

/** A definite no about what was served, under the code of its page. */
export const wrong = (operation: string, code: Code, message: string): CloudError =>
  new CloudError({
    ...{ class: "refused", service: "oidc", operation, code, status: 200, message },
    known: { code, asks: code === "ISSUER-MISMATCH" ? "file" : "broken" },
    fix: [code === "ISSUER-MISMATCH" ? "write the issuer as its discovery says it" : "mend it on the issuer's side"],
  });

/**
 * The same of an answer that says nothing we can use: a page of a proxy, an empty or a broken body. It may be another one
 * the next time, so the retry layer asks again before this is believed.
 */
const garbled = (operation: string, code: Code, message: string): CloudError => {
  const error = wrong(operation, code, message);
  return new CloudError({ ...error, class: "malformed", message: error.message });
};

const discovery = z.looseObject({
  issuer: z.string(),
  jwks_uri: z.string(),
  token_endpoint: z.string().optional(),
  id_token_signing_alg_values_supported: z.array(z.string()).optional(),
});

/** AWS wants all of these (aws.md 6.3). */
const wanted = ["response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"];

/** How an issuer is read. */
export interface Reading {
  /** Public CAs have to vouch for it. */
  readonly vouched: boolean;
  /** Whoever believes its tokens compares its name to the letter, as AWS does; Google ignores one slash at the end. */
  readonly exact: boolean;
}

/** Discovery, then the keys it names, each held against reliability-and-security.md, 3b, cases 57 to 62. */
export async function readDocuments(world: World, issuer: string, { vouched, exact }: Reading): Promise<Documents> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const said = await fetchJson(world, {
    ...{ operation: "GetDiscovery", url, vouched, answer: discovery },
    otherwise: { code: "ISSUER-DOCUMENT", says: "names no issuer and jwks_uri" },
  });
  const { issuer: named, jwks_uri: jwksUri, id_token_signing_alg_values_supported: algs = [] } = said;
  if (exact ? named !== issuer : !sameButSlash(named, issuer))
    throw wrong("GetDiscovery", "ISSUER-MISMATCH", mismatch(issuer, named));
  const asymmetric = algs.filter((alg) => /^(RS|ES)(256|384|512)$/.test(alg));
  if (algs.length > 0 && asymmetric.length === 0)
    throw wrong(
      "GetDiscovery",
      "ISSUER-DOCUMENT",
      `${issuer} signs with ${algs.join(", ")} alone, which no cloud can verify`,
    );
  const served = await fetchJson(world, {
    ...{ operation: "GetKeys", url: secure(jwksUri), vouched, answer: keySet },
    otherwise: { code: "ISSUER-KEYS", says: "holds no list of keys" },
  });
  const keys = checkKeys(served.keys, jwksUri);
  const missing = wanted.filter((member) => said[member] === undefined);
  const lacking = missing.map((member) => `its discovery lacks ${member}, which aws requires`);
  const endpoint = said.token_endpoint;
  const { kids, doubts } = keys;
  return {
    jwksUri,
    kids,
    lacking: missing,
    doubts: [...doubts, ...lacking],
    ...(endpoint ? { tokenEndpoint: secure(endpoint) } : {}),
  };
}

/** Whether two names of an issuer differ in nothing but one slash at the end. */
export const sameButSlash = (one: string, other: string): boolean =>
  one.replace(/\/$/, "") === other.replace(/\/$/, "");

/** A difference of only a slash is the usual slip, and gets a word of its own (case 50). */
const mismatch = (wants: string, says: string): string =>
  `the file names ${wants}, and its discovery says ${says.slice(0, 300)}${
    sameButSlash(says, wants) ? ": the slash at the end counts" : ""
  }`;

/** A key set elsewhere is legitimate, http and userinfo are not (case 59). */
function secure(named: string): string {
  const url = URL.parse(named);
  if (url?.protocol === "https:" && !url.username && !url.password) return named;
  throw wrong("GetDiscovery", "ISSUER-DOCUMENT", `${named.slice(0, 300)} in its discovery is not a plain https URL`);
}

interface Fetch<O> {
  readonly operation: "GetDiscovery" | "GetKeys";
  readonly url: string;
  readonly vouched: boolean;
  readonly answer: z.ZodType<O>;
  /** What a JSON object that does not fit is. */
  readonly otherwise: { readonly code: Code; readonly says: string };
}

/** Through the retry layer like every call; a web page is as good as no answer (case 60). */
function fetchJson<O>(world: World, { operation, url, vouched, answer: schema, otherwise }: Fetch<O>): Promise<O> {
  const spec = { service: "oidc", operation, effect: "read" } as const;
  return call(world, spec, async () => {
    let answer: HttpAnswer;
    try {
      answer = await world.outside.get(url, { vouched });
    } catch (error) {
      throw error instanceof CloudError ? definite(located(error, spec)) : error;
    }
    // An issuer that is busy says nothing about its documents: the same request may be answered later.
    if (answer.status >= 500 || answer.status === 429 || answer.status === 408)
      throw new CloudError({
        ...spec,
        class: answer.status === 429 ? "throttled" : "transient",
        code: "",
        status: answer.status,
        message: `${url} answers ${answer.status}`,
      });
    if (answer.status !== 200) throw wrong(operation, "ISSUER-DOCUMENT", `${url} answers ${answer.status}`);
    // Key sets have a type of their own as well: application/jwk-set+json (RFC 7517, 8.5.2).
    if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(answer.headers["content-type"] ?? ""))
      throw garbled(operation, "ISSUER-DOCUMENT", `${url} is not application/json`);
    const value = jsonOf(answer.body);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw garbled(operation, "ISSUER-DOCUMENT", `${url} is no JSON object`);
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw garbled(operation, otherwise.code, `${url} ${otherwise.says}`);
  });
}

/**
 * A redirect, and more than 100 KiB, will be the same the next time (cases 57 and 60). What OpenSSL does not believe no
 * cloud believes without a thumbprint (case 64).
 */
function definite(error: CloudError): CloudError {
  if (error.class === "malformed") return wrong(error.operation, "ISSUER-DOCUMENT", error.message);
  if (error.class !== "refused" || error.known) return error;
  return new CloudError({
    ...error,
    message: `the certificate is not vouched for by a public CA: ${error.code}`,
    known: { code: "ISSUER-TLS", asks: "broken" },
    fix: ["if its CA is your own: tls: private-ca in the file, and aws checks the thumbprint instead"],
  });
}

const jwk = z.looseObject({
  kty: z.string(),
  kid: z.string().optional(),
  n: z.string().optional(),
  x: z.string().optional(),
  use: z.string().optional(),
});

const keySet = z.object({ keys: z.array(jwk) });

/** Case 61: keys that must not be there are refused, keys that cannot serve are told. */
function checkKeys(keys: z.infer<typeof keySet>["keys"], jwksUri: string): Pick<Documents, "kids" | "doubts"> {
  const bad = (says: string) => wrong("GetKeys", "ISSUER-KEYS", `${jwksUri} ${says}`);
  if (keys.length === 0) throw bad("holds no key");
  if (keys.length > 50) throw bad(`holds ${keys.length} keys; more than 50 are not read`);
  if (keys.some((key) => key.kty === "oct" || "k" in key)) throw bad("holds a symmetric key: it is no secret any more");
  if (keys.some((key) => "d" in key)) throw bad("holds a private key: it is no secret any more");
  const byKid = Map.groupBy(keys, (key) => key.kid ?? "");
  if ([...byKid].some(([kid, same]) => kid !== "" && new Set(same.map((key) => `${key.n} ${key.x}`)).size > 1))
    throw bad("holds two different keys under one kid");
  return { kids: keys.map((key) => key.kid ?? ""), doubts: doubtsOf(keys) };
}

/** What AWS was recorded not to take (aws.md 6.3): a key without kid, with key_ops, for encryption, or too short. */
function doubtsOf(keys: readonly z.infer<typeof jwk>[]): readonly string[] {
  const short = (n: string | undefined) => n !== undefined && Buffer.from(n, "base64url").length < 256;
  return [
    ...(keys.some((key) => key.kid === undefined) ? ["a key without kid, which aws does not take"] : []),
    ...(keys.some((key) => "key_ops" in key) ? ["a key with key_ops, which aws does not take"] : []),
    ...(keys.some((key) => key.use !== undefined && key.use !== "sig") ? ["a key that is not for signatures"] : []),
    ...(keys.some((key) => short(key.n)) ? ["an RSA key of less than 2048 bits, which is not used"] : []),
  ].map((what) => `its key set has ${what}`);
}
