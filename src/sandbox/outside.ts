import type tls from "node:tls";
import { secured } from "./dial.ts";
import type { Outside, OutsideAnswer, OutsideChain } from "./fake.ts";
import { received } from "./receive.ts";

/** Milliseconds that a cloud grants an issuer: 5 s is GitLab's figure for AWS (aws.md 6.3). */
export const issuerDeadline = 5000;
/** The cap is ours. */
const maxBytes = 1024 * 1024;

/** How the sandbox's clouds reach an issuer. */
export interface Way {
  /** The URL of the sandbox's own listener. */
  readonly base: string;
  /** Milliseconds for one document or chain. */
  readonly deadline: number;
  readonly anchors: () => Promise<readonly string[]>;
}

/**
 * Through the sandbox's own CONNECT, as every other client: so the rule of which hosts are in reach stands in one
 * place, and what is fetched here was really served over TLS.
 */
export const outsideOf = ({ base, deadline, anchors }: Way): Outside => ({
  async get(url, { vouched = true } = {}): Promise<OutsideAnswer> {
    const { protocol, hostname: host, port, username, pathname, search } = new URL(url);
    if (protocol !== "https:" || username) throw new Error(`the sandbox fetches over https alone: ${host}`);
    const signal = AbortSignal.timeout(deadline);
    const ca = await anchors();
    const secure = await secured({ base, host, port: Number(port || 443), signal, ca, vouched });
    try {
      return await fetched(secure, { host, path: pathname + search, signal });
    } finally {
      secure.destroy();
    }
  },

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

interface Fetching {
  readonly host: string;
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Throws for a body that is too large, late or cut off. */
async function fetched(secure: tls.TLSSocket, { host, path, signal }: Fetching): Promise<OutsideAnswer> {
  const headers = { host, accept: "application/json", connection: "close" };
  const answer = await received({ path, headers, signal, createConnection: () => secure }, { maxBytes });
  return { ...answer, body: answer.body.toString("utf8") };
}
