import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import fc from "fast-check";
import { type PublicKey, verifyStrict } from "../../src/functions/strict-jwt.ts";

// A good token, and what can be made of it.

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const served: PublicKey = { ...publicKey.export({ format: "jwk" }), kid: "k1", alg: "RS256", use: "sig" };
const now = Date.UTC(2026, 10, 21, 12);
export const seconds = now / 1000;
export const good = {
  iss: "https://accounts.google.com",
  aud: "https://health.example",
  sub: "1234",
  iat: seconds,
  exp: seconds + 3600,
};
export const ask = { issuer: good.iss, audience: good.aud, keys: async () => [served], now };

export const part = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
export function jwt(
  claims: unknown,
  header: unknown = { alg: "RS256", kid: "k1", typ: "JWT" },
  key: KeyObject = privateKey,
): string {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
}
/** What the verifier of our functions' callers says. */
export const strictVerdict = (text: string) =>
  verifyStrict(text, ask).then(
    () => "accepted",
    () => "refused",
  );

export const token = jwt(good);

/** A character of the good token replaced, put in, left out or swapped; those that changed nothing are left out. */
export function mutants(seed: number, count: number): readonly string[] {
  const mutation = fc.record({
    at: fc.nat({ max: token.length - 1 }),
    how: fc.constantFrom("replace", "insert", "delete", "swap"),
    character: fc.constantFrom(...'ABCabc019-_.=+/ \n{}"'),
  });
  return fc
    .sample(mutation, { numRuns: count, seed })
    .map(({ at, how, character }) => {
      if (how === "insert") return token.slice(0, at) + character + token.slice(at);
      if (how === "delete") return token.slice(0, at) + token.slice(at + 1);
      if (how === "swap") return token.slice(0, at) + (token[at + 1] ?? "") + token[at] + token.slice(at + 2);
      return token.slice(0, at) + character + token.slice(at + 1);
    })
    .filter((mutant) => mutant !== token);
}
