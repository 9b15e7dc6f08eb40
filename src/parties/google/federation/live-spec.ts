import { parseCondition } from "../../../judge/google/condition.ts";
import { idOf, type LivePoolProvider, type PoolPlace } from "./calls.ts";
import { type PoolProviderSpec, trimmed } from "./spec.ts";

/** Types that no file can ask for are kept by their names, so that they differ from every one that it can. */
const typeOf = (found: LivePoolProvider): string =>
  (["aws", "oidc", "saml", "x509"] as const).find((type) => found[type] !== undefined) ?? "unknown";

/** A pool provider as it was read, in the members of a desired one. */
export const specOf = ({ project, pool }: PoolPlace, found: LivePoolProvider): PoolProviderSpec => ({
  project,
  pool,
  id: idOf(found),
  disabled: found.disabled,
  type: typeOf(found),
  source: found.aws?.accountId ?? found.oidc?.issuerUri ?? "",
  audiences: found.oidc?.allowedAudiences ?? [],
  mapping: trimmed(found.attributeMapping),
  conditions: parseCondition(found.attributeCondition),
  keys: found.oidc?.jwksJson ? "uploaded" : "issuer",
});
