import { carryOut, makePlan, type Planned, type Work } from "../../crosstrust.ts";
import type { Finding, Plan } from "../../model.ts";
import { doneText } from "../../say/done.ts";
import { byWeight, distinct, findingText } from "../../say/findings.ts";
import { commandLine } from "../../say/paper.ts";
import { planText } from "../../say/plan.ts";
import { codes, exitOf } from "../../verdict/exit.ts";
import { ask as askUser } from "../ask.ts";
import { type Context, loadFile } from "../context.ts";
import { UsageError } from "../exit.ts";
import { tell } from "../print.ts";
import type { Command } from "../run.ts";
import { type ConsentFlags, checkNames, consentsOf, linksOf, namesIn, planJson, viewOf } from "./plan.ts";

interface ApplyAsk extends ConsentFlags {
  /** A plan's fingerprint, link names, or both. */
  readonly words: readonly string[];
}

/**
 * Plan, ask, apply, prove. Nothing at all is written where the fingerprint is stale (exit 2), a thing is not
 * ours, a consent is missing, or links contradict each other.
 */
export const apply: Command<ApplyAsk> = async (context, ask) => {
  const consents = consentsOf(ask);
  const { federation } = loadFile(context.flags, consents);
  const { fingerprint, links: words } = sort(ask.words);
  const links = linksOf(federation, words);
  checkNames(federation, namesIn(consents));
  const planned = await makePlan({ federation, only: links, consents, sweep: true, audit: true }, context.world);
  const { plan } = planned;
  const view = viewOf(context.world, { federation, planned, only: links, command: "apply" });
  const shown = planText(view, context.paper);
  if (fingerprint && !plan.fingerprint.startsWith(fingerprint)) {
    const says = `the plan ${fingerprint} is stale: what is there, or the file, has changed since. nothing was written`;
    return {
      exit: codes.differs,
      text: context.flags.json
        ? planJson(context.world, plan, { command: "apply", exit: codes.differs })
        : `${shown}\n\n${says}\nnext   ${commandLine("plan", context.paper)}`,
    };
  }
  const stop = plan.findings.filter(
    (finding) => ["conflict", "usage"].includes(finding.asks ?? "") || finding.code.startsWith("LINKS-"),
  );
  if (stop.length > 0)
    return refused(context, planned, { shown: planText(view, context.paper, false), stop, command: "apply" });
  await confirm(context, plan, { shown, pinned: fingerprint !== undefined });
  return finish(context, { federation, planned, only: links, grantMe: consents.grantMe });
};

interface Refusal {
  readonly shown: string;
  readonly stop: readonly Finding[];
  readonly command: string;
  /** What else helps, where the findings' own fixes are for another command. */
  readonly next?: string;
}

/** What must not happen without a word: nothing at all is written. */
export function refused(context: Context, { plan }: Planned, { shown, stop, command, next }: Refusal) {
  const exit = exitOf({ findings: stop });
  const text = byWeight(distinct(stop))
    .map((finding) => findingText(finding, context.paper))
    .join("\n\n");
  if (context.flags.json) return { exit, text: planJson(context.world, plan, { command, exit }) };
  return { exit, text: `${shown}\n\n${text}\n\nnothing was written${next ? `\nnext   ${next}` : ""}` };
}

/** 16 hex or more; whatever else is there are links. Fewer hex alone are refused, not taken for a link. */
function sort(words: readonly string[]): { fingerprint?: string; links: readonly string[] } {
  const hex = words.filter((word) => /^[0-9a-f]{16,64}$/.test(word));
  const short = words.find((word) => /^[0-9a-f]{6,15}$/.test(word) && words.length === 1);
  if (short) throw new UsageError(`${short} is too short for a plan's fingerprint: give at least 16 hex`);
  const links = words.filter((word) => !hex.includes(word));
  return hex[0] ? { fingerprint: hex[0], links } : { links };
}

/** In the sandbox and with a fingerprint nothing is asked (contract, section 2). */
export async function confirm(
  context: Context,
  plan: Plan,
  { shown, pinned }: { shown: string; pinned: boolean },
): Promise<void> {
  const { flags, world } = context;
  const idle = plan.changes.every(({ verb }) => verb === "keep");
  if (idle || pinned || flags.yes || world.kind === "sandbox") return;
  tell(`${shown}\n\n`);
  if (!(await askUser("do this?"))) throw new UsageError("nothing was written");
}

async function finish(context: Context, work: Work) {
  const { world } = context;
  const { applied, traces, health, findings, exit, verdict, undecided } = await carryOut(work, world);
  const { planned, federation, only } = work;
  if (context.flags.json)
    return { exit, text: planJson(world, { ...planned.plan, findings }, { command: "apply", exit, traces, verdict }) };
  const view = viewOf(world, { federation, planned, only, command: "apply" });
  return { exit, text: doneText({ view, done: applied.done, health, findings, undecided }, context.paper) };
}
