import { spawnSync } from "node:child_process";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { crosstrust, stage, typed } from "./support/cli.ts";
import { bashAnswers } from "./support/completions.ts";
import { has } from "./support/witness.ts";

// What people's fingers know from other programs of this kind.

describe("flags and variables", () => {
  test("-f is --file, CROSSTRUST_FILE stands in for it, and a second one is refused", async () => {
    const { ct, cwd, env } = await stage();
    renameSync(join(cwd, "federation.yaml"), join(cwd, "other.yaml"));
    expect((await ct("lint")).exit).toBe(65);
    expect((await ct("lint -f other.yaml")).exit).toBe(0);
    expect((await typed(["lint"], { cwd, env: { ...env, CROSSTRUST_FILE: "other.yaml" } })).exit).toBe(0);
    const twice = await ct("lint --file other.yaml --file federation.yaml");
    expect([twice.exit, twice.err]).toEqual([64, expect.stringContaining("given once")]);
  });

  test("links are named by patterns, and a pattern of none is refused", async () => {
    const { ct } = await stage();
    expect((await ct(["plan", "reports-*"])).exit).toBe(2);
    expect((await ct(["plan", "*"])).exit).toBe(2);
    const none = await ct(["plan", "report"]);
    expect([none.exit, none.err]).toEqual([64, expect.stringContaining("has no link report; it has reports-to-s3")]);
    // What a regular expression would read is a letter here.
    expect((await ct(["plan", "reports.to-s3"])).exit).toBe(64);
  });

  test("colour: --color before FORCE_COLOR before the terminal, NO_COLOR, and never into a file", async () => {
    const { ct, cwd, env } = await stage();
    const coloured = async (words: string[], more: NodeJS.ProcessEnv) =>
      (await typed(words, { cwd, env: { ...env, ...more } })).out.includes("\u001b[");
    expect(await coloured(["plan"], {})).toBe(false);
    expect(await coloured(["plan"], { FORCE_COLOR: "1" })).toBe(true);
    expect(await coloured(["plan"], { FORCE_COLOR: "0" })).toBe(false);
    expect(await coloured(["plan"], { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(false);
    expect(await coloured(["plan", "--color", "always"], { NO_COLOR: "1" })).toBe(true);
    expect(await coloured(["plan", "--color", "never"], { FORCE_COLOR: "1" })).toBe(false);
    expect((await ct("plan --color sometimes")).exit).toBe(64);
  });

  test("--verbose tells every remote call with the cloud's name for it, on stderr, and no secret", async () => {
    const { ct, cwd, env, b } = await stage();
    const ran = await ct("apply --verbose");
    expect(ran.exit).toBe(0);
    expect(ran.err).toMatch(/^call {5}aws\.iam {2}CreateRole {2}200 {2}ok {2}\d+ ms {2}request [\w-]{36}$/m);
    expect(ran.err).toMatch(/^call {5}aws\.iam {2}GetRole {2}404 {2}NoSuchEntity /m);
    const issued = (await (await fetch(`${b.url}/_sandbox/issued`)).json()) as readonly string[];
    expect(issued.length).toBeGreaterThan(0);
    for (const secret of issued) expect(ran.err).not.toContain(secret);
    const debug = await typed(["plan"], { cwd, env: { ...env, CROSSTRUST_LOG: "debug" } });
    expect(debug.err).toContain("call     aws.iam  GetRole  200");
    expect((await ct("plan")).err).not.toContain("call     ");
  });

  test("an error carries the name that the cloud gave to the request", async () => {
    const { ct, b } = await stage();
    await ct("apply --quiet");
    await fetch(`${b.url}/_sandbox/faults`, {
      method: "PUT",
      body: JSON.stringify([{ service: "aws.iam", operation: "GetRole", probability: 1, fault: "throttle" }]),
    });
    const { findings } = JSON.parse((await ct("plan --json --quiet")).out);
    expect(findings.map(({ requestId }: { requestId?: string }) => requestId)).toContainEqual(
      expect.stringMatching(/^[\w-]{36}$/),
    );
  });
});

describe("help and words", () => {
  test("every command's help has an example that is a command of crosstrust, and its exit codes", async () => {
    const { commandLine, nameOf } = await import("../src/cli/program.ts");
    const program = commandLine();
    const all = [...program.commands, ...program.commands.flatMap(({ commands }) => commands)];
    const without = all.filter((command) => {
      let help = "";
      command.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp();
      return !/Examples:\n {2}\S/.test(help);
    });
    expect(without.map(nameOf)).toEqual(["version", "sandbox reset", "sandbox status"]);
  });

  test("the examples of init and lint are commands that work", async () => {
    const { commandLine } = await import("../src/cli/program.ts");
    for (const name of ["init", "lint"]) {
      const command = commandLine().commands.find((one) => one.name() === name);
      let help = "";
      command?.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp();
      const examples = [...help.matchAll(/^ {2}crosstrust (\S.*?) {2}/gm)].map(([, words = ""]) => words);
      expect(examples.length).toBeGreaterThan(2);
      for (const words of examples) {
        const { ct, cwd } = await stage();
        if (name === "init") rmSync(join(cwd, "federation.yaml"));
        // The account of an example has nothing in it: lint --live says so, and is no usage error.
        expect([words, [0, 2, 75].includes((await ct(words)).exit ?? -1)]).toEqual([words, true]);
      }
    }
  });

  test("init names the starters that there are, and takes the clouds' own names", async () => {
    const { ct } = await stage();
    const none = await ct("init --from aws --to aws --file other.yaml");
    expect([none.exit, none.err]).toEqual([64, expect.stringContaining("--from entra --to google")]);
  });

  test("nothing is listed that does not exist", async () => {
    const { ct } = await stage();
    for (const words of ["--help", "credentials --help", "init --help", "sandbox --help"])
      expect([words, (await ct(words)).out]).toEqual([words, expect.not.stringContaining("not built")]);
    expect((await ct("serve reports-to-s3")).err).toContain("unknown command");
  });

  test("codes: all, those with a word, and the one that was meant", async () => {
    const { ct } = await stage();
    expect((await ct("codes")).out.split("\n").length).toBeGreaterThan(100);
    const some = await ct("codes thumbprint");
    expect([some.exit, some.out]).toEqual([0, expect.stringContaining("AWS-THUMBPRINT-WRONG")]);
    const near = await ct("codes AWS-AUD-IS-AZQ");
    expect([near.exit, near.err]).toEqual([64, expect.stringContaining("did you mean AWS-AUD-IS-AZP?")]);
    expect((await ct("paln")).err).toContain("plan");
    expect((await ct("version")).out).toBe((await ct("--version")).out);
  });

  test("a page is a document, too, where one is asked for", async () => {
    const { ct } = await stage();
    const { page, findings } = JSON.parse((await ct("explain AWS-AUD-IS-AZP --json")).out);
    expect([page.slice(0, 14), findings]).toEqual(["AWS-AUD-IS-AZP", []]);
  });

  test("a reader that goes away is no error", () => {
    const cli = join(import.meta.dirname, "..", "src", "cli.ts");
    const { status, stderr } = spawnSync("sh", ["-c", `"${process.execPath}" "${cli}" --help | head -n 1`]);
    expect([status, String(stderr)]).toEqual([0, ""]);
  });
});

describe("completion", () => {
  test("bash offers commands, their options, and those of commands below", async () => {
    const script = (await crosstrust("completion bash")).out;
    expect(bashAnswers(script, "crosstrust pl")).toEqual(["plan"]);
    expect(bashAnswers(script, "crosstrust plan --exit")).toEqual(["--exit-zero"]);
    expect(bashAnswers(script, "crosstrust sandbox e")).toEqual(["env", "exec"]);
    expect(bashAnswers(script, "crosstrust health --sand")).toEqual(["--sandbox"]);
  });

  test.skipIf(!has("zsh"))("zsh reads its own", async () => {
    const script = (await crosstrust("completion zsh")).out;
    expect(spawnSync("zsh", ["-n"], { input: script }).status).toBe(0);
  });

  test.skipIf(!has("fish"))("fish reads its own", async () => {
    const script = (await crosstrust("completion fish")).out;
    expect(spawnSync("fish", ["-n"], { input: script }).status).toBe(0);
  });

  test("another shell is refused", async () => {
    expect((await crosstrust("completion tcsh")).exit).toBe(64);
  });
});
