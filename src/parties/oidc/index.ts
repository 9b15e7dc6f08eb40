import type { Issuer, Link, Party } from "../../model.ts";
import { mintEffects } from "../../run/minting.ts";
import { identityOf, issuerAddress } from "./claims.ts";
import { issuerKind } from "./kind.ts";
import { lint } from "./lint.ts";
import { messages } from "./messages.ts";
import { explainMint, mint } from "./mint.ts";
import { forms, from, sideOf } from "./shape.ts";
import { watch } from "./watch.ts";

/** Okta, Auth0, Keycloak, GitHub and the like are data in `claims.ts`, not code. */
const issuer: Issuer = {
  identify(link) {
    const { issuer: url, tls } = sideOf(link);
    const unpinned = link.to.party === "aws" ? {} : { unpinned: true as const };
    const spec = { url, privateCa: tls === "private-ca", ...unpinned };
    const resources = [{ address: issuerAddress(url), links: [link.name], hold: "use", spec }] as const;
    return { identity: identityOf(link), resources };
  },
  mint,
  explainMint,
  // Who may have a token is decided on the issuer's side, and nothing there is ours to give.
  grantMint: async () => undefined,
  recallGrant: async () => [],
};

/** Any OpenID Connect issuer as a party; it relies on nobody. */
export const oidc: Party = {
  name: "oidc",
  messages,
  issuer,
  kinds: [issuerKind],
  title,
  lint,
  watch,
  reach: async () => [],
  preflight: async () => [],
  nextSteps: () => [],
  effects: (link, side) =>
    side === "from"
      ? mintEffects(sideOf(link).mint, {
          token: receiver(link),
          endpoint: `the token endpoint of ${sideOf(link).issuer}`,
        })
      : [],
};

/** Who is given a link's token. */
const receiver = ({ to }: Link): string => `${to.party} ${String(to.spec.account ?? to.spec.project)}`;

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
