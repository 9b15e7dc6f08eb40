import { keyPrefix } from "../../judge/aws/claims.ts";
import { federatedOf, judgeTrust } from "../../judge/aws/judge.ts";
import { type Policy, parsePolicy } from "../../judge/aws/policy.ts";
import { type TokenRefusal, tokenRefusal } from "../../judge/aws/token.ts";
import { regionOf } from "../../judge/issuers/partitions.ts";
import { type Finding, type Judgement, type Token, finding as told, type World } from "../../model.ts";
import { causeOfRows } from "../../parties/aws/explain.ts";
import { getRole } from "../../parties/aws/role/calls.ts";
import { tokenCause } from "../../parties/aws/token-cause.ts";
import { tokenOf } from "../../run/minting.ts";
import { findingText } from "../../say/findings.ts";
import { document, findingBody } from "../../say/json.ts";
import { shownValue } from "../../say/visible.ts";
import { codes } from "../../verdict/exit.ts";
import { version } from "../../version.ts";
import { readText } from "../context.ts";
import { UsageError } from "../exit.ts";
import type { Command } from "../run.ts";

/** A token that somebody has, and the trust that refuses it: a live role's, or a file's. */
export interface TokenAsk {
  readonly token: string;
  readonly role?: string;
  readonly trustPolicy?: string;
}

/** A trust policy, and the role that has it where that is known. */
interface Trust {
  readonly policy: Policy;
  readonly role?: { readonly arn: string; readonly account: string; readonly partition: string };
}

/**
 * Judges a real token against a trust, condition by condition (contract, section 2), and by what AWS checks before it reads
 * one. With two files nothing is contacted. Its signature is not verified: whoever refuses it has done that, or will. Of the
 * token only claims are shown.
 */
export const explainToken: Command<TokenAsk> = async ({ flags, world, paper }, ask) => {
  const { claims, header } = read(ask.token);
  const trust = await trustOf(ask, world);
  const now = world.clock.now();
  const judgement = judged(trust, claims, now);
  const roleArn = trust.role ? { roleArn: trust.role.arn } : {};
  const before = tokenRefusal({ header, claims }, { now: Math.floor(now / 1000), ...roleArn });
  const finding = before ? brokenRule(before, judgement, claims) : findingOf(judgement, claims, trust.role);
  const exit = finding ? (finding.asks === "untold" ? codes.untold : codes.broken) : codes.fine;
  if (flags.json) {
    const envelope = { tool: version, world: world.kind, command: "explain", exit };
    return { exit, text: document(envelope, { claims, findings: finding ? [findingBody(finding)] : [] }) };
  }
  const who = shownValue(`${claims.sub}   of ${claims.iss}`);
  const fine = "this trust lets the token in; if aws refuses it all the same, crosstrust explain AWS-REFUSED-ANYWAY";
  return { exit, text: [who, "", finding ? findingText(finding, paper) : fine].join("\n") };
};

/** As a file says it, a newline at its end forgiven. */
export function read(path: string): Token {
  const text = readText(path);
  try {
    return tokenOf(text, "tokenFile", { service: "explain" });
  } catch (error) {
    throw new UsageError(`${path} holds no token that can be read: ${(error as Error).message}`);
  }
}

async function trustOf({ role, trustPolicy }: TokenAsk, world: World): Promise<Trust> {
  if ((role === undefined) === (trustPolicy === undefined))
    throw new UsageError("explain --token wants --role ARN, --trust-policy FILE or --pool-provider NAME");
  if (trustPolicy !== undefined) return { policy: parsed(readText(trustPolicy), trustPolicy) };
  const [, partition = "", id = "", name = ""] =
    /^arn:(aws[a-z-]*):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(role ?? "") ?? [];
  if (!name) throw new UsageError(`${role} is no role ARN`);
  const live = await getRole(world, { account: { account: id, access: { region: regionOf(partition) } }, name });
  const policy = parsed(decodeURIComponent(live.AssumeRolePolicyDocument), name);
  return { policy, role: { arn: `${role}`, account: id, partition } };
}

function parsed(text: string, where: string): Policy {
  const policy = parsePolicy(text);
  if (!policy) throw new UsageError(`${where} holds no trust policy`);
  return policy;
}

/** Asks as the role's own account would; of a policy alone, as every account would that its principals may be of. */
function judged({ policy, role }: Trust, claims: Token["claims"], now: number): Judgement {
  const issuer = String(claims.iss);
  const asked = role ? [federatedOf(issuer, role.account, role.partition)] : federatedIn(policy, issuer);
  const [first, ...others] = asked.map((federated) => judgeTrust({ claims, federated, request: { now } }, policy));
  if (!first) return { allow: false, rows: [] };
  if (others.every(({ allow }) => allow === first.allow)) return first;
  return { ...first, allow: "unknown", unknown: ["the account that the role is in"] };
}

/**
 * What AWS may name as the principal of an issuer, in the accounts of the OIDC providers that a policy names: those of this
 * issuer, else any. A policy that names none says nothing of its account, and no account is made up for it.
 */
function federatedIn({ statements }: Policy, issuer: string): readonly string[] {
  const named = statements.flatMap(({ principal }) => principal?.Federated ?? []);
  const mine = named.filter((one) => one.endsWith(`:oidc-provider/${keyPrefix(issuer)}`));
  const places = (mine.length > 0 ? mine : named).flatMap((arn) => {
    const [, partition, account] = /^arn:([^:]+):iam::(\d{12}):oidc-provider\//.exec(arn) ?? [];
    return partition === undefined || account === undefined ? [] : [federatedOf(issuer, account, partition)];
  });
  return places.length > 0 ? [...new Set(places)] : [federatedOf(issuer, "ACCOUNT")];
}

/** What AWS refuses before it reads the trust. */
function brokenRule(refusal: TokenRefusal, { rows }: Judgement, claims: Token["claims"]): Finding {
  const { code, says, fix } = tokenCause(refusal, claims);
  return told(code, { at: {}, says, fix, because: [refusal.row, ...rows], asks: "broken" });
}

function findingOf({ allow, rows, unknown = [] }: Judgement, claims: Token["claims"], role: Trust["role"]) {
  if (allow === true) return undefined;
  if (allow === "unknown") {
    const says = `these parts of the trust cannot be judged from here: ${unknown.join(", ")}`;
    return told("AWS-TRUST-UNDECIDED", { at: {}, says, because: rows, fix: ["read the policy"], asks: "untold" });
  }
  const { code, says, fix } = causeOfRows(rows, claims, role);
  return told(code, { at: {}, says, because: rows, fix, asks: "broken" });
}
