import { createHash } from "node:crypto";

/**
 * What one deployment leaves on an OIDC provider, which several deployments and strangers may share: a tag of its own,
 * `crosstrust:claim:<deployment>` (contract, section 8).
 */
export interface Claim {
  readonly deployment: string;
  readonly want: string;
  readonly put: string;
  /** Who made it: this deployment, another one, or somebody who is not crosstrust: then it is never deleted. */
  readonly since: "made" | "joined" | "adopted";
  /** Client ids that this deployment wants, as hashes: a tag holds 256 characters. */
  readonly wants: readonly string[];
  /** Those of them that were not there before it came. */
  readonly added: readonly string[];
  /** Thumbprints that were not there before it came, as hashes. */
  readonly addedThumbprints: readonly string[];
  /** The thumbprints as they were written, where they were read off the issuer. */
  readonly thumbprints?: string;
}

const prefix = "crosstrust:claim:";
const letters = { made: "m", joined: "j", adopted: "a" } as const;

/** Eight hex: enough to tell at most a hundred client ids apart. */
export const hashOf = (clientId: string): string => createHash("sha256").update(clientId).digest("hex").slice(0, 8);

export const claimKey = (deployment: string): string => `${prefix}${deployment}`;

/**
 * `<want> <put> <m|j|a> <thumbprints or -> <=hash or +hash ...> <@hash ...>`: client ids, then thumbprints that were
 * added. What does not fit is left out: then nobody remembers it, and it stays when the deployment goes.
 */
export function claimTag(claim: Claim): { readonly Key: string; readonly Value: string } {
  const ids = claim.wants.map((hash) => `${claim.added.includes(hash) ? "+" : "="}${hash}`);
  const thumbprints = claim.addedThumbprints.map((hash) => `@${hash}`);
  const head = [claim.want, claim.put, letters[claim.since], claim.thumbprints ?? "-"];
  const Value = [...head, ...ids, ...thumbprints].join(" ");
  return { Key: claimKey(claim.deployment), Value: Value.slice(0, 256).replace(/ [=+@][0-9a-f]{0,7}$/, "") };
}

/** Every claim among the tags; a value that is not one of ours counts as a claim all the same, to be on the safe side. */
export function claimsOf(tags: readonly { Key: string; Value: string }[]): readonly Claim[] {
  return tags
    .filter(({ Key }) => Key.startsWith(prefix))
    .map(({ Key, Value }): Claim => {
      const [want = "-", put = "-", letter, thumbprints = "-", ...hashes] = Value.split(" ");
      const ids = hashes.filter((hash) => !hash.startsWith("@"));
      const since = (["made", "joined", "adopted"] as const).find((one) => letters[one] === letter) ?? "adopted";
      return {
        deployment: Key.slice(prefix.length),
        ...{ want, put, since },
        wants: ids.map((id) => id.slice(1)),
        added: ids.filter((id) => id.startsWith("+")).map((id) => id.slice(1)),
        addedThumbprints: hashes.filter((hash) => hash.startsWith("@")).map((hash) => hash.slice(1)),
        ...(thumbprints === "-" ? {} : { thumbprints }),
      };
    });
}
