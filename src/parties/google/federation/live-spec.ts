import { z } from "zod";
import { parseCondition } from "../../../judge/google/condition.ts";
import { idOf, type LivePoolProvider, type PoolPlace } from "./calls.ts";
import { type PoolProviderSpec, trimmed } from "./spec.ts";

/** Types that no file can ask for are kept by their names, so that they differ from every one that it can. */
const typeOf = (found: LivePoolProvider): string =>
  (["aws", "oidc", "saml", "x509"] as const).find((type) => found[type] !== undefined) ?? "unknown";

/** A set of keys that cannot be read may hold some: only one that is seen to be empty lets nobody in. */
function keysOf(stored: string): PoolProviderSpec["keys"] {
  if (stored === "") return "issuer";
  try {
    return keySetSchema.safeParse(JSON.parse(stored)).data?.keys.length === 0 ? "none" : "uploaded";
  } catch {
    return "uploaded";
  }
}

const keySetSchema = z.object({ keys: z.array(z.unknown()) });

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
  keys: keysOf(found.oidc?.jwksJson ?? ""),
});
