import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, test } from "vitest";
import { verifyStrict } from "../src/functions/strict-jwt.ts";
import { ask, good, jwt, mutants, other, part, seconds, served, strictVerdict, token } from "./support/tokens.ts";

// What decides who may call our functions accepts nothing that could be read in two ways (fact sheet
// reliability-and-security, 3c; the numbers are the sheet's).

const { exp: _exp, ...withoutExp } = good;
const { kid: _kid, ...withoutKid } = { alg: "RS256", kid: "k1" };
const lastChanged = (): string => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const at = alphabet.indexOf(token.at(-1) ?? "A");
  return token.slice(0, -1) + alphabet[at ^ 1];
};

describe("accepted", () => {
  test.each([
    ["a good token", token],
    ["without typ", jwt(good, { alg: "RS256", kid: "k1" })],
    ["75 expired within the skew", jwt({ ...good, iat: seconds - 3600, exp: seconds - 20 })],
    ["more claims", jwt({ ...good, email: "a@example.com", nested: { sub: "x" } })],
  ])("%s", async (_, text) => {
    expect(await strictVerdict(text)).toBe("accepted");
  });
});

describe("refused", () => {
  test.each([
    ["65 alg none", `${part({ alg: "none", kid: "k1" })}.${part(good)}.`],
    ["65 alg None", jwt(good, { alg: "None", kid: "k1" })],
    ["66 HS256 with the public key", `${part({ alg: "HS256", kid: "k1" })}.${part(good)}.${"A".repeat(43)}`],
    ["67 another algorithm", jwt(good, { alg: "PS256", kid: "k1" })],
    ["68 a kid of 10 KB", jwt(good, { alg: "RS256", kid: "k".repeat(10_000) })],
    ["69 no kid", jwt(good, withoutKid)],
    ["70 an unknown kid", jwt(good, { alg: "RS256", kid: "k2" })],
    ["71 jku in the header", jwt(good, { alg: "RS256", kid: "k1", jku: "https://evil.example" })],
    ["72 crit", jwt(good, { alg: "RS256", kid: "k1", crit: ["b64"] })],
    [
      "73 a claim twice",
      jwt(`{"iss":"${good.iss}","aud":"${good.aud}","sub":"1","sub":"2","iat":${seconds},"exp":${seconds + 60}}`),
    ],
    ["73 a header twice", jwt(good, `{"alg":"RS256","kid":"k1","alg":"RS256"}`)],
    [
      "73 a claim twice, once escaped",
      jwt(`{"iss":"${good.iss}","aud":"${good.aud}","sub":"1","s\\u0075b":"2","iat":${seconds},"exp":${seconds + 60}}`),
    ],
    [
      "74 __proto__",
      jwt(
        `{"__proto__":{"x":1},"iss":"${good.iss}","aud":"${good.aud}","sub":"1","iat":${seconds},"exp":${seconds + 60}}`,
      ),
    ],
    ["75 expired", jwt({ ...good, iat: seconds - 3600, exp: seconds - 31 })],
    ["76 not yet valid", jwt({ ...good, nbf: seconds + 61 })],
    ["76 issued in the future", jwt({ ...good, iat: seconds + 61, exp: seconds + 3600 })],
    ["77 exp missing", jwt(withoutExp)],
    ["77 exp as text", jwt({ ...good, exp: String(good.exp) })],
    ["77 exp 1e400", jwt(`{"iss":"${good.iss}","aud":"${good.aud}","sub":"1","iat":${seconds},"exp":1e400}`)],
    ["77 exp in the year 9999", jwt({ ...good, exp: 253402300799 })],
    ["77 longer than a day", jwt({ ...good, exp: seconds + 86_401 })],
    ["78 several audiences", jwt({ ...good, aud: [good.aud, "x"] })],
    ["79 an audience with a blank", jwt({ ...good, aud: `${good.aud} ` })],
    ["79 the beginning of ours", jwt({ ...good, aud: "https://health" })],
    ["79 an empty audience", jwt({ ...good, aud: "" })],
    ["82 sub a number", jwt({ ...good, sub: 1234 })],
    ["82 sub empty", jwt({ ...good, sub: "" })],
    ["82 sub of 300", jwt({ ...good, sub: "1".repeat(300) })],
    ["82 sub with a control character", jwt({ ...good, sub: "a\nb" })],
    ["83 another typ", jwt(good, { alg: "RS256", kid: "k1", typ: "at+jwt" })],
    ["84 an access token", "ya29.a0AfH6SMBexample"],
    ["another issuer", jwt({ ...good, iss: "https://accounts.google.com/" })],
    ["86 a newline at the end", `${token}\n`],
    ["87 another spelling of the same signature", lastChanged()],
    ["88 padding", `${token}=`],
    ["88 two parts", token.split(".").slice(0, 2).join(".")],
    ["88 four parts", `${token}.x`],
    ["88 five parts", `${token}.x.y`],
    ["89 longer than 16 KiB", jwt({ ...good, pad: "x".repeat(16_384) })],
    ["90 an array as payload", jwt([good])],
    ["90 null as payload", jwt("null")],
    [
      "90 not UTF-8",
      `${part({ alg: "RS256", kid: "k1" })}.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.${token.split(".")[2]}`,
    ],
    ["another key under our kid", jwt(good, { alg: "RS256", kid: "k1" }, other.privateKey)],
  ])("%s", async (_, text) => {
    expect(await strictVerdict(text)).toBe("refused");
  });

  // Catches a verifier that looks at claims and forgets the signature, or trusts a decoder that repairs.
  test("ten thousand mutations of a good token: not one is accepted", async () => {
    const changed = mutants(12345, 10_000);
    const accepted = await Promise.all(changed.map(strictVerdict));
    expect(changed.length).toBeGreaterThan(9_000);
    expect(accepted.filter((one) => one === "accepted")).toEqual([]);
  });

  const small = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const curve = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = (key: KeyObject) => key.export({ format: "jwk" });
  test.each([
    ["no key at all", []],
    ["the right key under another id", [{ ...served, kid: "k2" }]],
    ["the right key, which is for encryption", [{ ...served, use: "enc" }]],
    ["the right key, which is for another algorithm", [{ ...served, alg: "RS512" }]],
    ["a curve under our id", [{ ...jwk(curve.publicKey), kid: "k1" }]],
    ["a key that is none", [{ kty: "RSA", kid: "k1", n: "!", e: "!" }]],
    ["its modulus as the key of a MAC", [{ kty: "oct", kid: "k1", k: String(served.n) }]],
  ])("signed with the right key, and the issuer serves %s", async (_, keys) => {
    await expect(verifyStrict(token, { ...ask, keys: async () => keys })).rejects.toThrow("does not verify");
  });

  test("a key of 1024 bits verifies nothing, and without alg and use the right one does", async () => {
    const weak = jwt(good, { alg: "RS256", kid: "k1" }, small.privateKey);
    const keys = async () => [{ ...jwk(small.publicKey), kid: "k1" }];
    await expect(verifyStrict(weak, { ...ask, keys })).rejects.toThrow("does not verify");
    const { alg: _, use: __, ...bare } = served;
    expect(await verifyStrict(token, { ...ask, keys: async () => [bare] })).toMatchObject({ sub: "1234" });
  });

  const unsigned = `${token.split(".").slice(0, 2).join(".")}.SIGNATURE_REMOVED_BY_GOOGLE`;
  test("without its signature: believed where the platform has checked it, and nowhere else", async () => {
    await expect(verifyStrict(unsigned, ask)).rejects.toThrow("does not verify");
    const behind = { ...ask, checkedInFront: true };
    expect(await verifyStrict(unsigned, behind)).toMatchObject({ sub: "1234" });
    expect(await verifyStrict(token, behind)).toMatchObject({ sub: "1234" });
    const others = [
      jwt(good, { alg: "RS256", kid: "k1" }, other.privateKey),
      unsigned.replace("REMOVED", "removed"),
      `${part({ alg: "RS256", kid: "k1" })}.${part({ ...good, aud: "other" })}.SIGNATURE_REMOVED_BY_GOOGLE`,
      `${part({ alg: "RS256", kid: "k1" })}.${part({ ...good, exp: seconds - 60 })}.SIGNATURE_REMOVED_BY_GOOGLE`,
      `${part({ alg: "none", kid: "k1" })}.${part(good)}.SIGNATURE_REMOVED_BY_GOOGLE`,
    ];
    for (const one of others) await expect(verifyStrict(one, behind)).rejects.toThrow();
  });

  test("the reason holds nothing of the token", async () => {
    const error = await verifyStrict(jwt({ ...good, sub: 1 }), ask).catch((thrown: Error) => thrown);
    expect(String((error as Error).stack)).not.toContain(token.slice(0, 20));
  });
});
