import type { Verdict } from "../model.ts";
import { type Asked, error, type Reply } from "./serve.ts";

/** Also the name under which the command line stores it: the report is the same. */
export const reportName = "health-last";

/** The stored document as it is. Nothing is checked anew, so it costs no call of a cloud, and loads nothing for one. */
export async function lastReport({ world, query }: Asked): Promise<Reply> {
  if (query.format !== undefined && query.format !== "json") return error(400, "format is json; html is not built yet");
  const stored = await world.store.read(reportName);
  if (stored === undefined) return error(404, "there is no report yet");
  const { verdict } = JSON.parse(stored) as { verdict: Verdict };
  return { status: 200, headers: { "crosstrust-verdict": verdict }, body: stored };
}
