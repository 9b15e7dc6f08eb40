import { createHash } from "node:crypto";
import type { Certificate, ServedChain } from "../../model.ts";

/**
 * AWS's thumbprint: SHA-1, lower-case hex, of the last certificate that is really served, which is not always a root
 * (aws.md 6.2): `openssl s_client -showcerts` shows the same one last.
 */
export const thumbprintOf = ({ certificates }: Pick<ServedChain, "certificates">): string =>
  createHash("sha1")
    .update(certificates.at(-1)?.raw ?? "")
    .digest("hex");

/**
 * Of the host that serves the keys, and of the discovery host where that is another one: where AWS falls back to
 * thumbprints it checks both, and fails if one is missing (aws.md 6.2). Sorted and joined as specs hold them.
 */
export const thumbprintsOf = (chains: readonly ServedChain[]): string =>
  [...new Set(chains.map(thumbprintOf))].sort().join("+");

/** Epoch milliseconds: a chain ends with the first of its certificates. */
export const endOf = (chains: readonly ServedChain[]): number =>
  Math.min(...chains.flatMap(({ certificates }) => certificates.map(({ notAfter }: Certificate) => notAfter)));
