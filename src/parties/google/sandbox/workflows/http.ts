import type { Delivered } from "../../../../sandbox/fake.ts";
import { fromJson, toJson } from "./json.ts";
import type { Auth, Outer } from "./machine.ts";
import { fault, isList, isMap, isNumber, type Tag, typeOf, type Value } from "./values.ts";

type Args = ReadonlyMap<string, Value>;

/** Seconds. The real default is disputed, 300 or 1800 (serverless.md 5.2): a file of ours always sets it. */
const timeouts = { most: 1800, default: 300 } as const;

/** One HTTP call. A status from 400 on raises HttpError with code, headers and body (serverless.md 5.3). */
export async function request(verb: string, args: Args, outer: Outer): Promise<Value> {
  const body = bodyOf(args.get("body") ?? null, headersOf(args.get("headers") ?? null));
  const authorization = authorizationOf(args, outer);
  const answer = await outer.send({
    method: verb === "request" ? textOf(args.get("method"), "method") : verb.toUpperCase(),
    url: urlOf(args),
    headers: { ...body.headers, ...authorization, "user-agent": agentOf(body.headers) },
    body: body.bytes,
    timeout: timeoutOf(args.get("timeout")) * 1000,
  });
  return resultOf(answer);
}

/** What a service sees of it has a suffix of Workflows' own (serverless.md 5.2, secondary). */
const agentOf = (headers: Readonly<Record<string, string>>): string =>
  [headers["user-agent"], "GoogleWorkflows; (+https://cloud.google.com/workflows/docs)"].filter(Boolean).join(" ");

function textOf(value: Value | undefined, what: string): string {
  if (typeof value !== "string") throw fault("TypeError", `${what} is a string, not ${typeOf(value ?? null)}`);
  return value;
}

function headersOf(given: Value): Record<string, string> {
  if (given === null) return {};
  if (!isMap(given)) throw fault("TypeError", "headers are a map");
  return Object.fromEntries([...given].map(([name, value]) => [name.toLowerCase(), textOf(value, `header ${name}`)]));
}

function urlOf(args: Args): string {
  const text = textOf(args.get("url"), "url");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw fault("ValueError", `not an http URL: ${text}`);
  const query = args.get("query") ?? null;
  if (query === null) return text;
  if (!isMap(query)) throw fault("TypeError", "query is a map");
  for (const [name, value] of query)
    for (const one of isList(value) ? value : [value]) url.searchParams.append(name, scalar(one));
  return url.href;
}

function scalar(value: Value): string {
  if (typeof value === "string" || typeof value === "boolean" || isNumber(value)) return String(value);
  throw fault("TypeError", `a query parameter cannot be ${typeOf(value)}`);
}

/** Without a content type bytes go as such, and all else as JSON (serverless.md 5.2). */
function bodyOf(value: Value, headers: Record<string, string>) {
  if (value === null) return { headers, bytes: undefined };
  const type = headers["content-type"];
  if (value instanceof Uint8Array)
    return { headers: { "content-type": "application/octet-stream", ...headers }, bytes: value };
  // A text under a type that is not JSON is sent as it is; that is our reading.
  const plain = typeof value === "string" && type !== undefined && !isJson(type);
  const bytes = new TextEncoder().encode(plain ? String(value) : toJson(value));
  return { headers: { "content-type": "application/json; charset=utf-8", ...headers }, bytes };
}

function timeoutOf(value: Value | undefined): number {
  const seconds = value ?? timeouts.default;
  if (!isNumber(seconds)) throw fault("TypeError", "timeout is a number of seconds");
  if (seconds <= 0 || seconds > timeouts.most) throw fault("ValueError", `timeout is at most ${timeouts.most} s`);
  return Number(seconds);
}

function authorizationOf(args: Args, outer: Outer): Record<string, string> {
  const auth = args.get("auth") ?? null;
  if (auth === null) return {};
  if (!isMap(auth)) throw fault("TypeError", "auth is a map");
  return { authorization: `Bearer ${outer.token(authOf(auth, textOf(args.get("url"), "url")))}` };
}

/** The audience of an ID token is the URL unless one is named (serverless.md 5.2). */
function authOf(auth: ReadonlyMap<string, Value>, url: string): Auth {
  if (auth.get("type") === "OIDC") return { type: "OIDC", audience: textOf(auth.get("audience") ?? url, "audience") };
  const scope = auth.get("scopes") ?? auth.get("scope") ?? "https://www.googleapis.com/auth/cloud-platform";
  const scopes = isList(scope) ? scope.map((one) => textOf(one, "scope")) : textOf(scope, "scope").split(/[ ,]+/);
  return { type: "OAuth2", scopes };
}

const tags = {
  refused: "ConnectionFailedError",
  reset: "ConnectionError",
  timeout: "TimeoutError",
  "too-large": "ResourceLimitError",
} as const satisfies Record<string, Tag>;

function resultOf(answer: Delivered): Value {
  if ("failure" in answer) throw fault(tags[answer.failure], answer.says);
  const { status, headers, body } = answer;
  const parts = {
    code: BigInt(status),
    headers: new Map<string, Value>(Object.entries(headers)),
    body: parsed(body, headers["content-type"] ?? ""),
  };
  if (status >= 400) throw fault("HttpError", `HTTP server responded with error code ${status}`, parts);
  return new Map<string, Value>(Object.entries(parts));
}

const isJson = (type: string): boolean => /^application\/(?:[\w.-]+\+)?json\b/i.test(type);

/** JSON arrives parsed, texts as strings, the rest as bytes. JSON that is none stays a text: unverified. */
function parsed(body: Uint8Array, type: string): Value {
  const text = new TextDecoder().decode(body);
  if (isJson(type)) {
    try {
      return fromJson(text);
    } catch {
      return text;
    }
  }
  return type === "" || /^(?:text\/|application\/(?:xml|x-www-form-urlencoded))/i.test(type) ? text : body;
}
