import { existsSync } from "node:fs";
import { judgePool, type PoolJudgement, type PoolTrust } from "../../judge/google/judge.ts";
import { conditionParts } from "../../judge/google/parts.ts";
import { type TokenRefusal, tokenRefusal } from "../../judge/google/token.ts";
import { refusalWords } from "../../judge/google/words.ts";
import { type Evidence, type Finding, finding as told, type World } from "../../model.ts";
import { membersOf } from "../../parties/google/bound.ts";
import { causeOfRows } from "../../parties/google/explain-exchange.ts";
import { getPool, getPoolProvider } from "../../parties/google/federation/calls.ts";
import { lintPoolTrust } from "../../parties/google/lint-pool.ts";
import { tokenCause } from "../../parties/google/token-cause.ts";
import { codes } from "../../verdict/exit.ts";
import { UsageError } from "../exit.ts";
import { poolProviderIn, trustOf } from "../inputs/pool-provider.ts";
import { type Asked, type Proof, proofIn } from "../inputs/proof.ts";
import type { SignedCaller } from "../inputs/signed-caller.ts";
import { checkStdin } from "../inputs/text.ts";
import type { Command } from "../run.ts";
import { speakingFor } from "./explain-account.ts";
import { exitOfJudgement, explained } from "./explained.ts";

/** A proof that somebody has, and the pool provider that refuses it: by its full name, or as `gcloud .. describe` printed it. */
export interface PoolAsk {
  readonly proof: Asked;
  readonly poolProvider: string;
  /** An e-mail: whether the identity may speak as this account, too. */
  readonly serviceAccount?: string;
  /** Its policy, as `gcloud iam service-accounts get-iam-policy` printed it. */
  readonly iamPolicy?: string;
}

/** A proof as the judge of pools takes it. */
interface Presented {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly before?: TokenRefusal | undefined;
  readonly signed?: SignedCaller;
  readonly notes: readonly string[];
}

/**
 * Judges a real proof against a pool provider, row by row, and says whom the pool makes of it. With a file nothing is contacted;
 * signatures are not verified. A pool provider of AWS knows account, ARN and user id of a caller, and nothing else.
 */
export const explainAtPool: Command<PoolAsk> = async (context, ask) => {
  const { world } = context;
  checkStdin(["token" in ask.proof ? ask.proof.token : ask.proof.claims, ask.poolProvider, ask.iamPolicy]);
  const proof = proofIn(ask.proof);
  const trust = isFile(ask.poolProvider) ? poolProviderIn(ask.poolProvider) : await live(ask.poolProvider, world);
  const presented = presentedAs(proof, world.clock.now());
  const { claims, before, notes } = presented;
  const judged = judgedBy(presented, trust);
  const misfit = kindMisfit(proof, trust);
  const first = misfit ?? findingOf(judged, before, presented);
  const besides = lintPoolTrust(trust).map((one): Finding => ({ ...one, at: {} }));
  const pool = poolOf(trust);
  const principals = first || !judged.attributes || !pool ? [] : membersOf({ pool, attributes: judged.attributes });
  const held =
    first || !judged.attributes ? undefined : await speakingFor(ask, { pool, attributes: judged.attributes }, world);
  const cause = first ?? held?.finding;
  // What Google says of a signed request for another target is not known.
  const silent = misfit !== undefined || (presented.signed !== undefined && judged.refusal === "audience");
  const answer = silent ? undefined : (answerOf(judged, { before, claims, trust }) ?? held?.answer);
  const admitted = `this pool provider lets the ${proof.kind === "token" ? "token" : "caller"} in, as ${judged.attributes?.subject}`;
  return explained(context, {
    claims,
    findings: [...(cause ? [cause] : []), ...besides],
    exit: cause ? exitOfJudgement(cause) : codes.fine,
    cloud: "google",
    notes,
    principals,
    ...(answer === undefined ? {} : { answer }),
    ...(first ? {} : { fine: [admitted, ...(held?.fine ? [held.fine] : [])].join("; ") }),
  });
};

const isFile = (named: string): boolean => named === "-" || existsSync(named);

/** Bare claims are often old, and a header that is not known breaks no rule. */
function presentedAs(proof: Proof, now: number): Presented {
  if (proof.kind === "caller") return { claims: proof.claims, notes: [] };
  if (proof.kind === "signed") {
    const { target } = proof.signed;
    const notes = ["a signed GetCallerIdentity: who signed it, only aws can say"];
    return { claims: target === undefined ? {} : { aud: target }, signed: proof.signed, notes };
  }
  const { claims, header } = proof;
  if (header) return { claims, before: tokenRefusal({ header, claims }, Math.floor(now / 1000)), notes: [] };
  return { claims, notes: ["judged by the claims alone: no signature, no header and no times were looked at"] };
}

/** Of a signed request who has signed it stays unknown, and so does whatever is made of that. */
function judgedBy({ claims, signed }: Presented, trust: PoolTrust): PoolJudgement {
  const judged = judgePool(claims, trust);
  if (!signed || trust.type !== "aws") return judged;
  const rows = judged.rows
    .filter(({ key }) => ["state", "account", "aud"].includes(key))
    .map((row): Evidence => (row.key === "account" ? { ...row, says: "(only aws can say)", ok: "unknown" } : row));
  const wrong = rows.find(({ ok }) => ok === false);
  if (wrong) return { allow: false, rows, refusal: wrong.key === "state" ? "off" : "audience" };
  return { allow: "unknown", rows, unknown: ["who signed the request"] };
}

/** A pool provider takes one kind of proof, and Google looks at nothing else of another. */
function kindMisfit(proof: Proof, { type, source }: PoolTrust): Finding | undefined {
  if (type === "aws" && proof.kind === "token") {
    const says = `this pool provider takes signed requests of the aws account ${source}, and no tokens such as this one of ${proof.claims.iss}`;
    const fix = [
      "present a signed GetCallerIdentity (credential_source aws), not a token",
      "or name a pool provider of type oidc for this issuer",
    ];
    return told("GOOGLE-WRONG-ACCOUNT", { says, fix, asks: "broken" });
  }
  if (type !== "oidc" || proof.kind === "token") return undefined;
  const says = `this pool provider takes tokens of ${source}, and no callers of aws`;
  return told("GOOGLE-ISSUER", { says, fix: ["name a pool provider of type aws for this account"], asks: "broken" });
}

const byOwner: readonly string[] = [
  "change it where it is configured: gcloud iam workload-identity-pools providers update-oidc, or update-aws",
];

function findingOf(
  { allow, rows, unknown = [], attributes }: PoolJudgement,
  before: TokenRefusal | undefined,
  { claims, signed }: Presented,
): Finding | undefined {
  const parts = attributes ? conditionParts(rows, claims, attributes) : rows;
  if (before) {
    const { code, says, fix } = tokenCause(before);
    return told(code, { says, fix, because: [before.row, ...parts], asks: "broken" });
  }
  if (allow === true) return undefined;
  if (allow === "unknown") {
    const says = `these parts cannot be judged from here: ${unknown.join(", ")}`;
    const fix = signed
      ? ["run aws sts get-caller-identity > caller.json with the same credentials, and give --token caller.json"]
      : ["read the condition"];
    return told("GOOGLE-CONDITION-UNDECIDED", { says, because: parts, fix, asks: "untold" });
  }
  const { code, says, fix } = causeOfRows(rows, "the pool provider", byOwner);
  const failing = parts.filter(({ key, ok }) => key.startsWith("condition") && ok === false);
  const where =
    code === "GOOGLE-CONDITION-FALSE" && failing.length > 0
      ? `: ${failing.map((one) => `${one.wants} is ${one.says}`).join("; ")}`
      : "";
  return told(code, { says: `${says}${where}`, fix: [...fix], because: parts, asks: "broken" });
}

/** Google's own words, as far as they are known. */
function answerOf(
  { allow, refusal, rows }: PoolJudgement,
  { before, claims, trust }: { before: TokenRefusal | undefined; claims: Presented["claims"]; trust: PoolTrust },
): string | undefined {
  if (before) return `invalid_grant: ${before.message}`;
  if (allow !== false || refusal === undefined) return undefined;
  const { error, message } = refusalWords({
    refusal,
    key: rows.find(({ ok }) => ok === false)?.key ?? "",
    claims,
    trust,
  });
  return `${error}: ${message}`;
}

/** The pool's full name, where the number of its project is known. */
const poolOf = ({ name }: PoolTrust): string | undefined =>
  /^\/\/iam\.googleapis\.com\/(projects\/\d+\/locations\/global\/workloadIdentityPools\/[^/]+)\//.exec(name ?? "")?.[1];

async function live(name: string, world: World): Promise<PoolTrust> {
  const [, project = "", pool = "", id = ""] =
    /^(?:(?:https:)?\/\/iam\.googleapis\.com\/)?projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/.exec(
      name,
    ) ?? [];
  if (!project)
    throw new UsageError(
      "--pool-provider is projects/P/locations/global/workloadIdentityPools/POOL/providers/ID, or a file",
    );
  const [around, found] = await Promise.all([
    getPool(world, { project, pool }),
    getPoolProvider(world, { project, pool, id }),
  ]);
  if (!found) throw new UsageError(`there is no pool provider ${id} in ${pool}`);
  const trust = trustOf(found);
  return around?.disabled ? { ...trust, off: "the pool is disabled" } : trust;
}
