import { createPublicKey, generateKeyPair, type KeyObject, X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import type { StoredAccount } from "./store.ts";

/** A key pair as Google makes one: the private half as PKCS 8, the public one in a certificate, both PEM. */
export interface Material {
  readonly privateKey: string;
  readonly certificate: string;
}

/** Between these times a certificate holds, in epoch milliseconds. */
export interface Validity {
  readonly validAfter: number;
  readonly validBefore: number;
}

export async function newMaterial(bits: number, account: StoredAccount, validity: Validity): Promise<Material> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: bits });
  const certificate = await certificateOf(privateKey, account, validity);
  return { privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), certificate };
}

const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;

/** Returns a self-signed certificate over the public half of a key, as Google wraps the keys of accounts; PEM. */
export async function certificateOf(
  privateKey: KeyObject,
  { uniqueId }: StoredAccount,
  { validAfter, validBefore }: Validity,
): Promise<string> {
  // The decorators of the library need this polyfill before it is evaluated; both are loaded at the first key.
  await import("reflect-metadata");
  const x = await import("@peculiar/x509");
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const signingKey = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  const publicKey = await crypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]);
  const name = `CN=${uniqueId}`;
  const made = await x.X509CertificateGenerator.create(
    {
      subject: name,
      issuer: name,
      publicKey,
      signingKey,
      signingAlgorithm: algorithm,
      notBefore: new Date(validAfter),
      notAfter: new Date(validBefore),
    },
    crypto,
  );
  return `${made.toString("pem")}\n`;
}

/** Returns an uploaded certificate over an RSA key; undefined for any other text (IAM v1, keys.upload). */
export function uploadedCertificate(text: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(text);
    return certificate.publicKey.asymmetricKeyType === "rsa" ? certificate : undefined;
  } catch {
    return undefined;
  }
}

/** The credentials file of a key (google.md 4, rows 8 and 13): what `gcloud iam service-accounts keys create` writes. */
export function credentialsFile({ email, project, uniqueId }: StoredAccount, id: string, privateKey: string): string {
  const file = {
    type: "service_account",
    project_id: project,
    private_key_id: id,
    private_key: privateKey,
    client_email: email,
    client_id: uniqueId,
    auth_uri: "https://accounts.google.com/o/oauth2/auth",
    token_uri: "https://oauth2.googleapis.com/token",
    auth_provider_x509_cert_url: "https://www.googleapis.com/oauth2/v1/certs",
    client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(email)}`,
    universe_domain: "googleapis.com",
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** The raw form of a public key, PEM. */
export const rawPublicKey = (certificate: string): string =>
  new X509Certificate(certificate).publicKey.export({ type: "spki", format: "pem" }).toString();
