import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { isMap } from "../../judge/aws/policy.ts";
import { readText } from "../context.ts";
import { UsageError } from "../exit.ts";

/** A text that somebody gave, and how a message names it. */
export interface Given {
  readonly text: string;
  readonly name: string;
}

/** More than any policy, claims or description has. */
const mostBytes = 1024 * 1024;

/** Reads a file, or standard input for `-`. Throws a `UsageError` that says why it is no input. */
export function given(path: string): Given {
  if (path !== "-") return { text: readText(path), name: path };
  if (process.stdin.isTTY)
    throw new UsageError("- reads standard input, and this one is a terminal: pipe the text in, or name a file");
  const bytes = readFileSync(0);
  if (bytes.length > mostBytes)
    throw new UsageError(`standard input has ${bytes.length} bytes, at most ${mostBytes} are read`);
  return { text: bytes.toString("utf8"), name: "standard input" };
}

/** Two files that are both standard input would share one text, of which the second gets nothing. */
export function checkStdin(paths: readonly (string | undefined)[]): void {
  if (paths.filter((path) => path === "-").length > 1)
    throw new UsageError("standard input holds one text: name a file for the other one");
}

/**
 * The value of a JSON text, else of a YAML text that holds a map or a list, as the clients of the clouds print both. Undefined
 * for any other text: nearly every text is YAML for a scalar.
 */
export function structureIn(text: string): unknown {
  const plain = text.replace(/^\ufeff/, "").trim();
  try {
    return JSON.parse(plain);
  } catch {
    return yamlOf(plain);
  }
}

/** Without aliases, which can stand for more than fits into memory. */
function yamlOf(text: string): unknown {
  if (text.length > mostBytes || !/^(?:-|[\w'".]+:)/m.test(text)) return undefined;
  try {
    const value: unknown = parse(text, { maxAliasCount: 0, logLevel: "silent", schema: "core" });
    return isMap(value) || Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
