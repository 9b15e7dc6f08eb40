import http from "node:http";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { type CloudError, redact } from "../src/run/cloud-error.ts";
import { type Limits, sender } from "../src/run/http.ts";
import { patient } from "./support/bench.ts";

// The one transport: deadlines, a size cap, no redirect (fact sheet reliability-and-security, traps 1, 2, 3, 6, 7).

const agents = (secure: boolean) => new (secure ? https : http).Agent();
const most = { ...patient, bytes: 10_000 };

async function serving(handler: http.RequestListener): Promise<string> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** `quick`: the one deadline that is to pass, in milliseconds; no machine reaches the others. */
const outcome = (url: string, quick: Partial<Limits> = {}) =>
  sender(agents, { ...most, ...quick })({ method: "POST", url, headers: {}, body: "secret=1" }).then(
    ({ status }) => String(status),
    (error: CloudError) => error.class,
  );

describe("what an answer, or none, means", () => {
  test.each<[string, http.RequestListener, string, Partial<Limits>?]>([
    ["an answer", (_, response) => response.end("ok"), "200"],
    ["an error status", (_, response) => response.writeHead(503).end(), "503"],
    ["a redirect", (_, response) => response.writeHead(307, { location: "http://127.0.0.2/" }).end(), "malformed"],
    ["no first byte", () => {}, "lost", { firstByte: 200 }],
    [
      "a drip that stops",
      (_, response) => void response.writeHead(200, { "content-length": "10" }).write("x"),
      "lost",
      { idle: 150 },
    ],
    [
      "a drip without end",
      (_, response) => void setInterval(() => response.write("x"), 50).unref(),
      "lost",
      { whole: 600 },
    ],
    ["a body over the cap", (_, response) => response.end("x".repeat(20_000)), "malformed"],
    ["a cut connection", (request) => request.socket.destroy(), "lost"],
    [
      "a body cut short",
      (_, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("x");
        setTimeout(() => response.socket?.destroy(), 20);
      },
      "lost",
    ],
  ])("%s", async (_, handler, wanted, quick) => {
    expect(await outcome(await serving(handler), quick)).toBe(wanted);
  });

  test("nobody listening, and a name that is none: nothing was sent", async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect(await outcome(`http://127.0.0.1:${port}/`)).toBe("unsent");
    expect(await outcome("http://nowhere.invalid/")).toBe("unsent");
  });

  // Catches a client that follows a 307 and posts its token to another host.
  test("the other host of a redirect never hears of it", async () => {
    let heard = 0;
    const other = await serving((_, response) => {
      heard++;
      response.end();
    });
    const url = await serving((_, response) => response.writeHead(307, { location: other }).end());
    expect(await outcome(url)).toBe("malformed");
    expect(heard).toBe(0);
  });

  test("200 MB cost no memory to speak of", async () => {
    const chunk = Buffer.alloc(1024 * 1024, "x");
    const url = await serving((_, response) => {
      const push = (left: number): void => {
        if (left === 0) return void response.end();
        response.write(chunk, () => push(left - 1));
      };
      push(200);
    });
    const before = process.memoryUsage().rss;
    expect(await outcome(url)).toBe("malformed");
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });
});

describe("redaction", () => {
  test.each([
    ["a JWT", "got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl here"],
    ["an access token", "Bearer ya29.a0AfH6SMBexample-token_1"],
    ["an access key", "key ASIAIOSFODNN7EXAMPLE"],
    ["a secret key", '"SecretAccessKey":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"'],
    ["a refresh token", "refresh_token=1//0gexampleexample"],
  ])("%s", (_, text) => {
    const clean = redact(text);
    expect(clean).toContain("[redacted]");
    expect(clean).not.toMatch(/c2lnbmF0dXJl|a0AfH6SMB|IOSFODNN7|wJalrXUtn|0gexample/);
  });

  test("control and bidi characters of a foreign text", () => {
    expect(redact("a\u001b[31mb\u202ec\nd")).toBe("a [31mb c d");
  });
});
