import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { againOf } from "../src/cli/context.ts";
import { diskTrouble } from "../src/cli/disk.ts";
import { type Change, type Finding, finding } from "../src/model.ts";
import { keptPromises } from "../src/plan/promises.ts";
import { pasteable } from "../src/say/paper.ts";
import { account, example, folderWith } from "./support/bench.ts";
import { crosstrust, stage } from "./support/cli.ts";
import { Somebody } from "./support/somebody.ts";

// A fix is pasted at night, by somebody else, from another folder. It must do what it says, to the file and the world of
// the run that showed it.

describe("a command that is shown", () => {
  afterEach(() => vi.unstubAllEnvs());

  test.each([
    ["crosstrust apply", "crosstrust apply --sandbox --file /a/f.yaml"],
    ["crosstrust plan x   # shows what differs", "crosstrust plan --sandbox --file /a/f.yaml x   # shows what differs"],
    ["crosstrust lint", "crosstrust lint --sandbox --file /a/f.yaml"],
    ["crosstrust explain x", "crosstrust explain --sandbox --file /a/f.yaml x"],
    ["crosstrust explain AWS-SUB-EXTRA", "crosstrust explain AWS-SUB-EXTRA"],
    [
      "crosstrust plan --sandbox   # needs no account",
      "crosstrust plan --file /a/f.yaml --sandbox   # needs no account",
    ],
    [
      "crosstrust apply --adopt x   # takes it over",
      "crosstrust apply --sandbox --file /a/f.yaml --adopt x   # takes it over",
    ],
    ["crosstrust tracks at most 12 grants", "crosstrust tracks at most 12 grants"],
  ])("%s", (step, shown) => {
    expect(pasteable(step, { again: " --sandbox --file /a/f.yaml" })).toBe(shown);
  });

  test("names the file absolutely, and the world by its flag or its endpoints", () => {
    vi.stubEnv("CROSSTRUST_SANDBOX", "");
    expect(againOf({ file: "f.yaml", sandbox: true }).again).toBe(` --sandbox --file ${resolve("f.yaml")}`);
    const far = { file: "/x y/f.yaml", endpoint: ["aws.iam=http://127.0.0.1:1"], maxLinks: "2000" };
    expect(againOf(far).again).toBe(" --endpoint aws.iam=http://127.0.0.1:1 --max-links 2000 --file '/x y/f.yaml'");
    vi.stubEnv("CROSSTRUST_SANDBOX", "http://127.0.0.1:4599");
    expect(againOf({ file: "/f.yaml" }).again).toBe(" --sandbox --file /f.yaml");
  });

  test("the fix and the next command of a run do the same from another folder", async () => {
    const { b, cwd, ct, env } = await stage();
    await ct("apply");
    await new Somebody(b).trust(undefined);
    const out = `${(await ct("explain reports-to-s3")).out}\n${(await ct("health")).out}`;
    const fixes = out.split("\n").flatMap((line) => /(?:fix|next) +(.*crosstrust .*)$/.exec(line)?.[1] ?? []);
    expect(fixes.length).toBeGreaterThan(1);
    for (const line of fixes) expect(line).toContain(` --sandbox --file ${join(cwd, "federation.yaml")}`);
    const elsewhere = folderWith("");
    const repair = fixes.find((line) => /crosstrust apply /.test(line)) ?? "";
    const words = repair.split("   #")[0]?.split(" ").slice(1) ?? [];
    const done = await crosstrust(words, { cwd: elsewhere, env });
    expect([done.exit, words.includes(join(cwd, "federation.yaml"))]).toEqual([0, true]);
  });

  test("no step of the source mixes a command with prose that a shell would take for words", () => {
    const steps = globSync("src/{parties,plan,run,crosstrust,file,verdict}/**/*.ts")
      .filter((file) => !file.includes("/sandbox/"))
      .flatMap((file) => {
        const text = readFileSync(file, "utf8").replace(/^\s*(?:\*|\/\/).*$/gm, "");
        const found = [/"(crosstrust [a-z-]+ ?[^"]*)"/g, /`(crosstrust [a-z-]+ ?[^`]*)`/g];
        return found.flatMap((literal) => [...text.matchAll(literal)].map(([, step = ""]) => [file, step] as const));
      });
    expect(steps.length).toBeGreaterThan(20);
    const commands = /^(plan|apply|health|destroy|onboard|lint|explain|deploy|offboard|init)$/;
    const isWord = /^(--[a-z-]+|X|LINK|[A-Z]+-[A-Z-]+)$/;
    const wrong = steps.filter(([, step]) => {
      const [line = ""] = step.replace(/\$\{[^}]*\}/g, "X").split("   #");
      const [, command = "", ...words] = line.split(" ");
      return commands.test(command) && !words.every((word) => isWord.test(word));
    });
    expect(wrong).toEqual([]);
  });
});

describe("a promise that apply repairs something", () => {
  const change = (address: string, verb: Change["verb"], links = ["a"]): Change =>
    ({ address, verb, links, differences: [], live: { state: "absent" } }) as Change;
  const promising = (over: Partial<Finding> = {}): Finding =>
    finding("AWS-SUB-EXTRA", {
      says: "x",
      links: ["a"],
      fix: ["crosstrust plan a   # shows", "crosstrust apply   # repairs it"],
      ...over,
    });
  const fixOf = (one: Finding, changes: readonly Change[], unread = new Map()) =>
    keptPromises([one], { changes, unread })[0]?.fix;

  test("stays where the plan changes the thing or, of a finding without a thing, its link", () => {
    const update = [change("aws:role/1/a", "update")];
    expect(fixOf(promising(), update)).toEqual(promising().fix);
    expect(fixOf(promising({ at: { address: "aws:role/1/a" } }), update)).toEqual(promising().fix);
  });

  test("goes where the plan is empty, where another thing changes, and where another link does", () => {
    const nothing = [expect.stringContaining("apply changes nothing here")];
    expect(fixOf(promising(), [change("aws:role/1/a", "keep")])).toEqual(nothing);
    expect(fixOf(promising(), [change("aws:role/1/b", "update", ["b"])])).toEqual(nothing);
    const two = [change("aws:role/1/a", "keep"), change("aws:oidcProvider/1/x", "update")];
    expect(fixOf(promising({ at: { address: "aws:role/1/a" } }), two)).toEqual(nothing);
  });

  test("another step is kept, a consent too, and what could not be read comes first", () => {
    const more = promising({ fix: ["crosstrust apply", "crosstrust apply --adopt a", "remove the member"] });
    expect(fixOf(more, [])).toEqual(["crosstrust apply --adopt a", "remove the member"]);
    const unread = new Map([["aws:role/1/a", finding("COULD-NOT-TELL", { says: "x", links: ["a"] })]]);
    expect(fixOf(promising(), [], unread)).toEqual([expect.stringContaining("could not be read")]);
  });

  test("is not made of what the file itself lets in", async () => {
    const { b, ct } = await stage();
    await ct("apply");
    // In the policy of the account, and not in any plan.
    const { body } = await b.google(
      "GET",
      "iam/v1/projects/acme-prod/serviceAccounts/reports@acme-prod.iam.gserviceaccount.com:getIamPolicy",
    );
    expect(body).toBeDefined();
    const { out } = await ct("plan");
    expect(out).toContain("nothing to do");
    expect((await ct("health")).out).not.toMatch(/crosstrust apply/);
  });
});

describe("a rule's own error", () => {
  const to = (spec: string, may: string) => `    to:   { ${spec} }\n    may:  [ ${may} ]\n`;
  const aws = to(`aws: { account: ${account}, role: target }`, "arn:aws:iam::aws:policy/ReadOnlyAccess");
  const sink = to(
    "google: { project: acme-prod, pool: p1x4, poolProvider: pp1x }",
    "{ role: roles/storage.objectViewer, resources: [ //storage.googleapis.com/projects/_/buckets/acme-reports ] }",
  );
  const forbidden: readonly (readonly [string, string])[] = [
    ["a role of AWS to AWS", `    from: { aws: { account: 444455556666, role: hub } }\n${aws}`],
    ["an instance of AWS to AWS", `    from: { aws: { account: ${account}, instance: i-0123456789abcdef0 } }\n${aws}`],
    ["AWS's own JWT to AWS", `    from: { aws: { account: ${account}, role: hub, proof: outbound-jwt } }\n${aws}`],
    ["Google to Google", `    from: { google: { project: acme-prod, serviceAccount: reports } }\n${sink}`],
  ];
  test.each(forbidden)("%s is a finding in every command, alone and beside a sound link", async (_, link) => {
    for (const text of [`crosstrust: 1\nname: acme\nlinks:\n  a:\n${link}`, `${example}  a:\n${link}`]) {
      const { cwd, ct } = await stage(text);
      writeFileSync(join(cwd, "federation.yaml"), text);
      for (const command of ["lint", "lint --live", "plan", "apply", "health", "explain a", "destroy", "token a"]) {
        const { exit, err, out } = await ct(command);
        expect([command, exit, /own fault|\n\s+at /.test(err + out)]).toEqual([command, 65, false]);
        expect([command, err]).toEqual([command, expect.stringContaining("SAME-CLOUD")]);
      }
      expect(JSON.parse((await ct("lint --json")).out)).toMatchObject({ exit: 65 });
    }
  });
});

describe("a disk that cannot be used is one sentence", () => {
  const failed = (code: string, syscall: string, path?: string) =>
    Object.assign(new Error(code), { code, syscall, path });

  test.each([
    [
      "read-only",
      failed("EROFS", "open", "/x/a"),
      "/x/a cannot be written (EROFS): the file system is read-only; name a folder that can be written",
    ],
    [
      "full",
      failed("ENOSPC", "write"),
      "a file cannot be written (ENOSPC): the disk is full; free some space and run it again",
    ],
    [
      "no permission",
      failed("EACCES", "mkdir", "/x"),
      "/x cannot be written (EACCES): the permission is missing; change it, or name another folder",
    ],
    [
      "below another error",
      new Error("x", { cause: failed("EIO", "read", "/x") }),
      "/x cannot be opened (EIO): the disk gives an error",
    ],
    ["a socket", failed("EACCES", "connect"), undefined],
    ["something else", new Error("x"), undefined],
  ])("%s", (_, error, says) => {
    expect(diskTrouble(error)).toBe(says);
  });

  test("a file where the folder of the sandbox would be, for every command", async () => {
    const cwd = folderWith(example);
    writeFileSync(join(cwd, ".crosstrust"), "");
    const { CROSSTRUST_SANDBOX: _, ...env } = process.env;
    const { exit, out, err } = await crosstrust("plan --sandbox", { cwd, env });
    expect([exit, out, err.trim().split("\n")]).toEqual([
      64,
      "",
      [expect.stringContaining("the folder of the sandbox cannot be used: ENOTDIR")],
    ]);
  });
});
