import { readKey } from "../../../judge/aws/claims.ts";

/** What is known of an issuer's tokens beyond AWS's keys. Everything is optional: of most issuers nothing is known. */
export interface IssuerFacts {
  /** Keys that hold an identity and never pass to somebody else: pinning one is as good as pinning `sub`. */
  readonly ids?: readonly string[];
  /** Keys that hold a name: they keep people out until the name changes hands. */
  readonly names?: readonly string[];
  /** What a subject must begin with to belong to one tenant. */
  readonly tenant?: RegExp;
  /** A subject that holds names, which may change hands; one that fits `lasting` holds ids too. */
  readonly named?: { readonly lasting: RegExp };
  /** What `azp` looks like, for issuers whose tokens have one: AWS's `aud` reads it (aws.md 2.1, 4). */
  readonly azp?: { readonly fits: RegExp; readonly means: string };
}

const never = /^(?!)/;
const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** By key prefix in lower case. Keys: aws.md 2.2; `azp`: aws.md 3 and 4; GitHub's subjects with ids: aws.md 13.2, T13. */
const table: readonly (readonly [issuer: RegExp, facts: IssuerFacts])[] = [
  [
    /^accounts\.google\.com$/,
    {
      // A unique id is a number: no part of it belongs to a tenant.
      tenant: never,
      azp: { fits: /^\d+$|@|\.apps\.googleusercontent\.com$/, means: "the account's unique id, or its e-mail" },
    },
  ],
  [
    /^(?:token\.actions\.(?:githubusercontent\.com(?:\/.*)?|.*\.ghe\.com)|github\.com\/enterprises\/.*)$/,
    {
      ids: ["repository_id", "repository_owner_id", "actor_id", "enterprise_id"],
      names: ["repository", "job_workflow_ref"],
      tenant: /^[^*?]*\/|_id:\d+:|^repository_owner:[^:*?]+:/,
      named: { lasting: /@\d+\/|_id:\d+/ },
    },
  ],
  [
    /^gitlab\.com$/,
    {
      ...{ ids: ["project_id", "namespace_id", "user_id"], names: ["user_login", "user_email"] },
      ...{ tenant: /^project_path:[^*?]+\//, named: { lasting: never } },
    },
  ],
  [
    /^agent\.buildkite\.(?:com|dev|site)$/,
    {
      ...{ ids: ["organization_id", "pipeline_id", "cluster_id"] },
      ...{ names: ["organization_slug", "pipeline_slug", "cluster_name"] },
      ...{ tenant: /^organization:[^:*?]+:/, named: { lasting: never } },
    },
  ],
  [/^app\.terraform\.io$/, { tenant: /^organization:[^:*?]+:/ }],
  [/^oidc\.vercel\.com$/, { tenant: /^owner:[^:*?]+:/ }],
  [/^oidc\.circleci\.com\/org\//, { ids: ["oidc.circleci.com/project-id"] }],
  [/^idcs-.*\.identity\.oraclecloud\.com$/, { ids: ["rpst_id"] }],
  // The identity pool is the tenant, and `aud` holds its id.
  [/^cognito-identity\.amazonaws\.com$/, { ids: ["aud"] }],
  [/^www\.amazon\.com$/, { ids: ["user_id"] }],
  [/^graph\.facebook\.com$/, { ids: ["id"] }],
  [
    /^login\.(?:microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn)\/[^/]+\/v2\.0$/,
    { azp: { fits: guid, means: "the client id of the application that asks" } },
  ],
  [/\/realms\/[^/]+$/, { azp: { fits: /^(?!account$)/, means: "the client id" } }],
];

export const factsOf = (prefix: string): IssuerFacts => table.find(([issuer]) => issuer.test(prefix))?.[1] ?? {};

/** Issuers to which AWS gives other keys than to all the rest (aws.md 2.1). */
const ownKeys: Readonly<Record<string, readonly string[]>> = {
  "cognito-identity.amazonaws.com": ["aud", "sub", "amr"],
  "www.amazon.com": ["app_id", "user_id"],
  "graph.facebook.com": ["app_id", "id"],
};

/**
 * Whether any token of this issuer gives the key a value. Asked of the judge's own table with a token that claims
 * whatever it is asked for, so that judge and lint cannot disagree. Google's tokens cannot tag a session (aws.md 2.4).
 */
export function exposes(prefix: string, key: string): boolean {
  const claim = key.startsWith(`${prefix}:`) ? key.slice(prefix.length + 1) : "";
  const own = ownKeys[prefix];
  if (own && claim) return own.includes(claim);
  const aws = "https://aws.amazon.com/";
  const tags = { principal_tags: { [key.replace(/^aws:requesttag\//, "")]: ["x"] }, transitive_tag_keys: ["x"] };
  const session =
    prefix === "accounts.google.com"
      ? {}
      : { [`${aws}tags`]: tags, [`${aws}source_identity`]: "x", [`${aws}roles`]: "x" };
  return readKey(key, { iss: `https://${prefix}`, aud: "x", [claim]: "x", ...session }).state !== "absent";
}
