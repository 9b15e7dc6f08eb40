import type { Finding } from "../model.ts";
import { CloudError } from "../run/retry.ts";
import { troubleOf } from "../run/trouble.ts";
import { findingText, placedText } from "../say/findings.ts";
import { document, findingBody } from "../say/json.ts";
import { pasteable } from "../say/paper.ts";
import { shownValue } from "../say/visible.ts";
import { codes, exitOf } from "../verdict/exit.ts";
import { version } from "../version.ts";
import { type Flags, paperFor } from "./context.ts";
import { deliver } from "./deliver.ts";
import { diskTrouble } from "./disk.ts";
import { BadFile, Explained, UsageError } from "./exit.ts";
import { listedAs } from "./listed.ts";
import { tell } from "./print.ts";

interface Command {
  readonly name: string;
  readonly flags: Flags;
}

/** What is said of a failure: JSON goes to stdout like any answer, words to stderr. */
export interface Failure {
  readonly exit: number;
  readonly text: string;
  readonly to: "stdout" | "stderr";
}

/** Says every way a command can fail, as words on stderr or as JSON, and returns the exit code of the contract. */
export async function tellFailure(error: unknown, command: Command): Promise<number> {
  const { exit, text, to } = failureOf(error, command);
  if (to === "stdout") await deliver({ exit, text }, command.flags);
  else tell(`${text}\n`);
  return exit;
}

/** Returns what a failure is in words and in the exit codes of the contract. No foreign error is among the words. */
export function failureOf(error: unknown, command: Command): Failure {
  const words = (exit: number, text: string): Failure => ({ exit, text, to: "stderr" });
  if (error instanceof UsageError) return words(codes.usage, error.message);
  if (error instanceof BadFile) {
    const [first] = error.findings;
    if (command.name === "credentials" && first) return ofFinding(first, command, codes.badFile);
    if (command.flags.json) return inJson(error.findings, command, codes.badFile);
    const listed = listedAs(command.flags, error.findings);
    if (listed !== undefined) return { exit: codes.badFile, text: listed, to: "stdout" };
    return words(codes.badFile, placedText(error.findings, paperFor(process.stderr, command.flags)));
  }
  if (error instanceof CloudError) return ofFinding(troubleOf(error, {}), command);
  if (error instanceof Explained) return ofFinding(error.finding, command);
  const trouble = diskTrouble(error);
  if (trouble !== undefined) return words(codes.untold, shownValue(trouble));
  // A bug of ours: where it happened, and nothing of what it carried.
  const where = error instanceof Error ? (error.stack?.split("\n").slice(1, 4).join("\n") ?? "") : "";
  const says = error instanceof Error ? `${error.name}: ${messageOf(error)}` : "an unknown error";
  return words(codes.failed, `crosstrust failed, and that is its own fault: ${says}\n${where}`);
}

function ofFinding(finding: Finding, command: Command, exit = exitOf({ findings: [finding] })): Failure {
  if (command.name === "credentials") {
    // The aws CLI and the SDKs show this to their user word for word: one line, and all of it ours.
    const [fix] = finding.fix;
    const { place } = finding.at;
    const where = place ? `${place.file}:${place.line}:${place.column} ` : "";
    const said = `crosstrust credentials: ${where}${finding.says}`;
    const text = shownValue(
      `${said}${fix ? `   fix: ${pasteable(fix, paperFor(process.stderr, command.flags))}` : ""}`,
    );
    return { exit, text, to: "stderr" };
  }
  if (command.flags.json) return inJson([finding], command, exit);
  return { exit, text: findingText(finding, paperFor(process.stderr, command.flags)), to: "stderr" };
}

function inJson(findings: readonly Finding[], { name, flags }: Command, exit: number): Failure {
  const world = flags.sandbox || process.env.CROSSTRUST_SANDBOX ? "sandbox" : "cloud";
  const said = { tool: version, world, command: name, exit } as const;
  return { exit, text: document(said, { findings: findings.map(findingBody) }), to: "stdout" };
}

/** Errors thrown by our own code say something; those of libraries may carry what they were given. */
const messageOf = (error: Error): string => {
  // A SyntaxError quotes what it could not parse.
  const own = error.stack?.split("\n")[1]?.includes("node_modules") !== true && !(error instanceof SyntaxError);
  return own ? error.message.slice(0, 300) : "(a library's error, not shown)";
};
