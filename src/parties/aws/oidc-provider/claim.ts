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
  /** The thumbprints as they were written, where they were read off the issuer. */
  readonly thumbprints?: string;
}

const head = "crosstrust:claim:";
const letters = { made: "m", joined: "j", adopted: "a" } as const;

/** Eight hex: enough to tell at most a hundred client ids apart. */
export const hashOf = (clientId: string): string => createHash("sha256").update(clientId).digest("hex").slice(0, 8);

export const claimKey = (deployment: string): string => `${head}${deployment}`;

/**
 * `<want> <put> <m|j|a> <thumbprints or -> <=hash or +hash ...>`. Client ids that do not fit are left out: then nobody
 * remembers them, and they stay when the deployment goes.
 */
export function claimTag(claim: Claim): { readonly Key: string; readonly Value: string } {
  const ids = claim.wants.map((hash) => `${claim.added.includes(hash) ? "+" : "="}${hash}`);
  const Value = [claim.want, claim.put, letters[claim.since], claim.thumbprints ?? "-", ...ids].join(" ");
  return { Key: claimKey(claim.deployment), Value: Value.slice(0, 256).replace(/ [=+][0-9a-f]{0,7}$/, "") };
}

/** Every claim among the tags; a value that is not one of ours counts as a claim all the same, to be on the safe side. */
export function claimsOf(tags: readonly { Key: string; Value: string }[]): readonly Claim[] {
  return tags
    .filter(({ Key }) => Key.startsWith(head))
    .map(({ Key, Value }): Claim => {
      const [want = "-", put = "-", letter, thumbprints = "-", ...ids] = Value.split(" ");
      const since = (["made", "joined", "adopted"] as const).find((one) => letters[one] === letter) ?? "adopted";
      return {
        deployment: Key.slice(head.length),
        ...{ want, put, since },
        wants: ids.map((id) => id.slice(1)),
        added: ids.filter((id) => id.startsWith("+")).map((id) => id.slice(1)),
        ...(thumbprints === "-" ? {} : { thumbprints }),
      };
    });
}
