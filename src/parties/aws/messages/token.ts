import { type KnownMessage, shared, tells } from "../../../model.ts";

/**
 * What AWS says of a token before it reads any trust policy (aws.md 5.2; failures.md F2 to F6, F17). The finding of a
 * refused exchange and `explain --error` both read this table.
 */
export const tokenMessages: readonly KnownMessage[] = [
  tells(
    /rejected OAuth token with response/i,
    "AWS-TOKEN-REFUSED",
    "a parameter ProviderId led the call to a sign-in of Amazon, Facebook or Google from before OpenID Connect: leave it out",
  ),
  tells(
    /No OpenIDConnect \w+ found in your account/i,
    "AWS-OIDC-PROVIDER-MISSING",
    "the account of the role has no OIDC provider whose URL is the token's iss to the letter",
  ),
  tells(
    /OpenIDConnect \w+.{0,3}s HTTPS certificate does.{0,2}n.{0,2}t match configured thumbprint/i,
    "AWS-THUMBPRINT-WRONG",
    "no public CA vouches for the issuer's certificate, and none of the stored thumbprints is that of the last one served",
  ),
  tells(
    /retrieve verification key from your identity/i,
    "AWS-NO-KEYS",
    "aws found no key for the token: it could not read the issuer's key set in time, or the key that the token names is not in it",
  ),
  tells(
    /Token audience contains more than one audience while authorized party is not present/i,
    "AWS-TWO-AUDIENCES",
    "the token has several audiences (aud) and no azp that says which of them is meant",
  ),
  tells(
    /Missing a required claim: ?\S*/i,
    "AWS-TOKEN-CLAIMS",
    "aws requires iss, sub, aud, iat and exp in every token, and this token lacks the one named",
  ),
  tells(
    /Claim is not allowed to be empty: ?\S*/i,
    "AWS-TOKEN-CLAIMS",
    "the claim named is there and empty, for example an aud without any audience",
  ),
  tells(
    /Invalid timestamp in token claims/i,
    "AWS-TOKEN-CLAIMS",
    "iat, exp or nbf is no whole number of seconds: null, a fraction or a text",
  ),
  tells(
    /Unknown error validating third-party token/i,
    "AWS-TOKEN-CLAIMS",
    "aws was recorded to answer this, with status 500, to a token whose sub is null",
  ),
  tells(
    /The ID Token provided is not a valid JWT/i,
    "AWS-TOKEN-NOT-JWT",
    "what was sent is no JWT that aws reads: an opaque access token, an empty or cut-off file, or a JWT with a crit header",
  ),
  tells(
    /Token issued in the future: ?\d*/i,
    "CLOCK-SKEW",
    "iat is more than five minutes ahead of aws: the clock of the issuer is fast",
  ),
  tells(
    /Token not yet valid: current date\/time/i,
    "CLOCK-SKEW",
    "nbf is more than five minutes ahead of aws: the clock of the issuer is fast, or it issues tokens for later",
  ),
  tells(
    /Token expired: current date\/time ?\d*/i,
    "TOKEN-EXPIRED",
    "the token was past its exp by more than five minutes when aws read it; the first number is aws's clock less 300 s",
  ),
  tells(
    /Token too old: ?\d+/i,
    "TOKEN-EXPIRED",
    "the token was issued too long ago, whatever its exp says: take a fresh one",
  ),
  tells(
    /web identity token that was passed is expired or is not valid/i,
    "TOKEN-EXPIRED",
    "the token was past its end when aws read it: take a fresh one",
  ),
  tells(
    /target role ARN is not present in the roles claim|roles claim (?:is not in a supported format|contains no valid role ARNs)/i,
    "AWS-ROLES-CLAIM",
    "the token's claim https://aws.amazon.com/roles says which roles it is for, and this role is not among them, or aws cannot read it",
  ),
  tells(
    /principal_tags passed in claim is not in correct format/i,
    "AWS-TAGS-CLAIM",
    "in https://aws.amazon.com/tags every value of principal_tags has to be a list of one text",
  ),
  tells(
    /Provided Token is not a Login With Amazon token|Unrecognized OAuth/i,
    "REQUEST-INVALID",
    "ProviderId was sent with the token: it is for tokens of Amazon and Facebook alone, so leave it out",
  ),
  shared(/web identity token provided could not be validated|Incorrect token audience/i, [
    ["AWS-CLIENT-ID-MISSING", "the OIDC provider's client ids hold neither the token's azp nor, without azp, its aud"],
    ["AWS-AUD-IS-AZP", "the token has an azp, and the client ids hold its aud instead"],
    ["AWS-TOKEN-SIGNATURE", "the client ids fit: then the signature does not hold under the issuer's key"],
    ["TOKEN-ALGORITHM", "the token is signed with none of RS256 to RS512 and ES256 to ES512"],
  ]),
  shared(/\bInvalidIdentityToken(?:Exception)?\b/, [
    ["AWS-CLIENT-ID-MISSING", "the sentence speaks of an audience, or says that the token could not be validated"],
    ["AWS-OIDC-PROVIDER-MISSING", "the sentence begins with: No OpenIDConnect provider found"],
    ["AWS-NO-KEYS", "the sentence speaks of a verification key"],
    ["AWS-TOKEN-CLAIMS", "the sentence names a claim"],
    ["AWS-THUMBPRINT-WRONG", "the sentence speaks of a thumbprint"],
    ["CLOCK-SKEW", "the sentence says that the token is of the future or not yet valid"],
  ]),
  shared(/\bExpiredTokenException\b|\bExpiredToken\b/, [
    ["TOKEN-EXPIRED", "the call is AssumeRoleWithWebIdentity: the issuer's token has ended"],
    ["CREDENTIALS-REFUSED", "any other call: the session of aws has ended, and the program did not ask for a new one"],
    ["CLOCK-SKEW", "both were fresh: one of the clocks is wrong"],
  ]),
  shared(/\bIDPCommunicationError(?:Exception)?\b/, [
    ["AWS-NO-KEYS", "aws could not reach the issuer: try again, then see whether it can be reached from the internet"],
  ]),
  shared(/\bIDPRejectedClaim(?:Exception)?\b/, [
    ["AWS-TOKEN-CLAIMS", "the issuer, or aws for it, refuses a claim of the token"],
    ["TOKEN-EXPIRED", "the token was revoked or has ended"],
  ]),
];
