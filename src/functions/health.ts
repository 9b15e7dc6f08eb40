import { z } from "zod";
import { exitOf } from "../cli/exit.ts";
import { checkHealth, noConsents } from "../crosstrust.ts";
import type { Health, Verdict } from "../model.ts";
import { knownAfter } from "../plan/refs.ts";
import { document, healthBody } from "../say/json.ts";
import { version } from "../version.ts";
import { deployment } from "./deployment.ts";
import { reportName } from "./report.ts";
import { busy, type Call, error, type Reply, type Sent, stopped } from "./serve.ts";
import { tellLinks } from "./tell.ts";
import { heartbeat, type Watched, watchRun } from "./watching.ts";

const bodySchema = z.strictObject({ links: z.array(z.string()).optional() });

/** One run in this process; the lease in the store keeps other instances away. */
let running = false;

const fine = (verdict: Verdict): boolean => verdict === "works" || verdict === "unproved";

/**
 * `POST` checks (contract, section 6). A link that is not in the file is a 403 (fact sheet reliability-and-security,
 * case 120). A check of only some links is neither stored nor remembered, and waits for nobody's lease: the last report
 * stands for the whole deployment.
 */
export async function healthFunction(sent: Sent): Promise<Reply> {
  const call: Call = { ...sent, ...(await deployment()) };
  const { world, federation, body, query } = call;
  const asked = bodySchema.safeParse(body);
  if (!asked.success) return error(400, "the body takes links, a list of link names");
  const only = asked.data.links ?? [];
  const unknown = only.find((name) => !federation.links.some((link) => link.name === name));
  if (unknown !== undefined) return error(403, "a link that this deployment does not have");
  if (running) return busy;
  running = true;
  try {
    // Nobody is there to be asked: a function never widens, adopts, undeletes or grants.
    const look = () => checkHealth({ federation, only, consents: noConsents }, world);
    const watched = only.length > 0 ? undefined : await watchRun(call, look);
    if (watched && !watched.held) return busy;
    const health = watched?.value.health ?? (await look());
    // Cut short, it says nothing about the links: neither stored nor told.
    if (world.signal.aborted) return stopped;
    const text = watched ? await stored(call, watched.value) : documentOf(call, health);
    tellLinks({ event: "crosstrust.health", deployment: federation.name, ...health });
    return {
      status: "strict" in query && !fine(health.verdict) ? 503 : 200,
      headers: { "crosstrust-verdict": health.verdict },
      body: text,
    };
  } finally {
    running = false;
  }
}

function documentOf({ world, federation }: Call, health: Health, more: object = {}): string {
  const exit = exitOf({ findings: health.findings, verdicts: [health.verdict] });
  const envelope = { tool: version, world: world.kind, command: "health", exit };
  return document(envelope, { ...healthBody(federation.name, health, knownAfter), ...more });
}

/** The last report is told, whether it can be stored or not; it says which. */
async function stored(call: Call, watched: Watched): Promise<string> {
  const { health, ...rest } = watched;
  const text = documentOf(call, health, rest);
  const saved = await call.world.store.write(reportName, text).then(
    () => true,
    () => false,
  );
  heartbeat(call.federation.name, { ...watched, stateSaved: rest.stateSaved && saved });
  return saved ? text : documentOf(call, health, { ...rest, stateSaved: false });
}
