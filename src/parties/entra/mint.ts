import type { Link, MintAsk, Token, World } from "../../model.ts";
import { mintBy, tokenOf } from "../../run/minting.ts";
import { CloudError } from "../../run/retry.ts";
import { issuerOf, wholeClaims } from "./claims.ts";
import { byClientCredentials } from "./client.ts";
import { fromImds, onAzure } from "./imds.ts";
import { isGuid, sourceOf } from "./shape.ts";

/** Names what is minted here, in errors. */
const minting = { service: "entra", operation: "Mint" } as const;

/** The codes of our own errors, for `explainMint` to tell apart from Entra's. */
export const own = {
  nothingMints: "NothingMints",
  otherAudience: "OtherAudience",
  otherIssuer: "OtherIssuer",
  otherToken: "OtherToken",
} as const;

/**
 * A token of the link's workload: in the sandbox any is to be had; on Azure the machine's own, else as `mint` says
 * (contract, section 7). Whatever came is held against the file before anybody else sees it.
 */
export async function mint(ask: MintAsk, world: World): Promise<Token> {
  const { link } = ask;
  const { application } = sourceOf(link);
  const asked = ask.audience === link.audience;
  if (world.sandbox) {
    const claims = wholeClaims(link, {
      audience: asked ? application : ask.audience,
      now: Math.floor(world.clock.now() / 1000),
    });
    return tokenOf(await world.sandbox.mint(String(claims.iss), claims), "sandbox", minting);
  }
  // Entra gives tokens for applications that exist, and a file or a program gives whatever it has: for a refusal to
  // be proved with such a token, it would have to be another one than the link's own.
  if (!asked) throw refused(own.otherAudience, "entra mints for this link's application alone");
  return inTheCloud(link, world);
}

/** The machine may run as somebody else; then `mint` of the file is the way that its author meant. */
async function inTheCloud(link: Link, world: World): Promise<Token> {
  const { mint: spec } = sourceOf(link);
  if (await onAzure(world)) {
    try {
      return checked(link, tokenOf(await asMachine(link, world), "imds", minting));
    } catch (error) {
      if (!spec || !(error instanceof CloudError) || !["denied", "invalid"].includes(error.class)) throw error;
    }
  }
  if (!spec) throw refused(own.nothingMints, "nothing here can mint for this link", "credentials");
  const source = sourceOf(link);
  const clientCredentials = (given: Parameters<typeof byClientCredentials>[1]) =>
    byClientCredentials(source, given, world);
  return checked(link, await mintBy(spec, { ...minting, clientCredentials }, world));
}

/**
 * By its object id, since a machine can have several identities; where that one is unknown, as the machine's own
 * choice, because whether a system-assigned identity answers to its object id is not documented (entra.md 4.3).
 */
async function asMachine(link: Link, world: World): Promise<string> {
  const { application: resource, subject } = sourceOf(link);
  if (!isGuid(subject)) return fromImds(world, { resource });
  try {
    return await fromImds(world, { resource, object_id: subject });
  } catch (error) {
    if (!(error instanceof CloudError) || error.code !== "invalid_request") throw error;
    return fromImds(world, { resource });
  }
}

/**
 * Whether it is this workload's app-only token: another would prove nothing about the link, and a user's must not be
 * sent to a cloud at all (entra.md 2.5, 5.4). The values named are no secrets; the token stays out of it.
 */
function checked(link: Link, token: Token): Token {
  const { tenant, tokenVersion, subject } = sourceOf(link);
  const issuer = issuerOf(tenant, tokenVersion);
  const { iss, sub, scp } = token.claims;
  if (iss !== issuer) throw refused(own.otherIssuer, `the token is of ${said(iss)}, and the file makes it ${issuer}`);
  if (scp !== undefined) throw refused(own.otherToken, "the token is a user's (it has scp), not an application's");
  if (sub !== subject) throw refused(own.otherToken, `the token is of ${said(sub)}, and the file says ${subject}`);
  return token;
}

const said = (claim: unknown): string => (typeof claim === "string" ? claim.slice(0, 200) : "nobody");

const refused = (code: string, message: string, kind: "invalid" | "credentials" = "invalid"): CloudError =>
  new CloudError({ ...minting, class: kind, code, status: 0, message });
