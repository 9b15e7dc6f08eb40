import { existsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { example } from "../support/bench.ts";
import { stage } from "../support/cli.ts";

// Google's Cloud Storage client for Node, unmodified and with its own settings. It is no dependency of this project: where
// it lies is told by CROSSTRUST_CLOUD_STORAGE, a folder into which somebody has installed it, and without it this is skipped.

const folder = process.env.CROSSTRUST_CLOUD_STORAGE ?? "";
const isThere = folder !== "" && existsSync(join(folder, "node_modules", "@google-cloud", "storage"));

const script = `
import { createRequire } from "node:module";
const { Storage } = createRequire(${JSON.stringify(join(folder, "package.json"))})("@google-cloud/storage");
const bucket = new Storage().bucket("things");
await bucket.file("a/small.txt").save("hello");
await bucket.file("a/large").save(Buffer.alloc(6 * 1024 * 1024, 7));
await bucket.file("a/parts").save(Buffer.alloc(900 * 1024, 3), { resumable: true, chunkSize: 256 * 1024 });
const [small] = await bucket.file("a/small.txt").download();
const [large] = await bucket.file("a/large").download();
const [parts] = await bucket.file("a/parts").download();
const [files] = await bucket.getFiles({ prefix: "a/" });
const [two] = await bucket.getFiles({ prefix: "a/", maxResults: 2 });
await bucket.file("a/small.txt").setMetadata({ metadata: { seen: "yes" } });
const [{ metadata }] = await bucket.file("a/small.txt").getMetadata();
await bucket.file("a/small.txt").copy(bucket.file("copy"));
await bucket.file("copy").delete();
const gone = await bucket.file("copy").download().catch(({ code }) => code);
console.log(JSON.stringify([small.toString(), large.length, parts.length, files.map(({ name }) => name), two.length, metadata, gone]));
`;

describe.skipIf(!isThere)("@google-cloud/storage", () => {
  test.each([
    ["in a sandbox where nothing was made", false],
    ["after a link was made", true],
  ])("uploads whole and in parts, downloads, lists, copies and deletes %s", async (_, isMade) => {
    const { cwd, ct } = await stage(example);
    if (isMade) expect((await ct("apply --quiet")).exit).toBe(0);
    writeFileSync(join(cwd, "client.mjs"), script);
    const { exit, out, err } = await ct(["sandbox", "exec", "--", process.execPath, join(cwd, "client.mjs")]);
    expect([exit, err]).toEqual([0, ""]);
    const all = ["a/large", "a/parts", "a/small.txt"];
    expect(JSON.parse(out)).toEqual(["hello", 6 * 1024 * 1024, 900 * 1024, all, 2, { seen: "yes" }, 404]);
  });
});

if (folder !== "")
  test("the client is where CROSSTRUST_CLOUD_STORAGE says", () => {
    expect(createRequire(join(folder, "package.json")).resolve("@google-cloud/storage")).toBeTruthy();
  });
