import { issuerOf } from "../../judge/issuers/table.ts";
import type { Address, Identity, Link } from "../../model.ts";
import { sideOf } from "./shape.ts";

/** The issuer as a resource: used, read and watched, never made (see kind.ts). */
export const issuerAddress = (issuer: string): Address => `oidc:issuer/${issuer.replace("://", "/")}`;

/**
 * What a token will say. The client id is what AWS reads as the audience; with `to.aws.audience` beside it the token's
 * own `aud` is pinned as well, which only an issuer with an authorized party can satisfy (aws.md 2.1).
 */
export function identityOf(link: Link): Identity {
  const { issuer, clientId, subject, subjectLike, claims, tags } = sideOf(link);
  const apart = link.audience !== clientId;
  const audience = apart || issuerOf(issuer).azp ? { aud: link.audience, azp: clientId } : { aud: clientId };
  const one = (values: readonly string[]) => (values.length === 1 ? (values[0] ?? "") : values);
  const extra = Object.entries(claims ?? {}).map(([claim, values]) => [claim, one(values)] as const);
  return {
    proof: "oidc",
    issuer,
    served: issuerAddress(issuer),
    claims: { ...(subject ? { sub: one(subject) } : {}), ...audience, ...Object.fromEntries(extra) },
    ...(subjectLike ? { like: subjectLike } : {}),
    ...(tags ? { tags } : {}),
  };
}
