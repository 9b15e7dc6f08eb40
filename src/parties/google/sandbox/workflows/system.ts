import type { Outer } from "./machine.ts";
import { fault, isNumber, type Value } from "./values.ts";

type Args = ReadonlyMap<string, Value>;

const severities = ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"];

/** `sys.log`: one of `data`, `text` and `json`. */
export function log(args: Args, outer: Outer): Value {
  const severity = args.get("severity") ?? "DEFAULT";
  if (typeof severity !== "string" || !severities.includes(severity))
    throw fault("ValueError", `severity is one of ${severities.join(", ")}`);
  outer.log({ severity, data: args.get("json") ?? args.get("text") ?? args.get("data") ?? null });
  return null;
}

/** `sys.sleep` by seconds, `sys.sleep_until` to a time of RFC 3339. */
export async function sleep(target: string, args: Args, { clock }: Outer): Promise<Value> {
  const given = args.get("seconds") ?? args.get("time") ?? null;
  const until = target === "sys.sleep_until" ? Date.parse(String(given)) : Number.NaN;
  const seconds = target === "sys.sleep_until" ? (until - clock.now()) / 1000 : given;
  if (!isNumber(seconds) || Number.isNaN(Number(seconds))) throw fault("TypeError", `${target} is told no time`);
  await clock.sleep(Math.max(0, Number(seconds)) * 1000);
  return null;
}
