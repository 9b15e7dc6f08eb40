import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { loadFile, readText } from "../src/cli/context.ts";
import { BadFile, UsageError } from "../src/cli/exit.ts";
import type { Store } from "../src/model.ts";
import { InputError, readInput } from "../src/run/input.ts";
import { directoryStore } from "../src/run/store.ts";
import { attach } from "../src/sandbox/attach.ts";
import { Authority } from "../src/sandbox/authority.ts";
import { Keys } from "../src/sandbox/keys.ts";
import { memoryStore } from "./support/bench.ts";
import { Faulted, textOf } from "./support/faulted.ts";

// The store is a help, not a condition, and what stands in it was perhaps written by others. Inputs are files, and
// nothing else is waited for.

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "crosstrust-store-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** What stands where a file should be. */
const obstacles: readonly (readonly [string, (path: string) => void, RegExp])[] = [
  ["a pipe", (path) => void execFileSync("mkfifo", [path]), /not a regular file/],
  ["a device", (path) => symlinkSync("/dev/zero", path), /not a regular file/],
  ["a directory", (path) => mkdirSync(path), /it is a directory/],
  [
    "an enormous file",
    (path) => {
      writeFileSync(path, "");
      truncateSync(path, 3 * 1024 ** 3);
    },
    /has 3221225472 bytes/,
  ],
];

describe.each(obstacles)("%s as input", (_, make, says) => {
  test("ends at once with one sentence", () => {
    const path = join(folder(), "input.yaml");
    make(path);
    expect(() => readInput(path, 1024)).toThrow(InputError);
    expect(() => readInput(path, 1024)).toThrow(says);
    expect(() => readText(path)).toThrow(UsageError);
    const loading = () => loadFile({ file: path });
    expect(loading).toThrow(BadFile);
    try {
      loading();
    } catch (error) {
      expect((error as BadFile).findings.map(({ code, says: said }) => [code, said])).toEqual([
        ["FILE-MISSING", expect.stringMatching(says)],
      ]);
    }
  });
});

describe("a store that cannot be used", () => {
  let faulted: Faulted;
  beforeAll(async () => {
    faulted = await Faulted.open();
  });
  afterAll(() => faulted.end());

  const blocked = (): Store => {
    const path = join(folder(), "store");
    writeFileSync(path, "");
    return directoryStore(path);
  };
  const full = (): Store => {
    const path = join(folder(), "store");
    mkdirSync(path);
    mkdirSync(join(path, "health-last.json"));
    return directoryStore(path);
  };

  test.each([["a file in its place", blocked]] as const)(
    "%s: health keeps its verdict and says it once",
    async (_, make) => {
      await faulted.prepare("google-to-aws", { before: "file" });
      const store = make();
      const said = await faulted.run("health", textOf("google-to-aws"), { change: (world) => ({ ...world, store }) });
      expect([said.exit, said.failed]).toEqual([0, false]);
      expect(said.text.match(/STORE-UNAVAILABLE/g)).toHaveLength(1);
      expect(said.text).toMatch(/every link works/);
    },
  );

  test("apply does its work and says it once", async () => {
    await faulted.prepare("google-to-aws", {});
    const store = blocked();
    const said = await faulted.run("apply", textOf("google-to-aws"), { change: (world) => ({ ...world, store }) });
    expect([said.exit, said.failed]).toEqual([0, false]);
    expect(said.text.match(/warning\[STORE-UNAVAILABLE\]/g)).toHaveLength(1);
    expect(said.text).toMatch(/^ +works +reports-to-s3/m);
  });

  // Catches a program that removes whatever a note names.
  test.each([
    [
      "another account",
      { project: "acme-prod", account: "other@acme-prod.iam.gserviceaccount.com", member: "user:a@example.com" },
    ],
    [
      "another member",
      { project: "acme-prod", account: "reports@acme-prod.iam.gserviceaccount.com", member: "user:a@example.com" },
    ],
    ["nothing", {}],
  ])("a planted note of %s changes nothing and is told", async (_, note) => {
    await faulted.prepare("google-to-aws", { before: "file" });
    const before = faulted.shape;
    const store = memoryStore();
    await store.write("grant-me-reports@acme-prod.iam.gserviceaccount.com", JSON.stringify(note));
    const said = await faulted.run("apply", textOf("google-to-aws"), { change: (world) => ({ ...world, store }) });
    expect(faulted.shape).toBe(before);
    expect(said.exit).toBe(0);
    expect(said.text).toMatch(/warning\[STORE-NOTE-IGNORED\]/);
  });

  test("a write that fails leaves nothing half written behind", async () => {
    const store = full();
    await expect(store.write("health-last", "{}")).rejects.toMatchObject({ known: { code: "STORE-UNAVAILABLE" } });
  });
});

describe("the folder of a sandbox", () => {
  test("half a file of keys is replaced by new keys", () => {
    const file = join(folder(), "keys.json");
    for (const text of ["{", "null", "[]", '{"seed":1}']) {
      writeFileSync(file, text);
      expect(new Keys({ file }).issued).toEqual([]);
    }
  });

  test("half a file of certificates is replaced by new ones", async () => {
    const file = join(folder(), "authority.json");
    for (const text of ["{", "null", "[1]", '{"a":1}']) {
      writeFileSync(file, text);
      expect(await new Authority(file).root({ name: "clouds", permitted: ["sandbox.example"] })).toContain(
        "BEGIN CERTIFICATE",
      );
    }
  });

  test.each([
    ["keys.json is a directory", (path: string) => mkdirSync(join(path, "keys.json"))],
    ["state.jsonl holds something else", (path: string) => writeFileSync(join(path, "state.jsonl"), "x")],
    [
      "state.jsonl lost half a line",
      (path: string) => writeFileSync(join(path, "state.jsonl"), '["a",{"x"\n["b",1]\n'),
    ],
    ["state.jsonl is a pipe", (path: string) => void execFileSync("mkfifo", [join(path, "state.jsonl")])],
  ])("%s: attaching fails at once and leaves no owner", async (_, make) => {
    const path = folder();
    make(path);
    await expect(attach({ folder: path, players: [] })).rejects.toThrow(
      /EISDIR|not a regular file|of state.jsonl cannot be read/,
    );
    expect(existsSync(join(path, "owner.json"))).toBe(false);
  });
});
