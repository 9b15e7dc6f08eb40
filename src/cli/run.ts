import { CloudError } from "../run/retry.ts";
import { troubleOf } from "../run/trouble.ts";
import { findingText, placedText } from "../say/findings.ts";
import { document, findingBody } from "../say/json.ts";
import { version } from "../version.ts";
import { type Context, type Flags, openContext, paperFor } from "./context.ts";
import { BadFile, codes, Explained, exitOf, UsageError } from "./exit.ts";

/** What a command answers: its exit code, and what goes to stdout. */
export interface Answer {
  readonly exit: number;
  readonly text: string;
}

export type Command<A> = (context: Context, ask: A) => Promise<Answer>;

export interface Run<A> {
  readonly name: string;
  readonly flags: Flags;
  readonly command: Command<A>;
  readonly ask: A;
}

/**
 * Runs one command with a world around it: stdout is the answer, stderr is progress, and every error ends in the exit
 * code of the contract. No foreign error is printed, because those hold tokens.
 */
export async function run<A>({ name, flags, command, ask }: Run<A>): Promise<number> {
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(codes.interrupted);
    stop.abort();
    process.stderr.write(
      "interrupted: what has begun is finished; again to end now. Running the command again goes on.\n",
    );
  };
  process.on("SIGINT", interrupt);
  let context: Context | undefined;
  try {
    context = await openContext(flags, stop.signal);
    const { exit, text } = await command(context, ask);
    await print(text);
    return stop.signal.aborted ? codes.interrupted : exit;
  } catch (error) {
    return await explainFailure(error, { name, flags });
  } finally {
    await context?.close();
    process.off("SIGINT", interrupt);
  }
}

export async function explainFailure(error: unknown, { name, flags }: { name: string; flags: Flags }): Promise<number> {
  const paper = paperFor(process.stderr);
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`);
    return codes.usage;
  }
  if (error instanceof BadFile) {
    if (flags.json) {
      const envelope = {
        tool: version,
        world: flags.sandbox ? "sandbox" : "cloud",
        command: name,
        exit: codes.badFile,
      } as const;
      await print(document(envelope, { findings: error.findings.map(findingBody) }));
    } else process.stderr.write(`${placedText(error.findings, paper)}\n`);
    return codes.badFile;
  }
  if (error instanceof CloudError || error instanceof Explained) {
    const finding = error instanceof Explained ? error.finding : troubleOf(error, {});
    process.stderr.write(`${findingText(finding, paper)}\n`);
    return exitOf({ findings: [finding] });
  }
  // A bug of ours: where it happened, and nothing of what it carried.
  const where = error instanceof Error ? (error.stack?.split("\n").slice(1, 4).join("\n") ?? "") : "";
  const says = error instanceof Error ? `${error.name}: ${redactForeign(error)}` : "an unknown error";
  process.stderr.write(`crosstrust failed, and that is its own fault: ${says}\n${where}\n`);
  return codes.failed;
}

/** Errors thrown by our own code say something; those of libraries may carry what they were given. */
const redactForeign = (error: Error): string => {
  const own = error.stack?.split("\n")[1]?.includes("node_modules") !== true;
  return own ? error.message.slice(0, 300) : "(a library's error, not shown)";
};

/** The whole answer in one write; a reader that went away (`| head`) ends it quietly. */
async function print(text: string): Promise<void> {
  if (!text) return;
  const ending = text.endsWith("\n") ? text : `${text}\n`;
  await new Promise<void>((resolve) => {
    process.stdout.once("error", () => resolve());
    process.stdout.write(ending, () => resolve());
  });
}
