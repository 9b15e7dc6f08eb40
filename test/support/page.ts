import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { run } from "./cli.ts";

// Pages as sessions: what a page shows after `$ ` is typed, in order, into one folder, and must answer what it shows.

const root = join(import.meta.dirname, "..", "..");

export interface Block {
  readonly kind: string;
  readonly text: string;
  readonly line: number;
}

/** The fenced blocks of a page. */
export function blocksOf(page: string): readonly Block[] {
  const found: Block[] = [];
  const lines = page.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const kind = /^```(\w+)$/.exec(lines[at] ?? "")?.[1];
    if (kind === undefined) continue;
    const end = lines.indexOf("```", at + 1);
    found.push({ kind, text: lines.slice(at + 1, end).join("\n"), line: at + 1 });
    at = end;
  }
  return found;
}

export interface Step {
  readonly command: string;
  readonly shown: string;
}

/** The commands of a console block, each with what the page shows below it. */
export function stepsOf(block: string): readonly Step[] {
  const steps: { command: string; shown: string[] }[] = [];
  for (const line of block.split("\n")) {
    const last = steps.at(-1);
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), shown: [] });
    else if (last && last.shown.length === 0 && line.startsWith("> ")) last.command += `\n${line.slice(2)}`;
    else last?.shown.push(line);
  }
  return steps.map(({ command, shown }) => ({ command, shown: shown.join("\n").trim() }));
}

/** A folder as a fresh clone would be, whose `.crosstrust` is its own; it goes away with its test. */
export function clone(): string {
  const folder = mkdtempSync(join(tmpdir(), "crosstrust-docs-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of readdirSync(root)) {
    if (name === "examples") cpSync(join(root, name), join(folder, name), { recursive: true });
    else if (!name.startsWith(".") && name !== "dist") symlinkSync(join(root, name), join(folder, name));
  }
  rmSync(join(folder, "examples", ".crosstrust"), { recursive: true, force: true });
  mkdirSync(join(folder, "bin-here"));
  writeFileSync(
    join(folder, "bin-here", "crosstrust"),
    `#!/bin/sh\nexec "${process.execPath}" "${join(root, "bin", "crosstrust.js")}" "$@"\n`,
    { mode: 0o755 },
  );
  return folder;
}

/** Types a page's commands one after the other; `$?` is the exit code of the one before. */
export class Session {
  private readonly folder: string;
  private code = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  async run(command: string): Promise<string> {
    const { CROSSTRUST_SANDBOX: _, ...inherited } = process.env;
    const env = {
      ...inherited,
      PATH: `${join(this.folder, "bin-here")}:${process.env.PATH}`,
      HOME: this.folder,
      NO_COLOR: "1",
      npm_config_loglevel: "error",
      npm_config_update_notifier: "false",
    };
    const script = `exec 2>&1\n(exit ${this.code})\n${command}`;
    const done = await run("bash", ["-c", script], { cwd: this.folder, env });
    this.code = done.exit ?? 1;
    return done.out.replaceAll("\r", "").replaceAll(this.folder, "~").trim();
  }
}

/** What differs from run to run: milliseconds, seconds, times of day, ports, versions of other people's programs. */
export const masked = (text: string): string =>
  text
    .replace(/\b(mint|exchange|whoami|refused|LET IN)( +)\d+/g, "$1 N")
    .replace(/\b\d+ ms\b/g, "N ms")
    .replace(/\b\d+\.\d s\b/g, "N s")
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( UTC|Z)/g, "TIME")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replace(/(tool (?:gcloud|aws)) .*/g, "$1 VERSION")
    .replace(/[ \t]+$/gm, "");

/** Whether what came is what the page shows; a line of dots stands for any number of lines. */
export function agrees(shown: string, came: string): boolean {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const parts = masked(shown).split(/^\.\.\.$/m);
  return new RegExp(`^${parts.map(literal).join("[\\s\\S]*")}$`).test(masked(came));
}
