import type { Answer } from "./answer.ts";
import { checkTarget, writePage } from "./artefact.ts";
import type { Flags } from "./context.ts";
import { print } from "./print.ts";

/** Looks at where `--output` points before anything is contacted. Throws a `UsageError` where nothing can be written there. */
export function checkOutput(flags: Flags): void {
  if (flags.output !== undefined) checkTarget(flags.output, { flag: "--output", file: flags.file });
}

/** Writes an answer to stdout, or into the file that `--output` names. */
export async function deliver({ text, exact }: Answer, { output }: Flags): Promise<void> {
  if (output === undefined) return print(exact ? text : text.trimEnd(), exact);
  writePage(output, text.endsWith("\n") ? text : `${text}\n`, "--output");
}
