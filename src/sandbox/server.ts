import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { ascii } from "../model.ts";
import { type Exchange, Tunnels } from "./connect.ts";
import { control } from "./control.ts";
import type { Fake, FakeAnswer, FakeRequest, Operation } from "./fake.ts";
import type { FaultRule } from "./faults.ts";
import { hostMatches } from "./names.ts";
import type { Sandbox } from "./sandbox.ts";

/** Bytes, where a service does not ask for more. */
const maxBody = 1024 * 1024;

/** `close` lets calls in flight finish for half a second. */
export interface Listening {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * The one listener, on 127.0.0.1 only. Hosts it does not play get 502; nothing is ever forwarded. Requests
 * wait until `ready` gives the sandbox: the port must be known before the state's lock is taken, and the lock
 * before it is read.
 */
export async function listen(ready: Promise<Sandbox>, port = 0): Promise<Listening> {
  const server = http.createServer((request, response) => {
    ready.then((sandbox) => answer(sandbox, { request, response })).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 30_000;
  const tunnels = new Tunnels(ready, answer);
  server.on("connect", (request, socket, head) => tunnels.open(request.url ?? "", socket as Socket, head));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
      tunnels.closeIdle();
      setTimeout(() => {
        server.closeAllConnections();
        tunnels.closeAll();
      }, 500).unref();
    });
  return { url: `http://127.0.0.1:${bound}`, port: bound, close };
}

/** Control calls first, then the service that is meant, by host, prefix or path. */
async function answer(sandbox: Sandbox, exchange: Exchange): Promise<void> {
  const { request, response, tunnel } = exchange;
  const { request: received, whole } = await receive(sandbox.fakes, exchange);
  if (tunnel !== undefined && received.host !== tunnel) return send(sandbox, response, { status: 421, body: "" });
  const own = tunnel === undefined && /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(received.host);
  if (received.path.startsWith("/_sandbox/")) {
    // Never through the proxy and never from a web page: it hands out what the sandbox issued.
    const direct = own && request.url?.startsWith("/") && !request.headers.origin;
    if (!whole) return send(sandbox, response, tooLarge);
    return send(sandbox, response, direct ? await control(sandbox, received) : { status: 403, body: "" });
  }
  const routed = route(sandbox, received, own);
  // Whoever plays nothing of it needs no body: a large upload is told what it is, too.
  const isUnplayed = sandbox.unplayed.some((one) => one === routed?.fake);
  if (!whole && !isUnplayed) return send(sandbox, response, tooLarge);
  if (!routed) return send(sandbox, response, nothing(received, own));
  await serve(sandbox, routed, exchange);
}

const tooLarge: FakeAnswer = { status: 413, body: "" };

/** At its own address nothing is there (404); for another host it is a proxy that does not go there (502). */
const nothing = (request: FakeRequest, own: boolean): FakeAnswer => ({
  status: own ? 404 : 502,
  headers: { "content-type": "text/plain" },
  body: own
    ? `the sandbox has nothing at ${request.method} ${request.path}\n`
    : `the sandbox does not play ${request.host}\n`,
});

interface Received {
  readonly request: FakeRequest;
  /** Whether the body is all there. */
  readonly whole: boolean;
}

/**
 * The request. One that is too large is read to its end all the same, because a client that is cut off while it sends
 * sees a reset and no answer.
 */
async function receive(fakes: readonly Fake[], exchange: Exchange): Promise<Received> {
  const head = headOf(exchange);
  const limit = Math.max(maxBody, ...fakes.map((fake) => (meant(fake, head) ? (fake.maxBody ?? 0) : 0)));
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of exchange.request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  return { request: { ...head, body: Buffer.concat(chunks) }, whole: size <= limit };
}

function headOf({ request, tunnel }: Exchange): Omit<FakeRequest, "body"> {
  // Through the proxy the request line is absolute, and its host is the one that is meant.
  const target = request.url ?? "/";
  const scheme = tunnel === undefined ? "http" : "https";
  const url = new URL(target.startsWith("/") ? `${scheme}://${request.headers.host ?? "127.0.0.1"}${target}` : target);
  const headers = Object.entries(request.headers).map(([key, value]) => [key, String(value)] as const);
  return {
    method: request.method ?? "GET",
    host: url.port && !url.hostname.startsWith("127.") ? url.hostname : url.host,
    sentPath: url.pathname,
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(headers),
  };
}

/** By real host or by prefix: told without the body. */
const meant = (fake: Fake, { host, path }: Omit<FakeRequest, "body">): boolean =>
  fake.hosts.some((pattern) => hostMatches(pattern, host.replace(/:\d+$/, ""))) || path.startsWith(prefixOf(fake));

const prefixOf = (fake: Fake): string => `/${fake.service.replace(".", "/")}/`;

interface Routed {
  readonly fake: Fake;
  readonly request: FakeRequest;
}

/**
 * By real host, else by who signed for what, else by prefix (`/aws/iam`, `/google/iam/`), else by whoever owns such a
 * request at the root. What no service takes is a cloud's that plays nothing of it, where it can be told.
 */
function route({ fakes, unplayed }: Sandbox, request: FakeRequest, own: boolean): Routed | undefined {
  if (!own) {
    const host = request.host.replace(/:\d+$/, "");
    const isThere = (candidate: Fake) => candidate.hosts.some((pattern) => hostMatches(pattern, host));
    // Clouds share 169.254.169.254: of several at one host it is the one that knows the path.
    const there = fakes.filter(isThere);
    const fake = there.find((candidate) => candidate.owns(request)) ?? there[0] ?? unplayed.find(isThere);
    return fake && { fake, request };
  }
  const claimed = unplayed.find((candidate) => candidate.claims(request));
  if (claimed) return { fake: claimed, request };
  for (const fake of fakes) {
    const prefix = `/${fake.service.replace(".", "/")}`;
    if (request.path === prefix || request.path.startsWith(`${prefix}/`)) {
      return { fake, request: { ...request, path: request.path.slice(prefix.length) || "/" } };
    }
  }
  const fake = [...fakes, ...unplayed].find((candidate) => candidate.owns(request));
  return fake && { fake, request };
}

/**
 * Lets a fault hit the call where it belongs: `reset` and `stall` before it runs, `throttle` and `error500`
 * instead of it, the others after it. Every call is noted, also one that gets no answer.
 */
async function serve(
  sandbox: Sandbox,
  { fake, request }: Routed,
  { request: incoming, response }: Exchange,
): Promise<void> {
  const named = fake.open(request, sandbox.host(undefined));
  const fault = sandbox.faults.hit(fake.service, named.name);
  const stale = fault?.fault === "stale-read" && !named.write ? (fault.seconds ?? 5) : undefined;
  const operation = stale === undefined ? named : fake.open(request, sandbox.host(stale));
  if (fault?.fault === "reset") {
    note(sandbox, { fake, operation }, 0);
    incoming.socket.destroy();
    return;
  }
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  if (fault?.fault === "stall") {
    await sandbox.faults.hold(fault.seconds ?? 60, gone.signal);
    // A caller that went away meanwhile sent something that never lands.
    if (gone.signal.aborted) return note(sandbox, { fake, operation }, 0);
  }
  const refused = fault?.fault === "throttle" || fault?.fault === "error500" ? fake.fault(fault.fault) : undefined;
  const result = refused ?? (await operation.run());
  note(sandbox, { fake, operation }, result.status, result.warning);
  if (fault?.fault === "slow") await sandbox.faults.hold(fault.seconds ?? 1, gone.signal);
  if (fault?.fault === "reset-after") incoming.socket.destroy();
  else send(sandbox, response, mangled(result, fault));
}

interface Served {
  readonly fake: Fake;
  readonly operation: Operation;
}

/** The call landed, and its answer is useless: cut in a well-framed way, empty, or somebody's web page. */
function mangled(result: FakeAnswer, fault: FaultRule | undefined): FakeAnswer {
  if (fault?.fault === "truncate") return { ...result, body: result.body.slice(0, Math.floor(result.body.length / 2)) };
  if (fault?.fault === "empty") return { status: 200, body: "" };
  const page = "<html><body>please sign in</body></html>";
  if (fault?.fault === "html") return { status: 200, headers: { "content-type": "text/html" }, body: page };
  return result;
}

function note(sandbox: Sandbox, { fake, operation }: Served, status: number, warning?: string): void {
  const { name, principal, write } = operation;
  sandbox.record({
    at: new Date(sandbox.now()).toISOString(),
    service: fake.service,
    operation: name,
    principal,
    status,
    write,
    ...(warning === undefined ? {} : { warning }),
  });
}

/** The date is the sandbox's: our own clock follows it, and so do the AWS SDKs (fact sheet, 2.1, CS). */
function send(sandbox: Sandbox, response: http.ServerResponse, answer: FakeAnswer): void {
  const { status, headers = {}, body, warning } = answer;
  if (response.destroyed) return;
  const date = new Date(sandbox.now()).toUTCString();
  const told = warning === undefined ? {} : { "x-sandbox-warning": ascii(warning) };
  response.writeHead(status, { ...headers, ...told, date, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
