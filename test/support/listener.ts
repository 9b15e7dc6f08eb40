import http from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request as a server of a test heard it. */
export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `never` leaves the caller waiting, `reset` hangs up. */
export type Says =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | "never"
  | "reset";

/** A server on 127.0.0.1 that ends with its test; what is no text goes as JSON. */
export async function listener(answer: (heard: Heard) => Says | Promise<Says>) {
  const heard: Heard[] = [];
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url: path = "", headers } = request;
    const one = { method, path, headers: headers as Record<string, string>, body: Buffer.concat(chunks).toString() };
    heard.push(one);
    const says = await answer(one);
    if (says === "never") return;
    if (says === "reset") return void request.socket.destroy();
    const { status, body = "", headers: own = {} } = says;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const type = typeof body === "string" ? "text/plain" : "application/json";
    response.writeHead(status, { "content-type": type, ...own }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}
