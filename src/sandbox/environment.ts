import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "./fake.ts";

/** Environment variables for a program that is to see the sandbox and nothing else. */
export interface Surroundings {
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
}

/**
 * The variables that lead the vendors' programs, and our own, to a sandbox. Writes the files that some of
 * them name into `folder`, for its owner alone: tokens stand in them.
 */
export function surroundings(url: string, parts: readonly Environment[], folder: string): Surroundings {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = parts.flatMap((part) =>
    Object.entries(part.files).map(([name, content]) => {
      const file = join(folder, name.toLowerCase());
      writeFileSync(file, content, { mode: 0o600 });
      return [name, file] as const;
    }),
  );
  const folders = parts.flatMap((part) =>
    part.folders.map((name) => [name, join(folder, name.toLowerCase())] as const),
  );
  // The metadata host names are reached through plain HTTP proxying; everything at 127.0.0.1 is reached
  // directly.
  const direct = "127.0.0.1,localhost";
  const proxy = { http_proxy: url, HTTP_PROXY: url, no_proxy: direct, NO_PROXY: direct };
  const variables = Object.assign({}, ...parts.map((part) => part.variables)) as Record<string, string>;
  return {
    set: { CROSSTRUST_SANDBOX: url, ...proxy, ...variables, ...Object.fromEntries([...files, ...folders]) },
    unset: parts.flatMap((part) => part.unset),
  };
}

/** Lines for a POSIX shell, quoted so that no value can end its own quotes. */
export const exportLines = ({ set, unset }: Surroundings): string =>
  [
    ...unset.map((name) => `unset ${name}`),
    ...Object.entries(set).map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`),
  ].join("\n");
