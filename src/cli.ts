import { setFlagsFromString } from "node:v8";
import { CommanderError, InvalidArgumentError, Command as Program } from "commander";
import type { Flags } from "./cli/context.ts";
import { UsageError } from "./cli/exit.ts";
import type { Answer, Command } from "./cli/run.ts";
import { codes } from "./verdict/exit.ts";
import { version } from "./version.ts";

// Thousands of links make much short-lived garbage: a young generation that grows with it is a third of the memory of a
// whole health check, and buys little time (measured by `npm run bench`).
setFlagsFromString("--semi-space-growth-factor=1");

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

/** A flag that may be given several times. */
function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/**
 * Wires a subcommand: its words and flags in, an exit code out. Its code is loaded when it is asked for, so that no command
 * pays for another.
 */
function does<A>(
  command: Program,
  load: () => Promise<Command<A>>,
  ask: (words: readonly unknown[], flags: Record<string, unknown>) => A,
): void {
  command.exitOverride().action(async (...given: unknown[]) => {
    const words = given.slice(0, -2);
    const flags = command.optsWithGlobals() as Record<string, unknown> & Flags;
    const name = command.name();
    process.exitCode = await guarded(name, flags, async () => {
      const [{ run }, body] = await Promise.all([import("./cli/run.ts"), load()]);
      return run({ name, flags, command: body, ask: ask(words, flags) });
    });
  });
}

/** `plan` takes the same ones as `apply`, so that its fingerprint covers them (contract, section 2). */
function withConsents(command: Program): Program {
  return command
    .option("--adopt <link>", "take over what exists and is not ours", collect)
    .option("--adopt-forget <link>", "take it over although a part of what it was cannot be kept", collect)
    .option("--replace <address>", "delete this thing and make it anew", collect)
    .option("--prune <number>", "delete what no link names any more: the number that the plan shows")
    .option("--allow-widen <link>", "let the trust of a role that exists admit more", collect)
    .option("--allow-broad-subject <link>", "let a pattern of subjects in", collect)
    .option("--allow-privileged <link>", "grant what amounts to administrator", collect)
    .option("--undelete", "bring soft-deleted pools back")
    .option("--grant-me", "let me mint for the time of the proof");
}

does(
  withConsents(program.command("plan [links...]").description("what would change, drift apart from edits")).option(
    "--all",
    "with the hints that every run gives",
  ),
  async () => (await import("./cli/commands/plan.ts")).plan,
  ([links], flags) => ({ ...flags, links: links as string[] }),
);
does(
  withConsents(program.command("apply [words...]").description("make it so, wait until it is visible, prove it")),
  async () => (await import("./cli/commands/apply.ts")).apply,
  ([words], flags) => ({ ...flags, words: words as string[] }),
);
does(
  program
    .command("health [links...]")
    .description("prove every link and report drift")
    .option("--html <file>", "write the report as a page, too")
    .option("--metrics", "OpenMetrics on stdout instead of the text")
    .option("--all", "with the hints that every run gives"),
  async () => (await import("./cli/commands/health.ts")).health,
  ([links], { html, metrics, all }) => ({
    links: links as string[],
    metrics: metrics === true,
    all: all === true,
    ...(html === undefined ? {} : { html: String(html) }),
  }),
);
const explaining = program
  .command("explain [what]")
  .description("why a link fails, what a code or a message means, or why a token is refused")
  .option("--token <file>", "a token that is refused: judged against a trust, condition by condition")
  .option("--role <arn>", "with --token: the trust of this role, as it is now")
  .option("--trust-policy <file>", "with --token: the trust policy in a file; nothing is contacted")
  .option(
    "--pool-provider <name>",
    "with --token: this pool provider, as it is now, or as gcloud described it in a file",
  )
  .option("--error <text>", "a message that somebody was given");
does(
  explaining,
  async () => (await import("./cli/commands/explain.ts")).explainAny,
  ([what], flags) => ({ ...flags, what: what === undefined ? undefined : String(what) }),
);

does(
  program
    .command("destroy [links...]")
    .description("remove what is ours, in safe order")
    .option("--keep-service-accounts", "disable them instead")
    .option("--prune <number>", "and what no link names any more: the number that the plan shows"),
  async () => (await import("./cli/commands/destroy.ts")).destroy,
  ([links], flags) => ({
    links: links as string[],
    keepServiceAccounts: flags.keepServiceAccounts === true,
    ...(flags.prune === undefined ? {} : { prune: String(flags.prune) }),
  }),
);
does(
  program
    .command("token <link>")
    .description("mint a token and show what the other side reads in it")
    .option("--raw", "the token itself")
    .option("--audience <url>", "the Google ID token for a service, such as one on Cloud Run"),
  async () => (await import("./cli/commands/token.ts")).token,
  ([name], flags) => {
    const audience = flags.audience === undefined ? {} : { audience: String(flags.audience) };
    return { name: String(name), raw: flags.raw === true, ...audience };
  },
);
does(
  program
    .command("credentials <link>")
    .description("the aws credential_process answer")
    .option("--duration <seconds>", "900 to the role's longest session (3600)", seconds)
    .option("--install", "not built yet")
    .option("--profile <name>", "not built yet"),
  async () => (await import("./cli/commands/token.ts")).credentials,
  ([name], flags) => {
    if (flags.install ?? flags.profile) throw new UsageError("credentials --install is not built yet");
    return { name: String(name), duration: flags.duration as number | undefined };
  },
);

does(
  program
    .command("credential-config <link>")
    .description("Google's credential configuration file for the workload of a link")
    .option("--output <file>", "write it there, and say how it is used")
    .option("--imdsv2", "aws: ask the metadata server of EC2 with a session token")
    .option(
      "--lifetime <seconds>",
      "600 to 43200, of the service account's token; above 3600 the organization must allow it",
      Number,
    )
    .option("--token-file <path>", "where the workload finds its token")
    .option("--token-url <url>", "where the workload asks for its token")
    .option("--executable <command>", "what prints the workload's token as Google's clients want it")
    .option("--field <name>", "the token stands in a field of json"),
  async () => (await import("./cli/commands/credential-config.ts")).credentialConfigCommand,
  ([name], flags) => ({ ...flags, name: String(name) }),
);

/** STS takes 900 to 43200; what the role itself allows is for AWS to say (aws.md 11.2). */
function seconds(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 900 || number > 43200)
    throw new InvalidArgumentError("a session lives 900 to 43200 seconds.");
  return number;
}

/** Prints what a command answers that opens no world at all. */
async function said({ exit, text }: Answer): Promise<number> {
  const { print } = await import("./cli/print.ts");
  await print(text.trimEnd());
  return exit;
}

sandboxCommand(
  program
    .command("lint")
    .description("findings that need no cloud")
    .option("--live", "and over the trust policies as they are now")
    .option("--trust-policy <file>", "a trust policy alone, also as aws iam get-role answers it")
    .option("--severity <severity>", "security: a security finding that is not accepted ends it with 3", "error")
    .option("--allow-broad-subject <link>", "let a pattern of subjects in", collect)
    .option("--allow-privileged <link>", "grant what amounts to administrator", collect),
  async (flags, _, own) => {
    const { trustPolicy } = own;
    if (typeof trustPolicy === "string") {
      const { lintTrustPolicy } = await import("./cli/commands/lint-trust.ts");
      return said(lintTrustPolicy(flags, { ...own, trustPolicy }));
    }
    const { lint, lintLive } = await import("./cli/commands/lint.ts");
    if (own.live !== true) return said(lint(flags, own));
    const { run } = await import("./cli/run.ts");
    return run({ name: "lint", flags, command: lintLive, ask: own });
  },
);
sandboxCommand(
  program
    .command("init")
    .description("write a commented starter file and its schema")
    .option("--from <party>", "google, oidc or entra", "google")
    .option("--to <party>", "aws", "aws")
    .option("--learn <file>", "not built yet"),
  async (flags, _, own) => {
    if (own.learn !== undefined) throw new UsageError("init --learn is not built yet");
    const { init } = await import("./cli/commands/init.ts");
    return said(init(flags, { from: String(own.from), to: String(own.to) }));
  },
);

/** The sandbox's own commands need no world: they are about the sandbox itself. */
function sandboxCommand(
  command: Program,
  body: (flags: Flags, words: readonly string[], own: Record<string, unknown>) => Promise<number>,
): void {
  command.exitOverride().action(async (...given: unknown[]) => {
    const flags = command.optsWithGlobals() as Record<string, unknown> & Flags;
    const words = given.slice(0, -2).flat().map(String);
    process.exitCode = await guarded(command.name(), flags, () => body(flags, words, flags));
  });
}

/** Whatever happens while flags are read, too, ends in an exit code of the contract. */
async function guarded(name: string, flags: Flags, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const { tellFailure } = await import("./cli/failure.ts");
    return tellFailure(error, { name, flags });
  }
}

sandboxCommand(
  withConsents(program.command("onboard").description("preflight, lint, plan, apply, first health check, next steps"))
    .option("--control", "instead: the roles that the deployed functions act by, and the boundary of all others")
    .option(
      "--deploy",
      "and into a project: functions, workflows, schedule, alerts; ends with a check that the schedule began",
    )
    .option("--project <project>", "with --deploy: where it goes, for a file that does not say")
    .option("--checker <email>", "the service account of the health function, where the file names none")
    .option("--provisioner <email>", "the service account of the provision function")
    .option("--destroy", "with --control: take the control plane away again"),
  async (flags, _, own) => (await import("../scripts/onboard.ts")).onboard(flags, own),
);

/** What drives gcloud; each looks at everything before it writes. */
const deploying = (command: Program): Program =>
  command
    .option("--dry-run", "print the commands, and run none of them that writes")
    .option("--project <project>", "where it goes, for a file that names no control plane and several projects");
sandboxCommand(
  deploying(program.command("deploy").description("functions, workflows, schedule and alerts into a project")).option(
    "--notify <channel>",
    "a notification channel of Cloud Monitoring for its alert policies",
    collect,
  ),
  async (flags, _, own) => (await import("../scripts/deploy.ts")).deploy(flags, own),
);
sandboxCommand(
  deploying(program.command("offboard").description("takes out of the project what deploy has put there")),
  async (flags, _, own) => (await import("../scripts/offboard.ts")).offboard(flags, own),
);

/** Commands of the contract that later versions have: they say so instead of pretending. */
for (const name of ["serve", "exec"]) {
  sandboxCommand(program.command(`${name} [words...]`, { hidden: true }).allowUnknownOption(), async () => {
    throw new UsageError(`${name} is not built yet`);
  });
}

const sandbox = program
  .command("sandbox")
  .description("runs the sandbox in the foreground, for other programs")
  .option("--port <port>", "where it listens on 127.0.0.1 (4510)")
  .option("--as <email>", "the service account its metadata server speaks as")
  .option("--host-map <host=127.0.0.1:port>", "a TLS server of yours stands in for a host", collect)
  .option("--ca <file>", "certificates, PEM, that count as public CAs there", collect);
sandboxCommand(sandbox, async (flags, _, own) => (await import("./cli/commands/sandbox.ts")).serve(flags, own));
sandboxCommand(sandbox.command("env").description("prints export lines for aws, gcloud and the SDKs"), async (flags) =>
  (await import("./cli/commands/sandbox.ts")).env(flags),
);
sandboxCommand(
  sandbox
    .command("exec <command...>")
    .description("runs a program with them: exec -- aws sts get-caller-identity")
    .option("--as <link>", "on a machine that runs as the workload of this link to google"),
  async (flags, words, own) =>
    (await import("./cli/commands/sandbox.ts")).exec(flags, words, own.as === undefined ? undefined : String(own.as)),
);
sandboxCommand(sandbox.command("reset").description("empties the sandbox of this folder"), async (flags) =>
  (await import("./cli/commands/sandbox.ts")).reset(flags),
);
sandboxCommand(sandbox.command("status").description("whether one runs here, and what is in it"), async (flags) =>
  (await import("./cli/commands/sandbox.ts")).status(flags),
);

// A wrong command line: commander has said what, and the contract has one code for it.
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : codes.usage;
}
