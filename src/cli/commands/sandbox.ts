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
import { control, hostIssuers, lead, led, wanted } from "../surroundings.ts";

/** CROSSTRUST_SANDBOX, else the owner of this folder's state, else one for the time of the command. */
async function reach(flags: Flags): Promise<Attached> {
  const named = sandboxUrl({ ...flags, sandbox: true });
  if (typeof named === "string") return { url: named, close: async () => {} };
  const folder = folderOf(flags, "sandbox");
  return attach({ folder, players }).catch((error: unknown) => unusable(error, folder));
}

/** `sandbox env`: export lines for a shell. */
export async function env(flags: Flags): Promise<number> {
  const attached = await reach(flags);
  try {
    process.stdout.write(`${exportLines(await lead(flags, attached.url))}\n`);
    if (attached.sandbox)
      process.stderr.write(
        "no sandbox is running here, so these end with this command: start one with crosstrust sandbox\n",
      );
    return codes.fine;
  } finally {
    await attached.close();
  }
}

/** `sandbox exec -- CMD`: runs it with those variables, or as the workload of a link; its exit code is ours. */
export async function exec(flags: Flags, words: readonly string[], as?: string): Promise<number> {
  const [program = "", ...rest] = words;
  const attached = await reach(flags);
  try {
    return await runChild(program, rest, led(await lead(flags, attached.url, as)));
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
export async function reset(flags: Flags): Promise<number> {
  const attached = await reach(flags);
  try {
    await control(attached.url, "POST", "reset");
    process.stdout.write("sandbox   empty again\n");
    return codes.fine;
  } finally {
    await attached.close();
  }
}

/** `url` is null where nobody serves it: the answer then comes from the kept state. */
export async function status(flags: Flags): Promise<number> {
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
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65535)
    throw new UsageError(`--port takes a port, not ${port}`);
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
  process.stdout.write(`${lines.join("\n")}\n`);
  const stop = attached.sandbox?.calendar.follow();
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  stop?.();
  await attached.close();
  return codes.fine;
}
