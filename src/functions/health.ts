import { z } from "zod";
import { exitOf } from "../cli/exit.ts";
import { reportOf } from "../crosstrust/report.ts";
import { checkHealth } from "../crosstrust.ts";
import type { Consents, Finding, Health, Verdict } from "../model.ts";
import { knownAfter } from "../plan/refs.ts";
import { healthHtml, policy } from "../say/html/page.ts";
import { document, healthBody } from "../say/json.ts";
import { healthMetrics } from "../say/metrics.ts";
import { version } from "../version.ts";
import { recalled } from "../watch/memory.ts";
import { pastOf } from "../watch/past.ts";
import { type Call, error, log, type Reply, type Served } from "./serve.ts";
import { heartbeat, memoryName, staleness, type Watched, watchRun } from "./watching.ts";

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

/** One run in this process; the lease in the store keeps other instances away. */
let running = false;

/** `POST` checks, `GET` gives the last stored report (contract, section 6). */
export const healthFunction: Served = {
  methods: ["GET", "POST"],
  handle: (call) => (call.method === "GET" ? last(call) : check(call)),
};

/** Checks nothing anew, so it costs no call of a cloud: the stored document as it is, as a page, or as metrics. */
async function last({ world, federation, query }: Call): Promise<Reply> {
  const format = query.format ?? "json";
  if (format !== "json" && format !== "html" && format !== "metrics")
    return error(400, "format is json, html or metrics");
  const kept = await world.store.read(reportName);
  if (kept === undefined) return error(404, "there is no report yet");
  const parsed = JSON.parse(kept) as { verdict: Verdict; nextExpectedBy?: string; findings: readonly Finding[] };
  const stale = await staleness({ world, federation }, parsed);
  const text = stale ? `${JSON.stringify({ ...parsed, findings: [stale, ...parsed.findings] }, null, 2)}\n` : kept;
  const headers = { "crosstrust-verdict": parsed.verdict, ...(stale ? { "crosstrust-stale": "true" } : {}) };
  if (format === "json") return { status: 200, headers, body: text };
  const report = reportOf(text, federation);
  const past = pastOf(recalled(await world.store.read(memoryName)));
  if (format === "metrics")
    return { status: 200, headers: { ...headers, ...metricsHeaders }, body: healthMetrics(report, past) };
  return { status: 200, headers: { ...headers, ...pageHeaders }, body: healthHtml(report, past) };
}

const closed = { "cache-control": "no-store", "x-content-type-options": "nosniff" };
const metricsHeaders = { ...closed, "content-type": "application/openmetrics-text; version=1.0.0; charset=utf-8" };
/** What the page says of itself, and what only a header can say: nobody frames it. */
const pageHeaders = {
  ...closed,
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `${policy}; frame-ancestors 'none'`,
  "referrer-policy": "no-referrer",
};

const fine = (verdict: Verdict): boolean => verdict === "works" || verdict === "unproved";

/**
 * A link that is not in the file is a 403 (fact sheet reliability-and-security, case 120). A check of only some links is
 * neither stored nor remembered, and waits for nobody's lease: the last report stands for the whole deployment.
 */
async function check(call: Call): Promise<Reply> {
  const { world, federation, body, query } = call;
  const asked = bodySchema.safeParse(body);
  if (!asked.success) return error(400, "the body takes links, a list of link names");
  const only = asked.data.links ?? [];
  const unknown = only.find((name) => !federation.links.some((link) => link.name === name));
  if (unknown !== undefined) return error(403, "a link that this deployment does not have");
  if (running) return busy;
  running = true;
  try {
    const look = () => checkHealth({ federation, only, consents: noConsents }, world);
    const watched = only.length > 0 ? undefined : await watchRun(call, look);
    if (watched && !watched.held) return busy;
    const health = watched?.value.health ?? (await look());
    const text = watched ? await stored(call, watched.value) : documentOf(call, health);
    for (const link of health.links) log(fine(link.verdict) ? "INFO" : "ERROR", `link ${link.link} ${link.verdict}`);
    return {
      status: "strict" in query && !fine(health.verdict) ? 503 : 200,
      headers: { "crosstrust-verdict": health.verdict },
      body: text,
    };
  } finally {
    running = false;
  }
}

const busy: Reply = {
  status: 202,
  headers: { "retry-after": "30" },
  body: `${JSON.stringify({ state: "another run is in progress" })}\n`,
};

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
