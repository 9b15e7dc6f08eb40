import type { Write } from "../iam-call.ts";
import type { LiveOidcProvider } from "./calls.ts";
import { type Claim, claimsOf, claimTag, hashOf } from "./claim.ts";

/** What this deployment wants of an OIDC provider. */
export interface Wish {
  readonly clientIds: readonly string[];
  readonly thumbprints: readonly string[];
  readonly claim: Claim;
}

/**
 * From what is there to what is wanted: added before removed, so that nobody is shut out half way, and the claim last,
 * which says that it is done. What others want stays. Empty where there is nothing to write.
 */
export function steps({ clientIds, thumbprints, claim }: Wish, there: LiveOidcProvider): readonly Write[] {
  const claims = claimsOf(there.Tags);
  const before = claims.find(({ deployment }) => deployment === claim.deployment);
  const others = claims.filter((one) => one !== before);
  const since = before?.since ?? sinceWhen(claim, others);
  const add = clientIds.filter((id) => !there.ClientIDList.includes(id));
  const lists = listsOf({ clientIds, thumbprints, claim: { ...claim, since } }, there, { before, others });
  const added = [...(before?.added ?? []), ...add.map(hashOf)].filter((hash) => claim.wants.includes(hash));
  const missing = since === "made" ? [] : thumbprints.filter((one) => !there.ThumbprintList.includes(one));
  const addedThumbprints = [...(before?.addedThumbprints ?? []), ...missing.map(hashOf)].filter((hash) =>
    thumbprints.map(hashOf).includes(hash),
  );
  const whole = { ...claim, since, addedThumbprints, added: since === "made" && !before ? claim.added : added };
  const parts = [
    ...add.map((ClientID): Write => ({ operation: "AddClientIDToOpenIDConnectProvider", input: { ClientID } })),
    ...lists,
  ];
  const tag = claimTag(whole);
  const stale = !there.Tags.some(({ Key, Value }) => Key === tag.Key && Value === tag.Value);
  // Begun and not ended: a run that is cut off between two parts is told from a hand edit.
  const first = parts.length > 1 && before?.put !== "-" ? [tagWith({ ...whole, put: "-" })] : [];
  return [...first, ...parts, ...(stale || first.length > 0 ? [tagWith(whole)] : [])];
}

const tagWith = (claim: Claim): Write => ({
  operation: "TagOpenIDConnectProvider",
  input: { Tags: [claimTag(claim)] },
});

/** Whoever finds other deployments there has joined them, unless what they share is a stranger's. */
const sinceWhen = (claim: Claim, others: readonly Claim[]): Claim["since"] => {
  if (others.length === 0) return claim.since;
  return others.some(({ since }) => since === "adopted") ? "adopted" : "joined";
};

/** The claims that are there: ours of an earlier run, if any, and those of other deployments. */
interface Claimed {
  readonly before: Claim | undefined;
  readonly others: readonly Claim[];
}

/** Thumbprints are replaced whole; alone, ours is the list, and in company it is added to. */
function listsOf(
  { clientIds, thumbprints, claim }: Wish,
  there: LiveOidcProvider,
  { before, others }: Claimed,
): readonly Write[] {
  const alone = others.length === 0 && claim.since !== "adopted";
  const wanted = new Set(others.flatMap(({ wants }) => wants));
  const removable = (id: string) => alone || (before?.added.includes(hashOf(id)) && !wanted.has(hashOf(id)));
  const gone = there.ClientIDList.filter((id) => !clientIds.includes(id) && removable(id));
  const list = alone ? thumbprints : [...new Set([...thumbprints, ...there.ThumbprintList])].slice(0, 5);
  const same = [...list].sort().join() === [...there.ThumbprintList].sort().join();
  return [
    ...(same || list.length === 0
      ? []
      : [{ operation: "UpdateOpenIDConnectProviderThumbprint", input: { ThumbprintList: list } }]),
    ...gone.map((ClientID) => ({ operation: "RemoveClientIDFromOpenIDConnectProvider", input: { ClientID } })),
  ];
}
