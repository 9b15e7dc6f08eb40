import { type KnownMessage, shared, tells } from "../../../model.ts";

/** What AWS says of callers and of what they may (aws.md 5.2, 7; failures.md F1, F18, F20). */
export const accessMessages: readonly KnownMessage[] = [
  shared(/Not authorized to perform:? sts:AssumeRoleWithWebIdentity/i, [
    [
      "AWS-TRUST-REFUSES",
      "the role is there: a condition of its trust policy does not match. crosstrust explain --token FILE --role ARN shows which",
    ],
    [
      "AWS-ROLE-MISSING",
      "aws iam get-role --role-name NAME finds no role, or one in another account or at another path",
    ],
    ["AWS-OIDC-PROVIDER-ARN", "the Principal of the trust names an OIDC provider of another account, or a URL"],
    [
      "AWS-TAGS-NOT-ALLOWED",
      "the token carries session tags or a source identity, and the trust does not allow to set them",
    ],
    ["AWS-REFUSED-ANYWAY", "the trust allows the token: the role is fresh, or a policy of the organization refuses it"],
  ]),
  tells(
    /is not authorized to perform: sts:(?:TagSession|SetSourceIdentity)/i,
    "AWS-TAGS-NOT-ALLOWED",
    "the call sets session tags or a source identity, and the role, or the caller's own policy, does not allow that action",
  ),
  tells(
    /not authorized to perform: sts:AssumeRole\b(?!With)/i,
    "AWS-CHAIN-DENIED",
    "one principal of aws may not assume that role: its own policy, the role's trust, or a policy of the organization says no",
  ),
  tells(
    /not authorized to perform: \S+.{0,400}explicit deny in a (?:service|resource) control policy/i,
    "NOT-PERMITTED",
    "a policy of the organization denies the call: no policy of the role or the account helps against it",
  ),
  tells(
    /(?:is|are) not authorized to perform:? (?!sts:AssumeRole|this operation)[a-z0-9-]+:\w+/i,
    "NOT-PERMITTED",
    "the federation works: the role or user named lacks this action on this resource",
  ),
  tells(
    /\(AccessDenied(?:Exception)?\) when calling the (?!AssumeRole)\w+ operation/i,
    "NOT-PERMITTED",
    "the federation works: whoever calls lacks this action on this resource",
  ),
  tells(
    /Signature expired: \S+ is now earlier than|Signature not yet current|RequestTimeTooSkewed|difference between the request time and the current time is too large/i,
    "CLOCK-SKEW",
    "the clock of the machine that signed the request is wrong",
  ),
  tells(
    /security token included in the request is expired/i,
    "CREDENTIALS-REFUSED",
    "the session of aws has ended: the program has to ask for a new one",
  ),
  tells(
    /STS is not activated in this region/i,
    "AWS-REGION-OFF",
    "the regional endpoint of STS is switched off in that account",
  ),
  shared(/\bRegionDisabled(?:Exception)?\b/, [
    ["AWS-REGION-OFF", "the region, or its STS, is switched off in that account"],
  ]),
  shared(
    /security token included in the request is invalid|\bInvalidClientTokenId\b|\bUnrecognizedClient(?:Exception)?\b|\bAuthFailure\b/,
    [
      ["CREDENTIALS-REFUSED", "the access key was deleted or mistyped, or a temporary key lacks its session token"],
      [
        "AWS-REGION-OFF",
        "the credentials are of the global endpoint, and the call goes to a region that has to be opted into",
      ],
      ["AWS-PARTITION", "the credentials are of another partition than the endpoint (China, GovCloud)"],
      ["AWS-ROLE-MISSING", "the role was made within the last minute, or is deleted by now: wait and try once more"],
    ],
  ),
  shared(/request signature we calculated does not match|\bSignatureDoesNotMatch\b/, [
    [
      "CREDENTIALS-REFUSED",
      "the secret key does not belong to the access key, or was cut off or quoted when it was stored",
    ],
    ["AWS-PARTITION", "the region in the signature is not that of the endpoint"],
    ["CLOCK-SKEW", "the sentence beside it says that the signature has expired"],
  ]),
  shared(/Credential should be scoped to a valid region|not an AWS4-HMAC-SHA256 signature/i, [
    ["AWS-PARTITION", "the region of the signature is not that of the endpoint: set AWS_REGION"],
    ["REQUEST-INVALID", "the Authorization header was changed or made by hand"],
  ]),
  shared(/Request is missing Authentication Token|MissingAuthenticationToken/i, [
    ["NO-CREDENTIALS", "the client signed nothing, because it found no credentials"],
    ["REQUEST-INVALID", "the address is no operation of the service"],
  ]),
  shared(/\bAccessDenied(?:Exception)?\b|\bAccess Denied\b(?!: (?:Project|Table|Dataset))/, [
    ["AWS-TRUST-REFUSES", "the call is AssumeRoleWithWebIdentity"],
    ["AWS-CHAIN-DENIED", "the call is AssumeRole"],
    ["NOT-PERMITTED", "any other call: the policies of the role do not allow it"],
  ]),
  tells(
    /Outbound web identity federation is disabled/i,
    "AWS-OUTBOUND-OFF",
    "the account does not issue tokens of its own (sts:GetWebIdentityToken) until that is enabled",
  ),
  tells(
    /Outbound web identity federation is already enabled/i,
    "AWS-OUTBOUND-OFF",
    "nothing is wrong: the account issues tokens already",
  ),
  tells(
    /Only a session of a role gets such a token/i,
    "AWS-OUTBOUND-OFF",
    "sts:GetWebIdentityToken answers sessions of roles, not users with keys",
  ),
  tells(
    /The token would outlive its session/i,
    "AWS-OUTBOUND-OFF",
    "DurationSeconds of the token is longer than what is left of the session that asks for it",
  ),
  shared(/\bRate exceeded\b|\bThrottling(?:Exception)?\b|\bRequestLimitExceeded\b|\bTooManyRequests(?:Exception)?\b/, [
    ["THROTTLED", "the service asks for patience"],
  ]),
  shared(/request processing has failed|\bInternalFailure\b|\bServiceUnavailable\b/i, [
    ["COULD-NOT-TELL", "the service had trouble of its own: run it again"],
  ]),
  tells(/Could not find operation \S+ for version/i, "REQUEST-INVALID", "the endpoint has no such operation"),
];
