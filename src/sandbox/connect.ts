import http from "node:http";
import net from "node:net";
import tls from "node:tls";
import type { Sandbox } from "./sandbox.ts";

/** One request on its way; `tunnel` is the host that was connected to, where it came over TLS. */
export interface Exchange {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly tunnel?: string;
}

/** How requests are answered, over whatever connection. */
export type Answer = (sandbox: Sandbox, exchange: Exchange) => Promise<void>;

/**
 * The CONNECT half of the proxy: TLS under the real names of the hosts that are played, and a pipe to a server of
 * the user's own where one is mapped. Everything else is refused; nothing is ever forwarded off this machine
 * (contract, section 5).
 *
 * TLS ends inside this process, on the socket of the CONNECT itself: there is no second port that somebody could
 * reach without having said which host is meant.
 */
export class Tunnels {
  private readonly ready: Promise<Sandbox>;
  /** Never listens: it is handed connections. */
  private readonly inner: http.Server;
  /** Every socket below a tunnel, with the calls that are in flight on it. */
  private readonly sockets = new Map<net.Socket, number>();
  /** Which host a connection of `inner` was opened for. */
  private readonly hosts = new WeakMap<net.Socket, { readonly host: string; readonly below: net.Socket }>();

  constructor(ready: Promise<Sandbox>, answer: Answer) {
    this.ready = ready;
    this.inner = http.createServer((request, response) => {
      const opened = this.hosts.get(request.socket);
      if (!opened) return void response.destroy();
      this.count(opened.below, 1);
      response.once("close", () => this.count(opened.below, -1));
      const { host: tunnel } = opened;
      ready.then((sandbox) => answer(sandbox, { request, response, tunnel })).catch(() => response.destroy());
    });
    this.inner.keepAliveTimeout = 30_000;
  }

  /** Answers one CONNECT; `target` as it was sent, `head` what came in the same packet. */
  open(target: string, socket: net.Socket, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    this.sockets.set(socket, 0);
    socket.once("close", () => this.sockets.delete(socket));
    this.lead(target, socket, head).catch(() => socket.destroy());
  }

  closeIdle(): void {
    for (const [socket, calls] of this.sockets) if (calls === 0) socket.destroy();
  }

  closeAll(): void {
    for (const socket of this.sockets.keys()) socket.destroy();
  }

  private async lead(target: string, socket: net.Socket, head: Buffer): Promise<void> {
    const sandbox = await this.ready;
    const [, name = "", port] = /^([a-z0-9.-]+):(\d{1,5})$/i.exec(target) ?? [];
    const host = name.toLowerCase();
    const mapped = sandbox.hosting.mapping.hosts.get(host);
    const chain = sandbox.hosting.chainOf(host);
    if (port === "80" && isMetadata(sandbox, host)) return this.plain(host, socket, head);
    if (port !== "443") return refuse(socket, target);
    // A name for the sandbox's own port would be a way around the rule that control calls come directly.
    if (mapped === socket.localPort) return refuse(socket, target);
    if (mapped !== undefined) return this.pipe(mapped, socket, head);
    if (!chain) return refuse(socket, target);
    const { cert, key } = await sandbox.hosting.authority.served(chain, host);
    established(socket, head);
    // The certificate is for the host that was asked for: what a client says in SNI changes nothing.
    const secure = new tls.TLSSocket(socket, { isServer: true, cert, key, ALPNProtocols: ["http/1.1", "http/1.0"] });
    secure.on("error", () => secure.destroy());
    this.hosts.set(secure, { host, below: socket });
    this.inner.emit("connection", secure);
  }

  /** A machine's metadata has no TLS; Node's `fetch` and Google's clients in Node open a tunnel to it all the same. */
  private plain(host: string, socket: net.Socket, head: Buffer): void {
    established(socket, head);
    this.hosts.set(socket, { host, below: socket });
    this.inner.emit("connection", socket);
  }

  /** Raw, so that the server's own certificate is seen. */
  private pipe(port: number, socket: net.Socket, head: Buffer): void {
    const local = net.connect({ host: "127.0.0.1", port });
    this.sockets.set(local, 0);
    local.once("close", () => this.sockets.delete(local));
    socket.once("close", () => local.destroy());
    const early = () => refuse(socket, `a host that is mapped to 127.0.0.1:${port}, where nobody listens`);
    local.once("error", early);
    local.once("connect", () => {
      local.off("error", early).on("error", () => socket.destroy());
      local.once("close", () => socket.destroy());
      established(socket, head);
      socket.pipe(local).pipe(socket);
    });
  }

  private count(socket: net.Socket, by: number): void {
    const calls = this.sockets.get(socket);
    if (calls !== undefined) this.sockets.set(socket, calls + by);
  }
}

/** A service at a link-local address, by any of its names: nothing else is served without TLS. */
const isMetadata = (sandbox: Sandbox, host: string): boolean =>
  sandbox.fakes.some(({ hosts }) => hosts.includes(host) && hosts.some((name) => name.startsWith("169.254.")));

function established(socket: net.Socket, head: Buffer): void {
  socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
  if (head.length > 0) socket.unshift(head);
}

function refuse(socket: net.Socket, target: string): void {
  const body = `the sandbox does not play ${target.replace(/[^\w.:, -]/g, "?").slice(0, 200)}\n`;
  const head = `HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\nconnection: close`;
  socket.end(`${head}\r\n\r\n${body}`);
}
