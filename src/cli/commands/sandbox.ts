import { spawn } from "node:child_process";
import { constants } from "node:os";
import { relative } from "node:path";
import { players } from "../../parties/players.ts";
import { type Attached, attach } from "../../sandbox/attach.ts";
import { exportLines } from "../../sandbox/environment.ts";
import { alive, readOwner } from "../../sandbox/owner.ts";
import { document } from "../../say/json.ts";
import { codes } from "../../verdict/exit.ts";
import { version } from "../../version.ts";
import { type Flags, folderOf, sandboxUrl, unusable } from "../context.ts";
import { UsageError } from "../exit.ts";
import { mappingOf } from "../mapping.ts";
import { apart, control, hostIssuers, lead, wanted } from "../surroundings.ts";

/** CROSSTRUST_SANDBOX, else the owner of this folder's state, else one for the time of the command. */
async function reach(flags: Flags): Promise<Attached> {
  const named = sandboxUrl({ ...flags, sandbox: true });
  if (typeof named === "string") return { url: named, close: async () => {} };
  const folder = folderOf(flags, "sandbox");
  return attach({ folder, players }).catch((error: unknown) => unusable(error, folder));
}

/** What is known of a command line besides what it was meant for, as commander names it. */
type Given = Flags & ServeFlags;

/** The options that some command here can do nothing with, by their names on the command line. */
const options = {
  port: "--port",
  as: "--as",
  hostMap: "--host-map",
  ca: "--ca",
} as const satisfies Partial<Record<keyof Given, string>>;

/**
 * Throws a `UsageError` for an option that would have no effect: whoever gives one expects something of it. `--yes`, `--quiet` and
 * `--sandbox` promise what holds for these commands anyway.
 */
function refuseIdle(command: string, given: Given, idle: readonly (keyof typeof options)[]): void {
  const name = idle.find((one) => given[one] !== undefined);
  const limit = given.maxLinks;
  if (limit !== undefined && !/^[1-9]\d*$/.test(limit))
    throw new UsageError(`--max-links takes a number, not ${limit}`);
  if (name === undefined) return;
  const where = name === "as" ? "sandbox and sandbox exec" : "sandbox";
  throw new UsageError(`${options[name]} has no effect on ${command}; it is an option of ${where}`);
}

/** The URL of a sandbox that goes on when this command has ended, where there is one. */
async function lasting(flags: Flags): Promise<string | undefined> {
  const named = sandboxUrl({ ...flags, sandbox: true });
  if (typeof named === "string") return named;
  const owner = readOwner(folderOf(flags, "sandbox"));
  return owner && (await alive(owner)) ? `http://127.0.0.1:${owner.port}` : undefined;
}

const notRunning = "no sandbox is running here: start one with crosstrust sandbox, in another shell";

/**
 * `sandbox env`: export lines for a shell. Without a sandbox that goes on there is nowhere to lead a shell to: lines that name
 * one which ends with this command would cut the shell off from every network. What is printed then only fails, so that
 * `eval "$(...)" && aws ...` does not go on to the real clouds.
 */
export async function env(flags: Given): Promise<number> {
  try {
    return await shownEnv(flags);
  } catch (error) {
    if (!flags.json) process.stdout.write("false\n");
    throw error;
  }
}

async function shownEnv(flags: Given): Promise<number> {
  refuseIdle("sandbox env", flags, ["port", "as", "hostMap", "ca"]);
  const url = await lasting(flags);
  if (url === undefined) throw new UsageError(notRunning);
  const { set, unset } = await lead(flags, url);
  const head = { tool: version, world: "sandbox", command: "sandbox env", exit: codes.fine } as const;
  process.stdout.write(flags.json ? document(head, { url, set, unset }) : `${exportLines({ set, unset })}\n`);
  return codes.fine;
}

/** `sandbox exec -- CMD`: runs it with those variables, or as the workload of a link; its exit code is ours. */
export async function exec(flags: Given, words: readonly string[], as?: string): Promise<number> {
  refuseIdle("sandbox exec", flags, ["port", "hostMap", "ca"]);
  const [program = "", ...rest] = words;
  const attached = await reach(flags);
  try {
    return await runChild(program, rest, apart(flags, await lead(flags, attached.url, as)));
  } finally {
    await attached.close();
  }
}

function runChild(program: string, words: readonly string[], variables: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, [...words], { stdio: "inherit", env: variables });
    // The terminal sends its signals to both; only the child acts on them.
    const ignore = () => {};
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, ignore);
    child.on("error", () => {
      process.stderr.write(`${program} cannot be run; is it installed?\n`);
      resolve(127);
    });
    child.on("exit", (code, signal) => {
      for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, ignore);
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

/** Empties the sandbox of this folder, or the one that CROSSTRUST_SANDBOX names. */
export async function reset(flags: Given): Promise<number> {
  refuseIdle("sandbox reset", flags, ["port", "as", "hostMap", "ca"]);
  const attached = await reach(flags);
  try {
    await control(attached.url, "POST", "reset");
    const head = { tool: version, world: "sandbox", command: "sandbox reset", exit: codes.fine } as const;
    process.stdout.write(flags.json ? document(head, {}) : "sandbox   empty again\n");
    return codes.fine;
  } finally {
    await attached.close();
  }
}

/** `url` is null where nobody serves it: the answer then comes from the kept state. */
export async function status(flags: Given): Promise<number> {
  refuseIdle("sandbox status", flags, ["port", "as", "hostMap", "ca"]);
  const attached = await reach(flags);
  try {
    const state = await control<Record<string, unknown>>(attached.url, "GET", "state");
    const calls = await control<readonly unknown[]>(attached.url, "GET", "calls");
    const kinds = Object.keys(state).map((key) => key.split("/")[0] ?? "");
    const count = (kind: string) => kinds.filter((one) => one === kind).length;
    const where = attached.sandbox ? "not running; state is kept" : attached.url;
    const things = `${count("google.account")} service accounts   ${count("aws.role")} roles   ${calls.length} calls`;
    process.stdout.write(
      flags.json
        ? document(
            { tool: version, world: "sandbox", command: "sandbox status", exit: codes.fine },
            { url: attached.sandbox ? null : attached.url, state },
          )
        : `sandbox   ${where}\n  ${things}\n`,
    );
    return codes.fine;
  } finally {
    await attached.close();
  }
}

/** Text, as commander gives it; the port is checked by `serve`. */
export interface ServeFlags {
  readonly port?: string;
  readonly as?: string;
  readonly hostMap?: readonly string[];
  readonly ca?: readonly string[];
}

/** `crosstrust sandbox`: in the foreground, until it is interrupted. */
export async function serve(flags: Flags, { port = "4510", as, ...own }: ServeFlags): Promise<number> {
  refuseIdle("sandbox", flags, []);
  if (as !== undefined && !/^[^@\s]+@[^@\s]+$/.test(as))
    throw new UsageError(`--as takes the e-mail of a service account, not ${as}`);
  sandboxUrl({ ...flags, sandbox: true });
  const mapping = mappingOf(own);
  const folder = folderOf(flags, "sandbox");
  const owner = readOwner(folder);
  if (owner && (await alive(owner))) {
    process.stderr.write(
      `this folder's sandbox is served already, by process ${owner.pid}: http://127.0.0.1:${owner.port}\n`,
    );
    return codes.conflict;
  }
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
  if (!(number <= 65535)) throw new UsageError(`--port takes a port, not ${port}`);
  const attached = await attach({ folder, players, port: number, actsAs: as, mapping }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") unusable(error, folder);
    throw new UsageError(`port ${port} is in use; --port 0 takes a free one`);
  });
  await hostIssuers(wanted(flags), attached.url);
  const lines = [
    `sandbox   ${attached.url}   state in ${relative(process.cwd(), folder)}`,
    "  in another shell here:",
    "  crosstrust plan --sandbox",
    "  crosstrust sandbox exec -- aws sts get-caller-identity",
    `  eval "$(crosstrust sandbox env)"`,
  ];
  process.stdout.write(`${(flags.quiet ? lines.slice(0, 1) : lines).join("\n")}\n`);
  const stop = attached.sandbox?.calendar.follow();
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  stop?.();
  await attached.close();
  return codes.fine;
}
