import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { apply } from "../src/cli/commands/apply.ts";
import { UsageError } from "../src/cli/exit.ts";
import { account, bench, example, folderWith, manyLinks, reports } from "./support/bench.ts";
import { crosstrust, environmentOf, run, stage } from "./support/cli.ts";

// The command line as users and scripts rely on it (contract, sections 2 and 4).

describe("the story of the contract, by exit codes", () => {
  test("plan 2, apply 0, plan 0, health 0; widened: health 3, plan 2; destroyed: health 2", async () => {
    const { ct, b } = await stage();
    expect((await ct("plan")).exit).toBe(2);
    expect((await ct("apply")).exit).toBe(0);
    expect((await ct("plan")).exit).toBe(0);
    expect((await ct("health")).exit).toBe(0);
    const key = `aws.role/${account}/reports-reader`;
    const role = b.sandbox.state.get<{ trust: string }>(key);
    b.sandbox.state.put(key, {
      ...role,
      trust: (role?.trust ?? "").replace(/"accounts.google.com:sub":"\d+"/, '"accounts.google.com:sub":["1","2"]'),
    });
    const health = await ct("health");
    expect([health.exit, health.out]).toEqual([3, expect.stringMatching(/OPEN +reports-to-s3/)]);
    expect(health.out).toContain("the subject 1");
    const plan = await ct("plan");
    expect([plan.exit, plan.out]).toEqual([2, expect.stringContaining("drifted: somebody changed the cloud")]);
    expect((await ct("destroy")).exit).toBe(0);
    expect([(await ct("health")).exit, (await ct("health")).out]).toEqual([2, expect.stringContaining("1 absent")]);
  });

  test("the first line says sandbox", async () => {
    const { ct } = await stage();
    for (const words of [
      "plan",
      "apply",
      "health",
      "plan",
      "explain reports-to-s3",
      "token reports-to-s3",
      "destroy",
    ]) {
      const { out } = await ct(words);
      expect([words, out.split("\n")[0]]).toEqual([words, expect.stringContaining("sandbox")]);
    }
  });
});

describe("fingerprints", () => {
  test("apply exactly this plan; a stale one writes nothing and ends with 2", async () => {
    const { ct, b, cwd } = await stage();
    const { fingerprint } = JSON.parse((await ct("plan --json")).out);
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect((await ct("plan")).out).toContain(fingerprint.slice(0, 16));
    writeFileSync(join(cwd, "federation.yaml"), example.replace("aws-trust-1", "aws-trust-2"));
    const stale = await ct(`apply ${fingerprint.slice(0, 16)}`);
    expect([stale.exit, stale.out]).toEqual([2, expect.stringContaining("nothing was written")]);
    expect(b.calls.filter(({ write }) => write)).toEqual([]);
    writeFileSync(join(cwd, "federation.yaml"), example);
    expect((await ct(`apply ${fingerprint.slice(0, 15)}`)).exit).toBe(64);
    expect((await ct(`apply ${fingerprint}`)).exit).toBe(0);
  });

  test("it covers file, live, consents and the links named; not the time", async () => {
    const { ct } = await stage(manyLinks(2));
    const print = async (words: string) => JSON.parse((await ct(`plan --json ${words}`)).out).fingerprint as string;
    const all = await Promise.all(["", "", "link-0", "--adopt link-0", "--grant-me"].map(print));
    expect(all[0]).toBe(all[1]);
    expect(new Set(all).size).toBe(4);
  });
});

describe("consents", () => {
  test("a foreign role: 73, nothing written; --yes is no consent; --adopt is", async () => {
    const { ct, b } = await stage();
    await b.apply(example.replace("name: acme", "name: other"));
    const writes = b.calls.length;
    const { exit, out } = await ct("apply --yes");
    expect([exit, out]).toEqual([73, expect.stringContaining("nothing was written")]);
    expect(b.calls.slice(writes).filter(({ write }) => write)).toEqual([]);
    expect((await ct("apply --adopt reports-to-s3")).exit).toBe(0);
  });

  test("letting more in than before needs --allow-widen by name", async () => {
    const { ct, cwd } = await stage();
    expect((await ct("apply")).exit).toBe(0);
    const wider = `${example}  more:
    from: { google: { project: acme-prod, serviceAccount: others } }
    to:   { aws: { account: ${account}, role: reports-reader, audience: aws-trust-1 } }
`;
    writeFileSync(join(cwd, "federation.yaml"), wider);
    const refused = await ct("apply --yes");
    expect([refused.exit, refused.out]).toEqual([64, expect.stringContaining("--allow-widen reports-to-s3")]);
    expect((await ct("apply --allow-widen more")).exit).toBe(0);
    expect((await ct("health")).exit).toBe(0);
  });

  test("administrator only with --allow-privileged, and said all the same", async () => {
    const { ct } = await stage(example.replace("AmazonS3ReadOnlyAccess", "AdministratorAccess"));
    expect((await ct("plan")).exit).toBe(65);
    expect((await ct("plan --allow-privileged reports-to-s3")).exit).toBe(2);
    expect((await ct("apply --allow-privileged reports-to-s3")).exit).toBe(0);
    expect((await ct("health")).exit).toBe(0);
  });

  test("--grant-me gives the right to mint for the proof and takes it back", async () => {
    const { ct, b } = await stage();
    expect((await ct("apply")).exit).toBe(0);
    const project = b.sandbox.state.get<{ policy: { bindings: { role: string }[] } }>("google.project/acme-prod");
    const bindings = project?.policy.bindings.filter(({ role }) => !role.includes("OpenId")) ?? [];
    b.sandbox.state.put("google.project/acme-prod", { ...project, policy: { ...project?.policy, bindings } });
    const health = await ct("health");
    expect([health.exit, health.out]).toEqual([77, expect.stringContaining("GOOGLE-MINT-DENIED")]);
    const explained = await ct("explain reports-to-s3");
    expect(explained.out).toContain(
      `gcloud iam service-accounts add-iam-policy-binding ${reports} --project acme-prod --member=user:operator@example.com --role=roles/iam.serviceAccountOpenIdTokenCreator`,
    );
    expect((await ct("apply --grant-me")).exit).toBe(0);
    expect(
      (await b.google("POST", `iam/v1/projects/acme-prod/serviceAccounts/${reports}:getIamPolicy`)).body.bindings,
    ).toBeUndefined();
    expect((await ct("health")).exit).toBe(77);
  });
});

describe("JSON", () => {
  test("one document with the fields of the contract", async () => {
    const { ct } = await stage();
    const planned = JSON.parse((await ct("plan --json")).out);
    expect(planned).toMatchObject({
      crosstrust: 1,
      tool: expect.any(String),
      world: "sandbox",
      command: "plan",
      exit: 2,
      deployment: "acme",
      findings: [],
    });
    expect(planned.changes.map(({ verb }: { verb: string }) => verb)).toEqual(["create", "create"]);
    const text = JSON.stringify(planned);
    expect(text).toContain('{"knownAfter":"google:serviceAccount/acme-prod/reports","field":"uniqueId"}');
    const applied = JSON.parse((await ct("apply --json")).out);
    expect(applied.traces[0].hops[0]).toEqual({
      step: "mint",
      result: "ok",
      how: "proved",
      ms: expect.any(Number),
      saw: expect.any(String),
    });
    const health = JSON.parse((await ct("health --json")).out);
    expect(health).toMatchObject({
      command: "health",
      exit: 0,
      verdict: "works",
      links: [{ link: "reports-to-s3", verdict: "works", changes: [] }],
    });
    expect(Object.keys(health)).toEqual([
      "crosstrust",
      "tool",
      "world",
      "command",
      "exit",
      "deployment",
      "at",
      "verdict",
      "logSeverity",
      "undecided",
      "says",
      "ms",
      "links",
      "findings",
      "inventory",
    ]);
    expect(JSON.parse((await ct("plan --json")).out).changes.map(({ verb }: { verb: string }) => verb)).toEqual([
      "keep",
      "keep",
    ]);
    expect(JSON.parse((await ct("explain reports-to-s3 --json")).out)).toMatchObject({
      command: "explain",
      exit: 0,
      findings: [],
    });
  });
});

describe("usage", () => {
  test.each([
    ["an unknown command", "frobnicate"],
    ["an unknown flag", "plan --frobnicate"],
    ["an unknown link", "plan nothing-like-it"],
    ["a command that does not exist", "serve reports-to-s3"],
    ["a flag that does not exist", "credentials reports-to-s3 --install"],
    ["neither a link nor a code", "explain nothing-like-it"],
    ["an endpoint in the sandbox", "plan --endpoint aws.iam=http://127.0.0.1:1"],
    ["a duration that no role takes", "credentials reports-to-s3 --duration 60"],
    ["a port that is none", "sandbox --port x"],
    ["a limit that is no number", "lint --max-links abc"],
    ["a consent for no link", "plan --allow-broad-subject nothing"],
  ])("%s: 64, nothing on stdout", async (_, words) => {
    const { ct, b } = await stage();
    const { exit, out, err } = await ct(words);
    expect([exit, out]).toEqual([64, ""]);
    expect(err.length).toBeGreaterThan(10);
    expect(b.calls).toEqual([]);
  });

  test("help names every command that is built, and is the program's own", async () => {
    const { ct } = await stage();
    const { exit, out } = await ct("--help");
    expect(exit).toBe(0);
    for (const name of [
      "init",
      "lint",
      "plan",
      "apply",
      "health",
      "explain",
      "token",
      "credentials",
      "destroy",
      "onboard",
      "sandbox",
    ])
      expect(out).toMatch(new RegExp(`^  ${name}`, "m"));
  });

  test("a pipe that closes ends it quietly", async () => {
    const { cwd, env } = await stage();
    const cli = join(import.meta.dirname, "..", "src", "cli.ts");
    const { err } = await run(
      "bash",
      ["-c", `set -o pipefail; ${process.execPath} ${cli} --help | head -1 >/dev/null`],
      { cwd, env },
    );
    expect(err).toBe("");
  });
});

describe("the cloud world", () => {
  const bare = (more: Record<string, string> = {}) => ({
    PATH: process.env.PATH,
    HOME: "/nonexistent",
    AWS_EC2_METADATA_DISABLED: "true",
    METADATA_SERVER_DETECTION: "none",
    NODE_EXTRA_CA_CERTS: "",
    ...more,
  });

  test.each(["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM", "GCE_METADATA_HOST"])(
    "%s is refused by name",
    async (name) => {
      const { exit, err } = await crosstrust("plan", {
        cwd: folderWith(example),
        env: bare({ [name]: "http://127.0.0.1:1" }),
      });
      expect([exit, err]).toEqual([64, expect.stringContaining(name)]);
    },
  );

  test("no credentials at all: 77, one sentence each and what to type", async () => {
    const { exit, out } = await crosstrust("plan", { cwd: folderWith(example), env: bare() });
    expect(exit).toBe(77);
    expect(out).toContain("there are no google credentials for acme-prod");
    expect(out).toContain("there are no aws credentials for 111122223333");
    expect(out).toContain("gcloud auth application-default login");
  });

  test("another account than the file's: 77, and nothing but who-am-I was asked of it", async () => {
    const b = await bench();
    const folder = folderWith(example.replace(account, "444455556666"));
    const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = await environmentOf(b.url, folder);
    const keys = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
    const moved = ["aws.iam", "aws.sts"].flatMap((service) => [
      "--endpoint",
      `${service}=${b.url}/${service.replace(".", "/")}`,
    ]);
    const { exit, out } = await crosstrust(["plan", ...moved], { cwd: folder, env: bare(keys) });
    expect(exit).toBe(77);
    expect(out).toContain(`the file names the aws account 444455556666, and these credentials belong to ${account}`);
    expect(b.calls.map(({ operation }) => operation)).toEqual(["GetCallerIdentity"]);
  });

  test("no network: 75, and no word about credentials that were never asked", async () => {
    const b = await bench();
    const folder = folderWith(example);
    const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = await environmentOf(b.url, folder);
    const adc = join(folder, "adc.json");
    writeFileSync(
      adc,
      JSON.stringify({ type: "authorized_user", client_id: "x", client_secret: "x", refresh_token: "x" }),
    );
    const nowhere = "http://127.0.0.1:1";
    const proxies = { HTTPS_PROXY: nowhere, https_proxy: nowhere, NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1" };
    const { exit, out } = await crosstrust(["plan", "--endpoint", "aws.sts=http://127.0.0.1:1"], {
      cwd: folder,
      env: bare({ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS: adc, ...proxies }),
    });
    expect([exit, out]).toEqual([75, expect.stringContaining("NO-NETWORK")]);
    expect(out).toContain("google's sign-in does not answer");
    expect(out).not.toContain("no google credentials");
  });

  test("without a terminal a needed question is 64, before anything is written; --yes answers it", async () => {
    const b = await bench();
    const folder = folderWith(example);
    const context = (yes: boolean) => ({
      flags: { file: join(folder, "federation.yaml"), yes, quiet: true },
      paper: { colour: false, again: "" },
      world: { ...b.world(), kind: "cloud" as const },
      close: async () => {},
    });
    const calls = await b.callsOf(async () => {
      await expect(apply(context(false), { words: [] })).rejects.toThrow(UsageError);
    });
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.filter(({ write }) => write)).toEqual([]);
    const printed = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    onTestFinished(() => printed.mockRestore());
    expect((await apply(context(true), { words: [] })).exit).toBe(0);
  });

  test.each(["aws.iam=http://10.0.0.1", "aws.iam", "aws.iam=ftp://127.0.0.1", "=https://x"])(
    "--endpoint %s is refused",
    async (given) => {
      expect((await crosstrust(["plan", "--endpoint", given], { cwd: folderWith(example), env: bare() })).exit).toBe(
        64,
      );
    },
  );
});

describe("the launcher", () => {
  const launcher = join(import.meta.dirname, "..", "bin", "crosstrust.js");

  test("is committed with mode 755 and runs on any Node from 18 on", () => {
    expect(statSync(launcher).mode & 0o777).toBe(0o755);
    expect(readFileSync(launcher, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  const old = ["/usr/bin/node", "/usr/local/bin/node"].find((path) => existsSync(path));
  if (!old) process.stderr.write("SKIPPED: there is no other Node on this machine\n");

  // Catches a launcher that keeps an interruption to itself: a supervisor tells only the process that it started.
  test.skipIf(!old)("it passes on an interruption that only it was told of", async () => {
    const cwd = folderWith(example);
    const child = spawn(old ?? "", [launcher, "apply", "--sandbox"], { cwd, stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.once("data", () => child.kill("SIGINT"));
    const [exit] = await once(child, "exit");
    expect(exit).toBe(130);
  });

  test.skipIf(!old)("on an older Node it hands over to the checkout's own", async () => {
    const cwd = folderWith(example);
    const { exit, out } = await run(old ?? "", [launcher, "plan", "--sandbox"], { cwd });
    expect([exit, out]).toEqual([2, expect.stringContaining("sandbox")]);
  });
});
