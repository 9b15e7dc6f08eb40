import type { Mark } from "../../../model.ts";
import { markIn, parseDescription, withMark } from "../mark.ts";

/** A pool's description, taken apart. */
export interface PoolClaims {
  /** The text that people wrote. */
  readonly human: string;
  /** The mark at the end: of the deployment that made or adopted the pool, or of the one that it left the pool to. */
  readonly holder?: Mark;
  /** The other deployments with a claim on the pool, the oldest first. */
  readonly sharers: readonly string[];
}

/** Deployments are named in 3 to 20 characters of `a-z 0-9 -` (contract, section 3). */
const pattern = / ?\(crosstrust:claim ([a-z0-9-]{3,20}(?: [a-z0-9-]{3,20})*)\)$/;

/**
 * Reads `text (crosstrust:claim beta gamma) [crosstrust/1 acme <want> <put>]`. A version that knows no claims takes them for
 * text of people, and keeps them. Claims without a mark behind them count for nothing.
 */
export function claimsIn(description: string): PoolClaims {
  const marked = parseDescription(description);
  const rest = withMark(description, undefined);
  if (!marked) return { human: rest, sharers: [] };
  const human = rest.replace(pattern, "");
  // Whether the pool was there before is told by the text of people, so the claims are taken out first.
  const holder = parseDescription(`${human} ${markIn(description)}`.trimStart()) ?? marked;
  const named = pattern.exec(rest)?.[1]?.split(" ") ?? [];
  return { human, holder, sharers: [...new Set(named)].filter((name) => name !== holder.owner) };
}

/** Returns the names of all deployments with a claim on the pool, its holder first. */
export const claimantsOf = (description: string): readonly string[] => {
  const { holder, sharers } = claimsIn(description);
  return holder ? [holder.owner, ...sharers] : [];
};

/** Returns whether the pool carries a claim of the deployment. */
export const isClaimedBy = (description: string, owner: string | undefined): boolean =>
  owner !== undefined && claimantsOf(description).includes(owner);

/**
 * Returns the description with a claim of the mark's deployment: its mark, or where another deployment holds the pool, its
 * name beside that one's mark. Claims that `stays` denies are dropped. The result may be too long.
 */
export function withClaim(description: string, mark: Mark, stays: (owner: string) => boolean = () => true): string {
  const { human, holder, sharers } = claimsIn(description);
  const others = sharers.filter((name) => name !== mark.owner && stays(name));
  if (!holder || holder.owner === mark.owner || !stays(holder.owner)) return written(human, mark, others);
  // A name that is there already keeps its place, so that the same claim is the same text.
  const names = sharers.includes(mark.owner) ? sharers.filter((name) => name === mark.owner || stays(name)) : others;
  return written(human, holder, names.includes(mark.owner) ? names : [...names, mark.owner]);
}

/**
 * Returns the description without the claim of a deployment, or undefined where no other deployment has one. The oldest of
 * the others becomes the holder, and keeps what the mark says of the time before the pool was adopted.
 */
export function withoutClaim(description: string, owner: string): string | undefined {
  const { human, holder, sharers } = claimsIn(description);
  if (!holder) return undefined;
  const [next, ...rest] = [holder.owner, ...sharers].filter((name) => name !== owner);
  return next === undefined ? undefined : written(human, { ...holder, owner: next }, rest);
}

function written(human: string, mark: Mark, sharers: readonly string[]): string {
  const claims = sharers.length > 0 ? `(crosstrust:claim ${sharers.join(" ")})` : "";
  return withMark([human, claims].filter(Boolean).join(" "), mark);
}
