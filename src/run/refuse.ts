import { createHash } from "node:crypto";
import type {
  Code,
  Finding,
  Hop,
  Judgement,
  RelyingParty,
  SandboxPowers,
  Stranger,
  Token,
  TrustView,
  Witness,
} from "../model.ts";
import { finding } from "../model.ts";
import { audienceOf, declared, identityOf, type Proving, party, since } from "./proving.ts";
import { CloudError, inParallel } from "./retry.ts";

/** One attempt that must fail: who tried, how it went, and whether it was tried for real. */
interface Attempt {
  readonly who: string;
  readonly outcome: "refused" | "let-in" | "unknown";
  readonly how: "proved" | "judged";
  readonly code: Code;
  /** Why nothing follows from it, where it is unknown. */
  readonly why?: string;
  readonly stranger?: Pick<Stranger, "claims" | "path" | "of" | "fix" | "at">;
}

type Claims = Readonly<Record<string, unknown>>;

/** What was minted just now: the link's own token, or one of somebody who must not be let in with it. */
interface Presented {
  readonly token?: Token | undefined;
  readonly stranger?: Token | undefined;
  /** `proved`: the workload's own token was exchanged for real. `failed`: it was refused, and a finding says why. */
  readonly exchange: "proved" | "failed" | "untried";
}

/** A proving with what the refusals need: the view that the judge is asked with, and the real token where there is one. */
interface Refusing {
  readonly proving: Proving;
  readonly relying: RelyingParty;
  readonly view: TrustView;
  readonly token: Token | undefined;
  readonly exchange: Presented["exchange"];
}

/**
 * The other half of a proof: a wrong audience and a wrong subject must be turned away, for real where such a token can
 * be minted, else judged over the live trust. Whoever the judge finds that gets in is tried, too. A stranger let in
 * outranks a broken link.
 */
export async function refuse(
  proving: Proving,
  { token, stranger, exchange }: Presented,
): Promise<{ hop: Hop; findings: readonly Finding[] }> {
  const { link, live, world } = proving;
  const relying = party(proving, link.to.party).relying;
  const { live: trust, wanted } = proving.unread(link);
  const unread = trust ?? wanted;
  if (unread !== undefined)
    return {
      hop: { step: "refuse", result: "unknown", ms: 0, saw: `not tried: ${unread} could not be read` },
      findings: [],
    };
  if (!relying || proving.view.live.state !== "present")
    return { hop: { step: "refuse", result: "skipped", ms: 0, saw: "nothing there trusts anybody" }, findings: [] };
  const start = performance.now();
  const view: TrustView = {
    ...proving.view,
    base: token?.claims,
    now: world.clock.now(),
    all: live,
    desired: proving.desired,
  };
  const refusing: Refusing = { proving, relying, view, token, exchange };
  const strangers = relying.strangers(view, proving.trust(link)).filter(({ enters, within }) => !enters && !within);
  const attempts = [
    ...(await wrongSubjects(refusing, strangers)),
    ...(stranger ? [await byTheChecker(refusing, stranger)] : []),
    // Last, because a stranger is the worse news of the two.
    await wrongAudience(refusing),
  ];
  const ms = since(start);
  return told(refusing, attempts, ms);
}

function told({ proving, exchange }: Refusing, attempts: readonly Attempt[], ms: number) {
  const letIn = attempts.filter(({ outcome }) => outcome === "let-in");
  const unknown = attempts.filter(({ outcome }) => outcome === "unknown");
  const result = letIn.length > 0 ? "no" : unknown.length > 0 ? "unknown" : "ok";
  const how = (letIn.length > 0 ? letIn : attempts).every((attempt) => attempt.how === "proved") ? "proved" : "judged";
  const findings = [
    ...letIn.map((attempt) => opened(proving, attempt)),
    // Why the workload itself is refused is said already, and is the reason for this, too.
    ...(letIn.length > 0 || exchange === "failed" ? [] : unknown.map((attempt) => untold(proving, attempt))),
  ];
  const saw =
    letIn.length > 0
      ? `LET IN: ${letIn.map(({ who }) => who).join(", ")}`
      : [said("turned away", attempts, "refused"), said("could not be told of", attempts, "unknown")]
          .filter(Boolean)
          .join("; ");
  const [first] = findings;
  const hop: Hop = { step: "refuse", result, how, ms, saw, ...(first ? { finding: first.code } : {}) };
  return { hop, findings };
}

/** `turned away: a token of somebody else`, or nothing where there is none of that outcome. */
function said(words: string, attempts: readonly Attempt[], which: Attempt["outcome"]): string {
  const who = attempts.filter(({ outcome }) => outcome === which).map((one) => one.who);
  return who.length > 0 ? `${words}: ${who.join(", ")}` : "";
}

/**
 * What the workload itself presents: its real token, else what the file declares. A refusal shows something only where
 * the judge admits this and refuses the probe (contract, section 9, "A refusal counts").
 */
function ownClaims({ proving, token }: Refusing): Claims | undefined {
  return token?.claims ?? declared(proving);
}

function judgeOwn(refusing: Refusing, claims: Claims): Judgement {
  const { relying, view, token } = refusing;
  return relying.judge(claims, token ? view : { ...view, declared: true });
}

/** Why a refusal of a probe shows nothing; undefined where it does. */
function lacking(refusing: Refusing, probe: Claims): string | undefined {
  const { relying, view } = refusing;
  const own = ownClaims(refusing);
  if (!own) return "the claims of the workload are not known yet";
  if (refusing.exchange === "proved")
    return relying.judge(probe, view).allow === false ? undefined : "the judge does not refuse this probe";
  const restored = judgeOwn(refusing, own);
  const rows = restored.rows.filter(({ ok }) => ok !== true).map(({ key }) => key);
  const named = [...new Set(restored.unknown ?? rows)].join(", ");
  if (restored.allow !== true) return `the workload itself is not known to be admitted (${named || "by the trust"})`;
  if (relying.judge(probe, view).allow === false) return undefined;
  return "the judge does not refuse this probe";
}

/** The workload's own subject with an audience that nobody asked for. */
async function wrongAudience(refusing: Refusing): Promise<Attempt> {
  const { proving, relying, view, token } = refusing;
  const { link, lookup, world } = proving;
  const audience = `crosstrust-refuse-${createHash("sha256").update(link.audience).digest("hex").slice(0, 12)}`;
  const base = { who: "a token for another audience", code: "AUDIENCE-NOT-CHECKED" } as const;
  const own = ownClaims(refusing);
  if (!own) return { ...base, outcome: "unknown", how: "judged", why: "the claims of the workload are not known yet" };
  // Where an authorized party stands for the audience, that one has to be wrong too (aws.md 2.1).
  const azp = own.azp === undefined || own.azp === own.sub ? {} : { azp: audience };
  const probe = { ...own, aud: audience, ...azp };
  const issuer = party(proving, link.from.party).issuer;
  const minted =
    token && issuer ? await issuer.mint({ link, audience, lookup }, world).catch(() => undefined) : undefined;
  // The issuer will not give such a token: then it is judged.
  if (minted) return counted(refusing, { ...base, ...(await attempt(refusing, minted)) }, minted.claims);
  const judged = relying.judge(probe, token ? view : { ...view, declared: true }).allow;
  return counted(refusing, { ...base, ...judgedAs(judged) }, probe);
}

/** A refusal is only told as one where it counts. */
function counted(refusing: Refusing, attempt: Attempt, probe: Claims): Attempt {
  if (attempt.outcome !== "refused") return attempt;
  const why = lacking(refusing, probe);
  return why === undefined ? attempt : { ...attempt, outcome: "unknown", why };
}

const somebody = { who: "a token of somebody else", code: "SUBJECT-NOT-CHECKED" } as const;

/** A canary's token: the checker itself, held against the link's own trust. */
async function byTheChecker(refusing: Refusing, stranger: Token): Promise<Attempt> {
  const tried = await attempt(refusing, stranger);
  return { who: "a token of the checker itself", code: "SUBJECT-NOT-CHECKED", ...tried };
}

/** Whoever the judge finds; where it finds nobody, an outsider who must be turned away. */
async function wrongSubjects(refusing: Refusing, strangers: readonly Stranger[]): Promise<readonly Attempt[]> {
  const unsure = strangers.filter(({ unsure }) => unsure);
  const found = strangers.filter(({ unsure }) => !unsure).slice(0, 4);
  const undecided = unsure.map(
    ({ who, code }): Attempt => ({
      who,
      code,
      outcome: "unknown",
      how: "judged",
    }),
  );
  if (found.length > 0) return [...(await inParallel(found, 3, (one) => letIn(refusing, one))), ...undecided];
  const claims = refusing.relying.outsider(refusing.view);
  if (!claims) {
    const why = "the claims of the workload are not known yet";
    return [...undecided, { ...somebody, outcome: "unknown", how: "judged", why }];
  }
  return [...undecided, ...(await turnedAway(refusing, claims))];
}

/** The judge lets this one in; in the sandbox it is tried for real. */
async function letIn(refusing: Refusing, stranger: Stranger): Promise<Attempt> {
  const { proving } = refusing;
  const { who, code, claims, at } = stranger;
  const judged: Attempt = { who, code, outcome: "let-in", how: "judged", stranger };
  const powers = proving.world.sandbox;
  if (!powers || !claims || at) return judged;
  const token = await minted(refusing, powers, claims);
  if (!token) return judged;
  const tried = await attempt(refusing, token, stranger.sessionName);
  return tried.outcome === "let-in" ? { ...judged, how: "proved" } : judged;
}

/** Somebody of the same issuer: in the sandbox for real, in the cloud as another link's workload, else judged. */
async function turnedAway(refusing: Refusing, claims: Claims): Promise<readonly Attempt[]> {
  const { proving, relying, view } = refusing;
  const powers = proving.world.sandbox;
  const token = powers ? await minted(refusing, powers, claims) : undefined;
  if (token) return [counted(refusing, { ...somebody, ...(await attempt(refusing, token)) }, token.claims)];
  const judged = counted(refusing, { ...somebody, ...judgedAs(relying.judge(claims, view).allow) }, claims);
  const real = await byAnotherLink(refusing);
  return real ? [...(judged.outcome === "refused" ? [] : [judged]), real] : [judged];
}

/** In the sandbox anybody's: what an issuer would never mint, or never sign. Undefined where an issuer is not the sandbox's. */
async function minted(refusing: Refusing, powers: SandboxPowers, claims: Claims): Promise<Token | undefined> {
  const { link, lookup, world } = refusing.proving;
  const issuer = party(refusing.proving, link.from.party).issuer;
  const fresh = {
    ...claims,
    iat: Math.floor(world.clock.now() / 1000),
    exp: Math.floor(world.clock.now() / 1000) + 600,
  };
  const { nbf: _, ...timed } = { nbf: undefined, ...fresh };
  try {
    if (issuer?.mintAs) {
      const audience = audienceOf(refusing.proving);
      return await issuer.mintAs("iss" in claims ? timed : claims, { link, audience, lookup }, world);
    }
    const text = await powers.mint(String(claims.iss ?? ""), timed);
    return { text, claims: timed, header: {}, mintedBy: "sandbox" };
  } catch (error) {
    // An issuer of the user's own mints for nobody else, in the sandbox as in the cloud.
    if (error instanceof CloudError && error.code === "ISSUER-MAPPED") return undefined;
    throw error;
  }
}

/** The cloud mints nothing for strangers, but what we may mint for another link is a stranger to this one. */
async function byAnotherLink(refusing: Refusing): Promise<Attempt | undefined> {
  const { proving } = refusing;
  const { link, all, lookup, world } = proving;
  const trust = proving.trust(link);
  const other = all.find(
    ({ name, from, prove }) => !trust.links.includes(name) && from.party === link.from.party && prove === "exchange",
  );
  const issuer = party(proving, link.from.party).issuer;
  if (!other || !issuer) return undefined;
  const token = await issuer.mint({ link: other, audience: audienceOf(proving), lookup }, world).catch(() => undefined);
  const who = (claims: Claims = {}) => claims.sub ?? claims.arn;
  if (!token || who(token.claims) === who(declared(proving))) return undefined;
  const tried: Attempt = {
    who: `a token of ${other.name}`,
    code: "SUBJECT-NOT-CHECKED",
    ...(await attempt(refusing, token)),
  };
  return counted(refusing, tried, token.claims);
}

/** Let in is let in. Only a definite refusal counts as one; throttled or cut off proves nothing. */
async function attempt(
  { proving, relying, view }: Refusing,
  token: Token,
  sessionName?: string,
): Promise<Pick<Attempt, "outcome" | "how" | "why">> {
  const { link, lookup, world } = proving;
  const proof = { view, claims: token.claims };
  try {
    await relying.exchange({ link, purpose: "refuse", lookup, proof, sessionName }, token, world);
    return { outcome: "let-in", how: "proved" };
  } catch (error) {
    const turnedAway = error instanceof CloudError && (error.class === "denied" || error.class === "refused");
    if (turnedAway) return { outcome: "refused", how: "proved" };
    const why = error instanceof CloudError ? `${error.operation}: ${error.message}` : "the exchange did not answer";
    return { outcome: "unknown", how: "proved", why };
  }
}

const judgedAs = (allow: boolean | "unknown"): Pick<Attempt, "outcome" | "how" | "why"> => ({
  outcome: allow === true ? "let-in" : allow === false ? "refused" : "unknown",
  how: "judged",
  ...(allow === "unknown" ? { why: "it cannot be judged from here" } : {}),
});

/** Returns the finding about an attempt that had to fail. It asks for exit 3, like a broken link (contract, section 2). */
function opened(proving: Proving, { who, code, how, stranger }: Attempt): Finding {
  const { link } = proving;
  const accepts = how === "proved" ? "accepted" : "would accept";
  const meant = aboutAudience.test(code) ? `the audience ${audienceOf(proving)}` : namedBy(proving);
  const witness: Witness = {
    outsider: who,
    path: stranger?.path ?? [who, `${link.to.party} admits it`, `what ${link.name} grants`],
    how,
    ...(stranger?.claims ? { claims: stranger.claims } : {}),
  };
  return finding(code, {
    severity: "security",
    asks: "broken",
    at: { ...(stranger?.at ? { address: stranger.at } : {}), place: link.at(`to.${link.to.party}`) },
    links: [link.name],
    says: `${link.to.party} ${accepts} ${who}; the file names only ${meant}`,
    fix: stranger?.fix ?? [`crosstrust plan ${link.name}   # shows what differs`, "crosstrust apply   # repairs it"],
    witness,
    ...(stranger?.of === undefined ? {} : { of: stranger.of }),
  });
}

const aboutAudience = /AUDIENCE/;

/** Returns whom the file names in a link: all of its subjects, or the AWS role that everybody of it shares. */
function namedBy(proving: Proving): string {
  const identity = identityOf(proving);
  if (!identity) return "the workload of the link";
  if (identity.proof === "aws4_request") {
    const { who, account } = identity;
    if ("arn" in who) return who.arn;
    return `${"role" in who ? `the role ${who.role}` : `the instance ${who.instance}`} of the AWS account ${account}`;
  }
  const subjects = [identity.claims.sub ?? []]
    .flat()
    .map((one) => (typeof one === "string" ? one : proving.lookup(one)));
  const known = [...subjects, ...(identity.like ?? [])].filter((one) => one !== undefined);
  const more = known.length > mostNamed ? [`${known.length - mostNamed} more`] : [];
  return [...known.slice(0, mostNamed), ...more].join(", ") || "the workload of the link";
}

/** A sentence with more subjects than that is no longer read. */
const mostNamed = 3;

/** Which premise is missing: without it a refusal is no proof that others are turned away. */
function untold({ link }: Proving, { who, code, why }: Attempt): Finding {
  return finding(code, {
    severity: "warning",
    asks: "untold",
    at: { place: link.at(`to.${link.to.party}`) },
    links: [link.name],
    says: `whether ${link.to.party} refuses ${who} is not known${why === undefined ? "" : `: ${why}`}`,
    fix: [`crosstrust explain ${link.name}`],
  });
}
