import type { Address, Stranger } from "../../model.ts";
import {
  type Candidate,
  type Claims,
  type Literals,
  type Search,
  search,
  type Test,
  triesFor,
} from "../issuers/outsiders.ts";
import { awsCallers, type Issuer, isKnown, issuerOf, keyHolder } from "../issuers/table.ts";
import { attributesOf, awsDefaultMapping, isUnmapped, longestSubject, type Mapping } from "./attributes.ts";
import { evaluate } from "./cel.ts";
import { parseCondition } from "./condition.ts";
import { claimOf, claimsIn, conjunctsOf, likeOf, listsIn, literalsIn, plainTest } from "./expressions.ts";
import { isSameIssuer, judgePool, type PoolTrust } from "./judge.ts";
import { isMeant, mappedBy, type Tail } from "./principals.ts";

/** Another pool provider of the same pool: members name the pool, so it can make the same principals. */
export interface OtherProvider {
  readonly trust: PoolTrust;
  /** Its id, for people. */
  readonly id: string;
  readonly address: Address;
  /** The file has it too, so its own workloads are meant by it. */
  readonly named: boolean;
  /** As the file wants it, where the file has it. */
  readonly wanted?: PoolTrust | undefined;
}

/** What is held against everybody. */
export interface Pool {
  /** The link's pool provider as it is, and as the file wants it. */
  readonly live: PoolTrust;
  readonly wanted: PoolTrust;
  /** Whom of the pool the link grants something, and whom somebody else granted the same. */
  readonly granted: readonly Tail[];
  /** Those of `granted` whose binding is there now; left out, all of them. */
  readonly held?: readonly Tail[];
  readonly extra: readonly Tail[];
  /** Whole pools of somebody else to whom the same was granted: whoever keeps such a pool decides who comes through it. */
  readonly foreign: readonly string[];
  /** What is granted, for the last step of a path: `reports@acme-prod...`. */
  readonly grants: string;
  /** Claims of the workloads that the file means here. */
  readonly inside: readonly Claims[];
  readonly others: readonly OtherProvider[];
  readonly base?: Claims | undefined;
  /** The session's name identifies the workload, as of an EC2 instance. */
  readonly pinned?: readonly string[];
}

/**
 * Whom a pool lets reach what a link grants although the file does not mean them (contract, section 9), found by trying
 * every token that the issuers of its pool providers could give to somebody else. Somebody who gets a token of the pool,
 * and nothing with it, `enters`.
 */
export function strangersOf(pool: Pool): readonly Stranger[] {
  const foreign = pool.foreign.map(
    (member): Stranger => ({
      who: `every identity of the pool in ${member}`,
      code: "GOOGLE-GRANT-EXTRA",
      fix: [...removeMember],
      of: member,
      path: [`a token of that pool`, member, pool.grants],
    }),
  );
  return [...throughOwn(pool), ...pool.others.flatMap((other) => throughOther(other, pool)), ...foreign];
}

/** Somebody that the pool provider takes, and whom it makes of him. */
interface Admitted {
  readonly candidate: Candidate;
  readonly reached: readonly Tail[];
  readonly wanted: boolean;
}

function throughOwn(pool: Pool): readonly Stranger[] {
  const { live, wanted } = pool;
  const tails = [...heldIn(pool), ...pool.extra];
  const ask = { trust: live, wanted, inside: pool.inside, base: pool.base, pinned: pool.pinned };
  const reaching = tried({ ...ask, tails });
  const strange = reaching.admitted
    .filter((one) => !isMeantBy(one, pool))
    .toSorted((a, b) => Number(a.candidate.same) - Number(b.candidate.same))
    .map((one) => strangerOf(one, pool));
  // One sentence for each reason.
  const found = [...new Map(strange.toReversed().map((one) => [one.code, one])).values()].toReversed();
  if (found.length > 0) return found;
  const audience = anotherAudience(pool);
  if (audience) return [audience];
  const unsure = reaching.unsure.map(undecided);
  const [first] = entering(live, wanted)
    .admitted.filter(({ candidate, wanted: meant }) => candidate.who === "outsider" || !meant)
    .toSorted((a, b) => rank(a) - rank(b));
  return [...unsure, ...(first ? [{ ...strangerOf(first, pool), enters: true as const }] : [])];
}

const heldIn = ({ granted, held }: Pool): readonly Tail[] => held ?? granted;

const entered = new Map<string, Tried>();
/** A run has few pool providers; a fuzzer has many. */
const mostKept = 500;

/** Who gets a token of the pool at all: a question about the pool provider, asked once for all links that share it. */
function entering(live: PoolTrust, wanted: PoolTrust): Tried {
  const key = JSON.stringify([live, wanted]);
  const known = entered.get(key) ?? tried({ trust: live, wanted, inside: [], tails: undefined });
  if (entered.size >= mostKept) entered.clear();
  entered.set(key, known);
  return known;
}

const audiencesOf = ({ audiences, name }: PoolTrust): readonly string[] =>
  audiences.length > 0 ? audiences : name === undefined ? [] : [name];

/** The two spellings of a pool provider's own name are one audience: whoever gets a token for one gets it for the other. */
const isTaken = (audience: string, audiences: readonly string[]): boolean => {
  const bare = (text: string): string => text.replace(/^https:(?=\/\/iam\.googleapis\.com\/projects\/)/, "");
  return audiences.some((one) => bare(one) === bare(audience));
};

/** Whether a token says it is the workload itself. */
const isInside = ({ sub, arn }: Claims, { inside }: Pool): boolean =>
  inside.some((one) => (arn === undefined ? one.sub === sub : one.arn === arn));

/** A token of the workload itself that was meant for somebody else, who can therefore use it here. */
function anotherAudience(pool: Pool): Stranger | undefined {
  const { live, wanted, inside } = pool;
  const extra = live.type === "oidc" ? audiencesOf(live).filter((one) => !isTaken(one, audiencesOf(wanted))) : [];
  for (const aud of extra) {
    const trust = { ...live, audiences: [aud] };
    const [first] = tried({ trust, wanted: { ...wanted, audiences: [aud] }, inside, tails: heldIn(pool) }).admitted;
    if (first)
      return {
        who: `a token for the audience ${aud}`,
        code: "GOOGLE-AUDIENCE-EXTRA",
        claims: first.candidate.claims,
        of: aud,
      };
  }
  return undefined;
}

/** The file lets this identity in, and it reaches the grant by what the file grants. */
function isMeantBy({ candidate, wanted, reached }: Admitted, pool: Pool): boolean {
  const { granted, live, wanted: file } = pool;
  if (candidate.who === "outsider" || !reached.some((tail) => granted.includes(tail))) return false;
  // The workload itself, asked for by another client: whoever has its subject is it.
  const own = isSameIssuer(live.source, file.source) && isInside(candidate.claims, pool);
  return wanted || (own && isTaken(String(candidate.claims.aud), audiencesOf(file)));
}

const rank = ({ candidate: { who, crafted } }: Admitted): number => (who === "outsider" ? 0 : 2) + (crafted ? 1 : 0);

const undecided = (reason: string): Stranger => ({
  who: `somebody else (${reason})`,
  code: "GOOGLE-CONDITION-UNDECIDED",
  unsure: true,
});

function throughOther(other: OtherProvider, pool: Pool): readonly Stranger[] {
  const tails = [...heldIn(pool), ...pool.extra].filter((tail) => tail !== "*" || !other.named);
  // The workload of the link is itself through whichever pool provider of its issuer it comes.
  const sameIssuer = other.trust.type === pool.live.type && isSameIssuer(other.trust.source, pool.live.source);
  // Whoever the file lets in at the link's own door is no stranger at another of the same issuer.
  const own = { ...pool.wanted, audiences: other.trust.audiences, name: other.trust.name };
  const { admitted, unsure } = tried({
    trust: other.trust,
    wanted: other.wanted ?? (sameIssuer ? own : undefined),
    inside: sameIssuer ? pool.inside : [],
    tails,
  });
  // Its other branches and jobs are it only where the file lets them in at the link's own door.
  const isOwn = ({ same, claims }: Candidate) => isInside(claims, pool) || (same && admitsElsewhere(claims, pool));
  const strange = admitted.filter(({ candidate, wanted, reached }) => {
    if (candidate.who === "outsider") return true;
    if (sameIssuer && isOwn(candidate)) return false;
    return !(wanted && (other.named || reached.some((tail) => pool.granted.includes(tail))));
  });
  const [first] = strange.toSorted((a, b) => rank(a) - rank(b));
  const at = `the pool provider ${other.id}`;
  if (first) {
    const whose = nameOf(first.candidate.claims, other.trust);
    return [
      {
        who: `${whose}, through ${at}`,
        code: "GOOGLE-FOREIGN-POOL-PROVIDER",
        ...replayable(first, other.trust),
        path: pathOf(first, other.trust, other.id, pool),
        of: other.id,
        at: other.address,
        ...fixFor(first, other),
      },
    ];
  }
  if (other.named) return [];
  const enters: Stranger = {
    who: `identities of ${sourceOf(other.trust)}, through a pool provider that the file does not name`,
    code: "GOOGLE-FOREIGN-POOL-PROVIDER",
    of: other.id,
    enters: true,
    at: other.address,
    fix: deleteProvider(other),
  };
  return [...unsure.map(undecided), enters];
}

/** Whether the file lets another branch of the workload in through the link's own pool provider, too. */
const admitsElsewhere = (claims: Claims, { wanted }: Pool): boolean =>
  audiencesOf(wanted).some((aud) => judgePool({ ...claims, aud }, wanted).allow === true);

/**
 * Somebody whom the file does not mean and whom the pool providers of a pool make one of these principals: what a grant to
 * them is worth. Undefined where nobody else comes in. `grants`: whom of the pool the file lets speak as each account that
 * is granted; whoever is among those of all of them gains nothing.
 */
export function comesThrough(
  providers: readonly Pick<OtherProvider, "trust" | "id" | "wanted">[],
  tails: readonly Tail[],
  grants: readonly (readonly Tail[])[],
): (Pick<Stranger, "who" | "claims"> & { readonly through: string }) | undefined {
  for (const { trust, id, wanted } of providers) {
    const { admitted } = tried({ trust, wanted, inside: [], tails });
    const [first] = admitted
      .filter(
        ({ candidate: { who, claims } }) =>
          who === "outsider" || !grants.every((own) => isAmong(claims, wanted, own) || isNamed(claims, own)),
      )
      .toSorted((a, b) => rank(a) - rank(b));
    if (first) return { who: nameOf(first.candidate.claims, trust), ...replayable(first, trust), through: id };
  }
  return undefined;
}

/** Whether the file lets somebody in and grants it to him. */
const isAmong = (claims: Claims, wanted: PoolTrust | undefined, tails: readonly Tail[]): boolean =>
  tails.length > 0 && isMeantTo(claims, wanted, tails);

/** The file grants it to this very subject, whatever else it asks of the token. */
const isNamed = ({ sub }: Claims, tails: readonly Tail[]): boolean => tails.includes(`subject/${String(sub)}`);

/** Which of a pool's grants another pool provider, or another alternative of one, can yield (lint). */
export function yields(trust: PoolTrust, tails: readonly Tail[], inside: readonly Claims[]): readonly Claims[] {
  const { admitted } = tried({ trust, wanted: trust, inside, tails });
  return admitted.map(({ candidate }) => candidate.claims);
}

/** Whom the condition of a file lets into the pool: the outsiders, and siblings of another workload (lint). */
export function enters(trust: PoolTrust, inside: readonly Claims[], pinned?: readonly string[]) {
  const { admitted, cut } = tried({ trust, wanted: trust, inside, tails: undefined, pinned });
  return { candidates: admitted.map(({ candidate }) => candidate), cut };
}

/** Whom it lets reach the grants (lint). */
export function reaches(
  trust: PoolTrust,
  tails: readonly Tail[],
  inside: readonly Claims[],
  pinned?: readonly string[],
): readonly Candidate[] {
  return tried({ trust, wanted: trust, inside, tails, pinned }).admitted.map(({ candidate }) => candidate);
}

interface Tried {
  readonly admitted: readonly Admitted[];
  /** Why somebody else may get in, too. */
  readonly unsure: readonly string[];
  /** That the search ended before it had tried everything, which is one of these reasons. */
  readonly cut?: string | undefined;
}

export interface Trying {
  readonly trust: PoolTrust;
  readonly wanted: PoolTrust | undefined;
  readonly inside: readonly Claims[];
  /** Undefined: whoever gets a token of the pool at all. */
  readonly tails: readonly Tail[] | undefined;
  readonly base?: Claims | undefined;
  readonly pinned?: readonly string[] | undefined;
}

/** Tries one pool provider, each alternative of its condition by itself, and asks the judge about whoever passes. */
function tried(ask: Trying): Tried {
  const { trust, tails } = ask;
  if (trust.off !== undefined || tails?.length === 0) return { admitted: [], unsure: [] };
  const alternatives = alternativesOf(trust.condition);
  const most = triesFor(alternatives.length);
  const searched = alternatives.map((alternative) => search(askFor(ask, alternative), 6, most));
  const judged = searched.flatMap(({ found }) => found).map((candidate) => judgedAs(candidate, ask));
  const cut = searched.every(({ complete }) => complete) ? undefined : `a search of ${most} tokens was not enough`;
  const unsure = judged.flatMap((one) => one.unsure);
  return {
    admitted: judged.flatMap((one) => one.admitted),
    unsure: [...new Set([...unsure, ...(cut === undefined ? [] : [cut])])],
    cut,
  };
}

/** A pool provider as the file wants it, which takes its own name in each spelling that the live one takes. */
function inBothSpellings(wanted: PoolTrust, live: PoolTrust): PoolTrust {
  const taken = audiencesOf(wanted);
  const others = audiencesOf(live).filter((one) => !taken.includes(one) && isTaken(one, taken));
  return others.length === 0 ? wanted : { ...wanted, audiences: [...taken, ...others] };
}

function judgedAs(candidate: Candidate, { trust, wanted, tails }: Trying) {
  const { allow, attributes, unknown = [] } = judgePool(candidate.claims, trust);
  const reached = attributes ? (tails ?? []).filter((tail) => isMeant(tail, attributes)) : [];
  const none = { admitted: [] as readonly Admitted[], unsure: [] as readonly string[] };
  const { untold = [] } = candidate;
  const meant = isMeantTo(candidate.claims, wanted && inBothSpellings(wanted, trust), tails && reached);
  if (allow === false && untold.length > 0 && (!tails || !attributes || reached.length > 0))
    return meant ? none : { ...none, unsure: [`who has which ${untold.join(" and ")} is not known`] };
  if (allow === false || (tails && attributes && reached.length === 0)) return none;
  if (allow === "unknown") return meant ? none : { ...none, unsure: unknown };
  return { ...none, admitted: [{ candidate, reached, wanted: meant }] };
}

/** Whether the file itself lets somebody in, and makes him one of these principals: its mapping counts as its condition does. */
function isMeantTo(claims: Claims, wanted: PoolTrust | undefined, tails: readonly Tail[] | undefined): boolean {
  if (wanted === undefined) return false;
  const { allow, attributes } = judgePool(claims, wanted);
  if (allow !== true) return false;
  return !tails || tails.length === 0 || (attributes !== undefined && tails.some((tail) => isMeant(tail, attributes)));
}

/** Each of the alternatives of a condition by itself; an empty condition is one that asks nothing. */
export const alternativesOf = (condition: string): readonly (readonly string[])[] => {
  const parts = parseCondition(condition);
  return parts.length === 0 ? [[]] : parts.flatMap(conjunctsOf);
};

export function askFor({ trust, wanted, inside, tails, base, pinned }: Trying, conjuncts: readonly string[]): Search {
  const issuer = entryOf(trust, wanted);
  const mapping = mappingFor(trust);
  const asked = new Set(wanted ? alternativesOf(wanted.condition).flat() : []);
  const own = conjuncts.map((conjunct): Test => {
    const read = mappingRead(conjunct, mapping);
    return {
      reads: readsOf(conjunct, mapping),
      like: likeOf(conjunct),
      isMeant: asked.has(conjunct),
      passes: (claims) => {
        const plain = plainTest(conjunct)?.(claims);
        if (plain !== undefined) return plain;
        const outcome = evaluate(conjunct, bindingsOf(claims, read));
        return outcome.state === "undecided" ? "unknown" : outcome.state === "value" && outcome.value === true;
      },
    };
  });
  const granted: readonly Test[] = tails && !tails.includes("*") ? [reachTest(tails, mapping)] : [];
  const live = [...conjuncts, ...asked];
  const claims = { ...base };
  return {
    issuer,
    iss: trust.type === "aws" ? "" : trust.source,
    inside: trust.type === "aws" ? [{}, ...inside].map((one) => ({ ...one, account: trust.source })) : inside,
    audiences: [trust.audiences[0] ?? trust.name ?? "crosstrust-audience"],
    literals: merged([...live.map((text) => literalsBy(text, mapping)), literalsOfTails(tails ?? [], mapping)]),
    meant: merged([...asked].map((text) => literalsBy(text, {}))),
    tests: [...own, ...[...granted, subjectTest(mapping)].map((test) => ({ ...test, isMeant: true }))],
    reads: [],
    lists: listsOf(live, mapping),
    ...(Object.keys(claims).length > 0 && claims.iss === trust.source ? { base: claims } : {}),
    ...(pinned ? { pinned } : {}),
  };
}

function entryOf({ type, source, keys }: PoolTrust, wanted: PoolTrust | undefined): Issuer {
  if (type === "aws") return awsCallers;
  if (keys === "uploaded") return keyHolder;
  const issuer = issuerOf(source);
  // Whoever runs an issuer that is none of the file's decides what its tokens say beside what all such tokens say.
  const theirs = issuer.tenancy === "own" && isKnown(issuer) && !(wanted && isSameIssuer(source, wanted.source));
  return theirs ? { ...issuer, ownClaims: /./ } : issuer;
}

export const mappingFor = ({ mapping, type }: PoolTrust): Mapping =>
  Object.keys(mapping).length > 0 || type === "oidc" ? mapping : awsDefaultMapping;

/** A condition may speak of attributes, which are made of claims. */
export function readsOf(expression: string, mapping: Mapping): readonly string[] {
  const mapped = Object.entries(mapping).filter(([key]) => readsAttribute(expression, key));
  return [...new Set([...claimsIn(expression), ...mapped.flatMap(([, text]) => claimsIn(text))])];
}

/** The claims that a pool provider reads as lists: its conditions do, or its groups are made of one. */
function listsOf(conditions: readonly string[], mapping: Mapping): readonly string[] {
  const groups = claimOf(mapping["google.groups"] ?? "");
  const read = conditions.flatMap((text) => listsRead(text, mapping));
  return groups === undefined ? read : [...read, groups];
}

/** The claims that are read as lists, by a condition and by what it reads of the mapping. */
const listsRead = (expression: string, mapping: Mapping): readonly string[] => [
  ...listsIn(expression),
  ...Object.entries(mapping).flatMap(([key, text]) => (readsAttribute(expression, key) ? listsIn(text) : [])),
];

/** Whether an expression may read an attribute, which it can ask for as `attribute.x` and as `attribute['x']`. */
function readsAttribute(expression: string, key: string): boolean {
  const [head = "", name = ""] = key.split(".");
  return new RegExp(`\\b${head}\\b`).test(expression) && expression.includes(name);
}

/**
 * The part of a mapping that an expression reads. A token that is only partly filled has no other attributes yet, and
 * without a subject no attributes are made at all; that a subject is there is a test of its own.
 */
function mappingRead(expression: string, mapping: Mapping): Mapping {
  const read = Object.entries(mapping).filter(([key]) => readsAttribute(expression, key));
  return { "google.subject": "'x'", ...Object.fromEntries(read) };
}

function bindingsOf(assertion: Claims, mapping: Mapping) {
  const made = attributesOf(assertion, mapping);
  const { subject, groups, custom } = isUnmapped(made) ? { subject: "", groups: [], custom: {} } : made;
  return { assertion, google: { subject, groups }, attribute: custom };
}

/** Whether the mapping makes somebody of a token to whom something is granted. */
function reachTest(tails: readonly Tail[], mapping: Mapping): Test {
  const wanted = tails.map((tail) => ({ key: mappedBy(tail), value: tail.slice(tail.indexOf("/") + 1) }));
  const expressions = wanted.flatMap(({ key }) => mapping[key] ?? []);
  const [only, ...more] = new Set(wanted.map(({ key }) => mapping[key]));
  const plain = more.length === 0 && only !== undefined ? claimOf(only) : undefined;
  return {
    reads: [...new Set(expressions.flatMap(claimsIn))],
    like: plain === undefined ? undefined : { claim: plain, patterns: wanted.map(({ value }) => value) },
    passes: (claims) => {
      const results = wanted.map(({ key, value }) => {
        const text = mapping[key];
        if (text === undefined) return false;
        const outcome = evaluate(text, { assertion: claims });
        if (outcome.state === "undecided") return "unknown" as const;
        if (outcome.state !== "value") return false;
        return Array.isArray(outcome.value) ? outcome.value.includes(value) : outcome.value === value;
      });
      return results.includes(true) ? true : results.includes("unknown") ? "unknown" : false;
    },
  };
}

/** Google refuses a token whose subject is mapped to nothing, or to more than 127 bytes (google.md 6.1). */
function subjectTest(mapping: Mapping): Test {
  const text = mapping["google.subject"] ?? "";
  const plain = claimOf(text);
  return {
    reads: claimsIn(text),
    passes: (claims) => {
      const value = plain === undefined ? undefined : claims[plain];
      if (typeof value === "string") return value !== "" && Buffer.byteLength(value) <= longestSubject;
      const made = attributesOf(claims, { "google.subject": text });
      return !isUnmapped(made) || made.state === "undecided";
    },
  };
}

/** The texts of an expression, for each claim that it reads. */
function literalsBy(expression: string, mapping: Mapping): Literals {
  const texts = literalsIn(expression);
  return new Map(readsOf(expression, mapping).map((claim) => [claim, texts]));
}

/** What is granted to, for the claims that it would be made of. */
function literalsOfTails(tails: readonly Tail[], mapping: Mapping): Literals {
  return merged(
    tails.map((tail) => {
      const text = mapping[mappedBy(tail)] ?? "";
      const value = tail.slice(tail.indexOf("/") + 1);
      return new Map(claimsIn(text).map((claim) => [claim, [value, ...literalsIn(text)]]));
    }),
  );
}

function merged(all: readonly Literals[]): Literals {
  const found = new Map<string, Set<string>>();
  for (const [claim, texts] of all.flatMap((one) => [...one]))
    found.set(claim, new Set([...(found.get(claim) ?? []), ...texts]));
  return new Map([...found].map(([claim, texts]) => [claim, [...texts]]));
}

function strangerOf(one: Admitted, pool: Pool): Stranger {
  const { live, wanted, extra } = pool;
  const { claims } = one.candidate;
  const name = nameOf(claims, live);
  const base = { ...replayable(one, live), path: pathOf(one, live, "", pool), of: alternativeFor(claims, live) };
  if (live.keys === "uploaded" && wanted.keys !== "uploaded")
    return { ...base, who: `${name} of the pool provider`, code: "GOOGLE-KEYS-UPLOADED" };
  if (!isSameIssuer(live.source, wanted.source) || live.type !== wanted.type) {
    return { ...base, who: `identities of ${sourceOf(live)}`, code: "GOOGLE-SOURCE-EXTRA" };
  }
  if (one.reached.length > 0 && one.reached.every((tail) => extra.includes(tail))) {
    const granted = one.reached.join(", ");
    const who = `${name}, by a grant to ${granted} that is not in the file`;
    return { ...base, who, code: "GOOGLE-GRANT-EXTRA", of: granted, fix: [...removeMember] };
  }
  const taken = audiencesOf(wanted);
  if (live.type === "oidc" && taken.length > 0 && !isTaken(String(claims.aud), taken)) {
    const audience = String(claims.aud);
    return { ...base, who: `a token for the audience ${audience}`, code: "GOOGLE-AUDIENCE-EXTRA", of: audience };
  }
  // The file itself says so: then it is a breadth that the file can accept, and apply repairs nothing.
  if (one.wanted && one.reached.some((tail) => pool.granted.includes(tail)))
    return { ...base, who: name, example: true, code: "GOOGLE-CONDITION-BROAD", fix: narrow };
  const within = one.candidate.who === "sibling" && one.candidate.same;
  return { ...base, who: name, example: true, code: "GOOGLE-CONDITION-OPEN", ...(within ? { within } : {}) };
}

const narrow = [
  "leave condition and grant out in the file: then the workload of the link is pinned",
  "or accept it in the file",
];

/** The alternative of the condition that lets a token in. */
function alternativeFor(claims: Claims, { condition, mapping, type }: PoolTrust): string {
  const parts = parseCondition(condition);
  const bindings = bindingsOf(claims, Object.keys(mapping).length > 0 || type === "oidc" ? mapping : awsDefaultMapping);
  const passed = parts.find((part) => {
    const outcome = evaluate(part, bindings);
    return outcome.state === "value" && outcome.value === true;
  });
  return passed ?? (parts.length > 0 ? condition : "(no condition)");
}

/** crosstrust did not add the member, so `apply` leaves it in the policy. */
const removeMember = ["remove this member from the policy", "or give the workload a link of its own in the file"];

/** `apply` repairs a pool provider of the file that was changed, and no other one. */
function fixFor({ wanted }: Admitted, other: OtherProvider): Pick<Stranger, "fix"> {
  if (!other.named) return { fix: deleteProvider(other) };
  return wanted ? { fix: ["give each of the two pool providers a pool of its own in the file"] } : {};
}

/** The address holds the project, the pool and the pool provider. */
function deleteProvider({ address }: OtherProvider): readonly string[] {
  const [project = "", pool = "", id = ""] = address.split("/").slice(1);
  const where = `--project=${project} --location=global --workload-identity-pool=${pool}`;
  return [
    `gcloud iam workload-identity-pools providers delete ${id} ${where}`,
    "or move the pool provider to a pool that no link uses",
  ];
}

export function nameOf({ arn, sub, account, iss }: Claims, { type, keys }: PoolTrust): string {
  if (type === "aws") return `${String(arn)} of the AWS account ${String(account)}`;
  return keys === "uploaded" ? "whoever holds the stored keys" : `${String(sub)} of ${String(iss)}`;
}

/** No issuer gives a token that is signed with a stored key, so nobody can replay it who has no such key. */
const replayable = ({ candidate }: Admitted, { keys }: PoolTrust): Pick<Stranger, "claims"> =>
  keys === "uploaded" ? {} : { claims: candidate.claims };

const sourceOf = ({ type, source }: PoolTrust): string => (type === "aws" ? `the AWS account ${source}` : source);

function pathOf({ candidate, reached }: Admitted, trust: PoolTrust, id: string, { grants }: Pool): readonly string[] {
  return [
    `a token of ${nameOf(candidate.claims, trust)}`,
    id === "" ? "the pool provider of the link" : `the pool provider ${id}`,
    ...reached,
    ...(reached.length > 0 ? [grants] : []),
  ];
}
