import { type Claims, googleIssuer } from "../../judge/aws/claims.ts";
import { audienceOf } from "../../judge/aws/token.ts";
import type { Code, Finding, Lookup } from "../../model.ts";
import type { CloudError } from "../../run/retry.ts";
import { oidcProviderAddress } from "./oidc-provider/spec.ts";

/** What is known about one refusal: the code it gets, what it says, and what mends it. */
export interface Cause {
  readonly code: Code;
  readonly says: string;
  readonly fix: readonly string[];
  /** Which exit code; `broken` where it is absent. */
  readonly asks?: Finding["asks"];
}

/** A refused token, and what was read of the account it was for. */
export interface Refused {
  readonly error: CloudError;
  readonly claims: Claims;
  readonly account: string;
  readonly lookup: Lookup;
}

const mend = ["crosstrust plan   # shows what differs from the file", "crosstrust apply   # repairs it"];

/**
 * What AWS says of the OIDC provider: before any trust policy is looked at, its URL and its certificate decide (aws.md 5.2,
 * 6). Undefined for Google, which is built in, and where AWS says something else.
 */
export function issuerCause({ error, claims, account }: Refused): Cause | undefined {
  const issuer = String(claims.iss ?? "");
  if (issuer === googleIssuer) return undefined;
  if (error.message.includes("No OpenIDConnect provider found")) {
    const says = `the account ${account} has no OIDC provider for ${issuer}: its URL has to be the token's iss to the letter`;
    return { code: "AWS-OIDC-PROVIDER-MISSING", says, fix: mend };
  }
  if (/match configured thumbprint/.test(error.message)) {
    const says = `aws does not know the certificate that ${issuer} serves: none of its thumbprints is that of the last one served`;
    return { code: "AWS-THUMBPRINT-WRONG", says, fix: mend };
  }
  return undefined;
}

/** The audience that AWS reads, where the OIDC provider does not take it: AWS says so in the words of a dozen causes. */
export function clientCause({ error, claims, account, lookup }: Refused): Cause | undefined {
  const issuer = String(claims.iss ?? "");
  if (issuer === googleIssuer) return undefined;
  const address = oidcProviderAddress(account, issuer);
  const known = lookup({ $ref: address, field: "clientIds" });
  if (known === undefined || error.code !== "InvalidIdentityToken") return undefined;
  const audience = audienceOf(claims);
  if (known.split(" ").includes(audience)) return undefined;
  const from = (claims.azp ?? undefined) === undefined ? "aud" : "azp";
  const says = `the OIDC provider of ${issuer} does not take tokens for ${audience} (read from ${from}), only for ${known || "nobody"}`;
  return { code: "AWS-CLIENT-ID-MISSING", says, fix: mend };
}
