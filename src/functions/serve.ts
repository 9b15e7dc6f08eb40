import type { Request, Response } from "@google-cloud/functions-framework";
import type { Federation, Finding, World } from "../model.ts";
import { CallerRefused, type Callers, checkCaller } from "./caller.ts";
import { type FunctionName, settings } from "./settings.ts";

/** What a function answers: a status, a document, and headers of its own. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request whose caller is known and whose body is a JSON object. */
export interface Call {
  readonly method: string;
  readonly query: Readonly<Record<string, unknown>>;
  /** The parsed JSON body; an empty object where none was sent. */
  readonly body: unknown;
  readonly world: World;
  /** The federation file of this deployment, and what lint says of it. */
  readonly federation: Federation;
  readonly linted: readonly Finding[];
  /** The caller's verified e-mail. */
  readonly caller: string;
}

/** A function: the methods it answers, and its work, which gets only requests that passed all checks. */
export interface Served {
  readonly methods: readonly string[];
  /** Decides as whom it goes to other clouds. */
  readonly name: FunctionName;
  readonly handle: (call: Call) => Promise<Reply>;
}

/** The limit of the fact sheet reliability-and-security, case 114. */
const maxBody = 256 * 1024;

/**
 * Around every function: path, method and body before anything is done, the caller before anything is read,
 * and one short JSON answer to every error. The framework has parsed the body before we see it (fact sheet
 * reliability-and-security, trap 8); what that means for memory is in docs/functions.md.
 */
export const serve =
  (served: Served) =>
  async (request: Request, response: Response): Promise<void> => {
    const reply = await answer(served, request).catch((error: unknown) => failed(error));
    response
      .status(reply.status)
      .set({ "content-type": "application/json", ...reply.headers })
      .send(reply.body);
  };

/** An answer in our own words; nothing that came in or went wrong stands in it. */
export const error = (status: number, says: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers,
  body: `${JSON.stringify({ error: says })}\n`,
});

/**
 * From the cheapest check to the dearest. A compressed body is refused although it is unpacked by now:
 * whoever sends one goes around the limit (fact sheet reliability-and-security, cases 112 to 115).
 */
async function answer(served: Served, request: Request): Promise<Reply> {
  if (request.path !== "/") return error(404, "there is nothing here");
  if (!served.methods.includes(request.method))
    return error(405, "another method is wanted", { allow: served.methods.join(", ") });
  if (request.headers["content-encoding"]) return error(415, "a compressed body is not read");
  if ((request.rawBody?.length ?? 0) > maxBody) return error(413, "the body is larger than 256 KiB");
  const { callers, world, federation, linted } = await settings(served.name);
  const caller = await checkCaller(
    { rawHeaders: request.rawHeaders, url: request.originalUrl },
    callers as Callers,
    world,
  );
  const body = bodyOf(request);
  if (body === undefined) return error(400, "a JSON object is wanted");
  return served.handle({ method: request.method, query: request.query, body, world, federation, linted, caller });
}

/**
 * Parsed again from the raw bytes: the framework's object may hold what a merge would turn into a prototype.
 */
function bodyOf(request: Request): unknown {
  const text = request.rawBody?.toString("utf8") ?? "";
  if (text === "") return {};
  if (!request.is("application/json")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A refused caller learns only that; of our own failures nothing leaves but that there was one. */
function failed(thrown: unknown): Reply {
  if (thrown instanceof CallerRefused) {
    log("WARNING", `refused a caller (${thrown.status}): ${thrown.message}`);
    return error(thrown.status, thrown.status === 401 ? "not authenticated" : "not allowed");
  }
  const name = thrown instanceof Error ? thrown.name : "unknown";
  log("ERROR", `the tool failed: ${name}`);
  return error(500, "the tool failed");
}

/** One line of structured logging; the platform reads `severity`. It must never hold anything of a token. */
export function log(severity: "INFO" | "WARNING" | "ERROR", message: string): void {
  process.stdout.write(`${JSON.stringify({ severity, message, time: new Date().toISOString() })}\n`);
}
