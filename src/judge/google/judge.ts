import type { Evidence } from "../../model.ts";
import {
  type Attributes,
  attributesOf,
  awsDefaultMapping,
  isUnmapped,
  type Mapping,
  type Unmapped,
} from "./attributes.ts";
import { evaluate, isTrue } from "./cel.ts";
import { parseCondition } from "./condition.ts";

/** A pool provider as far as it decides who may come in; made of the file, of what is live, or of the sandbox's state. */
export interface PoolTrust {
  readonly type: "aws" | "oidc";
  /** The AWS account, or the issuer's URI to the letter. */
  readonly source: string;
  /** None: the pool provider's own name is the audience (google.md 6.1). */
  readonly audiences: readonly string[];
  /** `//iam.googleapis.com/projects/N/...`; where the number is not known, undefined. */
  readonly name: string | undefined;
  readonly mapping: Mapping;
  readonly condition: string;
  /** The pool or the pool provider is switched off, or not there. */
  readonly off?: string;
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
  const rows = [...before, ...conditions.rows];
  if (wrong) return { ...refused(rows, refusalOf(wrong.key)), attributes: mapped };
  if (conditions.met === false) return { ...refused(rows, "condition"), attributes: mapped };
  const unsure = rows.filter((row) => row.ok === "unknown").map(({ key, says }) => `${key}: ${says}`);
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

/** Whether a slash at the end of an issuer counts is not known of Google; here it does (google.md, trap 5, unverified). */
function oidcRows({ iss, aud }: Claims, { source, audiences, name }: PoolTrust): readonly Evidence[] {
  const given = Array.isArray(aud) ? aud : [aud];
  const own = name === undefined ? [] : [name, `https:${name}`];
  const wanted = audiences.length > 0 ? audiences : own;
  const undecided = audiences.length === 0 && name === undefined;
  const ok = undecided ? ("unknown" as const) : given.some((one) => wanted.includes(one));
  return [
    { key: "iss", wants: source, says: said(iss), readFrom: "iss", ok: iss === source },
    {
      key: "aud",
      wants: wanted.join(" or ") || "(its own name)",
      says: given.map(said).join(", "),
      readFrom: "aud",
      ok,
    },
  ];
}

const said = (value: unknown): string =>
  value === undefined ? "(absent)" : typeof value === "string" ? value.slice(0, 300) : JSON.stringify(value);

/** One row for each alternative that the links added, for of a long condition a user wants to know which part is his. */
function conditionRows(claims: Claims, { subject, groups, custom }: Attributes, condition: string) {
  const bindings = { assertion: claims, google: { subject, groups }, attribute: custom };
  const whole = condition.trim() === "" ? true : truth(condition, bindings);
  const rows = parseCondition(condition).map((part): Evidence => {
    const outcome = evaluate(part, bindings);
    const says = outcome.state === "value" ? String(outcome.value) : outcome.why;
    const ok = truth(part, bindings);
    // What another link's alternative says of this token is no failure where one of them lets it in.
    return { key: "condition", wants: part, says, readFrom: "assertion", ok: whole === true ? true : ok };
  });
  return { met: whole, rows };
}

/** The condition must be true and nothing else: an error, a missing claim and a text refuse (google.md 11.1). */
function truth(expression: string, bindings: Parameters<typeof evaluate>[1]): boolean | "unknown" {
  const outcome = evaluate(expression, bindings);
  if (outcome.state === "undecided") return "unknown";
  return isTrue(outcome);
}
