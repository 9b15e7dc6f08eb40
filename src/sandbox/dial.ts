import http from "node:http";
import type { Socket } from "node:net";
import tls from "node:tls";

/** Whom to reach, through the sandbox at `base`, and whom to believe. */
export interface Dial {
  readonly base: string;
  readonly host: string;
  readonly port: number;
  readonly signal: AbortSignal;
  readonly ca: readonly string[];
  readonly vouched: boolean;
}

/** A fresh handshake, so that there is a chain to be seen. Throws for a host that is not in reach or not believed. */
export async function secured({ ca, vouched, ...dial }: Dial): Promise<tls.TLSSocket> {
  const socket = await tunnelled(dial);
  const { host, signal } = dial;
  return new Promise((resolve, reject) => {
    const end = () => secure.destroy(new Error(`${host} takes too long`));
    const ALPNProtocols = ["http/1.1"];
    const secure = tls.connect({ socket, servername: host, ca: [...ca], rejectUnauthorized: vouched, ALPNProtocols });
    signal.addEventListener("abort", end, { once: true });
    secure.once("close", () => signal.removeEventListener("abort", end));
    secure.once("secureConnect", () => resolve(secure));
    secure.on("error", (error) => {
      socket.destroy();
      reject(error);
    });
  });
}

function tunnelled({ base, host, port, signal }: Omit<Dial, "ca" | "vouched">): Promise<Socket> {
  const { hostname, port: own } = new URL(base);
  return new Promise((resolve, reject) => {
    const path = `${host}:${port}`;
    const request = http.request({ host: hostname, port: own, method: "CONNECT", path, agent: false, signal });
    request.once("connect", (answer, socket) => {
      if (answer.statusCode === 200) return resolve(socket as Socket);
      socket.destroy();
      reject(new Error(`the sandbox does not play ${path}`));
    });
    request.once("error", reject);
    request.end();
  });
}
