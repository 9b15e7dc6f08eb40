import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { surroundings } from "../src/sandbox/environment.ts";
import type { Environment } from "../src/sandbox/fake.ts";
import { bench, example, folderWith } from "./support/bench.ts";
import { crosstrust, run, start } from "./support/cli.ts";
import { witnessed } from "./support/witness.ts";

// What a program in the sandbox sees of this machine's real clouds: nothing.

/** Files in which clients keep what they know, each with a text that must not be found. */
const kept = [
  ".aws/credentials",
  ".aws/cli/cache/0123456789012345678901234567890123456789.json",
  ".aws/sso/cache/token.json",
  ".aws/login/cache/token.json",
  ".boto",
  ".gsutil/credstore",
  ".config/gcloud/application_default_credentials.json",
  ".config/gcloud/credentials.db",
  ".azure/msal_token_cache.json",
  ".IdentityService/msal.cache",
  ".local/share/.IdentityService/msal.cache",
];
const others = [".profile", ".config/other/settings", ".local/bin/tool", "project/file"];
const config = `[default]
region = eu-north-1
sso_start_url = https://real.example

[profile real]
role_arn = arn:aws:iam::999999999999:role/real
source_profile = default
endpoint_url = https://real.example

[profile reports]
credential_process = /usr/bin/crosstrust credentials reports-to-s3 --file "/somewhere/federation.yaml"
region = eu-west-1
`;

/** A home with everything that a user of three clouds has. */
function homeOf(folder: string): string {
  const home = join(folder, "home");
  const files = [...kept, ...others].map((path) => [path, `real ${path}`] as const);
  for (const [path, text] of [...files, [".aws/config", config] as const]) {
    mkdirSync(join(home, dirname(path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  return home;
}

const everything = (folder: string): readonly string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).map((path) => {
    const { mtimeMs, size } = statSync(join(folder, path));
    return statSync(join(folder, path)).isFile() ? `${path} ${size} ${mtimeMs}` : path;
  });

async function stage() {
  const b = await bench();
  const cwd = folderWith(example);
  const home = homeOf(cwd);
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: home, CROSSTRUST_SANDBOX: b.url };
  const exec = (words: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    crosstrust(["sandbox", "exec", "--", ...words], { cwd, env: { ...env, ...more } });
  return { b, cwd, home, env, exec };
}

describe("sandbox exec", () => {
  test("hides every state folder of the clients, shows everything else, and leaves the home as it is", async () => {
    const { home, exec } = await stage();
    const before = everything(home);
    const reads = [...kept, ...others].map((path) => `cat "$HOME/${path}" 2>/dev/null || echo "hidden ${path}"; echo;`);
    const writes = kept.map((path) => `mkdir -p "$(dirname "$HOME/${path}")" && echo ours > "$HOME/${path}";`);
    const { exit, out } = await exec(["sh", "-c", [...reads, ...writes].join("\n")]);
    expect(exit).toBe(0);
    expect(out.trim().split(/\n+/)).toEqual([
      ...kept.map((path) => `hidden ${path}`),
      ...others.map((path) => `real ${path}`),
    ]);
    expect(everything(home)).toEqual(before);
    // A second one finds what the first has left, and what the user has added meanwhile.
    writeFileSync(join(home, "later"), "later");
    const again = await exec(["sh", "-c", 'cat "$HOME/later" "$HOME/.boto"']);
    expect(again.out).toBe("laterours\n");
    // One within another does not begin anew.
    const inner = `"${process.execPath}" "${join(import.meta.dirname, "..", "src", "cli.ts")}" sandbox exec -- sh -c 'echo $HOME; cat "$HOME/later"'`;
    const nested = await exec(["sh", "-c", `echo $HOME; ${inner}`]);
    const [outer, within, text] = nested.out.split("\n");
    expect([within, text]).toEqual([outer, "later"]);
  });

  test("leaves of the aws configuration the profiles that run crosstrust", async () => {
    const { cwd, home, exec } = await stage();
    const show = ["sh", "-c", 'cat "$AWS_CONFIG_FILE" "$AWS_SHARED_CREDENTIALS_FILE"'];
    const { out } = await exec(show);
    expect(out).toContain("[profile reports]\ncredential_process = /usr/bin/crosstrust credentials");
    expect(out).not.toMatch(/real\.example|role\/real|default|sso|aws\/credentials/);
    // Wherever the user keeps it.
    writeFileSync(join(cwd, "mine"), config.replace("reports]", "elsewhere]"));
    const named = await exec(show, { AWS_CONFIG_FILE: join(cwd, "mine") });
    expect(named.out).toContain("[profile elsewhere]");
    expect(existsSync(join(home, ".aws", "config"))).toBe(true);
    expect(readFileSync(join(cwd, "mine"), "utf8")).toContain("role/real");
  });

  test("sets every variable that leads elsewhere anew or takes it away", async () => {
    const { exec } = await stage();
    const real = {
      AWS_ENDPOINT_URL_S3: "https://real.example",
      AWS_ENDPOINT_URL_DYNAMODB: "https://real.example",
      AWS_USE_FIPS_ENDPOINT: "true",
      AWS_PROFILE: "real",
      AWS_SESSION_TOKEN: "real",
      AWS_ROLE_SESSION_NAME: "real",
      AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://real.example",
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: "https://real.example/",
      CLOUDSDK_PROXY_ADDRESS: "real.example",
      CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT: "real@real.iam.gserviceaccount.com",
      GOOGLE_APPLICATION_CREDENTIALS: "/real.json",
      GCLOUD_PROJECT: "real",
      METADATA_SERVER_DETECTION: "none",
      AZURE_CLIENT_SECRET: "real",
      AZURE_PASSWORD: "real",
      ALL_PROXY: "http://real.example",
      all_proxy: "http://real.example",
      BOTO_PATH: "/real",
    };
    const { out } = await exec(["env"], real);
    expect(out.split("\n").filter((line) => line.includes("real"))).toEqual([]);
    expect(out).toContain("GCLOUD_PROJECT=acme-prod");
  });

  witnessed("aws")(
    "the aws CLI finds the installed profile, and keeps its cache of roles out of the home",
    async () => {
      const { b, cwd, home, exec } = await stage();
      await b.apply(example);
      const before = everything(home);
      const get = (profile: string) =>
        exec(["aws", "configure", "get", "region", "--profile", profile], { PYENV_ROOT: pyenv() });
      expect([(await get("reports")).out.trim(), (await get("real")).exit]).toEqual(["eu-west-1", 255]);
      const [, found] = b.sandbox.state.list<{ uniqueId: string }>("google.account/")[0] ?? [];
      const claims = { aud: "aws-trust-1", azp: found?.uniqueId, sub: found?.uniqueId };
      const body = JSON.stringify({ issuer: "https://accounts.google.com", claims });
      const minted = await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body });
      writeFileSync(join(cwd, "token"), ((await minted.json()) as { token: string }).token);
      const script = `set -e
aws configure set role_arn arn:aws:iam::111122223333:role/crosstrust/reports-reader --profile inside
aws configure set web_identity_token_file "$PWD/token" --profile inside
aws sts get-caller-identity --profile inside --query Arn --output text
ls "$HOME/.aws/cli/cache" | wc -l`;
      const ran = await exec(["sh", "-c", script], { PYENV_ROOT: pyenv() });
      expect([ran.exit, ran.err]).toEqual([0, ""]);
      expect(ran.out).toMatch(/assumed-role\/reports-reader\/\S+\n\s*1\n/);
      expect(everything(home)).toEqual(before);
    },
  );

  witnessed("gcloud")("gcloud works there, and leaves the home as it is", async () => {
    const { b, home, exec } = await stage();
    await b.apply(example);
    const before = everything(home);
    const { exit, out } = await exec(["gcloud", "iam", "service-accounts", "list", "--format=value(email)"]);
    expect([exit, out.trim()]).toEqual([0, "reports@acme-prod.iam.gserviceaccount.com"]);
    expect(everything(home)).toEqual(before);
  });

  test("links that an earlier version made to what is hidden are taken away", async () => {
    const { cwd, home, exec } = await stage();
    const apart = join(cwd, ".crosstrust", "sandbox", "exec", "home");
    mkdirSync(apart, { recursive: true });
    for (const path of [".aws", ".config"]) symlinkSync(join(home, path), join(apart, path));
    const { out } = await exec(["sh", "-c", 'cat "$HOME/.aws/credentials" "$HOME/.config/gcloud/credentials.db"']);
    expect(out).toBe("");
    expect(readFileSync(join(home, ".aws/credentials"), "utf8")).toBe("real .aws/credentials");
  });
});

/** Where the machine's Python programs are, if they are found through the home folder. */
const pyenv = (): string => process.env.PYENV_ROOT ?? join(process.env.HOME ?? "", ".pyenv");

describe("sandbox env", () => {
  const shell = (cwd: string, text: string, env: NodeJS.ProcessEnv = {}) => {
    const cli = `"${process.execPath}" "${join(import.meta.dirname, "..", "src", "cli.ts")}"`;
    const own = { PATH: process.env.PATH, HOME: cwd, ...env };
    return run("sh", ["-c", text.replaceAll("crosstrust", cli)], { cwd, env: own });
  };
  const cleared = (out: string) => out.split("\n").filter((line) => !/^(_|SHLVL|OLDPWD|PWD)=/.test(line));

  test("without a server changes nothing in a shell, says so, and fails", async () => {
    const cwd = folderWith(example);
    const { out, err } = await shell(cwd, 'env; echo --; eval "$(crosstrust sandbox env)" && echo went on; env');
    const [before = "", after = ""] = out.split("--\n");
    expect(cleared(after)).toEqual(cleared(before));
    expect(err).toContain("no sandbox is running here: start one with crosstrust sandbox");
    const { exit } = await crosstrust("sandbox env", { cwd });
    expect(exit).toBe(64);
    // A server that has ended, or whatever the variable names: the same.
    const gone = await shell(cwd, 'eval "$(crosstrust sandbox env)" || env', {
      CROSSTRUST_SANDBOX: "http://127.0.0.1:9",
    });
    expect(gone.out).not.toMatch(/proxy/i);
    expect(gone.err).toContain("there is no sandbox at http://127.0.0.1:9");
  });

  test("with one leads a shell there, also as JSON, and leaves its home alone", async () => {
    const cwd = folderWith(example);
    const { match } = await start(["sandbox", "--port", "0"], { cwd, until: /http:\/\/127\.0\.0\.1:\d+/ });
    const env = { AWS_ENDPOINT_URL_S3: "https://real.example" };
    const { out } = await shell(cwd, 'eval "$(crosstrust sandbox env)" && env', env);
    expect(out).toContain(`CROSSTRUST_SANDBOX=${match[0]}\n`);
    expect(out).toContain(`HOME=${cwd}\n`);
    expect(out).not.toContain("real.example");
    const told = JSON.parse((await crosstrust("sandbox env --json", { cwd })).out);
    expect(told).toMatchObject({ crosstrust: 1, command: "sandbox env", exit: 0, url: match[0] });
    expect(told.set.CROSSTRUST_SANDBOX).toBe(match[0]);
    expect(told.unset).toContain("AWS_PROFILE");
  });
});

describe("an option of the sandbox's commands", () => {
  const servers = ["--port 4511", "--host-map a.example=127.0.0.1:4512", "--ca federation.yaml"];
  const idle = [
    ...["env", "reset", "status"].flatMap((name) => [...servers, "--as a@b.c"].map((one) => `${name} ${one}`)),
    ...servers.map((one) => `exec ${one} -- true`),
    ...["exec --json -- true", "--json", "status more", "--as nobody", "--port 0x10", "--port ", "--max-links x"],
    ...["env", "reset", "status", "exec -- true"].map((one) => `${one} --endpoint aws.iam=http://127.0.0.1:1`),
  ].map((one) =>
    one.replace("-- true --endpoint aws.iam=http://127.0.0.1:1", "--endpoint aws.iam=http://127.0.0.1:1 -- true"),
  );

  test.each(idle.filter((one) => !one.endsWith(" ")))(
    "%s is refused, because it would have no effect",
    async (words) => {
      const { exit, err } = await crosstrust(`sandbox ${words}`, { cwd: folderWith(example) });
      expect([exit, err]).toEqual([64, expect.stringMatching(/--|too many|answers as/)]);
    },
  );

  test("--port without a number is no port", async () => {
    const { exit } = await crosstrust(["sandbox", "--port", ""], { cwd: folderWith(example) });
    expect(exit).toBe(64);
  });

  test("reset --json is a document, and so is status", async () => {
    const cwd = folderWith(example);
    for (const name of ["reset", "status"]) {
      const { exit, out } = await crosstrust(`sandbox ${name} --json`, { cwd });
      expect([exit, JSON.parse(out)]).toMatchObject([0, { crosstrust: 1, command: `sandbox ${name}` }]);
    }
  });
});

test("two files that a program may write to are never one, although both are empty", () => {
  const part = (files: Record<string, string>): Environment => ({ variables: {}, files, folders: [], unset: [] });
  const set = surroundings("http://127.0.0.1:1", [part({ A: "# a\n" }), part({ B: "# b\n" })], folderWith("")).set;
  expect(set.A).not.toBe(set.B);
});
