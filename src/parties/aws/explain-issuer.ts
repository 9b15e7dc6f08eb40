import { type Claims, googleIssuer } from "../../judge/aws/claims.ts";
import { audienceOf } from "../../judge/aws/token.ts";
import { issuerOf } from "../../judge/issuers/table.ts";
import type { Code, Finding, Lookup, MessageCause, TrustView } from "../../model.ts";
import type { CloudError } from "../../run/retry.ts";
import { noKeys } from "./client.ts";
import { messages } from "./messages.ts";
import { oidcProviderAddress } from "./oidc-provider/spec.ts";

/** What is known about one refusal: the code it gets, what it says, and what mends it. */
export interface Cause {
  readonly code: Code;
  readonly says: string;
  readonly fix: readonly string[];
  /** Which exit code; `broken` where it is absent. */
  readonly asks?: Finding["asks"];
}

/** A refused token, and what was read of the account and of the issuer that it is about. */
export interface Refused {
  readonly error: CloudError;
  readonly claims: Claims;
  /** The token's header; left out where only its claims are known. */
  readonly header?: Claims | undefined;
  readonly account: string;
  readonly roleArn: string;
  readonly view: TrustView;
}

const mend = ["crosstrust plan   # shows what differs from the file", "crosstrust apply   # repairs it"];
/** A refused token is mended where it is issued: a plan would be empty. */
const readIt = ["read what aws says: it is about the token, and no policy"];

/**
 * Why AWS refuses the token itself, before it looks at any trust policy (aws.md 5.2, 6). AWS's sentence says which check
 * failed, and stands in what is said; whether the failure lasts is decided by what was read of the issuer. Undefined where
 * the error is about no token.
 */
export function sentenceCause(refused: Refused): Cause | undefined {
  const { error } = refused;
  const known = messageOf(error);
  if (!isAboutToken(error) && !noKeys.test(error.message)) return undefined;
  const [cause] = known?.causes ?? [];
  if (!cause || known?.layer !== "cause") return sharedCause(refused);
  if (cause.code === "AWS-NO-KEYS") return keysCause(refused);
  return { code: cause.code, says: told(error, cause), fix: fixOf(cause.code, refused) };
}

/** The texts of AWS are compared in one line, as they are kept. */
const messageOf = ({ message }: CloudError) => {
  const text = message.replace(/\s+/g, " ");
  return messages.find((one) => one.text.test(text));
};

/** InternalFailure is AWS's trouble as a rule, and the token's where it says so. */
const isAboutToken = ({ code, message }: CloudError): boolean =>
  /^(?:InvalidIdentityToken|ExpiredToken|ExpiredIdentityToken|IDPRejectedClaim)/.test(code) ||
  /validating third-party token/.test(message);

const told = ({ message }: CloudError, { means }: MessageCause): string => `aws says "${message}": ${means}`;

/**
 * A sentence that several causes share, or one that is not known. The client ids of the OIDC provider, and the algorithm of
 * the token, tell a wrong client from a signature that does not hold.
 */
function sharedCause({ error, claims, header, account, view }: Refused): Cause {
  const sentence = `aws says "${error.message}"`;
  const issuer = String(claims.iss ?? "");
  const isShared = /could not be validated|Incorrect token audience/i.test(error.message);
  const clientIds =
    issuer === googleIssuer || !isShared ? undefined : clientIdsOf({ account, issuer, lookup: view.lookup });
  const from = (claims.azp ?? undefined) === undefined ? "aud" : "azp";
  const audience = audienceOf(claims);
  if (clientIds && !clientIds.includes(audience)) {
    const only = clientIds.filter(Boolean).join(" ") || "nobody";
    const says = `the OIDC provider of ${issuer} does not take tokens for ${audience} (read from ${from}), only for ${only}; ${sentence}`;
    return { code: "AWS-CLIENT-ID-MISSING", says, fix: mend };
  }
  if (/could not be validated/i.test(error.message) && clientIds && header !== undefined) {
    const says = `the OIDC provider takes tokens for ${audience}, so what aws could not validate is the signature; ${sentence}`;
    return { code: "AWS-TOKEN-SIGNATURE", says, fix: ["compare the key that the issuer signs with and its key set"] };
  }
  return {
    code: "AWS-TOKEN-REFUSED",
    says: sentence,
    fix: readIt,
  };
}

/** As they were read; undefined where they were not. */
function clientIdsOf({ account, issuer, lookup }: { account: string; issuer: string; lookup: Lookup }) {
  return lookup({ $ref: oidcProviderAddress(account, issuer), field: "clientIds" })?.split(" ");
}

/**
 * That AWS has no key for a token passes by itself where the key is served, and never where it is not: what was read of the
 * issuer decides (aws.md 6.3).
 */
function keysCause({ error, claims, header, view }: Refused): Cause {
  const issuer = String(claims.iss ?? "");
  const served = view.identity?.proof === "oidc" ? view.identity.served : undefined;
  const kids = served && view.lookup({ $ref: served, field: "kids" })?.split(" ");
  const lacking = served && view.lookup({ $ref: served, field: "lacking" });
  const sentence = `aws says "${error.message}"`;
  const lasts = (says: string): Cause => ({
    code: "AWS-NO-KEYS",
    says: `${says}; ${sentence}`,
    fix: [onIssuer(issuer)],
  });
  if (lacking) return lasts(`the discovery document of ${issuer} lacks ${lacking}, which aws requires`);
  if (kids && header) {
    const kid = typeof header.kid === "string" ? header.kid : "";
    if (kid !== "" && !kids.includes(kid))
      return lasts(
        `the token names the key ${kid}, and ${issuer} serves ${kids.filter(Boolean).join(", ") || "keys without kid"}`,
      );
    if (kid === "" && kids.length > 1)
      return lasts(`the token names no key (kid), and ${issuer} serves ${kids.length}`);
    if (!kids.some(Boolean)) return lasts(`no key of ${issuer} has a kid, and aws takes none without`);
  }
  const seen =
    kids && header
      ? "the key of the token is among those that the issuer serves, as read from here: aws could not read them in time"
      : "whether the issuer serves the key of the token was not read from here";
  return {
    code: "AWS-NO-KEYS",
    says: `aws could not fetch the issuer's keys; ${seen}; ${sentence}`,
    fix: ["try again; often it passes", onReach(issuer)],
    asks: "untold",
  };
}

/** Nobody but its vendor changes what a shared issuer serves. */
const onIssuer = (issuer: string): string =>
  isOwn(issuer)
    ? `let ${issuer} serve the key that it signs with, under its kid`
    : `${issuerOf(issuer).name} runs this issuer: see its status page, and whether the token is really one of it`;

const onReach = (issuer: string): string =>
  isOwn(issuer)
    ? `if it stays: let the internet reach ${issuer.replace(/\/$/, "")}/.well-known/openid-configuration within five seconds`
    : `if it stays: see the status page of ${issuerOf(issuer).name}`;

const isOwn = (issuer: string): boolean => issuerOf(issuer).tenancy === "own";

/** By what failed and whose issuer it is: a fix that its users can follow. */
function fixOf(code: Code, refused: Refused): readonly string[] {
  const { claims, error, roleArn } = refused;
  const issuer = String(claims.iss ?? "");
  const { name } = issuerOf(issuer);
  switch (code) {
    case "AWS-OIDC-PROVIDER-MISSING":
    case "AWS-THUMBPRINT-WRONG":
      return mend;
    case "AWS-ROLES-CLAIM":
      return [`let the issuer add ${roleArn} to the claim https://aws.amazon.com/roles, or leave the claim out`];
    case "AWS-TAGS-CLAIM":
      return ["let the issuer write each value of principal_tags as a list of one text"];
    case "AWS-TWO-AUDIENCES":
      return name === "Keycloak"
        ? ["take the audience mappers out of the client's scopes, so that one audience is left"]
        : ["let the issuer put one audience into it, or an azp beside them"];
    case "CLOCK-SKEW":
      return [
        isOwn(issuer)
          ? `set the clock of ${issuer || "the issuer"} (ntp)`
          : "take a fresh token; the issuer's clock is its vendor's",
      ];
    case "TOKEN-EXPIRED":
      return ["take a fresh token", "if it is fresh: set this machine's clock"];
    case "AWS-TOKEN-CLAIMS":
      return claimFix(issuer, error.message);
    case "AWS-TOKEN-NOT-JWT":
      return ["send the ID token, not an opaque access token; a file holds the token alone, without quotes"];
    default:
      return readIt;
  }
}

function claimFix(issuer: string, message: string): readonly string[] {
  const [, claim] = /claim: ?(\w+)/.exec(message) ?? [];
  if (issuerOf(issuer).name === "Keycloak" && claim === "sub")
    return ["give the client the default client scope `basic`, which writes sub"];
  if (issuer.startsWith("https://cognito-idp.") && claim === "aud")
    return ["send the ID token: access tokens of a user pool have no aud"];
  return [
    claim === undefined
      ? "let the issuer write iat, exp and nbf as whole seconds"
      : `let the issuer write ${claim} into its tokens`,
  ];
}
