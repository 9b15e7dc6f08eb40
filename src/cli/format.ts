import { UsageError } from "./exit.ts";

/** What an answer is written as (contract, section 9). */
export const formats = ["text", "json", "markdown", "sarif", "junit"] as const;

/** One of them. */
export type Format = (typeof formats)[number];

/** What was typed about the format of the answer. */
export interface FormatFlags {
  readonly format?: string;
  readonly json?: boolean;
}

/**
 * Returns the format of an answer; `--json` is `--format json`. Throws a `UsageError` where the format does not exist, where
 * two are asked for, and where the command does not have it.
 */
export function formatOf(
  { format, json }: FormatFlags,
  command: { readonly name: string; readonly formats: readonly Format[] },
): { readonly format: Format; readonly json: boolean } {
  if (json && format !== undefined && format !== "json")
    throw new UsageError(`--json and --format ${format} are two formats for one answer: choose one`);
  const asked = json ? "json" : (format ?? "text");
  const known = formats.find((one) => one === asked);
  if (known === undefined) throw new UsageError(`--format takes ${formats.join(", ")}; not ${asked}`);
  if (!command.formats.includes(known))
    throw new UsageError(`crosstrust ${command.name} answers as ${command.formats.join(", ")}; not as ${asked}`);
  return { format: known, json: known === "json" };
}
