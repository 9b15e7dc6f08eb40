import { z } from "zod";
import { carryOut, makePlan, noConsents } from "../crosstrust.ts";
import type { Plan, Trace, Verdict, World } from "../model.ts";
import { knownAfter } from "../plan/refs.ts";
import { CloudError } from "../run/cloud-error.ts";
import { document, planBody } from "../say/json.ts";
import { exitOf } from "../verdict/exit.ts";
import { version } from "../version.ts";
import { deployment } from "./deployment.ts";
import { noted } from "./notes.ts";
import { busy, type Call, error, type Reply, type Sent, stopped } from "./serve.ts";
import { tellLinks, tellPlan } from "./tell.ts";

const links = z.array(z.string()).optional();
/** The fingerprint whole: its first sixteen digits are for eyes only. */
const bodySchema = z.strictObject({
  links,
  plan: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});

/**
 * `{"links"?}` plans, `{"plan": FINGERPRINT}` applies exactly that plan. It takes link names, never a policy
 * document, and gives no consents: what needs one is refused here and done by a person (contract, section 6).
 */
export async function provisionOf(call: Call): Promise<Reply> {
  const asked = bodySchema.safeParse(call.body);
  if (!asked.success) return error(400, "the body takes links, or the whole fingerprint of a plan");
  if (running) return busy;
  const { links: only, plan: fingerprint } = asked.data;
  if (only?.some((name) => !call.federation.links.some((link) => link.name === name)))
    return error(403, "a link that this deployment does not have");
  running = true;
  try {
    return fingerprint === undefined ? await plan(only ?? [], call) : await apply(fingerprint, only, call);
  } finally {
    running = false;
  }
}

/** Of this deployment's own file, as it is now. */
export const provisionFunction = async (sent: Sent): Promise<Reply> =>
  provisionOf({ ...sent, ...(await deployment()) });

/** One run in this process; the deployment keeps it to one process (concurrency and instances, docs/functions.md). */
let running = false;

/** The links of a plan are noted under its fingerprint: whoever applies it sends the fingerprint alone. */
const planName = (fingerprint: string): string => `provision-plan-${fingerprint}`;
const doneName = (fingerprint: string): string => `provision-${fingerprint}`;

async function plan(only: readonly string[], { world, federation }: Call): Promise<Reply> {
  const planned = await makePlan({ federation, only, consents: noConsents }, world);
  if (world.signal.aborted) return stopped;
  tellPlan("planned", planned.plan);
  // Without the note whoever applies this plan names its links again.
  await world.store.write(planName(planned.plan.fingerprint), JSON.stringify(only)).catch(unlessBug);
  return reply(world, planned.plan, { status: 200, command: "plan", exit: exitOf(planned.plan) });
}

/**
 * The clouds are looked at first. If the plan is still exactly this one it is applied: somebody may have taken away
 * what an earlier call made. If not, and this fingerprint was applied here, its stored answer is given and nothing is
 * written, so that a lost answer can be asked for again. What was not done whole is not stored. Any other plan
 * answers 409, with that plan.
 */
async function apply(fingerprint: string, links: readonly string[] | undefined, call: Call): Promise<Reply> {
  const { world, federation, caller } = call;
  // One that was planted makes another plan, and so another fingerprint.
  const its = noted(await world.store.read(planName(fingerprint)).catch(unlessBug), z.array(z.string()));
  if (links && its && !sameLinks(links, its)) return error(422, "this plan was made for other links");
  const only = links ?? its ?? [];
  const planned = await makePlan({ federation, only, consents: noConsents }, world);
  const { plan: made } = planned;
  if (world.signal.aborted) return stopped;
  if (made.fingerprint !== fingerprint) {
    const stored = await world.store.read(doneName(fingerprint)).catch(unlessBug);
    if (stored !== undefined && isAnswerTo(fingerprint, stored)) return { status: 200, body: stored };
    return reply(world, made, { status: 409, command: "plan", exit: exitOf(made) });
  }
  if (made.findings.some(({ asks }) => asks === "conflict" || asks === "usage"))
    return reply(world, made, { status: 409, command: "plan", exit: exitOf(made) });
  tellPlan(`${caller} applies the plan`, made);
  const work = { federation, planned, only, grantMe: false };
  const start = performance.now();
  const { applied, traces, findings, health, exit, ...conclusion } = await carryOut(work, world);
  const ms = performance.now() - start;
  tellLinks({ event: "crosstrust.apply", deployment: federation.name, links: health, ...conclusion, ms });
  // What has begun is finished, and nothing of it is lost: the next call plans what is left.
  if (world.signal.aborted) return stopped;
  const { verdict } = conclusion;
  const done = reply(world, { ...made, findings }, { status: 200, command: "apply", exit, traces, verdict });
  if (applied.findings.length === 0) await world.store.write(doneName(fingerprint), done.body).catch(unlessBug);
  return done;
}

/** The store is a help: where it does not answer there is no note. Throws what is no error of a call. */
function unlessBug(error: unknown): undefined {
  if (!(error instanceof CloudError)) throw error;
  return undefined;
}

const answerSchema = z.looseObject({ crosstrust: z.literal(1), command: z.literal("apply"), fingerprint: z.string() });

/** Whether a note is an answer to this very plan. */
const isAnswerTo = (fingerprint: string, text: string): boolean =>
  noted(text, answerSchema)?.fingerprint === fingerprint;

/** One fingerprint, one set of links: whoever sends others with it means something else (case 118). */
const sameLinks = (some: readonly string[], others: readonly string[]): boolean =>
  some.every((link) => others.includes(link)) && others.every((link) => some.includes(link));

interface Said {
  readonly status: number;
  readonly command: "plan" | "apply";
  readonly exit: number;
  readonly traces?: readonly Trace[];
  readonly verdict?: Verdict;
}

const reply = (world: World, made: Plan, { status, command, exit, traces, verdict }: Said): Reply => ({
  status,
  body: document(
    { tool: version, world: world.kind, command, exit },
    {
      ...planBody(made, traces, knownAfter),
      ...(verdict ? { verdict } : {}),
    },
  ),
});
