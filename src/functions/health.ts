import { z } from "zod";
import { exitOf } from "../cli/exit.ts";
import { checkHealth } from "../crosstrust.ts";
import type { Consents, Verdict } from "../model.ts";
import { knownAfter } from "../plan/refs.ts";
import { document, healthBody } from "../say/json.ts";
import { version } from "../version.ts";
import { reportName } from "./report.ts";
import { busy, type Call, error, type Reply, stopped } from "./serve.ts";
import { tellLinks } from "./tell.ts";

const bodySchema = z.strictObject({ links: z.array(z.string()).optional() });
/** Nobody is there to be asked: a function never widens, adopts, undeletes or grants. */
export const noConsents: Consents = {
  adopt: [],
  allowWiden: [],
  allowBroadSubject: [],
  allowPrivileged: [],
  undelete: false,
  grantMe: false,
};

/** One run in this process; another instance of the function does not see it. */
let running = false;

const fine = (verdict: Verdict): boolean => verdict === "works" || verdict === "unproved";

/**
 * `POST` checks (contract, section 6). A link that is not in the file is a 403 (fact sheet reliability-and-security,
 * case 120). A check of only some links is not stored: the last report stands for the whole deployment.
 */
export async function healthFunction({ world, federation, body, query }: Call): Promise<Reply> {
  const asked = bodySchema.safeParse(body);
  if (!asked.success) return error(400, "the body takes links, a list of link names");
  const only = asked.data.links ?? [];
  const unknown = only.find((name) => !federation.links.some((link) => link.name === name));
  if (unknown !== undefined) return error(403, "a link that this deployment does not have");
  if (running) return busy;
  running = true;
  try {
    const health = await checkHealth({ federation, only, consents: noConsents }, world);
    // Cut short, it says nothing about the links: neither stored nor told.
    if (world.signal.aborted) return stopped;
    const { verdict } = health;
    const exit = exitOf({ findings: health.findings, verdicts: [verdict] });
    const text = document(
      { tool: version, world: world.kind, command: "health", exit },
      healthBody(federation.name, health, knownAfter),
    );
    if (only.length === 0) await world.store.write(reportName, text);
    tellLinks({ event: "crosstrust.health", deployment: federation.name, ...health });
    return {
      status: "strict" in query && !fine(verdict) ? 503 : 200,
      headers: { "crosstrust-verdict": verdict },
      body: text,
    };
  } finally {
    running = false;
  }
}
