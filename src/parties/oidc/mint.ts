import { z } from "zod";
import { completed } from "../../judge/issuers/outsiders.ts";
import { isKnown, issuerOf } from "../../judge/issuers/table.ts";
import type { Finding, MintAsk, Token, World } from "../../model.ts";
import {
  assertionType,
  type ClientCredentials,
  fitting,
  googleAssertion,
  mintBy,
  secretOf,
  tokenOf,
} from "../../run/minting.ts";
import { type Call, CloudError, call, jsonOf, located } from "../../run/retry.ts";
import { identityOf } from "./claims.ts";
import { readDocuments, sameButSlash } from "./documents.ts";
import { sideOf } from "./shape.ts";

const minting = { service: "oidc", operation: "Mint" } as const;

/**
 * In the sandbox any workload of an issuer that it plays may be acted as (contract, section 5); else as `mint` says,
 * and where it says nothing no program can have a token: that is a sign-in of a person.
 */
export async function mint(ask: MintAsk, world: World): Promise<Token> {
  const { link } = ask;
  const { issuer, tls, mint: spec } = sideOf(link);
  const mapped = (await world.sandbox?.host(issuer, { privateCa: tls === "private-ca" }))?.mapped;
  if (world.sandbox && !mapped) return tokenOf(await world.sandbox.mint(issuer, claimsOf(ask)), "sandbox", minting);
  // A file or a program gives whatever it has, and an endpoint what it was set up for: no wrong audience to try.
  if (ask.audience !== link.audience) throw refused("OTHER-AUDIENCE", "tokens come for the link's own audience alone");
  if (!spec) throw refused("CANNOT-MINT", "nothing says how a token is had");
  const clientCredentials = (given: ClientCredentials) => byClientCredentials(ask, given, world);
  return checked(ask, await mintBy(spec, { ...minting, clientCredentials }, world));
}

/** Another's token would prove nothing about this link. The token itself stays out of every error. */
function checked({ link }: MintAsk, token: Token): Token {
  const { issuer, subject } = sideOf(link);
  const { iss, sub } = token.claims;
  if (isExact(link) ? iss !== issuer : !sameButSlash(String(iss), issuer))
    throw refused("OTHER-TOKEN", `the token is of ${String(iss).slice(0, 200)}, and the file says ${issuer}`);
  if (!subject || subject.includes(String(sub))) return token;
  throw refused(
    "OTHER-TOKEN",
    `the token is of ${String(sub).slice(0, 200)}, and the file says ${subject.join(" or ")}`,
  );
}

/** Google ignores one slash at the end of an issuer. */
const isExact = ({ to }: MintAsk["link"]): boolean => to.party === "aws";

const refused = (code: string, message: string): CloudError =>
  new CloudError({ ...minting, class: "invalid", code, status: 0, message });

const spec = { service: "oidc", operation: "GetToken", effect: "read" } as const satisfies Call;
const answerSchema = z.object({
  id_token: z.string().min(1).optional(),
  access_token: z.string().min(1).optional(),
  error: z.string().max(100).optional(),
});

/** RFC 6749, 4.4, with a secret or an assertion (RFC 7523, 2.2); `audience` is what Auth0 wants, and others ignore. */
async function byClientCredentials({ link }: MintAsk, given: ClientCredentials, world: World): Promise<string> {
  const { issuer, tls } = sideOf(link);
  const vouched = tls !== "private-ca";
  const { tokenEndpoint } = await readDocuments(world, issuer, { vouched, exact: isExact(link) });
  if (!tokenEndpoint) throw refused("CANNOT-MINT", `the discovery of ${issuer} names no token_endpoint`);
  const proof: Record<string, string> = given.assertion
    ? { client_assertion_type: assertionType, client_assertion: await googleAssertion(issuer, world) }
    : { client_secret: secretOf(given.secretFrom ?? "", minting) };
  const scope = given.scope === undefined ? {} : { scope: given.scope };
  const form = {
    grant_type: "client_credentials",
    client_id: given.clientId,
    audience: link.audience,
    ...scope,
    ...proof,
  };
  return call(world, spec, async () => {
    const { status, body } = await world.outside.post(tokenEndpoint, form, { vouched }).catch((error: unknown) => {
      throw error instanceof CloudError ? located(error, spec) : error;
    });
    const answer = answerSchema.safeParse(jsonOf(body)).data;
    const token = answer?.id_token ?? answer?.access_token;
    if (status === 200 && token) return token;
    const kind = status >= 500 ? "transient" : answer?.error ? "denied" : "malformed";
    const message = `the issuer gives no token: ${answer?.error ?? `it answers ${status}`}`;
    throw new CloudError({ ...spec, class: kind, code: answer?.error ?? "", status, message });
  });
}

/** As the issuer would say them: of alternatives the first, of patterns one that fits. */
function claimsOf({ link, audience }: MintAsk): Readonly<Record<string, unknown>> {
  const identity = identityOf(link);
  if (identity.proof !== "oidc") return {};
  const one = (value: unknown) => (Array.isArray(value) ? value[0] : value);
  const first = Object.entries(identity.claims).map(([claim, value]) => [claim, one(value)]);
  const { aud: _, azp, ...claims } = Object.fromEntries(first) as Record<string, string>;
  const like = identity.like?.[0];
  const tags = Object.entries(identity.tags ?? {}).map(([tag, values]) => [tag, [values[0]]] as const);
  const declared = { ...(like ? { sub: fitting(like) } : {}), ...claims };
  return {
    ...wholeOf(String(identity.issuer), declared),
    ...declared,
    // A wrong audience has to be wrong wherever it is read.
    aud: audience,
    ...(azp === undefined ? {} : { azp: audience === link.audience ? azp : audience }),
    ...(tags.length > 0 ? { "https://aws.amazon.com/tags": { principal_tags: Object.fromEntries(tags) } } : {}),
  };
}

/**
 * What the tokens of a known issuer say besides: a mapping may read any of it. The times are the sandbox's to set, and an
 * authorized party is only there where the file says so.
 */
function wholeOf(iss: string, declared: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const issuer = issuerOf(iss);
  if (!isKnown(issuer)) return {};
  const { iat: _, nbf: __, exp: ___, azp: ____, jti: _____, ...whole } = completed(issuer, iss, declared).guessed;
  return whole;
}

/** What is missing is a way to mint, not a permission: so it could not be told (contract, section 7). */
export function explainMint({ link }: MintAsk, error: unknown): Finding | undefined {
  if (!(error instanceof CloudError)) return undefined;
  const base = { severity: "error", links: [link.name], because: [], at: { place: link.at("from.oidc") } } as const;
  if (error.code === "OTHER-TOKEN") {
    const fix = ["issuer and subject in the file have to be those of the token; mint has to give this workload's"];
    return { ...base, code: "MINTED-ANOTHER", asks: "untold", says: error.message, fix };
  }
  if (error.code !== "CANNOT-MINT") return undefined;
  const says = `no token for this link can be had, so it cannot be proved: ${error.message}`;
  const fix = [
    "prove: judge on the link, if only people sign in there: its trust is judged, the verdict is unproved",
    "or mint: { tokenFile }, { command } or { clientCredentials }",
  ];
  return { ...base, code: "CANNOT-MINT", asks: "untold", says, fix };
}
