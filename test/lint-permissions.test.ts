import { describe, expect, test } from "vitest";
import { listedPolicy } from "../src/judge/aws/managed-policies.ts";
import { listedNames, listedOn } from "../src/judge/aws/managed-policy-names.ts";
import type { Policy } from "../src/judge/aws/policy.ts";
import type { Known } from "../src/model.ts";
import { lintDesiredTrust } from "../src/parties/aws/trust/lint-file.ts";
import { account, example } from "./support/bench.ts";
import { stage } from "./support/cli.ts";

// What AWS refuses of `may` and `boundary` is an error of lint, at the place in the file. Each test names the wrong program that
// it catches.

const ours = "arn:aws:iam::aws:policy/";
const withMay = (may: string): string => example.replace(/may:.*/, `may: ${may}`);
const withResource = (resource: string) =>
  withMay(`[ { allow: [ s3:GetObject ], resources: [ "*", "${resource}" ] } ]`);

/** Code, severity and place of what lint says, with its exit code. */
async function linted(text: string) {
  const { ct } = await stage(text);
  const { exit, out } = await ct("lint --json");
  const { findings } = JSON.parse(out) as {
    readonly findings: readonly {
      readonly code: string;
      readonly severity: string;
      readonly says: string;
      readonly fix: readonly string[];
      readonly at: { readonly place?: { readonly line: number; readonly column: number } };
    }[];
  };
  const told = findings.map(({ code, severity, at }) => `${severity} ${code} ${at.place?.line}:${at.place?.column}`);
  return { exit, told, findings };
}

describe("resources", () => {
  // Catches a program that takes whatever begins with `arn:` for an ARN.
  test.each([
    ["three parts", "arn:aws:fdsasf"],
    ["five parts", "arn:aws:s3::bucket"],
    ["a partition that AWS does not have", "arn:azure:s3:::bucket"],
    ["a bucket with a region", "arn:aws:s3:us-east-1::bucket"],
    ["a bucket with an account", "arn:aws:s3::111122223333:bucket"],
    ["a role with a region", "arn:aws:iam:us-east-1:111122223333:role/r"],
    ["a path that IAM does not have", "arn:aws:iam::111122223333:roles/r"],
    ["a pattern as the service", "arn:aws:s*:::bucket"],
  ])("%s is refused at its place in the file", async (_, resource) => {
    const text = withResource(resource);
    const { exit, told, findings } = await linted(text);
    const column = (text.split("\n")[6] ?? "").indexOf(`"${resource}`) + 1;
    expect([exit, told]).toEqual([65, expect.arrayContaining([`error AWS-POLICY-GRAMMAR 7:${column}`])]);
    expect(findings.map(({ says }) => says).join()).toContain(resource);
  });

  test.each([
    "arn:aws:s3:::bucket/*",
    "arn:aws:sqs:eu-west-1:111122223333:queue",
    "arn:aws:s3:us-west-2:111122223333:accesspoint/mine/object/*",
  ])("%s is taken", async (resource) => {
    expect(await linted(withResource(resource))).toMatchObject({ exit: 0, told: [] });
  });
});

describe("managed policies of AWS", () => {
  test.each([
    ["without its path", "AWSLambdaBasicExecutionRole", "service-role/AWSLambdaBasicExecutionRole"],
    ["below a path that it does not have", "job-function/ReadOnlyAccess", "ReadOnlyAccess"],
    ["with a letter too few", "AmazonS3ReadOnlyAcess", "AmazonS3ReadOnlyAccess"],
    ["in other letters", "amazons3readonlyaccess", "AmazonS3ReadOnlyAccess"],
  ])("a listed policy %s is an error that names the right one", async (_, written, meant) => {
    const { exit, told, findings } = await linted(withMay(`[ ${ours}${written} ]`));
    expect([exit, told]).toEqual([65, ["error AWS-MANAGED-POLICY 7:12"]]);
    expect(findings[0]?.says).toBe(
      `${ours}${written} is not in the list of AWS's managed policies of ${listedOn}; did you mean ${ours}${meant}?`,
    );
    expect(findings[0]?.fix).toEqual([`name ${ours}${meant}`]);
  });

  // Catches a program that takes the list for complete.
  test("a policy that resembles nothing in the list is a warning with the date of the list", async () => {
    const { exit, told, findings } = await linted(withMay(`[ ${ours}QuantumToasterPolicy ]`));
    expect([exit, told]).toEqual([0, ["warning AWS-MANAGED-POLICY 7:12"]]);
    expect(findings[0]?.says).toContain(listedOn);
  });

  test("a newer version of a listed policy is a warning", async () => {
    const { exit, told } = await linted(withMay(`[ ${ours}AmazonS3ReadOnlyAccessV2 ]`));
    expect([exit, told]).toEqual([0, ["warning AWS-MANAGED-POLICY 7:12"]]);
  });

  test("a policy of a service-linked role is an error", async () => {
    const { exit, told } = await linted(withMay(`[ ${ours}aws-service-role/AWSSupportServiceRolePolicy ]`));
    expect([exit, told]).toEqual([65, ["error AWS-MANAGED-POLICY 7:12"]]);
  });

  test("a boundary is looked up as well, at its own place", async () => {
    const text = example.replace("audience: aws-trust-1", `boundary: ${ours}ViewOnlyAccess`);
    expect((await linted(text)).told).toEqual(["error AWS-MANAGED-POLICY 6:75"]);
  });

  test("an accept of the ARN takes the error away", async () => {
    const accept = `accept: [ { finding: AWS-MANAGED-POLICY, of: "${ours}AmazonS3ReadOnlyAcess", reason: "newer" } ]`;
    const { exit } = await linted(`${withMay(`[ ${ours}AmazonS3ReadOnlyAcess ]`)}    ${accept}\n`);
    expect(exit).toBe(0);
  });

  test("every name of the list is found in it, and each name stands once", () => {
    const lines = listedNames.split("\n");
    expect(lines.length).toBeGreaterThan(1400);
    const states = new Set(lines.map((line) => listedPolicy(`arn:aws-cn:iam::aws:policy/${line}`)?.state));
    expect([...states].sort()).toEqual(["listed", "service-linked"]);
    expect(new Set(lines.map((line) => line.split("/").at(-1))).size).toBe(lines.length);
    expect(listedPolicy(`arn:aws:iam::${account}:policy/own`)).toBeUndefined();
  });
});

describe("quotas", () => {
  const link = (name: string, to: string, may: string) =>
    `  ${name}:\n    from: { google: { project: acme-prod, serviceAccount: reports } }\n    to: { aws: { account: ${account}, role: ${to} } }\n    may: ${may}\n`;
  const fileOf = (links: readonly string[]) => `crosstrust: 1\nname: acme\nlinks:\n${links.join("")}`;
  const own = (count: number) =>
    `[ ${Array.from({ length: count }, (_, at) => `arn:aws:iam::${account}:policy/p${at}`).join(", ")} ]`;
  const quotas = async (text: string) => (await linted(text)).told.filter((line) => line.includes("AWS-QUOTA"));

  test("ten managed policies of a role are taken, the eleventh is a warning, the 26th an error", async () => {
    expect(await quotas(fileOf([link("one", "r", own(10))]))).toEqual([]);
    expect(await quotas(fileOf([link("one", "r", own(11))]))).toEqual(["warning AWS-QUOTA 7:10"]);
    expect(await quotas(fileOf([link("one", "r", own(26))]))).toEqual(["error AWS-QUOTA 7:10"]);
  });

  // Catches a program that counts a link at a time, or a policy twice that two links name.
  test("links that share a role add up, and what they share counts once", async () => {
    const more = `[ ${[10, 11].map((at) => `arn:aws:iam::${account}:policy/p${at}`).join(", ")} ]`;
    expect(await quotas(fileOf([link("one", "r", own(10)), link("two", "r", own(10))]))).toEqual([]);
    expect(await quotas(fileOf([link("one", "r", own(10)), link("two", "r", more)]))).toEqual([
      "warning AWS-QUOTA 11:10",
    ]);
  });

  test("inline policies beyond 10,240 characters are an error", async () => {
    const resources = Array.from({ length: 120 }, (_, at) => `"arn:aws:s3:::${`bucket-${at}-`.padEnd(90, "x")}"`);
    const may = `[ { allow: [ s3:GetObject ], resources: [ ${resources.join(", ")} ] } ]`;
    expect(await quotas(fileOf([link("one", "r", may)]))).toEqual(["error AWS-QUOTA 7:10"]);
  });

  test("a hundred client ids of an OIDC provider are taken, one more is not", async () => {
    const links = (count: number) =>
      Array.from(
        { length: count },
        (_, at) =>
          `  l${at}:\n    from: { oidc: { issuer: "https://idp.example.com", clientId: app-${at}, subject: s } }\n    to: { aws: { account: ${account}, role: r${at} } }\n    may: []\n`,
      );
    expect(await quotas(fileOf(links(100)))).toEqual([]);
    expect(await quotas(fileOf(links(101)))).toHaveLength(1);
  });

  test("a hundred OIDC providers of an account are taken, one more is not", async () => {
    const links = (count: number) =>
      Array.from(
        { length: count },
        (_, at) =>
          `  l${at}:\n    from: { oidc: { issuer: "https://idp${at}.example.com", clientId: app, subject: s } }\n    to: { aws: { account: ${account}, role: r${at} } }\n    may: []\n`,
      );
    expect(await quotas(fileOf(links(100)))).toEqual([]);
    expect(await quotas(fileOf(links(101)))).toHaveLength(1);
  });
});

test("a desired trust that no policy can hold is refused, and a reference in it is not", () => {
  const trust = (sub: Known<string>): Policy => ({
    version: "2012-10-17",
    statements: [
      {
        effect: "Allow",
        principal: { Federated: ["accounts.google.com"] },
        action: ["sts:assumerolewithwebidentity"],
        condition: { StringEquals: { "accounts.google.com:sub": [sub] } },
      },
    ],
  });
  expect(lintDesiredTrust(trust("\u4e2d")).map(({ says }) => says)).toEqual([
    "aws refuses the policy: The policy contains characters outside of the allowed set",
  ]);
  expect(lintDesiredTrust(trust({ $ref: "google:serviceAccount/a", field: "uniqueId" }))).toEqual([]);
});
