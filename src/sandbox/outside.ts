import http from "node:http";
import type tls from "node:tls";
import { secured } from "./dial.ts";
import type { Outside, OutsideAnswer, OutsideCall, OutsideChain } from "./fake.ts";

/** What a cloud grants an issuer; 5 s is GitLab's figure for AWS (aws.md 6.3), the cap is ours. */
const deadline = 5000;
const maxBytes = 1024 * 1024;

/**
 * Through the sandbox's own CONNECT, as every other client: so the rule of which hosts are in reach stands in one
 * place, and what is fetched here was really served over TLS.
 */
export const outsideOf = (base: string, anchors: () => Promise<readonly string[]>): Outside => ({
  get: (url, { vouched = true } = {}) =>
    reached(url, { base, anchors, vouched, ms: deadline, most: maxBytes, headers: { accept: "application/json" } }),

  call: (url, init = {}) => reached(url, { base, anchors, vouched: true, ms: 60_000, most: 32 * maxBytes, ...init }),

  async chain(host): Promise<OutsideChain> {
    const signal = AbortSignal.timeout(deadline);
    const secure = await secured({ base, host, port: 443, signal, ca: await anchors(), vouched: false });
    try {
      const sha1s: string[] = [];
      // Certificates as served: a walk over plain certificate objects would add the anchor (aws.md 8).
      for (let at = secure.getPeerX509Certificate(); at; at = at.issuerCertificate) {
        const sha1 = at.fingerprint.replaceAll(":", "").toLowerCase();
        if (sha1s.includes(sha1)) break;
        sha1s.push(sha1);
      }
      return { sha1s, ...(secure.authorized ? {} : { untrusted: String(secure.authorizationError) }) };
    } finally {
      secure.destroy();
    }
  },
});

interface Reaching extends OutsideCall {
  readonly base: string;
  readonly anchors: () => Promise<readonly string[]>;
  readonly vouched: boolean;
  /** Milliseconds for all of it. */
  readonly ms: number;
  /** Bytes of the answer. */
  readonly most: number;
}

async function reached(url: string, { base, anchors, vouched, ms, ...call }: Reaching): Promise<OutsideAnswer> {
  const { protocol, hostname: host, port, username, pathname, search } = new URL(url);
  if (protocol !== "https:" || username) throw new Error(`the sandbox fetches over https alone: ${host}`);
  const signal = AbortSignal.timeout(ms);
  const ca = await anchors();
  const secure = await secured({ base, host, port: Number(port || 443), signal, ca, vouched });
  try {
    return await fetched(secure, { ...call, host, path: pathname + search, signal });
  } finally {
    secure.destroy();
  }
}

interface Fetching extends OutsideCall {
  readonly host: string;
  readonly path: string;
  readonly signal: AbortSignal;
  readonly most: number;
}

/** Throws for a body that is too large, late or cut off; a redirect is an answer like any other. */
function fetched(secure: tls.TLSSocket, { host, path, signal, most, ...call }: Fetching): Promise<OutsideAnswer> {
  const { method = "GET", body = "" } = call;
  return new Promise((resolve, reject) => {
    const length = Buffer.byteLength(body);
    const sized = length > 0 ? { "content-length": String(length) } : {};
    const headers = { ...call.headers, ...sized, host, connection: "close" };
    const request = http.request({ method, path, headers, signal, createConnection: () => secure });
    request.once("error", reject);
    request.once("response", (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > most) request.destroy(new Error(`${host} sends more than ${most} bytes`));
        chunks.push(chunk);
      });
      answer.once("error", reject);
      answer.once("end", () => {
        const names = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as const);
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: answer.statusCode ?? 0, headers: Object.fromEntries(names), body: text });
      });
    });
    request.end(body);
  });
}
