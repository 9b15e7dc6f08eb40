import { type Claims, keyPrefix } from "../../judge/aws/claims.ts";
import { federatedOf, judgeTrust } from "../../judge/aws/judge.ts";
import type { Policy } from "../../judge/aws/policy.ts";
import { claimsRefusal, requiredRefusal, type TokenRefusal, tokenRefusal } from "../../judge/aws/token.ts";
import { regionOf } from "../../judge/issuers/partitions.ts";
import { type Finding, type Judgement, type Remark, finding as told, type World } from "../../model.ts";
import { besidesOf, explainRefusal } from "../../parties/aws/explain-policy.ts";
import { getRole } from "../../parties/aws/role/calls.ts";
import { type Spelling, spellingOf } from "../../parties/aws/spelling.ts";
import { tokenCause } from "../../parties/aws/token-cause.ts";
import type { LintContext } from "../../parties/aws/trust/lint.ts";
import { codes } from "../../verdict/exit.ts";
import { UsageError } from "../exit.ts";
import { type Asked, type Proof, proofIn } from "../inputs/proof.ts";
import { checkStdin, structureIn } from "../inputs/text.ts";
import { trustIn, trustPolicyIn } from "../inputs/trust-policy.ts";
import type { Command } from "../run.ts";
import { exitOfJudgement, explained } from "./explained.ts";

/** A token that somebody has, and the trust that refuses it: a live role's, or a file's. */
export interface TokenAsk {
  readonly proof: Asked;
  readonly role?: string;
  readonly trustPolicy?: string;
}

/** A trust policy, and the role that has it where that is known. */
interface Trust {
  readonly policy: Policy;
  /** As it is written: keys and actions with the letters of its author. */
  readonly text: string;
  readonly role?: { readonly arn: string; readonly account: string; readonly partition: string };
}

type Token = Extract<Proof, { kind: "token" }>;

/**
 * Judges a real token against a trust, condition by condition (contract, section 2), and by what AWS checks before it reads
 * one. A refusal has the code and the fix that lint has for the same policy. With two files nothing is contacted. Its signature
 * is not verified: whoever refuses it has done that, or will. Of the token only claims are shown.
 */
export const explainToken: Command<TokenAsk> = async (context, ask) => {
  checkStdin(["token" in ask.proof ? ask.proof.token : ask.proof.claims, ask.trustPolicy]);
  const proof = proofIn(ask.proof);
  if (proof.kind !== "token")
    throw new UsageError(
      "this is a caller of aws and no token: a role trusts it by sts:AssumeRole, which is not judged here; say --pool-provider for google",
    );
  const { world } = context;
  const trust = await trustOf(ask, world);
  const judgement = judged(trust, proof.claims, world.clock.now());
  const before = ruleBroken(proof, trust, world.clock.now());
  const spelling = spellingOf(structureIn(trust.text), String(proof.claims.iss));
  const findings = findingsOf({ trust, judgement, before, claims: proof.claims }).map((one) => spelled(one, spelling));
  const { says: answer } = answerOf(judgement, before);
  const refused = before !== undefined || judgement.allow !== true;
  return explained(context, {
    claims: proof.claims,
    findings,
    exit: refused ? exitOfJudgement(findings[0]) : codes.fine,
    ...(answer === undefined ? {} : { answer }),
    ...(refused
      ? {}
      : {
          fine: "this trust lets the token in; if aws refuses it all the same, crosstrust explain AWS-REFUSED-ANYWAY",
        }),
    notes: notesFor(proof),
  });
};

/** What was not looked at: a verdict over claims alone rests on less. */
const notesFor = ({ header }: Token): readonly string[] =>
  header === undefined ? ["judged by the claims alone: no signature, no header and no times were looked at"] : [];

/** The rule that the token breaks before a trust is read. Bare claims are often old, and their times say nothing. */
function ruleBroken({ claims, header }: Token, { role }: Trust, now: number): TokenRefusal | undefined {
  const roleArn = role ? { roleArn: role.arn } : {};
  if (header === undefined) return requiredRefusal({ iat: 0, exp: 0, ...claims }) ?? claimsRefusal(claims, roleArn);
  return tokenRefusal({ header, claims }, { now: Math.floor(now / 1000), ...roleArn });
}

const roleForm = /^arn:(aws[a-z-]*):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/;

async function trustOf({ role, trustPolicy }: TokenAsk, world: World): Promise<Trust> {
  if ((role === undefined) === (trustPolicy === undefined))
    throw new UsageError("explain --token wants --role ARN, --trust-policy FILE or --pool-provider NAME");
  if (trustPolicy !== undefined) {
    const { arn = "", ...found } = trustPolicyIn(trustPolicy);
    const [, partition, account] = roleForm.exec(arn) ?? [];
    return partition && account ? { ...found, role: { arn, account, partition } } : found;
  }
  const [, partition = "", id = "", name = ""] = roleForm.exec(role ?? "") ?? [];
  if (!name) throw new UsageError(`${role} is no role ARN`);
  const live = await getRole(world, { account: { account: id, access: { region: regionOf(partition) } }, name });
  const found = trustIn(decodeURIComponent(live.AssumeRolePolicyDocument));
  if (typeof found === "string")
    throw new UsageError(`the role ${name} has no trust policy that can be read: it ${found}`);
  return { ...found, role: { arn: live.Arn, account: id, partition } };
}

/** Asks as the role's own account would; of a policy alone, as every account would that its principals may be of. */
function judged({ policy, role }: Trust, claims: Claims, now: number): Judgement {
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

interface Outcome {
  readonly trust: Trust;
  readonly judgement: Judgement;
  readonly before: TokenRefusal | undefined;
  readonly claims: Claims;
}

/** The cause first, with every row; then what lint has to say of the policy besides. */
function findingsOf({ trust, judgement, before, claims }: Outcome): readonly Finding[] {
  const { policy, role } = trust;
  const { rows, allow, unknown = [] } = judgement;
  const context: LintContext = role ? { account: role.account, partition: role.partition } : {};
  const besides = (remarks: readonly Remark[]) => remarks.map((one): Finding => ({ ...one, at: {} }));
  if (before) {
    const { code, says, fix } = tokenCause(before, claims);
    const first = told(code, { says, fix, because: [before.row, ...rows], asks: "broken" });
    return [first, ...besides(besidesOf(policy, context))];
  }
  if (allow === true) return besides(besidesOf(policy, context));
  if (allow === "unknown") {
    const says = `these parts of the trust cannot be judged from here: ${unknown.join(", ")}`;
    const first = told("AWS-TRUST-UNDECIDED", { says, because: rows, fix: ["read the policy"], asks: "untold" });
    return [first, ...besides(besidesOf(policy, context))];
  }
  const refusal = explainRefusal({ policy, claims, rows, context });
  const causes = refusal.causes.map(
    (one, at): Finding => ({
      ...one,
      severity: "error",
      at: {},
      because: at === 0 ? rows : one.because,
      asks: "broken",
    }),
  );
  return [...causes, ...besides(refusal.besides)];
}

/** What AWS answers to such a token: the recorded sentence of the rule, or the one for every trust that refuses (aws.md 5.2). */
function answerOf({ allow }: Judgement, before: TokenRefusal | undefined): { readonly says?: string } {
  if (before) return { says: `${before.code}: ${before.message}` };
  return allow === false ? { says: "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity" } : {};
}

const spelled = (one: Finding, spelling: Spelling): Finding => ({
  ...one,
  says: spelling(one.says),
  fix: one.fix.map(spelling),
  because: one.because.map(spelling.row),
  ...(one.of === undefined ? {} : { of: one.of }),
});
