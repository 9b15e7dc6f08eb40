/** A certificate and its private key, both PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** What is to be certified; without `by` it signs itself. */
export interface Certifying {
  readonly subject: string;
  readonly by?: Pair;
  readonly days: number;
  /** A leaf for this host; undefined: an authority. */
  readonly host?: string;
  /** The only domains below which a root's authority counts. */
  readonly permitted?: readonly string[];
}

const day = 24 * 60 * 60_000;
const curve = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** Only what speaks TLS pays for it: the two modules are loaded at the first certificate. */
async function x509() {
  // Its decorators need this polyfill to stand before it is evaluated.
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

/** By real time, not by the sandbox's clock: TLS clients ask no sandbox. Valid from a day ago. */
export async function certify(ask: Certifying): Promise<Pair> {
  const x = await x509();
  const keys = await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const signer = ask.by && new x.X509Certificate(ask.by.cert);
  const made = await x.X509CertificateGenerator.create(
    {
      subject: ask.subject,
      issuer: signer?.subject ?? ask.subject,
      publicKey: keys.publicKey,
      signingKey: ask.by ? await signingKey(ask.by.key) : keys.privateKey,
      signingAlgorithm: curve,
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + ask.days * day),
      extensions: [
        ...(ask.host === undefined ? authorityExtensions(x, ask) : leafExtensions(x, ask.host)),
        await x.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
        ...(signer ? [await x.AuthorityKeyIdentifierExtension.create(signer.publicKey, false, crypto)] : []),
      ],
    },
    crypto,
  );
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  return { cert: `${made.toString("pem")}\n`, key: pem("PRIVATE KEY", der) };
}

/** A root carries the constraints, and so binds whatever stands below it; an intermediate signs leaves alone. */
const authorityExtensions = (x: Awaited<ReturnType<typeof x509>>, { permitted, by }: Certifying) => [
  new x.BasicConstraintsExtension(true, by ? 0 : 1, true),
  new x.KeyUsagesExtension(x.KeyUsageFlags.keyCertSign | x.KeyUsageFlags.cRLSign, true),
  ...(permitted ? [new x.Extension("2.5.29.30", true, nameConstraints(permitted))] : []),
];

const leafExtensions = (x: Awaited<ReturnType<typeof x509>>, host: string) => [
  new x.BasicConstraintsExtension(false, undefined, true),
  new x.KeyUsagesExtension(x.KeyUsageFlags.digitalSignature, true),
  new x.ExtendedKeyUsageExtension([x.ExtendedKeyUsage.serverAuth]),
  new x.SubjectAlternativeNameExtension([{ type: "dns", value: host }]),
];

const signingKey = (text: string) =>
  crypto.subtle.importKey("pkcs8", Buffer.from(text.replace(/-----[^-]+-----/g, ""), "base64"), curve, false, ["sign"]);

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString("base64").replace(/.{64}/g, "$&\n").trimEnd()}\n-----END ${label}-----\n`;

/**
 * NameConstraints (RFC 5280, 4.2.1.10), by hand because the library has none: these DNS names and what is below
 * them, and no address at all, because a kind of name that is not mentioned is not constrained.
 */
function nameConstraints(permitted: readonly string[]): Buffer {
  const subtree = (tag: number, base: Buffer) => asn1(0x30, asn1(tag, base));
  const names = permitted.map((name) => subtree(0x82, Buffer.from(name, "ascii")));
  const addresses = [8, 32].map((length) => subtree(0x87, Buffer.alloc(length)));
  return asn1(0x30, Buffer.concat([asn1(0xa0, Buffer.concat(names)), asn1(0xa1, Buffer.concat(addresses))]));
}

/** One DER element, up to 64 KiB. */
function asn1(tag: number, body: Buffer): Buffer {
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}
