import { type KnownMessage, shared, tells } from "../../../model.ts";

/** What IAM and STS say of requests: names, documents, numbers (aws.md 5.2, 7; failures.md F22, F23). */
export const iamMessages: readonly KnownMessage[] = [
  tells(
    /\bis not played here\b|\bNotPlayed\b/,
    "SANDBOX-NOT-PLAYED",
    "the program reached the sandbox of crosstrust, which does not have what was called",
  ),
  tells(
    /Cannot attach a Service Role Policy to a Customer Role/i,
    "AWS-MANAGED-POLICY",
    "this policy of AWS is for roles of its own services, and can be attached to no other",
  ),
  tells(
    /Invalid Marker|Duplicate tag keys found|prefixed tag key names are not allowed|MalformedInput|Value null at|Member must not be null/i,
    "REQUEST-INVALID",
    "the value named does not have the form that the operation wants",
  ),
  tells(/Invalid Input Policy/i, "AWS-POLICY-GRAMMAR", "the policy that is to be simulated is not one that IAM reads"),
  tells(
    /DurationSeconds exceeds the MaxSessionDuration|DurationSeconds exceeds the 1 hour session limit/i,
    "AWS-DURATION",
    "the session was asked for longer than the role allows, or for more than an hour from another role",
  ),
  tells(
    /at 'roleSessionName' failed to satisfy constraint/i,
    "REQUEST-INVALID",
    "a session name has 2 to 64 characters of letters, digits and _+=,.@-: no blank, slash, colon or bracket",
  ),
  tells(/at 'durationSeconds' failed to satisfy constraint/i, "AWS-DURATION", "a session lasts 900 to 43200 seconds"),
  tells(
    /failed to satisfy constraint|validation errors? detected|Member must (?:be|have|not|satisfy)\b/i,
    "REQUEST-INVALID",
    "the value named does not have the form that the operation wants",
  ),
  tells(
    /Request ARN is invalid|(?:^|ValidationError\)?:? |operation: )\S+ is invalid\b|Invalid ARN: Could not be parsed/i,
    "REQUEST-INVALID",
    "what stands for an ARN is none: often an unset variable, a role's name, or an ARN with blanks or quotes around it",
  ),
  tells(
    /Federated principals must be valid domain names or SAML metadata ARNs/i,
    "AWS-OIDC-PROVIDER-ARN",
    "Principal.Federated is neither the ARN of an OIDC provider of this account and partition nor a domain name",
  ),
  tells(/statement with no principals/i, "AWS-POLICY-GRAMMAR", "a statement of the trust policy names nobody"),
  tells(
    /Invalid principal in policy/i,
    "AWS-PRINCIPAL-UNKNOWN",
    "a role or user that Principal names does not exist (yet), or is of another partition; a fresh one is known after seconds",
  ),
  tells(
    /Cannot exceed quota for ACLSizePerRole/i,
    "AWS-TRUST-SIZE",
    "the trust policy has more than 2,048 characters, blanks not counted",
  ),
  tells(
    /Cannot exceed quota for \w+|number of tags has reached the maximum|Maximum policy size of \w+ bytes exceeded|can have up to \w+ versions|more than 50 tags/i,
    "AWS-QUOTA",
    "a quota of the account is used up; its name stands in the sentence",
  ),
  shared(/\bLimitExceeded(?:Exception)?\b/, [
    ["AWS-TRUST-SIZE", "the sentence names ACLSizePerRole"],
    ["AWS-QUOTA", "the sentence names another quota"],
  ]),
  tells(
    /Syntax errors in policy|invalid Json|failed legacy parsing|must contain a valid version string|Invalid effect in policy|characters outside of the allowed set|Missing required field (?:Principal|Action|Resource)|Has prohibited field (?:Resource|Principal)|should not specify a principal|must contain resources|must be in ARN format or|can contain only one colon|may only specify STS AssumeRole actions|must be prefaced by a vendor|must contain actions|Resource vendor must be fully qualified|Statement IDs \(SID\)|can ?not contain (?:region|account) information|IAM resource path must|is not valid for resource|Vendor \S+ is not valid|Policy document must be version/i,
    "AWS-POLICY-GRAMMAR",
    "IAM does not read the policy document; the sentence says which part",
  ),
  shared(/\bMalformedPolicyDocument(?:Exception)?\b/, [
    ["AWS-OIDC-PROVIDER-ARN", "the sentence speaks of federated principals"],
    ["AWS-PRINCIPAL-UNKNOWN", "the sentence speaks of an invalid principal"],
    ["AWS-POLICY-GRAMMAR", "the sentence speaks of anything else in the document"],
    ["AWS-TRUST-SIZE", "the document is very long"],
  ]),
  tells(
    /Provider with url \S+ already exists|(?:Role|policy|Policy) (?:with name|called) \S+ already exists|Duplicate names are not allowed/i,
    "NOT-OURS",
    "a thing of that name is there already, and somebody else made it, or another run of the same program",
  ),
  tells(
    /\bEntityAlreadyExists(?:Exception)?\b/,
    "NOT-OURS",
    "a thing of that name is there already, and somebody else made it, or another run of the same program",
  ),
  tells(
    /(?:role|policy|user) with name \S+ cannot be found|OpenId ?connect Provider \S+ cannot be found|OpenIDConnect Provider not found for arn|Policy \S+ was not found|does not exist or is not attachable/i,
    "NOT-FOUND",
    "the account has no such thing: look at the name, the path, the account and the partition",
  ),
  shared(/\bNoSuchEntity(?:Exception)?\b/, [["NOT-FOUND", "the account has no such thing"]]),
  tells(
    /Cannot delete (?:entity|the default version|a policy)|Before you delete a policy|has more than one version/i,
    "AWS-IN-USE",
    "something still hangs on what is to be deleted",
  ),
  shared(/\bDeleteConflict(?:Exception)?\b/, [["AWS-IN-USE", "something still hangs on what is to be deleted"]]),
  tells(
    /Thumbprint list must contain/i,
    "REQUEST-INVALID",
    "an OIDC provider stores one to five thumbprints of 40 hexadecimal digits",
  ),
  tells(
    /Could not connect to openid configuration of/i,
    "ISSUER-DOCUMENT",
    "aws could not read the issuer's discovery document from the internet when the OIDC provider was made",
  ),
  shared(/\bValidationError\b/, [
    ["REQUEST-INVALID", "the sentence names the value that does not fit"],
    ["AWS-DURATION", "the sentence speaks of DurationSeconds"],
  ]),
  tells(
    /(?:PackedPolicyTooLarge|Packed size of session tags consumes)/i,
    "AWS-QUOTA",
    "the session policy and the session tags together are too large for one session",
  ),
];
