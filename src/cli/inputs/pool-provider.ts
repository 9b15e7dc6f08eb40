import { z } from "zod";
import { isMap } from "../../judge/aws/policy.ts";
import type { PoolTrust } from "../../judge/google/judge.ts";
import { trustFields } from "../../parties/google/federation/calls.ts";
import { UsageError } from "../exit.ts";
import { isPoolProvider, whatIs } from "./documents.ts";
import { given, structureIn } from "./text.ts";

/** As IAM shows it; of a file only what decides counts. */
const shown = z.object({
  name: z.string().default(""),
  disabled: z.boolean().default(false),
  state: z.string().default("ACTIVE"),
  ...trustFields,
  // YAML takes an account number for a number, unless it is quoted.
  aws: z.object({ accountId: z.coerce.string().transform((id) => id.padStart(12, "0")) }).optional(),
});
export type ShownPoolProvider = z.infer<typeof shown>;

const command = "gcloud iam workload-identity-pools providers describe .. --format=json";

/** Reads what gcloud describes a pool provider as, in JSON or YAML. Throws a `UsageError` that says what any other text is. */
export function poolProviderIn(path: string): PoolTrust {
  const { text, name } = given(path);
  const value = structureIn(text);
  const single = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (!isMap(single) || !isPoolProvider(single))
    throw new UsageError(`${name} holds no pool provider: it ${whatIs(text)}. crosstrust takes what ${command} prints`);
  if (isMap(single.saml) || isMap(single.x509))
    throw new UsageError(
      `${name} holds a pool provider for SAML or X.509, and tokens are judged against oidc and aws alone`,
    );
  const found = shown.safeParse(single);
  if (!found.success || (!found.data.aws && !found.data.oidc))
    throw new UsageError(
      `${name} holds no pool provider of aws or oidc: its members are not as ${command} prints them`,
    );
  return trustOf(found.data);
}

/** The judge's view of a pool provider as it is shown. */
export function trustOf(found: ShownPoolProvider): PoolTrust {
  const off =
    found.state === "DELETED"
      ? "the pool provider is deleted"
      : found.disabled
        ? "the pool provider is disabled"
        : undefined;
  return {
    type: found.aws ? "aws" : "oidc",
    source: found.aws?.accountId ?? found.oidc?.issuerUri ?? "",
    audiences: found.oidc?.allowedAudiences ?? [],
    // Google compares by the number alone; a file may have been written with the project's id.
    name: /^projects\/\d+\//.test(found.name) ? `//iam.googleapis.com/${found.name}` : undefined,
    mapping: found.attributeMapping,
    condition: found.attributeCondition,
    ...(off ? { off } : {}),
    ...(found.oidc?.jwksJson ? { keys: "uploaded" as const } : {}),
  };
}
