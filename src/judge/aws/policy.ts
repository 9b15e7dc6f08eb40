import type { Json, Known, Ref } from "../../model.ts";

/** One statement in one spelling: lists sorted, actions lower-case, operators by their right name, no Sid. */
export type Statement = {
  readonly effect: string;
  /** By type: `Federated`, `AWS`, `Service`. */
  readonly principal?: { readonly [type: string]: readonly string[] };
  readonly notPrincipal?: { readonly [type: string]: readonly string[] };
  /** Lower-case: whoever asks about an action asks in lower case. */
  readonly action?: readonly string[];
  readonly notAction?: readonly string[];
  /** Only in identity policies. */
  readonly resource?: readonly string[];
  readonly notResource?: readonly string[];
  /** Operator, key in lower case, alternatives; a value may be a reference while it is only desired. */
  readonly condition?: { readonly [operator: string]: { readonly [key: string]: readonly Known<string>[] } };
};

/** A policy document by meaning. `version` counts: without 2012-10-17 a policy variable is plain text. */
export type Policy = { readonly version: string; readonly statements: readonly Statement[] };

/**
 * Reads a policy document, already percent-decoded, into its canonical form (fact sheet
 * reliability-and-security, 6.2). Lists are sorted, members of objects keep their order. Undefined where it
 * is no policy: the caller says "could not tell".
 */
export function parsePolicy(text: string): Policy | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isMap(document)) return undefined;
  const statements = document.Statement === undefined ? [] : listOf(document.Statement);
  if (!statements.every(isMap)) return undefined;
  return {
    version: String(document.Version ?? "2008-10-17"),
    statements: sortUnique(statements.map((statement) => canonicalStatement(statement))),
  };
}

/** Id and Sid are left out: they let nobody in. An effect that IAM does not know is kept as it is. */
function canonicalStatement(raw: Readonly<Record<string, unknown>>): Statement {
  const actions = (value: unknown) => sorted(listOf(value).map((action) => String(action).toLowerCase()));
  const resources = (value: unknown) => sorted(listOf(value).map(String));
  return {
    effect: String(raw.Effect),
    ...(raw.Principal === undefined ? {} : { principal: principals(raw.Principal) }),
    ...(raw.NotPrincipal === undefined ? {} : { notPrincipal: principals(raw.NotPrincipal) }),
    ...(raw.Action === undefined ? {} : { action: actions(raw.Action) }),
    ...(raw.NotAction === undefined ? {} : { notAction: actions(raw.NotAction) }),
    ...(raw.Resource === undefined ? {} : { resource: resources(raw.Resource) }),
    ...(raw.NotResource === undefined ? {} : { notResource: resources(raw.NotResource) }),
    ...(isMap(raw.Condition) ? { condition: conditions(raw.Condition) } : {}),
  };
}

/** `"*"` is `{AWS: ["*"]}`; an account id and its root ARN are one thing. */
function principals(value: unknown): { readonly [type: string]: readonly string[] } {
  if (!isMap(value)) return { AWS: sorted(listOf(value).map(String)) };
  const entries = Object.entries(value).map(([type, names]) => {
    const list = listOf(names).map((name) => String(name).replace(/^arn:aws[a-z-]*:iam::(\d{12}):root$/, "$1"));
    return [type, sorted(list)] as const;
  });
  return Object.fromEntries(entries);
}

function conditions(value: Readonly<Record<string, unknown>>): NonNullable<Statement["condition"]> {
  const result: Record<string, Record<string, readonly string[]>> = {};
  for (const [operator, keys] of Object.entries(value)) {
    const name = operatorName(operator);
    for (const [key, values] of Object.entries(isMap(keys) ? keys : {})) {
      // Condition key names are case-insensitive (aws.md 2.3), their values are not.
      const known = result[name]?.[key.toLowerCase()] ?? [];
      result[name] = { ...result[name], [key.toLowerCase()]: sorted([...known, ...listOf(values).map(String)]) };
    }
  }
  return result;
}

/** AWS's condition operators in their documented spelling (IAM user guide, "Condition operators"). */
const operators = [
  ...["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"],
  ...["StringLike", "StringNotLike", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Bool", "Null"],
  ...["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals"],
  ...["NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan"],
  ...["DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "BinaryEquals", "IpAddress", "NotIpAddress"],
] as const;

/** `ForAnyValue:StringLikeIfExists`, taken apart. */
export interface Operator {
  /** How a key with several values counts: one of them must match, or all of them. */
  readonly set: "ForAnyValue" | "ForAllValues" | undefined;
  /** Undefined for a name that AWS does not have. */
  readonly base: (typeof operators)[number] | undefined;
  readonly ifExists: boolean;
}

/** In any case of letters. A name that AWS does not have gives no `base`, and is judged unknown. */
export function operatorOf(name: string): Operator {
  const match = /^(?:(ForAnyValue|ForAllValues):)?(.*?)(IfExists)?$/i.exec(name);
  const base = operators.find((candidate) => candidate.toLowerCase() === match?.[2]?.toLowerCase());
  const set = (["ForAnyValue", "ForAllValues"] as const).find((one) => one.toLowerCase() === match?.[1]?.toLowerCase());
  return { set, base, ifExists: match?.[3] !== undefined };
}

/** The one spelling of an operator; a name that is none stays as written, so that a plan shows it. */
function operatorName(written: string): string {
  const { set, base, ifExists } = operatorOf(written);
  return base ? `${set ? `${set}:` : ""}${base}${ifExists ? "IfExists" : ""}` : written;
}

/** The JSON of a canonical policy, lists of one as plain values, as people write it; Sids by position. */
export function renderPolicy(policy: Policy, sids: readonly (string | undefined)[] = []): string {
  const plain = (list: readonly unknown[] | undefined) => (list?.length === 1 ? list[0] : list);
  const map = (value: Readonly<Record<string, readonly unknown[]>> | undefined) =>
    value && Object.fromEntries(Object.entries(value).map(([key, list]) => [key, plain(list)]));
  const Statement = policy.statements.map((statement, at) => ({
    Sid: sids[at],
    Effect: statement.effect,
    Principal: map(statement.principal),
    NotPrincipal: map(statement.notPrincipal),
    Action: plain(statement.action?.map(actionCase)),
    NotAction: plain(statement.notAction?.map(actionCase)),
    Resource: plain(statement.resource),
    NotResource: plain(statement.notResource),
    Condition:
      statement.condition &&
      Object.fromEntries(Object.entries(statement.condition).map(([operator, keys]) => [operator, map(keys)])),
  }));
  return JSON.stringify({ Version: policy.version, Statement });
}

/** One text for one meaning: as rendered, with the members of objects sorted too. For comparing, not for writing. */
export function textOf(policy: Policy): string {
  const sort = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sort).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    if (!isMap(value)) return value;
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(members.map(([key, member]) => [key, sort(member)]));
  };
  return renderPolicy(sort(policy) as Policy);
}

/** Actions are case-insensitive; the well-known ones are written as the documentation writes them. */
export const actionCase = (action: string): string =>
  ({
    "sts:assumerolewithwebidentity": "sts:AssumeRoleWithWebIdentity",
    "sts:tagsession": "sts:TagSession",
    "sts:setsourceidentity": "sts:SetSourceIdentity",
  })[action] ?? action;

/** A JSON object: neither an array nor null. */
export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether a value is known, and not a reference to what another resource will have. */
export const isText = (value: string | Ref): value is string => typeof value === "string";

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
const sorted = (list: readonly string[]): readonly string[] => [...new Set(list)].sort();

/** Statements in no order of their own, each once: which comes first does not matter to AWS. */
const sortUnique = (statements: readonly Statement[]): readonly Statement[] => {
  const texts = new Map(statements.map((statement) => [JSON.stringify(statement), statement]));
  return [...texts.keys()].sort().map((text) => texts.get(text) as Statement);
};

/** A policy as the JSON that specs are made of. */
export const asJson = (policy: Policy): Json => policy as unknown as Json;
