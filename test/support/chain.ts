import "reflect-metadata";
import type { RequestListener } from "node:http";
import https from "node:https";
import { type AddressInfo, isIP, type Socket } from "node:net";
import * as x509 from "@peculiar/x509";
import { onTestFinished } from "vitest";

// Certificates as a user's own server would have them, made without the sandbox's own code.

const curve = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

const pair = () => crypto.subtle.generateKey(curve, true, ["sign", "verify"]);

/** A certificate for a host, or an authority where `host` is left out; signed by itself without `by`. */
export async function issue(
  name: string,
  by?: { name: string; keys: { privateKey: unknown } },
  host?: string,
  { notAfter, hash = "SHA-256" }: { notAfter?: Date; hash?: string } = {},
) {
  const keys = await pair();
  const made = await x509.X509CertificateGenerator.create(
    {
      subject: `CN=${name}`,
      issuer: `CN=${by?.name ?? name}`,
      publicKey: keys.publicKey,
      signingKey: (by?.keys ?? keys).privateKey as typeof keys.privateKey,
      signingAlgorithm: { ...curve, hash },
      // A day in the past: a machine's clock may step back between two tests.
      notBefore: new Date((notAfter?.getTime() ?? Date.now()) - 86_400_000),
      notAfter: notAfter ?? new Date(Date.now() + 30 * 86_400_000),
      extensions: [
        new x509.BasicConstraintsExtension(host === undefined, undefined, true),
        ...(host === undefined
          ? []
          : [new x509.SubjectAlternativeNameExtension([{ type: isIP(host) ? "ip" : "dns", value: host }])]),
      ],
    },
    crypto,
  );
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const key = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
  return { pem: `${made.toString("pem")}\n`, key, keys, name };
}

/** root > a > b > leaf. */
export async function fourOf(host: string) {
  const root = await issue("root");
  const a = await issue("A", root);
  const b = await issue("B", a);
  const leaf = await issue("leaf", b, host);
  return { root, a, b, leaf };
}

/** A TLS server on 127.0.0.1 that ends with its test; gives its port. */
export async function tlsServer(cert: string, key: string, listener: RequestListener): Promise<number> {
  const server = https.createServer({ cert, key }, listener);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => void sockets.add(socket));
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Somebody else's authority, from its PEMs, to issue by. */
export async function stolen({ cert, key }: { cert: string; key: string }) {
  const der = Buffer.from(key.replace(/-----[^-]+-----/g, ""), "base64");
  const privateKey = await crypto.subtle.importKey("pkcs8", der, curve, false, ["sign"]);
  return { name: new x509.X509Certificate(cert).subject.replace(/^CN=/, ""), keys: { privateKey } };
}

/** The certificates in a text, DER. */
export const ders = (text: string): readonly string[] =>
  [...text.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)].map(([, body = ""]) =>
    body.replace(/\s/g, ""),
  );
