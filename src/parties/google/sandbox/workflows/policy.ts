import type { Desk } from "./desk.ts";
import { dotted } from "./expression.ts";
import type { Retry } from "./program.ts";
import type { Node } from "./read.ts";
import type { Template } from "./template.ts";
import { isList, isMap, type Value } from "./values.ts";

const plain = (value: Value): Template => ({ is: "plain", value });
/** Five more attempts, 1 s, a quarter longer each time, never more than 60 s (serverless.md 5.3, secondary). */
const backoff = { initial: plain(1n), longest: plain(60n), multiplier: plain(1.25) };
const policies: Readonly<Record<string, Retry>> = {
  "http.default_retry": { predicate: "http.default_retry_predicate", max: plain(5n), ...backoff },
  "http.default_retry_non_idempotent": {
    predicate: "http.default_retry_predicate_non_idempotent",
    max: plain(5n),
    ...backoff,
  },
};

/** Tags that every attempt over HTTP may end in. */
type Own = (codes: readonly bigint[], tags: readonly string[]) => (error: Value) => boolean;
const any: Own = (codes, tags) => (error) => {
  if (!isMap(error)) return false;
  const [code, its] = [error.get("code"), error.get("tags") ?? null];
  const tagged = isList(its) && its.some((tag) => typeof tag === "string" && tags.includes(tag));
  return tagged || (typeof code === "bigint" && codes.includes(code));
};

/** The predicates of the library (serverless.md 5.3, secondary): 500 is in none of them (trap 16). */
export const predicates: ReadonlyMap<string, (error: Value) => boolean> = new Map([
  [
    "http.default_retry_predicate",
    any([429n, 502n, 503n, 504n], ["ConnectionError", "ConnectionFailedError", "TimeoutError"]),
  ],
  ["http.default_retry_predicate_non_idempotent", any([429n, 503n], ["ConnectionFailedError"])],
  ["retry.always", () => true],
  ["retry.never", () => false],
]);

/** `${http.default_retry}`, or a map with a predicate, a count and a backoff. */
export function retryOf(node: Node, desk: Desk): Retry | undefined {
  if (node.is === "scalar") {
    const found = policies[functionOf(desk.template(node)) ?? ""];
    if (!found) desk.say(node.line, "retry is a policy of http, or a map with predicate, max_retries and backoff");
    return found;
  }
  const fields = desk.fields(node, "retry", ["predicate", "max_retries", "backoff"]);
  const [given, max, pause] = [fields.get("predicate"), fields.get("max_retries"), fields.get("backoff")];
  const predicate = given && functionOf(desk.template(given));
  if (predicate === undefined) desk.say(node.line, "predicate names a function, as an expression");
  if (!max || !pause) desk.say(node.line, "retry needs max_retries and backoff");
  if (!max || !pause || predicate === undefined) return undefined;
  return { predicate, max: numberOf(max, desk), ...backoffOf(pause, desk) };
}

function backoffOf(node: Node, desk: Desk): typeof backoff {
  if (node.is === "scalar") {
    if (functionOf(desk.template(node)) !== "retry.default_backoff")
      desk.say(node.line, "backoff is a map, or retry.default_backoff");
    return backoff;
  }
  const fields = desk.fields(node, "backoff", ["initial_delay", "max_delay", "multiplier"]);
  const of = (name: string): Template => {
    const given = fields.get(name);
    if (!given) desk.say(node.line, `backoff needs ${name}`);
    return given ? numberOf(given, desk) : plain(1n);
  };
  return { initial: of("initial_delay"), longest: of("max_delay"), multiplier: of("multiplier") } as typeof backoff;
}

/** The service takes fractions and expressions too, which the schema does not (serverless.md 6.1). */
function numberOf(node: Node, desk: Desk): Template {
  const found = desk.template(node);
  const number = found.is === "plain" && (typeof found.value === "bigint" || typeof found.value === "number");
  if (!number && found.is !== "expression") desk.say(node.line, "a number is wanted");
  return found;
}

const functionOf = (template: Template): string | undefined =>
  template.is === "expression" ? dotted(template.of) : undefined;
