import type { Finding, Issuer, Link, Party } from "../../model.ts";
import { identityOf, issuerAddress } from "./claims.ts";
import { issuerKind } from "./kind.ts";
import { explainMint, mint } from "./mint.ts";
import { forms, from, sideOf } from "./shape.ts";
import { watch } from "./watch.ts";

/** Okta, Auth0, Keycloak, GitHub and the like are data in `claims.ts`, not code. */
const issuer: Issuer = {
  identify(link) {
    const { issuer: url, tls } = sideOf(link);
    const spec = { url, privateCa: tls === "private-ca" };
    const resources = [{ address: issuerAddress(url), links: [link.name], hold: "use", spec }] as const;
    return { identity: identityOf(link), resources };
  },
  mint,
  explainMint,
  // Who may have a token is decided on the issuer's side, and nothing there is ours to give.
  grantMint: async () => undefined,
  recallGrant: async () => {},
};

/** Any OpenID Connect issuer as a party; it relies on nobody. */
export const oidc: Party = {
  name: "oidc",
  issuer,
  kinds: [issuerKind],
  title,
  lint,
  watch,
  reach: async () => [],
  preflight: async () => [],
  nextSteps: () => [],
};

/** Its part of the federation file. The client id is what tokens are asked for. */
export const shape = {
  party: "oidc",
  from,
  forms: { from: forms },
  audience: (spec: Readonly<Record<string, unknown>>) => String(spec.clientId),
};

function title(link: Link): string {
  const { issuer: url, subject, subjectLike } = sideOf(link);
  const who = [...(subject ?? []), ...(subjectLike ?? [])];
  return `${who.length === 1 ? who[0] : `${who[0]} and ${who.length - 1} more`}@${new URL(url).hostname}`;
}

/** Issuers that AWS knows without an OIDC provider (aws.md 2.1, 6.1), and what to write instead. */
const builtIn: Readonly<Record<string, string>> = {
  "https://accounts.google.com":
    "from: { google: { clientId: .., subject: .. } }, or { project: .., serviceAccount: .. }",
  "https://cognito-identity.amazonaws.com": "crosstrust has no party for Cognito identity pools",
  "https://www.amazon.com": "crosstrust has no party for Login with Amazon",
  "https://graph.facebook.com": "crosstrust has no party for Facebook",
};

function lint(link: Link): readonly Finding[] {
  const side = sideOf(link);
  const base = { links: [link.name], because: [] } as const;
  const port = link.to.party === "aws" && new URL(side.issuer).port !== "";
  const known = builtIn[side.issuer];
  const secret = side.mint && "clientCredentials" in side.mint && "secretFrom" in side.mint.clientCredentials;
  return [
    ...(link.to.party === "aws" && known
      ? [
          {
            ...{ ...base, code: "ISSUER-BUILT-IN", severity: "error" as const },
            at: { place: link.at("from.oidc.issuer") },
            says: `aws has ${side.issuer} built in, under rules of its own: an OIDC provider for it is never asked`,
            fix: [known],
          },
        ]
      : []),
    ...(port
      ? [
          {
            ...{ ...base, code: "ISSUER-PORT", severity: "error" as const, at: { place: link.at("from.oidc.issuer") } },
            says: "aws takes no port in an issuer's URL",
            fix: ["serve the issuer at port 443"],
          },
        ]
      : []),
    ...(side.subjectLike ?? []).map((pattern) => ({
      ...{ ...base, code: "BROAD-SUBJECT", severity: "security" as const },
      at: { place: link.at("from.oidc.subjectLike") },
      says: `${pattern} lets in every subject of ${side.issuer} that comes to match it`,
      fix: ["name the subjects with subject: [..] where they are few"],
    })),
    ...(secret
      ? [
          {
            ...{
              ...base,
              code: "MINT-STORED-SECRET",
              severity: "warning" as const,
              at: { place: link.at("from.oidc.mint") },
            },
            says: "a stored secret mints for this link: it can be stolen, and has to be rotated",
            fix: ["assertion: google, where the issuer takes one"],
          },
        ]
      : []),
  ];
}
