import type { Stranger } from "../../model.ts";
import {
  type Candidate,
  type Claims,
  type Literals,
  type Search,
  search,
  type Test,
  triesFor,
} from "../issuers/outsiders.ts";
import { type Issuer, issuerOf } from "../issuers/table.ts";
import { googleIssuer, type Request, readKey } from "./claims.ts";
import { holds } from "./conditions.ts";
import { actionTruth, judgeTrust } from "./judge.ts";
import { isText, type Policy, type Statement } from "./policy.ts";

/** A service account of nobody: 21 digits like a real unique id, and not one that Google gives out first. */
export const nobody = "199999999999999999999";
/** An audience that no policy names: who gets in with it gets in with any. */
export const anyAudience = "crosstrust-wrong-audience";

const webIdentity = "sts:assumerolewithwebidentity";
const assume = "sts:assumerole";

/** What is known beside the two policies. */
export interface Known {
  /** A real token of the workload, where one was minted. */
  readonly base?: Claims | undefined;
  /** Claims of the workload that the desired policy does not ask for. */
  readonly also?: Claims | undefined;
  /** OIDC providers that the account does not have: nobody comes by them. */
  readonly missing?: readonly string[] | undefined;
  /** Epoch milliseconds; without it conditions on the time cannot be judged. */
  readonly now?: number | undefined;
}

/** What one statement of a policy lets in beside its own workload, for rules over the text of a policy. */
export interface Breadth {
  /** Somebody whom no file can mean. */
  readonly outsider?: Candidate;
  /** Another workload of the same tenant: `crafted`, only one whose name goes on like the right one. */
  readonly sibling?: Candidate;
}

/** Who gets in by one statement of a policy, taken as the whole of what is meant. */
export function breadthOf(policy: Policy, statement: Statement, federated: string): Breadth {
  const whole = { ...policy, statements: [statement, ...policy.statements.filter(({ effect }) => effect !== "Allow")] };
  const { admitted } = throughDoor({ statement, federated }, { live: whole, desired: whole, known: {} });
  const found = admitted.map(({ candidate }) => candidate);
  const outsider = found.find(({ who }) => who === "outsider");
  const siblings = found.filter(({ who, same }) => who === "sibling" && !same);
  const sibling = siblings.find(({ crafted }) => !crafted) ?? siblings[0];
  return { ...(outsider ? { outsider } : {}), ...(sibling ? { sibling } : {}) };
}

/** Somebody who gets in, and the call that he makes. */
interface Admitted {
  readonly candidate: Candidate;
  readonly statement: Statement;
  readonly federated: string;
}

/**
 * Whom `live` lets in although the file does not mean it (contract, section 9). Outsiders count whatever the file says;
 * of the file's own tenant whoever `desired` turns away. Found by trying on the judge every token that the issuers of the
 * live policy could give to somebody else, so it holds however the policy is written.
 */
export function strangersOf(live: Policy, desired: Policy, known: Known = {}): readonly Stranger[] {
  const { admitted, unsure } = tokensAdmitted(live, desired, known);
  const extra = admitted.filter((one) => one.candidate.who === "outsider" || !isMeant(one, desired, known));
  const principals = live.statements.flatMap((statement) => principalsOf(statement, desired, known));
  const tokens = summary(extra, desired).map((stranger) => {
    const whose = extra.find(({ candidate }) => candidate.claims === stranger.claims);
    // The file itself says so: then it is a breadth that the file can accept, and apply repairs nothing.
    if (whose && isMeant(whose, desired, known)) return { ...stranger, fix: narrow };
    const subject = String(stranger.claims?.sub);
    const named = desired.statements.some((one) => conditionsOf(one).some(({ values }) => values.includes(subject)));
    // The workload itself: another branch of it, or another client that asks for it.
    const within = whose?.candidate.who === "sibling" && (whose.candidate.same || named);
    return within ? { ...stranger, within } : stranger;
  });
  // Of the workload itself more can be said: for which audience its token was.
  const others = tokens.some(({ within: own }) => !own) ? [] : otherAudiences(live, desired);
  return [...(others.length > 0 ? others : tokens), ...principals, ...unsure.map(undecided)];
}

const narrow = ["name the subject in full in the file", "or accept it in the file"];

/** Whether the file lets this identity in, with whatever audience it asks for. */
function isMeant({ candidate, federated, statement }: Admitted, desired: Policy, known: Known): boolean {
  const prefix = prefixOf(federated);
  const audiences = desired.statements.flatMap((one) => audiencesOf(one, prefix));
  return [String(candidate.claims.aud), ...audiences].some((aud) =>
    anyRequest(statement, known).some(
      (request) => judgeTrust({ claims: { ...candidate.claims, aud }, federated, request }, desired).allow === true,
    ),
  );
}

/** The file's own workload with a token that was meant for somebody else, who can therefore use it here. */
export function anyAudienceOf(live: Policy, desired: Policy): readonly Stranger[] {
  const [first] = forAudiences(() => [anyAudience], live, desired);
  return first ? [{ who: "a token for any audience", code: "AWS-AUDIENCE-OPEN", claims: first }] : [];
}

/**
 * The same; else the workload with a token for each audience that the live trust names and the file does not, which is
 * drift: somebody chose it.
 */
function otherAudiences(live: Policy, desired: Policy): readonly Stranger[] {
  const any = anyAudienceOf(live, desired);
  // One that took the place of the file's keeps the workload out, and that is told.
  if (any.length > 0 || shutOut(live, desired)) return any;
  const named = (prefix: string) => live.statements.flatMap((statement) => audiencesOf(statement, prefix));
  const found = Map.groupBy(forAudiences(named, live, desired), ({ aud }) => aud);
  return [...found].flatMap(([audience, [claims]]): readonly Stranger[] =>
    claims
      ? [{ who: `a token for the audience ${audience}`, code: "AWS-AUDIENCE-OPEN", claims, of: audience, within: true }]
      : [],
  );
}

/** Tokens of the file's own workloads that `live` takes for some of these audiences, and `desired` does not. */
function forAudiences(audiences: (prefix: string) => readonly string[], live: Policy, desired: Policy) {
  const request = { sessionName: "stranger", sourceIp: addresses[0] as string };
  return desired.statements.filter(takesTokens).flatMap((statement) =>
    (statement.principal?.Federated ?? []).flatMap((federated) => {
      const prefix = prefixOf(federated);
      return tokensOf(statement, prefix)
        .flatMap((one) => audiences(prefix).map((aud) => ({ ...one, aud })))
        .filter((claims) => {
          const asker = { claims, federated, request };
          return judgeTrust(asker, live).allow === true && judgeTrust(asker, desired).allow !== true;
        });
    }),
  );
}

const unjudged = (part: string): string => `${part} cannot be judged from here`;

/** A part of the policy whose effect cannot be told from here, in front of somebody whom the file does not allow. */
const undecided = (reason: string): Stranger => ({
  who: `somebody else (${reason})`,
  code: "AWS-TRUST-UNDECIDED",
  unsure: true,
});

/** Tokens of others that `live` takes; `unsure` names what could not be decided about one that `desired` refuses. */
function tokensAdmitted(live: Policy, desired: Policy, known: Known) {
  const doors = live.statements.filter(takesTokens).flatMap((statement) => {
    const named = (statement.principal?.Federated ?? []).filter(
      (name) => !name.includes(":saml-provider/") && !known.missing?.includes(name),
    );
    return named.map((federated) => ({ statement, federated }));
  });
  const policies = { live, desired, known };
  const judged = doors.map((door) => throughDoor(door, policies));
  return {
    admitted: judged.flatMap((one) => one.admitted),
    unsure: [...new Set(judged.flatMap((one) => one.unsure))],
  };
}

/** One statement that believes one issuer. */
type Door = Pick<Admitted, "statement" | "federated">;

function throughDoor(door: Door, policies: Policies) {
  const { live, desired, known } = policies;
  const requests = anyRequest(door.statement, known, denialsOf(live, door.federated));
  const searched = tried(door.statement, door.federated, policies);
  const judged = searched
    .flatMap(({ found }) => found)
    .map((candidate) => {
      const asked = requests.map((request) => {
        const asker = { claims: candidate.claims, federated: door.federated, request };
        return { there: judgeTrust(asker, live), wanted: judgeTrust(asker, desired) };
      });
      const open = asked.filter(({ there, wanted }) => there.allow === "unknown" && wanted.allow !== true);
      return {
        admitted: asked.some(({ there }) => there.allow === true) ? [{ candidate, ...door }] : [],
        unsure: open.flatMap(({ there }) => (there.unknown ?? []).map(unjudged)),
      };
    });
  const cut = searched.some(({ complete }) => !complete);
  return {
    admitted: judged.flatMap((one) => one.admitted),
    unsure: [
      ...judged.flatMap((one) => (one.admitted.length > 0 ? [] : one.unsure)),
      ...(cut ? ["a search of tokens, which was cut off,"] : []),
    ],
  };
}

/** The Deny statements that certainly speak of tokens of an issuer. */
const denialsOf = ({ statements }: Policy, federated: string): readonly Statement[] =>
  statements.filter(
    (one) =>
      one.effect !== "Allow" && one.principal?.Federated?.includes(federated) === true && actionTruth(one, webIdentity),
  );

export const takesTokens = (statement: Statement): boolean =>
  statement.effect === "Allow" && actionTruth(statement, webIdentity);

export interface Policies {
  readonly live: Policy;
  readonly desired: Policy;
  readonly known: Known;
}

/** Every token that passes the conditions of one statement, each audience tried by itself. */
function tried(statement: Statement, federated: string, policies: Policies) {
  const asks = asksFor(statement, federated, policies);
  const most = triesFor(asks.length * policies.live.statements.filter(takesTokens).length);
  return asks.map((ask) => search(ask, undefined, most));
}

/** The searches for tokens that pass the conditions of one statement, one for each audience. */
export function asksFor(
  statement: Statement,
  federated: string,
  { live, desired, known }: Policies,
): readonly Search[] {
  const prefix = prefixOf(federated);
  const iss = `https://${prefix}`;
  const issuer = issuerOf(iss);
  const denials = denialsOf(live, federated);
  const requests = anyRequest(statement, known, denials);
  const variables = live.version === "2012-10-17";
  const truthOf = ({ operator, key, values }: Condition, claims: Claims, request: Request) =>
    holds({ operator, values, reading: readKey(key, claims, request), variables });
  const allows = conditionsOf(statement).map(
    (condition): Test => ({
      reads: claimsOf(condition.key, prefix),
      like: likeOf(condition, prefix),
      isMeant: true,
      passes: (claims) => requests.some((request) => truthOf(condition, claims, request) !== false),
    }),
  );
  // A search ends with the first outsiders, so those whom a Deny turns away must not be among them.
  const refuses = denials.map((denial): Test => {
    const conditions = conditionsOf(denial);
    return {
      reads: conditions.flatMap(({ key }) => claimsOf(key, prefix)),
      isMeant: true,
      passes: (claims) =>
        requests.some((request) => conditions.some((condition) => truthOf(condition, claims, request) !== true)),
    };
  });
  const tests = [...allows, ...refuses];
  const others = live.statements.filter((one) => one !== statement).flatMap(conditionsOf);
  const literals = literalsOf([statement, ...live.statements, ...desired.statements], prefix);
  const own = desired.statements.filter((one) => one.principal?.Federated?.includes(federated));
  const base = known.base?.iss === iss ? known.base : undefined;
  const ask = {
    issuer,
    iss,
    inside: [...own.flatMap((one) => meantBy(one, prefix)), ...(known.also?.iss === iss ? [known.also] : [])],
    literals,
    meant: literalsOf(own, prefix),
    tests,
    reads: others.flatMap(({ key }) => claimsOf(key, prefix)),
    base,
  };
  return audiencesOf(statement, prefix).map((audience) => ({ ...ask, audiences: [audience] }));
}

/** What follows the first `/` of an OIDC provider's ARN is the key prefix (aws.md 6.1). */
export const prefixOf = (federated: string): string =>
  federated.slice(federated.startsWith("arn:") ? federated.indexOf("/") + 1 : 0);

interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: NonNullable<Statement["condition"]>[string][string];
}

export const conditionsOf = ({ condition = {} }: Statement): readonly Condition[] =>
  Object.entries(condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => ({ operator, key, values })),
  );

const tagHead = "aws:requesttag/";
const tagClaim = "https://aws.amazon.com/tags/principal_tags/";

/** The claims that a condition key reads (aws.md 2.1): `aud` reads `azp` where the token has one. */
export function claimsOf(key: string, prefix: string): readonly string[] {
  const head = `${prefix.toLowerCase()}:`;
  if (key.startsWith(tagHead)) return [`${tagClaim}${key.slice(tagHead.length)}`];
  if (!key.startsWith(head)) return [];
  const name = key.slice(head.length);
  return name === "aud" ? ["azp", "aud"] : name === "oaud" ? ["aud"] : [name];
}

/** What a condition wants of the one claim that it reads: `StringEquals` to the letter, `StringLike` by its pattern. */
function likeOf({ operator, key, values }: Condition, prefix: string): Test["like"] {
  const [claim, ...more] = claimsOf(key, prefix);
  if (claim === undefined || more.length > 0 || !values.every(isText)) return undefined;
  const patterns = values.filter(isText);
  if (patterns.some((one) => one.includes("${"))) return undefined;
  if (operator === "StringLike") return { claim, patterns };
  return operator === "StringEquals" && !patterns.some((one) => /[*?]/.test(one)) ? { claim, patterns } : undefined;
}

/** What each claim is compared with, as it stands there and with its wildcards filled in. */
function literalsOf(statements: readonly Statement[], prefix: string): Literals {
  const found = new Map<string, Set<string>>();
  for (const { key, values } of statements.flatMap(conditionsOf)) {
    for (const claim of claimsOf(key, prefix)) {
      const texts = found.get(claim) ?? new Set();
      for (const value of values.filter(isText)) texts.add(value).add(filled(value)).add(value.replace(/[*?]/g, "9"));
      found.set(claim, texts);
    }
  }
  return new Map([...found].map(([claim, texts]) => [claim, [...texts]]));
}

const filled = (pattern: string): string => pattern.replaceAll("*", "x").replaceAll("?", "x");

/** The identities that a statement names, a pattern as it stands: what is read out of it is what it fixes. */
function meantBy(statement: Statement, prefix: string): readonly Claims[] {
  const values = (name: string) =>
    conditionsOf(statement)
      .filter(({ key }) => key === `${prefix.toLowerCase()}:${name}`)
      .flatMap((one) => one.values.filter(isText));
  const head = `${prefix.toLowerCase()}:`;
  const names = [
    ...new Set(conditionsOf(statement).flatMap(({ key }) => (key.startsWith(head) ? [key.slice(head.length)] : []))),
  ];
  const others = names.filter((name) => !["sub", "aud", "oaud", "amr"].includes(name));
  const rest = Object.fromEntries(others.map((name) => [name, values(name)[0]]));
  const subs = values("sub");
  return (subs.length > 0 ? subs : [undefined]).map((sub) => ({ ...rest, ...(sub === undefined ? {} : { sub }) }));
}

/** Whoever can ask an issuer for a token can name any audience; the OIDC provider's own list is not known here. */
export function audiencesOf(statement: Statement, prefix: string): readonly string[] {
  const head = `${prefix.toLowerCase()}:`;
  const keys = `https://${prefix}` === googleIssuer ? ["oaud"] : ["oaud", "aud"];
  const named = conditionsOf(statement)
    .filter(({ key }) => keys.some((one) => key === `${head}${one}`))
    .flatMap(({ values }) => values.filter(isText).map(filled));
  const reads = conditionsOf(statement).filter(({ key }) => keys.some((one) => key === `${head}${one}`));
  const isRefused = (audience: string): boolean =>
    reads.some(({ operator, values }) => {
      const reading = { state: "present" as const, values: [audience], readFrom: "aud" };
      return holds({ operator, values, reading, variables: true }) === false;
    });
  // Those that pass every condition come first, because only a few are tried.
  const all = [...new Set([anyAudience, ...named])];
  return all.toSorted((a, b) => Number(isRefused(a)) - Number(isRefused(b))).slice(0, 6);
}

/** Public addresses far from each other: a range that holds all of them keeps nobody out. */
const addresses = ["8.8.4.4", "103.21.244.7", "151.101.1.7", "203.0.113.7"];
const addressesV6 = ["2600:1f00::7"];

/** Keys whose values the caller chooses. */
const chosenKeys = ["aws:useragent", "aws:referer", "aws:requestedregion", "sts:externalid"];
const sessionKey = "sts:rolesessionname";

/**
 * The calls that somebody could make to pass a statement and to escape each Deny: the session is named by the caller, who
 * may be anywhere. `aws:PrincipalAccount` is the same for all tokens (recorded), so it keeps nobody out.
 */
export function anyRequest(
  statement: Statement,
  { now }: Known,
  denials: readonly Statement[] = [],
): readonly Request[] {
  const conditions = [statement, ...denials].flatMap(conditionsOf);
  const keys = new Set(conditions.map(({ key }) => key));
  const choose = (key: string) => chosenFor(key, conditionsOf(statement), denials.flatMap(conditionsOf));
  const account = conditionsOf(statement)
    .find(({ key }) => key === "aws:principalaccount")
    ?.values.find(isText);
  const chosen = Object.fromEntries([
    ...chosenKeys.filter((key) => keys.has(key)).map((key) => [key, choose(key)] as const),
    ...(account === undefined ? [] : [["aws:principalaccount", filled(account)] as const]),
  ]);
  const sessionName = choose(sessionKey);
  const from = keys.has("aws:sourceip") ? [...addresses, ...addressesV6] : [addresses[0] as string];
  return from.map((sourceIp) => ({
    sessionName,
    sourceIp,
    chosen,
    outside: true,
    ...(now === undefined ? {} : { now }),
  }));
}

/** The value of a key that passes most conditions of an Allow, and among those meets the fewest conditions of a Deny. */
function chosenFor(key: string, allowed: readonly Condition[], denied: readonly Condition[]): string {
  const on = (conditions: readonly Condition[]) => conditions.filter((one) => one.key === key);
  const texts = [...on(allowed), ...on(denied)].flatMap(({ values }) => values.filter(isText));
  const values = [
    "stranger",
    "x",
    ...texts.flatMap((text) => ["x", "9", ""].map((fill) => text.replace(/[*?]/g, fill))),
  ];
  const truths = (value: string, conditions: readonly Condition[]) => {
    const reading = { state: "present" as const, values: [value], readFrom: "the caller" };
    return on(conditions).map(({ operator, values: wants }) =>
      holds({ operator, values: wants, reading, variables: true }),
    );
  };
  const cost = (value: string): number =>
    1000 * truths(value, allowed).filter((truth) => truth === false).length +
    truths(value, denied).filter((truth) => truth !== false).length;
  return values.reduce((best, value) => (cost(value) < cost(best) ? value : best));
}

/** Many tokens, few strangers: of each issuer the widest thing that can be said. */
function summary(found: readonly Admitted[], desired: Policy): readonly Stranger[] {
  const known = new Set(desired.statements.flatMap((one) => one.principal?.Federated ?? []));
  const byIssuer = Map.groupBy(found, ({ federated }) => federated);
  return [...byIssuer].flatMap(([federated, all]) => {
    if (known.has(federated)) return ofKnownIssuer(all, federated);
    const [first] = all;
    if (!first) return [];
    const stranger: Stranger = {
      who: `Federated principal ${federated}`,
      code: "AWS-PRINCIPAL-EXTRA",
      claims: first.candidate.claims,
      of: federated,
    };
    return [stranger];
  });
}

function ofKnownIssuer(all: readonly Admitted[], federated: string): readonly Stranger[] {
  const prefix = prefixOf(federated);
  const issuer = issuerOf(`https://${prefix}`);
  const anybody = all.find(({ candidate }) => candidate.who === "outsider" && isAnybody(candidate, issuer));
  if (anybody) {
    const subject = subjectsOf(anybody.statement, prefix);
    return [
      {
        who: issuer.name === "Google" ? `every service account and user of ${prefix}` : `every user of ${prefix}`,
        code: subject.length > 0 ? "AWS-SUB-WILDCARD" : "AWS-SUB-MISSING",
        claims: anybody.candidate.claims,
        unnamed: true,
        of: conditionText(anybody.statement, prefix),
      },
    ];
  }
  const outsiders = all.filter(({ candidate }) => candidate.who === "outsider");
  const others = all.toSorted((a, b) => Number(a.candidate.same) - Number(b.candidate.same));
  const named = Map.groupBy(outsiders.length > 0 ? outsiders : others, ({ candidate }) => String(candidate.claims.sub));
  return [...named.values()].slice(0, 5).flatMap(([first]) => (first ? [ofOne(first, prefix, issuer)] : []));
}

function ofOne({ candidate, statement }: Admitted, prefix: string, { name }: Issuer): Stranger {
  const { sub, email, azp } = candidate.claims;
  const byMail = readsMail(statement, prefix);
  const pattern = candidate.who === "outsider" && !byMail && name !== "Google";
  return {
    who: byMail ? `whoever has the e-mail ${String(email ?? azp)}` : `the subject ${String(sub)}`,
    code: pattern ? "AWS-SUB-WILDCARD" : "AWS-SUB-EXTRA",
    claims: candidate.claims,
    unnamed: candidate.who === "outsider" && name !== "Google",
    of: conditionText(statement, prefix),
  };
}

/** Nothing of the trust stands in the token but what everybody may choose. */
const isAnybody = ({ claims, crafted }: Candidate, issuer: Issuer): boolean =>
  !crafted && (issuer.name !== "Google" || claims.sub === nobody);

const readsMail = (statement: Statement, prefix: string): boolean =>
  conditionsOf(statement).some(({ key }) => key === `${prefix.toLowerCase()}:email`);

const subjectsOf = (statement: Statement, prefix: string): readonly string[] =>
  conditionsOf(statement)
    .filter(({ key }) => key === `${prefix.toLowerCase()}:sub`)
    .flatMap(({ values }) => values.filter(isText));

/** What a reader decides about: the conditions of the statement that let somebody in. */
const conditionText = (statement: Statement, prefix: string): string => {
  const subjects = subjectsOf(statement, prefix);
  if (subjects.length > 0) return subjects.join(" or ");
  return (
    conditionsOf(statement)
      .map(({ operator, key, values }) => `${operator} ${key} ${values.filter(isText).join(" or ")}`)
      .join("; ") || "(no condition)"
  );
};

/** Principals that need no token: AWS accounts, everybody, SAML. A service acts for its own account and is nobody outside. */
export function principalsOf(statement: Statement, desired: Policy, known: Known): readonly Stranger[] {
  if (statement.effect !== "Allow") return [];
  const listed = desired.statements.flatMap((one) => Object.values(one.principal ?? {}).flat());
  const takes = actionTruth(statement, assume);
  if (statement.notPrincipal)
    return takes || actionTruth(statement, webIdentity)
      ? [{ who: "everybody but those its NotPrincipal names", code: "AWS-PRINCIPAL-EXTRA" }]
      : [];
  const aws = takes ? (statement.principal?.AWS ?? []).filter((name) => !listed.includes(name)) : [];
  const saml = actionTruth(statement, "sts:assumerolewithsaml")
    ? (statement.principal?.Federated ?? []).filter(
        (name) => name.includes(":saml-provider/") && !listed.includes(name),
      )
    : [];
  const wildcards = actionTruth(statement, webIdentity)
    ? (statement.principal?.Federated ?? []).filter((name) => name.includes("*"))
    : [];
  return [
    ...aws.flatMap((name) => awsPrincipal(name, statement, known)),
    ...[...saml, ...wildcards].map(
      (name): Stranger => ({ who: `Federated principal ${name}`, code: "AWS-PRINCIPAL-EXTRA" }),
    ),
  ];
}

/** An account, role or user of AWS as itself; `*` as somebody of an account that nobody named. */
function awsPrincipal(name: string, statement: Statement, known: Known): readonly Stranger[] {
  const stranger: Stranger = {
    who: `AWS principal ${name}`,
    code: "AWS-PRINCIPAL-EXTRA",
    unnamed: name === "*",
    of: name,
  };
  const account = /^\d{12}$/.test(name) ? name : (/::(\d{12}):/.exec(name)?.[1] ?? "999988887777");
  const whose = { account, named: name.startsWith("arn:") ? name : undefined };
  const truths = anyRequest(statement, known).map((request) => {
    const results = conditionsOf(statement).map(({ operator, key, values }) =>
      holds({
        operator,
        values,
        reading: readPrincipal(key, whose, { values: values.filter(isText), request }),
        variables: true,
      }),
    );
    return results.includes(false) ? false : results.includes("unknown") ? ("unknown" as const) : true;
  });
  if (truths.includes(true)) return [stranger];
  if (!truths.includes("unknown")) return [];
  return [undecided(unjudged(`a condition on ${stranger.who}`))];
}

interface Whose {
  readonly account: string;
  readonly named: string | undefined;
}

/** What a condition key holds for a caller of AWS: he has his own account, and a role by whatever name he likes. */
function readPrincipal(
  key: string,
  { account, named }: Whose,
  { values, request }: { values: readonly string[]; request: Request },
) {
  const present = (value: string) => ({ state: "present" as const, values: [value], readFrom: "the caller" });
  if (key === "aws:principalaccount") return present(account);
  if (key === "aws:principalarn") {
    const wanted = values
      .map((value) => filled(value.replace(/^(arn:[^:]*:[^:]*::)\*(?=:)/, `$1${account}`)))
      .find((value) => value.includes(`::${account}:`));
    return present(named ?? wanted ?? `arn:aws:iam::${account}:role/stranger`);
  }
  if (key === "aws:principalorgid" || key === "aws:principalorgpaths") return present("o-stranger");
  if (key === "aws:principaltype") return present("AssumedRole");
  if (/:(?:sub|aud|oaud)$/.test(key)) return { state: "absent" as const, readFrom: "no token" };
  return readKey(key, {}, request);
}

/** Whether `live` admits anything at all that `desired` does not: an audience by name, say. */
export const loosens = (live: Policy, desired: Policy): boolean => shutOut(desired, live);

/** Whom `desired` lets in and `live` does not: an outage. */
export function shutOut(live: Policy, desired: Policy): boolean {
  return desired.statements.filter(takesTokens).some((statement) =>
    (statement.principal?.Federated ?? []).some((federated) =>
      tokensOf(statement, prefixOf(federated)).some((claims) => {
        const asker = { claims, federated, request: { sessionName: "stranger", sourceIp: addresses[0] as string } };
        return judgeTrust(asker, desired).allow === true && judgeTrust(asker, live).allow !== true;
      }),
    ),
  );
}

/** Tokens that a statement names: each of its subjects, with each audience, and what else it asks for. */
export function tokensOf(statement: Statement, prefix: string): readonly Claims[] {
  const iss = `https://${prefix}`;
  const head = `${prefix.toLowerCase()}:`;
  const values = (name: string) =>
    conditionsOf(statement)
      .filter(({ key }) => key === `${head}${name}`)
      .flatMap((one) => one.values.filter(isText).map(filled));
  const several = (name: string): readonly (string | undefined)[] => {
    const all = values(name);
    return all.length > 0 ? all : [undefined];
  };
  const tags = conditionsOf(statement).flatMap(({ key, values: list }) =>
    key.startsWith(tagHead) ? [[`${tagClaim}${key.slice(tagHead.length)}`, list.filter(isText)[0] ?? ""] as const] : [],
  );
  const names = conditionsOf(statement).flatMap(({ key }) => (key.startsWith(head) ? [key.slice(head.length)] : []));
  const others = names.filter((name) => !["sub", "aud", "oaud"].includes(name));
  const rest = Object.fromEntries([...tags, ...others.map((name) => [name, values(name)[0]] as const)]);
  return several("sub").flatMap((sub) =>
    several("aud").flatMap((party) =>
      several("oaud").map((oaud) => {
        const aud = oaud ?? (iss === googleIssuer ? anyAudience : (party ?? anyAudience));
        const azp =
          party !== undefined && (oaud !== undefined || iss === googleIssuer)
            ? { azp: party }
            : iss === googleIssuer
              ? { azp: sub ?? nobody }
              : {};
        return { iss, sub: sub ?? nobody, aud, ...azp, ...rest };
      }),
    ),
  );
}
