import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { account, bench } from "./support/bench.ts";
import { stage } from "./support/cli.ts";
import { gets } from "./support/presenting.ts";
import { Somebody } from "./support/somebody.ts";

// Set-ups that people had, for which an earlier version came to a wrong verdict. Each is a kind of fault.

const read = (name: string): string => readFileSync(join(import.meta.dirname, "field-cases", name), "utf8");

interface Said {
  readonly findings: readonly {
    readonly code: string;
    readonly severity: string;
    readonly says: string;
    readonly fix: readonly string[];
    readonly accepted?: object;
  }[];
}

const linted = (text: string): readonly string[] =>
  (JSON.parse(text) as Said).findings.map(({ severity, code }) => `${severity} ${code}`);

/** The same file with one decision for the whole of it. */
const accepting = (text: string, finding: string, of: string): string =>
  `${text}accept: [ { finding: ${finding}, of: ${JSON.stringify(of)}, reason: "one provider for the organization" } ]\n`;

const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const another = "77777777-0000-4000-8000-000000000007";
const outbound = "https://d270a93f-4212-465e-8b42-75539239845f.tokens.sts.global.api.aws";

// Catches an outsider made of declared claims alone, who is refused for a claim that real tokens carry.
describe("a condition on what every token of an own issuer says", () => {
  test.each([
    [
      "another application of the same tenant",
      "google-01-entra.yaml",
      {
        iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
        aud: "1b9e4c7a-0000-4000-8000-00000000000a",
        sub: another,
        oid: another,
        tid: tenant,
        azp: "99999999-0000-4000-8000-000000000009",
        ver: "2.0",
      },
    ],
    [
      "another role of the same AWS account",
      "google-01-aws-jwt.yaml",
      {
        iss: outbound,
        aud: "crosstrust/acme/lambda-to-gcs",
        sub: "arn:aws:iam::123456789012:role/some-other-role",
        "https://sts.amazonaws.com/": { aws_account: "123456789012", source_region: "us-east-1" },
      },
    ],
  ])(
    "%s speaks as the account: lint asks for a decision, health says open and ends with 3",
    async (_, file, claims) => {
      const text = read(file);
      const { ct, b } = await stage(text);
      expect(linted((await ct("lint --json")).out)).toEqual(["security GOOGLE-CONDITION-BROAD"]);
      expect((await ct("apply --quiet")).exit).toBe(3);
      const { exit, out } = await ct("health --quiet");
      expect([exit, out]).toEqual([3, expect.stringMatching(/OPEN[\s\S]*proved: a token of /)]);
      expect(out).not.toContain("turns others away");
      expect(await gets(b, text, claims)).toBe("yes");
    },
  );
});

// Catches a judge that takes a claim which the file does not declare for one that the token lacks.
describe("a mapping that reads claims which the file does not declare", () => {
  test.each([
    ["GitHub's actor, judged", "google-02-github.yaml", "unproved"],
    ["Kubernetes' own claims, judged", "google-02-kubernetes.yaml", "unproved"],
    ["GitHub's actor, with a token", "google-02-with-mint.yaml", "works"],
  ])("%s: apply and health say so and end with 0", async (_, file, verdict) => {
    const { ct } = await stage(read(file));
    expect((await ct("lint")).exit).toBe(0);
    const applied = await ct("apply --quiet");
    expect([applied.exit, applied.out]).toEqual([0, expect.stringContaining(verdict)]);
    const { exit, out } = await ct("health --quiet");
    expect([exit, out]).toEqual([0, expect.stringContaining(`1 ${verdict}`)]);
    expect((await ct("plan --quiet")).out).toContain("nothing to do");
  });
});

// Catches a proof that stops at the token exchange, where a whole organization is meant to get in.
test("one provider for an organization is one decision for all its links, and each account has its own repository", async () => {
  const text = read("google-04.yaml");
  const undecided = await stage(text);
  expect(linted((await undecided.ct("lint --json")).out)).toEqual(["security GOOGLE-CONDITION-BROAD"]);
  const of = "assertion.repository_owner == 'acme' && assertion.repository_owner_id == '77'";
  const decided = accepting(text, "GOOGLE-CONDITION-BROAD", of);
  const { ct, b } = await stage(decided);
  expect((await ct("lint --severity security")).exit).toBe(0);
  expect((await ct("apply --quiet")).exit).toBe(0);
  const { exit, out } = await ct("health --quiet");
  expect([exit, out]).toEqual([0, expect.stringContaining("2 works")]);
  const web = {
    iss: "https://token.actions.githubusercontent.com",
    aud: "gcp",
    sub: "repo:acme/web:ref:refs/heads/main",
    repository: "acme/web",
    repository_owner: "acme",
    repository_owner_id: "77",
  };
  expect(await gets(b, decided, web, "gh-web")).toBe("yes");
  expect(await gets(b, decided, web, "gh-app")).not.toContain("yes");
});

const issuers = {
  github: ["https://token.actions.githubusercontent.com", "repo:acme/app:environment:prod"],
  gitlab: ["https://gitlab.com", "project_path:acme/app:ref_type:branch:ref:release"],
  terraform: ["https://app.terraform.io", "organization:acme:project:p:workspace:w:run_phase:apply"],
  buildkite: ["https://agent.buildkite.com", "organization:acme:pipeline:p:ref:r:commit:c:step:s"],
} as const;

// Catches an outsider with fixed values for claims that he chooses himself.
describe("a condition that anybody can meet is an error, or a security finding where a name has to look alike", () => {
  const conditions = read("google-07-conditions.txt")
    .trim()
    .split("\n")
    .map((line) => line.split("\t") as [keyof typeof issuers, string]);
  const alike = /startsWith|contains|matches/;

  test.each(conditions)("%s: %s", async (who, condition) => {
    const [issuer, subject] = issuers[who];
    const text = read("google-07.yaml")
      .replace("https://token.actions.githubusercontent.com", issuer)
      .replace(/subject: "[^"]*"/, `subject: "${subject}"`)
      .replace(/condition: .*/, () => `condition: '${condition}' }`)
      .replace(/ {4}prove: judge/, "    prove: judge");
    const { ct } = await stage(text);
    const { exit, out, err } = await ct("lint");
    const severity = alike.test(condition) ? "security" : "error";
    expect([exit, out + err]).toEqual([
      severity === "error" ? 65 : 0,
      expect.stringMatching(new RegExp(`${severity}  GOOGLE-CONDITION-BROAD`)),
    ]);
  });
});

test("text that is found anywhere is fine beside what only the own tenant has", async () => {
  const condition = 'assertion.repository_owner_id == "77" && assertion.ref.matches("refs/heads/rel")';
  const { ct } = await stage(read("google-07.yaml").replace(/condition: .*/, () => `condition: '${condition}' }`));
  expect((await ct("lint")).out).not.toMatch(/other customers/);
});

describe("a role whose statement has a restriction that the file cannot express", () => {
  async function buildkite() {
    const stages = await stage(read("aws-09.yaml"));
    const other = new Somebody(stages.b);
    const Url = "https://agent.buildkite.com";
    const ThumbprintList = ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"];
    await other.iam("CreateOpenIDConnectProvider", { Url, ClientIDList: ["sts.amazonaws.com"], ThumbprintList });
    await other.iam("CreateRole", { RoleName: "bk", AssumeRolePolicyDocument: read("aws-09-policy.json") });
    return { ...stages, other };
  }
  const consents = "--adopt deploy --allow-broad-subject deploy";

  test("explain says that it is undecided, and not that the workload is refused", async () => {
    const { ct } = await buildkite();
    const { out } = await ct("explain deploy --quiet");
    expect(out).toContain("AWS-TRUST-UNDECIDED");
    expect(out).toMatch(/\?\s+aws:sourceip\s+IpAddress 198\.51\.100\.7/);
    expect(out).not.toContain("JUDGED-REFUSED");
  });

  // Catches a guard that asks about statements that change, and not about one that is made beside another.
  test("a statement beside it is asked for as a widening, and the plan shows it", async () => {
    const { ct, other } = await buildkite();
    const { out } = await ct(`plan --quiet ${consents}`);
    expect(out).toContain("TRUST-WIDENED");
    expect(out).toContain("now only under IpAddress aws:sourceip 198.51.100.7");
    expect(out).toMatch(/trusts {2}agent\.buildkite\.com:aud/);
    const refused = await ct(`apply --quiet ${consents}`);
    const document = async () => decodeURIComponent(String((await other.role("bk")).AssumeRolePolicyDocument));
    expect([refused.exit, (await document()).match(/Sid/g)]).toEqual([64, null]);
    expect((await ct(`apply --quiet ${consents} --allow-widen deploy`)).exit).toBe(0);
    expect((await document()).match(/Sid/g)).toHaveLength(1);
  });
});

test("a conditional binding on a used account is not lifted without a word", async () => {
  const b = await bench();
  const text = `crosstrust: 1
name: acme
links:
  app:
    from: { oidc: { issuer: https://idp.example.com, clientId: app, subject: u-1 } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: idp-example, serviceAccount: etl-sink@acme-prod.iam.gserviceaccount.com } }
`;
  const accounts = "iam/v1/projects/acme-prod/serviceAccounts";
  await b.google("POST", accounts, { accountId: "etl-sink" });
  await b.apply(text, { consents: { adopt: ["app"] } });
  const account = `${accounts}/etl-sink@acme-prod.iam.gserviceaccount.com`;
  const { body } = await b.google("POST", `${account}:getIamPolicy`, { options: { requestedPolicyVersion: 3 } });
  const condition = { title: "until spring", expression: "request.time < timestamp('2027-03-01T00:00:00Z')" };
  const bindings = (body.bindings as readonly object[]).map((one) => ({ ...one, condition }));
  await b.google("POST", `${account}:setIamPolicy`, { policy: { ...body, version: 3, bindings } });
  const asked = async (allowWiden: readonly string[]) =>
    (await b.plan(text, { consents: { adopt: ["app"], allowWiden } })).plan.findings
      .filter(({ asks }) => asks === "usage")
      .map(({ code, says }) => [code, says.includes(condition.expression)]);
  expect([await asked([]), await asked(["app"])]).toEqual([[["TRUST-WIDENED", true]], []]);
});

// Catches a verdict by the shape of a statement, which nobody can pass.
test("a statement whose principal differs by a slash is broken, and plan and lint say what differs", async () => {
  const { ct, b } = await stage(read("aws-19.yaml"));
  expect((await ct("apply --quiet")).exit).toBe(0);
  const other = new Somebody(b);
  const Url = "https://gitlab.example.com/";
  const ThumbprintList = ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"];
  await other.iam("CreateOpenIDConnectProvider", { Url, ClientIDList: ["gl"], ThumbprintList });
  const provider = `arn:aws:iam::${account}:oidc-provider/gitlab.example.com`;
  const Statement = {
    Effect: "Allow",
    Principal: { Federated: `${provider}/` },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: {
      StringEquals: {
        "gitlab.example.com:aud": "https://gitlab.example.com",
        "gitlab.example.com:sub": "project_path:bar/foo:ref_type:branch:ref:main",
      },
    },
  };
  await other.document({ Version: "2012-10-17", Statement }, "gl");
  const { exit, out } = await ct("health --quiet");
  expect([exit, out]).toEqual([3, expect.stringContaining("1 broken")]);
  expect(out).not.toMatch(/OPEN|LET IN/);
  const plan = (await ct("plan --quiet")).out;
  expect(plan).toMatch(new RegExp(`live {2}${provider}/ `));
  expect(plan).toMatch(new RegExp(`file {2}${provider} `));
  const fixes = (JSON.parse((await ct("lint --live --json")).out) as Said).findings.flatMap(({ code, fix }) =>
    code === "AWS-KEY-PREFIX" ? fix : [],
  );
  expect(new Set(fixes)).toEqual(new Set([`name ${provider} as the principal, as crosstrust apply does`]));
});

test("assuming one named role of another account is a warning", async () => {
  const { ct } = await stage(read("aws-20.yaml"));
  const { exit, out } = await ct("lint --json");
  expect([exit, linted(out)]).toEqual([0, ["warning AWS-ROLE-CHAIN"]]);
});
