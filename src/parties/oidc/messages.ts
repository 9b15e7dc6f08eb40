import { type KnownMessage, shared, tells, wraps } from "../../model.ts";

/** What issuers of tokens, and the way to any server, say: no cloud's own words (failures.md F5, F17). */
export const messages: readonly KnownMessage[] = [
  tells(
    /ACTIONS_ID_TOKEN_REQUEST_(?:TOKEN|URL)/i,
    "GITHUB-NO-ID-TOKEN",
    "GitHub gives this job no ID token: it lacks permissions: id-token: write, or runs for a pull request of a fork",
  ),
  tells(
    /It looks like you might be trying to authenticate with OIDC|missing or insufficient OIDC token permissions|Unable to get ID Token|insufficient.{0,40}id-token/i,
    "GITHUB-NO-ID-TOKEN",
    "GitHub gives this job no ID token: it lacks permissions: id-token: write, or runs for a pull request of a fork",
  ),
  tells(
    /SELF_SIGNED_CERT|UNABLE_TO_(?:GET|VERIFY)|unable to get local issuer|certificate signed by unknown authority|CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSL certificate problem|PKIX path building failed|CERT_HAS_EXPIRED|certificate has expired/i,
    "ISSUER-TLS",
    "the certificate of the server named is vouched for by nobody that this machine trusts; a proxy in between may have put in its own",
  ),
  shared(
    /ECONNREFUSED|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|no such host|connection refused|i\/o timeout|Could not connect to the endpoint URL|Could not resolve host|Name or service not known|Temporary failure in name resolution|Connection timed out|socket hang up|ECONNRESET/,
    [
      ["NO-NETWORK", "the address is on the internet: network, proxy or firewall"],
      ["GOOGLE-METADATA", "the address is metadata.google.internal, or 169.254.169.254 on google"],
      ["GOOGLE-AWS-CREDENTIALS", "the address is 169.254.169.254, and the program runs on aws"],
    ],
  ),
  wraps(/token.{0,20}(?:exchange|request) failed/i, [
    ["COULD-NOT-TELL", "the answer of the other side is missing: it stands in a line before or after"],
  ]),
];
