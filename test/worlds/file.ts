import { awsAccount, awsRole, type Issuer } from "./issuers.ts";

// The federation file of a world. JSON is YAML, so no text is written by hand.

/** The audience of every token whose issuer lets the file choose. */
export const clientId = "the-client";
const entraApplication = "api://my-app";

/** What the tokens of an issuer's workloads name as their audience. */
export const audienceOf = (issuer: Issuer): string => (issuer.name === "entra" ? entraApplication : clientId);

/** `from` of a link: the issuer's own workload, with the claims that the file declares of it. */
export function fromOf(issuer: Issuer, declared: readonly string[]): object {
  const { name, url, own } = issuer;
  if (name === "aws") return { aws: { account: awsAccount, role: awsRole } };
  if (name === "google") return { google: { project: "acme-prod", serviceAccount: "reports" } };
  if (name === "entra") {
    const tenant = own.tid;
    return { entra: { tenant, application: entraApplication, subject: own.sub } };
  }
  const claims = Object.fromEntries(declared.map((claim) => [claim, own[claim]]));
  const side = { issuer: url, clientId: own.azp ?? clientId, subject: own.sub };
  return { oidc: declared.length > 0 ? { ...side, claims } : side };
}

export const fileOf = (links: Readonly<Record<string, object>>): string =>
  JSON.stringify({ crosstrust: 1, name: "acme", links }, null, 1);
