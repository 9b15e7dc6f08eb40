import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tokenRefusal as byGoogle } from "../src/judge/google/token.ts";
import { parties } from "../src/parties/index.ts";
import { lookupOf } from "../src/plan/compare.ts";
import { tokenOf } from "../src/run/minting.ts";
import { account, type Bench, federationOf } from "./support/bench.ts";
import { stage } from "./support/cli.ts";
import { part } from "./support/signer.ts";

// What a cloud checks of a token before it reads a policy is told alike by whoever is asked: explain LINK, explain --token
// and explain --error. Catches a program in which one of them knows fewer rules than the sandbox.

const iss = "https://idp.example.com";
const file = `crosstrust: 1
name: acme
links:
  engineers:
    from: { oidc: { issuer: ${iss}, clientId: app-1, subject: user-123 } }
    to:   { aws: { account: ${account}, role: engineers } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`;
const arn = `arn:aws:iam::${account}:role/crosstrust/engineers`;
const roles = "https://aws.amazon.com/roles";
/** A trust that says nothing about the token at hand. */
const trusting = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Federated: "arn:aws:iam::111122223333:oidc-provider/idp.example.com" },
      Action: "sts:AssumeRoleWithWebIdentity",
    },
  ],
};
const now = Math.floor(Date.now() / 1000);

async function scene(text = file) {
  const { b, cwd, ct } = await stage(text);
  const token = async (claims: object, header: object = {}) => {
    const body = JSON.stringify({ issuer: iss, claims: { sub: "user-123", aud: "app-1", ...claims }, header });
    const answer = await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body });
    const minted = ((await answer.json()) as { token: string }).token;
    writeFileSync(join(cwd, "token"), minted);
    return minted;
  };
  /** A token with exactly these claims; nobody's signature holds for it. */
  const bare = (claims: object, header: object = { alg: "RS256", kid: "k" }) =>
    writeFileSync(join(cwd, "token"), `${part(header)}.${part(claims)}.c2ln`);
  const policy = (document: object) => writeFileSync(join(cwd, "trust.json"), JSON.stringify(document));
  return { b, ct, token, bare, policy };
}

/** The refusal of a real exchange of the link, and what the proof says of it. */
async function refusal(b: Bench, given: string, text = file) {
  const { expansion, observed } = await b.plan(text);
  const [link] = federationOf(text).links;
  const relying = link && parties.find(({ name }) => name === link.to.party)?.relying;
  if (!link || !relying) throw new Error("no link");
  const lookup = lookupOf(observed.live);
  const live = observed.live.get(expansion.trustOf.get(link.name) ?? "x:y/z");
  const token = tokenOf(given, "test", { service: "test" });
  const error: unknown = await relying.exchange({ link, purpose: "prove", lookup }, token, b.world()).then(
    () => new Error("it was taken"),
    (one: unknown) => one,
  );
  const view = { link, live: live ?? { state: "absent" as const }, lookup, now: Date.now() };
  const finding = relying.explain({ view, error, claims: token.claims, header: token.header });
  return { words: String(error), finding };
}

const kinds: readonly (readonly [name: string, claims: object, code: string, says: string])[] = [
  ["two audiences", { aud: ["app-1", "other"] }, "AWS-TWO-AUDIENCES", "names two audiences and no azp"],
  ["three audiences", { aud: ["a", "b", "app-1"] }, "AWS-TWO-AUDIENCES", "names 3 audiences and no azp"],
  ["no audience", { aud: [] }, "AWS-TOKEN-CLAIMS", "aud is empty"],
  ["a fraction of a second", { exp: now + 900.5 }, "AWS-TOKEN-CLAIMS", "no number of whole seconds"],
  ["issued ahead", { iat: now + 900, exp: now + 1800 }, "CLOCK-SKEW", "more than five minutes from now"],
  ["valid later", { nbf: now + 900 }, "CLOCK-SKEW", "valid from"],
  ["for another role", { [roles]: [arn.replace("engineers", "others")] }, "AWS-ROLES-CLAIM", "for other roles"],
  ["for a pattern of roles", { [roles]: [arn.replace("engineers", "*")] }, "AWS-ROLES-CLAIM", "names no role"],
  ["for a nested role", { [roles]: [[arn]] }, "AWS-ROLES-CLAIM", "names no role"],
  ["for no form of role", { [roles]: true }, "AWS-ROLES-CLAIM", "names no role"],
  [
    "a tag that is no list",
    { "https://aws.amazon.com/tags": { principal_tags: { team: "blue" } } },
    "AWS-TAGS-CLAIM",
    "session tags",
  ],
];

describe("a token that aws refuses whatever the trust says", () => {
  test.each(kinds)("%s: told alike", async (_, claims, code, says) => {
    const { b, ct, token } = await scene();
    await token({});
    expect((await ct("apply --quiet")).exit).toBe(0);
    const { words, finding } = await refusal(b, await token(claims));
    const held = await ct(`explain --token token --role ${arn}`);
    const sentence = await ct(["explain", "--error", words]);
    expect([held.exit, sentence.exit]).toEqual([3, 0]);
    expect(finding).toMatchObject({ code, says: expect.stringContaining(says) });
    expect(held.out).toContain(`error[${code}]`);
    expect(held.out).toContain(says);
    expect(sentence.out.split("\n")[0]).toBe(code);
    // Nothing that crosstrust could write changes a token.
    expect(finding?.fix.join()).not.toMatch(/crosstrust (apply|plan)/);
  });

  test.each(["iss", "sub", "aud", "iat", "exp"])("no %s", async (claim) => {
    const { ct, bare, policy } = await scene();
    const whole: Record<string, unknown> = { iss, sub: "user-123", aud: "app-1", iat: now, exp: now + 900 };
    delete whole[claim];
    bare(whole);
    policy(trusting);
    const { exit, out } = await ct("explain --token token --trust-policy trust.json");
    expect([exit, out]).toEqual([3, expect.stringContaining(`the token has no ${claim}`)]);
    const known = await ct(["explain", "--error", `Missing a required claim: ${claim}`]);
    expect(known.out.split("\n")[0]).toBe("AWS-TOKEN-CLAIMS");
  });

  test.each(["PS256", "EdDSA", "HS256", "none"])("signed with %s", async (alg) => {
    const { ct, bare, policy } = await scene();
    bare({ iss, sub: "user-123", aud: "app-1", iat: now, exp: now + 900 }, { alg, kid: "k" });
    policy(trusting);
    const { out } = await ct("explain --token token --trust-policy trust.json");
    expect(out).toContain("error[TOKEN-ALGORITHM]");
  });

  test("what aws forgives is no error: five minutes, one audience in a list, an azp beside several", async () => {
    const { b, ct, token } = await scene();
    await token({});
    await ct("apply --quiet");
    for (const claims of [{ iat: now + 200 }, { aud: ["app-1"] }, { aud: ["x", "y"], azp: "app-1" }]) {
      const text = await token(claims);
      expect((await ct(`explain --token token --role ${arn}`)).exit, JSON.stringify(claims)).toBe(0);
      expect((await refusal(b, text)).words, JSON.stringify(claims)).toBe("Error: it was taken");
    }
  });

  test("lint tells of tags that no token may have", async () => {
    const tags = Array.from({ length: 51 }, (_, at) => `t${at}: x`).join(", ");
    const { ct } = await scene(file.replace("subject: user-123", `subject: user-123, tags: { ${tags} }`));
    const { exit, err } = await ct("lint");
    expect([exit, err]).toEqual([65, expect.stringContaining("AWS-TAGS-CLAIM")]);
  });
});

describe("who asks is found in one way", () => {
  const google = "https://accounts.google.com";
  const statement = (Federated: string | readonly string[], prefix: string) => ({
    ...{ Effect: "Allow", Principal: { Federated }, Action: "sts:AssumeRoleWithWebIdentity" },
    Condition: { StringEquals: { [`${prefix}:sub`]: "user-123" } },
  });
  const provider = (host: string, of = account) => `arn:aws:iam::${of}:oidc-provider/${host}`;
  const idp = "idp.example.com";

  // Catches a file that is asked otherwise than the live role with the same policy.
  test.each<readonly [string, string, object, number, string]>([
    [
      "google by an OIDC provider",
      google,
      statement(provider("accounts.google.com"), "accounts.google.com"),
      3,
      "AWS-OIDC-PROVIDER-ARN",
    ],
    [
      "google as it is built in",
      google,
      statement("accounts.google.com", "accounts.google.com"),
      0,
      "lets the token in",
    ],
    ["the issuer's own", iss, statement(provider(idp), idp), 0, "lets the token in"],
    ["another issuer's", iss, statement(provider("other.example.com"), idp), 3, "AWS-TRUST-REFUSES"],
    ["with a scheme", iss, statement(provider(`https://${idp}`), idp), 3, "AWS-OIDC-PROVIDER-ARN"],
    ["one of two", iss, statement([provider("other.example.com"), provider(idp)], idp), 0, "lets the token in"],
  ])("%s: a file and a live role agree", async (_, issuer, one, exit, says) => {
    const { b, ct, bare, policy } = await scene();
    const claims = { iss: issuer, sub: "user-123", aud: "app-1", iat: now, exp: now + 900 };
    bare(claims);
    policy({ Version: "2012-10-17", Statement: [one] });
    const key = `aws.role/${account}/byhand`;
    const role = {
      name: "byhand",
      id: "AROAX",
      path: "/",
      account,
      created: 0,
      maxSession: 3600,
      tags: {},
      inline: {},
    };
    const trust = JSON.stringify({ Version: "2012-10-17", Statement: [one] });
    b.sandbox.state.put(key, { ...role, managed: [], trust });
    const inFile = await ct("explain --token token --trust-policy trust.json");
    const live = await ct(`explain --token token --role arn:aws:iam::${account}:role/byhand`);
    expect([inFile.exit, live.exit]).toEqual([exit, exit]);
    for (const { out } of [inFile, live]) expect(out).toContain(says);
  });

  // Catches a question that is put to the partition aws, whatever the role's ARN says.
  test("a live role of another partition is found there", async () => {
    const text = file
      .replace("role: engineers", "role: engineers, region: us-gov-west-1")
      .replace("arn:aws:iam::aws", "arn:aws-us-gov:iam::aws");
    const { ct, token } = await scene(text);
    await token({});
    expect((await ct("apply --quiet")).exit).toBe(0);
    const role = `--role ${arn.replace("arn:aws:", "arn:aws-us-gov:")}`;
    expect((await ct(`explain --token token ${role}`)).exit).toBe(0);
    expect((await ct(`explain --token token --role ${arn}`)).exit).not.toBe(0);
  });

  test("no account is made up where the policy names none", async () => {
    const { ct, bare, policy } = await scene();
    bare({ iss, sub: "user-123", aud: "app-1", iat: now, exp: now + 900 });
    policy({ Version: "2012-10-17", Statement: [statement("accounts.google.com", idp)] });
    const { exit, out } = await ct("explain --token token --trust-policy trust.json");
    expect(exit).toBe(3);
    expect(out).not.toMatch(/\b\d{12}\b/);
  });

  test("a policy of two accounts is not decided for one of them", async () => {
    const { ct, bare, policy } = await scene();
    bare({ iss, sub: "user-123", aud: "app-1", iat: now, exp: now + 900 });
    const other = statement(provider(idp, "999999999999"), idp);
    const shut = { ...statement(provider(idp), idp), Effect: "Deny" };
    policy({ Version: "2012-10-17", Statement: [other, shut] });
    const { exit, out } = await ct("explain --token token --trust-policy trust.json");
    expect([exit, out]).toEqual([75, expect.stringContaining("the account that the role is in")]);
  });
});

describe("google's rules about a token", () => {
  const good = { iss, sub: "user-123", aud: "app-1", iat: now - 10, exp: now + 900 };
  const header = { alg: "RS256", kid: "k" };
  test.each<readonly [string, object, object, string | undefined]>([
    ["a good one", {}, {}, undefined],
    ["ES256", {}, { alg: "ES256" }, undefined],
    ["RS512, which aws takes", {}, { alg: "RS512" }, "algorithm"],
    ["no key named", {}, { kid: undefined }, "kid"],
    ["no subject", { sub: undefined }, {}, "required"],
    ["a time as text", { iat: String(now) }, {}, "required"],
    ["issued in a second", { iat: now + 1 }, {}, "ahead"],
    ["valid in a second", { nbf: now + 1 }, {}, "not-yet"],
    ["ended this second", { exp: now }, {}, "expired"],
    ["a day of azure", { iat: now - 10, exp: now - 10 + 86_700 }, {}, undefined],
    ["48 hours", { iat: now, exp: now + 48 * 3600 }, {}, "life"],
    ["two audiences, which aws refuses", { aud: ["a", "app-1"] }, {}, undefined],
  ])("%s", (_, claims, head, rule) => {
    const whole = JSON.parse(JSON.stringify({ header: { ...header, ...head }, claims: { ...good, ...claims } }));
    expect(byGoogle(whole, now)?.rule).toBe(rule);
  });

  const to =
    "to:   { google: { project: acme-prod, pool: partners, poolProvider: idp-example, serviceAccount: deployer } }";
  const link = file.replace(/to: .*\n.*/, to);
  test.each<readonly [string, object, string]>([
    ["a life of 48 hours", { exp: now + 49 * 3600 }, "GOOGLE-TOKEN-LIFE"],
    ["valid later", { nbf: now + 600 }, "CLOCK-SKEW"],
  ])("%s: told alike", async (_, claims, code) => {
    const { b, ct, token, policy } = await scene(link);
    const applied = await ct("apply --quiet");
    expect([applied.exit, applied.err]).toEqual([0, ""]);
    expect((await refusal(b, await token(claims), link)).finding?.code).toBe(code);
    const oidc = { issuerUri: iss, allowedAudiences: ["app-1"] };
    const shown = { name: "projects/1/x", attributeMapping: { "google.subject": "assertion.sub" }, oidc };
    policy(shown);
    const held = await ct("explain --token token --pool-provider trust.json");
    expect([held.exit, held.out]).toEqual([3, expect.stringContaining(`error[${code}]`)]);
  });
});
