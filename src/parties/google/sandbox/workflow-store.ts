import { GoogleError } from "./rest.ts";
import { compile, sayProblem } from "./workflows/compile.ts";

/** A workflow as the API shows it; `serviceAccount` as `projects/P/serviceAccounts/EMAIL`. */
export interface StoredWorkflow {
  readonly name: string;
  readonly state: string;
  readonly revisionId: string;
  readonly revisionCreateTime?: string;
  readonly createTime: string;
  readonly updateTime?: string;
  readonly serviceAccount: string;
  readonly sourceContents: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly userEnvVars?: Readonly<Record<string, string>>;
  /** Kept and told; calls themselves are not logged here. */
  readonly callLogLevel?: string;
}

/** `name` is the whole resource name. */
export const keyOf = (name: string): string => `google.workflow/${name}`;

export const invalid = (says: string): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], says);

const levels = ["CALL_LOG_LEVEL_UNSPECIFIED", "LOG_ALL_CALLS", "LOG_ERRORS_ONLY", "LOG_NONE"];

/** Throws 400 with all that is wrong with the source, or with what belongs to it (serverless.md 5.4, 5.6). */
export function checkWorkflow({ sourceContents, labels = {}, userEnvVars = {}, callLogLevel }: StoredWorkflow): void {
  const { problems } = compile(sourceContents);
  if (problems.length > 0) throw invalid(problems.map(sayProblem).join("\n"));
  if (Object.keys(labels).length > 64) throw invalid("A workflow has at most 64 labels.");
  for (const text of Object.entries(labels).flat())
    if (!/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(text)) throw invalid(`Not a label: ${text}`);
  if (callLogLevel !== undefined && !levels.includes(callLogLevel))
    throw invalid(`Not a call log level: ${callLogLevel}`);
  checkVariables(userEnvVars);
}

function checkVariables(variables: Readonly<Record<string, string>>): void {
  const all = Object.entries(variables);
  if (all.length > 20) throw invalid("A workflow has at most 20 environment variables.");
  for (const [name, value] of all) {
    if (name === "" || /^(?:GOOGLE|WORKFLOWS)/.test(name)) throw invalid(`${name} cannot be an environment variable.`);
    if (typeof value !== "string" || Buffer.byteLength(`${name}=${value}`) > 4096)
      throw invalid(`The environment variable ${name} is a text of at most 4 KiB with its name.`);
  }
}
