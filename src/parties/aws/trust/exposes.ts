import { readKey } from "../../../judge/aws/claims.ts";

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
