import type { Address, Identity, Link, Ref, Resource } from "../../model.ts";
import { type ServiceAccountName, serviceAccountOf } from "./shape.ts";

/** As in `iss` (google.md 4), with the scheme; AWS names the same issuer without it. */
export const issuer = "https://accounts.google.com";

/** One account, one address: `reports` and its e-mail give the same; another form of e-mail is kept whole. */
export const serviceAccountAddress = (account: { project: string; id: string; email: string }): Address =>
  `google:serviceAccount/${account.project}/${account.email.endsWith(`@${account.project}.iam.gserviceaccount.com`) ? account.id : account.email}`;

/**
 * What a service account's ID token will say (google.md 4). The subject is the unique id and not the e-mail,
 * because a recreated account has the same e-mail and would inherit the trust (google.md 5). `azp` is the unique id
 * too, by the metadata server and by plain generateIdToken; only a token made with a key, or with the undocumented
 * `useEmailAzp`, has the e-mail there (google.md 4).
 */
export function identityOf(link: Link): { readonly identity: Identity; readonly account: ServiceAccountName } {
  const account = serviceAccountOf(link);
  const uniqueId: Ref = { $ref: serviceAccountAddress(account), field: "uniqueId" };
  const claims = { sub: uniqueId, aud: link.audience, azp: uniqueId };
  return { account, identity: { proof: "oidc", issuer, claims, also: { email: account.email } } };
}

/** Google's own default accounts: shared by everything in the project that names no account of its own. */
export const isDefaultAccount = (email: string): boolean =>
  /^\d+-compute@developer\.gserviceaccount\.com$|@appspot\.gserviceaccount\.com$/.test(email);

/** Projects in which the file has something made: where something of a former file may be left. */
export const ownProjects = (resources: readonly Resource[]): readonly string[] => [
  ...new Set(resources.filter(({ hold }) => hold === "own").map(({ spec }) => String(spec.project))),
];
