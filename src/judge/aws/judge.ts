import type { Evidence, Judgement, Known } from "../../model.ts";
import { type Claims, googleIssuer, keyPrefix, type Reading, type Request, readKey, sessionClaims } from "./claims.ts";
import { every, holds, like, some, type Truth } from "./conditions.ts";
import { actionCase, isText, type Policy, type Statement } from "./policy.ts";

/** Who asks: the token's claims, and the ARN of the OIDC provider that AWS has for its issuer. */
export interface Asker {
  readonly claims: Claims;
  /** `accounts.google.com` for Google's built-in identity, else the ARN of the IAM OIDC provider. */
  readonly federated: string;
  /** Without it, conditions on the session name or the time are unknown. */
  readonly request?: Request;
}

const assume = "sts:assumerolewithwebidentity";

/** A token that tags its session, or sets its source, asks for that too; without it everything is refused (aws.md 2.4). */
function actionsOf(claims: Claims): readonly string[] {
  const { tags, sourceIdentity } = sessionClaims(claims);
  return [
    assume,
    ...(Object.keys(tags).length > 0 ? ["sts:tagsession"] : []),
    ...(sourceIdentity === undefined ? [] : ["sts:setsourceidentity"]),
  ];
}

/** What AWS names as principal for an issuer in an account (aws.md 3, 6.1). */
export const federatedOf = (issuer: string, account: string, partition = "aws"): string =>
  issuer === googleIssuer
    ? "accounts.google.com"
    : `arn:${partition}:iam::${account}:oidc-provider/${keyPrefix(issuer)}`;

/** What one statement comes to; `why` names what could not be decided, in words for people. */
interface Judged {
  readonly truth: Truth;
  readonly rows: readonly Evidence[];
  readonly why: readonly string[];
}

/**
 * The one judge: does this trust policy let this token in? An explicit Deny wins, one Allow is needed, and
 * what cannot be decided from here is unknown, never true. Lint, the sandbox's STS and explain all ask here,
 * so that they cannot disagree (house.md). The rows are those of what decided, or of the Allow that came
 * nearest.
 */
export function judgeTrust(asker: Asker, policy: Policy): Judgement {
  const judgements = actionsOf(asker.claims).map((action) => judgeAction({ ...asker, action }, policy));
  const allow = every(judgements.map((one) => one.allow));
  const telling = judgements.find((one) => one.allow === allow) ?? judgements[0];
  return telling ?? { allow: false, rows: [] };
}

/** One action at a time, as AWS does: each needs an Allow of its own. */
interface Acting extends Asker {
  readonly action: string;
}

function judgeAction(asker: Acting, policy: Policy): Judgement {
  const judged = policy.statements.map((statement) => ({ statement, ...judgeStatement(asker, statement, policy) }));
  const allows = judged.filter(({ statement }) => statement.effect === "Allow");
  const denies = judged.filter(({ statement }) => statement.effect !== "Allow");
  const denied = some(denies.map(({ truth }) => truth));
  const allowed = some(allows.map(({ truth }) => truth));
  const allow = every([allowed, denied === "unknown" ? "unknown" : !denied]);
  const deciding = denied === true ? denies.filter(({ truth }) => truth === true) : closest(allows, asker);
  const unknown = [...new Set(judged.filter(({ truth }) => truth === "unknown").flatMap(({ why }) => why))];
  return { allow, rows: deciding.flatMap(({ rows }) => rows), ...(allow === "unknown" ? { unknown } : {}) };
}

/** The Allow statement that came nearest: the one to explain. */
function closest<T extends Judged & { statement: Statement }>(allows: readonly T[], asker: Asker): readonly T[] {
  const score = (judged: T): number => {
    if (judged.truth === true) return 1000;
    const fits = principalTruth(judged.statement, asker.federated) === false ? 0 : 100;
    const right = judged.rows.filter((row) => row.ok === true).length;
    return fits + right - judged.rows.filter((row) => row.ok === false).length;
  };
  return [...allows].sort((a, b) => score(b) - score(a)).slice(0, 1);
}

/** Rows for all conditions, also those that hold: people look for the one that does not. */
function judgeStatement(asker: Acting, statement: Statement, policy: Policy): Judged {
  const principal = principalTruth(statement, asker.federated);
  const acts = actionTruth(statement, asker.action);
  const conditions = Object.entries(statement.condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => judgeCondition(asker, { operator, key, values }, policy)),
  );
  const rows = conditions.map(({ row }) => row);
  const head = [
    ...(principal === true ? [] : [principalRow(statement, asker.federated, principal)]),
    ...(acts ? [] : [actionRow(statement, asker.action)]),
  ];
  const why = conditions.filter(({ truth }) => truth === "unknown").map(({ name }) => name);
  return {
    truth: every([principal, acts, ...conditions.map(({ truth }) => truth)]),
    rows: [...head, ...rows],
    why: principal === "unknown" ? ["who is meant by its principal", ...why] : why,
  };
}

const actionRow = (statement: Statement, action: string): Evidence => ({
  key: "Action",
  wants: statement.action?.map(actionCase).join(", ") ?? "-",
  says: actionCase(action),
  readFrom: action === assume ? "the call" : "https://aws.amazon.com/",
  ok: false,
});

interface Asked {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly Known<string>[];
}

function judgeCondition(asker: Asker, { operator, key, values }: Asked, policy: Policy) {
  const reading = readKey(key, asker.claims, { ...asker.request, federated: asker.federated });
  const truth = holds({ operator, values, reading, variables: policy.version === "2012-10-17" });
  const wants = values.map((value) => (isText(value) ? value : `<${value.field} of ${value.$ref}>`)).join(" or ");
  const row: Evidence = {
    key,
    wants: wanted(operator, wants),
    says: saying(reading),
    readFrom: reading.readFrom,
    ok: truth,
  };
  return { truth, row, name: `${operator} ${key}` };
}

const saying = (reading: Reading): string =>
  reading.state === "present"
    ? reading.values.join(", ")
    : reading.state === "absent"
      ? "(absent)"
      : "(not known here)";

/** StringEquals is what people mean by "is", and is not said. */
const wanted = (operator: string, values: string): string =>
  operator === "StringEquals" ? values : `${operator} ${values}`;

function principalRow(statement: Statement, federated: string, ok: Truth): Evidence {
  const named = Object.entries(statement.principal ?? statement.notPrincipal ?? {}).map(
    ([type, names]) => `${type} ${names.join(", ")}`,
  );
  return { key: "Principal", wants: named.join("; ") || "(none)", says: `Federated ${federated}`, readFrom: "iss", ok };
}

/**
 * `{"AWS": "*"}` does not admit web identities (recorded, aws.md 2.1). Whether it shuts them out in a Deny, and what
 * NotPrincipal and a Federated wildcard do for them, is recorded nowhere: unknown.
 */
function principalTruth(statement: Statement, federated: string): Truth {
  if (statement.notPrincipal) return "unknown";
  if (statement.effect !== "Allow" && statement.principal?.AWS?.includes("*")) return "unknown";
  const named = statement.principal?.Federated ?? [];
  if (named.includes(federated)) return true;
  if (named.some((name) => name.includes("*") && like(name, federated))) return "unknown";
  return false;
}

/** `wanted` in lower case, like the actions of canonical statements; neither Action nor NotAction: none. */
export function actionTruth(statement: Statement, wanted: string): boolean {
  // Wildcards are allowed in actions, so `sts:*` counts.
  const among = (actions: readonly string[]) => actions.some((pattern) => like(pattern, wanted));
  if (statement.action) return among(statement.action);
  return statement.notAction ? !among(statement.notAction) : false;
}
