import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { players } from "../src/parties/players.ts";
import { type Attached, attach } from "../src/sandbox/attach.ts";
import type { Sandbox } from "../src/sandbox/sandbox.ts";
import { account, Bench } from "./support/bench.ts";
import { issue } from "./support/chain.ts";
import { type Signer, signer, signerOf, token } from "./support/signer.ts";

// Every rule that was recorded of AWS's STS for issuers that are not built in (aws.md 2.4, 5.2, 5.3 and 6.3), with
// code, status and message to the letter. Tokens are signed here, not by the sandbox, and served by it.

const issuer = "https://idp.example.com";
const client = "aws-access-client";
const file = `crosstrust: 1
name: acme
links:
  engineers:
    from: { oidc: { issuer: ${issuer}, clientId: ${client}, subject: user-123 } }
    to:   { aws: { account: ${account}, role: engineers, maxSession: 1h } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`;
const arnOf = (name: string) => `arn:aws:iam::${account}:role/crosstrust/${name}`;
const provided = `arn:aws:iam::${account}:oidc-provider/idp.example.com`;

const rsa = signer("RS256", "r1");
const stranger = signer("RS256", "r1");
const curved = signer("ES256", "e1");

let attached: Attached;
let b: Bench;
/** Stands still, so that the last second of the five minutes can be told from the first one after. */
let now = 0;

beforeAll(async () => {
  attached = await attach({ players });
  b = new Bench(attached.url, attached.sandbox as Sandbox);
  await b.apply(file);
  vi.useFakeTimers({ toFake: ["Date"], now: Math.ceil(Date.now() / 1000) * 1000 });
  now = Date.now() / 1000;
});
afterAll(async () => {
  vi.useRealTimers();
  await attached.close();
});
beforeEach(() => serve({ jwks: { keys: [rsa.jwk, curved.jwk] }, discovery: null }));

/** What the issuer serves from now on. */
async function serve(body: Readonly<Record<string, unknown>>, of = issuer): Promise<void> {
  const answer = await fetch(`${b.url}/_sandbox/issuers`, {
    method: "PUT",
    body: JSON.stringify({ issuer: of, ...body }),
  });
  expect(answer.status).toBe(200);
}

type Fields = Readonly<Record<string, unknown>>;

/** A good token's claims, with changes; undefined takes one away. */
const claimsWith = (changes: Fields = {}): Fields => ({
  ...{ iss: issuer, sub: "user-123", aud: client, iat: now, exp: now + 3600 },
  ...changes,
});
const good = (changes: Fields = {}, header: Fields = {}, by: Signer = rsa) => token(claimsWith(changes), by, header);

/** Another role of the account, whose trust policy is that of the first one, changed. */
function roleWith(name: string, change: (statement: Record<string, unknown>) => void): string {
  const known = b.sandbox.state.get<{ name: string; trust: string }>(`aws.role/${account}/engineers`);
  const trust = JSON.parse(known?.trust ?? "") as { Statement: Record<string, unknown>[] };
  for (const statement of trust.Statement) change(statement);
  b.sandbox.state.put(`aws.role/${account}/${name}`, { ...known, name, trust: JSON.stringify(trust) });
  return arnOf(name);
}

async function ask(text: string, params: Readonly<Record<string, string>> = {}) {
  const form = { Version: "2011-06-15", Action: "AssumeRoleWithWebIdentity", RoleArn: arnOf("engineers") };
  const body = new URLSearchParams({ ...form, RoleSessionName: "s1", WebIdentityToken: text, ...params });
  const answer = await fetch(`${b.url}/aws/sts`, { method: "POST", body });
  return { status: answer.status, xml: await answer.text() };
}

const within = (xml: string, tag: string) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1] ?? "";
const plain = (text: string) => text.replaceAll("&apos;", "'").replaceAll("&quot;", '"').replaceAll("&amp;", "&");

/** `ok`, or status, code and message. */
async function said(text: string, params: Readonly<Record<string, string>> = {}): Promise<string> {
  const { status, xml } = await ask(text, params);
  if (status === 200) return "ok";
  return `${status} ${within(xml, "Code")}: ${plain(within(xml, "Message"))}`;
}

const invalid = (says: string) => `400 InvalidIdentityToken: ${says}`;
const generic = invalid(
  "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.",
);
const noKey = invalid(
  "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
);
const notJwt = invalid(
  "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
);
const denied = "403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity";
const timestamp = invalid("Invalid timestamp in token claims.");
const wrongRole = invalid("The target role ARN is not present in the roles claim of the identity token");
const noRoles = invalid("The roles claim contains no valid role ARNs");
const unsupported = invalid("The roles claim is not in a supported format");
const wrongTags = invalid("principal_tags passed in claim is not in correct format.");

type Row = readonly [name: string, text: () => string, expected: string | (() => string)];
const table = (rows: readonly Row[]) =>
  test.each(rows)("%s", async (_, text, expected) => {
    expect(await said(text())).toBe(typeof expected === "string" ? expected : expected());
  });

describe("claims that must be there", () => {
  table([
    ["a good token", () => good(), "ok"],
    ...["iss", "sub", "aud", "iat", "exp"].map(
      (claim): Row => [
        `no ${claim}`,
        () => good({ [claim]: undefined }),
        invalid(`Missing a required claim: ${claim}`),
      ],
    ),
    ["sub null", () => good({ sub: null }), "500 InternalFailure: Unknown error validating third-party token"],
    ["sub of somebody else", () => good({ sub: "user-999" }), denied],
    ["sub in other letters", () => good({ sub: "User-123" }), denied],
    ["sub empty: a subject like any other", () => good({ sub: "" }), denied],
    ["sub of 300 characters: no error of its own", () => good({ sub: "u".repeat(300) }), denied],
    [
      "a member twice: the last one counts",
      () => token(JSON.stringify(claimsWith()).replace(/^\{/, '{"sub":"user-999",'), rsa),
      "ok",
    ],
    [
      "a member twice, the wrong one last",
      () => token(JSON.stringify(claimsWith()).replace(/\}$/, ',"sub":"user-999"}'), rsa),
      denied,
    ],
  ]);

  test("a numeric sub becomes a text", async () => {
    const role = roleWith("numbers", (one) => {
      one.Condition = { StringEquals: { "idp.example.com:sub": "42", "idp.example.com:aud": client } };
    });
    const { xml } = await ask(good({ sub: 42 }), { RoleArn: role });
    expect(within(xml, "SubjectFromWebIdentityToken")).toBe("42");
  });
});

describe("times: five minutes of skew, both ways", () => {
  const expired = (exp: number) =>
    `400 ExpiredTokenException: Token expired: current date/time ${now - 300} must be before the expiration date/time ${exp}`;
  table([
    ["exp 299 s ago", () => good({ exp: now - 299 }), "ok"],
    ["exp 300 s ago", () => good({ exp: now - 300 }), () => expired(now - 300)],
    ["exp long ago", () => good({ iat: 1, exp: 2 }), () => expired(2)],
    ["iat in 300 s", () => good({ iat: now + 300 }), "ok"],
    ["iat in 301 s", () => good({ iat: now + 301 }), () => invalid(`Token issued in the future: ${now + 301}`)],
    ["nbf in 300 s", () => good({ nbf: now + 300 }), "ok"],
    [
      "nbf in 301 s",
      () => good({ nbf: now + 301 }),
      () =>
        invalid(
          `Token not yet valid: current date/time ${now + 300} must be after or equal to the not-before date/time ${now + 301}`,
        ),
    ],
    ["times as digits", () => good({ iat: String(now), exp: String(now + 60), nbf: String(now) }), "ok"],
    ...(["iat", "exp", "nbf"] as const).flatMap((claim): readonly Row[] => [
      [`${claim} with a fraction`, () => good({ [claim]: now + 0.5 }), timestamp],
      [`${claim} null`, () => good({ [claim]: null }), timestamp],
      [`${claim} a word`, () => good({ [claim]: "soon" }), timestamp],
      [`${claim} true`, () => good({ [claim]: true }), timestamp],
      [
        `${claim} 1e400`,
        () => token(JSON.stringify(claimsWith({ [claim]: "X" })).replace('"X"', "1e400"), rsa),
        timestamp,
      ],
    ]),
  ]);

  test("the end of a token is not the end of its session", async () => {
    const { xml } = await ask(good({ exp: now + 60 }));
    expect(Date.parse(within(xml, "Expiration"))).toBe((now + 3600) * 1000);
  });

  test("the sandbox's clock is the one that counts", async () => {
    const clock = (offsetSeconds: number) =>
      fetch(`${b.url}/_sandbox/clock`, { method: "PUT", body: JSON.stringify({ offsetSeconds }) });
    await clock(4000);
    expect(await said(good())).toContain("400 ExpiredTokenException");
    await clock(0);
    expect(await said(good())).toBe("ok");
  });
});

describe("audience: azp where there is one, else aud", () => {
  const several = invalid("Token audience contains more than one audience while authorized party is not present");
  table([
    ["another client", () => good({ aud: "another" }), generic],
    ["in other letters", () => good({ aud: client.toUpperCase() }), generic],
    ["aud empty", () => good({ aud: "" }), generic],
    ["aud a list of one", () => good({ aud: [client] }), "ok"],
    ["aud a list of one other", () => good({ aud: ["another"] }), generic],
    ["aud an empty list", () => good({ aud: [] }), invalid("Claim is not allowed to be empty: aud")],
    ["two audiences, no azp", () => good({ aud: [client, "another"] }), several],
    ["two audiences, azp null", () => good({ aud: [client, "another"], azp: null }), several],
    ["two audiences, and azp", () => good({ aud: ["one", "another"], azp: client }), "ok"],
    ["azp not among the client ids, although aud is", () => good({ azp: "another" }), generic],
    ["azp among them, although aud is not", () => good({ aud: "another", azp: client }), "ok"],
    ["azp empty", () => good({ azp: "" }), generic],
  ]);

  test("what was read is in the answer", async () => {
    const { xml } = await ask(good({ aud: "api://something", azp: client }));
    expect([within(xml, "Audience"), within(xml, "Provider"), within(xml, "Arn")]).toEqual([
      client,
      provided,
      `arn:aws:sts::${account}:assumed-role/engineers/s1`,
    ]);
  });
});

describe("signatures", () => {
  table([
    ["another key under the right kid", () => good({}, {}, stranger), generic],
    ["a payload that was changed", () => swapped(good(), claimsWith({ sub: "user-123", extra: 1 })), generic],
    ["alg none", () => good({}, { alg: "none" }), generic],
    ["HS256 with the key as its secret", () => good({}, { alg: "HS256" }), generic],
    ["PS256", () => good({}, { alg: "PS256" }), generic],
    ["no alg", () => good().replace(/^[^.]+/, Buffer.from('{"kid":"r1"}').toString("base64url")), generic],
    ["RS256 said of an EC key", () => good({}, { kid: "e1" }), generic],
    ["crit", () => good({}, { crit: ["exp"] }), notJwt],
    ["an opaque access token", () => "ya29.a0AfH6SMBexample", notJwt],
    ["two parts", () => good().split(".").slice(0, 2).join("."), notJwt],
    ["four parts", () => `${good()}.`, notJwt],
    ["a payload that is a list", () => token([claimsWith()], rsa), notJwt],
    ["a payload that is null", () => token("null", rsa), notJwt],
    ["a blank at its end", () => `${good()} `, notJwt],
    ["padding", () => `${good()}=`, notJwt],
  ]);

  test.each(["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"])("%s is taken", async (alg) => {
    const by = signer(alg, "k");
    await serve({ jwks: { keys: [by.jwk] } });
    expect(await said(good({}, {}, by))).toBe("ok");
  });

  test.each([
    ["EdDSA", "EdDSA", "EdDSA"],
    ["PS384", "RS384", "PS384"],
    ["ES256 by a key of P-384", "ES384", "ES256"],
    ["ES512 by a key of P-256", "ES256", "ES512"],
  ])("%s is not taken", async (_, key, alg) => {
    const by = signer(key, "k");
    await serve({ jwks: { keys: [by.jwk] } });
    expect(await said(good({}, { alg }, by))).toBe(generic);
  });

  test.each([
    ["nothing", {}, "ok"],
    ["another key", { sign: "wrong-key" }, generic],
    ["no key", { sign: "none" }, generic],
    ["crit", { header: { crit: ["exp"] } }, notJwt],
  ])("the sandbox's own minting, changed by %s", async (_, change, expected) => {
    await serve({ jwks: null });
    const body = JSON.stringify({ issuer, claims: claimsWith(), ...change });
    const minted = await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body });
    expect(await said(((await minted.json()) as { token: string }).token)).toBe(expected);
  });
});

/** The same header and signature around other claims. */
function swapped(text: string, claims: Fields): string {
  const [head, , tail] = text.split(".");
  return `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${tail}`;
}

describe("key sets", () => {
  const other = signer("RS256", "r2");
  const many = (count: number) => Array.from({ length: count }, (_, at) => ({ ...other.jwk, kid: `many-${at}` }));
  const { kid: _, ...nameless } = rsa.jwk;
  const noKid = () => good({}, { kid: null });

  test.each<readonly [string, readonly unknown[], () => string, string]>([
    ["a kid that is not served", [other.jwk], () => good(), noKey],
    ["no kid in the token, one key", [rsa.jwk], noKid, "ok"],
    ["no kid in the token, two keys", [rsa.jwk, other.jwk], noKid, noKey],
    ["an empty kid in the token, two keys", [rsa.jwk, other.jwk], () => good({}, { kid: "" }), noKey],
    ["no kid in the key", [nameless], () => good(), noKey],
    ["no kid in either", [nameless], noKid, noKey],
    ["for encryption", [{ ...rsa.jwk, use: "enc" }], () => good(), noKey],
    ["without use", [{ ...rsa.jwk, use: undefined }], () => good(), "ok"],
    ["with key_ops", [{ ...rsa.jwk, key_ops: ["verify"] }], () => good(), generic],
    ["alg of the key is not looked at", [{ ...rsa.jwk, alg: "RS512" }], () => good(), "ok"],
    ["one kid twice, the right one last", [stranger.jwk, rsa.jwk], () => good(), "ok"],
    ["one kid twice, the wrong one last", [rsa.jwk, stranger.jwk], () => good(), generic],
    ["100 RSA keys", [...many(99), rsa.jwk], () => good(), "ok"],
    ["101 RSA keys", [...many(100), rsa.jwk], () => good(), noKey],
    ["101 RSA keys, and one on a curve", [...many(101), curved.jwk], () => good({}, {}, curved), "ok"],
    ["no keys", [], () => good(), noKey],
    ["a key that is none", [{ kty: "RSA", kid: "r1", n: "AQAB" }], () => good(), noKey],
    ["a key on no curve", [{ kty: "EC", kid: "e1", crv: "P-256" }], () => good({}, {}, curved), noKey],
    ["a secret", [{ kty: "oct", kid: "r1", k: "c2VjcmV0" }], () => good({}, { alg: "HS256" }), noKey],
  ])("%s", async (_name, keys, text, expected) => {
    await serve({ jwks: { keys } });
    expect(await said(text())).toBe(expected);
  });

  test("a certificate beside a key must be that key's", async () => {
    const [mine, another] = [await issue("mine"), await issue("another")];
    const by = signerOf(mine.key, "c1");
    const der = ({ pem }: { pem: string }) => pem.replace(/-----[^-]+-----|\s/g, "");
    const outcome = async (jwk: unknown, text = good({}, {}, by)) => {
      await serve({ jwks: { keys: [jwk] } });
      return said(text);
    };
    expect(await outcome({ ...by.jwk, x5c: [der(mine)] })).toBe("ok");
    expect(await outcome({ ...by.jwk, x5c: [der(another)] })).toBe(noKey);
    expect(await outcome({ ...rsa.jwk, x5c: [der(mine)] }, good())).toBe(noKey);
    expect(await outcome({ ...by.jwk, x5c: ["bm90IG9uZQ=="] })).toBe(noKey);
    expect(await outcome({ kty: "RSA", kid: "r1", use: "sig", x5c: [der(mine)] }, good())).toBe(noKey);
    expect(await outcome({ kty: "EC", kid: "c1", use: "sig", x5c: [der(mine)] })).toBe(noKey);
  });
});

describe("discovery", () => {
  const whole = {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  };
  test.each<readonly [string, Fields, string]>([
    ["whole", whole, "ok"],
    ...Object.keys(whole).map((field) => {
      const without = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== field));
      return [`without ${field}`, without, noKey] as const;
    }),
    ["of an issuer with a slash more", { ...whole, issuer: `${issuer}/` }, noKey],
    ["of another issuer", { ...whole, issuer: "https://www.example.com" }, noKey],
    ["whose keys are not on https", { ...whole, jwks_uri: "http://idp.example.com/jwks" }, noKey],
    ["whose keys stand at another path", { ...whole, jwks_uri: `${issuer}/elsewhere/` }, "ok"],
    ["whose keys are at a host that is not there", { ...whole, jwks_uri: "https://10.0.0.1/keys" }, noKey],
    ["whose keys are no address", { ...whole, jwks_uri: "keys" }, noKey],
  ])("%s", async (_, discovery, expected) => {
    await serve({ discovery });
    expect(await said(good())).toBe(expected);
  });

  test.each(["error500", "html", "empty", "reset", "truncate"])("the key set answers with %s", async (fault) => {
    const faults = (rules: unknown) =>
      fetch(`${b.url}/_sandbox/faults`, { method: "PUT", body: JSON.stringify(rules) });
    await faults([{ service: "oidc", operation: "GetKeys", nth: 1, fault }]);
    try {
      expect(await said(good())).toBe(noKey);
    } finally {
      await faults([]);
    }
  });
});

describe("which roles a token is for", () => {
  const roles = "https://aws.amazon.com/roles";
  const [mine, another] = [arnOf("engineers"), arnOf("another")];
  table([
    ["this one", () => good({ [roles]: [mine] }), "ok"],
    ["this one among others", () => good({ [roles]: [another, mine] }), "ok"],
    ["another one", () => good({ [roles]: [another] }), wrongRole],
    ["as a text", () => good({ [roles]: mine }), "ok"],
    ["as a text with semicolons", () => good({ [roles]: `${another};${mine}` }), "ok"],
    ["blanks around", () => good({ [roles]: ` ${another} ; ${mine} ` }), "ok"],
    ["blanks around in a list", () => good({ [roles]: [` ${mine} `] }), "ok"],
    ["commas are none", () => good({ [roles]: `${another},${mine}` }), noRoles],
    ["no wildcards", () => good({ [roles]: [mine.replace("engineers", "*")] }), noRoles],
    ["null is none", () => good({ [roles]: null }), "ok"],
    ["an empty list", () => good({ [roles]: [] }), noRoles],
    ["an empty text", () => good({ [roles]: "" }), noRoles],
    ["a number", () => good({ [roles]: 42 }), unsupported],
    ["an object", () => good({ [roles]: { [mine]: true } }), unsupported],
  ]);

  test("a role can ask for it", async () => {
    const RoleArn = roleWith("authorized", (one) => {
      one.Condition = { ...(one.Condition as object), Bool: { "sts:RoleAuthorizedByIdp": "true" } };
    });
    expect(await said(good(), { RoleArn })).toBe(denied);
    expect(await said(good({ [roles]: null }), { RoleArn })).toBe(denied);
    expect(await said(good({ [roles]: [RoleArn] }), { RoleArn })).toBe("ok");
  });
});

describe("session tags and source identity", () => {
  const own = "https://aws.amazon.com/";
  const nested = (value: unknown) => ({ [`${own}tags`]: { principal_tags: { team: value } } });
  const flat = { [`${own}tags/principal_tags/team`]: "blue" };
  const tagging = () =>
    roleWith("tagging", (one) => {
      one.Action = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"];
      const { StringEquals } = one.Condition as { StringEquals: object };
      one.Condition = { StringEquals: { ...StringEquals, "aws:RequestTag/team": "blue" } };
    });
  test.each<readonly [string, Fields, string]>([
    ["nested", nested(["blue"]), "ok"],
    ["flat", flat, "ok"],
    ["another value", nested(["red"]), denied],
    ["none", {}, denied],
    ["a plain text", nested("blue"), wrongTags],
    ["two values", nested(["blue", "red"]), wrongTags],
    ["no value", nested([]), wrongTags],
  ])("%s", async (_, claims, expected) => {
    expect(await said(good(claims), { RoleArn: tagging() })).toBe(expected);
  });

  test("a role that does not say sts:TagSession turns tags away", async () => {
    expect(await said(good(nested(["blue"])))).toBe(denied);
    expect(await said(good(flat))).toBe(denied);
  });

  test("a source identity needs sts:SetSourceIdentity, and can be asked for", async () => {
    const source = { [`${own}source_identity`]: "ann" };
    expect(await said(good(source))).toBe(denied);
    const RoleArn = roleWith("sourced", (one) => {
      one.Action = ["sts:AssumeRoleWithWebIdentity", "sts:SetSourceIdentity"];
      one.Condition = { ...(one.Condition as object), StringLike: { "sts:SourceIdentity": "a*" } };
    });
    expect(await said(good(), { RoleArn })).toBe(denied);
    expect(await said(good({ [`${own}source_identity`]: "bob" }), { RoleArn })).toBe(denied);
    const { xml } = await ask(good(source), { RoleArn });
    expect(within(xml, "SourceIdentity")).toBe("ann");
  });
});

describe("the request", () => {
  const constraint = (says: string) => new RegExp(`^400 ValidationError: 1 validation error detected: .*${says}`);
  test.each<readonly [string, Readonly<Record<string, string>>, string | RegExp]>([
    [
      "a token of 20,001 characters",
      { WebIdentityToken: "x".repeat(20_001) },
      constraint("length less than or equal to 20000"),
    ],
    ["a token of 20,000 characters", { WebIdentityToken: "x".repeat(20_000) }, notJwt],
    ["a ProviderId", { ProviderId: "www.amazon.com" }, invalid("Provided Token is not a Login With Amazon token")],
    [
      "a session name with a blank",
      { RoleSessionName: "x y" },
      "400 ValidationError: 1 validation error detected: Value 'x y' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
    ],
    ["a session name of 65", { RoleSessionName: "s".repeat(65) }, constraint("length less than or equal to 64$")],
    [
      "longer than the role allows",
      { DurationSeconds: "3601" },
      "400 ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    ],
    ["shorter than anything", { DurationSeconds: "899" }, constraint("")],
    ["a role that is not there", { RoleArn: arnOf("nobody") }, denied],
    ["a role of another path", { RoleArn: arnOf("engineers").replace("/crosstrust/", "/") }, denied],
    [
      "a role of another account",
      { RoleArn: "arn:aws:iam::999988887777:role/crosstrust/engineers" },
      invalid(`No OpenIDConnect provider found in your account for ${issuer}`),
    ],
    [
      "a role of another partition",
      { RoleArn: arnOf("engineers").replace("arn:aws:", "arn:aws-us-gov:") },
      invalid(`No OpenIDConnect provider found in your account for ${issuer}`),
    ],
  ])("%s", async (_, params, expected) => {
    const answer = await said(good(), params);
    if (typeof expected === "string") expect(answer).toBe(expected);
    else expect(answer).toMatch(expected);
  });
});

describe("which issuer", () => {
  test.each([`${issuer}/`, "https://IDP.example.com", "https://www.example.com", "http://idp.example.com", "x"])(
    "%s is another one",
    async (iss) => {
      const says = `No OpenIDConnect provider found in your account for ${iss}`;
      expect(await said(good({ iss }))).toBe(invalid(says));
    },
  );

  test("with a slash more it can have an OIDC provider beside the first one", async () => {
    const slashed = `${issuer}/`;
    const known = b.sandbox.state.get<object>(`aws.oidcProvider/${account}/idp.example.com`);
    const stored = { ...known, url: "idp.example.com/", arn: `${provided}/` };
    b.sandbox.state.put(`aws.oidcProvider/${account}/idp.example.com/`, stored);
    try {
      const theirs = signer("RS256", "r1");
      await serve({ jwks: { keys: [theirs.jwk] }, discovery: { ...slash, jwks_uri: `${slashed}keys` } }, slashed);
      // Its documents stand where the first one's do, which says another issuer.
      expect(await said(good({ iss: slashed }, {}, theirs))).toBe(noKey);
      // A role that trusts the one does not trust the other.
      await serve({ discovery: { ...slash, jwks_uri: `${issuer}/.well-known/jwks.json` } });
      expect(await said(good({ iss: slashed }))).toBe(denied);
      const RoleArn = roleWith("slashed", (one) => {
        one.Principal = { Federated: `${provided}/` };
        one.Condition = { StringEquals: { "idp.example.com/:sub": "user-123", "idp.example.com/:aud": client } };
      });
      expect(await said(good({ iss: slashed }), { RoleArn })).toBe("ok");
      expect(await said(good(), { RoleArn })).toBe(noKey);
    } finally {
      b.sandbox.state.delete(`aws.oidcProvider/${account}/idp.example.com/`);
      b.sandbox.state.delete(`issuer/${slashed}`);
    }
  });

  const slash = {
    issuer: `${issuer}/`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  };
});

test("what has not propagated is refused with the words of a wrong trust", async () => {
  const propagation = (seconds: number) =>
    fetch(`${b.url}/_sandbox/propagation`, { method: "PUT", body: JSON.stringify({ seconds }) });
  await propagation(10);
  try {
    const fresh = "aws.oidcProvider/111122223333/idp.example.com";
    const stored = b.sandbox.state.get(fresh);
    vi.setSystemTime(Date.now() + 60_000);
    expect(await said(good())).toBe("ok");
    const RoleArn = roleWith("fresh", () => {});
    expect(await said(good(), { RoleArn })).toBe(denied);
    vi.setSystemTime(Date.now() + 9_000);
    expect(await said(good(), { RoleArn })).toBe(denied);
    vi.setSystemTime(Date.now() + 2_000);
    expect(await said(good(), { RoleArn })).toBe("ok");

    b.sandbox.state.delete(fresh);
    expect(await said(good())).toBe(invalid(`No OpenIDConnect provider found in your account for ${issuer}`));
    vi.setSystemTime(Date.now() + 60_000);
    b.sandbox.state.put(fresh, stored);
    expect(await said(good())).toBe(denied);
    vi.setSystemTime(Date.now() + 11_000);
    expect(await said(good())).toBe("ok");
  } finally {
    await propagation(0);
  }
});
