import { createHash, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { certify, type Pair } from "./certificates.ts";

/** Which chain vouches for a host, and the only domains it may vouch for. */
export interface ChainName {
  /** `clouds`, or one for each issuer's host. */
  readonly name: string;
  readonly permitted: readonly string[];
}

/** As it stands in the file. */
interface Chain {
  readonly permitted: readonly string[];
  readonly root: Pair;
  readonly intermediate: Pair;
  readonly leaves: Readonly<Record<string, Pair>>;
}

/** Longer than anybody's folder is kept, and what public CAs may give a leaf at most. */
const rootDays = 3650;
const leafDays = 397;

/** What cannot be read is made anew: whoever pinned an old chain sees that it is another. */
function parsedChains(text: string): Readonly<Record<string, Chain>> {
  try {
    const value: unknown = JSON.parse(text);
    const isWhole = typeof value === "object" && value !== null && Object.values(value).every(isChain);
    return isWhole ? (value as Readonly<Record<string, Chain>>) : {};
  } catch {
    return {};
  }
}

const isChain = (value: unknown): value is Chain =>
  typeof value === "object" && value !== null && "root" in value && "intermediate" in value && "leaves" in value;

/**
 * The sandbox's own CA: for each name a chain root > intermediate > leaf, kept in one file that only its owner reads.
 * It is never installed anywhere, and each root is constrained to the hosts it is for (contract, section 5): whoever
 * steals its key gains nothing elsewhere.
 */
export class Authority {
  private readonly file: string | undefined;
  private chains: Readonly<Record<string, Chain>>;
  /** One after the other: two clients of one new host must not be given two roots. */
  private busy: Promise<unknown> = Promise.resolve();

  constructor(file?: string) {
    this.file = file;
    this.chains = file && existsSync(file) ? parsedChains(readFileSync(file, "utf8")) : {};
  }

  /** The root, PEM. */
  root(asked: ChainName): Promise<string> {
    return this.alone(async () => (await this.chain(asked)).root.cert);
  }

  /** What a server of this host shows: leaf and intermediate, and not the root. */
  served(asked: ChainName, host: string): Promise<Pair> {
    return this.alone(async () => {
      const chain = await this.chain(asked);
      const known = chain.leaves[host];
      const leaf = known && holds(known) ? known : await leafOf(chain, host);
      if (leaf !== known) this.keep(asked.name, { ...chain, leaves: { ...chain.leaves, [host]: leaf } });
      return { cert: leaf.cert + chain.intermediate.cert, key: leaf.key };
    });
  }

  /** A new intermediate and new leaves below the same root: what is pinned breaks, what trusts the root does not. */
  rotate(asked: ChainName): Promise<void> {
    return this.alone(async () => {
      const { permitted, root } = await this.chain(asked);
      this.keep(asked.name, { permitted, root, intermediate: await intermediateOf(root, asked.name), leaves: {} });
    });
  }

  /** A root for other domains than these is made anew: its constraints cannot be changed. */
  private async chain({ name, permitted }: ChainName): Promise<Chain> {
    const known = this.chains[name];
    if (known && holds(known.intermediate) && known.permitted.join() === permitted.join()) return known;
    const root = await certify({ subject: `CN=crosstrust sandbox root - ${label(name)}`, days: rootDays, permitted });
    const made = { permitted, root, intermediate: await intermediateOf(root, name), leaves: {} };
    this.keep(name, made);
    return made;
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.busy.then(work);
    this.busy = done.catch(() => {});
    return done;
  }

  /** By renaming: a process that is killed leaves the old file or the new one, never half of one. */
  private keep(name: string, chain: Chain): void {
    this.chains = { ...this.chains, [name]: chain };
    if (!this.file) return;
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    writeFileSync(`${this.file}.new`, JSON.stringify(this.chains), { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }
}

/** A common name holds 64 characters; the digest keeps apart what is cut to the same beginning. */
const label = (name: string): string =>
  `${name.replace(/[^\w. -]/g, "").slice(0, 20)} ${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;

const intermediateOf = (root: Pair, name: string): Promise<Pair> =>
  certify({ subject: `CN=crosstrust sandbox intermediate - ${label(name)}`, by: root, days: rootDays });

/** Its name stands in the SAN; a subject is for people, and must be short. */
const leafOf = ({ intermediate }: Chain, host: string): Promise<Pair> =>
  certify({ subject: `CN=${host.length <= 64 ? host : "sandbox"}`, by: intermediate, days: leafDays, host });

/** With a month to spare: nothing expires under a running test. */
const holds = ({ cert }: Pair): boolean =>
  Date.parse(new X509Certificate(cert).validTo) > Date.now() + 30 * 24 * 60 * 60_000;
