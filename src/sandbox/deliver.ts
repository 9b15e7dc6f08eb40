import type http from "node:http";
import net from "node:net";
import { secured } from "./dial.ts";
import type { Delivered, Delivery } from "./fake.ts";
import { received, TooLarge } from "./receive.ts";

/** What Workflows takes of an answer (serverless.md 5.6, secondary). */
const maxBytes = 2 * 1024 * 1024;

type Failure = Extract<Delivered, { failure: string }>;
const failed = (failure: Failure["failure"], says: string): Failure => ({ failure, says });

/**
 * Plain HTTP to this machine, and HTTPS to hosts that are played here, through the sandbox's own CONNECT: so the rule of
 * which hosts are in reach stands in one place. Everything else is refused as a name that does not resolve would be, and
 * nothing is forwarded. Never throws; a redirect is an answer like any other.
 */
export const deliverOf =
  (base: string, anchors: () => Promise<readonly string[]>) =>
  async (delivery: Delivery): Promise<Delivered> => {
    const url = URL.canParse(delivery.url) ? new URL(delivery.url) : undefined;
    if (!url || url.username || !inReach(url, base))
      return failed("refused", `${url?.host ?? "no URL"} is not in reach`);
    const signal = AbortSignal.timeout(delivery.timeout);
    try {
      const secure = url.protocol === "https:" ? await tls(url, { base, signal, ca: await anchors() }) : undefined;
      // The connection is always ours to open: left to itself the client would look the name up.
      return await sent(url, delivery, { signal, createConnection: () => secure ?? local(url) });
    } catch (error) {
      return classified(url.host, signal, error);
    }
  };

/** Never the control calls: they come from a person, or a program that stands beside the sandbox. */
function inReach(url: URL, base: string): boolean {
  if (url.protocol === "https:") return true;
  if (url.protocol !== "http:" || url.hostname !== "127.0.0.1") return false;
  return url.origin !== new URL(base).origin || !url.pathname.startsWith("/_sandbox/");
}

const local = (url: URL): net.Socket => net.connect({ host: "127.0.0.1", port: Number(url.port || 80) });

interface Secure {
  readonly base: string;
  readonly signal: AbortSignal;
  readonly ca: readonly string[];
}

const tls = (url: URL, secure: Secure) =>
  secured({ ...secure, host: url.hostname, port: Number(url.port || 443), vouched: true });

/** Throws what the connection throws. */
function sent(url: URL, { method, headers, body }: Delivery, how: http.RequestOptions): Promise<Delivered> {
  const sends = body !== undefined || ["POST", "PUT", "PATCH"].includes(method);
  const length = sends ? { "content-length": String(body?.length ?? 0) } : {};
  const all = { ...headers, ...length, host: url.host, connection: "close" };
  return received({ ...how, path: url.pathname + url.search, method, headers: all }, { body, maxBytes });
}

/** A server that was reached and then went away is another matter than one that never was. */
function classified(host: string, signal: AbortSignal, error: unknown): Delivered {
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (error instanceof TooLarge) return failed("too-large", `${host} sends more than ${maxBytes} bytes`);
  if (signal.aborted) return failed("timeout", `${host} takes too long`);
  const lost =
    ["ECONNRESET", "EPIPE", "ECONNABORTED"].includes(code) || /aborted|socket hang up|Parse Error/.test(message);
  return lost ? failed("reset", `${host} closed the connection`) : failed("refused", `${host} cannot be reached`);
}
