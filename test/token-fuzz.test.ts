import { compactVerify, createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { verifyStrict } from "../src/functions/strict-jwt.ts";
import { AwsError } from "../src/parties/aws/sandbox/query.ts";
import { verifyToken } from "../src/parties/aws/sandbox/token.ts";
import type { Host } from "../src/sandbox/fake.ts";
import { clients, issuer, type Mutant, mutants, mutations, now, role, seed, signers } from "./support/mutations.ts";

// Two verifiers of ours, and ten thousand spoilt tokens: whatever one of them accepts is looked at again by somebody
// else. Catches a verifier that looks at claims before it looks at who signed them, and one that repairs what it reads.

const served = { keys: signers.map(({ jwk }) => jwk) } as JSONWebKeySet;
const keySet = createLocalJWKSet(served);
const account = "111122223333";

/** As much of a sandbox as the verification of one token needs. */
const discovery = {
  ...{
    issuer,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
  },
  id_token_signing_alg_values_supported: ["RS256"],
};
const arn = `arn:aws:iam::${account}:oidc-provider/idp.example.com`;
const stored = { account, arn, url: "idp.example.com", clientIds: clients, thumbprints: [], tags: {}, created: 0 };
const view = { get: (key: string) => (key === `aws.oidcProvider/${account}/idp.example.com` ? stored : undefined) };
const host = {
  ...{ now: () => now * 1000, state: view, propagated: view },
  outside: {
    chain: async () => ({ sha1s: ["00"] }),
    get: async (url: string) => {
      const body = JSON.stringify(url.endsWith("/keys") ? served : discovery);
      return { status: 200, headers: {}, body };
    },
  },
} as unknown as Host;

type Claims = Readonly<Record<string, unknown>>;
const six = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];

/** What a recorded rule has against an accepted token, by a witness for the signature and by hand for the rest. */
async function objection(text: string): Promise<string | undefined> {
  let claims: Claims;
  try {
    const { payload, protectedHeader } = await compactVerify(text, keySet, { algorithms: six });
    if (protectedHeader.crit) return "crit";
    claims = JSON.parse(new TextDecoder().decode(payload)) as Claims;
  } catch (error) {
    return String(error);
  }
  const { iss, sub, aud, azp, iat, exp, nbf } = claims;
  const whole = (value: unknown) => /^\d+$/.test(String(value)) && Number.isInteger(Number(value));
  if (iss !== issuer || sub === null || sub === undefined || aud === undefined) return "a claim is missing";
  if (![iat, exp, nbf ?? now].every(whole) || nbf === null) return "no time";
  if (Number(exp) <= now - 300 || Number(iat) > now + 300 || Number(nbf ?? now) > now + 300) return "out of time";
  const audiences = [aud].flat();
  if (audiences.length !== 1 && (azp === undefined || azp === null)) return "whose audience";
  if (!clients.some((one) => one === (azp ?? audiences[0]))) return "another client";
  const roles = claims["https://aws.amazon.com/roles"] ?? [role];
  if (!Array.isArray(roles) || !roles.includes(role)) return "another role";
  const tags = (claims["https://aws.amazon.com/tags"] as { principal_tags?: object } | undefined)?.principal_tags ?? {};
  const fine = Object.values(tags).every((one) => Array.isArray(one) && one.length === 1 && typeof one[0] === "string");
  return fine ? undefined : "wrong tags";
}

let all: readonly Mutant[] = [];
beforeAll(() => {
  all = mutants(10_000);
});

describe(`ten thousand mutations of good tokens, seed ${seed}`, () => {
  test("the sandbox's STS accepts nothing that is not signed, not in time, or against a recorded rule", async () => {
    const accepted: Mutant[] = [];
    const wrong: unknown[] = [];
    for (const mutant of all) {
      const presented = { token: mutant.text, account, partition: "aws", roleArn: role };
      const outcome = await verifyToken(presented, host).then(
        () => "accepted",
        (error: unknown) => (error instanceof AwsError ? "refused" : `thrown ${String(error)}`),
      );
      if (outcome === "accepted") accepted.push(mutant);
      // Every refusal is one of AWS's: an error of our own would be an answer that never comes.
      else if (outcome !== "refused") wrong.push([mutant, outcome]);
    }
    for (const mutant of accepted) {
      const against = await objection(mutant.text);
      if (against) wrong.push([mutant, against]);
    }
    expect(wrong).toEqual([]);
    const ways = new Set(accepted.map(({ how }) => how));
    // What does no harm passes: a verifier that refuses everything would prove nothing.
    expect([...ways]).toEqual(expect.arrayContaining(["nothing", "a shift in time", "claims, signed again"]));
    expect(accepted.length).toBeGreaterThan(500);
    expect(all.length - accepted.length).toBeGreaterThan(7000);
    expect(new Set(all.map(({ how }) => how)).size).toBe(Object.keys(mutations).length);
  });

  test("the strict verifier accepts nothing that jose in its strictest form refuses", async () => {
    const algorithms = ["RS256"];
    const ask = { issuer, audience: clients[0], keys: async () => served.keys, now: now * 1000 };
    const strictest = {
      ...{ issuer, audience: clients[0], algorithms, currentDate: new Date(now * 1000) },
      ...{ clockTolerance: 60, maxTokenAge: 86_400, requiredClaims: ["sub", "iat", "exp"] },
    };
    const wrong: unknown[] = [];
    let accepted = 0;
    for (const mutant of all) {
      const claims = await verifyStrict(mutant.text, ask).catch(() => undefined);
      if (!claims) continue;
      accepted++;
      const against = await jwtVerify(mutant.text, keySet, strictest).then(
        ({ payload }) => (payload.aud === clients[0] && Number(payload.exp) > now - 30 ? undefined : "audience or end"),
        String,
      );
      if (against) wrong.push([mutant, against]);
    }
    expect(wrong).toEqual([]);
    expect(accepted).toBeGreaterThan(200);
  });
});
