import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import type http from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import Provider from "oidc-provider";
import { onTestFinished, vi } from "vitest";
import { issue } from "./chain.ts";

/** What it is called; where it listens is said by a host map. */
export const host = "idp.example.com";
export const url = `https://${host}`;
const back = "https://app.example.com/back";
const clients = ["aws-access-client", "another-client"].map((client_id) => ({
  client_id,
  token_endpoint_auth_method: "none",
  redirect_uris: [back],
  grant_types: ["authorization_code"],
  response_types: ["code"],
}));

type Chain = Awaited<ReturnType<typeof chainFor>>;

/** A root of its own, an intermediate and a leaf; all but the root are served. */
async function chainFor() {
  const root = await issue("root of the house");
  return { root, ...(await below(root)) };
}

async function below(root: Awaited<ReturnType<typeof issue>>) {
  const intermediate = await issue(`intermediate ${randomBytes(4).toString("hex")}`, root);
  return { intermediate, leaf: await issue("leaf", intermediate, host) };
}

/**
 * A certified issuer that we did not write, on this machine, under its own private CA. People sign in without a
 * browser: whoever the login hint names is believed.
 */
export class Certified {
  readonly port: number;
  private readonly server: https.Server;
  private chain: Chain;
  private instance: Provider;

  private constructor(server: https.Server, chain: Chain) {
    this.server = server;
    this.chain = chain;
    this.port = (server.address() as AddressInfo).port;
    this.instance = newInstance();
    server.on("request", (request, response) => void this.answer(request, response));
  }

  static async start(): Promise<Certified> {
    const chain = await chainFor();
    const server = https.createServer(contextOf(chain));
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) => void sockets.add(socket));
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return new Certified(server, chain);
  }

  /** PEM. */
  get root(): string {
    return this.chain.root.pem;
  }

  /** As after a restart with new keys: nothing of the old ones is served. */
  rotateKeys(): void {
    this.instance = newInstance();
  }

  /** A new intermediate and a new leaf below the same root. */
  async rotateCertificate(): Promise<void> {
    this.chain = { root: this.chain.root, ...(await below(this.chain.root)) };
    this.server.setSecureContext(contextOf(this.chain));
  }

  /** The ID token of somebody who signs in: authorization code with PKCE, redirects followed by hand. */
  async signIn(user: string, client = "aws-access-client"): Promise<string> {
    const verifier = randomBytes(32).toString("base64url");
    const asked = new URLSearchParams({
      ...{ client_id: client, response_type: "code", scope: "openid", redirect_uri: back, login_hint: user },
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      ...{ code_challenge_method: "S256", nonce: "n" },
    });
    const jar = new Map<string, string>();
    let at = `${url}/auth?${asked}`;
    for (let step = 0; step < 5 && !at.startsWith(back); step++) {
      const { headers } = await this.ask(at, {
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; "),
      });
      for (const line of headers["set-cookie"] ?? []) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        jar.set(name, value);
      }
      at = new URL(headers.location ?? "", url).href;
    }
    const code = new URL(at).searchParams.get("code") ?? "";
    const form = { grant_type: "authorization_code", code, redirect_uri: back, client_id: client };
    const { body } = await this.ask(`${url}/token`, {}, new URLSearchParams({ ...form, code_verifier: verifier }));
    return (JSON.parse(body) as { id_token: string }).id_token;
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    if (!request.url?.startsWith("/sign-in/")) return void this.instance.callback()(request, response);
    const { params } = await this.instance.interactionDetails(request, response);
    const login = { accountId: String(params.login_hint) };
    await this.instance.interactionFinished(request, response, { login, consent: {} });
  }

  private async ask(to: string, headers: http.OutgoingHttpHeaders, form?: URLSearchParams) {
    const { pathname, search } = new URL(to);
    const request = https.request({
      ...{ host: "127.0.0.1", port: this.port, servername: host, ca: this.root, agent: false },
      ...{ path: pathname + search, method: form ? "POST" : "GET" },
      headers: { ...headers, host, ...(form ? { "content-type": "application/x-www-form-urlencoded" } : {}) },
    });
    request.end(form?.toString());
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    const chunks = await response.toArray();
    return { headers: response.headers, body: Buffer.concat(chunks as Buffer[]).toString() };
  }
}

const contextOf = ({ leaf, intermediate }: Chain) => ({ cert: leaf.pem + intermediate.pem, key: leaf.key });

/** With a key of its own; what it warns of (that it keeps everything in memory) is what a test wants. */
function newInstance(): Provider {
  const quiet = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = privateKey.export({ format: "jwk" });
  const kid = createHash("sha256").update(String(jwk.n)).digest("hex").slice(0, 16);
  const instance: Provider = new Provider(url, {
    clients,
    jwks: { keys: [{ ...jwk, kid, use: "sig", alg: "RS256" }] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/sign-in/${uid}` },
    ttl: { IdToken: 3600, AccessToken: 3600, AuthorizationCode: 60, Grant: 3600, Interaction: 600, Session: 3600 },
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    // Nobody is asked for consent.
    loadExistingGrant: async ({ oidc }: { oidc: { session: { accountId: string }; client: { clientId: string } } }) => {
      const grant = new instance.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
      grant.addOIDCScope("openid");
      await grant.save();
      return grant;
    },
  });
  quiet.mockRestore();
  return instance;
}
