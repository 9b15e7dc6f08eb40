import type { Host } from "../../../../sandbox/fake.ts";
import type { LogEntry } from "../logging.ts";
import type { StoredService } from "./store.ts";

/** One line that a service wrote. */
export interface Line {
  readonly line: string;
  readonly stream: "stdout" | "stderr";
}

/** The resource that Cloud Run's entries are of. */
export const revisionResource = ({ project, region, name, revision }: StoredService): LogEntry["resource"] => ({
  type: "cloud_run_revision",
  labels: {
    ...{ project_id: project, location: region, service_name: name },
    ...{ revision_name: revision, configuration_name: name },
  },
});

/**
 * A line as Cloud Logging takes it in: of JSON the special fields move out of the payload, text stays text and has
 * no severity (serverless.md, 7).
 */
export function entryOf(host: Host, service: StoredService, { line, stream }: Line): LogEntry {
  const common = {
    project: service.project,
    log: `run.googleapis.com%2F${stream}`,
    resource: revisionResource(service),
    timestamp: new Date(host.now()).toISOString(),
  };
  const payload = objectOf(line);
  if (!payload) return { ...common, textPayload: line };
  const { severity, time, timestamp, ...rest } = payload;
  const special = Object.entries(rest).filter(([key]) => key.startsWith("logging.googleapis.com/"));
  const moved = Object.fromEntries(special.map(([key, value]) => [key.split("/")[1] ?? "", value]));
  const kept = Object.fromEntries(Object.entries(rest).filter(([key]) => !key.startsWith("logging.googleapis.com/")));
  const at = typeof time === "string" ? time : timestamp;
  return {
    ...common,
    ...(typeof severity === "string" ? { severity: severity.toUpperCase() } : {}),
    ...(typeof at === "string" ? { timestamp: at } : {}),
    ...(typeof moved.trace === "string" ? { trace: moved.trace } : {}),
    ...(typeof moved.labels === "object" ? { labels: moved.labels as Record<string, string> } : {}),
    jsonPayload: kept,
  };
}

function objectOf(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
