import { z } from "zod";
import { exitOf } from "../cli/exit.ts";
import { applyPlan, makePlan, proveLinks } from "../crosstrust.ts";
import type { Plan, Trace, World } from "../model.ts";
import { knownAfter } from "../plan/refs.ts";
import { document, planBody } from "../say/json.ts";
import { version } from "../version.ts";
import { noConsents } from "./health.ts";
import { type Call, error, log, type Reply, type Served } from "./serve.ts";
import { settings } from "./settings.ts";

const bodySchema = z.union([
  z.strictObject({ links: z.array(z.string()).optional() }),
  z.strictObject({ plan: z.string().regex(/^[0-9a-f]{64}$/) }),
]);

/**
 * `{"links"?}` plans, `{"plan": FINGERPRINT}` applies exactly that plan. It takes link names, never a policy document,
 * and gives no consents: what needs one is refused here and done by a person (contract, section 6).
 */
export const provisionFunction: Served = { methods: ["POST"], handle: provision };

let running = false;

async function provision(call: Call): Promise<Reply> {
  const asked = bodySchema.safeParse(call.body);
  if (!asked.success) return error(400, "the body takes links, or the whole fingerprint of a plan");
  if (running)
    return {
      status: 202,
      headers: { "retry-after": "30" },
      body: `${JSON.stringify({ state: "another run is in progress" })}\n`,
    };
  running = true;
  try {
    return "plan" in asked.data ? await apply(asked.data.plan, call) : await plan(asked.data.links ?? [], call);
  } finally {
    running = false;
  }
}

async function plan(only: readonly string[], { world }: Call): Promise<Reply> {
  const { federation } = await settings();
  if (only.some((name) => !federation.links.some((link) => link.name === name)))
    return error(403, "a link that this deployment does not have");
  const planned = await makePlan({ federation, only, consents: noConsents }, world);
  return reply(world, planned.plan, { status: 200, command: "plan" });
}

/** Once for each fingerprint: asked again, the stored answer is given and nothing is written. */
async function apply(fingerprint: string, { world, caller }: Call): Promise<Reply> {
  const name = `provision-${fingerprint}`;
  const stored = await world.store.read(name);
  if (stored !== undefined) return { status: 200, body: stored };
  const { federation } = await settings();
  const ask = { federation, only: [], consents: noConsents };
  const planned = await makePlan(ask, world);
  const { plan: made, observed, expansion } = planned;
  if (made.fingerprint !== fingerprint) return reply(world, made, { status: 409, command: "plan" });
  if (made.findings.some(({ asks }) => asks === "conflict" || asks === "usage"))
    return reply(world, made, { status: 409, command: "plan" });
  log("INFO", `${caller} applies the plan ${fingerprint.slice(0, 16)}`);
  const applied = await applyPlan(planned, false, world);
  const live = new Map([...observed.live, ...applied.live]);
  const traces = await proveLinks({ federation, expansion, live, only: [], patience: 120_000, grantMe: false }, world);
  const done = reply(
    world,
    { ...made, findings: [...made.findings, ...applied.findings] },
    { status: 200, command: "apply", traces },
  );
  if (applied.findings.length === 0) await world.store.write(name, done.body);
  return done;
}

interface Said {
  readonly status: number;
  readonly command: "plan" | "apply";
  readonly traces?: readonly Trace[];
}

function reply(world: World, made: Plan, { status, command, traces }: Said): Reply {
  const changes = command === "plan" ? made.changes : [];
  const exit = exitOf({ findings: made.findings, changes });
  return {
    status,
    body: document({ tool: version, world: world.kind, command, exit }, planBody(made, traces, knownAfter)),
  };
}
