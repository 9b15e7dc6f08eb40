import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setups } from "./setups.ts";

// Records what another version of crosstrust leaves behind in the sandbox. Run it with the checkout of that version:
//
//   git archive COMMIT | tar -x -C FOLDER && ln -s "$PWD/node_modules" FOLDER/node_modules
//   node test/upgrade/record.ts FOLDER COMMIT
//
// Each set-up of setups.ts is applied by that checkout's own code in a sandbox of its own. The folder COMMIT then holds
// for each set-up the federation file (NAME.yaml), the sandbox's state (NAME.jsonl: no keys, no tokens, no calls; the
// sandbox makes new keys) and, for all of them, the verdicts of that version's health check (recorded.json).

const [checkout, commit] = process.argv.slice(2);
if (!checkout || !commit) throw new Error("node test/upgrade/record.ts CHECKOUT COMMIT");
const of = (path: string) => join(resolve(checkout), path);
const { attach } = (await import(of("src/sandbox/attach.ts"))) as typeof import("../../src/sandbox/attach.ts");
const { players } = (await import(of("src/parties/players.ts"))) as typeof import("../../src/parties/players.ts");
const { Bench } = (await import(of("test/support/bench.ts"))) as typeof import("../support/bench.ts");
const { Somebody } = (await import(of("test/support/somebody.ts"))) as typeof import("../support/somebody.ts");
const { onboardControl } = (await import(of("test/support/control.ts"))) as typeof import("../support/control.ts");

const target = join(import.meta.dirname, commit);
mkdirSync(target, { recursive: true });
const recorded: Record<string, unknown> = {};

for (const { name, text: given, before, consents } of setups) {
  const text = given.includes("\n") ? given : readFileSync(of(`examples/${given}`), "utf8");
  const folder = mkdtempSync(join(tmpdir(), "crosstrust-record-"));
  const attached = await attach({ folder, players });
  try {
    if (!attached.sandbox) throw new Error("another process serves this folder");
    const b = new Bench(attached.url, attached.sandbox);
    await before?.(b, new Somebody(b));
    if (/^control:/m.test(text)) await onboardControl(b, text);
    const { planned, applied } = await b.apply(text, consents ? { consents } : {});
    if (/^control:/m.test(text)) await onboardControl(b, text);
    const errors = [...planned.plan.findings, ...applied.findings].filter(({ severity }) => severity === "error");
    if (errors.length > 0) throw new Error(`${name}: ${errors.map(({ code, says }) => `${code} ${says}`).join("; ")}`);
    const open = (await b.plan(text)).plan.changes.filter(({ verb }) => verb !== "keep");
    if (open.length > 0)
      throw new Error(`${name}: ${open.map(({ verb, address }) => `${verb} ${address}`).join("; ")}`);
    const { verdict, links } = await b.health(text);
    recorded[name] = { verdict, links: Object.fromEntries(links.map((one) => [one.link, one.verdict])) };
    writeFileSync(join(target, `${name}.yaml`), text);
    writeFileSync(join(target, `${name}.jsonl`), stateOf(readFileSync(join(folder, "state.jsonl"), "utf8")));
    process.stdout.write(`${name}: ${verdict}\n`);
  } finally {
    await attached.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
writeFileSync(join(target, "recorded.json"), `${JSON.stringify(recorded, null, 2)}\n`);

/** The last line of each key, without what was deleted: what the sandbox itself would keep at its next start. */
function stateOf(log: string): string {
  const last = new Map<string, unknown>();
  for (const line of log.split("\n").filter(Boolean)) {
    const [key, value] = JSON.parse(line) as [string, unknown];
    if (value === null) last.delete(key);
    else last.set(key, value);
  }
  return [...last].map((entry) => `${JSON.stringify(entry)}\n`).join("");
}
