import type { Widening } from "../../model.ts";
import { type Claims, mostTried, search, type Test } from "../issuers/outsiders.ts";
import { alternativesOf, askFor, mappingFor, nameOf, readsOf } from "./admits.ts";
import type { Attributes } from "./attributes.ts";
import { claimsIn, conjunctsOf } from "./expressions.ts";
import { isSameIssuer, judgePool, type PoolTrust } from "./judge.ts";
import { isMeant, mappedBy, type Tail, tailsOf } from "./principals.ts";

/** One member that something is granted to. */
export interface Granted {
  /** What is granted, in any words: grants of one thing are compared with each other. */
  readonly what: string;
  readonly tail: Tail;
}

/** A pool provider at one time, and the members of its pool that something is granted to. */
export interface Admitting {
  readonly trust: PoolTrust;
  readonly granted: readonly Granted[];
}

/**
 * Says what a change of a pool provider, or of the grants of its pool, does to who gets in (contract, section 9,
 * "Narrowing is not widening"). It widens where somebody gets a token of the pool, becomes a principal, or reaches a grant
 * that he did not before. What only adds tests to a condition is known to narrow, whatever the tests are.
 */
export function comparePools(before: Admitting, after: Admitting): Widening {
  const key = JSON.stringify([before, after]);
  const known = compared.get(key) ?? compare(before, after);
  if (compared.size >= mostKept) compared.clear();
  compared.set(key, known);
  return known;
}

const compared = new Map<string, Widening>();
/** A plan compares the same pair for what it shows and for what it asks. */
const mostKept = 100;

function compare(before: Admitting, after: Admitting): Widening {
  const grown = growth(before, after);
  if (grown) return grown;
  return { direction: growth(after, before) ? "narrows" : "neutral" };
}

/** Undefined where nobody gets in after who did not before. */
function growth(before: Admitting, after: Admitting): Widening | undefined {
  const alternatives = newAlternatives(before, after);
  const isNew = testOf(before, after);
  const { trust } = after;
  const unsure = new Set<string>();
  // One example is enough, and a search is dear.
  for (const conjuncts of alternatives) {
    const ask = askFor({ trust, wanted: before.trust, inside: [{}], tails: undefined }, conjuncts);
    const { found, complete } = search({ ...ask, tests: [...ask.tests, isNew] }, 2);
    const judged = found.map(({ claims }) => ({ claims, truth: isNewcomer(claims, before, after) }));
    const sure = judged.find(({ truth }) => truth === true);
    if (sure) return { direction: "widens", who: nameOf(sure.claims, trust) };
    if (judged.some(({ truth }) => truth === "unknown"))
      unsure.add("the condition or the mapping cannot be judged for every token");
    if (!complete) unsure.add(`a search of ${mostTried} tokens was not enough`);
  }
  const [why] = unsure;
  return why === undefined ? undefined : { direction: "undecided", why };
}

/** The alternatives of the condition by which somebody new could get in. */
function newAlternatives(before: Admitting, after: Admitting): readonly (readonly string[])[] {
  const all = alternativesOf(after.trust.condition);
  const [one, other] = [before.trust, after.trust];
  const keys = [...new Set([...Object.keys(mappingFor(one)), ...Object.keys(mappingFor(other))])];
  const remapped = keys.some((key) => counts(key, before, after) && mappingFor(one)[key] !== mappingFor(other)[key]);
  const granted = after.granted.some(({ what, tail }) => {
    const earlier = before.granted.filter((one) => one.what === what);
    return earlier.length > 0 && !earlier.some((one) => one.tail === tail);
  });
  const sameSource = one.type === other.type && isSameIssuer(other.source, one.source);
  if (!sameSource || remapped || granted) return all;
  return all.filter((conjuncts) => !implies(conjuncts, one.condition));
}

/** Whether whoever passes all of these tests passes a condition, by their texts alone. */
function implies(conjuncts: readonly string[], condition: string): boolean {
  const wider = alternativesOf(condition);
  if (wider.some((alternative) => alternative.every((test) => conjuncts.includes(test)))) return true;
  // One of the tests may hold alternatives itself: then each of them has to imply it.
  return conjuncts.some((test) => {
    const inner = conjunctsOf(test.replace(/^\((.*)\)$/s, "$1"));
    return inner.length > 1 && inner.every((alternative) => implies(alternative, condition));
  });
}

/**
 * Whether an entry of the mapping makes principals that somebody may have granted something to. One that only comes or
 * goes makes none, unless a grant of the file names it.
 */
function counts(key: string, before: Admitting, after: Admitting): boolean {
  const named = [...before.granted, ...after.granted].some(({ tail }) => mappedBy(tail) === key);
  return named || (key in mappingFor(before.trust) && key in mappingFor(after.trust));
}

function testOf(before: Admitting, after: Admitting): Test {
  const mappings = [before.trust, after.trust].flatMap((trust) => Object.values(mappingFor(trust)));
  const conditions = [before.trust, after.trust].flatMap((trust) => readsOf(trust.condition, mappingFor(trust)));
  const always = after.trust.type === "aws" ? ["account", "arn", "userid"] : [];
  return {
    reads: [...new Set([...mappings.flatMap(claimsIn), ...conditions, ...always])],
    passes: (claims) => isNewcomer(claims, before, after),
  };
}

/** Whether somebody with these claims gets what he did not get before. */
function isNewcomer(claims: Claims, before: Admitting, after: Admitting): boolean | "unknown" {
  const now = judgePool(claims, after.trust);
  if (now.allow === false) return false;
  const then = anyAudience(claims, before.trust).map((one) => judgePool(one, before.trust));
  const gets = then.some(
    ({ allow, attributes }) => allow === true && !isMore(now.attributes, attributes, before, after),
  );
  if (gets) return false;
  return now.allow === "unknown" || then.some(({ allow }) => allow === "unknown") ? "unknown" : true;
}

/** Which audience a token is for is its holder's choice, so that a new one by itself lets nobody new in. */
function anyAudience(claims: Claims, { type, audiences, name }: PoolTrust): readonly Claims[] {
  if (type === "aws") return [claims];
  const taken = name ? [...audiences, name] : audiences;
  return [claims, ...taken.map((aud) => ({ ...claims, aud }))];
}

/** Whether somebody becomes a principal, or reaches a grant, that he did not before. */
function isMore(now: Attributes | undefined, then: Attributes | undefined, before: Admitting, after: Admitting) {
  if (!now || !then) return now !== then;
  const old = new Set(tailsOf(then));
  const principals = tailsOf(now).filter((tail) => tail !== "*" && !old.has(tail));
  const shared = principals.some((tail) => {
    const key = mappedBy(tail);
    return key in mappingFor(before.trust) && key in mappingFor(after.trust);
  });
  // What is granted for the first time is what `may` of the file says.
  const reached = (granted: readonly Granted[], attributes: Attributes) =>
    new Set(granted.filter(({ tail }) => isMeant(tail, attributes)).map(({ what }) => what));
  const [more, had] = [reached(after.granted, now), reached(before.granted, then)];
  return shared || before.granted.some(({ what }) => more.has(what) && !had.has(what));
}
