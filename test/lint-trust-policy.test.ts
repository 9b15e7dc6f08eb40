import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { trustDocument } from "../src/judge/aws/grammar/trust-document.ts";
import { account } from "./support/bench.ts";
import { stage } from "./support/cli.ts";

// `lint --trust-policy FILE`: a trust policy by itself, whatever it came wrapped in.

const github = "token.actions.githubusercontent.com";
const provider = `arn:aws:iam::${account}:oidc-provider/${github}`;
type Fields = Readonly<Record<string, unknown>>;
const policy = (fields: Fields = {}) => ({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Federated: provider },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: {
        StringEquals: {
          [`${github}:aud`]: "sts.amazonaws.com",
          [`${github}:sub`]: "repo:acme@123/reports@456:ref:refs/heads/main",
        },
      },
      ...fields,
    },
  ],
});
const wrong = policy({ Action: ["sts:AssumeRoleWithWebIdentity", "s3:GetObject"] });
const text = (document: unknown) => JSON.stringify(document, undefined, 2);
const role = (AssumeRolePolicyDocument: unknown, owner = account) => ({
  Role: { Path: "/", RoleName: "r", Arn: `arn:aws:iam::${owner}:role/r`, AssumeRolePolicyDocument },
});

async function linted(content: string, words = "") {
  const { ct, cwd } = await stage();
  writeFileSync(join(cwd, "trust.json"), content);
  const { exit, out, err } = await ct(`lint --json --trust-policy trust.json ${words}`);
  if (!out) return { exit, told: [err.trim()] };
  const { findings } = JSON.parse(out) as {
    readonly findings: readonly {
      readonly code: string;
      readonly severity: string;
      readonly at: { readonly place?: { readonly line: number; readonly column: number } };
    }[];
  };
  return {
    exit,
    told: findings.map(({ code, severity, at }) => `${severity} ${code} ${at.place?.line}:${at.place?.column}`),
  };
}

/** Line and column of the first occurrence of a word. */
function placeOf(content: string, word: string): string {
  const before = content.slice(0, content.indexOf(word));
  return `${before.split("\n").length}:${before.length - before.lastIndexOf("\n")}`;
}

describe("a right policy is quiet", () => {
  test.each([
    ["by itself", text(policy())],
    ["on one line, with a newline", `${JSON.stringify(policy())}\n`],
    ["percent-encoded", encodeURIComponent(JSON.stringify(policy()))],
    ["percent-encoded and quoted", JSON.stringify(encodeURIComponent(JSON.stringify(policy())))],
    ["as aws iam get-role answers it", text(role(policy()))],
    ["percent-encoded in that answer, as the API has it", text(role(encodeURIComponent(JSON.stringify(policy()))))],
    ["with --query Role", text(role(policy()).Role)],
  ])("%s", async (_, content) => {
    expect(await linted(content)).toEqual({ exit: 0, told: [] });
  });
});

describe("what AWS refuses is an error at its place", () => {
  test.each([
    ["an action", text(wrong), '"s3:GetObject"'],
    ["a resource", text(policy({ Resource: "*" })), '"Resource"'],
    ["a principal", text(policy({ Principal: { AWS: "arn:aws:iam::1:root" } })), '"arn:aws:iam::1:root"'],
    ["an operator", text(policy({ Condition: { StringEqual: { a: "b" } } })), '"StringEqual"'],
    ["within the answer of get-role", text(role(wrong)), '"s3:GetObject"'],
    ["within an encoded answer, at the document", text(role(encodeURIComponent(JSON.stringify(wrong)))), '"%7B'],
  ])("%s", async (_, content, word) => {
    const { exit, told } = await linted(content);
    expect(exit).toBe(65);
    expect(told).toContain(`error AWS-POLICY-GRAMMAR ${placeOf(content, word)}`);
  });

  test("a file that is no JSON, where reading stopped", async () => {
    expect(await linted('{ "Version": "2012-10-17",\n  Statement }')).toEqual({
      exit: 65,
      told: ["error AWS-POLICY-GRAMMAR 2:3"],
    });
  });

  // Catches a program that takes any JSON object for a policy without statements.
  test.each([
    ["an empty object", "{}"],
    ["a list of roles", text({ Roles: [role(policy()).Role] })],
    [
      "an identity policy",
      text({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "s3:*", Resource: "*" } }),
    ],
  ])("%s is no trust policy", async (_, content) => {
    const { exit, told } = await linted(content);
    expect([exit, told[0]]).toEqual([65, expect.stringContaining("error AWS-POLICY-GRAMMAR")]);
  });
});

describe("the rules of lint --live hold", () => {
  test("a key of another issuer is an error where it stands", async () => {
    const content = text(policy({ Condition: { StringEquals: { "github.com:sub": "x", [`${github}:sub`]: "y" } } }));
    const { exit, told } = await linted(content);
    expect([exit, told]).toEqual([
      65,
      expect.arrayContaining([`error AWS-KEY-PREFIX ${placeOf(content, '"github.com:sub"')}`]),
    ]);
  });

  test("breadth ends it with 3 where security counts, and else with 0", async () => {
    const content = text(policy({ Condition: { StringEquals: { [`${github}:aud`]: "sts.amazonaws.com" } } }));
    expect((await linted(content)).exit).toBe(65);
    const broad = text(
      policy({
        Condition: { StringLike: { [`${github}:sub`]: "repo:ac*" }, StringEquals: { [`${github}:aud`]: "a" } },
      }),
    );
    const found = await linted(broad);
    expect([found.exit, found.told.some((line) => line.startsWith("security"))]).toEqual([0, true]);
    expect((await linted(broad, "--severity security")).exit).toBe(3);
  });

  test("the account of the answer of get-role counts", async () => {
    const { told } = await linted(text(role(policy(), "444455556666")));
    expect(told.join()).toContain("error AWS-OIDC-PROVIDER-ARN");
  });

  test("white space is not counted, and Sids are", async () => {
    const values = Array.from({ length: 30 }, (_, at) => `repo:acme/reports-${at}:ref:refs/heads/${"x".repeat(40)}`);
    const condition = { StringEquals: { [`${github}:aud`]: "a", [`${github}:sub`]: values } };
    expect((await linted(text(policy({ Condition: condition })))).told.join()).toContain("warning AWS-TRUST-SIZE");
    const padded = JSON.stringify(policy()).replaceAll(",", `,${" ".repeat(3000)}`);
    expect((await linted(padded)).told).toEqual([]);
    expect((await linted(text(policy({ Sid: "s".repeat(2048) })))).told.join()).toContain("AWS-TRUST-SIZE");
  });
});

test("flags that mean nothing with it are refused, as is a file that is not there", async () => {
  const { ct } = await stage();
  const refused = await Promise.all(
    ["--live", "--allow-privileged x", "--allow-broad-subject x", ""].map((words) =>
      ct(`lint --trust-policy none.json ${words}`),
    ),
  );
  expect(refused.map(({ exit }) => exit)).toEqual([64, 64, 64, 64]);
});

test("a text that is no trust policy comes back as it is", () => {
  for (const odd of ["", "%7B%", '{"Role":[]}', '{"Role":{"AssumeRolePolicyDocument":5}}']) {
    const { text: found, placed } = trustDocument(odd);
    expect([found.length > 0 || odd === "", placed(0) >= 0 || odd === ""]).toEqual([true, true]);
  }
});
