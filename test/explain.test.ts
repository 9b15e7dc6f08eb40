import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { account } from "./support/bench.ts";
import { stage } from "./support/cli.ts";

// Somebody with a mysterious AccessDenied has a token and a role, or only a message: each is answered on one screen.

const oidc = readFileSync(new URL("../examples/oidc-to-aws.yaml", import.meta.url), "utf8");
const iss = "https://idp.example.com";
const arn = `arn:aws:iam::${account}:oidc-provider/idp.example.com`;
const policy = (conditions: object) => ({
  Version: "2012-10-17",
  Statement: [
    {
      ...{ Effect: "Allow", Principal: { Federated: arn }, Action: "sts:AssumeRoleWithWebIdentity" },
      Condition: { StringEquals: conditions },
    },
  ],
});

async function scene() {
  const { b, cwd, ct } = await stage(oidc);
  const token = async (claims: object) => {
    const body = JSON.stringify({ issuer: iss, claims: { sub: "user-123", aud: "aws-access-client", ...claims } });
    const answer = await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body });
    const { token: text } = (await answer.json()) as { token: string };
    writeFileSync(join(cwd, "token"), `${text}\n`);
    return text;
  };
  const trust = (conditions: object) => writeFileSync(join(cwd, "trust.json"), JSON.stringify(policy(conditions)));
  return { b, ct, token, trust };
}

describe("explain --token", () => {
  test("two files, offline: each condition that fails is a row, and the token is not shown", async () => {
    const { b, ct, token, trust } = await scene();
    const text = await token({ azp: "somebody" });
    trust({ "idp.example.com:aud": "aws-access-client", "idp.example.com:sub": "*" });
    const calls = b.calls.length;
    const { exit, out } = await ct("explain --token token --trust-policy trust.json");
    expect([exit, out]).toEqual([3, expect.stringContaining("AWS-AUD-IS-AZP")]);
    expect(out).toMatch(/x +idp\.example\.com:aud +aws-access-client +somebody +azp/);
    expect(out).toMatch(/x +idp\.example\.com:sub +\* +user-123 +sub/);
    expect(out).not.toContain(text.slice(0, 40));
    expect(b.calls.length).toBe(calls);
  });

  test("a live role: accepted with 0, another subject with 3, an expired one is expired", async () => {
    const { ct, token } = await scene();
    await ct("apply --quiet");
    const role = `--role arn:aws:iam::${account}:role/crosstrust/engineers`;
    await token({});
    expect((await ct(`explain --token token ${role}`)).exit).toBe(0);
    await token({ sub: "user-999" });
    const refused = await ct(`explain --token token ${role}`);
    expect([refused.exit, refused.out]).toEqual([3, expect.stringContaining("AWS-TRUST-REFUSES")]);
    await token({ exp: 1_700_000_000 });
    expect((await ct(`explain --token token ${role}`)).out).toContain("TOKEN-EXPIRED");
    const json = JSON.parse((await ct(`explain --token token ${role} --json`)).out);
    expect([json.exit, json.findings[0].code]).toEqual([3, "TOKEN-EXPIRED"]);
  });

  test.each([
    ["neither trust", "explain --token token"],
    ["both", "explain --token token --role x --trust-policy trust.json"],
    ["no token in the file", "explain --token trust.json --trust-policy trust.json"],
    ["two questions", "explain okta-engineers --token token"],
    ["nothing at all", "explain"],
  ])("%s is a usage error", async (_, words) => {
    const { ct, token, trust } = await scene();
    await token({});
    trust({});
    expect((await ct(words)).exit).toBe(64);
  });
});

describe("explain --error", () => {
  test.each([
    ["An error occurred (AccessDenied): Not authorized to perform sts:AssumeRoleWithWebIdentity", "AWS-TRUST-REFUSES"],
    ["No OpenIDConnect provider found in your account for https://idp.example.com", "AWS-OIDC-PROVIDER-MISSING"],
    ["OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint", "AWS-THUMBPRINT-WRONG"],
    ["Incorrect token audience", "AWS-CLIENT-ID-MISSING"],
    ["AADSTS700213: No matching federated identity record found", "ENTRA-REFUSED"],
  ])("%s", async (message, code) => {
    const { ct } = await scene();
    const { exit, out } = await ct(["explain", "--error", message]);
    expect([exit, out.split("\n")[0]]).toEqual([0, code]);
  });

  test("an unknown message is not guessed at", async () => {
    const { ct } = await scene();
    expect((await ct(["explain", "--error", "it does not work"])).exit).toBe(75);
  });
});
