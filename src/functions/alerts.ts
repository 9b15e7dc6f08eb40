import type { Memory, Undelivered, World } from "../model.ts";
import { CloudError, call } from "../run/retry.ts";
import { noticeLine, noticeText } from "../say/alerts.ts";
import { log, type Severity } from "./log.ts";

/** Whom to tell: the log always, a webhook where there is one. Its URL is a secret and is said nowhere. */
export interface Told {
  readonly deployment: string;
  readonly webhook: string | undefined;
}

/** One line of the log; the platform reads `severity`, and policies match the rest. */
export const line = ({ severity, message, ...fields }: Entry): void => log(severity as Severity, message, fields);

interface Entry extends Readonly<Record<string, unknown>> {
  /** One of `Severity`; rooms that only word it do not know the log. */
  readonly severity: string;
  readonly message: string;
}

/**
 * Says what is still to be said, and gives back what nobody could be told: the next run tries again. After one failure
 * the webhook is left alone for this run, which must not wait for it.
 */
export async function deliver(memory: Memory, told: Told, world: World): Promise<Memory["outbox"]> {
  const left: Undelivered[] = [];
  let up = told.webhook !== undefined;
  for (const notice of memory.outbox) {
    if (notice.to.includes("log")) line(noticeLine(told.deployment, notice));
    if (!notice.to.includes("webhook") || told.webhook === undefined) continue;
    up = up && (await posted(told.webhook, noticeText(told.deployment, notice), world));
    if (!up) left.push({ ...notice, to: ["webhook"] });
  }
  return left;
}

/** Sent once: whether a lost one arrived nobody knows, so it may come twice, and never not at all. */
async function posted(url: string, text: string, world: World): Promise<boolean> {
  const spec = { service: "webhook", operation: "Send", effect: "once" } as const;
  try {
    const { status } = await call(world, spec, () => world.outside.send(url, { text }));
    if (status >= 200 && status < 300) return true;
    line({ severity: "WARNING", message: `the webhook answers ${status}; it is tried again with the next run` });
  } catch (error) {
    const why = error instanceof CloudError ? error.class : "failed";
    line({ severity: "WARNING", message: `the webhook is not reached (${why}); it is tried again with the next run` });
  }
  return false;
}
