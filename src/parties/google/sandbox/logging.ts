import type { Host } from "../../../sandbox/fake.ts";
import { principalOf, require_, requireApi } from "./access.ts";
import { type Filter, parseFilter, severities } from "./log-filter.ts";
import { metricRoutes } from "./log-metrics.ts";
import { GoogleError, type RestCall, type Route, restFake } from "./rest.ts";
import { projectOf } from "./store.ts";

/** One entry as it is noted. Kept as `google.log/NUMBER`, in the order of coming. */
export interface LogEntry {
  readonly project: string;
  /** The id of the log, percent-encoded: `run.googleapis.com%2Fstdout`. */
  readonly log: string;
  readonly resource: { readonly type: string; readonly labels: Readonly<Record<string, string>> };
  /** RFC 3339 */
  readonly timestamp: string;
  /** Absent: `DEFAULT`. */
  readonly severity?: string;
  readonly textPayload?: string;
  readonly jsonPayload?: Readonly<Record<string, unknown>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly trace?: string;
}

/** How many entries are kept; in life it is thirty days. */
const kept = 2000;

/** Adds one entry, and forgets the oldest. */
export function noteLog(host: Host, entry: LogEntry): void {
  const at = host.state.next("google.log");
  host.state.put(keyOf(at), entry);
  if (at > kept) host.state.delete(keyOf(at - kept));
}

const keyOf = (at: number): string => `google.log/${String(at).padStart(9, "0")}`;

const routes: readonly Route[] = [
  { method: "POST", pattern: /^\/v2\/entries:list$/, operation: "ListLogEntries", write: false, run: list },
  ...metricRoutes,
];

/** Cloud Logging v2: what was noted, by the part of the filter language that `log-filter.ts` reads. */
export const logging = restFake({ service: "google.logging", hosts: ["logging.googleapis.com"], routes }, principalOf);

const invalid = (says: string): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], says);

/** The oldest first, unless asked otherwise; the page token is an offset. */
function list({ body, host, principal }: RestCall) {
  const {
    resourceNames = [],
    filter = "",
    orderBy = "timestamp asc",
    pageSize = 50,
    pageToken = "0",
  } = body as {
    resourceNames?: readonly string[];
    filter?: string;
    orderBy?: string;
    pageSize?: number;
    pageToken?: string;
  };
  const projects = resourceNames.map((name) => /^projects\/([^/]+)$/.exec(name)?.[1]);
  if (projects.length === 0 || projects.includes(undefined)) throw invalid("Entries are listed by project here.");
  const ids = projects.map((name) => projectOf(host, name ?? "").id);
  for (const project of ids) {
    requireApi(host, project, "logging.googleapis.com");
    require_(principal, { permission: "logging.logEntries.list", project }, host);
  }
  const fits: Filter = parseFilter(filter);
  const all = host.view.list<LogEntry>("google.log/").flatMap(([key, entry]) => {
    const one = shown(key, entry);
    return ids.includes(entry.project) && fits(one) ? [one] : [];
  });
  const sorted = all.sort((a, b) => a.timestamp.localeCompare(b.timestamp));
  if (orderBy === "timestamp desc") sorted.reverse();
  const from = Number(pageToken);
  const entries = sorted.slice(from, from + pageSize);
  const more = from + pageSize < sorted.length ? { nextPageToken: String(from + pageSize) } : {};
  return { ...(entries.length > 0 ? { entries } : {}), ...more };
}

const shown = (key: string, { project, log, severity, ...entry }: LogEntry) => ({
  insertId: key.split("/")[1] ?? "",
  logName: `projects/${project}/logs/${log}`,
  ...entry,
  severity: severity !== undefined && severities.includes(severity) ? severity : "DEFAULT",
  receiveTimestamp: entry.timestamp,
});
