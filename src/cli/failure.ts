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
import { diskTrouble } from "./disk.ts";
import { BadFile, Explained, UsageError } from "./exit.ts";
import { print, tell } from "./print.ts";

interface Command {
  readonly name: string;
  readonly flags: Flags;
}

/** Every way a command can fail, as words on stderr and the exit code of the contract. No foreign error is printed. */
export async function tellFailure(error: unknown, command: Command): Promise<number> {
  if (error instanceof UsageError) {
    tell(`${error.message}\n`);
    return codes.usage;
  }
  if (error instanceof BadFile) {
    const [first] = error.findings;
    if (command.name === "credentials" && first) return tellFinding(first, command, codes.badFile);
    if (command.flags.json) await printJson(error.findings, command, codes.badFile);
    else tell(`${placedText(error.findings, paperFor(process.stderr, command.flags))}\n`);
    return codes.badFile;
  }
  if (error instanceof CloudError) return tellFinding(troubleOf(error, {}), command);
  if (error instanceof Explained) return tellFinding(error.finding, command);
  const trouble = diskTrouble(error);
  if (trouble !== undefined) {
    tell(`${shownValue(trouble)}\n`);
    return codes.untold;
  }
  // A bug of ours: where it happened, and nothing of what it carried.
  const where = error instanceof Error ? (error.stack?.split("\n").slice(1, 4).join("\n") ?? "") : "";
  const says = error instanceof Error ? `${error.name}: ${messageOf(error)}` : "an unknown error";
  tell(`crosstrust failed, and that is its own fault: ${says}\n${where}\n`);
  return codes.failed;
}

async function tellFinding(
  finding: Finding,
  command: Command,
  exit = exitOf({ findings: [finding] }),
): Promise<number> {
  if (command.name === "credentials") {
    // The aws CLI and the SDKs show this to their user word for word: one line, and all of it ours.
    const [fix] = finding.fix;
    const { place } = finding.at;
    const where = place ? `${place.file}:${place.line}:${place.column} ` : "";
    tell(
      `${shownValue(`crosstrust credentials: ${where}${finding.says}${fix ? `   fix: ${pasteable(fix, paperFor(process.stderr, command.flags))}` : ""}`)}\n`,
    );
  } else if (command.flags.json) await printJson([finding], command, exit);
  else tell(`${findingText(finding, paperFor(process.stderr, command.flags))}\n`);
  return exit;
}

async function printJson(findings: readonly Finding[], { name, flags }: Command, exit: number): Promise<void> {
  const world = flags.sandbox || process.env.CROSSTRUST_SANDBOX ? "sandbox" : "cloud";
  await print(document({ tool: version, world, command: name, exit }, { findings: findings.map(findingBody) }));
}

/** Errors thrown by our own code say something; those of libraries may carry what they were given. */
const messageOf = (error: Error): string => {
  // A SyntaxError quotes what it could not parse.
  const own = error.stack?.split("\n")[1]?.includes("node_modules") !== true && !(error instanceof SyntaxError);
  return own ? error.message.slice(0, 300) : "(a library's error, not shown)";
};
