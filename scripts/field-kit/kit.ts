import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { World } from "../../src/model.ts";
import type { Account } from "../../src/parties/aws/client.ts";
import { CloudError } from "../../src/run/retry.ts";

/** Everything that the kit makes is called so, which is how a later run finds what an earlier one left. */
export const prefix = "field-kit-";

/** Stands on everything of the kit that can be described. */
export const description = "made by crosstrust's field kit; delete it";

/** Where AWS keeps the roles and policies of the kit. */
export const awsPath = "/crosstrust-field-kit/";

/** The issuer of the tokens that the kit signs itself. Nothing answers there: its name is reserved (RFC 2606). */
export const ownIssuer = "https://field-kit.example.com";

/** Somebody did not agree to a write. */
export class Declined extends Error {}

/** Where the probes are asked, and who agrees to writes. */
export interface Ground {
  readonly world: World;
  readonly project: string;
  /** The project's number: names of pools have it. */
  readonly projectNumber: string;
  readonly account: Account;
  readonly partition: string;
  /** Told apart from other runs: pools that were deleted keep their ids for 30 days. */
  readonly run: string;
  readonly agree: (write: string) => Promise<boolean>;
}

/** What the probes of one run share: things that are made at their first use, and a key that signs tokens. */
export class Kit {
  readonly ground: Ground;
  private readonly made = new Map<string, Promise<unknown>>();
  private count = 0;

  constructor(ground: Ground) {
    this.ground = ground;
  }

  get world(): World {
    return this.ground.world;
  }

  /** A name that no other thing of this run or of another has. */
  name(): string {
    this.count++;
    return `${prefix}${this.ground.run}-${this.count}`;
  }

  /** Makes something at the first call and gives the same back later. A failure is not remembered. */
  once<T>(what: string, make: () => Promise<T>): Promise<T> {
    const known = this.made.get(what) as Promise<T> | undefined;
    if (known) return known;
    const made = make();
    this.made.set(what, made);
    made.catch(() => this.made.delete(what));
    return made;
  }

  /** Every write of the kit goes through here: it is asked about in words first. Throws `Declined`. */
  async write<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (!(await this.ground.agree(what))) throw new Declined(what);
    return work();
  }

  /** Asks again while a fresh thing is not known everywhere; the last refusal is the answer. */
  async patiently<T>(isLag: (error: CloudError) => boolean, work: () => Promise<T>, seconds = 60): Promise<T> {
    const { clock, signal } = this.world;
    const end = clock.now() + seconds * 1000;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof CloudError) || !isLag(error) || clock.now() > end || signal.aborted) throw error;
        await clock.sleep(2000);
      }
    }
  }
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Keys that exist for one run: their tokens are worth nothing but at the pool provider that the run makes for them. */
export class OwnKeys {
  private readonly key: KeyObject;
  readonly jwksJson: string;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { kty, n, e } = publicKey.export({ format: "jwk" });
    this.key = privateKey;
    this.jwksJson = JSON.stringify({ keys: [{ kty, n, e, kid: "field-kit", use: "sig", alg: "RS256" }] });
  }

  /** A JWT with exactly these claims. `header` goes over the usual one; a member that is undefined is left out. */
  token(claims: Readonly<Record<string, unknown>>, header: Readonly<Record<string, unknown>> = {}): string {
    const input = `${part({ alg: "RS256", kid: "field-kit", typ: "JWT", ...header })}.${part(claims)}`;
    return `${input}.${sign("sha256", Buffer.from(input), this.key).toString("base64url")}`;
  }
}
