import { type KnownMessage, shared, tells, wraps } from "../../../model.ts";

/** What gcloud, google-auth and the metadata server say by themselves (google.md 6.6, 10; failures.md F8, F19, F25, F26). */
export const clientMessages: readonly KnownMessage[] = [
  tells(
    /Unable to (?:determine|retrieve) (?:the )?AWS|169\.254\.169\.254:80: connect: invalid argument|EINVAL 169\.254\.169\.254|AWS role name due to missing|credential_source.{0,60}environment_id/i,
    "GOOGLE-AWS-CREDENTIALS",
    "the client found no credentials of aws: libraries of google read the environment and EC2, and as a rule not ECS, Fargate or EKS",
  ),
  tells(
    /Executables need to be explicitly allowed|GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES/i,
    "GOOGLE-EXECUTABLE",
    "the credential configuration names a program, and the client may not run it until the environment says so",
  ),
  tells(
    /GCE metadata "?\S*"? not defined|Missing required header "Metadata-Flavor"|non-empty audience parameter required|from the Google Compute Engine metadata service|metadata\.google\.internal.{0,80}(?:timed? ?out|refused|no such host|unreachable)/i,
    "GOOGLE-METADATA",
    "the metadata server of google is not there, or not ready, or refuses the request",
  ),
  tells(
    /No identity token can be obtained from the current credentials|Invalid account type for .{0,3}--audiences|Cannot fetch ID token in this environment/i,
    "GOOGLE-NO-ID-TOKEN",
    "these credentials give access tokens and no ID token for an audience: impersonate a service account",
  ),
  shared(
    /could not find default credentials|Could not load the default credentials|default credentials were not found|DefaultCredentialsError|Application Default Credentials are not available|Attempted to load application default credentials|Unable to find credential information/i,
    [
      [
        "NO-CREDENTIALS",
        "nothing is set: neither GOOGLE_APPLICATION_CREDENTIALS nor gcloud auth application-default login",
      ],
      ["GOOGLE-CLIENT-CONFIG", "GOOGLE_APPLICATION_CREDENTIALS is set, and the file is not there or not readable"],
      ["GOOGLE-METADATA", "the program runs on google, and the metadata server did not answer"],
    ],
  ),
  tells(
    /unknown credential type|Invalid credentials json type|not supported as source credential for impersonation|does not have a valid type|does not contain a client_email field|The file at \S+ does not exist/i,
    "GOOGLE-CLIENT-CONFIG",
    "this client does not read that kind of credential file: an old library, or one that knows no federation",
  ),
  tells(
    /must specify exactly one of .{0,3}workload_identity_provider/i,
    "GOOGLE-CLIENT-CONFIG",
    "the step of the action has none of its inputs, or two: secrets are empty for pull requests of forks",
  ),
  wraps(
    /acquire impersonated credentials|failed to generate Google Cloud (?:OAuth 2\.0 )?access token|unable to generate access token/i,
    [
      ["GOOGLE-IMPERSONATION-DENIED", "the answer beside it speaks of a permission (403)"],
      ["GOOGLE-NO-SCOPES", "the answer beside it says that an argument is invalid (400)"],
      ["GOOGLE-API-DISABLED", "the answer beside it says that an API is disabled"],
    ],
  ),
  wraps(
    /failed to generate Google Cloud federated token|problem refreshing your current auth tokens|google\.auth\.exceptions\.(?:RefreshError|OAuthError)|gcloud crashed/i,
    [
      ["GOOGLE-CONDITION-FALSE", "the answer beside it speaks of a condition"],
      ["GOOGLE-POOL-OFF", "the answer beside it speaks of the audience as a target"],
      ["GOOGLE-IMPERSONATION-DENIED", "the answer beside it speaks of a permission"],
      ["CREDENTIALS-REFUSED", "there is no answer beside it: the sign-in has ended"],
    ],
  ),
  wraps(/oauth2\/google: status code \d+|googleapi: Error \d+/i, [
    ["GOOGLE-IMPERSONATION-DENIED", "403 at iamcredentials"],
    ["GOOGLE-CONDITION-FALSE", "400 at sts"],
    ["NOT-PERMITTED", "403 anywhere else"],
  ]),
];
