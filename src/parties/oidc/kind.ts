import type { Code, Finding, Kind, Live, LivePresent, Resource, Spec, World } from "../../model.ts";
import { CloudError } from "../../run/retry.ts";
import { readDocuments } from "./documents.ts";
import { endOf, thumbprintsOf } from "./thumbprint.ts";

/** An issuer as the file names it; there is nothing about it to be made. */
export interface IssuerSpec extends Spec {
  readonly url: string;
  /** Its certificate comes from a CA of its own, so its thumbprint is what it is known by. */
  readonly privateCa: boolean;
  /** Nobody asks for its thumbprint: clouds but AWS know none. */
  readonly unpinned?: true;
}

/**
 * An issuer of tokens, read like any other thing: what it serves (keys, certificates) is what others refer to, so a
 * new certificate is seen as something that moved. Always used, never written.
 */
export const issuerKind: Kind<IssuerSpec> = {
  name: "oidc:issuer",
  label: "issuer",
  read,
  list: async () => ({ found: [], scopes: [], findings: [] }),
  put: async () => {
    throw new Error("an issuer is never written");
  },
  remove: async () => [],
  combine: (a, b) =>
    a.privateCa === b.privateCa
      ? { url: a.url, privateCa: a.privateCa, ...(a.unpinned && b.unpinned ? { unpinned: true as const } : {}) }
      : { path: "tls", conflict: "one link says tls: private-ca, the other does not" },
};

/**
 * `hints` are the thumbprints that were written last. Where public CAs vouch for the issuer AWS does not use them, so
 * a certificate that was renewed is no reason to write (aws.md 6.2): what was written stays what is wanted.
 */
async function read({ spec }: Resource<IssuerSpec>, hints: readonly string[], world: World): Promise<Live<IssuerSpec>> {
  await world.sandbox?.host(spec.url, { privateCa: spec.privateCa });
  const documents = await readDocuments(world, spec.url, { vouched: !spec.privateCa, exact: !spec.unpinned });
  const hosts = [...new Set([spec.url, documents.jwksUri].map((url) => new URL(url).hostname))];
  const chains = await Promise.all(hosts.map((host) => chainOf(world, host)));
  const untrusted = chains.find((chain) => chain.untrusted)?.untrusted;
  const served = thumbprintsOf(chains);
  const written = hints.at(0);
  const outputs = {
    thumbprints: untrusted || !written ? served : written,
    served,
    jwksUri: documents.jwksUri,
    kids: documents.kids.join(" "),
    lacking: documents.lacking.join(", "),
    ends: new Date(endOf(chains)).toISOString(),
    vouched: String(!untrusted),
  };
  const live: LivePresent<IssuerSpec> = { state: "present", owner: "foreign", spec, outputs };
  return { ...live, notes: notesOf(spec, { untrusted, doubts: documents.doubts }) };
}

async function chainOf(world: World, host: string) {
  try {
    return await world.outside.chain(host);
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    throw new CloudError({ ...error, message: error.message, service: "oidc", operation: "GetCertificates" });
  }
}

interface Seen {
  readonly untrusted: string | undefined;
  readonly doubts: readonly string[];
}

/** Said plainly, because tutorials make much of the thumbprint: most of the time AWS does not look at it. */
function notesOf({ url, privateCa, unpinned }: IssuerSpec, { untrusted, doubts }: Seen): readonly Finding[] {
  const use: Note = untrusted
    ? {
        code: "THUMBPRINT-USED",
        says: `no public CA vouches for ${url} (${untrusted}): aws knows it by its thumbprint alone`,
        fix: ["when its certificates change, crosstrust apply writes the new thumbprint"],
      }
    : { code: "THUMBPRINT-UNUSED", says: `public CAs vouch for ${url}: aws stores the thumbprint and does not use it` };
  const needless: Note = {
    code: "TLS-NOT-PRIVATE",
    says: `public CAs vouch for ${url}, although the file says tls: private-ca`,
    fix: ["leave tls out"],
  };
  const doubted = doubts.map(
    (doubt): Note => ({
      code: "ISSUER-DOUBT",
      says: `${url}: ${doubt}`,
      fix: ["mend it on the issuer's side"],
    }),
  );
  const warnings = [...(privateCa && !untrusted ? [needless] : []), ...doubted];
  return [
    ...(unpinned ? [] : [{ ...noted(use, "hint"), standing: true as const }]),
    ...warnings.map((one) => noted(one, "warning")),
  ];
}

interface Note {
  readonly code: Code;
  readonly says: string;
  readonly fix?: readonly string[];
}

const noted = ({ code, says, fix = [] }: Note, severity: Finding["severity"]): Finding => ({
  ...{ code, severity, at: {}, says, because: [], fix },
});
