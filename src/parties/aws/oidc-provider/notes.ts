import type { Code, Finding } from "../../../model.ts";
import type { LiveOidcProvider } from "./calls.ts";
import type { OidcProviderSpec } from "./spec.ts";

/** An OIDC provider that is this deployment's alone, so that whatever is in it besides is nobody's. */
export interface Alone {
  readonly like: OidcProviderSpec;
  readonly there: LiveOidcProvider;
  /** Thumbprints of the file, or as they were written last. */
  readonly wanted: readonly string[];
}

const said = (code: Code, says: string, fix: string): Finding => ({
  ...{ code, severity: "security", at: {}, says, because: [], fix: [fix] },
});

/**
 * A client id more opens nothing by itself, since a role pins its own audience, and everything where a role does not
 * (aws.md 13.2, T09). A thumbprint more is a way to speak for the issuer where no public CA vouches for it (6.2).
 */
export function extras({ like, there, wanted }: Alone): readonly Finding[] {
  // Of a leftover nothing is known to be wanted, and the whole of it goes.
  if (like.clientIds.length === 0) return [];
  const clients = there.ClientIDList.filter((id) => !like.clientIds.includes(id));
  const prints = wanted.some(Boolean) ? there.ThumbprintList.filter((one) => !wanted.includes(one)) : [];
  const mend = "crosstrust apply   # takes them out; or name them in a link";
  const speaks = "whoever holds such a certificate can speak for it where aws goes by thumbprints";
  return [
    ...(clients.length > 0
      ? [
          said(
            "AWS-CLIENT-ID-EXTRA",
            `the OIDC provider of ${like.url} also takes tokens for ${clients.join(", ")}`,
            mend,
          ),
        ]
      : []),
    ...(prints.length > 0
      ? [
          said(
            "AWS-THUMBPRINT-EXTRA",
            `the OIDC provider of ${like.url} knows the thumbprint ${prints.join(", ")}: ${speaks}`,
            mend,
          ),
        ]
      : []),
  ];
}
