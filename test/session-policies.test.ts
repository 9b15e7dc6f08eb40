import { DeleteRoleCommand, GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { expect, test } from "vitest";
import { account, type Bench, bench } from "./support/bench.ts";

// What a session may do is what its role may do and its session policies allow, managed ones included. Catches a sandbox
// that takes `PolicyArns` and gives the session all of the role.

const file = `crosstrust: 1
name: acme
links:
  one:
    from: { oidc: { issuer: https://idp.example.com, clientId: app-1, subject: user-123 } }
    to:   { aws: { account: ${account}, role: operators } }
    may:  [ arn:aws:iam::aws:policy/IAMFullAccess ]
`;
const aws = (name: string) => `arn:aws:iam::aws:policy/${name}`;
const inline = (Action: string) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*" }] });

/** Whether a session with these parameters may read a role, and delete one. */
async function may(b: Bench, params: Readonly<Record<string, string>>) {
  const claims = { sub: "user-123", aud: "app-1" };
  const minted = await b.world().sandbox?.mint("https://idp.example.com", claims);
  const form = { Version: "2011-06-15", Action: "AssumeRoleWithWebIdentity", RoleSessionName: "s1", ...params };
  const RoleArn = `arn:aws:iam::${account}:role/crosstrust/operators`;
  const body = new URLSearchParams({ ...form, RoleArn, WebIdentityToken: minted ?? "" });
  const xml = await (await fetch(`${b.url}/aws/sts`, { method: "POST", body })).text();
  const told = (tag: string) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1] ?? "";
  const credentials = {
    accessKeyId: told("AccessKeyId"),
    secretAccessKey: told("SecretAccessKey"),
    sessionToken: told("SessionToken"),
  };
  const client = new IAMClient({ region: "us-east-1", endpoint: `${b.url}/aws/iam`, credentials, maxAttempts: 1 });
  // A role that is not there: who may not ask is denied, who may is told so.
  const reads = await client.send(new GetRoleCommand({ RoleName: "x" })).catch((error: Error) => error.name);
  const deletes = await client.send(new DeleteRoleCommand({ RoleName: "x" })).catch((error: Error) => error.name);
  return [reads, deletes].map((name) => /^NoSuchEntity/.test(String(name)));
}

test("managed session policies narrow a session, and add to an inline one", async () => {
  const b = await bench();
  await b.apply(file);
  const first = (arn: string) => ({ "PolicyArns.member.1.arn": arn });
  expect(await may(b, {})).toEqual([true, true]);
  expect(await may(b, first(aws("IAMReadOnlyAccess")))).toEqual([true, false]);
  expect(await may(b, first(aws("AmazonS3FullAccess")))).toEqual([false, false]);
  expect(await may(b, { Policy: inline("iam:DeleteRole") })).toEqual([false, true]);
  expect(await may(b, { Policy: inline("iam:DeleteRole"), ...first(aws("IAMReadOnlyAccess")) })).toEqual([true, true]);
  expect(await may(b, first(`arn:aws:iam::${account}:policy/not-there`))).toEqual([false, false]);
});
