import { z } from "zod";
import { exitOf } from "../cli/exit.ts";
import { checkHealth } from "../crosstrust.ts";
import type { Consents, Verdict } from "../model.ts";
import { knownAfter } from "../plan/refs.ts";
import { document, healthBody } from "../say/json.ts";
import { version } from "../version.ts";
import { type Call, error, log, type Reply, type Served } from "./serve.ts";

/** Also the name under which the command line stores it: the report is the same. */
export const reportName = "health-last";
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

/** `POST` checks, `GET` gives the last stored report (contract, section 6). */
export const healthFunction: Served = {
  name: "health",
  methods: ["GET", "POST"],
  handle: (call) => (call.method === "GET" ? last(call) : check(call)),
};

/** The stored document as it is. Nothing is checked anew, so it costs no call of a cloud. */
async function last({ world, query }: Call): Promise<Reply> {
  if (query.format !== undefined && query.format !== "json") return error(400, "format is json; html is not built yet");
  const stored = await world.store.read(reportName);
  if (stored === undefined) return error(404, "there is no report yet");
  const { verdict } = JSON.parse(stored) as { verdict: Verdict };
  return { status: 200, headers: { "crosstrust-verdict": verdict }, body: stored };
}

/**
 * A link that is not in the file is a 403 (fact sheet reliability-and-security, case 120). A check of only
 * some links is not stored: the last report stands for the whole deployment.
 */
const fine = (verdict: Verdict): boolean => verdict === "works" || verdict === "unproved";

async function check({ world, federation, body, query }: Call): Promise<Reply> {
  const asked = bodySchema.safeParse(body);
  if (!asked.success) return error(400, "the body takes links, a list of link names");
  const only = asked.data.links ?? [];
  const unknown = only.find((name) => !federation.links.some((link) => link.name === name));
  if (unknown !== undefined) return error(403, "a link that this deployment does not have");
  if (running)
    return {
      status: 202,
      headers: { "retry-after": "30" },
      body: `${JSON.stringify({ state: "another run is in progress" })}\n`,
    };
  running = true;
  try {
    const health = await checkHealth({ federation, only, consents: noConsents }, world);
    const { verdict } = health;
    const exit = exitOf({ findings: health.findings, verdicts: [verdict] });
    const text = document(
      { tool: version, world: world.kind, command: "health", exit },
      healthBody(federation.name, health, knownAfter),
    );
    if (only.length === 0) await world.store.write(reportName, text);
    for (const link of health.links) log(fine(link.verdict) ? "INFO" : "ERROR", `link ${link.link} ${link.verdict}`);
    return {
      status: "strict" in query && !fine(verdict) ? 503 : 200,
      headers: { "crosstrust-verdict": verdict },
      body: text,
    };
  } finally {
    running = false;
  }
}
