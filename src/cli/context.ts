import { dirname, join, relative, resolve } from "node:path";
import { decisionsOf } from "../crosstrust/accepts.ts";
import { reviewFile } from "../crosstrust/review.ts";
import { acceptable } from "../file/acceptable.ts";
import { agreedIn, lintRules, soundIn } from "../file/lint.ts";
import { readFederation } from "../file/read.ts";
import type { Consents, Federation, Finding, Progress, RemoteCall, World } from "../model.ts";
import { finding } from "../model.ts";
import { parties, shapes } from "../parties/index.ts";
import { accepted, expired, oncePerTrust, unused } from "../plan/accept.ts";
import { expand } from "../plan/expand.ts";
import { InputError, readInput } from "../run/input.ts";
import { directoryStore } from "../run/store.ts";
import { cloudWorld, sandboxWorld } from "../run/world.ts";
import type { Attached } from "../sandbox/attach.ts";
import type { Again, Paper } from "../say/paper.ts";
import { shownValue } from "../say/visible.ts";
import { BadFile, UsageError } from "./exit.ts";
import type { Format } from "./format.ts";
import { tell } from "./print.ts";

/** The global flags (contract, section 2), as commander names them. */
export interface Flags {
  readonly file: string;
  readonly sandbox?: boolean;
  readonly json?: boolean;
  /** What the answer is written as; `json` is true where it is `json`. */
  readonly format?: Format;
  /** The file that the answer is written into, instead of stdout. */
  readonly output?: string;
  readonly verbose?: boolean;
  readonly color?: "auto" | "always" | "never";
  readonly yes?: boolean;
  readonly quiet?: boolean;
  readonly endpoint?: readonly string[];
  readonly maxLinks?: string;
}

/** What a command works with; `close` ends the embedded sandbox. */
export interface Context {
  readonly flags: Flags;
  readonly paper: Paper;
  readonly world: World;
  readonly close: () => Promise<void>;
}

/** Where a text for people goes. */
export const paperFor = (stream: NodeJS.WriteStream, flags: Flags): Paper => ({
  colour: isColoured(stream, flags),
  ...againOf(flags),
});

/**
 * No colour unless a person is looking, and none where NO_COLOR is set (no-color.org). FORCE_COLOR asks for it where nobody is
 * looking, as Node takes it, and `--color` comes before both. A file is never coloured.
 */
function isColoured(stream: NodeJS.WriteStream, { color = "auto", output }: Flags): boolean {
  if (output !== undefined && stream === process.stdout) return false;
  if (color !== "auto") return color === "always";
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR !== undefined) return !["0", "false"].includes(FORCE_COLOR);
  return stream.isTTY === true && TERM !== "dumb";
}

/** A command that is pasted elsewhere must not reach another file or another world. */
export function againOf({ file, sandbox, endpoint = [], maxLinks }: Flags): Again {
  // Without the variable the flag means this file's own sandbox: another one, and never the cloud.
  const inSandbox = sandbox || process.env.CROSSTRUST_SANDBOX;
  const world = inSandbox ? [" --sandbox"] : endpoint.map((one) => ` --endpoint ${quoted(one)}`);
  const limit = maxLinks === undefined ? [] : [` --max-links ${maxLinks}`];
  return { again: [...world, ...limit, ` --file ${quoted(resolve(file))}`].join("") };
}

/** As a shell takes it for one word. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** What makes a file unusable. */
export const isError = ({ severity, accepted: agreed }: Finding): boolean => severity === "error" && !agreed;

/** A file without errors, and what is to be said of it all the same. */
export interface Loaded {
  readonly federation: Federation;
  readonly findings: readonly Finding[];
  /** Of the trust that it would make, errors apart; `lint` alone says it. */
  readonly reviewed: readonly Finding[];
}

/** One-time consents that change what lint says; `all` where nothing is granted, as in destroy and in health. */
export type LintConsents = Pick<Consents, "allowPrivileged" | "allowBroadSubject"> | "all";

/**
 * Reads and lints the file. Its errors end the command with 65 before anything is contacted; what the file or a flag
 * accepts is none.
 */
export function loadFile(flags: Flags, consents: LintConsents = "all", grants = consents !== "all"): Loaded {
  const shown = relative(process.cwd(), resolve(flags.file)) || flags.file;
  const bytes = readOr(flags.file);
  if (bytes instanceof InputError) {
    const fix = ["crosstrust init   # writes one", "or name another: --file PATH"];
    const place = { file: shown, line: 1, column: 1 };
    throw new BadFile([
      finding("FILE-MISSING", { at: { place }, says: `${shown} cannot be read: ${bytes.message}`, fix }),
    ]);
  }
  const { federation, findings } = readFederation(shown, bytes, shapes);
  if (!federation) throw new BadFile(findings);
  const maxLinks = Number(flags.maxLinks ?? 1000);
  if (!Number.isInteger(maxLinks) || maxLinks < 1)
    throw new UsageError(`--max-links takes a number, not ${flags.maxLinks}`);
  return linted(federation, { consents: consents === "all" ? nothing : consents, grants, maxLinks });
}

interface Linting {
  readonly consents: Exclude<LintConsents, "all">;
  /** Whether the command grants anything: if not, privilege that nobody agreed to is no error. */
  readonly grants: boolean;
  readonly maxLinks: number;
}

/** No world is open yet, so the days of an accept are those of this machine's clock; a plan looks again by its world's. */
function linted(federation: Federation, { consents, grants, maxLinks }: Linting): Loaded {
  const found = lintRules({ federation, parties, maxLinks });
  const sound = soundIn(federation, found);
  const decided = decisionsOf(federation, expand(sound.links, parties), Date.now());
  const deciding = { ...decided, consents };
  const accept = (found: readonly Finding[]) => accepted(found, deciding);
  // What the trust would be is reviewed too: one that can never match, or that aws refuses, is a mistake of the file.
  const reviewed = accept(reviewFile(sound));
  const own = agreedIn(found, { allowPrivileged: grants ? [] : "all", accept });
  const wrong = [...own, ...reviewed.filter(isError)];
  if (wrong.some(isError)) throw new BadFile(wrong);
  const told = oncePerTrust(own, deciding);
  if (federation.accepts?.length === 0) return { federation, findings: told, reviewed };
  const codes = acceptable.filter(({ seen }) => seen === "file").map(({ code }) => code);
  const idle = [...expired(deciding), ...unused([...own, ...reviewed], { ...deciding, codes })];
  return { federation, findings: [...told, ...idle], reviewed };
}

const nothing = { allowPrivileged: [], allowBroadSubject: [] };

/** The most bytes that a federation file may have (contract, section 9), and more than any other input has. */
const mostBytes = 64 * 1024 * 1024;

/** A file's bytes, or undefined for whoever does not care why it is no input. */
export function readBytes(file: string): Uint8Array | undefined {
  const bytes = readOr(file);
  return bytes instanceof InputError ? undefined : bytes;
}

/** A file's text, for a command that can do nothing without it. Throws a `UsageError` that says why it is no input. */
export function readText(file: string): string {
  const bytes = readOr(file);
  if (bytes instanceof InputError) throw new UsageError(`${file} cannot be read: ${bytes.message}`);
  return bytes.toString("utf8");
}

function readOr(file: string): Buffer | InputError {
  try {
    return readInput(file, mostBytes);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** The folder beside the federation file where the sandbox and the store live. */
export const folderOf = (flags: Flags, name: "sandbox" | "store"): string =>
  join(dirname(resolve(flags.file)), ".crosstrust", name);

/** Whether this run is in the sandbox: `--sandbox`, or CROSSTRUST_SANDBOX naming one (contract, section 5). */
export function sandboxUrl(flags: Flags): string | true | undefined {
  const named = process.env.CROSSTRUST_SANDBOX;
  if (!named && !flags.sandbox) return undefined;
  if (process.env.K_SERVICE) throw new UsageError("a deployed function (K_SERVICE is set) never uses the sandbox");
  if (flags.endpoint?.length)
    throw new UsageError("--endpoint moves calls to the clouds; in the sandbox there are none");
  if (!named) return true;
  const url = URL.parse(named);
  const loopback = url?.protocol === "http:" && ["127.0.0.1", "localhost"].includes(url.hostname);
  if (!url || !loopback) throw new UsageError(`CROSSTRUST_SANDBOX is http://127.0.0.1:PORT, not ${named}`);
  return `http://127.0.0.1:${url.port || 80}`;
}

/**
 * A world, opened as late as can be: the embedded sandbox starts with the first call, and the vendors'
 * libraries are loaded when asked. Throws a `UsageError` where flags and surroundings contradict each other.
 */
export async function openContext(flags: Flags, signal: AbortSignal): Promise<Context> {
  const paper = paperFor(process.stdout, flags);
  const common = {
    store: directoryStore(folderOf(flags, "store")),
    progress: progressTo(flags),
    ...(isVerbose(flags) ? { heard: tellCall } : {}),
    signal,
  };
  const where = sandboxUrl(flags);
  if (where === undefined) return { flags, paper, world: await openCloud(flags, common), close: async () => {} };
  const attached: Promise<Attached>[] = [];
  let closed = false;
  const attachAgain = async (): Promise<string> => {
    if (typeof where === "string") return where;
    // A call that is still being retried after the end must not become the next owner, and keep the process.
    if (closed) throw new Error("the sandbox of this command is closed");
    const [{ attach }, { players }] = await Promise.all([
      import("../sandbox/attach.ts"),
      import("../parties/players.ts"),
    ]);
    const folder = folderOf(flags, "sandbox");
    const found = attach({ folder, players });
    attached.push(found);
    return (await found.catch((error: unknown) => unusable(error, folder))).url;
  };
  return {
    flags,
    paper,
    world: sandboxWorld({ ...common, attach: attachAgain }),
    close: async () => {
      closed = true;
      for (const one of attached) await one.then(({ close }) => close()).catch(() => {});
    },
  };
}

/** A folder that is read-only, full or holds something else is the user's to mend, and no fault of this program. */
export function unusable(error: unknown, folder: string): never {
  const { code, syscall } = error as NodeJS.ErrnoException;
  const why = error instanceof Error && error.name === "FolderError" ? error.message : syscall && code;
  if (!why) throw error;
  throw new UsageError(`the folder of the sandbox cannot be used: ${why}. Make ${folder} writable, or delete it`);
}

/** Variables by which the vendors' programs are pointed elsewhere: in the cloud world they are refused by name. */
const refusedVariables = /^(AWS_ENDPOINT_URL(_\w+)?|GCE_METADATA_\w+)$/;

async function openCloud(
  flags: Flags,
  common: Parameters<typeof sandboxWorld>[0] extends infer T ? Omit<T, "attach"> : never,
): Promise<World> {
  const named = Object.keys(process.env).filter((name) => refusedVariables.test(name) && process.env[name]);
  if (named.length > 0) {
    throw new UsageError(
      `${named.join(", ")} would move calls elsewhere; unset it, or say --endpoint SERVICE=URL, or --sandbox`,
    );
  }
  const { sourcesFor } = await import("../parties/sources.ts");
  return cloudWorld({ ...common, endpoints: endpointsOf(flags.endpoint ?? []), sources: sourcesFor() });
}

/** `--endpoint SERVICE=URL`: https, or http on loopback. */
function endpointsOf(given: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    given.map((text) => {
      const [, service = "", address = ""] = /^([a-z]+\.[a-z0-9]+)=(.+)$/.exec(text) ?? [];
      const url = URL.parse(address);
      const loopback = url?.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
      if (!url || (url.protocol !== "https:" && !loopback)) {
        throw new UsageError(
          `--endpoint takes SERVICE=URL, https or http on loopback, such as aws.iam=http://127.0.0.1:4510; not ${text}`,
        );
      }
      return [service, address.replace(/\/+$/, "")] as const;
    }),
  );
}

/** Progress goes to stderr, a line a step, so that a log of a run reads like the run. */
function progressTo(flags: Flags): (event: Progress) => void {
  if (flags.quiet || flags.json) return () => {};
  const signs = { started: "", done: "done   ", failed: "failed ", waiting: "waiting" } as const;
  return ({ what, state, ms }) => {
    if (state === "started") return;
    tell(`${signs[state]}  ${shownValue(what)}${ms === undefined ? "" : `   ${Math.round(ms)} ms`}\n`);
  };
}

const isVerbose = ({ verbose }: Flags): boolean => verbose === true || process.env.CROSSTRUST_LOG === "debug";

/** One line a try, on stderr: `call  aws.iam  GetRole  200  ok  12 ms  request 0f8f...`. */
function tellCall({ service, operation, tried, status, outcome, ms, requestId }: RemoteCall): void {
  const again = tried > 1 ? `  try ${tried}` : "";
  const request = requestId === undefined ? "" : `  request ${requestId}`;
  const line = `call     ${service}  ${operation}  ${status ?? "-"}  ${outcome}  ${Math.round(ms)} ms${again}${request}`;
  tell(`${shownValue(line)}\n`);
}
