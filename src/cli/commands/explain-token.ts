import { federatedOf, judgeTrust } from "../../judge/aws/judge.ts";
import { type Policy, parsePolicy } from "../../judge/aws/policy.ts";
import type { Evidence, Finding, Judgement, Token, World } from "../../model.ts";
import { causeOfRows } from "../../parties/aws/explain.ts";
import { getRole } from "../../parties/aws/role/calls.ts";
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

/** A trust policy, and the account it stands in where that is known. */
interface Trust {
  readonly policy: Policy;
  readonly account?: { readonly id: string; readonly partition: string };
}

/**
 * Judges a real token against a trust, condition by condition (contract, section 2). With two files nothing is contacted.
 * Its signature is not verified: whoever refuses it has done that, or will. Of the token only claims are shown.
 */
export const explainToken: Command<TokenAsk> = async ({ flags, world, paper }, ask) => {
  const { claims } = read(ask.token);
  const trust = await trustOf(ask, world);
  const federated = trust.account
    ? federatedOf(String(claims.iss), trust.account.id, trust.account.partition)
    : named(trust.policy, String(claims.iss));
  const judgement = judgeTrust({ claims, federated, request: { now: world.clock.now() } }, trust.policy);
  const finding = findingOf(judgement, claims, Math.floor(world.clock.now() / 1000));
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
  const live = await getRole(world, { account: { account: id }, name });
  return { policy: parsed(decodeURIComponent(live.AssumeRolePolicyDocument), name), account: { id, partition } };
}

function parsed(text: string, where: string): Policy {
  const policy = parsePolicy(text);
  if (!policy) throw new UsageError(`${where} holds no trust policy`);
  return policy;
}

/** Without an account: the OIDC provider of this issuer that the policy itself names. */
function named({ statements }: Policy, issuer: string): string {
  const all = statements.flatMap(({ principal }) => principal?.Federated ?? []);
  const tail = `:oidc-provider/${issuer.replace(/^https:\/\//, "")}`;
  return all.find((one) => one.endsWith(tail)) ?? federatedOf(issuer, "000000000000");
}

/** AWS forgives five minutes (aws.md 5.3). */
const skew = 300;

function findingOf(
  { allow, rows, unknown = [] }: Judgement,
  claims: Token["claims"],
  now: number,
): Finding | undefined {
  const base = { severity: "error", at: {} } as const;
  const exp = Number(claims.exp);
  if (now - skew >= exp) {
    const row: Evidence = {
      ...{ key: "exp", wants: `after ${new Date((now - skew) * 1000).toISOString()}`, readFrom: "exp", ok: false },
      says: Number.isFinite(exp) ? new Date(exp * 1000).toISOString() : String(claims.exp),
    };
    const says = "the token has expired: whatever the trust says, it is refused";
    return { ...base, code: "TOKEN-EXPIRED", says, because: [...rows, row], fix: ["take a fresh one"], asks: "broken" };
  }
  if (allow === true) return undefined;
  if (allow === "unknown") {
    const says = `these parts of the trust cannot be judged from here: ${unknown.join(", ")}`;
    return { ...base, code: "AWS-TRUST-UNDECIDED", says, because: rows, fix: ["read the policy"], asks: "untold" };
  }
  const { code, says, fix } = causeOfRows(rows, claims);
  return { ...base, code, says, fix, because: rows, asks: "broken" };
}
