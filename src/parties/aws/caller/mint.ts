import { z } from "zod";
import type { AwsCaller, Finding, Link, MintAsk, Session, Token, World } from "../../../model.ts";
import { tokenOf } from "../../../run/minting.ts";
import { CloudError } from "../../../run/retry.ts";
import { sts } from "../client.ts";
import { callerIdentity } from "../exchange.ts";
import { callerOf } from "../shape.ts";
import { exampleOf, identify, isMeant, whoOf } from "./identity.ts";
import { signedRequest, subjectToken } from "./sign.ts";

/** The codes of our own errors, for `explainMint` to tell apart from AWS's. */
const otherWorkload = "OtherWorkload";

/**
 * A signed GetCallerIdentity of the link's workload: in the sandbox any workload's is to be had; else the credentials
 * at hand have to be that workload's, by themselves or by the file's `profile` or `assumeRole` (contract, section 7).
 * Who they are is asked first: a proof by anybody else would prove nothing about this link.
 */
export async function mint(ask: MintAsk, world: World): Promise<Token> {
  const { link } = ask;
  if (callerOf(link).proof === "outbound-jwt") return outboundToken(ask, await sessionOf(link, world), world);
  if (world.sandbox) return mintAs({ ...exampleOf(link, whoOf(link)) }, ask, world);
  const session = await ownSession(link, world);
  const { Arn: arn, Account: account } = await callerIdentity(world, accountOf(link), session);
  if (!isMeant({ account, arn }, link)) {
    const about = { class: "invalid", service: "aws.sts", operation: "GetCallerIdentity", status: 200 } as const;
    throw new CloudError({ ...about, code: otherWorkload, message: `the credentials at hand are ${arn}` });
  }
  return signedToken(ask, { caller: { account, arn, userid: "" }, session }, world);
}

/** As the workload: in the sandbox anybody, else by the credentials at hand. */
const sessionOf = (link: Link, world: World): Promise<Session> =>
  world.sandbox ? world.sandbox.session("aws", exampleOf(link, whoOf(link)).arn) : ownSession(link, world);

const jwtSchema = z.object({ WebIdentityToken: z.string().min(1) });

/** A JWT of the account for one audience, as short as will do; who it names is checked before it goes anywhere. */
async function outboundToken({ link, audience }: MintAsk, session: Session, world: World): Promise<Token> {
  const call = { service: "aws.sts", operation: "GetWebIdentityToken", effect: "read" } as const;
  const input = { Audience: [audience], SigningAlgorithm: "RS256", DurationSeconds: 300 };
  const asked = { ...call, account: accountOf(link), session, input, answer: jwtSchema };
  const { WebIdentityToken } = await sts(world, asked);
  const token = tokenOf(WebIdentityToken, "aws", { service: "aws.sts" });
  const { identity } = identify(link);
  if (identity.proof === "oidc" && token.claims.sub === identity.claims.sub) return token;
  const about = { class: "invalid", ...call, status: 200 } as const;
  throw new CloudError({ ...about, code: otherWorkload, message: `the credentials at hand are ${token.claims.sub}` });
}

/** In the sandbox, the proof of whomever the claims name. */
export async function mintAs(claims: Readonly<Record<string, unknown>>, ask: MintAsk, world: World): Promise<Token> {
  const { account, arn, userid } = claims as unknown as AwsCaller;
  if (!world.sandbox) throw new Error("only the sandbox has credentials of everybody");
  if (claims.iss !== undefined)
    return tokenOf(await world.sandbox.mint(String(claims.iss), claims), "sandbox", { service: "aws.sts" });
  const session = await world.sandbox.session("aws", arn);
  return signedToken(ask, { caller: { account, arn, userid }, session }, world);
}

const accessFor = (link: Link) => {
  const { profile, assumeRole, region } = callerOf(link);
  return { region, ...(profile ? { profile } : {}), ...(assumeRole ? { assumeRole } : {}) };
};

const accountOf = (link: Link) => ({ account: callerOf(link).account, access: accessFor(link) });

const ownSession = (link: Link, world: World): Promise<Session> =>
  world.credentials({ party: "aws", scope: callerOf(link).account, access: accessFor(link) });

interface Signed {
  readonly caller: AwsCaller;
  readonly session: Session;
}

/** AWS takes a signature for 15 minutes, whatever the credentials' own life. */
const life = 900;

function signedToken({ link, audience }: MintAsk, { caller, session }: Signed, world: World): Token {
  const { region } = callerOf(link);
  const now = world.clock.now();
  const request = signedRequest({ region, target: audience, session, now });
  const claims = { ...caller, aud: audience, exp: Math.floor(now / 1000) + life };
  return { text: subjectToken(request), header: { alg: "AWS4-HMAC-SHA256" }, claims, mintedBy: "aws" };
}

/** What is missing is a way to be the workload, not a permission: so it could not be told. */
export function explainMint({ link }: MintAsk, error: unknown): Finding | undefined {
  if (!(error instanceof CloudError)) return undefined;
  const ours = error.code === otherWorkload || error.class === "credentials";
  if (!ours) return undefined;
  const { account, role } = callerOf(link);
  return {
    ...{ code: "AWS-OTHER-WORKLOAD", severity: "error", asks: "untold", links: [link.name], because: [] },
    at: { place: link.at("from.aws") },
    says: `the link's workload cannot be spoken for: ${error.message}`,
    fix: [
      `from.aws.assumeRole: arn:aws:iam::${account}:role/${role ?? "ROLE"}, or a profile: that is this workload`,
      "or prove: judge on the link, where nothing here can be it: its trust is judged, the verdict is unproved",
    ],
  };
}
