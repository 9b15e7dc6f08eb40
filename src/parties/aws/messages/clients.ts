import { type KnownMessage, shared, tells, wraps } from "../../../model.ts";

/** What the clients of AWS say by themselves (aws.md 11; clients-and-speed.md; failures.md F8, F19, F21, F32). */
export const clientMessages: readonly KnownMessage[] = [
  tells(
    /unable to read file at \S+|(?:open|Access to the path|file_get_contents\() ?'?\S*(?:serviceaccount|web.?identity|token)\S*'?\)?:? .{0,40}(?:permission denied|is denied|no such file)|token could not be loaded from the WebIdentityTokenFile|failed fetching WebIdentity token/i,
    "TOKEN-FILE",
    "the program could not read the file that holds its token",
  ),
  tells(
    /(?:ENOENT|EACCES|No such file or directory|Permission denied).{0,120}(?:serviceaccount\/token|AWS_WEB_IDENTITY_TOKEN_FILE|web.?identity)/i,
    "TOKEN-FILE",
    "the program could not read the file that holds its token",
  ),
  tells(
    /credential_process returned (?:invalid JSON|an error)|Error when retrieving credentials from custom-process|Expecting value: line \d+ column \d+ \(char \d+\)(?=[\s\S]*(?:credential|aws))/i,
    "CREDENTIAL-PROCESS",
    "the program behind credential_process failed or printed no JSON",
  ),
  tells(
    /Expecting value: line \d+ column 1 \(char \d\)/,
    "CREDENTIAL-PROCESS",
    "a program that should have printed JSON printed nothing",
  ),
  shared(/Credentials could not be loaded, please check your action inputs/i, [
    ["GITHUB-NO-ID-TOKEN", "the job lacks permissions: id-token: write, or it runs for a pull request of a fork"],
    ["AWS-TRUST-REFUSES", "a line above says that the role could not be assumed: that line is the cause"],
    [
      "NO-CREDENTIALS",
      "role-to-assume or the keys are empty: a secret that this job does not get, or a misspelled input",
    ],
  ]),
  shared(
    /Unable to locate credentials|no valid (?:credential sources|providers in chain)|No valid credential sources? found|NoCredentialProviders|Could not load credentials from any providers|Unable to load (?:AWS )?credentials from any|Missing credentials in config|unable to sign request without credentials set|NoCredentialsError|no EC2 IMDS role found/i,
    [
      ["NO-CREDENTIALS", "nothing was set: no profile, no environment, no role of the machine"],
      ["TOKEN-FILE", "AWS_WEB_IDENTITY_TOKEN_FILE or AWS_ROLE_ARN is set, and the file or the role is wrong"],
      ["CREDENTIAL-PROCESS", "the profile names a credential_process that fails"],
    ],
  ),
  tells(
    /Region is missing|You must specify a region|AWS region setting is missing|NoRegionError/i,
    "AWS-PARTITION",
    "the client does not know which region to call: set AWS_REGION",
  ),
  wraps(/Could not assume role with (?:OIDC|user credentials|web identity)|Could not assume role in target account/i, [
    ["AWS-TRUST-REFUSES", "what follows the colon is aws's own sentence: pass it to crosstrust explain --error"],
  ]),
  wraps(/(?:IAM Role|The role) .{1,200} cannot be assumed|Cannot assume IAM Role/i, [
    ["AWS-CHAIN-DENIED", "one principal of aws may not assume the role"],
    ["NO-CREDENTIALS", "the credentials that should assume it are missing or wrong"],
  ]),
  wraps(
    /WebIdentityErr(?:or)?: |Error calling AssumeRole|failed to refresh cached credentials|AssumeRoleWithWebIdentity/i,
    [
      ["AWS-TRUST-REFUSES", "aws answered AccessDenied"],
      ["AWS-CLIENT-ID-MISSING", "aws answered InvalidIdentityToken"],
      ["TOKEN-FILE", "nothing was sent, because the file with the token cannot be read"],
    ],
  ),
];
