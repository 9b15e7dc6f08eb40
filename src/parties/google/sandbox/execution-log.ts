import type { Host } from "../../../sandbox/fake.ts";
import { may } from "./access.ts";
import { type LogEntry, noteLog } from "./logging.ts";
import type { StoredWorkflow } from "./workflow-store.ts";
import { toJson } from "./workflows/json.ts";
import type { LogLine } from "./workflows/machine.ts";
import { fault, isMap } from "./workflows/values.ts";

/** A log line of an execution; `at` in epoch milliseconds of its own clock. */
export interface Logged {
  readonly line: LogLine;
  readonly workflow: StoredWorkflow;
  /** Of the execution, whole. */
  readonly name: string;
  readonly at: number;
}

/**
 * Needs `roles/logging.logWriter` on the account (serverless.md 5.7). That a missing role raises, and with which tag, is
 * unverified: here it does, so that nobody deploys without it.
 */
export function logLine({ line, workflow, name, at }: Logged, host: Host): void {
  const [, project = "", , location = "", , id = "", , execution = ""] = name.split("/");
  const email = workflow.serviceAccount.split("/").at(-1) ?? "";
  const permission = "logging.logEntries.create";
  if (!may({ member: `serviceAccount:${email}`, email }, { permission, project }, host))
    throw fault("SystemError", `Permission '${permission}' denied on resource (or it may not exist).`);
  noteLog(host, {
    project,
    // The name of the log and its labels are unverified.
    log: "Workflows",
    resource: {
      type: "workflows.googleapis.com/Workflow",
      labels: { project_id: project, location, workflow_id: id },
    },
    labels: {
      "workflows.googleapis.com/execution_id": execution,
      "workflows.googleapis.com/revision_id": workflow.revisionId,
    },
    severity: line.severity,
    timestamp: new Date(at).toISOString(),
    ...payloadOf(line),
  });
}

/** A map is a payload of fields, all else a text. */
function payloadOf({ data }: LogLine): Pick<LogEntry, "jsonPayload" | "textPayload"> {
  const json = toJson(data);
  return isMap(data) ? { jsonPayload: JSON.parse(json) } : { textPayload: typeof data === "string" ? data : json };
}
