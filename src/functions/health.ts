import { z } from "zod";
import { checkHealth, noConsents } from "../crosstrust.ts";
import type { Health } from "../model.ts";
import { knownAfter } from "../plan/refs.ts";
import { document, healthBody } from "../say/json.ts";
import { version } from "../version.ts";
import { deployment } from "./deployment.ts";
import { gathered, gatheredBefore, keepGathered, keepPart, type Whole } from "./parts.ts";
import { reportName } from "./report.ts";
import { busy, type Call, error, type Reply, type Sent, stopped } from "./serve.ts";
import { countsOf, tellEach, tellLinks, tellRun } from "./tell.ts";
import { heartbeat, type Watched, watchRun } from "./watching.ts";

const run = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);
/** More shares than that are no division of labour. */
const most = 1000;
const links = z.array(z.string());
/** A check; one instance's share of a divided one (`part`); or the gathering of its shares (`parts`). */
const bodySchema = z.union([
  z.strictObject({ links: links.optional() }),
  z.strictObject({
    run,
    links: links.min(1),
    part: z
      .int()
      .min(0)
      .max(most - 1),
  }),
  z.strictObject({ run, parts: z.int().min(1).max(most) }),
]);
type Body = z.infer<typeof bodySchema>;

/** One run in this process; the lease in the store keeps other instances away. */
let running = false;

/**
 * `POST` checks (contract, section 6). A link that is not in the file is a 403 (fact sheet reliability-and-security,
 * case 120). A check of only some links is neither stored nor remembered, and waits for nobody's lease: the last report
 * stands for the whole deployment. So does what a divided run comes to, when its shares are gathered.
 */
export async function healthOf(call: Call): Promise<Reply> {
  const asked = bodySchema.safeParse(call.body);
  if (!asked.success) return error(400, "the body takes links, a list of link names; run with part, or with parts");
  const only = "links" in asked.data ? (asked.data.links ?? []) : [];
  if (only.some((name) => !call.federation.links.some((link) => link.name === name)))
    return error(403, "a link that this deployment does not have");
  // Shares of a run look at links of their own, and are in nobody's way.
  const alone = !("part" in asked.data);
  if (alone && running) return busy;
  running ||= alone;
  try {
    const reply = await answered(call, asked.data, only);
    // Cut short, it says nothing about the links: neither stored nor told.
    return call.world.signal.aborted ? stopped : reply;
  } finally {
    if (alone) running = false;
  }
}

/** Of this deployment's own file, as it is now. */
export const healthFunction = async (sent: Sent): Promise<Reply> => healthOf({ ...sent, ...(await deployment()) });

async function answered(call: Call, body: Body, only: readonly string[]): Promise<Reply> {
  const { world, federation } = call;
  // Nobody is there to be asked: a function never widens, adopts, undeletes or grants.
  const look = () => checkHealth({ federation, only, consents: noConsents }, world);
  if ("part" in body) {
    const health = await look();
    if (world.signal.aborted) return stopped;
    await keepPart(world, body, health);
    tellEach({ deployment: federation.name, links: health.links });
    return short(call, health, { run: body.run, part: body.part });
  }
  if ("parts" in body) return gather(call, body);
  const watched = only.length > 0 ? undefined : await watchRun(call, look);
  if (watched && !watched.held) return busy;
  const health = watched?.value.health ?? (await look());
  if (world.signal.aborted) return stopped;
  const text = watched ? await stored(call, watched.value) : documentOf(call, health);
  tellLinks({ event: "crosstrust.health", deployment: federation.name, ...health });
  return replyOf(call, health, text);
}

/** Asked again, because its answer was lost, it gives the same one: the shares are gone by then. */
async function gather(call: Call, whole: Whole): Promise<Reply> {
  const { world, federation } = call;
  const done = await gatheredBefore(world, whole);
  if (done) return replyOf(call, done, done.text);
  const { health, forget } = await gathered(world, whole, federation.links);
  const watched = await watchRun(call, async () => health);
  if (!watched.held) return busy;
  await stored(call, watched.value);
  tellRun({ event: "crosstrust.health", deployment: federation.name, ...health });
  const reply = short(call, watched.value.health, { run: whole.run, at: health.at, links: health.links.length });
  await keepGathered(world, whole, { verdict: health.verdict, healthy: health.healthy, text: reply.body });
  // What is left behind is swept by the bucket's own rule.
  await forget().catch(() => {});
  return reply;
}

const replyOf = ({ query }: Call, { verdict, healthy }: Pick<Health, "verdict" | "healthy">, body: string): Reply => ({
  status: "strict" in query && !healthy ? 503 : 200,
  headers: { "crosstrust-verdict": verdict },
  body,
});

/** What a workflow has room for: a thousand links' hops would be more than it may hold (serverless.md, 5.6). */
function short(call: Call, health: Health, more: object): Reply {
  const counts = countsOf(health.links.map(({ verdict }) => verdict));
  const { verdict, log: logSeverity, undecided } = health;
  const about = { deployment: call.federation.name, verdict, logSeverity, undecided, ...more, counts };
  return replyOf(call, health, document(envelopeOf(call, health), about));
}

function envelopeOf({ world }: Call, { exit }: Health) {
  return { tool: version, world: world.kind, command: "health", exit };
}

function documentOf(call: Call, health: Health, more: object = {}): string {
  const body = healthBody(call.federation.name, health, knownAfter);
  return document(envelopeOf(call, health), { ...body, ...more });
}

/** The last report is told, whether it can be stored or not; it says which. */
async function stored(call: Call, watched: Watched): Promise<string> {
  const { health, ...rest } = watched;
  const text = documentOf(call, health, rest);
  const saved = await call.world.store.write(reportName, text).then(
    () => true,
    () => false,
  );
  heartbeat(call.federation.name, { ...watched, stateSaved: rest.stateSaved && saved });
  return saved ? text : documentOf(call, health, { ...rest, stateSaved: false });
}
