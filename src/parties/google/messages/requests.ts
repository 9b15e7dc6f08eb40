import { type KnownMessage, shared, tells, wraps } from "../../../model.ts";

/** What Google says of what is to be written: pools, accounts, keys, policies (google.md 5, 6, 12). */
export const requestMessages: readonly KnownMessage[] = [
  tells(
    /Provided \S+ .+ doesn't match calculated/i,
    "REQUEST-INVALID",
    "the checksum that was sent is not that of the bytes that arrived",
  ),
  tells(
    /attribute condition must reference one of the/i,
    "GOOGLE-OPEN-ISSUER",
    "the issuer serves everybody (GitHub, GitLab, HCP Terraform), and the pool provider has no condition that reads a claim",
  ),
  tells(
    /Invalid mapped attribute key|Error in the (?:attribute condition|mapping)|attribute key \S+ is not valid|attribute mapping must have google\.subject|Invalid (?:attribute )?(?:mapping|condition) expression|Error (?:compiling|parsing) (?:attribute|expression)|(?:condition|expression of \S+) is longer than \d+ characters|more than 50 custom attributes/i,
    "GOOGLE-EXPRESSION",
    "a mapping or a condition is not what google takes: often key and expression are swapped, or a name is misspelled",
  ),
  tells(
    /project_id contains invalid characters|Cloud Resource Manager API .{0,40}project .{0,40}not found|Project .{0,60}(?:not found|has been deleted)/i,
    "GOOGLE-PROJECT",
    "the project is named by something that is no project id",
  ),
  tells(
    /membership type restrictions|is of an unknown type|does not exist in the resource's hierarchy|A policy with conditions must have version 3|bindings allUsers and allAuthenticatedUsers are not allowed|Permission \S+ is not valid/i,
    "REQUEST-INVALID",
    "a member, role or condition in the policy is not one that this resource takes",
  ),
  tells(
    /(?:display name|description|allowed audience) is longer than \d+|session duration is between|Exactly one of aws, oidc|account id must have 12 digits|issuer URI must begin with https|more than 10 allowed audiences|ID must be (?:4-32|between 6 and 30) characters|Invalid value at '|Invalid JSON payload received|Invalid field in update mask|Invalid policy id|role_id \S+ is not valid|Invalid bucket name|public key must be an RSA key|managed by Google|asks? for JSON|makes no PKCS12|folder operation (?:would|violates)|Folder reservation failed|pre-conditions you specified did not hold|bucket you tried to delete is not empty/i,
    "REQUEST-INVALID",
    "the value named does not have the form that the operation wants",
  ),
  tells(
    /type of a workload identity pool.{0,12} cannot be changed/i,
    "GOOGLE-TYPE-FOR-LIFE",
    "a pool provider stays one of aws or of OIDC for good: another type takes another id",
  ),
  tells(
    /Token must be a short-lived token/i,
    "CLOCK-SKEW",
    "the machine that signs with the account's key has a wrong clock",
  ),
  tells(
    /Invalid JWT Signature|Failed audience check|Client is unauthorized to retrieve access tokens|Invalid OAuth scope or ID token audience|Invalid grant_type: /,
    "GOOGLE-KEY-GRANT",
    "a client that signs with the key of a service account is refused",
  ),
  wraps(/\bBad Request\b|\bInvalid Value\b/, [
    ["REQUEST-INVALID", "a service was called, and the answer beside it names the value"],
    ["GOOGLE-KEY-GRANT", "the client signs with the key of a service account"],
    ["CREDENTIALS-REFUSED", "the token is none, or has ended"],
  ]),
  shared(/service is currently unavailable|Internal error encountered|\bUNAVAILABLE\b/i, [
    ["COULD-NOT-TELL", "the service had trouble of its own: run it again"],
  ]),
];
