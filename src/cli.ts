import { Command as Program, CommanderError } from "commander";
import { apply } from "./cli/commands/apply.ts";
import { explain, health } from "./cli/commands/health.ts";
import { plan } from "./cli/commands/plan.ts";
import type { Flags } from "./cli/context.ts";
import { codes } from "./cli/exit.ts";
import { type Command, run } from "./cli/run.ts";
import { version } from "./version.ts";

const program = new Program("crosstrust");

program
  .description("Keyless access from one cloud to another: one file, one command, and a check that proves every link.")
  .version(version)
  .option("--file <path>", "the federation file", "federation.yaml")
  .option("--sandbox", "the embedded sandbox: nothing leaves this machine")
  .option("--json", "one JSON document on stdout")
  .option("--yes", "ask nothing; never stands in for a consent")
  .option("--quiet", "no progress on stderr")
  .option("--endpoint <service=url>", "moves a service, such as aws.iam=http://127.0.0.1:4510", collect)
  .option("--max-links <number>", "read files with more than 1000 links")
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Wires a subcommand: its words and flags in, an exit code out. */
function does<A>(command: Program, body: Command<A>, ask: (words: readonly unknown[], flags: Record<string, unknown>) => A): void {
  command.exitOverride().action(async (...given: unknown[]) => {
    const words = given.slice(0, -2);
    const flags = command.optsWithGlobals() as Record<string, unknown> & Flags;
    process.exitCode = await run({ name: command.name(), flags, command: body, ask: ask(words, flags) });
  });
}

function withConsents(command: Program): Program {
  return command
    .option("--adopt <link>", "take over what exists and is not ours", collect)
    .option("--allow-widen <link>", "let the trust of a role that exists admit more", collect)
    .option("--allow-broad-subject <link>", "let a pattern of subjects in", collect)
    .option("--allow-privileged <link>", "grant what amounts to administrator", collect)
    .option("--undelete", "bring soft-deleted pools back")
    .option("--grant-me", "let me mint for the time of the proof");
}

does(withConsents(program.command("plan [links...]").description("what would change, drift apart from edits")), plan, ([links], flags) => ({ ...flags, links: links as string[] }));
does(withConsents(program.command("apply [words...]").description("make it so, wait until it is visible, prove it")), apply, ([words], flags) => ({ ...flags, words: words as string[] }));
does(program.command("health [links...]").description("prove every link and report drift"), health, ([links]) => ({ links: links as string[] }));
does(program.command("explain <what>").description("why a link fails, or what a code means"), explain, ([what]) => ({ what: String(what) }));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : codes.usage;
}
