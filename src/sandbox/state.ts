import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Json } from "../model.ts";
import { FolderError } from "./owner.ts";

/** What exists, by key such as `aws.role/111122223333/reports-reader`, as somebody sees it at some moment. */
export interface View {
  get<T>(key: string): T | undefined;
  /** Entries below a prefix, in the order they were made. */
  list<T>(prefix: string): readonly (readonly [key: string, value: T])[];
}

/** The latest state, and how it is changed. */
export interface Store extends View {
  put(key: string, value: unknown): void;
  delete(key: string): void;
  /** 1, 2, 3 ... for each name, so that ids can be reproduced. */
  next(name: string): number;
}

interface Version {
  /** Epoch milliseconds of this machine, not of the sandbox's clock: a view looks back in real time. */
  readonly at: number;
  /** Undefined once deleted. */
  readonly value: Json | undefined;
}

/** How far back a view can look: longer than any propagation that is played. */
const memory = 10 * 60_000;

/**
 * The sandbox's state: a map that remembers recent versions, so that propagation and stale reads can be
 * played, and that is written through to a log before the call that changed it is answered.
 */
export class State implements Store {
  private readonly versions = new Map<string, Version[]>();
  private readonly file: string | undefined;

  constructor(file?: string) {
    this.file = file;
    if (!file) return;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (existsSync(file)) this.load(readFileSync(file, "utf8"));
    this.compact(file);
  }

  get<T>(key: string): T | undefined {
    return this.at(Number.POSITIVE_INFINITY).get<T>(key);
  }

  list<T>(prefix: string): readonly (readonly [string, T])[] {
    return this.at(Number.POSITIVE_INFINITY).list<T>(prefix);
  }

  /** As it was at a moment (epoch milliseconds of this machine). Values are copies. */
  at(moment: number): View {
    const read = (versions: readonly Version[]) => versions.findLast((version) => version.at <= moment)?.value;
    return {
      get: <T>(key: string) => structuredClone(read(this.versions.get(key) ?? [])) as T | undefined,
      list: <T>(prefix: string) =>
        [...this.versions]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, versions]) => [key, structuredClone(read(versions)) as T] as const)
          .filter(([, value]) => value !== undefined),
    };
  }

  put(key: string, value: unknown): void {
    this.set(key, structuredClone(value) as Json);
  }

  delete(key: string): void {
    this.set(key, undefined);
  }

  next(name: string): number {
    const count = (this.get<number>(`counter/${name}`) ?? 0) + 1;
    this.put(`counter/${name}`, count);
    return count;
  }

  /** Forgets the past as well: no stale read brings anything back. */
  clear(): void {
    this.versions.clear();
    if (this.file) this.compact(this.file);
  }

  private set(key: string, value: Json | undefined): void {
    const now = Date.now();
    const known = this.versions.get(key) ?? [];
    // The one in force when the memory begins counts too: a view may look back that far.
    const first = Math.max(
      known.findLastIndex((version) => version.at <= now - memory),
      0,
    );
    this.versions.set(key, [...known.slice(first), { at: now, value }]);
    if (this.file) appendFileSync(this.file, `${JSON.stringify([key, value ?? null])}\n`, { mode: 0o600 });
  }

  /** A later line of a key wins. What was loaded is as old as can be, so it has propagated. */
  private load(text: string): void {
    const lines = text.split("\n");
    for (const [at, line] of lines.entries()) {
      const entry = parseLine(line);
      if (entry) this.versions.set(entry[0], entry[1] === null ? [] : [{ at: 0, value: entry[1] }]);
      // The last line may be half written: whoever wrote it was killed before the call was answered. Any other one that
      // cannot be read would make a cloud look emptier than it is.
      else if (line !== "" && !(at === lines.length - 1 && line.startsWith("[")))
        throw new FolderError(`line ${at + 1} of state.jsonl cannot be read`);
    }
  }

  /** At each start, so that the log does not grow for ever; by renaming, so that it is never half written. */
  private compact(file: string): void {
    const lines = this.list<Json>("").map((entry) => `${JSON.stringify(entry)}\n`);
    writeFileSync(`${file}.new`, lines.join(""), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}

function parseLine(line: string): readonly [string, Json] | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const [key, kept] = Array.isArray(value) ? (value as readonly Json[]) : [];
    return typeof key === "string" && kept !== undefined ? [key, kept] : undefined;
  } catch {
    return undefined;
  }
}
