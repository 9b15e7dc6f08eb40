import type { Desk } from "./desk.ts";
import type { Expression } from "./expression.ts";
import { blocking, library } from "./library/index.ts";
import { predicates } from "./policy.ts";
import type { Call, Param, Program, Step } from "./program.ts";
import type { Template } from "./template.ts";
import { expressionsOf } from "./walk.ts";

/** Everything that a step calls, by `call`, in expressions and as a predicate. */
export function checkCalls({ action, line }: Step, program: Program, desk: Desk): void {
  const say = (says: string): void => desk.say(line, says);
  for (const expression of expressionsOf(action)) if (expression.is === "call") checkFunction(expression, program, say);
  if (action.does === "call") checkCall(action, program, say);
  const name = action.does === "try" ? action.retry?.predicate : undefined;
  if (name === undefined || predicates.has(name)) return;
  const predicate = program.routines.get(name);
  if (!predicate) say(`the predicate ${name} is not known`);
  else if (predicate.params.length !== 1) say(`the predicate ${name} takes one parameter, the error`);
}

type Say = (says: string) => void;

/** By position; what waits cannot stand in an expression (serverless.md 5.1). */
function checkFunction({ name, args }: Expression & { is: "call" }, program: Program, say: Say): void {
  const routine = name === "main" ? undefined : program.routines.get(name);
  const builtin = library.get(name);
  const params = builtin?.params ?? routine?.params ?? [];
  const required = builtin ? builtin.required : needed(routine?.params ?? []).length;
  if (blocking.has(name)) say(`${name} waits, so it is called by a step and not in an expression`);
  else if (!routine && !builtin) say(`the function ${name} is not known`);
  else if (args.length < required || args.length > params.length)
    say(`${name} takes ${required === params.length ? required : `${required} to ${params.length}`} arguments`);
}

const needed = (params: readonly Param[]): readonly string[] =>
  params.filter(({ otherwise }) => otherwise === undefined).map(({ name }) => name);

function checkCall({ target, args }: Call, program: Program, say: Say): void {
  const known = target === "main" ? undefined : signatureOf(target, program);
  if (!known) {
    const connector = target.startsWith("googleapis.");
    say(connector ? `the connector ${target} is not played` : `${target} is no function and no subworkflow`);
    return;
  }
  for (const name of args.keys()) if (!known.params.includes(name)) say(`${target} has no argument ${name}`);
  for (const name of known.required) if (!args.has(name)) say(`${target} needs the argument ${name}`);
  if (target === "sys.log" && !["data", "text", "json"].some((name) => args.has(name)))
    say("sys.log needs data, text or json");
  if (target.startsWith("http.")) checkHttp(args, say);
}

function signatureOf(target: string, program: Program) {
  const routine = program.routines.get(target);
  if (routine) return { params: routine.params.map(({ name }) => name), required: needed(routine.params) };
  const builtin = library.get(target);
  if (builtin) return { params: builtin.params, required: builtin.params.slice(0, builtin.required) };
  const params = blocking.get(target);
  return params && { params, required: requiredOf[target] ?? ["url"] };
}

const requiredOf: Readonly<Record<string, readonly string[]>> = {
  "http.request": ["url", "method"],
  "sys.sleep": ["seconds"],
  "sys.sleep_until": ["time"],
  "sys.log": [],
};
const methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/** What the schema demands of the arguments of a request (serverless.md 6.1), as far as it shows before the run. */
function checkHttp(args: Call["args"], say: Say): void {
  const shape = (name: string, fine: (given: Template) => boolean, wants: string): void => {
    const given = args.get(name);
    if (given && !fine(given)) say(`${name} is ${wants}`);
  };
  const plain = (type: string) => (given: Template) => given.is === "plain" && typeof given.value === type;
  const computed = (given: Template): boolean => given.is === "expression";
  const url = (given: Template) => computed(given) || (plain("string")(given) && isUrl(given));
  const seconds = (given: Template) => computed(given) || plain("bigint")(given) || plain("number")(given);
  shape("url", url, "an http URL or an expression");
  shape("method", (given) => given.is === "plain" && methods.includes(String(given.value)), "a literal method");
  shape("headers", (given) => given.is === "map" && given.entries.length > 0, "a map with entries");
  shape("body", (given) => given.is !== "list" && (given.is !== "plain" || bodies(given)), "a map, a text or null");
  shape("query", (given) => given.is === "map" || computed(given), "a map or an expression");
  shape("timeout", seconds, "a number of seconds");
  shape("auth", isAuth, "a map with type OIDC or OAuth2, and audience, scope or scopes");
}

const bodies = (given: Template & { is: "plain" }): boolean => given.value === null || typeof given.value === "string";
const isUrl = (given: Template): boolean =>
  given.is === "plain" && URL.canParse(String(given.value)) && /^https?:/.test(String(given.value));

function isAuth(given: Template): boolean {
  if (given.is !== "map") return false;
  const fields = new Map(given.entries.map(([key, value]) => [key.is === "plain" ? key.value : "", value]));
  const type = fields.get("type");
  if (type?.is !== "plain" || (type.value !== "OIDC" && type.value !== "OAuth2")) return false;
  return [...fields.keys()].every((key) => ["type", "scope", "scopes", "audience"].includes(String(key)));
}
