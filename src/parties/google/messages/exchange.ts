import { type KnownMessage, shared, tells } from "../../../model.ts";

/** What Google's STS says of a token and of a proof of AWS (google.md 9.2; failures.md F9, F11 to F16, F29). */
export const exchangeMessages: readonly KnownMessage[] = [
  tells(
    /rejected by the attribute condition/i,
    "GOOGLE-CONDITION-FALSE",
    "the attribute condition of the pool provider is false for this token; letter case counts",
  ),
  tells(
    /mapped attribute .{0,80}must be of type STRING|Could not obtain a value for \S+ from the given credential|must be of type STRING and cannot be empty/i,
    "GOOGLE-MAPPING-FAILS",
    "the expression of that attribute gives no text for this token: the claim is missing, or the expression is a comparison",
  ),
  tells(
    /size of (?:all )?mapped attributes? .{0,120}exceeds the \d+ bytes limit/i,
    "GOOGLE-SUBJECT-SIZE",
    "what the mapping makes of the token is too long: bytes count, not characters",
  ),
  tells(
    /issuer.{0,3} (?:claim )?in (?:the )?OIDC discovery/i,
    "ISSUER-MISMATCH",
    "the issuer's own discovery document names another issuer than the pool provider",
  ),
  tells(
    /issuer in ID Token .{0,300}does not match the expected/i,
    "GOOGLE-ISSUER",
    "the token's iss is not the issuer of the pool provider; both stand in the sentence",
  ),
  tells(
    /audience in ID Token .{0,400}does not match the expected audience/i,
    "GOOGLE-AUDIENCE",
    "the token's aud is none of the audiences that the pool provider takes",
  ),
  tells(
    /Invalid value for .?"?audience/i,
    "GOOGLE-AUDIENCE",
    "the audience in the client's settings is not the full name of a pool provider, with the number of the project",
  ),
  tells(
    /invalid subject token request, audience is|does not contain (?:a valid )?audience|"?audience"? (?:field )?(?:is )?(?:missing|required) in (?:the )?(?:credential|external)/i,
    "GOOGLE-CLIENT-CONFIG",
    "the client's settings name no pool provider (audience) or no type of token (subject_token_type)",
  ),
  tells(
    /target service indicated by the .?"audience|pool or \w+ is disabled or deleted/i,
    "GOOGLE-POOL-OFF",
    "the pool or the pool provider is not there, deleted, disabled, or was made within the last minutes",
  ),
  tells(
    /Identity Pool does not exist/i,
    "GOOGLE-POOL-OFF",
    "the pool that a member names is not there, or was made within the last minutes",
  ),
  tells(
    /is stale to sign-in|ID Token .{0,60}(?:has )?expired/i,
    "GOOGLE-TOKEN-STALE",
    "the token was issued too long ago for google, whatever its exp says: the client keeps an old one",
  ),
  tells(
    /Error connecting to the given credential.{0,3}s issuer/i,
    "ISSUER-DOCUMENT",
    "google could not read the issuer's discovery document or key set from the internet",
  ),
  tells(
    /Input JWK is not in a valid json format/i,
    "GOOGLE-JWK",
    "the key set has members that google does not read, such as x5c, or is no JSON",
  ),
  tells(
    /Token was issued in the future|ID Token is not valid yet/i,
    "CLOCK-SKEW",
    "iat or nbf lies ahead of google's clock: the clock of the issuer is fast",
  ),
  tells(
    /ID Token lacks one of the claims/i,
    "GOOGLE-TOKEN-CLAIMS",
    "google requires iss, sub, aud, iat and exp, the times as whole seconds",
  ),
  tells(/lives longer than 48 hours/i, "GOOGLE-TOKEN-LIFE", "google takes no token that lives 48 hours or longer"),
  tells(/\bInvalid JWT\./, "GOOGLE-TOKEN-INVALID", "google cannot read the token as a JSON web token"),
  shared(/\bInvalid JWT signature\./, [
    ["GOOGLE-TOKEN-INVALID", "the signature does not hold under a key that the issuer serves or that was uploaded"],
    ["TOKEN-ALGORITHM", "the token is signed with another algorithm than google takes"],
    ["GOOGLE-TOKEN-CLAIMS", "the header of the token has no kid"],
  ]),
  tells(
    /invalid AWS response of type InvalidClientTokenId/i,
    "GOOGLE-AWS-UNSIGNED",
    "aws did not know the key that signed the request: a client library signed with none, or the role is seconds old",
  ),
  tells(
    /invalid AWS response of type|Invalid format of AWS credentials|The AWS request (?:must|lacks)|AWS STS endpoint is not reachable|x-goog-cloud-target-resource does not match|A header is there twice|host header does not match the URL/i,
    "GOOGLE-AWS-PROOF",
    "google, or aws behind it, refuses the signed GetCallerIdentity request that stands for the token",
  ),
  tells(
    /AWS account \S+ does not match the expected account/i,
    "GOOGLE-WRONG-ACCOUNT",
    "the pool provider believes one account of aws, and the caller is of another",
  ),
  tells(
    /request was throttled due to rate limit|\bquota_exceeded\b|Quota exceeded for quota metric|\bRESOURCE_EXHAUSTED\b/i,
    "THROTTLED",
    "the service asks for patience",
  ),
  tells(
    /Invalid value for "(?:grant_type|subject_token_type)"|Missing required parameter: (?:subject_token|scope)|subject_token_type does not fit/i,
    "GOOGLE-CLIENT-CONFIG",
    "the request of the client to google's STS is incomplete, or its type of token is not that of the pool provider",
  ),
  shared(/\binvalid_target\b/, [["GOOGLE-POOL-OFF", "the pool provider is not there, deleted or disabled"]]),
  shared(/\bunauthorized_client\b/, [
    ["GOOGLE-CONDITION-FALSE", "the description speaks of the attribute condition"],
    ["GOOGLE-MAPPING-FAILS", "the description speaks of a mapped attribute"],
    ["GOOGLE-KEY-GRANT", "the client signs with the key of a service account"],
    ["ENTRA-REFUSED", "the description begins with AADSTS"],
  ]),
  shared(/\binvalid_grant\b/, [
    ["GOOGLE-AUDIENCE", "the description speaks of an audience"],
    ["GOOGLE-ISSUER", "the description speaks of an issuer"],
    ["GOOGLE-TOKEN-STALE", "the token is kept in a file or a cache"],
    ["GOOGLE-AWS-PROOF", "the workload runs on aws"],
    ["GOOGLE-KEY-GRANT", "the client signs with the key of a service account"],
    ["CREDENTIALS-REFUSED", "it is a person's sign-in, which has ended or was revoked: gcloud auth login"],
  ]),
];
