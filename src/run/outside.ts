import https from "node:https";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import type { Certificate, HttpAnswer, HttpRequest, Outside, ServedChain } from "../model.ts";
import { guardedLookup, privateAddress, type Resolve } from "./addresses.ts";
import { CloudError } from "./cloud-error.ts";
import { type Limits, sender } from "./http.ts";

/** How a host is reached, and whom it is believed to be by. */
export interface Reach {
  /** A connection below TLS. Throws a `CloudError` where the host must not be, or cannot be, connected to. */
  readonly connect: (host: string, port: number) => Promise<net.Socket>;
  /** Roots in PEM; undefined stands for the public ones that Node brings. */
  readonly anchors: () => Promise<readonly string[] | undefined>;
  /** Deadlines and the size cap; `outsideLimits` where left out. */
  readonly limits?: Limits | undefined;
}

/** Case 60 of reliability-and-security.md, 3b: 100 KiB and five seconds are plenty for an issuer. */
export const outsideLimits: Limits = {
  connect: 3000,
  firstByte: 5000,
  idle: 3000,
  whole: 5000,
  bytes: 100 * 1024,
};

/** The public internet itself: every address is checked, on the socket that is used; no proxy is asked. */
export const publicReach = (resolve?: Resolve): Reach => ({
  anchors: async () => undefined,
  connect: async (host, port) => {
    if (net.isIP(host.replace(/^\[|\]$/g, ""))) throw privateAddress(host);
    return opened(net.connect({ host, port, lookup: guardedLookup(resolve) }), host);
  },
});

/** Resolves when a socket stands. Nothing was sent by then, so whatever fails is `unsent`. */
export function opened(socket: net.Socket, host: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error("ETIMEDOUT")), outsideLimits.connect);
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once("error", (error) => {
      clearTimeout(timer);
      reject(error instanceof CloudError ? error : failed(host, "unsent", codeOf(error)));
    });
  });
}

/** `type`: of the body, where there is one. */
interface Sent extends Omit<HttpRequest, "headers"> {
  readonly type?: string;
}

/** Hosts that users name, over one way of reaching them. */
export function outsideOf(reach: Reach): Outside {
  const send = async (request: Sent, vouched = true): Promise<HttpAnswer> => {
    const agent = new DialAgent((host, port) => secured(reach, { host, port, vouched }));
    const type = request.type === undefined ? {} : { "content-type": request.type };
    const headers = { accept: "application/json", ...type };
    try {
      const transport = sender(() => agent, reach.limits ?? outsideLimits);
      return await transport({ ...request, url: httpsOnly(request.url), headers });
    } finally {
      agent.destroy();
    }
  };
  return {
    get: (url, { vouched } = {}) => send({ method: "GET", url }, vouched),
    post: (url, form, { vouched } = {}) =>
      send(
        {
          ...{ method: "POST", url, type: "application/x-www-form-urlencoded" },
          body: new URLSearchParams(form).toString(),
        },
        vouched,
      ),
    send: (url, value) => send({ method: "POST", url, type: "application/json", body: JSON.stringify(value) }),
    chain: (host, port = 443) => chainOf(reach, host, port),
  };
}

/** Userinfo would put another host's name in front of the real one (case 48). */
function httpsOnly(url: string): string {
  const parsed = URL.parse(url);
  if (parsed?.protocol === "https:" && !parsed.username && !parsed.password) return url;
  throw failed(parsed?.host ?? "", "refused", "NOT-HTTPS");
}

class DialAgent extends https.Agent {
  private readonly dial: (host: string, port: number) => Promise<tls.TLSSocket>;

  constructor(dial: (host: string, port: number) => Promise<tls.TLSSocket>) {
    super({ keepAlive: false });
    this.dial = dial;
  }

  override createConnection(
    options: { host?: string | null | undefined; port?: number | string | null | undefined },
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.dial(String(options.host), Number(options.port ?? 443)).then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  }
}

interface Dialled {
  readonly host: string;
  readonly port: number;
  readonly vouched: boolean;
}

/** Never a resumed session: on one of those there is no chain to be seen (aws.md 8). */
async function secured(reach: Reach, { host, port, vouched }: Dialled): Promise<tls.TLSSocket> {
  const anchors = await reach.anchors();
  const socket = await reach.connect(host, port);
  return new Promise((resolve, reject) => {
    const secure = tls.connect({
      socket,
      servername: host,
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: vouched,
      ...(anchors ? { ca: [...anchors] } : {}),
    });
    const { connect } = reach.limits ?? outsideLimits;
    const timer = setTimeout(() => secure.destroy(new Error("ETIMEDOUT")), connect);
    secure.once("secureConnect", () => {
      clearTimeout(timer);
      resolve(secure);
    });
    secure.once("error", (error) => {
      clearTimeout(timer);
      socket.destroy();
      const code = codeOf(error);
      reject(failed(host, certificateTrouble.test(code) ? "refused" : "unsent", code));
    });
  });
}

/** OpenSSL's reasons not to believe a certificate: they do not pass by waiting. A name constraint is `UNSPECIFIED`. */
const certificateTrouble = /CERT|SELF_SIGNED|UNABLE_TO|SSL_|_TLS_|UNSPECIFIED/;

async function chainOf(reach: Reach, host: string, port: number): Promise<ServedChain> {
  const socket = await secured(reach, { host, port, vouched: false });
  try {
    const certificates: Certificate[] = [];
    const seen = new Set<string>();
    // The walk over X509 objects shows what was served; the one over plain objects adds the local root (aws.md 8).
    for (let at = socket.getPeerX509Certificate(); at && !seen.has(at.fingerprint256); at = at.issuerCertificate) {
      seen.add(at.fingerprint256);
      const { raw, subject, issuer, validTo } = at;
      certificates.push({ raw, subject, issuer, notAfter: Date.parse(validTo) });
    }
    if (certificates.length === 0) throw failed(host, "malformed", "NO-CERTIFICATE");
    return { certificates, ...(socket.authorized ? {} : { untrusted: String(socket.authorizationError) }) };
  } finally {
    socket.destroy();
  }
}

const codeOf = (error: Error & { code?: string }): string => error.code ?? error.message;

const failed = (host: string, kind: "unsent" | "refused" | "malformed", code: string): CloudError =>
  new CloudError({ class: kind, service: host, operation: "", code, status: 0, message: `${host}: ${code}` });
