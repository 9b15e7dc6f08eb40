import { type KnownMessage, shared, tells } from "../../../model.ts";

/** The call that gives a service account's token stands somewhere in the text. */
const impersonating =
  /iamcredentials|generateAccessToken|impersonat|generate Google Cloud (?:OAuth 2\.0 )?access token|security access token/i;

/** What Google says of callers and of what they may (google.md 4, 5, 9.2; failures.md F7, F17, F24, F28, F30, F34). */
export const accessMessages: readonly KnownMessage[] = [
  tells(
    /iam\.serviceAccounts\.getAccessToken/i,
    "GOOGLE-IMPERSONATION-DENIED",
    "the workload may not speak as the service account, or there is no such account: google answers both alike",
  ),
  tells(
    /iam\.serviceAccounts\.(?:getOpenIdToken|signBlob|signJwt|implicitDelegation)|serviceAccountOpenIdTokenCreator/i,
    "GOOGLE-MINT-DENIED",
    "the caller may not make ID tokens or signatures as the service account, or there is no such account",
  ),
  tells(
    /The caller does not have permission/i,
    "GOOGLE-IMPERSONATION-DENIED",
    "the workload may not speak as the service account: IAM Credentials answered 403",
    impersonating,
  ),
  tells(
    /access token lifetime cannot exceed/i,
    "GOOGLE-LIFETIME",
    "a token of a service account lives an hour at most, unless an organization policy extends it",
  ),
  tells(
    /Request contains an invalid argument/i,
    "GOOGLE-NO-SCOPES",
    "a token of a service account was asked for without scopes",
    /impersonat|generateAccessToken|oauth2\/google: status code 400|iamcredentials/i,
  ),
  shared(/Request contains an invalid argument|\bINVALID_ARGUMENT\b/i, [
    ["REQUEST-INVALID", "another call: the details beside the sentence name the field"],
    ["GOOGLE-NO-SCOPES", "the call is generateAccessToken, and the client names no scopes"],
    ["GOOGLE-ACCOUNT-MISSING", "the call sets a policy whose members name an account that does not exist (yet)"],
  ]),
  tells(
    /ACCESS_TOKEN_SCOPE_INSUFFICIENT|insufficient authentication scopes/i,
    "GOOGLE-SCOPES-SMALL",
    "the access token is good, and its scopes do not cover this call",
  ),
  tells(
    /ACCESS_TOKEN_TYPE_UNSUPPORTED/,
    "GOOGLE-NO-FEDERATED",
    "this call takes no token of a pool, or no ID token in place of an access token",
  ),
  shared(/Request had invalid authentication credentials|Request is missing required authentication credential/i, [
    [
      "GOOGLE-NO-FEDERATED",
      "the token is one of a pool, without a service account, and the service does not take such tokens",
    ],
    ["CREDENTIALS-REFUSED", "the token has expired, or was revoked"],
    ["NO-CREDENTIALS", "the client sent none, or an ID token where an access token belongs"],
  ]),
  shared(/Invalid Credentials|Expected OAuth 2 access token, login cookie/i, [
    ["CREDENTIALS-REFUSED", "the token has expired, or was revoked"],
    ["GOOGLE-NO-FEDERATED", "the token is one of a pool, and the service does not take such tokens"],
  ]),
  tells(
    /SERVICE_DISABLED|has not been used in project .{0,80}before or it is disabled|accessNotConfigured/i,
    "GOOGLE-API-DISABLED",
    "the API named is not enabled in the project named; once it is, that takes minutes to be seen",
  ),
  tells(
    /constraints\/iam\.|Org Policy violated|Service account creation is not allowed|Key creation is not allowed|CUSTOM_ORG_POLICY_VIOLATION|Constraint \S+ violated for|do not belong to a permitted customer/i,
    "GOOGLE-ORG-POLICY",
    "a policy of the organization forbids it, whatever roles the caller has",
  ),
  shared(/Precondition check failed|\bFAILED_PRECONDITION\b/i, [
    ["GOOGLE-ORG-POLICY", "the details beside the sentence name constraints/..."],
    ["DELETED-HOLDS-ID", "the thing is deleted and held for 30 days: only bringing it back works"],
    ["REQUEST-INVALID", "the details name another condition"],
  ]),
  tells(
    /concurrent policy changes|concurrent changes to the role/i,
    "GOOGLE-POLICY-RACE",
    "two programs changed the policy at once, and this one lost: read it again and write again",
  ),
  shared(/Requested entity already exists|\bALREADY_EXISTS\b/, [
    [
      "DELETED-HOLDS-ID",
      "it is a pool or a pool provider that was deleted within 30 days: describe shows state: DELETED",
    ],
    ["NOT-OURS", "describe shows it ACTIVE: somebody else, or an earlier run, made it"],
  ]),
  tells(
    /Service account .{0,200}already exists within project|Service account key \S+ already exists|A role named \S+ in \S+ already exists|previous request to create the named bucket succeeded|requested bucket name is not available/i,
    "NOT-OURS",
    "a thing of that name is there already",
  ),
  tells(
    /marked for deletion|role named \S+ (?:is deleted|can not be undeleted)/i,
    "DELETED-HOLDS-ID",
    "it was deleted, and google keeps its id",
  ),
  tells(
    /Service account \S+ does not exist|Unknown service account|account not found/i,
    "GOOGLE-ACCOUNT-MISSING",
    "there is no such service account (yet): a fresh one may take a minute, and a policy that names a missing one is refused",
  ),
  tells(
    /account disabled/i,
    "GOOGLE-ACCOUNT-DISABLED",
    "the service account is disabled",
    /invalid_grant|Invalid grant/i,
  ),
  tells(
    /Gaia id not found|User .{0,120} does not exist\b/i,
    "GOOGLE-ACCOUNT-MISSING",
    "the account that is named as a member does not exist",
  ),
  shared(
    /Requested entity was not found|specified bucket does not exist|The role named \S+ was not found|key \S+ does not exist|Not found; Gaia/i,
    [
      ["NOT-FOUND", "there is no such thing under that name, in that project"],
      ["GOOGLE-PROJECT", "the project is another one, or is being deleted"],
    ],
  ),
  tells(
    /Permission '?(?:iam\.googleapis\.com\/)?[\w.]+'? denied|Permission \S+ is required to perform|does not have \S+ access to|does not have \S+ permission|IAM_PERMISSION_DENIED/i,
    "NOT-PERMITTED",
    "the caller lacks the permission named on the thing named, or the thing does not exist: google answers both alike",
  ),
  shared(/The caller does not have permission|\bPERMISSION_DENIED\b/, [
    ["NOT-PERMITTED", "the call is about a resource: the caller, named in the audit log, lacks a role there"],
    ["GOOGLE-IMPERSONATION-DENIED", "the call is generateAccessToken: the workload may not speak as the account"],
    ["GOOGLE-ACCOUNT-MISSING", "the account or resource does not exist: google answers a missing one alike"],
    ["GOOGLE-API-DISABLED", "the details beside it say SERVICE_DISABLED"],
  ]),
  shared(/\bUNAUTHENTICATED\b/, [
    ["CREDENTIALS-REFUSED", "the token has expired"],
    ["GOOGLE-NO-FEDERATED", "the service takes no token of a pool"],
    ["NO-CREDENTIALS", "none was sent"],
  ]),
  tells(
    /Request is prohibited by organization's policy|vpcServiceControlsUniqueIdentifier/i,
    "GOOGLE-ORG-POLICY",
    "a perimeter of VPC Service Controls forbids the call from where it came",
  ),
];
