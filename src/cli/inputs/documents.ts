import { isMap } from "../../judge/aws/policy.ts";
import { isClaims, notAToken } from "../../run/token-text.ts";
import { structureIn } from "./text.ts";

type Value = Readonly<Record<string, unknown>>;

/** Documents that people have in the same folder, each by what only it holds. The first that fits. */
const kinds: readonly (readonly [(value: Value) => boolean, string])[] = [
  [(value) => has(value, "crosstrust", "links"), "a federation file of crosstrust"],
  [(value) => isMap(value.Role), "an answer of aws iam get-role"],
  [(value) => Array.isArray(value.Roles), "an answer of aws iam list-roles"],
  [(value) => isMap(value.PolicyVersion), "an answer of aws iam get-policy-version, which holds permissions"],
  [(value) => has(value, "PolicyDocument"), "an answer of aws iam get-role-policy, which holds permissions"],
  [(value) => isMap(value.Policy), "an answer of aws iam get-policy, which names a policy and holds no document"],
  [(value) => Array.isArray(value.AttachedPolicies), "an answer of aws iam list-attached-role-policies"],
  [(value) => Array.isArray(value.PolicyNames), "an answer of aws iam list-role-policies"],
  [(value) => has(value, "ThumbprintList") || has(value, "ClientIDList"), "an OIDC provider of aws"],
  [(value) => Array.isArray(value.OpenIDConnectProviderList), "a list of OIDC providers of aws"],
  [isCallerIdentity, "an answer of aws sts get-caller-identity"],
  [(value) => isMap(value.Credentials) || has(value, "SecretAccessKey"), "credentials of aws"],
  [(value) => has(value, "Statement") || has(value, "Version", "Id"), "a policy of aws"],
  [(value) => has(value, "AccountAliases"), "a list of account aliases"],
  [(value) => value.type === "external_account", "a credential configuration of google (external_account)"],
  [(value) => value.type === "service_account" || has(value, "private_key"), "a key of a service account"],
  [(value) => value.type === "authorized_user", "the login of a user of google"],
  [(value) => isPoolProvider(value), "a pool provider of google"],
  [
    (value) => poolName.test(String(value.name)),
    "a workload identity pool of google, and not one of its pool providers",
  ],
  [(value) => has(value, "bindings") || (has(value, "etag") && has(value, "version")), "an IAM policy of google"],
  [(value) => has(value, "uniqueId") || has(value, "oauth2ClientId"), "a service account of google"],
  [(value) => has(value, "projectNumber"), "a project of google"],
  [(value) => has(value, "jwks_uri"), "a discovery document of an issuer"],
  [(value) => Array.isArray(value.keys), "a set of keys (JWKS)"],
  [(value) => has(value, "issuer", "subject", "audiences"), "a federated credential of Entra"],
  [(value) => isMap(value.error) || has(value, "error"), "the answer to a request that was refused"],
  [isClaims, "claims of a token"],
];

const has = (value: Value, ...names: readonly string[]): boolean => names.every((name) => Object.hasOwn(value, name));
const poolName = /^projects\/[^/]+\/locations\/[^/]+\/workloadIdentityPools\/[^/]+$/;
const poolProviderName = /^projects\/[^/]+\/locations\/[^/]+\/workloadIdentityPools\/[^/]+\/providers\/[^/]+$/;

export const isPoolProvider = (value: Value): boolean =>
  poolProviderName.test(String(value.name)) || has(value, "attributeMapping") || has(value, "attributeCondition");

/** `aws sts get-caller-identity`, with the names as AWS writes them. */
export function isCallerIdentity(value: Value): boolean {
  return typeof value.Account === "string" && typeof value.Arn === "string";
}

/**
 * Says what a text is that was taken for something else, as the end of a sentence about it. Nothing of the text is repeated,
 * because it can be a secret.
 */
export function whatIs(text: string): string {
  const value = structureIn(text);
  if (Array.isArray(value)) return value.length === 0 ? "is an empty list" : listed(value);
  if (isMap(value)) {
    if (Object.keys(value).length === 0) return "is an empty JSON object";
    const kind = kinds.find(([fits]) => fits(value))?.[1];
    return kind === undefined ? `is a document with ${members(value)}` : `is ${kind}`;
  }
  if (/^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(text.trim())) return "is a token";
  return notAToken(text).what;
}

function listed(value: readonly unknown[]): string {
  const [first] = value.filter(isMap);
  const kind = first && kinds.find(([fits]) => fits(first))?.[1];
  return kind === undefined ? "is a list" : `is a list, and its first item is ${kind}`;
}

/** Names of members, which are no secrets. */
const members = (value: Value): string => {
  const names = Object.keys(value);
  const some = names.slice(0, 4).map((name) => name.slice(0, 40));
  return `the members ${some.join(", ")}${names.length > some.length ? " and others" : ""}`;
};
