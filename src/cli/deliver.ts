import type { Answer } from "./answer.ts";
import { checkTarget, writePage } from "./artefact.ts";
import type { Flags } from "./context.ts";
import { UsageError } from "./exit.ts";
import { print } from "./print.ts";

/**
 * Looks at where `--output` points before anything is contacted. Throws a `UsageError` where nothing can be written there, and
 * for a command that has no answer to write: it prints on its `own`.
 */
export function checkOutput(flags: Flags, command: { readonly name: string; readonly own: boolean }): void {
  if (flags.output === undefined) return;
  if (command.own) throw new UsageError(`--output has no effect on ${command.name}: it prints while it works`);
  checkTarget(flags.output, { flag: "--output", file: flags.file });
}

/** Writes an answer to stdout, or into the file that `--output` names. */
export async function deliver({ text, exact }: Answer, { output }: Flags): Promise<void> {
  if (output === undefined) return print(exact ? text : text.trimEnd(), exact);
  writePage(output, text.endsWith("\n") ? text : `${text}\n`, "--output");
}
