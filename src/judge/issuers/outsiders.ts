import { type Issuer, isKnown, nobody, type Part, type Template } from "./table.ts";

export type Claims = Readonly<Record<string, unknown>>;

/**
 * A token that somebody could come with. Contract, section 9, "The outsider": its claims are those of the issuer's whole
 * token; what binds a tenant is somebody else's, and what a customer chooses is whatever the trust mentions.
 */
export interface Candidate {
  readonly claims: Claims;
  /**
   * `outsider`: nobody that the file can mean. On a shared issuer another tenant; on an own issuer an identity that has
   * nothing in common with what the trust names. `sibling`: of the same tenant, or one that the trust names or resembles.
   */
  readonly who: "outsider" | "sibling";
  /** A name was chosen to resemble one of the trust, such as `acme-x` for `acme`. */
  readonly crafted: boolean;
  /** The same workload as one of the file in another situation: another branch, another session. */
  readonly same: boolean;
  /** Claims that a test reads and of which nothing is known: whether the token passes it cannot be told. */
  readonly untold?: readonly string[];
}

/** Texts by the claim that they are compared with. */
export type Literals = ReadonlyMap<string, readonly string[]>;

/** One test of a trust that a token must pass; candidates that fail it are not looked at further. */
export interface Test {
  /** Claims that it reads. */
  readonly reads: readonly string[];
  /**
   * The test is that one claim fits one of these patterns (`*` for anything): the parts that a pattern fixes are read out
   * of it, so that nothing else is tried.
   */
  readonly like?: { readonly claim: string; readonly patterns: readonly string[] } | undefined;
  /** The file asks the same, so whoever passes it is somebody whom the file means. */
  readonly isMeant?: boolean;
  /** False is final; anything else leaves the candidate in. */
  readonly passes: (claims: Claims) => boolean | "unknown";
}

/** What is asked of the issuer. */
export interface Search {
  readonly issuer: Issuer;
  /** Who issues, as `iss` says it. */
  readonly iss: string;
  /** Claims of identities that the file means, as far as they are known. */
  readonly inside: readonly Claims[];
  /** Values of `aud` to come with: whoever may ask an issuer for a token may name any audience. */
  readonly audiences: readonly string[];
  /** Texts that the trust compares claims with: by claim, and under `*` those that may belong to any. */
  readonly literals: Literals;
  /** Those of them that the file itself names: whoever they are, the file means them. */
  readonly meant: Literals;
  readonly tests: readonly Test[];
  /** Claims that the trust reads beside the tests: mappings, grants, other statements. */
  readonly reads: readonly string[];
  /** A real token of the workload, where one was minted: it has claims that nobody declared. */
  readonly base?: Claims | undefined;
  /** Of the session of an AWS role and the like: parts that identify the workload although a caller chooses them. */
  readonly pinned?: readonly string[];
  /** Claims that the trust reads as lists: of an issuer that is not in the table they are tried as lists. */
  readonly lists?: readonly string[];
}

/** How many partly filled tokens are tried at most; counted, so that the answer depends on no clock. */
export const mostTried = 12_000;
const mostTogether = 48_000;
const fewestTried = 1500;

/** How many tokens each of several searches tries, so that a condition of many alternatives takes no longer than a few. */
export const triesFor = (searches: number): number =>
  Math.min(mostTried, Math.max(fewestTried, Math.floor(mostTogether / Math.max(1, searches))));

/** Thrown nowhere: told to the caller, who must not conclude that nobody passes. */
export interface Searched {
  readonly found: readonly Candidate[];
  /** False where the limit was reached first. */
  readonly complete: boolean;
}

/**
 * The tokens of others that pass every test. At most `enough` of each kind, because one witness is as good as many.
 */
export function search(ask: Search, enough = 4, most = mostTried): Searched {
  const found: Candidate[] = [];
  const left = { tries: most };
  const complete = schemesOf(ask).every((scheme) =>
    sidesOf(scheme).every((side) => searchSide({ ask, scheme, side, found, enough, left })),
  );
  return { found, complete };
}

/** On a shared issuer the tenant is decided first: nobody is half in one. */
const sidesOf = ({ issuer }: Scheme): readonly Side[] =>
  issuer.tenancy === "shared" ? ["outside", "inside"] : ["any"];

interface Walk {
  readonly ask: Search;
  readonly scheme: Scheme;
  readonly side: Side;
  readonly found: Candidate[];
  readonly enough: number;
  readonly left: { tries: number };
}

/** Fills part after part, and goes on only while every test that can be decided is passed. False: the limit was reached. */
function searchSide({ ask, scheme, side, found, enough, left }: Walk): boolean {
  const names = readParts(scheme, ask);
  const limits = limitsOf(scheme, ask);
  if (limits === undefined) return true;
  const values = names.map((name) => {
    const all = valuesOf(name, side, scheme, ask);
    const only = limits.get(name);
    return only === undefined ? all : within(all, only, { name, side, scheme });
  });
  const untold = distinct(ask.tests.flatMap((test) => (test.isMeant ? [] : claimsUntold(test, scheme, ask))));
  const decided = ask.tests.filter((test) => test.isMeant || claimsUntold(test, scheme, ask).length === 0);
  const tests = decided.map((test) => ({ test, ready: readyAt(test, scheme, names, ask) }));
  const walk = (at: number, chosen: Chosen): boolean => {
    if (isEnough(found)) return true;
    if (--left.tries < 0) return false;
    if (!mayStillFit(scheme, chosen, ask)) return true;
    const due = tests.filter(({ ready }) => ready === at);
    if (due.length > 0) {
      const claims = render(
        scheme,
        chosen,
        ask,
        due.flatMap(({ test }) => test.reads),
      );
      if (due.some(({ test }) => test.passes(claims) === false)) return true;
    }
    const name = names[at];
    if (name === undefined) {
      for (const whole of finished(chosen, side, scheme))
        keep(found, { ...candidate(whole, render(scheme, whole, ask), scheme), untold }, enough);
      return true;
    }
    return (values[at] ?? []).every((value) => {
      const next = { ...chosen, [name]: value };
      return !isCoherent(name, next, scheme) || walk(at + 1, next);
    });
  };
  return walk(0, {});
}

/** Whether what is filled of each claim so far can be the beginning of one that fits. */
const mayStillFit = ({ claims }: Scheme, chosen: Chosen, { tests }: Search): boolean =>
  tests.every(({ like }) => {
    const template = like && claims[like.claim];
    if (!like || typeof template !== "string") return true;
    const beginning = beginningOf(template, chosen);
    return beginning === undefined || like.patterns.some((pattern) => canBegin(pattern, beginning));
  });

/** A template up to its first part that is not filled yet; undefined where a part that it needs is lacking. */
function beginningOf(template: string, chosen: Chosen): string | undefined {
  const pieces = template.split(holes);
  let text = pieces[0] ?? "";
  for (let at = 1; at < pieces.length; at += 2) {
    const name = pieces[at] ?? "";
    if (!(name in chosen)) return text;
    const value = chosen[name]?.text;
    if (value === undefined) return undefined;
    text += value + (pieces[at + 1] ?? "");
  }
  return text;
}

/** Whether something that begins so fits a pattern with the wildcards `*` and `?`. */
function canBegin(pattern: string, beginning: string): boolean {
  let places = new Set([0]);
  for (const character of beginning) {
    const next = new Set<number>();
    for (const place of places) {
      for (let at = place; at < pattern.length; at += 1) {
        const wanted = pattern[at];
        if (wanted === "*") next.add(at);
        else {
          if (wanted === "?" || wanted === character) next.add(at + 1);
          break;
        }
      }
    }
    if (next.size === 0) return false;
    places = next;
  }
  return true;
}

/**
 * Whether some value of a template fits a pattern with the wildcards `*` and `?`: a walk through both at once, where a part
 * stands for any text that it can hold.
 */
function canFit(pattern: string, template: string, parts: Scheme["parts"]): boolean {
  const steps: readonly Step[] = template
    .split(holes)
    .flatMap((piece, at): readonly Step[] => (at % 2 === 1 ? [{ part: piece }] : [...piece]));
  // Whatever stands last can hold separators, too.
  const last = steps.length - 1;
  const seen = new Set<number>();
  const walk = (at: number, step: number): boolean => {
    const place = at * (steps.length + 1) + step;
    if (seen.has(place)) return false;
    seen.add(place);
    const [wanted, given] = [pattern[at], steps[step]];
    if (wanted === undefined && given === undefined) return true;
    if (wanted === "*" && walk(at + 1, step)) return true;
    if (typeof given === "object" && walk(at, step + 1)) return true;
    if (wanted === undefined || given === undefined || !takes(wanted, given, parts, step === last)) return false;
    return walk(wanted === "*" ? at : at + 1, typeof given === "object" ? step : step + 1);
  };
  return walk(0, 0);
}

/** A character of a template, or a part of it. */
type Step = string | { readonly part: string };

function takes(wanted: string, given: Step, parts: Scheme["parts"], isLast: boolean): boolean {
  if (wanted === "*" || wanted === "?") return true;
  return typeof given === "object" ? canHold(given.part, wanted, parts, isLast) : wanted === given;
}

function canHold(name: string, character: string, parts: Scheme["parts"], isLast: boolean): boolean {
  const { fits } = parts[name] ?? {};
  if (fits) return fits.test(`a${character}a`) || !fits.test("aaa");
  return isLast || !/[:/]/.test(character) || (holdsSeparators.test(name) && character === "/");
}

/**
 * Where a part can only be one of a few texts, all of those are tried: a list of many names must not hide the last one.
 */
function within(
  values: readonly Value[],
  only: ReadonlySet<string>,
  { name, side, scheme }: Limited,
): readonly Value[] {
  const part = scheme.parts[name];
  const isFree = part?.holds === "tenant" || part?.holds === "workload" || part?.holds === "caller";
  if (!isFree || part.values) return values.filter(({ text }) => only.has(text ?? ""));
  const foreign = part.holds === "tenant" && side === "outside";
  const other = [...only].filter((text) => !isInside(name, text, scheme) || (!foreign && part.holds === "caller"));
  const named = other.filter((text) => part.fits?.test(text) ?? true);
  const crafted = named.map((text): Value => ({ text, origin: part.holds === "caller" ? "chosen" : "crafted" }));
  return unique([...values, ...(part.holds === "tenant" && side === "inside" ? [] : crafted)]).filter(({ text }) =>
    only.has(text ?? ""),
  );
}

interface Limited {
  readonly name: string;
  readonly side: Side;
  readonly scheme: Scheme;
}

/** Two outsiders are as good as a hundred, and whoever has one asks for no sibling. */
const isEnough = (found: readonly Candidate[]): boolean => found.filter(({ who }) => who === "outsider").length >= 2;

/** Parts that no test reads: as an outsider has them, and as the file's own workload has them. */
function finished(chosen: Chosen, side: Side, scheme: Scheme): readonly Chosen[] {
  const { parts, insides } = scheme;
  const unread = Object.entries(parts).filter(
    ([name, { holds }]) => (holds === "tenant" || holds === "workload") && !(name in chosen),
  );
  const fill = (isOwn: boolean): Chosen =>
    Object.fromEntries(
      unread.map(([name, part]): [string, Value] => {
        const inside = insides[0]?.[name]?.[0];
        const own = part.holds === "tenant" ? side === "outside" || (side === "any" && isOwn) : isOwn;
        return [
          name,
          own || inside === undefined ? { text: part.own, origin: "own" } : { text: inside, origin: "inside" },
        ];
      }),
    );
  const both = unread.length === 0 ? [chosen] : [true, false].map((isOwn) => ({ ...fill(isOwn), ...chosen }));
  return both.filter((whole) => Object.keys(whole).every((name) => isCoherent(name, whole, scheme)));
}

/**
 * What each part can only be, because some claim must fit one of a few patterns. Undefined: this spelling of the claims
 * fits none of them.
 */
function limitsOf({ claims, parts }: Scheme, { tests }: Search): ReadonlyMap<string, ReadonlySet<string>> | undefined {
  const limits = new Map<string, ReadonlySet<string>>();
  for (const { like } of tests) {
    const template = like && claims[like.claim];
    if (!like || typeof template !== "string") continue;
    const names = partsIn(template);
    if (names.length === 0 || names.some((name) => parts[name] === undefined)) continue;
    const possible = like.patterns.filter((pattern) => canFit(pattern, template, parts));
    const read = possible.map((pattern) => parsed(template, pattern)).filter(({ fits }) => fits);
    if (read.length === 0) return undefined;
    for (const name of names.filter((one) => read.every(({ found }) => one in found))) {
      const texts = new Set(read.map(({ found }) => found[name] ?? ""));
      const known = limits.get(name);
      limits.set(name, known ? new Set([...texts].filter((text) => known.has(text))) : texts);
    }
  }
  return limits;
}

/** One spelling of the claims: one subject among several, and so on. */
interface Scheme {
  readonly parts: Readonly<Record<string, Part>>;
  readonly claims: Readonly<Record<string, Template>>;
  /** What the file's own workloads have for each part. */
  readonly insides: readonly Readonly<Record<string, readonly string[]>>[];
  readonly issuer: Issuer;
}

interface Value {
  /** Undefined: the token lacks it. */
  readonly text: string | undefined;
  readonly origin: "own" | "inside" | "chosen" | "crafted";
}
type Chosen = Readonly<Record<string, Value>>;

function keep(found: Candidate[], one: Candidate, enough: number): void {
  const alike = found.filter(
    ({ who, crafted, same }) => who === one.who && crafted === one.crafted && same === one.same,
  );
  if (alike.length < enough) found.push(one);
}

function candidate(chosen: Chosen, claims: Claims, scheme: Scheme): Candidate {
  const of = (holds: Part["holds"]) => Object.entries(chosen).filter(([name]) => scheme.parts[name]?.holds === holds);
  const [tenants, workloads] = [of("tenant"), of("workload")];
  const crafted = [...tenants, ...workloads].some(([, { origin }]) => origin === "crafted");
  const same =
    tenants.length + workloads.length > 0 &&
    [...tenants, ...workloads].every(([name, { text }]) => isInside(name, text, scheme));
  if (scheme.issuer.tenancy === "own") {
    const fresh = workloads.every(([, { origin }]) => origin === "own");
    return { claims, who: fresh ? "outsider" : "sibling", crafted, same };
  }
  const within = tenants.some(([name, { text }]) => isInside(name, text, scheme));
  return { claims, who: within ? "sibling" : "outsider", crafted, same };
}

const isInside = (name: string, text: string | undefined, { insides }: Scheme): boolean =>
  text !== undefined && insides.some((inside) => inside[name]?.includes(text));

/** A name and its id belong to the same thing: either both are the file's, or neither. */
function isCoherent(name: string, chosen: Chosen, scheme: Scheme): boolean {
  const { named } = scheme.issuer;
  if (named && (name === named.id || named.by.includes(name)) && !isOneThing(named, chosen, scheme)) return false;
  const partner = name.endsWith("Id") ? name.slice(0, -2) : `${name}Id`;
  if (!(partner in chosen) || !(partner in scheme.parts)) return true;
  // Somebody of another tenant may call a thing as the file's tenant does; its id is another.
  if (
    scheme.parts[name]?.holds === "workload" &&
    !Object.keys(chosen).some((one) => isTenantInside(one, chosen, scheme))
  )
    return scheme.issuer.tenancy === "shared" ? true : sameSide(name, partner, chosen, scheme);
  return sameSide(name, partner, chosen, scheme);
}

/** Where the whole name is the file's, so is the id; as long as one of its parts is not chosen, nothing follows. */
function isOneThing({ id, by }: NonNullable<Issuer["named"]>, chosen: Chosen, scheme: Scheme): boolean {
  if (![id, ...by].every((name) => name in chosen)) return true;
  const isCalledSo = by.every((name) => isInside(name, chosen[name]?.text, scheme));
  return !isCalledSo || isInside(id, chosen[id]?.text, scheme);
}

const isTenantInside = (name: string, chosen: Chosen, scheme: Scheme): boolean =>
  scheme.parts[name]?.holds === "tenant" && isInside(name, chosen[name]?.text, scheme);

const sameSide = (name: string, partner: string, chosen: Chosen, scheme: Scheme): boolean =>
  isInside(name, chosen[name]?.text, scheme) === isInside(partner, chosen[partner]?.text, scheme);

/** The parts that some test reads; those that keep a token out soonest come first. */
function readParts({ claims, parts }: Scheme, ask: Search): readonly string[] {
  const reads = [...ask.tests.flatMap((test) => test.reads), ...ask.reads];
  const weight: Readonly<Record<Part["holds"], number>> = { tenant: 0, workload: 1, caller: 2, run: 3, fixed: 4 };
  const of = (name: string): number => weight[parts[name]?.holds ?? "fixed"];
  return [...new Set(reads.flatMap((claim) => partsIn(claims[claim])))]
    .filter((name) => parts[name] !== undefined)
    .sort((a, b) => of(a) - of(b));
}

/** Claims that a test reads and of which neither the table nor a token says what others have. */
const claimsUntold = ({ reads }: Test, { claims }: Scheme, { base }: Search): readonly string[] =>
  reads.filter((claim) => !(claim in claims) && !alike.has(claim) && typeof base?.[claim] !== "boolean");

/** How many parts must be filled before a test can be decided. */
function readyAt({ reads }: Test, { claims }: Scheme, order: readonly string[], { base }: Search): number {
  // Whether a token has what the workload's own token says of it, depends on whose it is.
  if (reads.some((claim) => !(claim in claims) && isOfOne(claim, base?.[claim]))) return order.length;
  const needed = new Set(reads.flatMap((claim) => partsIn(claims[claim])));
  return order.reduce((last, name, at) => (needed.has(name) ? at + 1 : last), 0);
}

const holes = /\{(\w+)\}/g;

function partsIn(template: Template | undefined): readonly string[] {
  if (template === undefined) return [];
  if (typeof template === "object") return Object.values(template).flatMap(partsIn);
  return [...String(template).matchAll(holes)].map(([, name]) => name ?? "");
}

/**
 * The claims with what is chosen so far; the rest says what an outsider's own token says. `only`: the claims that somebody
 * will look at.
 */
function render(
  scheme: Scheme,
  chosen: Chosen,
  { iss, audiences, base, lists = [] }: Search,
  only?: readonly string[],
): Claims {
  const textOf = (name: string): string | undefined => {
    if (name in chosen) return chosen[name]?.text;
    const part = scheme.parts[name];
    if (part === undefined) return `{${name}}`;
    return (part.holds === "fixed" ? scheme.insides[0]?.[name]?.[0] : undefined) ?? part.own;
  };
  const wanted = only ?? Object.keys(scheme.claims);
  const filled = wanted.flatMap((claim) => {
    const template = scheme.claims[claim];
    if (template === undefined) return [];
    const value = fill(template, textOf);
    if (value === undefined) return [];
    return [[claim, lists.includes(claim) || isTexts(base?.[claim]) ? [value] : value] as const];
  });
  const of = iss === "" ? {} : { aud: audiences[0], iss };
  const common = base && isOwnToken(scheme, chosen) ? base : elsewhere(base ?? {});
  return { ...common, ...of, ...Object.fromEntries(filled), ...(iss === "" ? {} : { iss }) };
}

/** Everything chosen so far that tells somebody apart is the file's own. */
function isOwnToken(scheme: Scheme, chosen: Chosen): boolean {
  const binding = Object.entries(chosen).filter(([name]) =>
    ["tenant", "workload"].includes(scheme.parts[name]?.holds ?? ""),
  );
  return binding.length > 0 && binding.every(([name, { text }]) => isInside(name, text, scheme));
}

/** Groups, roles and numbers are given to somebody, so another one's token has others. */
const isOfOne = (claim: string, value: unknown): boolean =>
  !alike.has(claim) && (typeof value === "number" || (typeof value === "object" && value !== null));

/** The claims of a workload's token as somebody else has them. */
const elsewhere = (base: Claims): Claims =>
  Object.fromEntries(
    Object.entries(base).map(([claim, value]) => [claim, isOfOne(claim, value) ? somebodyElses(value) : value]),
  );

function somebodyElses(value: unknown): unknown {
  if (Array.isArray(value)) return [nobody];
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, somebodyElses(inner)]));
  return typeof value === "number" ? 987_654_321 : typeof value === "string" ? nobody : value;
}

/** Undefined where a part that it needs is lacking. */
function fill(template: Template, textOf: (name: string) => string | undefined): unknown {
  if (typeof template === "object") {
    const members = Object.entries(template).map(([name, inner]) => [name, fill(inner, textOf)] as const);
    return Object.fromEntries(members.filter(([, value]) => value !== undefined));
  }
  if (typeof template !== "string") return template;
  const names = [...template.matchAll(holes)].map(([, name]) => name ?? "");
  if (names.some((name) => textOf(name) === undefined)) return undefined;
  return template.replace(holes, (_, name: string) => textOf(name) ?? "");
}

type Side = "outside" | "inside" | "any";

/** Everything that a part can be for somebody who wants to get in. */
function valuesOf(name: string, side: Side, scheme: Scheme, ask: Search): readonly Value[] {
  const { parts, claims, insides } = scheme;
  const part = parts[name] as Part;
  const own: Value = { text: part.own, origin: "own" };
  const told = distinct(insides.flatMap((one) => one[name] ?? []));
  // What nobody has told of the file's own tenant matters only where a tenant has to be told from another.
  const known = scheme.issuer.tenancy === "shared" ? told : told.filter((text) => text !== untoldName(name));
  const inside = known.map((text): Value => ({ text, origin: "inside" }));
  if (part.holds === "fixed") return inside.length > 0 ? inside.slice(0, 1) : [own];
  if (part.values) return part.values.map((text): Value => ({ text, origin: "own" }));
  if (part.holds === "run" && part.form !== "name") return [own];
  // Every token has a subject, so what stands in it is there.
  const lacks = part.optional && !partsIn(claims.sub).includes(name);
  const lacking: readonly Value[] = lacks ? [{ text: undefined, origin: "own" }] : [];
  const readers = Object.entries(claims).filter(([, template]) => partsIn(template).includes(name));
  const said = distinct([
    ...readers.flatMap(([claim]) => ask.literals.get(claim) ?? []),
    ...(ask.literals.get("*") ?? []),
  ]);
  // What differs from run to run is chosen by somebody, too, where it is a name.
  if (part.holds === "caller" || part.holds === "run") {
    const chosen = said
      // The last part of a subject holds a whole branch, with its slashes.
      .flatMap((text) => [text, ...text.split(":"), ...tokensOf(text)])
      .map((text): Value => ({ text, origin: "chosen" }));
    return unique([own, ...lacking, ...chosen, ...inside]).filter(
      ({ text }) => !text || (part.fits?.test(text) ?? true),
    );
  }
  if (part.holds === "tenant" && side === "inside") return inside.length > 0 ? inside : [own];
  // Another tenant can call a workload as the file's does; what has an id of its own is nobody else's.
  const foreign = side === "outside" && (part.holds === "tenant" || part.form !== "name");
  const others = foreign ? [] : inside;
  const common = wordsIn(readers.map(([, template]) => template));
  const tokens = fewTokens(
    distinct(said.flatMap(tokensOf).filter((token) => !common.has(token))),
    new Set([...readers.flatMap(([claim]) => ask.meant.get(claim) ?? [])].flatMap(tokensOf)),
  );
  // A part that is a whole claim by itself may be named in full: whoever the live trust names beyond the file.
  const whole = readers
    .filter(([, template]) => template === `{${name}}`)
    .flatMap(([claim]) => ask.literals.get(claim) ?? []);
  const alike = tokens.flatMap((token) => likenesses(token, part));
  const fitting = (text: string) => part.fits?.test(text) ?? !/[*?]/.test(text);
  const named = [...tokens, ...whole, ...alike].filter(fitting).map((text): Value => ({ text, origin: "crafted" }));
  const strange = foreign ? named.filter(({ text }) => !isInside(name, text, scheme)) : named;
  return unique([own, ...lacking, ...others, ...strange]);
}

/** The words that all values of a claim have in common, such as `assumed-role`: nobody is called so. */
const wordsIn = (templates: readonly Template[]): ReadonlySet<string> =>
  new Set(
    templates.flatMap((template) => (typeof template === "string" ? tokensOf(template.replace(holes, " ")) : [])),
  );

const mostTokens = 8;

/** The names to begin with: first those that the live trust alone holds, then at least two of those that the file names. */
function fewTokens(tokens: readonly string[], meant: ReadonlySet<string>): readonly string[] {
  const [named, strange] = [tokens.filter((one) => meant.has(one)), tokens.filter((one) => !meant.has(one))];
  const first = strange.slice(0, mostTokens - Math.min(2, named.length));
  return [...first, ...named].slice(0, mostTokens);
}

/** Names that begin, end or go on like another: what a missing separator lets pass. */
function likenesses(token: string, { form }: Part): readonly string[] {
  if (form === "number") return /^\d+$/.test(token) ? [`${token}7`] : [];
  if (form === "id") return [];
  return [`${token}-x`, `x-${token}`, `${token}x`, `x${token}`];
}

/** No name of an issuer is longer: a repository of GitHub has 100 characters, a group of GitLab has 255. */
const longestName = 255;

/** The names in a text: `repo:acme/app:*` holds repo, acme and app. */
const tokensOf = (text: string): readonly string[] =>
  [...text.split(/[^\w.@-]+/), ...text.split(/[^\w.-]+/)].filter(
    (token) => token !== "" && token.length <= longestName,
  );

const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)];
/** The first of those that say the same. */
function unique(values: readonly Value[]): readonly Value[] {
  const found = new Map<string | undefined, Value>();
  for (const value of values) if (!found.has(value.text)) found.set(value.text, value);
  return [...found.values()];
}

/** Every spelling of the subject is tried, and of the other claims that have several. */
function schemesOf(ask: Search): readonly Scheme[] {
  const { issuer } = ask;
  const known = isKnown(issuer) ? issuer.claims : { ...claimsShown(ask), ...issuer.claims };
  const parts = isKnown(issuer) ? issuer.parts : { ...partsShown(ask), ...issuer.parts };
  const own = ownClaimsRead(ask).map((claim) => [claim, `{${partOf(claim)}}`] as const);
  const ownParts = ownClaimsRead(ask).map(
    (claim) => [partOf(claim), { holds: "caller", own: "x", form: "name" } as Part] as const,
  );
  const all = { ...known, ...Object.fromEntries(own) };
  const pinned = (ask.pinned ?? []).flatMap((name) => {
    const part = parts[name];
    return part ? [[name, { ...part, holds: "workload" } as Part] as const] : [];
  });
  const whole = { ...parts, ...Object.fromEntries([...ownParts, ...pinned]) };
  const subjects = [...[all.sub ?? []].flat(), ...(issuer.ownSubjects ? builtSubjects(ask) : [])];
  const read = new Set([...ask.tests.flatMap((test) => test.reads), ...ask.reads]);
  const others = Object.entries(all).filter(([claim]) => claim !== "sub");
  // Of a claim that nobody reads the first spelling will do.
  const several = others.filter(([claim, template]) => Array.isArray(template) && read.has(claim));
  const plain = Object.fromEntries(
    others.map(([claim, template]) => [
      claim,
      Array.isArray(template) ? (template[0] as Template) : (template as Template),
    ]),
  );
  const spellings = several.reduce<readonly Readonly<Record<string, Template>>[]>(
    (made, [claim, templates]) =>
      made.flatMap((one) => (templates as readonly Template[]).map((template) => ({ ...one, [claim]: template }))),
    [plain],
  );
  const subs: readonly (Template | undefined)[] =
    read.has("sub") || subjects.length === 0 ? subjects : subjects.slice(0, 1);
  const schemes = (subs.length > 0 ? subs : [undefined]).flatMap((sub) =>
    spellings.map((claims) => (sub === undefined ? claims : { ...claims, sub })),
  );
  return schemes.map((claims) => ({ parts: whole, claims, issuer, insides: insidesOf(all, whole, ask) }));
}

/** What the file's identities have for each part, read out of their claims and out of what the file names. */
function insidesOf(
  claims: Issuer["claims"],
  parts: Issuer["parts"],
  { inside, meant, issuer, iss }: Pick<Search, "inside" | "meant" | "issuer" | "iss">,
): Scheme["insides"] {
  const templates = Object.entries(claims).flatMap(([claim, some]) =>
    [some].flat().map((template) => [claim, template as Template] as const),
  );
  const known: Record<string, string[]> = {};
  const add = (read: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(read)) known[name] = [...(known[name] ?? []), text];
  };
  add(issuer.fixed?.(iss) ?? {});
  for (const [claim, template] of templates) {
    for (const text of inside.flatMap((identity) => identity[claim])) add(parsed(template, text).found);
    for (const text of meant.get(claim) ?? []) add(parsed(template, text).found);
  }
  const subjects = [...inside.map(({ sub }) => sub), ...(meant.get("sub") ?? [])];
  for (const [claim, value] of issuer.ownSubjects ? subjects.flatMap(pairsOf) : []) {
    for (const template of [claims[claim] ?? []].flat()) add(parsed(template as Template, value).found);
  }
  const binding = Object.keys(parts).filter((name) => ["tenant", "workload"].includes(parts[name]?.holds ?? ""));
  const untold = binding.filter((name) => !(name in known)).map((name) => [name, [untoldName(name)]] as const);
  return [{ ...Object.fromEntries(untold), ...known }];
}

/** `repository_owner:acme:ref:main` as pairs of a claim and its value. */
function pairsOf(subject: unknown): readonly (readonly [claim: string, value: string])[] {
  const words = typeof subject === "string" ? subject.split(":") : [];
  return words.flatMap((word, at) =>
    at % 2 === 0 && words[at + 1] !== undefined ? [[word, words[at + 1] ?? ""] as const] : [],
  );
}

/** Stands for what the file's own tenant has there and nobody has told. */
const untoldName = (part: string): string => `your-${part}`;

const holdsSeparators = /^(?:ref|branch|environment|workflow|job)$/;

interface Parsed {
  readonly found: Readonly<Record<string, string>>;
  /** False where no value of the template fits. */
  readonly fits: boolean;
}

/**
 * The parts that a value fills. Of a pattern those that are whole: `repo:acme/*` names an owner, `repo:acme*` names
 * nobody, because another owner's name may begin alike.
 */
function parsed(template: Template, value: unknown): Parsed {
  if (typeof template === "object") {
    if (typeof value !== "object" || value === null) return { found: {}, fits: false };
    const members = new Map(Object.entries(value));
    const all = Object.entries(template).map(([name, inner]) => parsed(inner, members.get(name)));
    return { found: Object.assign({}, ...all.map(({ found }) => found)), fits: all.every(({ fits }) => fits) };
  }
  if (typeof template !== "string" || typeof value !== "string") return { found: {}, fits: false };
  return parsedText(template, value);
}

function parsedText(template: string, value: string): Parsed {
  const pieces = template.split(holes);
  const found: Record<string, string> = {};
  let at = 0;
  for (let index = 0; index < pieces.length; index += 2) {
    const [literal = "", name, next = ""] = pieces.slice(index, index + 3);
    if (!value.startsWith(literal, at)) {
      const rest = value.slice(at);
      const wild = rest.search(/[*?]/);
      return { found, fits: wild >= 0 && literal.startsWith(rest.slice(0, wild)) };
    }
    at += literal.length;
    if (name === undefined) return { found, fits: at === value.length || /[*?]/.test(value.slice(at)) };
    // A branch may hold a slash, so it ends where all that follows it begins.
    const whole = holdsSeparators.test(name);
    const end = next === "" ? value.length : value.indexOf(whole ? next : (next[0] ?? ""), at);
    const text = value.slice(at, end < 0 ? undefined : end);
    if (/[*?]/.test(text)) return { found, fits: true };
    if (end < 0 || text === "" || (next !== "" && !whole && /[:/@]/.test(text))) return { found, fits: false };
    found[name] = text;
    at = end;
  }
  return { found, fits: at === value.length };
}

/**
 * Subjects that a customer builds of `claim:value` pairs (GitHub's templates), as the trust spells them: what binds the
 * tenant is the outsider's own, what is chosen is what the trust says.
 */
function builtSubjects({ issuer, literals }: Search): readonly Template[] {
  const told = [...(literals.get("sub") ?? []), ...(literals.get("*") ?? [])];
  return distinct(
    told.flatMap((text) => {
      const pairs = text.split(":");
      const head = pairs[0] ?? "";
      if (!(head in issuer.claims) && !issuer.ownClaims?.test(head)) return [];
      const built: string[] = [];
      for (let at = 0; at < pairs.length; at += 2) {
        const [key = "", value] = [pairs[at], pairs[at + 1]];
        if (value === undefined) return [...built, key].length === 1 ? [] : [built.join(":")];
        const template = issuer.claims[key];
        const bound = partsIn([template ?? ""].flat()[0] as Template).some(
          (name) => issuer.parts[name]?.holds !== "caller",
        );
        built.push(`${key}:${bound ? String([template].flat()[0]) : value}`);
      }
      return [built.join(":")];
    }),
  );
}

const partOf = (claim: string): string => `own_${claim.replace(/\W/g, "_")}`;

/** Claims that customers define for themselves and that the trust reads. */
const ownClaimsRead = ({ issuer, tests, reads }: Search): readonly string[] =>
  distinct([...tests.flatMap((test) => test.reads), ...reads]).filter(
    (claim) => issuer.ownClaims?.test(claim) && !(claim in issuer.claims) && claim !== "iss" && claim !== "aud",
  );

/** Claims that say the same in every token, or nothing about who it is. */
const plain = new Set([
  "iss",
  "aud",
  "iat",
  "nbf",
  "exp",
  "jti",
  "typ",
  "ver",
  "auth_time",
  "acr",
  "scope",
  "sid",
  "sub",
]);

/** Beside them how somebody signed in and what for: many tokens say the same there. */
const alike = new Set([...plain, "amr", "scp"]);

/**
 * Of an issuer that is not in the table: the claims that its tokens, the file and the trust mention. Each of them tells
 * somebody apart, so nobody else has its value; a claim that is true or false is had by others, too.
 */
const shownClaims = ({ base, inside, tests, reads }: Search): readonly string[] =>
  distinct([
    ...Object.keys(base ?? {}),
    ...inside.flatMap((one) => Object.keys(one)),
    ...tests.flatMap((test) => test.reads),
    ...reads,
  ]).filter((claim) => !plain.has(claim));

/** Groups and roles, for the most part. */
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string");

const exampleOf = (claim: string, { base, inside }: Search): unknown =>
  [base, ...inside].map((one) => one?.[claim]).find((value) => value !== undefined);

function claimsShown(ask: Search): Record<string, Template | readonly Template[]> {
  return Object.fromEntries(
    shownClaims(ask).flatMap((claim): readonly (readonly [string, Template | readonly Template[]])[] => {
      const example = exampleOf(claim, ask);
      if (typeof example === "boolean") return [[claim, [true, false]]];
      if (isTexts(example)) return [[claim, `{${partOf(claim)}}`]];
      if (typeof example === "number" || (typeof example === "object" && example !== null)) return [];
      return [[claim, `{${partOf(claim)}}`]];
    }),
  );
}

function partsShown(ask: Search): Record<string, Part> {
  return Object.fromEntries(
    shownClaims(ask).map((claim) => [
      partOf(claim),
      { holds: "workload", own: nobody, form: "name", optional: true } as Part,
    ]),
  );
}

/** The claims of one workload beyond those that somebody declared. */
export interface Completed {
  /** What follows from the declared claims: GitHub's `repository` stands in its subject. */
  readonly known: Claims;
  /** What a whole token has besides, with a value that nobody knows. */
  readonly guessed: Claims;
}

/**
 * A whole token of the workload that the claims belong to. What is not declared is not known to be missing (contract,
 * section 9), so nothing follows from a guessed value but that there is one.
 */
export function completed(issuer: Issuer, iss: string, declared: Claims): Completed {
  const [inside = {}] = insidesOf(issuer.claims, issuer.parts, {
    issuer,
    iss,
    inside: [declared],
    meant: new Map(),
  });
  const told = (name: string) => inside[name]?.find((text) => text !== untoldName(name));
  const first = Object.entries(issuer.claims).map(([claim, some]) => [claim, [some].flat()[0] as Template] as const);
  const known = first.flatMap(([claim, template]) => {
    const value = partsIn(template).length > 0 ? fill(template, told) : undefined;
    return value === undefined || (typeof value === "object" && isPartial(template, told))
      ? []
      : [[claim, value] as const];
  });
  const guessed = first.flatMap(([claim, template]) => {
    const value = fill(template, (name) => told(name) ?? issuer.parts[name]?.own.replaceAll(nobody, undeclared));
    return value === undefined ? [] : [[claim, value] as const];
  });
  return {
    known: { ...Object.fromEntries(known), ...declared, iss },
    guessed: { ...Object.fromEntries(guessed), ...Object.fromEntries(known), ...declared, iss },
  };
}

/** What stands for a name that a file does not declare. */
const undeclared = "undeclared";

const isPartial = (template: Template, told: (name: string) => string | undefined): boolean =>
  partsIn(template).some((name) => told(name) === undefined);

/** A whole token of somebody whom the file cannot mean. `base`: a real token, whose other claims it keeps. */
export function outsiderOf(ask: Pick<Search, "issuer" | "iss" | "inside" | "audiences" | "base">): Claims {
  const search: Search = { ...ask, literals: new Map(), meant: new Map(), tests: [], reads: [] };
  const [scheme] = schemesOf(search);
  return scheme ? render(scheme, {}, search) : { iss: ask.iss, aud: ask.audiences[0] };
}

/** Whether a subject, or its beginning up to the first wildcard, says whose it is. Of an own issuer everybody's is. */
export function namesTenant(issuer: Issuer, pattern: string): boolean {
  const parts = Object.keys(issuer.parts).filter((name) => issuer.parts[name]?.holds === "tenant");
  if (issuer.tenancy === "own" || parts.length === 0) return true;
  const templates = [issuer.claims.sub ?? []].flat() as readonly Template[];
  const pairs = issuer.ownSubjects ? pairsOf(pattern) : [];
  const read = [
    ...templates.map((template) => parsed(template, pattern).found),
    ...pairs.flatMap(([claim, value]) =>
      [issuer.claims[claim] ?? []].flat().map((template) => parsed(template as Template, value).found),
    ),
  ];
  return read.some((found) => parts.some((name) => name in found));
}
