import { createInterface } from "node:readline/promises";
import { UsageError } from "./exit.ts";

/** One yes or no on the terminal; without one the command ends with what to type instead, and never hangs. */
export async function ask(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError("there is no terminal to ask on: pass --yes, or the plan's fingerprint");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
