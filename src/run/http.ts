import http from "node:http";
import type { HttpAnswer, HttpRequest } from "../model.ts";
import { CloudError, type ErrorClass } from "./cloud-error.ts";

/**
 * Milliseconds and bytes (reliability-and-security.md, 2.1 and trap 3). `connect` includes TLS; `firstByte`
 * and `whole` count from the start of the call, `idle` from the last chunk.
 */
export interface Limits {
  readonly connect: number;
  readonly firstByte: number;
  readonly idle: number;
  readonly whole: number;
  readonly bytes: number;
}
/**
 * What every call gets, unless its world was given other ones. 4 MiB and not one, because a page of
 * GetAccountAuthorizationDetails holds the documents of 100 roles.
 */
export const limits: Limits = { connect: 3000, firstByte: 10_000, idle: 5000, whole: 30_000, bytes: 4 * 1024 * 1024 };

/** The agent for a scheme: asked for with the first request, so that TLS is loaded by whoever calls over it. */
export type Agents = (secure: boolean) => http.Agent;

/**
 * One request, one answer, by node:http: it follows no redirect, and unlike the SDKs' defaults it has deadlines
 * and a size cap. Throws a `CloudError` whose class says whether the request may have landed.
 */
export function sender(agents: Agents, given: Limits = limits) {
  return (request: HttpRequest): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const exchange = new Exchange(request, given);
      exchange.send(agents).then(resolve, reject);
    });
}

/** Which deadline fires, and whether a connection stands by then, decides if a write may be sent again. */
class Exchange {
  private readonly request: HttpRequest;
  private readonly limits: Limits;
  private readonly timers = new Set<NodeJS.Timeout>();
  private connected = false;
  private client: http.ClientRequest | undefined;
  private why: CloudError | undefined;

  constructor(request: HttpRequest, given: Limits) {
    this.request = request;
    this.limits = given;
  }

  /** The deadline that fired knows better than the socket error it caused. */
  async send(agents: Agents): Promise<HttpAnswer> {
    try {
      return await this.exchange(agents);
    } catch (error) {
      throw (
        this.why ?? (error instanceof CloudError ? error : this.fail(classOf(error, this.connected), codeOf(error)))
      );
    } finally {
      for (const timer of this.timers) clearTimeout(timer);
    }
  }

  private async exchange(agents: Agents): Promise<HttpAnswer> {
    const url = new URL(this.request.url);
    const secure = url.protocol === "https:";
    const body = this.request.body === undefined ? undefined : Buffer.from(this.request.body);
    const length = body ? { "content-length": String(body.length) } : {};
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const options = { method: this.request.method, headers: { ...this.request.headers, ...length } };
      // The agent brings TLS along: `http.request` takes scheme and port from it.
      const client = http.request(url, { ...options, agent: agents(secure) });
      this.client = client;
      this.deadline(this.limits.whole, "lost", "no complete answer");
      const connecting = this.deadline(this.limits.connect, "unsent", "no connection");
      const waiting = this.deadline(this.limits.firstByte, "lost", "no answer");
      client.on("socket", (socket) => this.onSocket(socket, secure, connecting));
      client.on("error", reject);
      client.on("response", (answer) => {
        clearTimeout(waiting);
        resolve(answer);
      });
      client.end(body);
    });
    return this.collect(response);
  }

  /** A kept-alive socket counts as connected: if it is dead, nobody knows what became of the request. */
  private onSocket(socket: NodeJS.Socket & { connecting?: boolean }, secure: boolean, timer: NodeJS.Timeout): void {
    const ready = () => {
      this.connected = true;
      clearTimeout(timer);
    };
    if (socket.connecting) socket.once(secure ? "secureConnect" : "connect", ready);
    else ready();
  }

  /** The whole body, counted as it comes. Following a redirect would hand the token on (trap 7). */
  private async collect(response: http.IncomingMessage): Promise<HttpAnswer> {
    const chunks: Buffer[] = [];
    let size = 0;
    let idle = this.deadline(this.limits.idle, "lost", "the answer stopped half way");
    for await (const chunk of response as AsyncIterable<Buffer>) {
      clearTimeout(idle);
      size += chunk.length;
      if (size > this.limits.bytes) {
        this.client?.destroy();
        throw this.fail("malformed", `the answer is larger than ${this.limits.bytes} bytes`);
      }
      chunks.push(chunk);
      idle = this.deadline(this.limits.idle, "lost", "the answer stopped half way");
    }
    const status = response.statusCode ?? 0;
    if (status >= 300 && status < 400) throw this.fail("malformed", `answered with a redirect (${status})`);
    const headers = Object.entries(response.headers).map(([key, value]) => [key, String(value)] as const);
    return { status, headers: Object.fromEntries(headers), body: Buffer.concat(chunks) };
  }

  private deadline(ms: number, kind: ErrorClass, says: string): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.why ??= this.fail(kind === "unsent" && this.connected ? "lost" : kind, `${says} within ${ms} ms`);
      this.client?.destroy();
    }, ms);
    this.timers.add(timer);
    return timer;
  }

  /** The client that called knows the service and puts it in place of the host. */
  private fail(kind: ErrorClass, says: string): CloudError {
    const host = new URL(this.request.url).host;
    return new CloudError({
      class: kind,
      service: host,
      operation: "",
      code: "",
      status: 0,
      message: `${host}: ${says}`,
    });
  }
}

const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : "the connection failed";

/** Before the connection stands nothing was sent; after it nobody knows. */
function classOf(error: unknown, connected: boolean): ErrorClass {
  const unsent = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];
  return !connected || unsent.includes(codeOf(error)) ? "unsent" : "lost";
}
