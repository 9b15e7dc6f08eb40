import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createSign,
  generateKeyPairSync,
  type KeyPairKeyObjectResult,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { JWK } from "jose";
import type { Issuers, Secrets } from "./fake.ts";

interface SigningKey {
  readonly kid: string;
  readonly pem: string;
  readonly jwk: JWK;
  /** Public keys that sign no longer and are still served, the latest first. */
  readonly earlier?: readonly JWK[];
}

/** As it stands in the file; `issuers` by issuer URL. */
interface Stored {
  readonly seed: string;
  readonly issuers: Readonly<Record<string, SigningKey>>;
}

/** A token to be made: the claims as they are, nothing is added. */
export interface Minting {
  readonly claims: Readonly<Record<string, unknown>>;
  /** Over the usual alg, kid and typ. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly sign?: "wrong-key" | "none" | undefined;
}

/** A fresh RSA key of 2048 bits, which takes a tenth of a second and more: whoever makes many sandboxes brings keys along. */
export const freshPair = (): KeyPairKeyObjectResult => generateKeyPairSync("rsa", { modulusLength: 2048 });

/** How keys are kept, named and made. */
export interface KeyOptions {
  readonly file?: string | undefined;
  /** Whose key signs for an issuer, where that is not its own. */
  readonly named?: (issuer: string) => string;
  /** `freshPair` where left out. */
  readonly pair?: (() => KeyPairKeyObjectResult) | undefined;
}

/**
 * The only secrets that a sandbox keeps: one seed, and one signing key an issuer, in one file that only its
 * owner reads.
 */
export class Keys {
  /** What this process made; earlier ones stand in the record. */
  private readonly made = new Set<string>();
  private readonly file: string | undefined;
  private readonly named: (issuer: string) => string;
  private readonly pair: () => KeyPairKeyObjectResult;
  private wrong: KeyPairKeyObjectResult | undefined;
  private stored: Stored;

  constructor({ file, named = (issuer) => issuer, pair = freshPair }: KeyOptions = {}) {
    this.file = file;
    this.named = named;
    this.pair = pair;
    this.stored = this.read() ?? { seed: randomBytes(32).toString("base64url"), issuers: {} };
    this.write();
  }

  /**
   * Every secret that was made here, by this process or an earlier one, oldest first. The record is encrypted under
   * the seed: it is there to find leaks by, and must not be one.
   */
  get issued(): readonly string[] {
    const record = this.record();
    const kept = record && existsSync(record) ? readFileSync(record, "utf8").split("\n") : [];
    return [...new Set([...kept.flatMap((line) => this.decrypt(line)), ...this.made])];
  }

  get secrets(): Secrets {
    return {
      mac: (text) => this.mac(text),
      issue: (secret) => this.issue(secret),
      seal: (prefix, payload) => {
        const body = Buffer.from(JSON.stringify(payload)).toString("base64url");
        return this.issue(`${prefix}${body}.${this.mac(prefix + body)}`);
      },
      open: (prefix, sealed) => this.open(prefix, sealed),
    };
  }

  /** `hosted`: which issuers are played; a key is made at first use. */
  issuers(hosted: (issuer: string) => boolean): Issuers {
    return {
      sign: (issuer, claims, header = {}) => this.mint(issuer, { claims, header }),
      keys: (issuer) => (hosted(issuer) ? this.served(issuer) : undefined),
      privateKey: (name) => createPrivateKey(this.keyOf(name).pem),
    };
  }

  /** The key set of an issuer, hosted or not: no `key_ops`, which AWS refuses (aws.md 6.3). */
  served(issuer: string): readonly JWK[] {
    const { kid, jwk, earlier = [] } = this.keyOf(issuer);
    return [publicKeyOf(kid, jwk), ...earlier];
  }

  /** A new signing key; the old one is served on where `keep` says so. */
  rotate(issuer: string, keep: boolean): void {
    const { kid, jwk, earlier = [] } = this.keyOf(issuer);
    this.makeKey(this.named(issuer), keep ? [publicKeyOf(kid, jwk), ...earlier] : []);
  }

  /**
   * A JWT of an issuer, hosted or not; `wrong-key` keeps the right kid, so only the signature gives it away,
   * and `none` leaves the signature out.
   */
  mint(issuer: string, { claims, header, sign }: Minting): string {
    const { kid, pem } = this.keyOf(issuer);
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const alg = sign === "none" ? "none" : "RS256";
    const input = `${part({ alg, kid, typ: "JWT", ...header })}.${part(claims)}`;
    if (sign === "none") return this.issue(`${input}.`);
    if (sign === "wrong-key") this.wrong ??= this.pair();
    const key = sign === "wrong-key" && this.wrong ? this.wrong.privateKey : pem;
    return this.issue(`${input}.${createSign("RSA-SHA256").update(input).sign(key, "base64url")}`);
  }

  private mac(text: string): string {
    return createHmac("sha256", this.stored.seed).update(text).digest("base64url");
  }

  /** Anybody can read the payload; only the digest protects it, so it is compared in constant time. */
  private open<T>(prefix: string, sealed: string): T | undefined {
    const [body, mac] = sealed.startsWith(prefix) ? sealed.slice(prefix.length).split(".") : [];
    if (!body || !mac) return undefined;
    const [given, right] = [Buffer.from(mac), Buffer.from(this.mac(prefix + body))];
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    return JSON.parse(Buffer.from(body, "base64url").toString()) as T;
  }

  private issue(secret: string): string {
    if (this.made.has(secret)) return secret;
    this.made.add(secret);
    const record = this.record();
    if (record) appendFileSync(record, `${this.encrypt(secret)}\n`, { mode: 0o600 });
    return secret;
  }

  private record(): string | undefined {
    return this.file && join(dirname(this.file), "issued");
  }

  private encrypt(text: string): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.recordKey(), nonce);
    const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64url");
  }

  /** Nothing for a line that was cut off, or written under another seed. */
  private decrypt(line: string): readonly string[] {
    const bytes = Buffer.from(line, "base64url");
    if (bytes.length < 28) return [];
    try {
      const decipher = createDecipheriv("aes-256-gcm", this.recordKey(), bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(12, 28));
      return [Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8")];
    } catch {
      return [];
    }
  }

  private recordKey(): Buffer {
    return createHmac("sha256", this.stored.seed).update("record of what was issued").digest();
  }

  private keyOf(given: string): SigningKey {
    const issuer = this.named(given);
    return this.stored.issuers[issuer] ?? this.makeKey(issuer, []);
  }

  private makeKey(issuer: string, earlier: readonly JWK[]): SigningKey {
    const { publicKey, privateKey } = this.pair();
    const jwk = publicKey.export({ format: "jwk" }) as JWK;
    const kid = createHash("sha1").update(JSON.stringify(jwk)).digest("hex");
    const made = { kid, pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), jwk, earlier };
    this.stored = { ...this.stored, issuers: { ...this.stored.issuers, [issuer]: made } };
    this.write();
    return made;
  }

  private read(): Stored | undefined {
    if (!this.file || !existsSync(this.file)) return undefined;
    // Half a file is as good as none: new keys are made, and whoever holds old tokens asks for new ones.
    return parsedKeys(readFileSync(this.file, "utf8"));
  }

  /** By renaming: a process that is killed leaves the old file or the new one, never half of one. */
  private write(): void {
    if (!this.file) return;
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    writeFileSync(`${this.file}.new`, JSON.stringify(this.stored), { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }
}

function parsedKeys(text: string): Stored | undefined {
  try {
    const value = JSON.parse(text) as Partial<Stored> | null;
    const whole = typeof value?.seed === "string" && typeof value.issuers === "object" && value.issuers !== null;
    return whole ? (value as Stored) : undefined;
  } catch {
    return undefined;
  }
}

const publicKeyOf = (kid: string, { kty, n, e }: JWK): JWK => ({ kty, kid, use: "sig", alg: "RS256", n, e }) as JWK;
