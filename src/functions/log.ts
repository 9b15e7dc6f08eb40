import { AsyncLocalStorage } from "node:async_hooks";
import { redact } from "../run/cloud-error.ts";

/** Those of Cloud Logging that we use. */
export type Severity = "INFO" | "NOTICE" | "WARNING" | "ERROR";
type Fields = Readonly<Record<string, unknown>>;

const context = new AsyncLocalStorage<Fields>();

/** Every line that is written while `work` runs carries these fields: which request it belongs to. */
export const withFields = <T>(fields: Fields, work: () => T): T => context.run(fields, work);

/**
 * One line of structured logging on stdout, as Cloud Logging reads it: `severity`, `message`, `time`; all other fields
 * can be filtered by (serverless.md, 7). The message is redacted, because it may quote what others said; `fields` are
 * names, counts and codes, never a text of a cloud.
 */
export function log(severity: Severity, message: string, fields: Fields = {}): void {
  const line = { severity, message: redact(message), time: new Date().toISOString(), ...fields, ...context.getStore() };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** What the framework says in fixed words; anything else may quote a body, or hold a stack. */
const fixed = /^(Uncaught exception|Unhandled rejection|Exception from a finished function)\b/;

/**
 * Called before the framework makes its server. It prints what it could not parse, and sends stacks to the caller
 * unless it runs in production (fact sheet reliability-and-security, traps 6 and 8): so it does, and of its errors
 * only the name is logged.
 */
export function muffleFramework(): void {
  process.env.NODE_ENV ??= "production";
  if (process.env.NODE_ENV !== "production") return;
  console.error = (...said: readonly unknown[]) => {
    const text = String(said[0]);
    const name = fixed.exec(text)?.[0] ?? /^\w*(Error|Exception)\b/.exec(text)?.[0] ?? "something";
    log("ERROR", `the framework reports: ${name}`, { event: "crosstrust.framework" });
  };
}
