import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { lintFile } from "../src/file/lint.ts";
import { like } from "../src/judge/aws/conditions.ts";
import { strangersOf } from "../src/judge/google/admits.ts";
import { attributesOf, isUnmapped } from "../src/judge/google/attributes.ts";
import { longestExpression, Meter, mostSteps, mostStepsTogether } from "../src/judge/google/budget.ts";
import { evaluate, evaluateAll, syntaxError } from "../src/judge/google/cel.ts";
import { engine } from "../src/judge/google/engine.ts";
import { judgePool, type PoolTrust } from "../src/judge/google/judge.ts";
import { sizeOfPattern } from "../src/judge/google/pattern.ts";
import { parties } from "../src/parties/index.ts";
import { bench, federationOf } from "./support/bench.ts";
import { randomCondition } from "./support/expressions.ts";

// A condition that anybody may write into a live pool provider must not keep the checker busy. Nothing here looks at a
// clock: steps are counted, so a test fails on each machine or on none.

const twenty = `[${Array.from({ length: 20 }, (_, at) => at).join(", ")}]`;
const nested = (depth: number, macro: (list: string, name: string, inner: string) => string, inner: string): string =>
  Array.from({ length: depth }).reduce<string>((text, _, at) => macro(twenty, `x${at}`, text), inner);

const all = nested(8, (list, name, inner) => `${list}.all(${name}, ${inner})`, "true");
const exists = nested(8, (list, name, inner) => `${list}.exists(${name}, ${inner})`, "false");
const map = `${nested(8, (list, name, inner) => `${list}.map(${name}, ${inner})`, "1")}.size() > 0`;
const filter = nested(8, (list, name, inner) => `${list}.filter(${name}, ${inner}).size() > 0`, "true");

const over = { state: "undecided", why: expect.stringMatching(/^over budget: /), overBudget: true };
const assertion = {
  sub: "repo:acme/app:ref:refs/heads/main",
  long: "a".repeat(4000),
  n: 3,
  groups: Array.from({ length: 200 }, (_, at) => `group-${at}`),
  repository_id: "37",
};

afterEach(() => vi.restoreAllMocks());

/** How often an evaluation counts. Each call that is counted does a bounded amount of work. */
function counted(work: () => void): number {
  const { spend } = Meter.prototype;
  let calls = 0;
  Meter.prototype.spend = function (steps) {
    calls++;
    spend.call(this, steps);
  };
  try {
    work();
  } finally {
    Meter.prototype.spend = spend;
  }
  return calls;
}

describe("an expression over budget", () => {
  test.each([
    ["eight nested all", all],
    ["eight nested exists", exists],
    ["eight nested map", map],
    ["eight nested filter", filter],
    ["eight nested exists_one", nested(8, (list, name, inner) => `${list}.exists_one(${name}, ${inner})`, "true")],
    [
      "nested macros over a claim that is missing",
      nested(8, (list, name, inner) => `${list}.all(${name}, ${inner})`, "assertion.no"),
    ],
    [
      "nested macros that hide errors behind ||",
      nested(6, (list, name, inner) => `(true || ${list}.all(${name}, ${inner})) && ${list}.all(y, ${inner})`, "true"),
    ],
    ["a text doubled sixty times", `['a']${".map(x, x + x)".repeat(60)}[0] == 'a'`],
    [
      "a list doubled in itself, compared",
      `['a']${".map(x, [x, x])".repeat(80)} == ['a']${".map(x, [x, x])".repeat(80)}`,
    ],
    ["a list doubled in itself, formatted", `'%s'.format([['a']${".map(x, [x, x])".repeat(80)}]) == ''`],
    ["a replacement of each character", `assertion.long${`.replace('a', '${"a".repeat(60)}')`.repeat(3)} == ''`],
    ["a list of characters, joined with a long text", "assertion.long.split('').join(assertion.long) == ''"],
    ["a long list copied for each element", "assertion.long.split('').map(c, c).size() > 0"],
    [
      "a search for a long text in a loop",
      `${twenty}.all(a, ${twenty}.all(b, !(assertion.long + assertion.long).contains(assertion.long + 'b')))`,
    ],
    ["a long chain of names in a loop", `${twenty}.all(a, ${twenty}.all(b, assertion${".x".repeat(400)} == 1))`],
    ["a pattern with large repetitions", `assertion.long.matches('${"(.{0,1000})".repeat(300)}')`],
    ["a pattern of optional characters", `assertion.long.matches('${"a?".repeat(700)}${"a".repeat(700)}')`],
    ["brackets deeper than the parser", `${"(".repeat(2000)}true${")".repeat(2000)}`],
    ["lists deeper than the parser", `${"[".repeat(1500)}${"]".repeat(1500)} == []`],
    ["a ternary deeper than the stack", `${"false ? true : ".repeat(1000)}true`],
    ["a sum deeper than the stack", `${"1 + ".repeat(3000)}1 == 2`],
    ["an index deeper than the stack", `assertion${"[0]".repeat(2000)} == 1`],
    ["macros nested to the limit of the text", `${"[1].all(x, ".repeat(370)}true${")".repeat(370)}`],
    ["a text longer than the budget", `'${"x".repeat(longestExpression)}' == 'x'`],
  ])("%s is undecided, and says that the budget is why", (_, expression) => {
    const first = evaluate(expression, { assertion });
    expect(first).toEqual(over);
    expect(evaluate(expression, { assertion: { ...assertion, sub: "another" } })).toEqual(over);
  });

  // Catches a budget for each evaluation alone: the search for outsiders evaluates a condition hundreds of times.
  test("is evaluated once, and answers other claims without a step", () => {
    const text = all.replace("true", "assertion.sub != 'once'");
    expect(evaluate(text, { assertion })).toEqual(over);
    expect(counted(() => evaluate(text, { assertion: { sub: "other" } }))).toBe(0);
  });

  test("below the limit of one evaluation is undecided as soon as the shared budget is spent", () => {
    const text = `${twenty}.all(a, ${twenty}.all(b, ${twenty}.all(c, assertion.sub != 'shared')))`;
    const outcomes = Array.from({ length: 200 }, (_, at) => evaluate(text, { assertion: { sub: `sub-${at}` } }).state);
    const decided = outcomes.indexOf("undecided");
    expect(outcomes[0]).toBe("value");
    expect(decided).toBeGreaterThan(5);
    expect(new Set(outcomes.slice(decided))).toEqual(new Set(["undecided"]));
    expect(counted(() => evaluate(text, { assertion: { sub: "sub-0" } }))).toBe(0);
  });

  test("and its neighbours of one condition share what is left", () => {
    const texts = Array.from({ length: 60 }, (_, at) => `${all} || assertion.sub == 'neighbour-${at}'`);
    expect(counted(() => evaluateAll(texts, { assertion }))).toBeLessThan(mostSteps + mostStepsTogether);
    expect(evaluateAll(texts, { assertion })).toEqual(texts.map(() => over));
  });

  test("whose claims are the same is evaluated once, whatever else the token holds", () => {
    const text = `${twenty}.all(a, ${twenty}.all(b, assertion.sub != 'same'))`;
    // The first evaluation shows that the expression is costly; results are remembered from the second on.
    for (const iat of [1, 2]) evaluate(text, { assertion: { sub: "x", iat } });
    expect(counted(() => evaluate(text, { assertion: { sub: "x", iat: 3 } }))).toBe(0);
    expect(evaluate(text, { assertion: { sub: "same", iat: 3 } })).toEqual({ state: "value", value: false });
  });

  test("takes the same steps each time", () => {
    const steps = ["one", "other"].map((name) => counted(() => evaluate(`${map} && '${name}' != ''`, { assertion })));
    expect(steps[0]).toBe(steps[1]);
    expect(steps[0]).toBeGreaterThan(1000);
  });

  test("is no syntax error", () => {
    expect(syntaxError(`${"(".repeat(2000)}true${")".repeat(2000)}`)).toBeUndefined();
    expect(syntaxError(all)).toBeUndefined();
  });
});

describe("an ordinary expression is decided", () => {
  const many = Array.from({ length: 100 }, (_, at) => `'group-${at + 500}'`).join(", ");
  const alternatives = Array.from(
    { length: 38 },
    (_, at) => `(assertion.sub == 'repo:acme/app-${at}:ref:refs/heads/main' && assertion.repository_id == '${at}')`,
  );
  test.each([
    ["one group of two hundred", "'group-199' in assertion.groups", true],
    ["two hundred groups against a hundred", `assertion.groups.exists(g, g in [${many}])`, false],
    ["two hundred groups against a pattern", "assertion.groups.exists(g, g.matches('^eng-[a-z]{2,20}$'))", false],
    [
      "two hundred groups filtered and mapped",
      "assertion.groups.filter(g, g.endsWith('7')).map(g, g.extract('group-{id}')).size()",
      20n,
    ],
    ["the alternatives of many links", alternatives.join(" || "), false],
    [
      "a pattern with repetitions",
      "'550e8400-e29b-41d4-a716-446655440000'.matches('^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')",
      true,
    ],
    ["brackets nested fifty times", `${"(".repeat(50)}assertion.n == 3${")".repeat(50)}`, true],
    [
      "brackets in texts and comments",
      `'${"(".repeat(300)}' != r'\\' + "${"[".repeat(300)}" // ${"{".repeat(300)}\n`,
      true,
    ],
    ["a hundred sums", `${"1 + ".repeat(100)}0 == 100`, true],
    ["a text split and joined", "assertion.sub.split(':')[1].split('/').join('-') == 'acme-app'", true],
    ["a list of a list", "[[1, 2], [3]].map(x, x.map(y, y + 1)) == [[2, 3], [4]]", true],
    ["a chain of lists", "([1] + [2] + [3]).map(x, x * 2) + [8] == [2, 4, 6, 8]", true],
    ["an element of a list that a macro made", "assertion.groups.map(g, g + '!')[199] == 'group-199!'", true],
    ["one of several", "[1, 2, 3].exists_one(x, x > 2)", true],
  ])("%s", (_, expression, value) => {
    expect(evaluate(expression, { assertion })).toEqual({ state: "value", value });
  });

  // A long-lived process checks the same links for weeks; what is cheap must never add up.
  test("also after a hundred thousand evaluations", () => {
    const text = "assertion.sub.startsWith('repo:acme/') && assertion.n == 3";
    for (let turn = 0; turn < 100_000; turn++) evaluate(text, { assertion: { sub: `repo:acme/${turn}`, n: 3 } });
    expect(evaluate(text, { assertion })).toEqual({ state: "value", value: true });
  });

  test("and is parsed once", () => {
    const parse = vi.spyOn(engine(), "parse");
    for (let turn = 0; turn < 500; turn++)
      evaluate("assertion.sub == 'parsed once'", { assertion: { sub: `${turn}` } });
    expect(parse).toHaveBeenCalledTimes(1);
  });
});

describe("random expressions", () => {
  test("end within the budget, up to the longest condition that Google takes", () => {
    const states = new Map<string, number>();
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 10, max: 2200 }), (seed, characters) => {
        const expression = randomCondition(seed, characters).slice(0, 4096);
        let state = "";
        const steps = counted(() => {
          state = evaluate(expression, { assertion }).state;
        });
        expect(steps).toBeLessThanOrEqual(mostSteps);
        states.set(state, (states.get(state) ?? 0) + 1);
      }),
      { numRuns: 200, seed: 12 },
    );
    // Some of each kind, or the generator shows nothing.
    expect([...states.keys()].sort()).toEqual(["failed", "undecided", "value"]);
  });

  test("of any characters end, too", () => {
    const tokens = fc.constantFrom(
      "(",
      ")",
      "[",
      "]",
      "{",
      "}",
      "'",
      '"',
      "'''",
      "r'",
      "\\",
      "//",
      "\n",
      "a",
      ".",
      ",",
      ":",
      "?",
      "-",
      "!",
      "1",
      "&&",
      "[1].all(a,",
    );
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 1500 }), (some) => {
        expect(evaluate(some.join(""), { assertion }).state).toMatch(/^(value|failed|undecided)$/);
      }),
      { numRuns: 150, seed: 12 },
    );
  });
});

describe("matches takes time in the length of the text, as RE2 does", () => {
  test.each([
    ["(a+)+$", true],
    ["^(a|aa)+b$", false],
    ["(a|b)*a(a|b){12}c", false],
    ["^(([a-z])+.)+[A-Z]([a-z])+$", false],
    ["(.*?,){11}P", false],
    ["(x+x+)+y", false],
  ])("%s", (pattern, value) => {
    expect(evaluate(`assertion.long.matches('${pattern}')`, { assertion })).toEqual({ state: "value", value });
  });

  test.each([
    ["abc", 3],
    ["a{5}", 5],
    ["[a-z0-9]{4}", 36],
    ["(ab){10}", 30],
    ["((a{10}){10})", 111],
    ["\\Q(((\\E{3}", 18],
    ["a{0,1000}", 1000],
    ["((((", 4],
    ["))))", 0],
  ])("a pattern %s counts at least %i", (pattern, size) => {
    expect(sizeOfPattern(pattern)).toBeGreaterThanOrEqual(size);
    expect(sizeOfPattern(pattern)).toBeLessThanOrEqual(4 * size + 4);
  });

  test("a pattern of any characters has a size", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("(", ")", "[", "]", "{2}", "{9,}", "\\", "Q", "E", "p", "a", "^", "*", "?:")),
        (some) => {
          expect(Number.isFinite(sizeOfPattern(some.join("")))).toBe(true);
        },
      ),
    );
  });
});

describe("a pattern of AWS", () => {
  test("means what the plain rule says", () => {
    const plain = (pattern: string, value: string): boolean =>
      pattern === ""
        ? value === ""
        : pattern[0] === "*"
          ? plain(pattern.slice(1), value) || (value !== "" && plain(pattern, value.slice(1)))
          : value !== "" && (pattern[0] === "?" || pattern[0] === value[0]) && plain(pattern.slice(1), value.slice(1));
    const some = (...letters: string[]) =>
      fc.array(fc.constantFrom(...letters), { maxLength: 9 }).map((all) => all.join(""));
    fc.assert(
      fc.property(some("a", "b", "*", "?"), some("a", "b"), (pattern, value) => {
        expect(like(pattern, value)).toBe(plain(pattern, value));
      }),
      { numRuns: 3000 },
    );
  });

  test("with wildcards in each place ends on a long value", () => {
    const value = "a".repeat(200_000);
    expect(like(`*${"a?".repeat(1000)}b*`, value)).toBe(false);
    expect(like(`${"*a".repeat(2000)}*b`, value)).toBe(false);
    expect(like(`*${"a".repeat(2000)}*?${"a?".repeat(900)}*`, value)).toBe(true);
  });
});

const name = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/partners/providers/x";
const trust: PoolTrust = {
  type: "oidc",
  source: "https://idp.example.com",
  audiences: ["app"],
  name,
  mapping: { "google.subject": "assertion.sub" },
  condition: "assertion.sub == 'alice'",
};
const token = { iss: "https://idp.example.com", aud: "app", sub: "alice" };

describe("the judge of a pool provider", () => {
  test("whose condition is over budget says unknown, and why", () => {
    const judged = judgePool(token, { ...trust, condition: all });
    expect([judged.allow, judged.refusal]).toEqual(["unknown", undefined]);
    expect(judged.unknown).toEqual([expect.stringContaining("over budget")]);
  });

  test("whose mapping is over budget says unknown", () => {
    const mapping = { ...trust.mapping, "attribute.a": `${all} ? 'a' : 'b'` };
    expect(judgePool(token, { ...trust, mapping }).allow).toBe("unknown");
  });

  test("admits by an alternative that is true beside one that is over budget", () => {
    const condition = `(${exists}) || (assertion.sub == 'alice')`;
    expect(judgePool(token, { ...trust, condition }).allow).toBe(true);
    expect(judgePool({ ...token, sub: "bob" }, { ...trust, condition }).allow).toBe("unknown");
  });

  test("finds an undecided outsider where the live condition is over budget", () => {
    expect(strangers({ ...trust, condition: map }, "*").map(({ code }) => code)).toContain(
      "GOOGLE-CONDITION-UNDECIDED",
    );
  });

  // Catches tokens that are built by copying: the square of the number of claims, for each of hundreds of tokens.
  test("tries outsiders against a condition that reads hundreds of claims", () => {
    const claims = Array.from({ length: 200 }, (_, at) => `has(assertion.a${at})`).join(" && ");
    expect(strangers({ ...trust, condition: `${claims} && assertion.sub == 'alice'` })).toEqual([]);
  });
});

/** Whom a live pool provider lets reach what is granted to one subject. */
const strangers = (live: PoolTrust, granted = "subject/alice") =>
  strangersOf({
    live,
    wanted: trust,
    granted: [granted],
    extra: [],
    foreign: [],
    grants: "speaks as reports",
    inside: [{ sub: "alice" }],
    others: [],
  });

describe("a claim that the token lacks", () => {
  const mapping = { ...trust.mapping, "attribute.actor": "assertion.actor", "attribute.team": "assertion.team" };

  test("leaves a custom attribute undecided", () => {
    const attributes = attributesOf({ sub: "alice", team: "a" }, mapping);
    expect(attributes).toEqual({
      subject: "alice",
      groups: [],
      custom: { team: "a" },
      undecided: { "attribute.actor": expect.stringContaining("actor") },
    });
  });

  test("leaves groups undecided, and refuses for the subject", () => {
    const groups = { "google.subject": "assertion.sub", "google.groups": "assertion.groups" };
    expect(attributesOf({ sub: "alice" }, groups)).toMatchObject({
      groups: [],
      undecided: { "google.groups": expect.anything() },
    });
    const subject = attributesOf({ groups: ["a"] }, groups);
    expect(isUnmapped(subject) && [subject.key, subject.state]).toEqual(["google.subject", "failed"]);
  });

  test.each([
    ["no condition on it", "assertion.sub == 'alice'", true],
    ["a condition on it", "attribute.actor == 'alice'", "unknown"],
    ["a condition on it beside one that is true", "attribute.actor == 'x' || google.subject == 'alice'", true],
    ["a condition on it beside one that is false", "attribute.actor == 'x' && google.subject == 'bob'", false],
    ["a test of it", "has(attribute.actor)", false],
    ["a condition on another attribute that is there", "attribute.team == 'b'", false],
    ["a condition on a claim that is missing", "assertion.nothing == 'x'", false],
  ])("with %s, the token's admission is %s", (_, condition, allow) => {
    const judged = judgePool({ ...token, team: "a" }, { ...trust, mapping, condition } as PoolTrust);
    expect(judged.allow).toBe(allow);
    expect(judged.rows.find(({ key }) => key === "attribute.actor")).toMatchObject({
      ok: "unknown",
      wants: "assertion.actor",
    });
  });
});

const link = (at: number, more = ""): string => `  link-${at}:
    from: { aws: { account: 123456789000, role: role-${at} } }
    to: { google: { project: acme-prod, pool: partners, poolProvider: provider-${at}, serviceAccount: sink-${at}${more} } }
`;
const lintFindings = (text: string) =>
  lintFile({ federation: federationOf(text), parties, allowPrivileged: [], maxLinks: 1000 });
const file = (links: readonly string[]): string => `crosstrust: 1\nname: acme\nlinks:\n${links.join("")}`;
const pool = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/partners";

describe("health", () => {
  test("of six links keeps their verdicts beside a live condition over budget", async () => {
    const b = await bench();
    const healthy = Array.from({ length: 6 }, (_, at) => link(at));
    const text = file([...healthy, link(6)]);
    await b.apply(text);
    for (const attributeCondition of [all, map]) {
      const path = `${pool}/providers/provider-6?updateMask=attributeCondition`;
      expect((await b.google("PATCH", path, { attributeCondition })).status).toBe(200);
      const { links, findings } = await b.health(text);
      expect(links.filter(({ verdict }) => verdict === "works")).toHaveLength(6);
      expect(links.filter(({ verdict }) => verdict !== "works").map(({ link, verdict }) => [link, verdict])).toEqual([
        ["link-6", "drifted"],
      ]);
      const undecided = findings.filter(({ code }) => code === "GOOGLE-CONDITION-UNDECIDED");
      expect(undecided.map(({ links }) => links)).toEqual([["link-6"]]);
      expect(undecided[0]?.says).toContain("over budget");
    }
  });

  test("of a link whose own condition is over budget is unknown", async () => {
    const b = await bench();
    const text = file([link(0), link(1, `, condition: "${all.replace("true", "assertion.arn != 'x'")}"`)]);
    await b.apply(text);
    const { links, verdict } = await b.health(text);
    expect(links.map(({ verdict }) => verdict)).toEqual(["works", "unknown"]);
    expect(verdict).toBe("unknown");
  });
});

describe("lint", () => {
  test("warns of a condition over budget, at its place", () => {
    const found = lintFindings(file([link(0, `, condition: "${all.replace("true", "assertion.arn != 'y'")}"`)]));
    const budget = found.filter(({ code }) => code === "GOOGLE-EXPRESSION-BUDGET");
    expect(budget.map(({ severity, links }) => [severity, links])).toEqual([["warning", ["link-0"]]]);
    expect(budget[0]?.says).toContain("200,000 steps");
  });

  test("is silent about an ordinary one", () => {
    const found = lintFindings(file([link(0, `, condition: "assertion.arn.contains(':assumed-role/role-0/')"`)]));
    expect(found.map(({ code }) => code)).not.toContain("GOOGLE-EXPRESSION-BUDGET");
  });
});

describe("the sandbox's token exchange", () => {
  const oidc = (issuer: string, more = ""): string => `crosstrust: 1
name: acme
links:
  deploy:
    from: { oidc: { issuer: "${issuer}", clientId: gcp, subject: deployer } }
    to: { google: { project: acme-prod, pool: partners, poolProvider: idp-example, serviceAccount: deployer${more} } }
`;

  test("leaves an attribute out whose claim is missing", async () => {
    const b = await bench();
    const text = oidc(
      "https://idp.example.com",
      ", mapping: { google.subject: assertion.sub, attribute.actor: assertion.actor }",
    );
    await b.apply(text);
    expect((await b.health(text)).verdict).toBe("works");
  });

  test.each([
    ["https://idp.example.com/", "https://idp.example.com"],
    ["https://idp.example.com", "https://idp.example.com/"],
  ])("takes a token of %s where %s is believed", async (issuer, issuerUri) => {
    const b = await bench();
    const text = oidc(issuer);
    await b.apply(text);
    const path = `${pool}/providers/idp-example?updateMask=oidc.issuerUri`;
    expect((await b.google("PATCH", path, { oidc: { issuerUri } })).status).toBe(200);
    const [deploy] = (await b.health(text)).links;
    expect(deploy?.hops.map(({ step, result }) => [step, result])).toContainEqual(["exchange", "ok"]);
  });

  test("refuses a token of another issuer", async () => {
    const b = await bench();
    const text = oidc("https://idp.example.com");
    await b.apply(text);
    const path = `${pool}/providers/idp-example?updateMask=oidc.issuerUri`;
    expect((await b.google("PATCH", path, { oidc: { issuerUri: "https://idp.example.com/x" } })).status).toBe(200);
    const [deploy] = (await b.health(text)).links;
    expect(deploy?.hops.map(({ step, result }) => [step, result])).toContainEqual(["exchange", "no"]);
  });
});
