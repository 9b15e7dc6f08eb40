import { codes } from "../../verdict/exit.ts";
import { pageOf } from "../pages.ts";

/** Messages as people meet them, and the page that explains each; the first that fits (aws.md 5.2; failures.md). */
const known: readonly (readonly [RegExp, string])[] = [
  [/more than one audience while authorized party/i, "AWS-TWO-AUDIENCES"],
  [/Missing a required claim|Invalid timestamp in token claims|not allowed to be empty: aud/i, "AWS-TOKEN-CLAIMS"],
  [/Unknown error validating third-party token/i, "AWS-TOKEN-CLAIMS"],
  [/Token issued in the future|Token not yet valid/i, "CLOCK-SKEW"],
  [/roles claim/i, "AWS-ROLES-CLAIM"],
  [/principal_tags passed in claim/i, "AWS-TAGS-CLAIM"],
  [/No OpenIDConnect \w+ found/i, "AWS-OIDC-PROVIDER-MISSING"],
  [/match configured thumbprint/i, "AWS-THUMBPRINT-WRONG"],
  [/retrieve verification key/i, "AWS-NO-KEYS"],
  [/Incorrect token audience|web identity token provided could not be validated/i, "AWS-CLIENT-ID-MISSING"],
  [/Token expired|ExpiredToken/i, "TOKEN-EXPIRED"],
  [/Not authorized to perform:? sts:AssumeRoleWithWebIdentity/i, "AWS-TRUST-REFUSES"],
  [/Federated principals must be valid|MalformedPolicyDocument/i, "AWS-OIDC-PROVIDER-ARN"],
  [/constraints\/iam\.workloadIdentityPool|Org Policy violated/i, "GOOGLE-ORG-POLICY"],
  [/Service account creation is not allowed/i, "GOOGLE-ORG-POLICY"],
  [/Input JWK is not in a valid json format/i, "GOOGLE-JWK"],
  [/invalid AWS response of type InvalidClientTokenId/i, "GOOGLE-AWS-UNSIGNED"],
  [/Unable to determine (the )?AWS|Unable to retrieve AWS Session Token/i, "GOOGLE-AWS-CREDENTIALS"],
  [/access token lifetime cannot exceed/i, "GOOGLE-LIFETIME"],
  [/Identity Pool does not exist/i, "GOOGLE-POOL-OFF"],
  [/concurrent policy changes/i, "GOOGLE-POLICY-RACE"],
  [/Request had invalid authentication credentials/i, "GOOGLE-NO-FEDERATED"],
  [/acquire impersonated credentials|Request contains an invalid argument/i, "GOOGLE-NO-SCOPES"],
  [/rejected by the attribute condition/i, "GOOGLE-CONDITION-FALSE"],
  [/Invalid value for .?"audience|audience in ID Token/i, "GOOGLE-AUDIENCE"],
  [/target service indicated by the .?"audience/i, "GOOGLE-POOL-OFF"],
  [/issuer in ID Token/i, "GOOGLE-ISSUER"],
  [/ID Token (was issued in the future|is not valid yet)/i, "CLOCK-SKEW"],
  [/ID Token lacks one of the claims/i, "GOOGLE-TOKEN-CLAIMS"],
  [/ID Token lives longer/i, "GOOGLE-TOKEN-LIFE"],
  [/is stale to sign-in/i, "GOOGLE-TOKEN-STALE"],
  [/exceeds the 127 bytes/i, "GOOGLE-SUBJECT-SIZE"],
  [/Error connecting to the given credential/i, "ISSUER-DOCUMENT"],
  [/serviceAccounts\.getAccessToken/i, "GOOGLE-IMPERSONATION-DENIED"],
  [/Requested entity already exists/i, "DELETED-HOLDS-ID"],
  [/attribute condition must reference/i, "GOOGLE-CONDITION-BROAD"],
  [/getOpenIdToken|serviceAccountOpenIdTokenCreator/i, "GOOGLE-MINT-DENIED"],
  [/SERVICE_DISABLED|has not been used in project/i, "GOOGLE-API-DISABLED"],
  [/AADSTS\d+/i, "ENTRA-REFUSED"],
  [/EntityAlreadyExists|already exists/i, "NOT-OURS"],
  [/SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)|unable to get local issuer/i, "ISSUER-TLS"],
];

/** What a message that somebody was given means; of an unknown one nothing is guessed. */
export function explainError(text: string): { exit: number; text: string } {
  const code = known.find(([pattern]) => pattern.test(text))?.[1];
  const page = code === undefined ? undefined : pageOf(code);
  if (page !== undefined) return { exit: codes.fine, text: page };
  const next = "crosstrust explain LINK proves a link and explains what fails; explain --token judges a token you have";
  return { exit: codes.untold, text: `this message is not known here\nnext   ${next}` };
}
