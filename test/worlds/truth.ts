import { type Condition, holds, type Identity, identityOf, literalsOf, type Mapping } from "./cel.ts";
import type { Issuer, Token, Words } from "./issuers.ts";
import { admits, keyOf, type Request, type Statement } from "./policy.ts";

// The truth of a generated world, from the trees that it was made of. This file and what it imports import nothing of
// the product: an error that generator, product and sandbox share would otherwise go unseen.

/** How an outsider gets to what the link grants: the runner walks this way in the sandbox. */
export type Witness =
  | { readonly by: "provider"; readonly provider: Provider; readonly token: Token; readonly on: Grant["on"] }
  | { readonly by: "public"; readonly member: string }
  | { readonly by: "token"; readonly request: Request }
  | { readonly by: "principal"; readonly name: string };

/** What must be said of a link. */
export interface Truth {
  /** Somebody of another tenant, or of an own issuer another workload, reaches what the link grants. */
  readonly outsider?: Witness;
  /** A workload of the same tenant reaches it that the file does not let in. */
  readonly wider: boolean;
  /** The link's own workload gets there. */
  readonly own: boolean;
}

// ---- Google

export interface Provider {
  readonly project: string;
  readonly pool: string;
  readonly id: string;
  readonly issuer: Issuer;
  readonly mapping: Mapping;
  /** Left out: every token of the issuer comes in. */
  readonly condition?: Condition;
  readonly disabled: boolean;
}

/** A member of a policy: identities of a pool by the end of their name, or a member as it is written. */
export type Member = { readonly project: string; readonly pool: string; readonly tail: string } | string;

export interface Grant {
  /** The link's service account, or the bucket itself. */
  readonly on: "account" | "bucket";
  readonly role: string;
  readonly member: Member;
}

/** All that decides who reaches a link's grant; `main` is the link's own pool provider. */
export interface GoogleState {
  readonly main: Provider;
  readonly others: readonly Provider[];
  readonly grants: readonly Grant[];
}

/** Roles that give an access token of the account, or the content of the bucket. */
const givingRoles: Readonly<Record<Grant["on"], readonly string[]>> = {
  account: ["roles/iam.workloadIdentityUser", "roles/iam.serviceAccountTokenCreator"],
  bucket: ["roles/storage.objectViewer"],
};

const gives = ({ on, role }: Grant): boolean => givingRoles[on].includes(role);

function isMeant(tail: string, { subject, groups, attributes }: Identity): boolean {
  if (tail === "*") return true;
  const at = tail.indexOf("/");
  const [head, value] = [tail.slice(0, at), tail.slice(at + 1)];
  if (head === "subject") return subject === value;
  if (head === "group") return groups.includes(value);
  return attributes[head.replace("attribute.", "")] === value;
}

/** The grant that a token gets through a pool provider. */
function reached(token: Token, provider: Provider, grants: readonly Grant[]): Grant | undefined {
  if (provider.disabled) return undefined;
  const identity = identityOf(provider.mapping, token);
  if (!identity) return undefined;
  if (provider.condition && holds(provider.condition, token, identity) !== true) return undefined;
  return grants.find(
    (grant) =>
      gives(grant) &&
      typeof grant.member !== "string" &&
      grant.member.project === provider.project &&
      grant.member.pool === provider.pool &&
      isMeant(grant.member.tail, identity),
  );
}

/** What a caller may want a claim to say: the literals of the condition, and the values that are granted to. */
function wordsOf({ condition, mapping, project, pool }: Provider, grants: readonly Grant[]): Words {
  const words = new Map<string, Set<string>>();
  const note = (name: string, value: string) => words.set(name, (words.get(name) ?? new Set()).add(value));
  const noteMapped = (key: string, value: string) => {
    const mapped = mapping[key];
    if (mapped && mapped.is !== "constant" && mapped.is !== "attribute") note(mapped.claim, value);
  };
  for (const [name, value] of condition ? literalsOf(condition) : []) {
    if (!name.startsWith("attribute.")) note(name, value);
    else noteMapped(name === "attribute.subject" ? "google.subject" : name, value);
  }
  for (const { member } of grants) {
    if (typeof member === "string" || member.project !== project || member.pool !== pool) continue;
    const at = member.tail.indexOf("/");
    const head = member.tail.slice(0, Math.max(at, 0));
    const key = head === "subject" ? "google.subject" : head === "group" ? "google.groups" : head;
    noteMapped(key, member.tail.slice(at + 1));
  }
  return (name) => [...(words.get(name) ?? [])];
}

export function truthOfGoogle(own: Token, issuer: Issuer, live: GoogleState, base: GoogleState): Truth {
  const providers = [live.main, ...live.others];
  const reach = (state: GoogleState, token: Token): boolean =>
    [state.main, ...state.others].some(
      (provider) => provider.issuer.url === issuer.url && reached(token, provider, state.grants) !== undefined,
    );
  const siblings = providers.flatMap((provider) =>
    provider.issuer.name === issuer.name ? issuer.siblings(wordsOf(provider, live.grants)) : [],
  );
  const outsider = outsiderOf(providers, live.grants);
  return {
    ...(outsider ? { outsider } : {}),
    wider: siblings.some((token) => reach(live, token) && !reach(base, token)),
    own: reached(own, live.main, live.grants) !== undefined,
  };
}

function outsiderOf(providers: readonly Provider[], grants: readonly Grant[]): Witness | undefined {
  const open = grants.find(
    ({ member, ...grant }) => /^all(Authenticated)?Users$/.test(String(member)) && gives({ member, ...grant }),
  );
  if (open) return { by: "public", member: String(open.member) };
  for (const provider of providers) {
    for (const token of provider.issuer.strangers(wordsOf(provider, grants))) {
      const grant = reached(token, provider, grants);
      if (grant) return { by: "provider", provider, token, on: grant.on };
    }
  }
  return undefined;
}

// ---- AWS

/** All that decides who gets a session of a link's role. */
export interface AwsState {
  readonly account: string;
  readonly statements: readonly Statement[];
  /** Client ids by the issuer's URL, for each OIDC provider of the account; Google needs none. */
  readonly clients: ReadonlyMap<string, readonly string[]>;
}

/** What AWS checks before it reads the trust policy. */
function accepts({ clients }: AwsState, { issuer, token, audience }: Request): boolean {
  if (issuer.name === "google") return true;
  return clients.get(issuer.url)?.includes(token.azp ?? audience) ?? false;
}

const filled = (pattern: string): string => pattern.replaceAll("*", "x").replaceAll("?", "x");

export function truthOfAws(own: Request, live: AwsState, base: AwsState): Truth {
  const getsIn = (state: AwsState, request: Request) => accepts(state, request) && admits(state.statements, request);
  const tests = live.statements.flatMap((statement) => statement.tests);
  const literals = (key: string): readonly string[] =>
    tests.filter((test) => test.key === key).flatMap(({ values }) => values.map(filled));
  const requestsOf = (issuer: Issuer, tokens: readonly Token[]): readonly Request[] => {
    const audiences = [...(live.clients.get(issuer.url) ?? []), ...literals(keyOf(issuer, "aud"))];
    const all = [...new Set([...audiences, ...literals(keyOf(issuer, "oaud")), "any-audience"])];
    const sessions = [...new Set(["mallory", ...literals("sts:RoleSessionName")])];
    return tokens.flatMap((token) =>
      all.flatMap((audience) =>
        sessions.map((session) => ({ issuer, token, audience, session, address: "203.0.113.9" })),
      ),
    );
  };
  const words =
    (issuer: Issuer): Words =>
    (claim) =>
      literals(keyOf(issuer, claim));
  const trusted = new Map(
    live.statements.flatMap(({ principal }) =>
      principal.is === "issuer" ? [[principal.issuer.url, principal.issuer]] : [],
    ),
  );
  const strangers = [...trusted.values()].flatMap((issuer) => requestsOf(issuer, issuer.strangers(words(issuer))));
  // Of an own issuer everybody beside the workload is an outsider, but for those whom the file names as well.
  const named = (one: Request) => !one.issuer.shared && getsIn(base, one);
  const request = strangers.find((one) => getsIn(live, one) && !named(one));
  const principal = live.statements.find(
    ({ effect, principal: who }) => effect === "Allow" && isForeign(who, live.account),
  );
  const outsider: Witness | undefined = request
    ? { by: "token", request }
    : principal && principal.principal.is === "aws"
      ? { by: "principal", name: principal.principal.name }
      : undefined;
  const siblings = requestsOf(own.issuer, own.issuer.siblings(words(own.issuer)));
  return {
    ...(outsider ? { outsider } : {}),
    wider: siblings.some((one) => getsIn(live, one) && !getsIn(base, one)),
    own: getsIn(live, own),
  };
}

const isForeign = (who: Statement["principal"], account: string): boolean =>
  who.is === "aws" && !who.name.includes(account);
