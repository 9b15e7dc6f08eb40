import {
  type Evidence,
  type Failed,
  type Finding,
  finding,
  type Hop,
  type Link,
  type Party,
  type RelyingParty,
  type Token,
  type Trace,
  type Undo,
  type World,
} from "../model.ts";
import { asCanary, audienceOf, declared, identityOf, type ProveAsk, type Proving, party, since } from "./proving.ts";
import { refuse } from "./refuse.ts";
import { CloudError, inParallel } from "./retry.ts";
import { clockTrouble, troubleOf } from "./trouble.ts";

/**
 * Uses every link for real: mint, exchange, whoami, and shows that others are turned away. With `--grant-me` the
 * right to mint lasts as long as all proofs, because several links may share an account, and is taken back whatever
 * comes of them.
 */
export async function prove(ask: ProveAsk, world: World): Promise<Trace[]> {
  const grants = ask.grantMe ? await grantAll(ask, world) : [];
  const failed = (link: Link) => grants.find(({ links }) => links.includes(link))?.failed;
  let traces: Trace[];
  try {
    traces = await inParallel(ask.links, 8, (link) => proveLink({ ...ask, link, world, failed: failed(link) }));
  } finally {
    await inParallel(grants, 4, takeBack);
  }
  const leftBehind = new Map(grants.flatMap(({ links, kept }) => (kept ? links.map(({ name }) => [name, kept]) : [])));
  return traces.map((trace) => {
    const kept = leftBehind.get(trace.link);
    return kept ? { ...trace, findings: [...trace.findings, kept] } : trace;
  });
}

/** One workload's right to mint, and whichever links it is for. */
interface Grant {
  readonly links: readonly Link[];
  readonly undo?: Undo | undefined;
  /** Why it could not be granted. */
  readonly failed?: Finding;
  /** Why it could not be taken back. */
  kept?: Finding;
}

/** Once for each workload: whoever finds the right there already takes nothing back. */
function grantAll(ask: ProveAsk, world: World): Promise<Grant[]> {
  const mintable = ask.links.filter((link) => link.prove === "exchange");
  const workloads = Map.groupBy(mintable, ({ from }) => JSON.stringify(from));
  return inParallel([...workloads.values()], 4, async (links): Promise<Grant> => {
    const link = links[0] as Link;
    try {
      const granting = { link, audience: link.audience, lookup: ask.lookup };
      return { links, undo: await party(ask, link.from.party).issuer?.grantMint(granting, world) };
    } catch (error) {
      return { links, failed: grantTrouble(error, link) };
    }
  });
}

async function takeBack(grant: Grant): Promise<void> {
  try {
    await grant.undo?.();
  } catch (error) {
    grant.kept = grantTrouble(error, grant.links[0] as Link);
  }
}

const grantTrouble = (error: unknown, link: Link): Finding =>
  troubleOf(error, { place: link.at(`from.${link.from.party}`), links: [link.name] });

interface ToProve extends ProveAsk {
  readonly link: Link;
  readonly world: World;
  readonly failed: Finding | undefined;
}

async function proveLink({ link, world, failed, ...ask }: ToProve): Promise<Trace> {
  if (failed) {
    const hop: Hop = { step: "mint", result: "unknown", ms: 0, saw: failed.says, finding: failed.code };
    return { link: link.name, hops: [hop], findings: [failed] };
  }
  world.progress({ what: `prove ${link.name}`, state: "started" });
  const start = world.clock.now();
  const live = ask.live.get(ask.trust(link).address) ?? { state: "absent" };
  const identity = identityOf({ link, parties: ask.parties });
  const trace = await proveOne({
    ...ask,
    link,
    world,
    view: { link, live, lookup: ask.lookup, ...(identity ? { identity } : {}) },
  });
  const bad = trace.hops.some(({ result }) => result === "no" || result === "unknown");
  world.progress({ what: `prove ${link.name}`, state: bad ? "failed" : "done", ms: world.clock.now() - start });
  return trace;
}

/** The hops in order. The refusals are tried whatever fails: a broken link can be open, too. */
async function proveOne(proving: Proving): Promise<Trace> {
  const { link } = proving;
  const acting = link.canary ? asCanary(proving, link.canary) : proving;
  const findings: Finding[] = [];
  const hops: Hop[] = [];
  const add = ({ hop, finding }: Step) => {
    hops.push(finding ? { ...hop, finding: finding.code } : hop);
    if (finding) findings.push(finding);
  };
  const minted = link.prove === "judge" ? undefined : await mint(acting);
  if (minted) add(minted);
  else add({ hop: skipped("mint", "nothing can mint for this link") });
  const token = minted?.token;
  const exchanged = token ? await exchange(acting, token) : undefined;
  add(exchanged?.session && link.canary ? besideOwn(proving, exchanged) : (exchanged ?? judged(proving, !!minted)));
  if (exchanged?.session && token) add(await whoami(acting, exchanged.session, token));
  else add({ hop: skipped("whoami", "there is no session") });
  const failed = hops.some(({ step, result }) => step !== "whoami" && result === "no");
  const own = failed ? "failed" : exchanged?.session && !link.canary ? "proved" : "untried";
  const refused = await refuse(proving, { ...(link.canary ? { stranger: token } : { token }), exchange: own });
  hops.push(refused.hop);
  return { link: link.name, hops, findings: [...findings, ...refused.findings] };
}

interface Step {
  readonly hop: Hop;
  readonly finding?: Finding;
}

const skipped = (step: Hop["step"], saw: string): Hop => ({ step, result: "skipped", ms: 0, saw });

/** A definite no of the cloud is `no`; what we could not tell or were not allowed is `unknown`, never both. */
const resultOf = (finding: Finding): "no" | "unknown" => (finding.asks === "broken" ? "no" : "unknown");

async function mint(proving: Proving): Promise<Step & { token?: Token }> {
  const { link, lookup, world } = proving;
  const issuer = party(proving, link.from.party).issuer;
  if (!issuer) throw new Error(`${link.from.party} issues nothing`);
  const ask = { link, audience: audienceOf(proving), lookup };
  const start = performance.now();
  try {
    const token = await issuer.mint(ask, world);
    return { token, hop: { step: "mint", result: "ok", how: "proved", ms: since(start), saw: shown(token, world) } };
  } catch (error) {
    const where = { place: link.at(`from.${link.from.party}`), links: [link.name] };
    const finding = clockTrouble(error, where) ?? issuer.explainMint(ask, error) ?? troubleOf(error, where);
    return { finding, hop: { step: "mint", result: resultOf(finding), ms: since(start), saw: finding.says } };
  }
}

/** What may be said of a token: whose it is, how it is signed, how long it lives. */
function shown(token: Token, world: World): string {
  const minutes = Math.floor((Number(token.claims.exp) * 1000 - world.clock.now()) / 60_000);
  const { email, sub, arn } = token.claims;
  const who = String(email ?? sub ?? arn);
  return `${who}   ${token.header.alg}   expires in ${minutes} min`;
}

/**
 * Within `patience` of our own write a refusal may only be lag, and says so in no way; without such a write
 * patience is 0, and a first no is believed (reliability-and-security.md, 2.6).
 */
async function exchange(proving: Proving, token: Token) {
  const { link, view, world } = proving;
  const relying = party(proving, link.to.party).relying;
  if (!relying) throw new Error(`${link.to.party} relies on nobody`);
  const start = performance.now();
  const { patience } = proving;
  const until = world.clock.now() + (typeof patience === "number" ? patience : patience(link));
  for (let tried = 0; ; tried++) {
    try {
      const session = await relying.exchange({ link, purpose: "prove", lookup: proving.lookup }, token, world);
      return {
        session,
        hop: { step: "exchange", result: "ok", how: "proved", ms: since(start), saw: session.principal } as Hop,
      };
    } catch (error) {
      // A fresh trust is refused with the words of a wrong one: wait only where the trust, as read, allows it.
      const fresh =
        error instanceof CloudError && error.class === "denied" && relying.judge(token.claims, view).allow === true;
      if (fresh && world.clock.now() < until && !world.signal.aborted) {
        if (tried === 0)
          world.progress({ what: `wait until ${link.to.party} believes ${link.name}`, state: "waiting" });
        await world.clock.sleep(Math.min(2000, 250 * 2 ** tried));
        continue;
      }
      const finding = refusal(proving, relying, { view, error, claims: token.claims, header: token.header });
      return {
        finding,
        hop: { step: "exchange", result: resultOf(finding), ms: since(start), saw: finding.says } as Hop,
      };
    }
  }
}

/** Why an exchange was refused. A trust that was not read explains nothing, and least of all that it is not there. */
function refusal({ link, unread }: Proving, relying: RelyingParty, failed: Failed): Finding {
  const at = { place: link.at(`to.${link.to.party}`) };
  const late = clockTrouble(failed.error, { ...at, links: [link.name] });
  if (late) return late;
  const { live } = unread(link);
  const plain = troubleOf(failed.error, { ...at, links: [link.name] });
  if (live === undefined) return relying.explain(failed) ?? plain;
  if (plain.asks === "untold" || plain.asks === undefined) return plain;
  const says = `${link.to.party} refuses the workload, and why is not known, because ${live} could not be read: ${plain.says}`;
  return finding("COULD-NOT-TELL", { at, links: [link.name], asks: "untold", says, fix: ["run it again"] });
}

/** Without a token the live trust is judged with the claims that the file declares. */
function judged(proving: Proving, minting: boolean): Step {
  const { link, view } = proving;
  const relying = party(proving, link.to.party).relying;
  const claims = declared(proving);
  if (minting || !relying || !claims) return { hop: skipped("exchange", "there is no token") };
  const unread = proving.unread(link).live;
  if (unread !== undefined)
    return { hop: { step: "exchange", result: "unknown", how: "judged", ms: 0, saw: `${unread} could not be read` } };
  const { allow, rows, unknown = [] } = relying.judge(claims, { ...view, declared: true });
  const result = allow === true ? "ok" : allow === false ? "no" : "unknown";
  const hop: Hop = {
    step: "exchange",
    result,
    how: "judged",
    ms: 0,
    saw: allow === true ? "the trust admits the declared claims" : says(rows),
  };
  if (allow === true) return { hop };
  const base = { at: { place: link.at(`to.${link.to.party}`) }, links: [link.name], because: rows };
  if (allow === "unknown") {
    const open = unknown.length > 0 ? unknown : rows.filter((row) => row.ok !== true).map(rowText);
    const undecided = finding(relying.undecided, {
      ...base,
      severity: "warning",
      asks: "untold",
      says: `whether the live trust admits what the file declares cannot be judged from here: ${open.join("; ")}`,
      fix: [`crosstrust explain ${link.name}`],
    });
    return { hop, finding: undecided };
  }
  const refused = finding("JUDGED-REFUSED", {
    ...base,
    asks: "broken",
    says: "the live trust does not admit what the file declares",
    fix: ["crosstrust plan", "crosstrust apply"],
  });
  return { hop, finding: refused };
}

/** `aws:sourceip IpAddress 198.51.100.7`: what a row asks for. */
const rowText = ({ key, wants }: Evidence): string => `${key} ${wants}`;

/** A canary shows that the way is open; that the workload's own door is, the judge says. */
function besideOwn(proving: Proving, canary: Step): Step {
  const own = judged(proving, false);
  if (own.hop.result !== "ok") return own;
  return { hop: { ...canary.hop, saw: `${canary.hop.saw}   beside it ${own.hop.saw}` } };
}

const says = (rows: readonly Evidence[]): string =>
  `refused: ${rows
    .filter((row) => row.ok !== true)
    .map((row) => row.key)
    .join(", ")}`;

async function whoami(
  proving: Proving,
  session: Parameters<NonNullable<Party["relying"]>["whoami"]>[0],
  { claims }: Token,
): Promise<Step> {
  const { link, lookup, view, world } = proving;
  const start = performance.now();
  try {
    const ask = { link, purpose: "prove", lookup, proof: { view, claims } } as const;
    const who = await party(proving, link.to.party).relying?.whoami(session, ask, world);
    return { hop: { step: "whoami", result: "ok", how: "proved", ms: since(start), saw: who ?? "" } };
  } catch (error) {
    const finding = troubleOf(error, { place: link.at(`to.${link.to.party}`), links: [link.name] });
    return { finding, hop: { step: "whoami", result: resultOf(finding), ms: since(start), saw: finding.says } };
  }
}
