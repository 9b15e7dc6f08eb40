import { z } from "zod";
import { type Finding, type Memory, type Verdict, verdicts } from "../model.ts";
import { noted } from "./notes.ts";
import { type Asked, error, type Reply } from "./serve.ts";
import { silenceOf } from "./silence.ts";

/** Also the name under which the command line stores it: the report is the same. */
export const reportName = "health-last";

/** As much of the stored document as is read here. */
interface Kept {
  readonly verdict: Verdict;
  readonly nextExpectedBy?: string;
  readonly findings: readonly Finding[];
}

const head = z.looseObject({
  verdict: z.enum(verdicts),
  nextExpectedBy: z.iso.datetime().optional(),
  findings: z.array(z.looseObject({ code: z.string(), says: z.string() })),
});
/** The head is looked at; the findings go on as they were stored. */
const keptSchema = z.custom<Kept>((value) => head.safeParse(value).success);

/**
 * The stored document as it is, as a page, or as metrics. Nothing is checked anew, so it costs no call of a cloud; what
 * draws, and the federation file that it draws from, is loaded only when asked for.
 */
export async function lastReport({ world, query }: Asked): Promise<Reply> {
  const format = query.format ?? "json";
  if (format === "batches") return batches(query.size);
  if (format !== "json" && format !== "html" && format !== "metrics")
    return error(400, "format is json, html, metrics or batches");
  const stored = await world.store.read(reportName);
  if (stored === undefined) return error(404, "there is no report yet");
  const kept = noted(stored, keptSchema);
  if (kept === undefined) return error(404, "the stored report cannot be read; the next check stores another one");
  const { memory, stale } = await silenceOf(world, kept);
  const body = stale ? `${JSON.stringify({ ...kept, findings: [stale, ...kept.findings] }, null, 2)}\n` : stored;
  const headers = { "crosstrust-verdict": kept.verdict, ...(stale ? { "crosstrust-stale": "true" } : {}) };
  if (format === "json") return { status: 200, headers, body };
  const drawn = await draw(body, format, memory);
  return { status: 200, ...drawn, headers: { ...headers, ...closed, ...drawn.headers } };
}

/** The names of all links, in batches: how a workflow divides a run, which has no way to cut a list itself. */
async function batches(size: unknown): Promise<Reply> {
  const wanted = /^\d{1,3}$/.test(String(size ?? "")) ? Number(size) : 0;
  if (wanted < 1 || wanted > 200) return error(400, "size is a number of links, 1 to 200");
  const [{ deployment }, { batchesOf }] = await Promise.all([import("./deployment.ts"), import("./parts.ts")]);
  const { federation } = await deployment();
  const body = { crosstrust: 1, deployment: federation.name, batches: batchesOf(federation.links, wanted) };
  return { status: 200, headers: closed, body: `${JSON.stringify(body)}\n` };
}

const closed = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

async function draw(body: string, format: "html" | "metrics", memory: Memory | undefined) {
  const [{ reportOf }, { deployment }, { pastOf }] = await Promise.all([
    import("../crosstrust/report.ts"),
    import("./deployment.ts"),
    import("../watch/past.ts"),
  ]);
  const [report, past] = [reportOf(body, (await deployment()).federation), pastOf(memory)];
  if (format === "metrics") {
    const { healthMetrics } = await import("../say/metrics.ts");
    const headers = { "content-type": "application/openmetrics-text; version=1.0.0; charset=utf-8" };
    return { headers, body: healthMetrics(report, past) };
  }
  const { healthHtml, policy } = await import("../say/html/page.ts");
  // What the page says of itself, and what only a header can say: nobody frames it.
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `${policy}; frame-ancestors 'none'`,
    "referrer-policy": "no-referrer",
  };
  return { headers, body: healthHtml(report, past) };
}
