import type { Finding, MintAsk, Token, World } from "../../model.ts";
import { mintBy } from "../../run/minting.ts";
import { CloudError } from "../../run/retry.ts";
import { identityOf } from "./claims.ts";
import { sideOf } from "./shape.ts";

/**
 * In the sandbox any workload of an issuer that it plays may be acted as (contract, section 5); else as `mint` says,
 * and where it says nothing no program can have a token: that is a sign-in of a person.
 */
export async function mint(ask: MintAsk, world: World): Promise<Token> {
  const { issuer, tls, mint: spec } = sideOf(ask.link);
  const mapped = (await world.sandbox?.host(issuer, { privateCa: tls === "private-ca" }))?.mapped;
  if (world.sandbox && !mapped) {
    const claims = { ...claimsOf(ask), iat: Math.floor(world.clock.now() / 1000) };
    const text = await world.sandbox.mint(issuer, claims);
    return { text, claims: decode(text), header: { alg: "RS256" }, mintedBy: "sandbox" };
  }
  // A file or a program gives the token that it has: with it no refusal of another audience could be proved.
  if (ask.audience !== ask.link.audience) throw cannot("OTHER-AUDIENCE");
  if (!spec) throw cannot("CANNOT-MINT");
  return mintBy(spec, { service: "oidc", clientCredentials: async () => Promise.reject(cannot("CANNOT-MINT")) }, world);
}

const cannot = (code: string): CloudError =>
  new CloudError({ class: "refused", service: "oidc", operation: "Mint", code, status: 0, message: "" });

function decode(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(text.split(".")[1] ?? "", "base64url").toString("utf8"));
}

/** As the issuer would say them: of alternatives the first, of patterns one that fits. */
function claimsOf({ link, audience }: MintAsk): Readonly<Record<string, unknown>> {
  const identity = identityOf(link);
  if (identity.proof !== "oidc") return {};
  const first = Object.entries(identity.claims).map(([claim, value]) => [
    claim,
    Array.isArray(value) ? value[0] : value,
  ]);
  const { aud, azp, ...claims } = Object.fromEntries(first) as Record<string, string>;
  const sub = identity.like?.[0]?.replaceAll("*", "crosstrust").replaceAll("?", "x");
  const tags = Object.entries(identity.tags ?? {}).map(([tag, values]) => [tag, [values[0]]] as const);
  return {
    ...(sub ? { sub } : {}),
    ...claims,
    // A wrong audience has to be wrong wherever it is read.
    aud: audience,
    ...(azp === undefined ? {} : { azp: audience === link.audience ? azp : audience }),
    ...(tags.length > 0 ? { "https://aws.amazon.com/tags": { principal_tags: Object.fromEntries(tags) } } : {}),
  };
}

/** What is missing is a way to mint, not a permission: so it could not be told (contract, section 7). */
export function explainMint({ link }: MintAsk, error: unknown): Finding | undefined {
  if (!(error instanceof CloudError) || error.code !== "CANNOT-MINT") return undefined;
  return {
    ...{ code: "CANNOT-MINT", severity: "error", asks: "untold", links: [link.name], because: [] },
    at: { place: link.at("from.oidc") },
    says: "nothing says how a token for this link is had, so it cannot be proved",
    fix: [
      "prove: judge on the link, if only people sign in there",
      "or mint: { tokenFile }, { command } or { clientCredentials }",
    ],
  };
}
