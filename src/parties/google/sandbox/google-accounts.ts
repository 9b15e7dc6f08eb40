import type { Host } from "../../../sandbox/fake.ts";

/** What Google calls the agents of its services before the project's number: `service-NUMBER@HERE.iam.gserviceaccount.com`. */
const agents = new Set([
  "cloudcomposer-accounts",
  "compute-system",
  "container-engine-robot",
  "containerregistry",
  "dataflow-service-producer-prod",
  "dataproc-accounts",
  "firebase-rules",
  "gae-api-prod.google.com",
  "gcf-admin-robot",
  "gs-project-accounts",
  "serverless-robot-prod",
  "service-networking",
  "sourcerepo-service-accounts",
]);

/**
 * Returns the number of the project whose Google-managed account an e-mail names; undefined for any other e-mail. These
 * accounts belong to Google, and nothing lists them in the project.
 */
function numberIn(email: string): string | undefined {
  const [, number, agent = ""] = /^service-(\d+)@(.+)\.iam\.gserviceaccount\.com$/.exec(email) ?? [];
  if (number !== undefined) return agent.startsWith("gcp-sa-") || agents.has(agent) ? number : undefined;
  return /^(\d+)@(?:cloudservices|cloudbuild)\.gserviceaccount\.com$/.exec(email)?.[1];
}

export const computeEmail = ({ number }: { readonly number: string }): string =>
  `${number}-compute@developer.gserviceaccount.com`;
export const appEngineEmail = ({ id }: { readonly id: string }): string => `${id}@appspot.gserviceaccount.com`;

/**
 * Whether Google made this account for a project that the sandbox knows: the agent of a service or a default account.
 * Approximate: a real agent is made when its service is first used, a default account when its API is enabled.
 */
export function isGoogleMade(host: Host, email: string): boolean {
  const number = numberIn(email) ?? /^(\d+)-compute@developer\.gserviceaccount\.com$/.exec(email)?.[1];
  const id = /^(.+)@appspot\.gserviceaccount\.com$/.exec(email)?.[1];
  if (id !== undefined) return host.state.get(`google.project/${id}`) !== undefined;
  return number !== undefined && host.state.get(`google.number/${number}`) !== undefined;
}
