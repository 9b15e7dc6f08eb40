import { describe, expect, test } from "vitest";
import { acceptable } from "../src/file/acceptable.ts";
import { readFederation } from "../src/file/read.ts";
import type { Accept, Finding } from "../src/model.ts";
import { finding } from "../src/model.ts";
import { shapes } from "../src/parties/index.ts";
import { accepted, type Deciding, effective, expired, unused } from "../src/plan/accept.ts";
import { planOf } from "../src/plan/plan.ts";
import { bench, example, federationOf, noConsents } from "./support/bench.ts";
import { stage } from "./support/cli.ts";

const place = { file: "f.yaml", line: 9, column: 5 };
const now = Date.parse("2027-03-01T12:00:00Z");
const accept = (more: Partial<Accept> = {}): Accept => ({
  finding: "BROAD-SUBJECT",
  of: "team:*",
  reason: "every team",
  place,
  ...more,
});
const broad = (more: Partial<Finding> = {}): Finding =>
  finding("BROAD-SUBJECT", {
    severity: "security",
    asks: "usage",
    says: "a pattern",
    of: "team:*",
    links: ["a"],
    ...more,
  });
const deciding = (accepts: readonly Accept[], more: Partial<Deciding> = {}): Deciding => ({
  accepts,
  consents: noConsents,
  now,
  sharing: (link) => (link === "a" || link === "b" ? ["a", "b"] : [link]),
  ...more,
});
const isAccepted = (one: Finding, by: readonly Accept[], more: Partial<Deciding> = {}): boolean =>
  accepted([one], deciding(by, more))[0]?.accepted !== undefined;

describe("accepted", () => {
  test("a finding that an accept names keeps its severity, carries the reason and asks for nothing", () => {
    const [one] = accepted([broad()], deciding([accept({ link: "a", until: "2027-03-01" })]));
    const { asks: _, ...rest } = broad();
    expect(one).toEqual({ ...rest, accepted: { reason: "every team", until: "2027-03-01" } });
  });

  test.each<readonly [string, Finding, readonly Accept[], boolean]>([
    ["at the top level, any link", broad({ links: ["z"] }), [accept()], true],
    [
      "at the top level, a finding of the whole file",
      finding("BROAD-SUBJECT", { says: "", of: "team:*" }),
      [accept()],
      true,
    ],
    [
      "on a link, a finding of the whole file",
      finding("BROAD-SUBJECT", { says: "", of: "team:*" }),
      [accept({ link: "a" })],
      true,
    ],
    ["on its link", broad(), [accept({ link: "a" })], true],
    ["on another link", broad(), [accept({ link: "b" })], false],
    ["on the pool provider that two links share", broad(), [accept({ link: "b", shared: true })], true],
    ["on another pool provider", broad(), [accept({ link: "c", shared: true })], false],
    ["on one of two links", broad({ links: ["a", "b"] }), [accept({ link: "a" })], false],
    ["on each of two links", broad({ links: ["a", "b"] }), [accept({ link: "a" }), accept({ link: "b" })], true],
    ["another value", broad({ of: "team:**" }), [accept({ link: "a" })], false],
    ["a value that is longer", broad({ of: "team:*x" }), [accept({ link: "a" })], false],
    ["a finding without a value", finding("BROAD-SUBJECT", { says: "", links: ["a"] }), [accept({ link: "a" })], false],
    ["another code", broad({ code: "AWS-SUB-WILDCARD" }), [accept({ link: "a" })], false],
    ["on its last day", broad(), [accept({ link: "a", until: "2027-03-01" })], true],
    ["the day before", broad(), [accept({ link: "a", until: "2027-02-28" })], false],
  ])("%s", (name, one, by, wanted) => {
    const whole = name === "on a link, a finding of the whole file";
    expect(isAccepted(one, by)).toBe(whole ? false : wanted);
  });

  test("an accept ends at midnight UTC", () => {
    const by = [accept({ link: "a", until: "2027-03-01" })];
    expect(isAccepted(broad(), by, { now: Date.parse("2027-03-01T23:59:59.999Z") })).toBe(true);
    expect(isAccepted(broad(), by, { now: Date.parse("2027-03-02T00:00:00Z") })).toBe(false);
  });

  test("a flag covers each value of its link, and no outsider who was found to get in", () => {
    const consents = { allowBroadSubject: ["a"], allowPrivileged: [] };
    const witness = { outsider: "team:evil", path: ["a token", "the role"], how: "judged" } as const;
    expect(isAccepted(broad({ of: "anything" }), [], { consents })).toBe(true);
    expect(isAccepted(broad({ links: ["b"] }), [], { consents })).toBe(false);
    expect(isAccepted(broad({ witness }), [], { consents })).toBe(false);
    expect(isAccepted(broad({ witness, of: "team:evil" }), [accept({ link: "a" })])).toBe(false);
    expect(isAccepted(broad({ witness, of: "team:evil" }), [accept({ link: "a", of: "team:evil" })])).toBe(true);
  });
});

describe("what is reported of accepts", () => {
  const codes = ["BROAD-SUBJECT"] as const;
  test("one that ended is a warning with its place", () => {
    const found = expired(deciding([accept({ link: "a", until: "2027-02-28" }), accept()]));
    expect(found.map(({ code, severity, at, links }) => [code, severity, at.place?.line, links])).toEqual([
      ["ACCEPT-EXPIRED", "warning", 9, ["a"]],
    ]);
  });

  test("one that matches nothing is a warning, for codes that were looked for alone", () => {
    const by = [accept({ link: "a" }), accept({ link: "a", of: "other" }), accept({ finding: "AWS-SELF-ESCALATION" })];
    const found = unused([broad()], { ...deciding(by), codes });
    expect(found.map(({ code, says }) => [code, says.includes("other")])).toEqual([["ACCEPT-UNUSED", true]]);
  });

  test("a flag and an accept of the same thing are one consent", () => {
    const flagged = accepted([broad()], deciding([], { consents: { allowBroadSubject: ["a"], allowPrivileged: [] } }));
    expect(effective(flagged)).toEqual(effective(accepted([broad()], deciding([accept({ link: "a" })]))));
    expect(effective(flagged)).toEqual(['["BROAD-SUBJECT","team:*","a"]']);
    expect(effective([broad()])).toEqual([]);
  });
});

const iss = "https://idp.example.com";
const aws = (accepts = "", more = ""): string => `crosstrust: 1
name: acme
links:
  teams:
    from: { oidc: { issuer: ${iss}, clientId: app, subjectLike: "team:*" } }
    to:   { aws: { account: 111122223333, role: engineers } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess${more} ]
    prove: judge
${accepts}`;
const line = (code: string, of: string, more = ""): string =>
  `    accept: [ { finding: ${code}, of: "${of}", reason: "agreed with security"${more} } ]\n`;

describe("accept in the file", () => {
  const findingsOf = (text: string) => readFederation("f.yaml", Buffer.from(text), shapes).findings;

  test("a code that cannot be accepted is an error that lists those that can", () => {
    const [found] = findingsOf(aws(line("TRUST-WIDENED", "x")));
    expect([found?.code, found?.at.place?.line]).toEqual(["BAD-VALUE", 9]);
    for (const { code } of acceptable) expect(found?.says).toContain(code);
  });

  test.each([
    ["no reason", `    accept: [ { finding: BROAD-SUBJECT, of: "x" } ]\n`, "MISSING-KEY"],
    ["no value", `    accept: [ { finding: BROAD-SUBJECT, reason: "x" } ]\n`, "MISSING-KEY"],
    ["an empty reason", `    accept: [ { finding: BROAD-SUBJECT, of: "x", reason: " " } ]\n`, "BAD-VALUE"],
    ["no day of the calendar", line("BROAD-SUBJECT", "x", ", until: 2027-02-30"), "BAD-VALUE"],
    ["a time", line("BROAD-SUBJECT", "x", ", until: 2027-02-03T00:00:00Z"), "BAD-VALUE"],
    ["an unknown key", line("BROAD-SUBJECT", "x", ", untill: 2027-02-03"), "UNKNOWN-KEY"],
    ["no list", `    accept: { finding: BROAD-SUBJECT, of: "x", reason: "y" }\n`, "BAD-VALUE"],
  ])("%s is an error", (_, text, code) => {
    expect(findingsOf(aws(text)).map((found) => found.code)).toContain(code);
  });

  test("an accept is read with its scope and place, on the top, a link and a pool provider", () => {
    const text = `crosstrust: 1
name: acme
accept: [ { finding: BROAD-SUBJECT, of: a, reason: top } ]
links:
  x:
    from: { aws: { account: 123456789000, role: worker } }
    to:
      google:
        project: acme-prod
        pool: partners
        poolProvider: aws-prod
        accept: [ { finding: BROAD-SUBJECT, of: b, reason: shared, until: 2027-03-01 } ]
    accept: [ { finding: BROAD-SUBJECT, of: c, reason: own } ]
`;
    const federation = federationOf(text);
    expect(
      federation.accepts?.map(({ of, link, shared, until, place: at }) => [of, link, shared, until, at.line]),
    ).toEqual([
      ["a", undefined, undefined, undefined, 3],
      ["c", "x", undefined, undefined, 13],
      ["b", "x", true, "2027-03-01", 12],
    ]);
    expect(federation.links[0]?.to.spec).not.toHaveProperty("accept");
    expect(findingsOf(text.replace("to:\n      google", "to:\n      aws")).length).toBeGreaterThan(0);
  });
});

describe("plan and apply", () => {
  const asks = (findings: readonly Finding[]) => findings.filter(({ asks: what }) => what === "usage");

  test("an accepted pattern is made and shown with its reason; the flag and the accept have one fingerprint", async () => {
    const b = await bench();
    const undecided = await b.plan(aws());
    expect(asks(undecided.plan.findings).map(({ code, of }) => [code, of])).toEqual([["BROAD-SUBJECT", "team:*"]]);
    const flagged = await b.plan(aws(), { consents: { allowBroadSubject: ["teams"] } });
    const written = await b.plan(aws(line("BROAD-SUBJECT", "team:*")));
    expect(asks(written.plan.findings)).toEqual([]);
    expect(written.plan.findings.find(({ code }) => code === "BROAD-SUBJECT")?.accepted?.reason).toBe(
      "agreed with security",
    );
    expect(written.plan.fingerprint).toBe(flagged.plan.fingerprint);
    expect(written.plan.fingerprint).not.toBe(undecided.plan.fingerprint);
  });

  test("an accept of another pattern, and one that ended by the clock of the sandbox, cover nothing", async () => {
    const b = await bench();
    expect(asks((await b.plan(aws(line("BROAD-SUBJECT", "team:**")))).plan.findings)).toHaveLength(1);
    const soon = new Date(Date.now() + 10 * 24 * 3600 * 1000).toJSON().slice(0, 10);
    const text = aws(line("BROAD-SUBJECT", "team:*", `, until: ${soon}`));
    expect(asks((await b.plan(text)).plan.findings)).toHaveLength(0);
    await fetch(`${b.url}/_sandbox/clock`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ offsetSeconds: 12 * 24 * 3600 }),
    });
    const { findings } = (await b.plan(text)).plan;
    expect([asks(findings).length, findings.filter(({ code }) => code === "ACCEPT-EXPIRED").length]).toEqual([1, 1]);
  });

  test.each([
    [", arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AdministratorAccess"],
    [', { allow: [ "iam:PassRole" ], resources: [ "*" ] }', "iam:PassRole on *"],
  ])("a privilege that is live is not asked for again, one that an edit adds is: %s", async (more, of) => {
    const b = await bench();
    const privileged = (text: string, consents = {}) =>
      b.plan(text, { consents: { allowBroadSubject: ["teams"], ...consents } });
    await b.apply(aws(), { consents: { allowBroadSubject: ["teams"] } });
    const asked = asks((await privileged(aws("", more))).plan.findings);
    expect(asked.map((one) => [one.code, one.of, one.links])).toEqual([["AWS-PRIVILEGED", of, ["teams"]]]);
    await b.apply(aws(line("AWS-PRIVILEGED", of), more));
    const drifted = aws("", more).replace("role: engineers", "role: engineers, maxSession: 2h");
    expect(asks((await privileged(drifted)).plan.findings)).toEqual([]);
    expect(asks((await b.plan(aws("", more), { destroy: true })).plan.findings)).toEqual([]);
    expect(asks((await b.plan(aws())).plan.findings)).toEqual([]);
  });

  test("a consent of one link does not cover a privilege that another link brings to the same role", async () => {
    const b = await bench();
    const other = aws("", ", arn:aws:iam::aws:policy/IAMFullAccess").split("\n").slice(3).join("\n");
    const text = `${aws("", ", arn:aws:iam::aws:policy/AdministratorAccess")}${other.replace("teams:", "more:").replace("team:*", "more:*")}`;
    const consents = { allowBroadSubject: ["teams", "more"], allowPrivileged: ["teams"] };
    const asked = asks((await b.plan(text, { consents })).plan.findings);
    expect(asked.map(({ code, of }) => [code, of])).toEqual([
      ["AWS-PRIVILEGED", "arn:aws:iam::aws:policy/IAMFullAccess"],
    ]);
  });

  test("a role of google that makes an administrator is asked for", async () => {
    const b = await bench();
    const on = "//cloudresourcemanager.googleapis.com/projects/acme-prod";
    const text = `crosstrust: 1
name: acme
links:
  x:
    from: { aws: { account: 123456789000, role: worker } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: aws-prod, serviceAccount: etl-sink } }
    may:  [ { role: roles/owner, resources: [ ${on} ] } ]
`;
    const asked = asks((await b.plan(text)).plan.findings);
    expect(asked.map(({ code, of }) => [code, of])).toEqual([["GOOGLE-PRIVILEGED", `roles/owner on ${on}`]]);
    const agreed = `${text}    accept: [ { finding: GOOGLE-PRIVILEGED, of: "roles/owner on ${on}", reason: r } ]\n`;
    expect(asks((await b.plan(agreed)).plan.findings)).toEqual([]);
  });

  test("a plan without decisions has the fingerprint that it had before there were any", () => {
    const federation = federationOf(example);
    const input = {
      ...{ deployment: federation.name, desired: [], named: [], links: federation.links, kinds: [], findings: [] },
      ...{ observed: { live: new Map(), leftovers: { found: [], scopes: [], findings: [] } } },
      ...{ consents: noConsents, only: [], swept: true, takes: false, tool: "0" },
    };
    const decided = { accepts: [accept()], now, sharing: (link: string) => [link] };
    expect(planOf({ ...input, deciding: decided }).fingerprint).toBe(planOf(input).fingerprint);
  });
});

describe("the command line", () => {
  test("lint ends with 3 on a security finding that is not accepted, where --severity security asks for it", async () => {
    const { ct } = await stage(aws());
    expect((await ct("lint")).exit).toBe(0);
    const told = await ct("lint --severity security");
    expect([told.exit, told.out]).toEqual([3, expect.stringContaining("    of    team:*")]);
    expect((await ct("lint --severity security --allow-broad-subject teams")).exit).toBe(0);
    expect((await ct("lint --severity loud")).exit).toBe(64);
    expect((await ct("lint --allow-broad-subject nobody")).exit).toBe(64);
  });

  test("an accept in the file answers lint, apply, health and lint --live alike", async () => {
    const { ct } = await stage(aws(line("BROAD-SUBJECT", "team:*", ", until: 2099-01-01")));
    const told = await ct("lint --severity security");
    expect([told.exit, told.out]).toEqual([
      0,
      expect.stringContaining("accepted   agreed with security (until 2099-01-01)"),
    ]);
    expect(told.out).toContain("no errors   1 accepted");
    expect((await ct("apply")).exit).toBe(0);
    expect((await ct("lint --live --severity security")).exit).toBe(0);
    const { findings } = JSON.parse((await ct("lint --json")).out);
    expect(findings[0]).toMatchObject({
      code: "BROAD-SUBJECT",
      severity: "security",
      of: "team:*",
      accepted: { reason: "agreed with security", until: "2099-01-01" },
    });
  });

  test("an accept that matches nothing, and one that ended, are warnings of lint", async () => {
    const { ct } = await stage(aws(line("BROAD-SUBJECT", "team:**")));
    expect((await ct("lint")).out).toContain("warning  ACCEPT-UNUSED");
    const late = await stage(aws(line("BROAD-SUBJECT", "team:*", ", until: 2020-01-01")));
    const told = await late.ct("lint --severity security");
    expect([told.exit, told.out]).toEqual([3, expect.stringContaining("warning  ACCEPT-EXPIRED")]);
  });

  test("a privilege takes the flag of lint, of apply and of onboard, or an accept in the file", async () => {
    const policy = "arn:aws:iam::aws:policy/AdministratorAccess";
    const { ct } = await stage(example.replace("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", policy));
    const told = await ct("lint");
    expect([told.exit, told.err]).toEqual([65, expect.stringContaining(`of: "${policy}"`)]);
    expect((await ct("lint --allow-privileged reports-to-s3")).exit).toBe(0);
    expect((await ct("onboard --yes")).exit).toBe(65);
    expect((await ct("onboard --yes --allow-privileged reports-to-s3")).exit).toBe(0);
  });
});

// Catches a plan that asks for one pool as often as there are grants in it.
test("links that share a pool provider: what is to be decided is said once, and its fix names every link", async () => {
  const link = (name: string, role: string, to: string) => `  ${name}:
    from: { aws: { account: 123456789000, role: ${role} } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: aws-prod, grant: pool${to} } }
    may:
      - { role: roles/storage.objectViewer, resources: [ //storage.googleapis.com/projects/_/buckets/one ] }
      - { role: roles/storage.objectViewer, resources: [ //storage.googleapis.com/projects/_/buckets/two ] }
`;
  const text = `crosstrust: 1\nname: acme\nlinks:\n${link("a", "first", ", serviceAccount: etl-sink")}${link("b", "second", "")}`;
  const b = await bench();
  const asked = (await b.plan(text)).plan.findings.filter(({ code }) => code === "BROAD-SUBJECT");
  expect(asked.map(({ links, fix }) => [links, fix])).toEqual([
    [
      ["a", "b"],
      [
        'accept it in the file, on each of the links a, b: accept: [ { finding: BROAD-SUBJECT, of: "acme-prod/partners/*", reason: "...", until: YYYY-MM-DD } ]',
        "crosstrust apply --allow-broad-subject a --allow-broad-subject b   # or once",
      ],
    ],
  ]);
  const half = (await b.plan(text, { consents: { allowBroadSubject: ["a"] } })).plan.findings;
  expect(half.map(({ code, links, accepted }) => [code, links, accepted?.reason])).toEqual([
    ["BROAD-SUBJECT", ["a"], "--allow-broad-subject a"],
    ["BROAD-SUBJECT", ["b"], undefined],
  ]);
});
