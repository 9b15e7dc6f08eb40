import { finished } from "node:stream/promises";
import type { Request, Response } from "@google-cloud/functions-framework";
import type { World } from "../model.ts";
import { bearerOf, CallerRefused } from "./bearer.ts";
import { useCodeCache } from "./compiled.ts";
import type { Deployment, FunctionName } from "./deployment.ts";
import { log, muffleFramework, withFields } from "./log.ts";
import { finishing, stopping } from "./stop.ts";
import { traceFields } from "./trace.ts";

export { log } from "./log.ts";

/** What a function answers: a status, a document, and headers of its own. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request whose caller is known. */
export interface Asked {
  readonly query: Readonly<Record<string, unknown>>;
  readonly world: World;
  /** The caller's verified e-mail. */
  readonly caller: string;
}

/** A request for work: its body is a JSON object. */
export interface Sent extends Asked {
  /** The parsed JSON body; an empty object where none was sent. */
  readonly body: unknown;
}

/** The same, and the federation file was read. */
export interface Call extends Sent, Deployment {}

/** A function: the methods it answers, and its work, which gets only requests that passed all checks. */
export interface Served {
  readonly methods: readonly string[];
  /** Decides as whom it goes to other clouds. */
  readonly name: FunctionName;
  /** Answers a `GET`, from what is stored. */
  readonly read?: (asked: Asked) => Promise<Reply>;
  readonly handle: (sent: Sent) => Promise<Reply>;
}

/** The limit of the fact sheet reliability-and-security, case 114. */
const maxBody = 256 * 1024;

/**
 * Around every function: path, method and body before anything is done, the caller before anything is read,
 * and one short JSON answer to every error. The framework has parsed the body before we see it (fact sheet
 * reliability-and-security, trap 8); what that means for memory is in docs/functions.md.
 */
export const serve = (served: Served): ((request: Request, response: Response) => Promise<void>) => {
  muffleFramework();
  withoutDomains();
  useCodeCache();
  return (request, response) =>
    withFields(fieldsOf(request), () =>
      finishing(async () => {
        const reply = await answer(served, request).catch((error: unknown) => failed(error));
        const id = executionOf(request);
        response
          .status(reply.status)
          .set({ "content-type": "application/json", ...(id ? { "function-execution-id": id } : {}), ...reply.headers })
          .send(reply.body);
        // Whoever asked may be gone: what was done is done.
        await finished(response).catch(() => {});
      }),
    );
};

/**
 * The framework runs each request in a `domain`, whose hooks then see every promise that anybody makes: a fifth of what a
 * check costs. It is there to swallow errors after the answer, and there is nothing of ours that may fail unseen. What it
 * gets instead runs its work, and no more.
 */
function withoutDomains(): void {
  const plain = { on: () => plain, run: <T>(work: () => T): T => work() };
  process.getBuiltinModule("node:domain").create = () => plain as never;
}

/** The framework makes one, or takes what the caller sent: only what looks like one goes into a log or an answer. */
const executionOf = ({ executionId = "" }: Request) => (/^[\w-]{1,64}$/.test(executionId) ? executionId : undefined);

/** By these a log line is found from its request; the id is in every answer, so that a caller can name it. */
const fieldsOf = (request: Request) => ({
  ...traceFields(request.headers, process.env.GOOGLE_CLOUD_PROJECT),
  "logging.googleapis.com/labels": { execution_id: executionOf(request) },
});

/** An answer in our own words; nothing that came in or went wrong stands in it. */
export const error = (status: number, says: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers,
  body: `${JSON.stringify({ error: says })}\n`,
});

/** Retry-After in seconds: a run takes about that long. */
export const busy: Reply = {
  status: 202,
  headers: { "retry-after": "30" },
  body: `${JSON.stringify({ state: "another run is in progress" })}\n`,
};

/** For a request that came too late, and for a run that was cut short: another instance takes it. */
export const stopped: Reply = error(503, "this instance is stopping", { "retry-after": "1", connection: "close" });

/**
 * From the cheapest check to the dearest. A compressed body is refused although it is unpacked by now:
 * whoever sends one goes around the limit (fact sheet reliability-and-security, cases 112 to 115).
 */
async function answer(served: Served, request: Request): Promise<Reply> {
  if (request.path !== "/") return error(404, "there is nothing here");
  if (!served.methods.includes(request.method))
    return error(405, "another method is wanted", { allow: served.methods.join(", ") });
  if (stopping.aborted) return stopped;
  if (request.headers["content-encoding"]) return error(415, "a compressed body is not read");
  if ((request.rawBody?.length ?? 0) > maxBody) return error(413, "the body is larger than 256 KiB");
  const token = bearerOf({ rawHeaders: request.rawHeaders, url: request.originalUrl });
  (await import("./lean.ts")).lean();
  const late = await import("./late.ts");
  const { callers, world } = await late.settings(served.name);
  const caller = await late.checkCaller(token, callers, world);
  const asked = { query: request.query, world, caller };
  if (request.method === "GET" && served.read) return served.read(asked);
  const body = bodyOf(request);
  if (body === undefined) return error(400, "a JSON object is wanted");
  return served.handle({ ...asked, body });
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
