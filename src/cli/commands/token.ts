import { createHash } from "node:crypto";
import { makePlan } from "../../crosstrust.ts";
import { type Claims, keyPrefix, type Reading, readKey, sessionClaims } from "../../judge/aws/claims.ts";
import type { Federation, Link, Session, Token, World } from "../../model.ts";
import { idToken, nameOf } from "../../parties/google/exchange.ts";
import { readings } from "../../parties/google/readings.ts";
import { parties } from "../../parties/index.ts";
import { lookupOf } from "../../plan/compare.ts";
import { CloudError } from "../../run/retry.ts";
import { troubleOf } from "../../run/trouble.ts";
import { document } from "../../say/json.ts";
import { tokenText } from "../../say/token.ts";
import { version } from "../../version.ts";
import { type Flags, loadFile } from "../context.ts";
import { Explained, UsageError } from "../exit.ts";
import type { Command } from "../run.ts";
import { consentsOf } from "./plan.ts";

function linkOf(flags: Flags, name: string): { federation: Federation; link: Link } {
  const { federation } = loadFile(flags);
  const link = federation.links.find((candidate) => candidate.name === name);
  if (!link)
    throw new UsageError(
      `${federation.file} has no link ${name}; it has ${federation.links.map((one) => one.name).join(", ")}`,
    );
  return { federation, link };
}

/** A token of the link's workload, asked for like the workload would. */
async function mint(link: Link, world: World): Promise<Token> {
  const issuer = parties.find((party) => party.name === link.from.party)?.issuer;
  if (!issuer) throw new Error(`${link.from.party} issues nothing`);
  const signed = issuer.identify(link).identity.proof === "aws4_request" && link.to.party === "google";
  const audience = signed ? await nameOf({ link }, world) : link.audience;
  return issuer.mint({ link, audience, lookup: () => undefined }, world);
}

/** The keys that AWS has for any issuer, then whatever else of this token it reads (aws.md 2.1 to 2.4). */
function keysOf(claims: Claims): readonly { readonly key: string; readonly reading: Reading }[] {
  const prefix = keyPrefix(String(claims.iss));
  const always = ["sub", "aud", "oaud", "email"].map((name) => `${prefix}:${name}`);
  const own = Object.keys(claims).map((claim) => `${prefix}:${claim}`);
  const { tags } = sessionClaims(claims);
  const more = [...own, ...Object.keys(tags).map((tag) => `aws:RequestTag/${tag}`), "sts:SourceIdentity"];
  const read = (key: string) => ({ key, reading: readKey(key, claims) });
  const present = more.filter((key) => !always.includes(key)).map(read);
  return [...always.map(read), ...present.filter(({ reading }) => reading.state === "present")];
}

interface TokenAsk {
  readonly name: string;
  readonly raw: boolean;
  /** A service's URL: its Google ID token instead of the link's own. */
  readonly audience?: string;
}

/** Shows the claims and what they become on the other side; the token itself only when asked for with `--raw`. */
export const token: Command<TokenAsk> = async ({ flags, world, paper }, { name, raw, audience }) => {
  if (audience?.trim() === "") throw new UsageError("--audience is the URL of the service that the token is for");
  const { federation, link } = linkOf(flags, name);
  const own = await orExplain(link, world, { federation });
  const minted = audience === undefined ? own : await forService(link, { token: own, audience }, world);
  if (raw) return { exit: 0, text: flags.json ? readable(minted) : minted.text, exact: true };
  const rows = audience === undefined ? rowsOf(link, minted) : [];
  const { claims, header, mintedBy } = minted;
  if (flags.json)
    return {
      exit: 0,
      text: document(
        { tool: version, world: world.kind, command: "token", exit: 0 },
        { link: name, header, claims, mintedBy, keys: rows },
      ),
    };
  const hash = createHash("sha256").update(minted.text).digest("hex");
  const view = {
    link: name,
    world: world.kind,
    reader: link.to.party,
    token: { claims, header, mintedBy },
    hash,
    rows,
  };
  return { exit: 0, text: tokenText(view, paper) };
};

/** A signed request is percent-encoded JSON; anything else is as readable as it gets. */
const readable = ({ text }: Token): string =>
  text.startsWith("%7B") ? JSON.stringify(JSON.parse(decodeURIComponent(text)), null, 2) : text;

function rowsOf(link: Link, { claims }: Token) {
  if (link.to.party === "google") {
    const identity = parties.find(({ name }) => name === link.from.party)?.issuer?.identify(link).identity;
    return identity ? readings(claims, link, identity) : [];
  }
  return keysOf(claims).map(({ key, reading }) => ({
    key,
    value: reading.state === "present" ? reading.values.join(", ") : "(absent)",
    readFrom: reading.readFrom,
  }));
}

interface ForService {
  readonly token: Token;
  readonly audience: string;
}

/** A workload of Google's has its ID token by itself, any other by the account that it may speak as. */
async function forService(link: Link, { token: own, audience }: ForService, world: World): Promise<Token> {
  const issuer = parties.find((party) => party.name === link.from.party)?.issuer;
  if (link.from.party === "google" && issuer) return issuer.mint({ link, audience, lookup: () => undefined }, world);
  const made = link.to.party === "google" ? await idToken({ link, purpose: "use", audience }, own, world) : undefined;
  if (made) return made;
  throw new UsageError(`${link.name} ends at no service account of google, so there is no ID token for ${audience}`);
}

/** A mint that fails is explained with what is there now. */
async function orExplain(link: Link, world: World, { federation }: { federation: Federation }): Promise<Token> {
  try {
    return await mint(link, world);
  } catch (error) {
    const { observed } = await makePlan({ federation, only: [], consents: consentsOf({}) }, world);
    const issuer = parties.find((party) => party.name === link.from.party)?.issuer;
    const ask = { link, audience: link.audience, lookup: lookupOf(observed.live) };
    throw new Explained(issuer?.explainMint(ask, error) ?? troubleOf(error, { links: [link.name] }));
  }
}

/**
 * The `credential_process` answer (aws.md 11.1): one JSON object on stdout and nothing else; on failure nothing on
 * stdout, and one line on stderr, which the aws CLI shows to its user word for word.
 */
export const credentials: Command<{ name: string; duration: number | undefined }> = async (
  { flags, world },
  { name, duration },
) => {
  const { link } = linkOf(flags, name);
  const relying = parties.find((party) => party.name === link.to.party)?.relying;
  if (link.to.party !== "aws" || !relying) throw new UsageError(`${name} does not end at aws`);
  const minted = await mint(link, world);
  const ask = { link, purpose: "use", ...(duration === undefined ? {} : { duration }) } as const;
  const session = await relying.exchange(ask, minted, world).catch((error: unknown) => {
    throw refused(link, error);
  });
  return { exit: 0, text: JSON.stringify(processAnswer(session)), exact: true };
};

/** On the workload nobody may read the trust policy: who may is told what to type. */
function refused(link: Link, error: unknown): unknown {
  if (!(error instanceof CloudError) || !["denied", "refused"].includes(error.class)) return error;
  const says = `${link.to.party} refuses this workload's token for ${link.name} (${error.code}): ${error.message}`;
  const fix = [`crosstrust explain ${link.name}   # says which condition, where the role can be read`];
  return new Explained({
    code: "AWS-TRUST-REFUSES",
    severity: "error",
    asks: "broken",
    at: {},
    links: [link.name],
    says,
    because: [],
    fix,
  });
}

/** `Version` is a number and `Expiration` ends in Z: both SDKs refuse anything else (aws.md 11.1). */
function processAnswer({ secrets, expiresAt }: Session) {
  const { accessKeyId, secretAccessKey, sessionToken } = secrets;
  const Expiration = new Date(expiresAt ?? 0).toISOString().replace(/\.\d+Z$/, "Z");
  return {
    Version: 1,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration,
  };
}
