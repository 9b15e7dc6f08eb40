import { codes } from "../verdict/exit.ts";
import type { Answer } from "./answer.ts";
import { type Context, type Flags, openContext } from "./context.ts";
import { deliver } from "./deliver.ts";
import { tellFailure } from "./failure.ts";

/** One command of the contract. It leaves stdout alone; what it throws becomes an exit code. */
export type Command<A> = (context: Context, ask: A) => Promise<Answer>;

/** `name` is for reports and errors; `ask` holds the words and flags that are the command's own. */
export interface Run<A> {
  readonly name: string;
  readonly flags: Flags;
  readonly command: Command<A>;
  readonly ask: A;
}

/** Milliseconds within which two signals are one: nobody types faster. */
const sameMoment = 150;

/**
 * Runs one command with a world around it: stdout is the answer, stderr is progress, and every error ends in the exit
 * code of the contract. No foreign error is printed, because those hold tokens.
 */
export async function run<A>({ name, flags, command, ask }: Run<A>): Promise<number> {
  const stop = new AbortController();
  let since = 0;
  const interrupt = () => {
    if (stop.signal.aborted) {
      // A terminal tells this process and the one that started it, which passes the signal on: that is one interruption.
      if (performance.now() - since > sameMoment) process.exit(codes.interrupted);
      return;
    }
    since = performance.now();
    stop.abort();
    process.stderr.write(
      "interrupted: what has begun is finished; again to end now. Running the command again goes on.\n",
    );
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupt);
  let context: Context | undefined;
  try {
    context = await openContext(flags, stop.signal);
    const { exit, text, exact } = await command(context, ask);
    await deliver({ exit, text, ...(exact ? { exact } : {}) }, flags);
    return stop.signal.aborted ? codes.interrupted : exit;
  } catch (error) {
    return await tellFailure(error, { name, flags });
  } finally {
    await context?.close();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, interrupt);
  }
}
