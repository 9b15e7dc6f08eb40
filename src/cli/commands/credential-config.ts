import { writeFileSync } from "node:fs";
import type { Link, World } from "../../model.ts";
import { type ConfigAsk, type CredentialSource, credentialConfig } from "../../parties/google/credential-config.ts";
import { nameOf } from "../../parties/google/exchange.ts";
import { sinkOf } from "../../parties/google/shape.ts";
import { document } from "../../say/json.ts";
import { version } from "../../version.ts";
import { loadFile } from "../context.ts";
import { UsageError } from "../exit.ts";
import type { Command } from "../run.ts";

/** Flags as given: gcloud's, as far as the file does not say them already. */
export interface ConfigFlags {
  readonly name: string;
  readonly output?: string | undefined;
  readonly imdsv2?: boolean | undefined;
  /** Seconds. */
  readonly lifetime?: number | undefined;
  readonly tokenFile?: string | undefined;
  readonly tokenUrl?: string | undefined;
  readonly executable?: string | undefined;
  readonly field?: string | undefined;
}

/**
 * Google's credential configuration file for a link: where a client finds the workload's own proof, and whom it becomes.
 * It holds no secret. Asks for the project's number alone. Without `--output` the file goes to stdout, and nothing else.
 */
export const credentialConfigCommand: Command<ConfigFlags> = async ({ flags, world }, ask) => {
  const { federation } = loadFile(flags);
  const link = federation.links.find(({ name }) => name === ask.name);
  if (!link) throw new UsageError(`${federation.file} has no link ${ask.name}`);
  if (link.to.party !== "google") throw new UsageError(`${ask.name} does not end at google`);
  const whole = await configText(link, ask, world);
  if (ask.output === undefined) return { exit: 0, text: whole, exact: true };
  writeFileSync(ask.output, whole);
  const envelope = { tool: version, world: world.kind, command: "credential-config", exit: 0 };
  if (flags.json) return { exit: 0, text: document(envelope, { link: link.name, output: ask.output }) };
  return { exit: 0, text: [`wrote ${ask.output}`, ...usage(ask.output)].join("\n") };
};

/** The file's text. What is wrong with the flags is said before the project is asked for its number. */
export async function configText(link: Link, ask: ConfigFlags, world: World): Promise<string> {
  refusing(() => textFor(link, ask, "projects/0/locations/global/workloadIdentityPools/any-pool/providers/any-one"));
  const name = await nameOf({ link }, world);
  return refusing(() => textFor(link, ask, name.replace("//iam.googleapis.com/", "")));
}

/** What makes no sense is a wrong command line. */
function refusing(make: () => string): string {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

function textFor(link: Link, ask: ConfigFlags, audience: string): string {
  const sink = sinkOf(link);
  const config: ConfigAsk = {
    ...{ audience, source: sourceFor(link, ask) },
    ...(sink ? { serviceAccount: sink.email } : {}),
    ...(ask.lifetime === undefined ? {} : { lifetime: ask.lifetime }),
  };
  return credentialConfig(config);
}

/** As the workload's own cloud gives it, else as the flags say, else as `mint` of the file does. */
function sourceFor(link: Link, ask: ConfigFlags): CredentialSource {
  const explicit = explicitSource(ask);
  const extra = ask.imdsv2 ? { imdsv2: true } : {};
  if (explicit) return { ...explicit, ...extra } as CredentialSource;
  if (link.from.party === "aws" && link.from.spec.proof !== "outbound-jwt") return { of: "aws", ...extra };
  if (link.from.party === "entra")
    return { of: "azure", appIdUri: String(link.from.spec.application), ...extra } as CredentialSource;
  const { tokenFile, command } = (link.from.spec.mint ?? {}) as { tokenFile?: string; command?: readonly string[] };
  if (tokenFile !== undefined) return { of: "file", file: tokenFile, ...extra } as CredentialSource;
  // A program of the file prints a token alone, and Google's clients want it wrapped (google.md 7).
  const why = command
    ? "the command of mint prints a token, and google's clients want json around it"
    : "nothing says where its token is";
  throw new UsageError(`${link.name}: ${why}; say --token-file F, --token-url URL or --executable CMD`);
}

function explicitSource({ tokenFile, tokenUrl, executable, field }: ConfigFlags): CredentialSource | undefined {
  const given = [tokenFile, tokenUrl, executable].filter((one) => one !== undefined);
  if (given.length > 1) throw new UsageError("--token-file, --token-url and --executable: one of them");
  const format = field === undefined ? {} : ({ type: "json", field } as const);
  if (tokenFile !== undefined) return { of: "file", file: tokenFile, ...format };
  if (tokenUrl !== undefined) return { of: "url", url: tokenUrl, ...format };
  if (executable !== undefined && field === undefined) return { of: "executable", command: executable };
  if (field !== undefined) throw new UsageError("--field is that of --token-file or --token-url");
  return undefined;
}

/** For each program that reads such a file, how it is told of it. */
const usage = (file: string): readonly string[] => [
  `sh           export GOOGLE_APPLICATION_CREDENTIALS="$(realpath '${file}')"     client libraries, Terraform`,
  `PowerShell   $env:GOOGLE_APPLICATION_CREDENTIALS = (Resolve-Path '${file}').Path`,
  `gcloud, bq   gcloud auth login --cred-file='${file}'`,
];
