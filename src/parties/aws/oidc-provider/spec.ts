import { keyPrefix } from "../../../judge/aws/claims.ts";
import type { Address, Conflict, Difference, Identity, Json, Link, Resource, Spec } from "../../../model.ts";
import { accessOf, roleOf } from "../shape.ts";

/** An IAM OIDC provider as one deployment wants it, and as it sees it: of what others share, only its own part. */
export interface OidcProviderSpec extends Spec {
  readonly account: string;
  readonly partition: string;
  /** The issuer's URL to the letter: a trailing slash makes another one (aws.md 6.1). */
  readonly url: string;
  /** Whose part of it this is. */
  readonly deployment: string;
  /** Client ids: whatever AWS reads as a token's audience must be among them. */
  readonly clientIds: readonly string[];
  /** Sorted and joined by `+`; a reference to what the issuer serves where the file names none. */
  readonly thumbprints: Json;
}

/** An ARN follows from the URL without its scheme, path and trailing slash kept (aws.md 6.1). */
export const oidcProviderArn = ({
  account,
  partition,
  url,
}: Pick<OidcProviderSpec, "account" | "partition" | "url">): string =>
  `arn:${partition}:iam::${account}:oidc-provider/${keyPrefix(url)}`;

export const oidcProviderAddress = (account: string, url: string): Address =>
  `aws:oidcProvider/${account}/${keyPrefix(url)}`;

/** None for an issuer that is built into AWS: its identity names no resource that serves it. */
export function oidcProviderResource(link: Link, identity: Identity): readonly Resource<OidcProviderSpec>[] {
  if (identity.proof !== "oidc" || identity.served === undefined || typeof identity.issuer !== "string") return [];
  const { account, partition } = roleOf(link);
  const { aud, azp } = identity.claims;
  const audience = azp ?? aud ?? [];
  const clientIds = (Array.isArray(audience) ? audience : [audience]).filter((one) => typeof one === "string");
  const explicit = link.from.spec.thumbprints as readonly string[] | undefined;
  const thumbprints: Json = explicit ? joined(explicit) : { $ref: identity.served, field: "thumbprints" };
  const spec = { account, partition, url: identity.issuer, deployment: link.deployment, clientIds, thumbprints };
  const address = oidcProviderAddress(account, identity.issuer);
  return [{ address, links: [link.name], hold: "own", spec, access: accessOf(link) }];
}

/** AWS stores them in lower case (aws.md 6.1); their order means nothing. */
export const joined = (thumbprints: readonly string[]): string =>
  [...new Set(thumbprints.map((one) => one.toLowerCase()))].sort().join("+");

/** Client ids add up; a thumbprint that one link names and another leaves to the issuer is a contradiction. */
export function combineOidcProviders(a: OidcProviderSpec, b: OidcProviderSpec): OidcProviderSpec | Conflict {
  const [one, other] = [a.thumbprints, b.thumbprints];
  const both = typeof one === "string" && typeof other === "string";
  if (!both && JSON.stringify(one) !== JSON.stringify(other))
    return { path: "thumbprints", conflict: "one link names thumbprints, the other leaves them to the issuer" };
  const thumbprints = both ? joined([...one.split("+"), ...other.split("+")]) : one;
  return { ...a, thumbprints, clientIds: [...new Set([...a.clientIds, ...b.clientIds])] };
}

/**
 * One client id more lets tokens for another app of the issuer through to the roles, which pin their own audience; a
 * thumbprint more lets whoever holds that certificate speak for the issuer where AWS's own store does not know it.
 */
export function differOidcProviders(desired: OidcProviderSpec, live: OidcProviderSpec): readonly Difference[] {
  const missing = desired.clientIds.filter((id) => !live.clientIds.includes(id));
  const extra = live.clientIds.filter((id) => !desired.clientIds.includes(id));
  const clientIds: readonly Difference[] =
    missing.length + extra.length === 0
      ? []
      : [
          {
            ...{ path: "clientIds", desired: desired.clientIds, live: live.clientIds },
            weight: missing.length > 0 ? "narrows" : "loosens",
          },
        ];
  if (JSON.stringify(desired.thumbprints) === JSON.stringify(live.thumbprints)) return clientIds;
  const thumbprints = { path: "thumbprints", desired: desired.thumbprints, live: live.thumbprints };
  return [...clientIds, { ...thumbprints, weight: "loosens" }];
}
