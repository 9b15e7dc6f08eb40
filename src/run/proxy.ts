import http from "node:http";
import type { Socket } from "node:net";
import { CloudError } from "./cloud-error.ts";

/** An HTTP proxy by its URL, and the milliseconds it may stay silent. */
export interface Proxy {
  readonly url: string;
  readonly connect: number;
}

/** A connection through an HTTP proxy's CONNECT: how the sandbox plays hosts under their real names. */
export function proxyReach({ url, connect }: Proxy, host: string, port: number): Promise<Socket> {
  const { hostname, port: proxyPort } = new URL(url);
  return new Promise((resolve, reject) => {
    const fail = (code: string) =>
      reject(
        new CloudError({ class: "unsent", service: host, operation: "", code, status: 0, message: `${host}: ${code}` }),
      );
    const request = http.request({
      ...{ host: hostname, port: proxyPort, method: "CONNECT", path: `${host}:${port}`, agent: false },
      timeout: connect,
    });
    request.once("connect", (answer, socket) => {
      if (answer.statusCode === 200) return resolve(socket as Socket);
      socket.destroy();
      fail(`the sandbox answers ${answer.statusCode}`);
    });
    request.once("timeout", () => request.destroy(new Error("ETIMEDOUT")));
    request.once("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    request.end();
  });
}
