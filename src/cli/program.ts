import { InvalidArgumentError, Option, Command as Program } from "commander";
import { codes } from "../verdict/exit.ts";
import { version } from "../version.ts";
import type { Answer } from "./answer.ts";
import type { Flags } from "./context.ts";
import { type Format, formatOf } from "./format.ts";
import { helpOf } from "./help.ts";
import type { Command } from "./run.ts";

/**
 * Returns the command line: every command with its words and options, in the order in which people need them. What a command
 * does is loaded when it is asked for, so that no command pays for another.
 */
export function commandLine(): Program {
  const program = new Program("crosstrust");
  program
    .description("Keyless access from one cloud to another: one file, one command, and a check that proves every link.")
    .version(version)
    .option(
      "-f, --file <path>",
      "the federation file (federation.yaml, or what CROSSTRUST_FILE names)",
      single("--file"),
    )
    .option("--sandbox", "the embedded sandbox: nothing leaves this machine")
    .option("--format <format>", "text, or where the command has it: json, markdown, sarif, junit", single("--format"))
    .option("--json", "the same as --format json: one document on stdout")
    .option("--output <file>", "write the answer into a file instead of stdout", single("--output"))
    .option("--yes", "ask nothing; never stands in for a consent")
    .option("--quiet", "no progress on stderr")
    .option("--verbose", "a line on stderr for each remote call; CROSSTRUST_LOG=debug does the same")
    .addOption(new Option("--color <when>", "colours on stdout").choices(["auto", "always", "never"]))
    .option("--endpoint <service=url>", "moves a service, such as aws.iam=http://127.0.0.1:4510", collect)
    .option("--max-links <number>", "read files with more than 1000 links")
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true });
  for (const add of [starting, working, looking, tokens, installing, sandboxes, about]) add(program);
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
    command.addHelpText("after", helpOf(nameOf(command)));
  return program;
}

/** `crosstrust` for the program itself, `sandbox env` for a command below another. */
export function nameOf(command: Program): string {
  const { parent } = command;
  return parent?.parent ? `${parent.name()} ${command.name()}` : command.name();
}

/** A flag that may be given several times. */
function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** A flag that is given once: of two, one would be ignored without a word. */
const single =
  (flag: string) =>
  (value: string, before: string | undefined): string => {
    if (before !== undefined) throw new InvalidArgumentError(`${flag} is given once; it was ${before} already.`);
    return value;
  };

/** What a command gets: its words, its own flags and the global ones. */
type Given = Readonly<Record<string, unknown>> & Flags;

/** Formats that a command honours; it refuses the others. */
const plain: readonly Format[] = ["text", "json"];

/** Wires a subcommand that works in a world: its words and flags in, an exit code out. */
function does<A>(
  command: Program,
  load: () => Promise<Command<A>>,
  ask: (words: readonly unknown[], flags: Given) => A,
  formats: readonly Format[] = plain,
): void {
  wired(command, formats, async (flags, words) => {
    const [{ run }, body] = await Promise.all([import("./run.ts"), load()]);
    return run({ name: command.name(), flags: answeringOf(command, flags), command: body, ask: ask(words, flags) });
  });
}

/** `credential-config` writes the file that `--output` names itself, and answers with how it is used. */
function answeringOf(command: Program, flags: Given): Given {
  const { output: _output, ...others } = flags;
  return command.name() === "credential-config" ? others : flags;
}

/** A command that answers without a world, or opens one itself: gives its exit code, or what is to be printed. */
function answers(
  command: Program,
  formats: readonly Format[],
  body: (flags: Given, own: Record<string, unknown>, words: readonly string[]) => Promise<number | Answer>,
): void {
  wired(command, formats, async (flags, words) => {
    const answered = await body(flags, flags, words.flat().map(String));
    if (typeof answered === "number") return answered;
    const { deliver } = await import("./deliver.ts");
    await deliver(answered, flags);
    return answered.exit;
  });
}

/** Commands that tell what they do while they do it, or run other programs: they have no answer to write elsewhere. */
const prints = /^(onboard|deploy|offboard|sandbox(?! coverage))\b/;

/** Reads the flags, and turns whatever happens into an exit code of the contract. */
function wired(
  command: Program,
  formats: readonly Format[],
  work: (flags: Given, words: readonly unknown[]) => Promise<number>,
): void {
  command.exitOverride().action(async (...given: unknown[]) => {
    const typed = command.optsWithGlobals<Given & { file?: string; format?: string; output?: string }>();
    const name = nameOf(command);
    const file = typed.file ?? process.env.CROSSTRUST_FILE ?? "federation.yaml";
    const flags = { ...typed, file };
    process.exitCode = await guarded(name, flags, async () => {
      const format = formatOf(typed, { name, formats });
      const { checkOutput } = await import("./deliver.ts");
      checkOutput(flags, { name, own: prints.test(name) });
      return work({ ...flags, ...format }, given.slice(0, -2));
    });
  });
}

async function guarded(name: string, flags: Flags, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const { tellFailure } = await import("./failure.ts");
    return tellFailure(error, { name, flags });
  }
}

function starting(program: Program): void {
  answers(
    program
      .command("init")
      .description("write a commented starter file and its schema")
      .option("--from <party>", "who needs access: google, aws, entra (azure) or oidc", "google")
      .option("--to <party>", "who gives it: aws or google (gcp)", "aws"),
    ["text"],
    async (flags) =>
      (await import("./commands/init.ts")).init(flags, { from: String(flags.from), to: String(flags.to) }),
  );
  answers(
    program
      .command("lint")
      .description("find mistakes in the file; contacts nothing")
      .option("--live", "and in the trust policies and pool providers as they are now")
      .option("--trust-policy <file>", "instead: a trust policy alone, also as aws iam get-role answers it")
      .option("--severity <severity>", "security: a security finding that is not accepted ends it with 3", "error")
      .option("--allow-broad-subject <link>", "let a pattern of subjects in", collect)
      .option("--allow-privileged <link>", "grant what amounts to administrator", collect),
    ["text", "json", "sarif", "junit"],
    async (flags, own) => {
      const { trustPolicy } = own;
      if (typeof trustPolicy === "string") {
        return (await import("./commands/lint-trust.ts")).lintTrustPolicy(flags, { ...own, trustPolicy });
      }
      const { lint, lintLive } = await import("./commands/lint.ts");
      if (flags.live !== true) return lint(flags, own);
      const { run } = await import("./run.ts");
      return run({ name: "lint", flags, command: lintLive, ask: own });
    },
  );
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

/** Ends a command with 0 where all that is wrong is that something differs: for a shell that stops at the first failure. */
const differsIsFine = "exit 0, and not 2, where something differs and nothing else is wrong";

function working(program: Program): void {
  does(
    withConsents(program.command("plan [links...]").description("show what would change, drift apart from edits"))
      .option("--all", "with the hints that every run gives")
      .option("--exit-zero", differsIsFine),
    async () => (await import("./commands/plan.ts")).plan,
    ([links], flags) => ({ ...flags, links: links as string[] }),
    ["text", "json", "markdown"],
  );
  does(
    withConsents(program.command("apply [words...]").description("make it so, wait until it is visible, prove it")),
    async () => (await import("./commands/apply.ts")).apply,
    ([words], flags) => ({ ...flags, words: words as string[] }),
  );
  does(
    program
      .command("health [links...]")
      .description("use every link for real, and report drift and who else gets in")
      .option("--html <file>", "write the report as a page, too")
      .option("--metrics", "OpenMetrics on stdout instead of the text")
      .option("--all", "with every link on a line of its own, and the hints that every run gives")
      .option("--exit-zero", differsIsFine),
    async () => (await import("./commands/health.ts")).health,
    ([links], { html, metrics, all, exitZero }) => ({
      links: links as string[],
      metrics: metrics === true,
      all: all === true,
      exitZero: exitZero === true,
      ...(html === undefined ? {} : { html: String(html) }),
    }),
    ["text", "json", "markdown"],
  );
}

function looking(program: Program): void {
  does(
    program
      .command("explain [what]")
      .description("say why a link fails, what a code or a message means, or why a token is refused")
      .option(
        "--token <file>",
        "a token that is refused (- reads stdin): judged against a trust, condition by condition; also what aws sts get-caller-identity prints",
      )
      .option("--claims <file>", "the claims of such a token alone, as JSON (- reads stdin)")
      .option("--role <arn>", "with --token: the trust of this role, as it is now")
      .option(
        "--trust-policy <file>",
        "with --token: the trust policy in a file, or what aws iam get-role prints; nothing is contacted",
      )
      .option(
        "--pool-provider <name>",
        "with --token: this pool provider, as it is now, or as gcloud described it in a file",
      )
      .option("--service-account <email>", "with --pool-provider: whether the token may speak as this account")
      .option("--iam-policy <file>", "with --pool-provider: that account's policy, as gcloud printed it in a file")
      .option("--error <text>", "a message that somebody was given"),
    async () => (await import("./commands/explain.ts")).explainAny,
    ([what], flags) => ({ ...flags, what: what === undefined ? undefined : String(what) }),
  );
  does(
    program
      .command("destroy [links...]")
      .description("remove what is ours, in safe order; give back what was adopted")
      .option("--keep-service-accounts", "disable them instead")
      .option("--prune <number>", "and what no link names any more: the number that the plan shows"),
    async () => (await import("./commands/destroy.ts")).destroy,
    ([links], flags) => ({
      links: links as string[],
      keepServiceAccounts: flags.keepServiceAccounts === true,
      ...(flags.prune === undefined ? {} : { prune: String(flags.prune) }),
    }),
  );
}

function tokens(program: Program): void {
  does(
    program
      .command("token <link>")
      .description("mint a token and show what the other side reads in it")
      .option("--raw", "the token itself")
      .option("--audience <url>", "the Google ID token for a service, such as one on Cloud Run"),
    async () => (await import("./commands/token.ts")).token,
    ([name], flags) => {
      const audience = flags.audience === undefined ? {} : { audience: String(flags.audience) };
      return { name: String(name), raw: flags.raw === true, ...audience };
    },
  );
  does(
    program
      .command("credentials <link>")
      .description("the answer for an aws profile's credential_process")
      .option("--duration <seconds>", "900 to the role's longest session (3600)", seconds),
    async () => (await import("./commands/token.ts")).credentials,
    ([name], flags) => ({ name: String(name), duration: flags.duration as number | undefined }),
  );
  does(
    program
      .command("credential-config <link>")
      .description("Google's credential configuration file for the workload of a link")
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
    async () => (await import("./commands/credential-config.ts")).credentialConfigCommand,
    ([name], flags) => ({ ...flags, name: String(name) }),
  );
}

/** STS takes 900 to 43200; what the role itself allows is for AWS to say (aws.md 11.2). */
function seconds(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 900 || number > 43200)
    throw new InvalidArgumentError("a session lives 900 to 43200 seconds.");
  return number;
}

function installing(program: Program): void {
  answers(
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
    plain,
    async (flags, own) => (await import("../../scripts/onboard.ts")).onboard(flags, own),
  );
  /** What drives gcloud; each looks at everything before it writes. */
  const deploying = (command: Program): Program =>
    command
      .option("--dry-run", "print the commands, and run none of them that writes")
      .option("--project <project>", "where it goes, for a file that names no control plane and several projects");
  answers(
    deploying(
      program.command("deploy").description("put functions, workflows, schedule and alerts into a project"),
    ).option("--notify <channel>", "a notification channel of Cloud Monitoring for its alert policies", collect),
    plain,
    async (flags, own) => (await import("../../scripts/deploy.ts")).deploy(flags, own),
  );
  answers(
    deploying(program.command("offboard").description("take out of the project what deploy has put there")),
    plain,
    async (flags, own) => (await import("../../scripts/offboard.ts")).offboard(flags, own),
  );
}

/** The sandbox's own commands need no world: they are about the sandbox itself. */
function sandboxes(program: Program): void {
  const sandbox = program
    .command("sandbox")
    .description("run the sandbox in the foreground, for other programs")
    .option("--port <port>", "where it listens on 127.0.0.1 (4510)")
    .option("--as <email>", "the service account its metadata server speaks as")
    .option("--host-map <host=127.0.0.1:port>", "a TLS server of yours stands in for a host", collect)
    .option("--ca <file>", "certificates, PEM, that count as public CAs there", collect);
  const load = () => import("./commands/sandbox.ts");
  answers(sandbox, ["text"], async (flags, own) => (await load()).serve(flags, own));
  answers(sandbox.command("env").description("print export lines for aws, gcloud and the SDKs"), plain, async (flags) =>
    (await load()).env(flags),
  );
  answers(
    sandbox
      .command("exec <command...>")
      .description("run a program with them: exec -- aws sts get-caller-identity")
      .option("--as <link>", "on a machine that runs as the workload of this link to google"),
    ["text"],
    async (flags, _own, words) =>
      (await load()).exec(flags, words, flags.as === undefined ? undefined : String(flags.as)),
  );
  answers(sandbox.command("reset").description("empty the sandbox of this folder"), plain, async (flags) =>
    (await load()).reset(flags),
  );
  answers(
    sandbox.command("coverage").description("list each operation that is played, and what its answers rest on"),
    plain,
    async (flags) => (await import("./commands/coverage.ts")).coverage(flags),
  );
  answers(sandbox.command("status").description("say whether one runs here, and what is in it"), plain, async (flags) =>
    (await load()).status(flags),
  );
}

function about(program: Program): void {
  answers(
    program.command("codes [words...]").description("list the codes of findings, or those whose page has these words"),
    plain,
    async (flags, _own, words) => (await import("./commands/codes.ts")).listCodes(words, flags),
  );
  answers(
    program.command("completion <shell>").description("print completions for bash, zsh or fish"),
    ["text"],
    async (_flags, _own, [shell = ""]) => (await import("./commands/completion.ts")).completion(shell, program),
  );
  answers(program.command("version").description("print the version"), ["text"], async () => ({
    exit: codes.fine,
    text: version,
  }));
}
