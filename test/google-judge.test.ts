import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { strangersOf } from "../src/judge/google/admits.ts";
import { attributesOf, awsDefaultMapping, isUnmapped } from "../src/judge/google/attributes.ts";
import { evaluate, quoted, syntaxError } from "../src/judge/google/cel.ts";
import { parseCondition, renderCondition } from "../src/judge/google/condition.ts";
import { extract } from "../src/judge/google/extract.ts";
import { judgePool, type PoolTrust } from "../src/judge/google/judge.ts";
import { isMeant, memberOf, parseMember, tailsOf } from "../src/judge/google/principals.ts";

// One judge serves lint, the sandbox's STS and explain, so what is wrong here is wrong everywhere at once.

const arn = "arn:aws:sts::123456789012:assumed-role/my-role/i-0123456789abcdef0";

describe("extract(), the eight documented cases (google.md 11.1) and what they leave open", () => {
  const path = "projects/_/buckets/acme-orders-aaa/data_lake/orders/order_date=2019-11-03/aef87g87ae0876";
  test.each([
    ["prefix and suffix", path, "/order_date={date}/", "2019-11-03"],
    ["prefix and suffix of one character", path, "buckets/{name}/", "acme-orders-aaa"],
    ["suffix alone", path, "{start}/data_lake", "projects/_/buckets/acme-orders-aaa"],
    ["prefix alone", path, "orders/{empty}", "order_date=2019-11-03/aef87g87ae0876"],
    ["neither", path, "{whole}", path],
    ["a prefix that is not there", path, "/orders_new/{x}/", ""],
    ["a suffix that is not there", path, "orders/{x}/nothing", ""],
    ["the first prefix and the first suffix behind it", "a/b/a/c/", "a/{x}/", "b"],
    ["a suffix in front of the prefix does not count", "x-end start-y-end", "start-{v}-end", "y"],
    ["no name in braces", path, "orders", ""],
    ["a name that is none", path, "{a-b}", ""],
    ["an empty text", "", "{x}", ""],
    ["nothing between", "ab", "a{x}b", ""],
    ["a role out of an ARN", arn, "assumed-role/{role_name}/", "my-role"],
    ["a user has no role", "arn:aws:iam::123456789012:user/alice", "assumed-role/{role_name}/", ""],
  ])("%s", (_, text, template, wanted) => {
    expect(extract(text, template)).toBe(wanted);
    expect(evaluate(`assertion.x.extract(${quoted(template)})`, { assertion: { x: text } })).toEqual({
      state: "value",
      value: wanted,
    });
  });

  test("it never fails and gives a part of the text, whatever it is given", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, template) => {
        expect(text).toContain(extract(text, template));
      }),
    );
  });
});

describe("expressions", () => {
  const assertion = { sub: "abc", n: 3, groups: ["a", "b"], "https://x/": { y: "z" }, flag: true };
  test.each([
    ["assertion.sub == 'abc'", true],
    ["assertion['sub'] == \"abc\"", true],
    ["assertion.n == 3", true],
    ["assertion.n > 2", true],
    ["'a' in assertion.groups", true],
    ["assertion['https://x/'].y == 'z'", true],
    ["has(assertion.nothing)", false],
    ["has(assertion.sub) && assertion.sub.startsWith('a')", true],
    ["assertion.sub.matches('^a.c$')", true],
    ["assertion.groups.exists(g, g == 'b')", true],
    ["assertion.sub.split('b')[1] == 'c'", true],
    ["{'abc': 'x'}[assertion.sub] == 'x'", true],
    ["assertion.flag ? true : false", true],
    ["assertion.sub.endsWith('C')", false],
  ])("%s is %s", (expression, value) => {
    expect(evaluate(expression, { assertion })).toEqual({ state: "value", value });
  });

  test.each([
    ["a claim that is missing", "assertion.email == 'x'", "failed"],
    ["texts and numbers", "assertion.sub + 1 == 'x'", "failed"],
    ["a function that nobody knows", "assertion.sub.frobnicate()", "undecided"],
    ["another variable", "request.time > 0", "undecided"],
    ["no expression at all", "assertion.sub ==", "undecided"],
  ])("%s: %s is %s", (_, expression, state) => {
    expect(evaluate(expression, { assertion }).state).toBe(state);
  });

  test("a syntax error is told with its place", () => {
    expect(syntaxError("assertion.sub == ")).toMatch(/1:\d+/);
    expect(syntaxError("assertion.sub == 'x'")).toBeUndefined();
  });

  // Case 107: a value with quotes in it must stay a value. Catches a literal that is put together without escapes.
  test("a text as a literal is that text and no other, whatever stands in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, other) => {
        // Half a character cannot stand in a claim of JSON either.
        fc.pre(text.isWellFormed() && other.isWellFormed());
        const equals = (value: string) => evaluate(`assertion.sub == ${quoted(text)}`, { assertion: { sub: value } });
        expect(equals(text)).toEqual({ state: "value", value: true });
        if (other !== text) expect(equals(other)).toEqual({ state: "value", value: false });
      }),
      { numRuns: 500 },
    );
  });

  test.each(["x' || true || '", "\\' || true || \\'", "'", "\\", "x\n|| true", "${true}", "' in ['"])(
    "%j stays a value",
    (text) => {
      const says = (sub: string) => evaluate(`assertion.sub == ${quoted(text)}`, { assertion: { sub } });
      expect([says(text), says("anybody else")]).toEqual([
        { state: "value", value: true },
        { state: "value", value: false },
      ]);
    },
  );
});

describe("conditions as sets of alternatives", () => {
  test("one stands as it is, several are joined in one order, none lets everybody in", () => {
    expect(renderCondition(["assertion.a == 'x'"])).toBe("assertion.a == 'x'");
    expect(renderCondition(["b == 1", "a == 1", "b == 1"])).toBe("(a == 1) || (b == 1)");
    expect([renderCondition([]), parseCondition("  ")]).toEqual(["", []]);
  });

  test.each([
    ["brackets inside quotes", ["assertion.a == ')' || true", "b == '('"]],
    ["escaped quotes", ["assertion.a == 'it\\'s (x'", "b"]],
    ["brackets inside brackets", ["(a || (b && c))", "d"]],
  ])("what was joined comes apart again: %s", (_, parts) => {
    expect(parseCondition(renderCondition(parts))).toEqual([...parts].sort());
  });

  test.each(["(a) || b", "(b) || (a)", "(a)||(b)", "(a) && (b)", "a || b", "(a) || (b", "(a) || (b) && (c)"])(
    "what somebody wrote by hand is one alternative: %s",
    (text) => {
      expect(parseCondition(text)).toEqual([text]);
    },
  );

  test("rendering and reading are each other's inverse", () => {
    const part = fc.constantFrom("a == 'x'", "b == ')'", "c.startsWith('(')", "has(d)", 'e == "\'"', "f == '\\''");
    fc.assert(
      fc.property(fc.uniqueArray(part, { minLength: 1, maxLength: 6 }), (parts) => {
        expect(parseCondition(renderCondition(parts))).toEqual([...parts].sort());
      }),
    );
  });
});

describe("mappings", () => {
  test("google's own default for aws makes the role an ARN, the documented one its bare name", () => {
    const claims = { arn, account: "123456789012", userid: "AROA:x" };
    expect(attributesOf(claims, awsDefaultMapping)).toEqual({
      ...{ subject: arn, groups: [] },
      custom: { aws_role: "arn:aws:sts::123456789012:assumed-role/my-role" },
    });
    const documented = {
      "google.subject": "assertion.arn",
      "attribute.aws_role": "assertion.arn.extract('assumed-role/{role_name}/')",
      "attribute.aws_ec2_instance": "assertion.arn.extract('assumed-role/{role_and_session}').extract('/{session}')",
    };
    expect(attributesOf(claims, documented)).toMatchObject({
      custom: { aws_role: "my-role", aws_ec2_instance: "i-0123456789abcdef0" },
    });
  });

  test.each([
    ["a missing claim", { "google.subject": "assertion.email" }, "google.subject", "failed"],
    ["a number", { "google.subject": "assertion.n" }, "google.subject", "failed"],
    ["an empty subject", { "google.subject": "''" }, "google.subject", "failed"],
    ["no subject", { "attribute.a": "'x'" }, "google.subject", "failed"],
    ["groups that are a text", { "google.subject": "'x'", "google.groups": "'a'" }, "google.groups", "failed"],
    ["128 bytes", { "google.subject": `'${"x".repeat(128)}'` }, "google.subject", "size"],
    ["64 characters of two bytes", { "google.subject": `'${"é".repeat(64)}'` }, "google.subject", "size"],
    [
      "more than 8 KB in all",
      { "google.subject": "'x'", "attribute.a": `'${"x".repeat(8192)}'` },
      "all together",
      "size",
    ],
    ["a function nobody knows", { "google.subject": "assertion.n.frobnicate()" }, "google.subject", "undecided"],
  ])("%s", (_, mapping, key, state) => {
    const mapped = attributesOf({ n: 3 }, mapping as never);
    expect(isUnmapped(mapped) && [mapped.key, mapped.state]).toEqual([key, state]);
  });

  test("127 bytes fit, and a list of groups", () => {
    const mapping = { "google.subject": `'${"x".repeat(127)}'`, "google.groups": "assertion.groups" };
    expect(attributesOf({ groups: ["a", "b"] }, mapping)).toMatchObject({ groups: ["a", "b"] });
  });
});

describe("principals", () => {
  const pool = "projects/123456789012/locations/global/workloadIdentityPools/partners";
  const attributes = { subject: "s/1", groups: ["g"], custom: { aws_role: "my-role", empty: "" } };

  test.each([
    ["subject/s/1", true],
    ["subject/s", false],
    ["group/g", true],
    ["group/h", false],
    ["attribute.aws_role/my-role", true],
    ["attribute.aws_role/My-Role", false],
    ["attribute.aws_role/my-role-2", false],
    ["attribute.subject/s/1", false],
    ["attribute.constructor/x", false],
    ["attribute.empty/", true],
    ["*", true],
    ["", false],
  ])("%s means him: %s", (tail, meant) => {
    expect(isMeant(tail, attributes)).toBe(meant);
  });

  test("every name of an identity means it, and comes out of its member again", () => {
    for (const tail of tailsOf(attributes)) {
      expect(isMeant(tail, attributes)).toBe(true);
      expect(parseMember(memberOf(pool, tail))).toEqual({ pool, tail });
    }
  });

  test.each([
    "user:a@example.com",
    `principal://iam.googleapis.com/${pool}/group/g`,
    `principalSet://iam.googleapis.com/${pool}/subject/s`,
    `principalSet://iam.googleapis.com/${pool.replace("123456789012", "acme")}/*`,
    `principal://iam.googleapis.com/${pool}`,
  ])("%s names nobody of a pool", (member) => {
    expect(parseMember(member)).toBeUndefined();
  });
});

const name = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/partners/providers/x";
const aws: PoolTrust = {
  ...{ type: "aws", source: "123456789012", audiences: [], name, mapping: {} },
  condition: "assertion.arn.startsWith('arn:aws:sts::123456789012:assumed-role/my-role/')",
};
const caller = { account: "123456789012", arn, userid: "AROA:x" };
const oidc: PoolTrust = {
  ...{ type: "oidc", source: "https://idp.example.com", audiences: ["app"], name },
  ...{ mapping: { "google.subject": "assertion.sub" }, condition: "assertion.sub == 'alice'" },
};
const token = { iss: "https://idp.example.com", aud: "app", sub: "alice" };

describe("the judge", () => {
  test.each([
    ["a session of the role", {}, true, undefined],
    ["another session of it", { arn: arn.replace("i-0123456789abcdef0", "other") }, true, undefined],
    ["another account", { account: "999999999999" }, false, "account"],
    ["another role", { arn: arn.replace("my-role", "my-role2") }, false, "condition"],
    ["a role that begins alike", { arn: arn.replace("my-role/", "my-role-x/") }, false, "condition"],
    ["a user", { arn: "arn:aws:iam::123456789012:user/my-role/" }, false, "condition"],
    ["a proof for this pool provider", { aud: name }, true, undefined],
    ["the same with a scheme", { aud: `https:${name}` }, true, undefined],
    ["a proof for another", { aud: `${name}2` }, false, "audience"],
    ["a session whose ARN is too long", { arn: arn.replace("i-0123456789abcdef0", "x".repeat(90)) }, false, "size"],
  ])("aws: %s", (_, change, allow, refusal) => {
    const judged = judgePool({ ...caller, ...change }, aws);
    expect([judged.allow, judged.refusal]).toEqual([allow, refusal]);
  });

  test.each([
    ["as declared", {}, {}, true, undefined],
    ["another subject", { sub: "bob" }, {}, false, "condition"],
    ["another issuer", { iss: "https://idp.example.org" }, {}, false, "issuer"],
    ["the issuer with a slash at its end", { iss: "https://idp.example.com/" }, {}, true, undefined],
    ["the issuer without the slash", {}, { source: "https://idp.example.com/" }, true, undefined],
    ["the issuer with two slashes", { iss: "https://idp.example.com//" }, {}, false, "issuer"],
    ["a path of the issuer", { iss: "https://idp.example.com/x" }, {}, false, "issuer"],
    ["another audience", { aud: "app2" }, {}, false, "audience"],
    ["one of several audiences", { aud: ["x", "app"] }, {}, true, undefined],
    ["no audience at all", { aud: undefined }, {}, false, "audience"],
    ["its own name, where none is listed", { aud: name }, { audiences: [] }, true, undefined],
    ["its own name with a scheme", { aud: `https:${name}` }, { audiences: [] }, true, undefined],
    ["a listed audience leaves its own name out", { aud: name }, {}, false, "audience"],
    ["where its own name is not known", {}, { audiences: [], name: undefined }, "unknown", undefined],
    ["switched off", {}, { off: "the pool is disabled" }, false, "off"],
    ["no condition", { sub: "bob" }, { condition: "" }, true, undefined],
    ["a condition about a claim that is missing", {}, { condition: "assertion.tid == 'x'" }, false, "condition"],
    ["a condition that is a text", {}, { condition: "'true'" }, false, "condition"],
    ["a condition nobody can evaluate", {}, { condition: "assertion.sub.frobnicate()" }, "unknown", undefined],
    ["a condition about what is mapped", {}, { condition: "google.subject == 'alice'" }, true, undefined],
    [
      "two alternatives, one of them his",
      {},
      { condition: "(assertion.sub == 'alice') || (assertion.sub == 'carol')" },
      true,
      undefined,
    ],
    ["a mapping that fails", {}, { mapping: { "google.subject": "assertion.email" } }, false, "mapping"],
    [
      "a wrong issuer before a mapping that fails",
      { iss: "x" },
      { mapping: { "google.subject": "assertion.email" } },
      false,
      "issuer",
    ],
  ])("oidc: %s", (_, change, trust, allow, refusal) => {
    const judged = judgePool({ ...token, ...change }, { ...oidc, ...trust } as PoolTrust);
    expect([judged.allow, judged.refusal]).toEqual([allow, refusal]);
  });

  test("what else a proof of aws says of itself is no claim", () => {
    expect(judgePool({ ...caller, sub: "alice" }, { ...aws, condition: "assertion.sub == 'alice'" }).allow).toBe(false);
  });

  test("of a condition each part that a link added has a row of its own", () => {
    const condition = "(assertion.sub == 'bob') || (assertion.sub == 'carol')";
    const { rows } = judgePool(token, { ...oidc, condition });
    expect(rows.filter(({ key }) => key === "condition").map(({ wants, ok }) => [wants, ok])).toEqual([
      ["assertion.sub == 'bob'", false],
      ["assertion.sub == 'carol'", false],
    ]);
  });
});

describe("strangers: whom a live pool provider lets in and the file does not", () => {
  // The whole pool is granted something, so whoever gets in reaches it.
  const strangers = (live: PoolTrust, wanted: PoolTrust) =>
    strangersOf({
      live,
      wanted,
      granted: ["*"],
      extra: [],
      foreign: [],
      grants: "speaks as reports",
      inside: [wanted.type === "aws" ? caller : { sub: "alice" }],
      others: [],
    });
  const codes = (live: Partial<PoolTrust>, wanted: PoolTrust) =>
    strangers({ ...wanted, ...live }, wanted).map(({ code }) => code);

  test.each([
    ["as the file says", {}, aws, []],
    ["no condition", { condition: "" }, aws, ["GOOGLE-CONDITION-OPEN"]],
    [
      "every role of the account",
      { condition: "assertion.arn.contains('assumed-role')" },
      aws,
      ["GOOGLE-CONDITION-OPEN"],
    ],
    [
      "a role that begins alike",
      { condition: aws.condition.replace("my-role/", "my-role") },
      aws,
      ["GOOGLE-CONDITION-OPEN"],
    ],
    ["another account", { source: "999999999999", condition: "" }, aws, ["GOOGLE-SOURCE-EXTRA"]],
    [
      "another role as well",
      { condition: `(${aws.condition}) || (assertion.arn.startsWith('arn:aws:sts::123456789012:assumed-role/x/'))` },
      aws,
      ["GOOGLE-CONDITION-OPEN"],
    ],
    ["nobody", { condition: "false" }, aws, []],
    ["oidc as the file says", {}, oidc, []],
    ["oidc without a condition", { condition: "" }, oidc, ["GOOGLE-CONDITION-OPEN"]],
    ["oidc for another audience too", { audiences: ["app", "other"] }, oidc, ["GOOGLE-AUDIENCE-EXTRA"]],
    ["oidc of another issuer", { source: "https://evil.example.com" }, oidc, ["GOOGLE-SOURCE-EXTRA"]],
    ["oidc for one more subject", { condition: "assertion.sub in ['alice', 'bob']" }, oidc, ["GOOGLE-CONDITION-OPEN"]],
    ["what cannot be evaluated", { condition: "assertion.sub.frobnicate()" }, oidc, ["GOOGLE-CONDITION-UNDECIDED"]],
    ["switched off", { condition: "", off: "disabled" }, oidc, []],
  ])("%s", (_, live, wanted, found) => {
    expect([...new Set(codes(live, wanted as PoolTrust))]).toEqual(found);
  });

  test("a pool provider of the other type is told by whom it believes", () => {
    const [one, other] = [aws, oidc] as unknown as readonly [PoolTrust, PoolTrust];
    for (const [live, wanted, name] of [
      [one, other, "the AWS account 123456789012"],
      [other, one, other.source],
    ] as const) {
      const [stranger] = strangers({ ...live, condition: "" }, wanted);
      expect([stranger?.code, stranger?.who]).toEqual(["GOOGLE-SOURCE-EXTRA", `identities of ${name}`]);
    }
  });

  test("every one of them is let in by the one and turned away by the other", () => {
    const live = { ...oidc, condition: "", audiences: ["app", "other"] };
    const found = strangers(live, oidc);
    expect(found.length).toBeGreaterThan(0);
    for (const { claims = {} } of found) {
      expect([judgePool(claims, live).allow, judgePool(claims, oidc).allow]).toEqual([true, false]);
    }
  });
});
