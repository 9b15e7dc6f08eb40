import type { Widening } from "../../model.ts";
import { type Claims, mostTried, search, type Test } from "../issuers/outsiders.ts";
import {
  anyAudienceOf,
  anyRequest,
  asksFor,
  audiencesOf,
  claimsOf,
  conditionsOf,
  type Known,
  prefixOf,
  principalsOf,
  shutOut,
  takesTokens,
  tokensOf,
} from "./admits.ts";
import { googleIssuer, type Request, readKey } from "./claims.ts";
import { holds } from "./conditions.ts";
import { judgeTrust } from "./judge.ts";
import { isText, type Policy, type Statement } from "./policy.ts";

/**
 * Says what a change of a trust policy does to who gets in (contract, section 9, "Narrowing is not widening"). It widens
 * where somebody is admitted after it who was not before: an outsider, another workload of the tenant, or one that is
 * newly named. What adds conditions to a statement is known to narrow, whatever the conditions are.
 */
export function compareTrusts(before: Policy, after: Policy, known: Known = {}): Widening {
  const grown = growth({ before, after, known });
  if (grown) return grown;
  const lost = shutOut(after, before) || growth({ before: after, after: before, known }) !== undefined;
  return { direction: lost ? "narrows" : "neutral" };
}

interface Pair {
  readonly before: Policy;
  readonly after: Policy;
  readonly known: Known;
}

/** Undefined where nobody is admitted after who was not before. */
function growth(pair: Pair): Widening | undefined {
  const doors = newDoors(pair);
  const found: Found[] = [];
  // One example is enough, and a search is dear.
  for (const statement of doors) {
    const through = throughDoor(statement, pair);
    const [who] = through.who;
    if (who !== undefined) return { direction: "widens", who };
    found.push(through);
  }
  const [any] = doors.length > 0 ? anyAudienceOf(pair.after, pair.before) : [];
  if (any) return { direction: "widens", who: any.who };
  const [why] = found.flatMap((one) => one.unsure);
  return why === undefined ? undefined : { direction: "undecided", why };
}

/** The statements that may let somebody in who was not let in before. */
function newDoors({ before, after }: Pair): readonly Statement[] {
  const allows = after.statements.filter(({ effect }) => effect === "Allow");
  const sameVersion = before.version === after.version;
  const kept = before.statements
    .filter(({ effect }) => effect !== "Allow")
    .every((deny) => after.statements.some((one) => JSON.stringify(one) === JSON.stringify(deny)));
  if (!kept || !sameVersion) return allows;
  return allows.filter((statement) => !before.statements.some((wider) => covers(wider, statement)));
}

/** Whether whoever passes one statement passes the other, by their texts alone: it names no more, and asks for no less. */
function covers(wider: Statement, narrower: Statement): boolean {
  if (wider.effect !== "Allow") return false;
  const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  const within = (all: readonly string[] = [], some: readonly string[] = []) => some.every((one) => all.includes(one));
  if (!same(wider.notPrincipal, narrower.notPrincipal) || !same(wider.notAction, narrower.notAction)) return false;
  const named = Object.entries(narrower.principal ?? {}).every(([type, names]) =>
    within(wider.principal?.[type], names),
  );
  if (!named || !within(wider.action, narrower.action)) return false;
  return conditionsOf(wider).every((condition) =>
    conditionsOf(narrower).some((other) => other.key === condition.key && isStricter(condition, other)),
  );
}

type Condition = ReturnType<typeof conditionsOf>[number];

/** Whether a condition asks for no less than another one of the same key: of less values, or of more that are forbidden. */
function isStricter(wider: Condition, narrower: Condition): boolean {
  const { operator } = wider;
  const exact = operator === "StringLike" && narrower.operator === "StringEquals";
  if (narrower.operator !== operator && !exact) return false;
  const has = (all: Condition, value: unknown) =>
    all.values.some((one) => JSON.stringify(one) === JSON.stringify(value));
  const within = (all: Condition, some: Condition) => some.values.every((value) => has(all, value));
  if (/Null|ForA/.test(operator)) return within(wider, narrower) && within(narrower, wider);
  if (/Not/.test(operator)) return within(narrower, wider);
  if (operator !== "StringLike") return within(wider, narrower);
  return narrower.values.every((value) => wider.values.some((pattern) => fits(pattern, value, exact)));
}

/**
 * Whether everything that fits one pattern fits another one. A wildcard of the narrower one is a character that only `*`
 * of the wider one takes, so what is found to fit does, and some that would fit are not found.
 */
function fits(wider: unknown, narrower: unknown, exact: boolean): boolean {
  if (typeof wider !== "string" || typeof narrower !== "string")
    return JSON.stringify(wider) === JSON.stringify(narrower);
  if (wider === narrower && !exact) return true;
  if (`${wider}${narrower}`.includes("${")) return false;
  const text = exact ? narrower : narrower.replaceAll("*", many).replaceAll("?", single);
  const pattern = wider.replace(/[.*+?^${}()|[\]\\]/g, (character) =>
    character === "*" ? "[^]*" : character === "?" ? `[^${many}]` : `\\${character}`,
  );
  return new RegExp(`^${pattern}$`, "u").test(text);
}

/** Characters of Unicode's private use area stand for wildcards. */
const [many, single] = ["\ue000", "\ue001"];

interface Found {
  readonly who: readonly string[];
  /** Why somebody else may be let in. */
  readonly unsure: readonly string[];
}

function throughDoor(statement: Statement, pair: Pair): Found {
  const principals = principalsOf(statement, { version: "", statements: [] }, pair.known);
  const named = {
    who: principals.filter(({ unsure }) => !unsure).map(({ who }) => who),
    unsure: principals.filter(({ unsure }) => unsure).map(({ who }) => who),
  };
  // An identity that is yet to be made is named here, and its id is not known.
  const unborn = conditionsOf(statement).some(({ values }) => !values.every(isText));
  const fresh = unborn ? { who: ["an identity that is yet to be made"], unsure: [] } : { who: [], unsure: [] };
  const issuers = takesTokens(statement)
    ? (statement.principal?.Federated ?? []).filter((name) => !name.includes(":saml-provider/"))
    : [];
  const tokens = unborn ? [] : issuers.map((federated) => newcomers(statement, federated, pair));
  return {
    who: [named, fresh, ...tokens].flatMap(({ who }) => who),
    unsure: [named, fresh, ...tokens].flatMap(({ unsure }) => unsure),
  };
}

/** Tokens that pass a statement and that no statement took before. */
function newcomers(statement: Statement, federated: string, pair: Pair): Found {
  const { before, after, known } = pair;
  const requests = callsOf(statement, pair);
  const earlier = earlierOf(federated, pair);
  const prefix = prefixOf(federated);
  const admittedAfter = (claims: Claims, request: Request) => judgeTrust({ claims, federated, request }, after);
  const named = tokensOf(statement, prefix).filter((claims) =>
    requests.some((request) => admittedAfter(claims, request).allow === true && earlier(claims, request) === false),
  );
  if (named.length > 0)
    return { who: named.map((claims) => `${whoIs(claims, prefix)}${lifted(claims, federated, before)}`), unsure: [] };
  const isNew: Test = {
    reads: before.statements.flatMap(conditionsOf).flatMap(({ key }) => claimsOf(key, prefix)),
    passes: (claims) => requests.some((request) => earlier(claims, request) !== true),
  };
  const searched = asksFor(statement, federated, { live: after, desired: before, known }).map((ask) =>
    search({ ...ask, tests: [...ask.tests, isNew] }),
  );
  const judged = searched
    .flatMap(({ found }) => found)
    .map((candidate) => ({
      candidate,
      asked: requests.map((request) => ({
        was: earlier(candidate.claims, request),
        now: admittedAfter(candidate.claims, request),
      })),
    }));
  const sure = judged.filter(({ asked }) => asked.some(({ was, now }) => was === false && now.allow === true));
  const open = judged.flatMap(({ asked }) => asked.filter(({ was, now }) => was !== true && now.allow !== false));
  const cut = searched.some(({ complete }) => !complete) ? [`a search of ${mostTried} tokens was not enough`] : [];
  const reasons = open.map(({ now }) => now.unknown?.join(", ") ?? "the conditions of now cannot be judged from here");
  return { who: sure.map(({ candidate }) => whoIs(candidate.claims, prefix)), unsure: [...reasons, ...cut] };
}

/** The conditions under which a token is taken now, beside those on its own claims; empty where none would take it. */
function lifted(claims: Claims, federated: string, { version, statements }: Policy): string {
  const prefix = prefixOf(federated);
  const variables = version === "2012-10-17";
  const isOfToken = ({ key }: Condition) => claimsOf(key, prefix).length > 0;
  const held = statements
    .filter((statement) => takesTokens(statement) && statement.principal?.Federated?.includes(federated))
    .map(conditionsOf)
    .filter((conditions) =>
      conditions
        .filter(isOfToken)
        .every(
          ({ operator, key, values }) =>
            holds({ operator, values, reading: readKey(key, claims, {}), variables }) !== false,
        ),
    )
    .map((conditions) =>
      conditions
        .filter((one) => !isOfToken(one))
        .map(textOf)
        .join(" and "),
    )
    .filter((text) => text !== "");
  return held.length === 0 ? "" : `, which it lets in now only under ${held.join(", or under ")}`;
}

const textOf = ({ operator, key, values }: Condition): string =>
  `${operator} ${key} ${values.filter(isText).join(" or ")}`;

const isPrivate = /^(?:0|10|127|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;

/** The calls of somebody who wants to pass a statement, from the addresses that it names as well. */
function callsOf(statement: Statement, { known }: Pair): readonly Request[] {
  const calls = anyRequest(statement, known);
  const named = conditionsOf(statement)
    .filter(({ key }) => key === "aws:sourceip")
    .flatMap(({ values }) => values.filter(isText))
    .map((range) => range.replace(/\/.*$/, ""))
    // Nobody calls AWS from an address of a private network.
    .filter((address) => !isPrivate.test(address));
  return [...calls, ...named.flatMap((sourceIp) => calls.slice(0, 1).map((call) => ({ ...call, sourceIp })))];
}

/**
 * Whether somebody got in before, by whatever else a caller chooses: an audience, the name of a session. Where the caller
 * is cannot be chosen.
 */
function earlierOf(federated: string, { before, known }: Pair) {
  const prefix = prefixOf(federated);
  const audiences = before.statements.flatMap((statement) => audiencesOf(statement, prefix));
  // Of Google's tokens the authorized party is the account itself; elsewhere it stands for the audience.
  const party = `https://${prefix}` === googleIssuer ? {} : { azp: undefined };
  const calls = before.statements.filter(takesTokens).flatMap((statement) => anyRequest(statement, known));
  return (claims: Claims, request: Request): boolean | "unknown" => {
    const from = request.sourceIp === undefined ? {} : { sourceIp: request.sourceIp };
    const chosen = [request, ...calls].map((call) => ({ ...call, ...from }));
    const truths = new Set<boolean | "unknown">();
    for (const aud of new Set([String(claims.aud), ...audiences]))
      for (const call of chosen) {
        const asked = { ...claims, aud, ...party };
        const { allow } = judgeTrust({ claims: asked, federated, request: call }, before);
        if (allow === true) return true;
        truths.add(allow);
      }
    return truths.has("unknown") ? "unknown" : false;
  };
}

const whoIs = ({ sub }: Claims, prefix: string): string => `the subject ${String(sub)} of ${prefix}`;
