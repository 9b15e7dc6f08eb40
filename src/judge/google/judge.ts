import type { Evidence } from "../../model.ts";
import {
  type Attributes,
  attributesOf,
  awsDefaultMapping,
  isUnmapped,
  type Mapping,
  type Unmapped,
} from "./attributes.ts";
import { evaluateAll, isTrue, type Outcome } from "./cel.ts";
import { parseCondition } from "./condition.ts";

/** A pool provider as far as it decides who may come in; made of the file, of what is live, or of the sandbox's state. */
export interface PoolTrust {
  readonly type: "aws" | "oidc";
  /** The AWS account, or the issuer's URI. */
  readonly source: string;
  /** None: the pool provider's own name is the audience (google.md 6.1). */
  readonly audiences: readonly string[];
  /** `//iam.googleapis.com/projects/N/...`; where the number is not known, undefined. */
  readonly name: string | undefined;
  readonly mapping: Mapping;
  readonly condition: string;
  /** The pool or the pool provider is switched off, or not there. */
  readonly off?: string;
  /** Keys are stored in the pool provider and count in place of the issuer's: whoever has them issues what he likes. */
  readonly keys?: "uploaded";
}

/** The first thing that turns a token away; the sandbox answers with Google's words for it (google.md 9.2). */
export type Refusal = "off" | "account" | "issuer" | "audience" | "mapping" | "size" | "condition";

/** `attributes` as soon as the mapping could be carried out, whatever the condition says of them. */
export interface PoolJudgement {
  readonly allow: boolean | "unknown";
  readonly rows: readonly Evidence[];
  readonly refusal?: Refusal;
  readonly attributes?: Attributes;
  readonly unknown?: readonly string[];
  /** Attributes that are made of claims which nobody declared. */
  readonly guessed?: readonly string[];
}

type Claims = Readonly<Record<string, unknown>>;

/**
 * Whether a pool provider takes a token with these claims, and whom it makes of it. Pure, and the one such function for
 * the proof, for `explain` and for the sandbox's own STS. Signatures and times are looked at before it. For an AWS
 * pool provider the claims are `account`, `arn` and `userid`, as GetCallerIdentity answers them (google.md 6.5).
 */
export function judgePool(claims: Claims, trust: PoolTrust): PoolJudgement {
  const before = [stateRow(trust), ...(trust.type === "aws" ? awsRows(claims, trust) : oidcRows(claims, trust))];
  const wrong = before.find((row) => row.ok === false);
  const custom = Object.keys(trust.mapping).length > 0;
  const assertion = trust.type === "aws" ? callerOf(claims) : claims;
  const mapped = attributesOf(assertion, custom || trust.type === "oidc" ? trust.mapping : awsDefaultMapping);
  if (isUnmapped(mapped)) return unmapped(mapped, before, trust);
  const conditions = conditionRows(assertion, mapped, trust.condition);
  const rows = [...before, ...undecidedRows(mapped, trust.mapping), ...conditions.rows];
  if (wrong) return { ...refused(rows, refusalOf(wrong.key)), attributes: mapped };
  if (conditions.met === false) return { ...refused(rows, "condition"), attributes: mapped };
  const unsure = [...before, ...conditions.rows]
    .filter((row) => row.ok === "unknown")
    .map(({ key, says }) => `${key}: ${says}`);
  return unsure.length > 0
    ? { allow: "unknown", rows, attributes: mapped, unknown: unsure }
    : { allow: true, rows, attributes: mapped };
}

/** What was wrong before the mapping is told first: it is what Google says, too. */
function unmapped({ key, why, state }: Unmapped, before: readonly Evidence[], { mapping }: PoolTrust): PoolJudgement {
  const ok = state === "undecided" ? ("unknown" as const) : false;
  const wants = mapping[key] ?? "google.subject is required";
  const rows = [...before, { key, wants, says: why, readFrom: "mapping", ok }];
  const wrong = before.find((row) => row.ok === false);
  if (wrong) return refused(rows, refusalOf(wrong.key));
  if (ok === "unknown") return { allow: "unknown", rows, unknown: [`${key}: ${why}`] };
  return refused(rows, state === "size" ? "size" : "mapping");
}

/** Attributes that the claims give no value. They decide nothing by themselves: a condition or a grant may read them. */
const undecidedRows = ({ undecided = {} }: Attributes, mapping: Mapping): readonly Evidence[] =>
  Object.entries(undecided).map(([key, why]) => ({
    key,
    wants: mapping[key] ?? awsDefaultMapping[key] ?? "",
    says: `${why}; google leaves the attribute out or refuses the token`,
    readFrom: "mapping",
    ok: "unknown",
  }));

const refused = (rows: readonly Evidence[], refusal: Refusal) => ({ allow: false as const, rows, refusal });

const refusalOf = (key: string): Refusal =>
  key === "state" ? "off" : key === "account" ? "account" : key === "iss" ? "issuer" : "audience";

const stateRow = ({ off }: PoolTrust): Evidence => ({
  ...{ key: "state", wants: "on", says: off ?? "on", readFrom: "pool provider", ok: off === undefined },
});

/** All that Google has of a caller; what else a proof says of itself is no claim (google.md 6.5). */
const callerOf = ({ account, arn, userid }: Claims): Claims => ({ account, arn, userid });

/** `aud`: the target that is named beside the signature, where it is known (google.md 8.1). */
function awsRows({ account, aud }: Claims, { source, name }: PoolTrust): readonly Evidence[] {
  const row: Evidence = {
    key: "account",
    wants: source,
    says: said(account),
    readFrom: "account",
    ok: account === source,
  };
  if (aud === undefined) return [row];
  const ok = name === undefined ? ("unknown" as const) : aud === name || aud === `https:${name}`;
  return [
    row,
    { key: "aud", wants: name ?? "(its own name)", says: said(aud), readFrom: "x-goog-cloud-target-resource", ok },
  ];
}

function oidcRows({ iss, aud }: Claims, { source, audiences, name }: PoolTrust): readonly Evidence[] {
  const given = Array.isArray(aud) ? aud : [aud];
  const own = name === undefined ? [] : [name, `https:${name}`];
  const wanted = audiences.length > 0 ? audiences : own;
  const undecided = audiences.length === 0 && name === undefined;
  const ok = undecided ? ("unknown" as const) : given.some((one) => wanted.includes(one));
  return [
    { key: "iss", wants: source, says: said(iss), readFrom: "iss", ok: isSameIssuer(iss, source) },
    {
      key: "aud",
      wants: wanted.join(" or ") || "(its own name)",
      says: given.map(said).join(", "),
      readFrom: "aud",
      ok,
    },
  ];
}

/** One slash at the end of an issuer does not matter to Google, in a token or in a pool provider; it does to AWS. */
export const isSameIssuer = (iss: unknown, source: string): boolean =>
  typeof iss === "string" && iss.replace(/\/$/, "") === source.replace(/\/$/, "");

const said = (value: unknown): string =>
  value === undefined ? "(absent)" : typeof value === "string" ? value.slice(0, 300) : JSON.stringify(value);

/** One row for each alternative that the links added: of a long condition a user wants to know which part is theirs. */
function conditionRows(claims: Claims, attributes: Attributes, condition: string) {
  const { subject, groups, custom } = attributes;
  const bindings = { assertion: claims, google: { subject, groups }, attribute: custom };
  const texts = parseCondition(condition);
  const [all, ...each] = evaluateAll(texts.length > 1 ? [condition, ...texts] : texts, bindings);
  // An empty condition admits everybody.
  if (!all) return { met: true, rows: [] };
  const parts = texts.map((wants, at) => {
    const outcome = each[at] ?? all;
    const says = outcome.state === "value" ? String(outcome.value) : outcome.why;
    return { wants, says, truth: truthOf(outcome, wants, attributes) };
  });
  const whole = truthOf(all, condition, attributes);
  // An alternative that is over budget hides none that is true: `||` of CEL is true whatever its other side does.
  const met = whole === "unknown" && parts.some(({ truth }) => truth === true) ? true : whole;
  const rows = parts.map(
    ({ wants, says, truth }): Evidence => ({
      key: "condition",
      wants,
      says,
      readFrom: "assertion",
      // What another link's alternative says of this token is no failure where one of them lets it in.
      ok: met === true ? true : truth,
    }),
  );
  return { met, rows };
}

/**
 * The condition must be true and nothing else: an error, a missing claim and a text refuse (google.md 11.1). One that
 * fails and reads an attribute that is undecided is undecided too.
 */
function truthOf(outcome: Outcome, expression: string, { undecided = {} }: Attributes): boolean | "unknown" {
  if (outcome.state === "undecided") return "unknown";
  if (outcome.state === "failed" && Object.keys(undecided).some((key) => reads(expression, key))) return "unknown";
  return isTrue(outcome);
}

/** Whether an expression may read an attribute; by the name alone, because it can be asked for in several ways. */
const reads = (expression: string, key: string): boolean => expression.includes(key.replace(/^\w+\./, ""));
