import { z } from "zod";
import { exitOf } from "../cli/exit.ts";
import { checkHealth } from "../crosstrust.ts";
import type { Consents, Verdict } from "../model.ts";
import { knownAfter } from "../plan/refs.ts";
import { document, healthBody } from "../say/json.ts";
import { version } from "../version.ts";
import { type Call, error, log, type Reply, type Served } from "./serve.ts";
import { settings } from "./settings.ts";

export const reportName = "health-last";
const bodySchema = z.strictObject({ links: z.array(z.string()).optional() });
export const noConsents: Consents = {
  adopt: [],
  allowWiden: [],
  allowBroadSubject: [],
  allowPrivileged: [],
  undelete: false,
  grantMe: false,
};

let running = false;

/** `POST` checks, `GET` gives the last stored report (contract, section 6). */
export const healthFunction: Served = {
  methods: ["GET", "POST"],
  handle: (call) => (call.method === "GET" ? last(call) : check(call)),
};

async function last({ world, query }: Call): Promise<Reply> {
  if (query.format !== undefined && query.format !== "json") return error(400, "format is json; html is not built yet");
  const stored = await world.store.read(reportName);
  if (stored === undefined) return error(404, "there is no report yet");
  const { verdict } = JSON.parse(stored) as { verdict: Verdict };
  return { status: 200, headers: { "crosstrust-verdict": verdict }, body: stored };
}

async function check({ world, body, query }: Call): Promise<Reply> {
  const asked = bodySchema.safeParse(body);
  if (!asked.success) return error(400, "the body takes links, a list of link names");
  const { federation } = await settings();
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
    for (const link of health.links)
      log(link.verdict === "works" ? "INFO" : "ERROR", `link ${link.link} ${link.verdict}`);
    const fine = verdict === "works" || verdict === "unproved";
    return { status: "strict" in query && !fine ? 503 : 200, headers: { "crosstrust-verdict": verdict }, body: text };
  } finally {
    running = false;
  }
}
