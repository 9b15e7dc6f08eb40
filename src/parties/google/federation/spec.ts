import { quoted } from "../../../judge/google/cel.ts";
import { parseCondition } from "../../../judge/google/condition.ts";
import type { Address, Conflict, Identity, Json, Known, Link, Lookup, Ref, Resource, Spec } from "../../../model.ts";
import { type Target, targetOf } from "../shape.ts";

/** A workload identity pool; whoever it lets in is for its pool providers to say. */
export interface PoolSpec extends Spec {
  readonly project: string;
  readonly pool: string;
  /** False in every file: a disabled pool refuses tokens that it gave out before, too (google.md 6.1). */
  readonly disabled: boolean;
}

/** A pool provider, with the conditions of the links that share it as a set. */
export interface PoolProviderSpec extends Spec {
  readonly project: string;
  readonly pool: string;
  readonly id: string;
  readonly disabled: boolean;
  readonly type: string;
  /** An AWS account, or the issuer's URI to the letter. */
  readonly source: Known<string> & Json;
  readonly audiences: readonly string[];
  readonly mapping: { readonly [key: string]: string };
  /** One of them must hold. */
  readonly conditions: readonly string[];
  /**
   * `issuer`: its keys are fetched from it; `uploaded`: somebody stored keys here, which then count alone; `none`: the set
   * that somebody stored is empty.
   */
  readonly keys: string;
}

export const poolAddress = ({ project, pool }: Pick<Target, "project" | "pool">): Address =>
  `google:pool/${project}/${pool}`;
export const poolProviderAddress = ({ project, pool, poolProvider }: Target): Address =>
  `google:poolProvider/${project}/${pool}/${poolProvider}`;

/** The full name of a pool, with the project's number, which only Google knows (google.md, trap 12). */
export const poolName = (target: Pick<Target, "project" | "pool">): Ref => ({
  $ref: poolAddress(target),
  field: "name",
});

/** `//iam.googleapis.com/projects/N/.../providers/X`: what a proof is made for; undefined while there is no pool. */
export function poolProviderName(link: Link, lookup: Lookup): string | undefined {
  const target = targetOf(link);
  const pool = lookup(poolName(target));
  return pool && `//iam.googleapis.com/${pool}/providers/${target.poolProvider}`;
}

export function poolResource(link: Link): Resource<PoolSpec> {
  const { project, pool } = targetOf(link);
  const spec = { project, pool, disabled: false };
  return { address: poolAddress({ project, pool }), links: [link.name], hold: "own", spec };
}

/** The pool is made first; nothing in the spec refers to it, because ids are known before. */
export function poolProviderResource(link: Link, identity: Identity): Resource<PoolProviderSpec> {
  const target = targetOf(link);
  const { project, pool, poolProvider: id } = target;
  // In the form in which it is read back: else a blank, or brackets, would be drift for ever.
  const own = target.condition === undefined ? pinned(identity) : parseCondition(target.condition);
  const spec: PoolProviderSpec = {
    ...{ project, pool, id, disabled: false, keys: "issuer" },
    type: identity.proof === "oidc" ? "oidc" : "aws",
    source: (identity.proof === "oidc" ? identity.issuer : identity.account) as PoolProviderSpec["source"],
    audiences: identity.proof === "oidc" ? (target.audiences ?? [link.audience]) : [],
    mapping: mappingOf(target, identity),
    conditions: own,
  };
  return { address: poolProviderAddress(target), links: [link.name], hold: "own", spec, needs: [poolAddress(target)] };
}

/**
 * The documented mapping of AWS with the bare name of the role (google.md 6.4), which differs from Google's default;
 * for a token its subject alone. Entra's long subjects get the part that fits (entra.md 2.6).
 */
export function mappingOf({ mapping }: Target, identity: Identity): PoolProviderSpec["mapping"] {
  if (mapping) return trimmed(mapping);
  if (identity.proof === "aws4_request") return awsMapping;
  const { sub } = identity.claims;
  const long = typeof sub === "string" && sub.startsWith(eid1);
  return { "google.subject": long ? `assertion.sub.extract('${eid1}{sub_claim}')` : "assertion.sub" };
}

/** Blanks around an expression mean nothing; any other change of its text is a change (fact sheet, 6.3). */
export const trimmed = (mapping: Readonly<Record<string, string>>): PoolProviderSpec["mapping"] =>
  Object.fromEntries(Object.entries(mapping).map(([key, text]) => [key, text.trim()]));

const eid1 = "/eid1/c/pub/t/";

export const awsMapping: PoolProviderSpec["mapping"] = {
  "google.subject": "assertion.arn",
  "attribute.account": "assertion.account",
  "attribute.aws_role": "assertion.arn.extract('assumed-role/{role_name}/')",
  "attribute.aws_ec2_instance": "assertion.arn.extract('assumed-role/{role_and_session}').extract('/{session}')",
};

/** As narrow as the workload is named. Of a token whatever the file declares of it, but for its audience. */
function pinned(identity: Identity): readonly string[] {
  if (identity.proof === "aws4_request") return [awsCondition(identity)];
  const { aud: _, ...claims } = identity.claims;
  const tests = Object.entries(claims).map(([claim, value]) => equals(access(claim), [value].flat()));
  const patterns = (identity.like ?? []).map((like) => `assertion.sub.matches(${quoted(expressionOf(like))})`);
  const like = patterns.length > 1 ? [`(${patterns.join(" || ")})`] : patterns;
  return [[...tests, ...like].join(" && ")];
}

function awsCondition({ account, who, example }: Identity & { proof: "aws4_request" }): string {
  if ("arn" in who) return `assertion.arn == ${quoted(who.arn)}`;
  if ("instance" in who)
    return `assertion.account == ${quoted(account)} && assertion.arn.endsWith(${quoted(`/${who.instance}`)})`;
  return `assertion.arn.startsWith(${quoted(example.arn.replace(/[^/]+$/, ""))})`;
}

const access = (claim: string): string =>
  /^[A-Za-z_]\w*$/.test(claim) ? `assertion.${claim}` : `assertion[${quoted(claim)}]`;

/** A reference cannot stand in a text; whatever has one is a Google workload, which no link leads here from. */
function equals(left: string, values: readonly Known<string>[]): string {
  const texts = values.filter((value) => typeof value === "string").map(quoted);
  return texts.length === 1 ? `${left} == ${texts[0]}` : `${left} in [${texts.join(", ")}]`;
}

/** `*` and `?` of a pattern as a regular expression that has to fit the whole text. */
const expressionOf = (like: string): string =>
  `^${like
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".")}$`;

/** Of pools two are always alike; of pool providers conditions and audiences add up, and everything else must agree. */
export function combinePoolProviders(a: PoolProviderSpec, b: PoolProviderSpec): PoolProviderSpec | Conflict {
  const path = (["type", "source", "mapping"] as const).find((member) => text(a[member]) !== text(b[member]));
  if (path) return { path, conflict: `${text(a[path])} and ${text(b[path])}` };
  const union = (one: readonly string[], other: readonly string[]) => [...new Set([...one, ...other])].sort();
  const conditions = union(a.conditions, b.conditions);
  const own = conditions.find((one) => !isPlain(one));
  if (own !== undefined && text(a.conditions) !== text(b.conditions))
    return { path: "condition", conflict: `a condition of one's own (${own}) is not combined with another` };
  return {
    ...a,
    audiences: union(a.audiences, b.audiences),
    conditions,
  };
}

/** A literal, and a test of one claim against literals: what is made here consists of nothing else. */
const literal = String.raw`'(?:[^'\\]|\\.)*'`;
const test = String.raw`assertion(?:\.\w+|\[${literal}\])(?: == ${literal}| in \[${literal}(?:, ${literal})*\]|\.\w+\(${literal}\))`;
const plain = new RegExp(
  String.raw`^(?:${test}|\(${test}(?: \|\| ${test})*\))(?: && (?:${test}|\(${test}(?: \|\| ${test})*\)))*$`,
);
const isPlain = (condition: string): boolean => plain.test(condition);

/** Members in one order: what differs in its spelling alone is one mapping. */
const text = (value: Json | Known<string>): string => {
  if (Array.isArray(value)) return [...value].sort().join(" ");
  return typeof value === "string" ? value : JSON.stringify(value, Object.keys(value as object).sort());
};
