import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { lint } from "../src/cli/commands/lint.ts";
import { viewOf } from "../src/cli/commands/plan.ts";
import type { World } from "../src/model.ts";
import { mintBy } from "../src/run/minting.ts";
import { planText } from "../src/say/plan.ts";
import { bench, federationOf, folderWith } from "./support/bench.ts";
import { stage } from "./support/cli.ts";

// A file may come from somebody whom nobody knows, as in a pull request. What it asks this machine to execute, open, read
// or send is shown before anything does it, and in the sandbox nothing does.

const issuer = "https://idp.example.com";
const link = (name: string, mint: string, to = `aws: { account: 111122223333, role: ${name} }`): string => `
  ${name}:
    from: { oidc: { issuer: "${issuer}", clientId: client-${name}, subject: user-123, mint: ${mint} } }
    to:   { ${to} }
    may:  [ { allow: [ s3:GetObject ], resources: [ "arn:aws:s3:::acme-reports/*" ] } ]`;
const fileOf = (...links: readonly string[]): string =>
  `crosstrust: 1\nname: acme\nalerts: { webhook: env:CT_TEST_HOOK }\nlinks:${links.join("")}\n`;

test("in the sandbox no command executes, reads or sends anything that the file asks for", async () => {
  const s = await stage();
  const calls: string[] = [];
  const server = createServer((request, response) => {
    calls.push(request.url ?? "");
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const program = join(s.cwd, "program");
  writeFileSync(program, `#!/bin/sh\ntouch ${join(s.cwd, "ran")}\n`);
  chmodSync(program, 0o755);
  // Whoever opened it as a file would fail, and not go on.
  mkdirSync(join(s.cwd, "folder"));
  const entra = `
  azure:
    from: { entra: { tenant: 72f988bf-86f1-41af-91ab-2d7cd011db47, application: "api://my-app", subject: 9f3c1e2a-0000-4000-8000-000000000001, mint: { command: [ ${program} ] } } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: azure } }
    may:  [ { role: roles/storage.objectViewer, resources: [ //storage.googleapis.com/projects/_/buckets/acme-reports ] } ]`;
  writeFileSync(
    join(s.cwd, "federation.yaml"),
    fileOf(
      link("command", `{ command: [ ${program} ] }`),
      link("file", `{ tokenFile: ${join(s.cwd, "folder")} }`),
      link("secret", "{ clientCredentials: { clientId: x, secretFrom: env:CT_TEST_SECRET } }"),
      link("profile", `{ command: [ ${program} ] }`, "aws: { account: 111122224444, role: profile, profile: p }"),
      entra,
    ),
  );
  Object.assign(s.env, { CT_TEST_HOOK: `http://127.0.0.1:${port}/hook`, CT_TEST_SECRET: "canary-4711" });
  const run = async (command: string) => ({ command, ...(await s.ct(command)) });
  const commands = ["lint", "plan", "apply", "health", "lint --live", "explain command", "token file", "token azure"];
  for (const command of [...commands, "credentials secret", "destroy"]) {
    const { exit, out, err } = await run(command);
    expect([command, exit === 0 || (command === "plan" && exit === 2), err.slice(0, 300)]).toEqual([
      command,
      true,
      expect.any(String),
    ]);
    expect([command, out.includes("the file makes apply and health")]).toEqual([command, command === "lint"]);
  }
  expect(existsSync(join(s.cwd, "ran"))).toBe(false);
  expect(calls).toEqual([]);
  expect(JSON.stringify(s.b.sandbox.calls)).not.toContain("canary-4711");
});

const ways: readonly (readonly [way: string, mint: string, line: RegExp])[] = [
  [
    "a command",
    "{ command: [ get-token, --for, 'a b' ], env: [ OKTA_KEY ] }",
    /execute +get-token --for 'a b' +with OKTA_KEY of the environment +its token goes to aws 111122223333/,
  ],
  ["a token file", "{ tokenFile: /var/run/token }", /open +\/var\/run\/token +its token goes to aws 111122223333/],
  [
    "a secret",
    "{ clientCredentials: { clientId: x, secretFrom: env:AWS_SECRET_ACCESS_KEY } }",
    /read +the secret in AWS_SECRET_ACCESS_KEY +it goes to the token endpoint of https:\/\/idp\.example\.com/,
  ],
  [
    "an assertion",
    "{ clientCredentials: { clientId: x, assertion: google } }",
    /send +an ID token of this machine's Google service account +the token endpoint of https:\/\/idp\.example\.com/,
  ],
];

describe("in the cloud", () => {
  test.each(ways)("lint and plan show %s, and to whom what it gives is sent", async (_, mint, line) => {
    const text = fileOf(link("a", mint, "aws: { account: 111122223333, role: a, profile: prod }"));
    const file = join(folderWith(text), "federation.yaml");
    const b = await bench();
    const planned = await b.plan(text);
    const cloud = { kind: "cloud" } as World;
    const shown = planText(viewOf(cloud, { federation: federationOf(text), planned, only: [], command: "plan" }), {
      colour: false,
      again: "",
    });
    for (const said of [lint({ file }).text, shown]) {
      expect(said).toMatch(line);
      expect(said).toMatch(/use +the profile prod of ~\/\.aws\/config/);
      expect(said).toMatch(/send +alerts +the URL in the variable CT_TEST_HOOK/);
    }
    expect(JSON.parse(lint({ file, json: true }).text).effects).toHaveLength(3);
  });

  test("another command, file, secret, environment or profile gives the plan another fingerprint", async () => {
    const b = await bench();
    const mints = [
      ...["{ command: [ a ] }", "{ command: [ a, b ] }", "{ command: [ 'a b' ] }", "{ command: [ a ], env: [ B ] }"],
      ...["{ tokenFile: a }", "{ clientCredentials: { clientId: x, secretFrom: env:A } }"],
      "{ clientCredentials: { clientId: x, secretFrom: env:B } }",
    ];
    const prints = new Set<string>();
    for (const mint of mints) prints.add((await b.plan(fileOf(link("a", mint)))).plan.fingerprint);
    expect(prints.size).toBe(mints.length);
  });

  test("a judged link mints nothing, and nothing is shown for it", async () => {
    const text = fileOf(link("a", "{ command: [ a ] }")).replace("    may:", "    prove: judge\n    may:");
    const planned = await (await bench()).plan(text);
    expect(planned.plan.effects).toEqual([{ verb: "send", what: "alerts", to: expect.any(String) }]);
  });
});

test("a program of the file gets the variables that every program needs and those that the file lists", async () => {
  const folder = folderWith("");
  const program = join(folder, "program");
  writeFileSync(program, `#!/bin/sh\nenv > ${join(folder, "env")}\n`);
  chmodSync(program, 0o755);
  Object.assign(process.env, { CT_TEST_SECRET: "s", AWS_SECRET_ACCESS_KEY: "k", CT_TEST_LISTED: "l" });
  onTestFinished(() => {
    for (const name of ["CT_TEST_SECRET", "AWS_SECRET_ACCESS_KEY", "CT_TEST_LISTED"]) delete process.env[name];
  });
  const world = { signal: new AbortController().signal } as World;
  const ask = { service: "oidc", clientCredentials: async () => "" };
  await expect(mintBy({ command: [program], env: ["CT_TEST_LISTED"] }, ask, world)).rejects.toThrow(
    "not a JSON web token",
  );
  const names = readFileSync(join(folder, "env"), "utf8")
    .split("\n")
    .map((line) => line.split("=")[0]);
  expect(names).toContain("PATH");
  expect(names).toContain("CT_TEST_LISTED");
  expect(names).not.toContain("CT_TEST_SECRET");
  expect(names).not.toContain("AWS_SECRET_ACCESS_KEY");
});
