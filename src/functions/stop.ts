import { log } from "./log.ts";

/** Ends before the platform kills: about ten seconds after SIGTERM (serverless.md, 2.2). Milliseconds. */
const grace = 9000;

const stop = new AbortController();
/** Aborted when the platform takes this instance away: no new call of a cloud starts (`World.signal`). */
export const stopping: AbortSignal = stop.signal;

let running = 0;
let leave: (() => void) | undefined;

/**
 * Runs a request so that a SIGTERM does not cut it off: the framework by itself answers it with 500 at once and exits
 * (serverless.md, trap 6). What has begun is finished, as at the command line; then the framework's own end.
 */
export async function finishing(request: () => Promise<void>): Promise<void> {
  takeOver();
  running++;
  try {
    await request();
  } finally {
    running--;
    if (running === 0) leave?.();
  }
}

/**
 * Takes the place of whoever listens for the signals, to call them last. Not at the start: the framework begins to
 * listen after it has loaded the function, and while no request has come there is nothing to finish.
 */
function takeOver(): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const others = process.listeners(signal).filter((listener) => !ours.has(listener));
    if (others.length === 0) continue;
    for (const other of others) process.off(signal, other);
    const listener = () => end(() => others.forEach((other) => void other(signal)));
    ours.add(listener);
    process.on(signal, listener);
  }
}

const ours = new Set<NodeJS.SignalsListener>();

/** A second signal, or the end of the grace, waits for nothing. */
function end(others: () => void): void {
  if (running === 0 || stop.signal.aborted) {
    others();
    return;
  }
  stop.abort();
  leave = others;
  setTimeout(others, grace).unref();
  log("NOTICE", "asked to stop: what has begun is finished", { event: "crosstrust.stop", requests: running });
}
