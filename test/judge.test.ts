import { spawnSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { strangersOf } from "../src/judge/aws/admits.ts";
import { like } from "../src/judge/aws/conditions.ts";
import { judgeTrust } from "../src/judge/aws/judge.ts";
import { type Policy, parsePolicy, renderPolicy } from "../src/judge/aws/policy.ts";
import { witnessed } from "./support/witness.ts";

const google = "accounts.google.com";
const uniqueId = "10036718611111111111";
const token = { iss: `https://${google}`, sub: uniqueId, azp: uniqueId, aud: "aws-trust-1" };

const policyOf = (statements: unknown): Policy => {
  const policy = parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement: statements }));
  if (!policy) throw new Error("no policy");
  return policy;
};
const trusting = (Condition: unknown, more: object = {}) =>
  policyOf([
    { Effect: "Allow", Principal: { Federated: google }, Action: "sts:AssumeRoleWithWebIdentity", Condition, ...more },
  ]);
const allows = (Condition: unknown, claims: Record<string, unknown> = token, more: object = {}) =>
  judgeTrust({ claims, federated: google }, trusting(Condition, more)).allow;

const equals = (keys: Record<string, unknown>) => ({ StringEquals: keys });
const right = equals({ [`${google}:sub`]: uniqueId, [`${google}:oaud`]: "aws-trust-1" });

describe("google's token, as aws reads it", () => {
  test("sub and oaud let exactly this account in", () => {
    expect(allows(right)).toBe(true);
    expect(allows(right, { ...token, sub: "1" })).toBe(false);
    expect(allows(right, { ...token, aud: "aws-trust-2" })).toBe(false);
  });

  // The published policy of the blog posts: catches a judge that reads aud as aud.
  test("aud is azp: pinned on the audience it refuses, pinned on the unique id it lets in", () => {
    expect(allows(equals({ [`${google}:aud`]: "aws-trust-1" }))).toBe(false);
    expect(allows(equals({ [`${google}:aud`]: uniqueId }))).toBe(true);
    const { azp: _, ...without } = token;
    expect(allows(equals({ [`${google}:aud`]: "aws-trust-1" }), without)).toBe(true);
  });

  test("azp as e-mail passes where both spellings are listed, and only there", () => {
    const byKey = {
      ...token,
      azp: "reports@acme-prod.iam.gserviceaccount.com",
      email: "reports@acme-prod.iam.gserviceaccount.com",
    };
    expect(allows(equals({ [`${google}:aud`]: uniqueId }), byKey)).toBe(false);
    expect(allows(equals({ [`${google}:aud`]: [uniqueId, byKey.azp] }), byKey)).toBe(true);
    expect(allows(equals({ [`${google}:email`]: byKey.email }), byKey)).toBe(true);
    expect(allows(equals({ [`${google}:email`]: byKey.email }))).toBe(false);
  });

  test("claims that aws never exposes never match, and pass where a missing key passes", () => {
    const claims = { ...token, groups: ["admins"], hd: "example.com" };
    expect(allows(equals({ [`${google}:groups`]: "admins" }), claims)).toBe(false);
    expect(allows({ StringEqualsIfExists: { [`${google}:hd`]: "other.example" } }, claims)).toBe(true);
    expect(allows({ "ForAllValues:StringEquals": { [`${google}:groups`]: "nobody" } }, claims)).toBe(true);
    expect(allows({ "ForAnyValue:StringEquals": { [`${google}:groups`]: "admins" } }, claims)).toBe(false);
    expect(allows({ StringNotEquals: { [`${google}:groups`]: "admins" } }, claims)).toBe(true);
    expect(allows({ Null: { [`${google}:groups`]: "true" } }, claims)).toBe(true);
  });

  test("wildcards are letters under StringEquals", () => {
    expect(allows(equals({ [`${google}:sub`]: "*" }))).toBe(false);
    expect(allows({ StringLike: { [`${google}:sub`]: "1003671861*" } })).toBe(true);
    expect(allows({ StringLike: { [`${google}:sub`]: "1003671861?" } })).toBe(false);
  });

  test("key names know no case, values do", () => {
    expect(allows(equals({ "ACCOUNTS.google.com:SUB": uniqueId }))).toBe(true);
    expect(allows(equals({ [`${google}:oaud`]: "AWS-trust-1" }))).toBe(false);
  });
});

describe("principals and actions", () => {
  test.each([
    ["another issuer", { Principal: { Federated: "arn:aws:iam::111122223333:oidc-provider/idp.example.com" } }, false],
    ["AWS *, which admits no web identity (recorded)", { Principal: { AWS: "*" } }, false],
    ["NotPrincipal", { Principal: undefined, NotPrincipal: { AWS: "1" } }, "unknown"],
    ["another action", { Action: "sts:AssumeRole" }, false],
    ["a pattern of actions", { Action: "sts:Assume*" }, true],
    ["NotAction", { Action: undefined, NotAction: "sts:AssumeRole" }, true],
  ])("%s", (_, more, wanted) => {
    expect(allows(right, token, more)).toBe(wanted);
  });

  test("a Deny that matches wins; one that cannot be told makes it unknown", () => {
    const deny = (Condition: unknown) => ({
      Effect: "Deny",
      Principal: { Federated: google },
      Action: "sts:*",
      Condition,
    });
    const allow = { Effect: "Allow", Principal: { Federated: google }, Action: "sts:AssumeRoleWithWebIdentity" };
    const decide = (condition: unknown) =>
      judgeTrust({ claims: token, federated: google }, policyOf([allow, deny(condition)])).allow;
    expect(decide(equals({ [`${google}:sub`]: uniqueId }))).toBe(false);
    expect(decide(equals({ [`${google}:sub`]: "1" }))).toBe(true);
    expect(decide({ IpAddress: { "aws:SourceIp": "10.0.0.0/8" } })).toBe("unknown");
  });
});

describe("what cannot be decided is unknown, never true", () => {
  test.each([
    ["an operator that does not exist", { StringEqual: { [`${google}:sub`]: uniqueId } }],
    ["the caller's address", { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }],
    ["a policy variable", equals({ [`${google}:sub`]: `\${aws:username}` })],
    ["several values under a plain operator", equals({ [`${google}:amr`]: "x" })],
  ])("%s", (_, condition) => {
    expect(allows(condition, { ...token, amr: ["x", "y"] })).toBe("unknown");
  });

  test("in version 2008-10-17 a variable is plain text", () => {
    const text = JSON.stringify({
      Statement: [
        {
          Effect: "Allow",
          Principal: { Federated: google },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: equals({ [`${google}:sub`]: `\${x}` }),
        },
      ],
    });
    expect(
      judgeTrust({ claims: { ...token, sub: `\${x}` }, federated: google }, parsePolicy(text) as Policy).allow,
    ).toBe(true);
  });
});

test("the matcher agrees with a regular expression, whole value, any character", () => {
  const character = fc.constantFrom("a", "b", "*", "?", ".", "[", "\n");
  const text = fc.array(character, { maxLength: 8 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, text, (pattern, value) => {
      const source = [...pattern]
        .map((one) => (one === "*" ? "[^]*" : one === "?" ? "[^]" : one.replace(/[.[\]\\]/g, "\\$&")))
        .join("");
      expect(like(pattern, value)).toBe(new RegExp(`^${source}$`).test(value));
    }),
    { numRuns: 2000, seed: 1 },
  );
});

const keys = [
  `${google}:sub`,
  `${google}:aud`,
  `${google}:oaud`,
  `${google}:email`,
  `${google}:amr`,
  `${google}:groups`,
  "sts:RoleSessionName",
  "aws:SourceIp",
  "idp.example.com:sub",
  "aws:RequestTag/x",
];
const operators = [
  "StringEquals",
  "StringNotEquals",
  "StringLike",
  "StringNotLike",
  "StringEqualsIgnoreCase",
  "StringNotEqualsIgnoreCase",
  "StringEqualsIfExists",
  "StringLikeIfExists",
  "ForAllValues:StringEquals",
  "ForAnyValue:StringLike",
  "ForAnyValue:StringNotEquals",
  "ForAllValues:StringNotLikeIfExists",
  "Null",
  "Bool",
  "StringEqual",
];
const value = fc.constantFrom("1", "2", "*", "1*", "?", "a@x", "A@X", "true", "false", "s1");
const statement = fc.record({
  Effect: fc.constantFrom("Allow", "Allow", "Allow", "Deny"),
  Principal: fc.constantFrom(
    { Federated: google },
    { Federated: google },
    { Federated: [google, "x.example.com"] },
    { AWS: "*" },
    { Federated: "x.example.com" },
  ),
  Action: fc.constantFrom("sts:AssumeRoleWithWebIdentity", "sts:*", "sts:AssumeRole", [
    "sts:TagSession",
    "sts:ASSUMEROLEWITHWEBIDENTITY",
  ]),
  Condition: fc.dictionary(
    fc.constantFrom(...operators),
    fc.dictionary(fc.constantFrom(...keys), fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 })), {
      minKeys: 1,
      maxKeys: 2,
    }),
    { maxKeys: 2 },
  ),
});
const claimsOf = fc.record(
  {
    sub: fc.constantFrom("1", "2", "a@x"),
    aud: fc.constantFrom("1", "2", "A@X"),
    azp: fc.constantFrom("1", "2"),
    email: fc.constantFrom("a@x"),
    amr: fc.constantFrom("1", ["1", "2"], []),
  },
  { requiredKeys: ["sub", "aud"] },
);
const cases = fc.record({ Statement: fc.array(statement, { minLength: 1, maxLength: 3 }), claims: claimsOf });

witnessed("python3")("an evaluator written apart, in another language, agrees on 5000 random policies", () => {
  const samples = fc.sample(cases, { numRuns: 5000, seed: 20261121 }).map(({ Statement, claims }) => ({
    policy: { Version: "2012-10-17", Statement },
    claims: { iss: `https://${google}`, ...claims },
    federated: google,
    session: "s1",
  }));
  const input = samples.map((sample) => JSON.stringify(sample)).join("\n");
  const { stdout, stderr } = spawnSync("python3", [join(import.meta.dirname, "strangers", "reference.py")], {
    input,
    encoding: "utf8",
    maxBuffer: 1e8,
  });
  expect(stderr).toBe("");
  const theirs = stdout.trim().split("\n");
  const ours = samples.map(({ policy, claims, federated, session }) => {
    const { allow } = judgeTrust(
      { claims, federated, request: { sessionName: session } },
      parsePolicy(JSON.stringify(policy)) as Policy,
    );
    return allow === true ? "allow" : allow === false ? "deny" : "unknown";
  });
  const differing = samples.flatMap((sample, at) =>
    ours[at] === theirs[at] ? [] : [{ sample, ours: ours[at], theirs: theirs[at] }],
  );
  expect(differing.slice(0, 3)).toEqual([]);
  // The test can fail only if all three answers occur.
  for (const answer of ["allow", "deny", "unknown"])
    expect(ours.filter((one) => one === answer).length).toBeGreaterThan(50);
});

test("a policy means the same after parsing and rendering", () => {
  fc.assert(
    fc.property(cases, ({ Statement }) => {
      const policy = policyOf(Statement);
      expect(parsePolicy(renderPolicy(policy))).toEqual(policy);
    }),
    { numRuns: 500, seed: 7 },
  );
});

describe("strangers", () => {
  const wanted = trusting(right);
  const found = (live: Policy) => strangersOf(live, wanted).map(({ code, who }) => `${code} ${who}`);

  test.each([
    ["the same policy", right, []],
    ["no condition at all", undefined, ["AWS-SUB-MISSING every service account and user of accounts.google.com"]],
    [
      "only the audience",
      equals({ [`${google}:oaud`]: "aws-trust-1" }),
      ["AWS-SUB-MISSING every service account and user of accounts.google.com"],
    ],
    ["only the subject", equals({ [`${google}:sub`]: uniqueId }), ["AWS-AUDIENCE-OPEN a token for any audience"]],
    [
      "one more subject",
      equals({ [`${google}:sub`]: [uniqueId, "20"], [`${google}:oaud`]: "aws-trust-1" }),
      ["AWS-SUB-EXTRA the subject 20"],
    ],
    [
      "one more audience",
      equals({ [`${google}:sub`]: uniqueId, [`${google}:oaud`]: ["aws-trust-1", "b"] }),
      ["AWS-AUDIENCE-OPEN a token for the audience b"],
    ],
    [
      "a pattern",
      { StringLike: { [`${google}:sub`]: "1003*" }, StringEquals: { [`${google}:oaud`]: "aws-trust-1" } },
      ["AWS-SUB-EXTRA the subject 1003"],
    ],
    [
      "a pattern that is anybody",
      { StringLike: { [`${google}:sub`]: "*" }, StringEquals: { [`${google}:oaud`]: "aws-trust-1" } },
      ["AWS-SUB-WILDCARD every service account and user of accounts.google.com"],
    ],
    [
      "ForAllValues on an absent key",
      { "ForAllValues:StringEquals": { [`${google}:groups`]: "x" } },
      ["AWS-SUB-MISSING every service account and user of accounts.google.com"],
    ],
    [
      "whoever has an e-mail",
      equals({ [`${google}:email`]: "x@acme-prod.iam.gserviceaccount.com" }),
      ["AWS-SUB-EXTRA whoever has the e-mail x@acme-prod.iam.gserviceaccount.com"],
    ],
    [
      "a session name, which the stranger chooses",
      equals({ "sts:RoleSessionName": "reports" }),
      ["AWS-SUB-MISSING every service account and user of accounts.google.com"],
    ],
    ["a private network, in which no outsider is", { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }, []],
    [
      "the whole internet",
      { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } },
      ["AWS-SUB-MISSING every service account and user of accounts.google.com"],
    ],
    [
      "a key that nobody knows",
      { StringEquals: { "aws:SomethingNew": "x" } },
      ["AWS-TRUST-UNDECIDED somebody else (StringEquals aws:somethingnew cannot be judged from here)"],
    ],
    [
      "narrower",
      equals({ [`${google}:sub`]: uniqueId, [`${google}:oaud`]: "aws-trust-1", [`${google}:email`]: "x" }),
      [],
    ],
  ])("%s", (_, condition, wantedNames) => {
    expect(found(trusting(condition))).toEqual(wantedNames);
  });

  test("principals that need no token of this issuer", () => {
    const more = (Principal: unknown, Action: string) =>
      policyOf([
        {
          Effect: "Allow",
          Principal: { Federated: google },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: right,
        },
        { Effect: "Allow", Principal, Action },
      ]);
    expect(found(more({ AWS: "*" }, "sts:AssumeRole"))).toEqual(["AWS-PRINCIPAL-EXTRA AWS principal *"]);
    expect(found(more({ AWS: "arn:aws:iam::999988887777:root" }, "sts:*"))).toEqual([
      "AWS-PRINCIPAL-EXTRA AWS principal 999988887777",
    ]);
    // A service acts for the role's own account.
    expect(found(more({ Service: "ec2.amazonaws.com" }, "sts:AssumeRole"))).toEqual([]);
    expect(found(more({ Federated: "cognito-identity.amazonaws.com" }, "sts:AssumeRoleWithWebIdentity"))).toHaveLength(
      1,
    );
  });

  // Catches a program that compares texts and calls every difference a stranger, or none.
  test("whoever the judge lets in beyond the file is found, for random live policies", () => {
    const sub = fc.constantFrom("1", "2", "3", "*", "1*");
    const live = fc.record({
      op: fc.constantFrom("StringEquals", "StringLike", "StringNotEquals"),
      subs: fc.array(sub, { minLength: 1, maxLength: 3 }),
      aud: fc.option(fc.constantFrom("a", "b", "*")),
    });
    const desired = trusting(equals({ [`${google}:sub`]: "1", [`${google}:oaud`]: "a" }));
    fc.assert(
      fc.property(live, ({ op, subs, aud }) => {
        const condition = {
          [op]: { [`${google}:sub`]: subs },
          ...(aud
            ? { StringLike: { ...(op === "StringLike" ? { [`${google}:sub`]: subs } : {}), [`${google}:oaud`]: aud } }
            : {}),
        };
        const policy = trusting(condition);
        const someone = ["1", "2", "3", "7", "19"].flatMap((s) =>
          ["a", "b", "c"].map((a) => ({ iss: `https://${google}`, sub: s, aud: a, azp: s })),
        );
        const extra = someone.filter((claims) => {
          const admits = (one: Policy) => judgeTrust({ claims, federated: google }, one).allow === true;
          // The right subject for another audience that is named is drift, and no outsider; "c" is named nowhere.
          return admits(policy) && !admits(desired) && (claims.sub !== "1" || claims.aud === "c");
        });
        const outsiders = strangersOf(policy, desired).filter(({ within }) => !within);
        expect(outsiders.length > 0).toBe(extra.length > 0);
      }),
      { numRuns: 500, seed: 3 },
    );
  });
});
