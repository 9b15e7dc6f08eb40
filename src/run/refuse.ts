import { createHash } from "node:crypto";
import type { Code, Finding, Hop, RelyingParty, SandboxPowers, Stranger, Token } from "../model.ts";
import { audienceOf, declared, type Proving, party, since } from "./proving.ts";
import { CloudError, inParallel } from "./retry.ts";

/** One attempt that must fail: who tried, how it went, and whether it was tried for real. */
interface Attempt {
  readonly who: string;
  readonly outcome: "refused" | "let-in" | "unknown";
  readonly how: "proved" | "judged";
  readonly code: Code;
}

type Named = Pick<Attempt, "who" | "code">;

/** What was minted just now: the link's own token, or one of somebody who must not be let in with it. */
interface Presented {
  readonly token?: Token | undefined;
  readonly stranger?: Token | undefined;
}

const checker: Named = { who: "a token of the checker itself", code: "SUBJECT-NOT-CHECKED" };

/**
 * The other half of a proof: a wrong audience and a wrong subject must be turned away, for real where such a token can
 * be minted, else judged over the live trust. A stranger let in outranks a broken link.
 */
export async function refuse(
  proving: Proving,
  { token, stranger }: Presented,
): Promise<{ hop: Hop; findings: readonly Finding[] }> {
  const { link, view } = proving;
  const relying = party(proving, link.to.party).relying as RelyingParty;
  const start = performance.now();
  if (view.live.state !== "present")
    return { hop: { step: "refuse", result: "skipped", ms: 0, saw: "nothing there trusts anybody" }, findings: [] };
  const strangers = relying.strangers(view, proving.trust(link));
  const attempts = [
    ...(await wrongSubjects(proving, { relying, strangers })),
    ...(stranger ? [{ ...checker, ...(await attempt(proving, relying, stranger)) }] : []),
    ...strangers
      .filter(({ claims }) => !claims)
      .map(({ who, code, unsure }): Attempt => ({ who, code, outcome: unsure ? "unknown" : "let-in", how: "judged" })),
    // Last, because a stranger is the worse news of the two.
    await wrongAudience(proving, { relying, token }),
  ];
  const letIn = attempts.filter(({ outcome }) => outcome === "let-in");
  const result = letIn.length > 0 ? "no" : attempts.some(({ outcome }) => outcome === "unknown") ? "unknown" : "ok";
  const how = (letIn.length > 0 ? letIn : attempts).every((attempt) => attempt.how === "proved") ? "proved" : "judged";
  const { sub, arn } = declared(proving) ?? {};
  const subject = sub ?? arn ?? "the workload of the file";
  const findings = letIn.map((attempt) => opened(proving, attempt, subject));
  const saw =
    letIn.length > 0
      ? `LET IN: ${letIn.map(({ who }) => who).join(", ")}`
      : [said("turned away", attempts, "refused"), said("could not be told of", attempts, "unknown")]
          .filter(Boolean)
          .join("; ");
  const finding = findings[0] ? { finding: findings[0].code } : {};
  return { hop: { step: "refuse", result, how, ms: since(start), saw, ...finding }, findings };
}

/** `turned away: a token of somebody else`, or nothing where there is none of that outcome. */
function said(words: string, attempts: readonly Attempt[], which: Attempt["outcome"]): string {
  const who = attempts.filter(({ outcome }) => outcome === which).map((one) => one.who);
  return who.length > 0 ? `${words}: ${who.join(", ")}` : "";
}

interface Tried {
  readonly relying: RelyingParty;
  readonly token?: Token | undefined;
  readonly strangers?: readonly Stranger[];
}

/** The link's own subject with an audience that nobody asked for. */
async function wrongAudience(proving: Proving, { relying, token }: Tried): Promise<Attempt> {
  const { link, lookup, world, view } = proving;
  const audience = `crosstrust-refuse-${createHash("sha256").update(link.audience).digest("hex").slice(0, 12)}`;
  const base: Named = { who: "a token for another audience", code: "AUDIENCE-NOT-CHECKED" };
  const issuer = party(proving, link.from.party).issuer;
  if (token && issuer) {
    try {
      const wrong = await issuer.mint({ link, audience, lookup }, world);
      return { ...base, ...(await attempt(proving, relying, wrong)) };
    } catch {
      // The issuer will not give such a token: then it is judged.
    }
  }
  const claims = token?.claims ?? declared(proving);
  if (!claims) return { ...base, outcome: "unknown", how: "judged" };
  // Where an authorized party stands for the audience, that one has to be wrong too (aws.md 2.1).
  const azp = claims.azp === undefined || claims.azp === claims.sub ? {} : { azp: audience };
  return { ...base, ...judgedAs(relying.judge({ ...claims, aud: audience, ...azp }, view).allow) };
}

interface Candidate {
  readonly who: string;
  readonly code: Code;
  readonly claims: Readonly<Record<string, string>>;
}

/** Others of the same issuer: in the sandbox anybody, in the cloud another link's workload; else judged. */
async function wrongSubjects(proving: Proving, { relying, strangers = [] }: Tried): Promise<readonly Attempt[]> {
  const claims = declared(proving);
  if (!claims) return [];
  const named = strangers.flatMap((stranger) => (stranger.claims ? [{ ...stranger, claims: stranger.claims }] : []));
  const anyone: Candidate = {
    who: "a token of somebody else",
    code: "SUBJECT-NOT-CHECKED",
    claims: strangerTo(proving, claims),
  };
  const candidates: readonly Candidate[] = named.length > 0 ? named.slice(0, 3) : [anyone];
  const powers = proving.world.sandbox;
  if (!powers) return byAnotherLink(proving, relying, candidates);
  try {
    return await inParallel(candidates, 3, async ({ who, code, claims: stranger }) => {
      const token = await tokenOf(proving, powers, stranger);
      return { who, code, ...(await attempt(proving, relying, token)) };
    });
  } catch (error) {
    // An issuer of the user's own mints for nobody else, in the sandbox as in the cloud.
    if (error instanceof CloudError && error.code === "ISSUER-MAPPED")
      return byAnotherLink(proving, relying, candidates);
    throw error;
  }
}

/** In the sandbox anybody's: what an issuer would never mint, or never sign. */
async function tokenOf(proving: Proving, powers: SandboxPowers, stranger: Candidate["claims"]): Promise<Token> {
  const { link, lookup, world } = proving;
  const issuer = party(proving, link.from.party).issuer;
  if (issuer?.mintAs) return issuer.mintAs(stranger, { link, audience: audienceOf(proving), lookup }, world);
  const text = await powers.mint(stranger.iss ?? "", stranger);
  return { text, claims: stranger, header: {}, mintedBy: "sandbox" };
}

/** The cloud mints nothing for strangers, but what we may mint for another link is a stranger to this one. */
async function byAnotherLink(
  proving: Proving,
  relying: RelyingParty,
  candidates: readonly Candidate[],
): Promise<readonly Attempt[]> {
  const { link, all, lookup, view, world } = proving;
  const judged = candidates.map(
    ({ who, code, claims }): Attempt => ({ who, code, ...judgedAs(relying.judge(claims, view).allow) }),
  );
  const trust = proving.trust(link);
  const other = all.find(
    ({ name, from, prove }) => !trust.links.includes(name) && from.party === link.from.party && prove === "exchange",
  );
  const issuer = party(proving, link.from.party).issuer;
  if (!other || !issuer) return judged;
  try {
    const token = await issuer.mint({ link: other, audience: audienceOf(proving), lookup }, world);
    const who = (claims: Readonly<Record<string, unknown>> = {}) => claims.sub ?? claims.arn;
    if (who(token.claims) === who(declared(proving))) return judged;
    const tried: Attempt = {
      who: `a token of ${other.name}`,
      code: "SUBJECT-NOT-CHECKED",
      ...(await attempt(proving, relying, token)),
    };
    return [...judged.filter(({ outcome }) => outcome !== "refused"), tried];
  } catch {
    return judged;
  }
}

/**
 * In the form of the real one and never its value: refused for whom it names, not for how it looks. A subject that the
 * file itself lets in by a pattern is no stranger, so the wanted trust is asked first.
 */
function strangerTo(proving: Proving, claims: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { link, lookup } = proving;
  const relying = party(proving, link.to.party).relying as RelyingParty;
  const wanted = { state: "present", owner: "ours", spec: proving.trust(link).spec, outputs: {} } as const;
  const { arn } = claims;
  if (arn !== undefined) {
    // Another role; where a user is meant, another user.
    const others = [arn.replace(/(assumed-role\/[^/]+)\//, "$1-stranger/"), `${arn}-stranger`].filter(
      (one) => one !== arn,
    );
    const turned = others.map((one) => ({ ...claims, arn: one }));
    return (
      turned.find((one) => relying.judge(one, { link, lookup, live: wanted }).allow !== true) ?? {
        ...claims,
        arn: `${arn}-stranger`,
      }
    );
  }
  const sub = claims.sub ?? "";
  const names = /^\d+$/.test(sub) ? ["199999999999999999999"] : [`${sub}-stranger`, `stranger-${sub}`, "stranger"];
  const all = names.map((nobody) => ({ ...claims, sub: nobody, ...(claims.azp === sub ? { azp: nobody } : {}) }));
  const outside = all.find((one) => relying.judge(one, { link, lookup, live: wanted }).allow !== true);
  return outside ?? { ...claims, sub: "stranger" };
}

/** Let in is let in. Only a definite refusal counts as one; throttled or cut off proves nothing. */
async function attempt(
  { link, lookup, world }: Proving,
  relying: RelyingParty,
  token: Token,
): Promise<Pick<Attempt, "outcome" | "how">> {
  try {
    await relying.exchange({ link, purpose: "refuse", lookup }, token, world);
    return { outcome: "let-in", how: "proved" };
  } catch (error) {
    const turnedAway = error instanceof CloudError && (error.class === "denied" || error.class === "refused");
    return { outcome: turnedAway ? "refused" : "unknown", how: "proved" };
  }
}

const judgedAs = (allow: boolean | "unknown"): Pick<Attempt, "outcome" | "how"> => ({
  outcome: allow === true ? "let-in" : allow === false ? "refused" : "unknown",
  how: "judged",
});

/** Asks for exit 3, like a broken link (contract, section 2). Judged only, it says "would be let in". */
function opened({ link }: Proving, { who, code, how }: Attempt, subject: string): Finding {
  return {
    code,
    severity: "security",
    asks: "broken",
    at: { place: link.at(`to.${link.to.party}`) },
    links: [link.name],
    says:
      how === "proved"
        ? `${who} was accepted; the file allows ${subject} alone`
        : `${who} would be let in; the file allows ${subject} alone`,
    because: [],
    fix: [`crosstrust plan ${link.name} shows what differs`, "crosstrust apply repairs it"],
  };
}
