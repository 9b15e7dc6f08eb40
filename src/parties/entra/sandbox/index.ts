import type { Host, Player } from "../../../sandbox/fake.ts";
import { graph, operatorToken } from "./graph.ts";
import { imds } from "./imds.ts";
import { nextKey, signing } from "./issue.ts";
import { login } from "./login.ts";
import { runAs } from "./machine.ts";

const tenantIssuer =
  /^https:\/\/(?:sts\.windows\.net\/[0-9a-f-]{36}\/|login\.microsoftonline\.com\/[0-9a-f-]{36}\/v2\.0)$/;

/**
 * Entra ID as the sandbox plays it. Its services stand longest name first, because each is found by a prefix of its
 * path. Only one variable leads programs here: msal's metadata service can be moved, its login demands https.
 */
export const player: Player = {
  party: "entra",
  fakes: [graph, imds, login],
  issuers: [signing, nextKey],
  signsAs: (issuer) => (tenantIssuer.test(issuer) ? signing : undefined),
  operator: (tenant: string, host: Host) => ({
    secrets: { accessToken: operatorToken(host, tenant) },
    principal: "operator@example.com",
    expiresAt: host.now() + 3_600_000,
  }),
  runAs,
  environment: (_tenant, host) => ({
    variables: { AZURE_POD_IDENTITY_AUTHORITY_HOST: host.base },
    files: {},
    folders: ["AZURE_CONFIG_DIR"],
    unset: [
      "AZURE_CLIENT_SECRET",
      "AZURE_CLIENT_CERTIFICATE_PATH",
      "AZURE_FEDERATED_TOKEN_FILE",
      "AZURE_AUTHORITY_HOST",
      "IDENTITY_ENDPOINT",
      "IDENTITY_HEADER",
      "MSI_ENDPOINT",
      "MSI_SECRET",
      "AZURE_USERNAME",
      "AZURE_PASSWORD",
    ],
    // Of the CLI, and of the token caches of the SDKs in each language.
    homes: [".azure", ".IdentityService", ".local/.IdentityService", ".local/share/.IdentityService"],
  }),
};
