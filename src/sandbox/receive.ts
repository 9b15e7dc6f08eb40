import http from "node:http";

/** An answer as it came, whole. */
export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** More than the caller said it takes; the connection is closed by then. */
export class TooLarge extends Error {}

interface Limit {
  readonly body?: Uint8Array | undefined;
  /** Of the answer. */
  readonly maxBytes: number;
}

/** One request on a connection of the caller's. A redirect is an answer like any other; throws what the connection throws. */
export function received(options: http.RequestOptions, { body, maxBytes }: Limit): Promise<Received> {
  return new Promise((resolve, reject) => {
    const request = http.request(options);
    request.once("error", reject);
    request.once("response", (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on("data", (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > maxBytes) request.destroy(new TooLarge(`an answer of more than ${maxBytes} bytes`));
      });
      answer.once("error", reject);
      answer.once("end", () => {
        const names = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as const);
        resolve({ status: answer.statusCode ?? 0, headers: Object.fromEntries(names), body: Buffer.concat(chunks) });
      });
    });
    request.end(body);
  });
}
