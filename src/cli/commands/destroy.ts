import { applyPlan, makePlan } from "../../crosstrust.ts";
import type { Finding } from "../../model.ts";
import { destroyText } from "../../say/done.ts";
import { planText } from "../../say/plan.ts";
import { exitOf } from "../../verdict/exit.ts";
import { loadFile } from "../context.ts";
import type { Command } from "../run.ts";
import { confirm, refused } from "./apply.ts";
import { type ConsentFlags, consentsOf, linksOf, planJson, viewOf } from "./plan.ts";

interface DestroyAsk extends Pick<ConsentFlags, "prune"> {
  readonly links: readonly string[];
  readonly keepServiceAccounts: boolean;
}

/** A plan in which the named links, or all, are no longer wanted; the other links stay as they are. */
export const destroy: Command<DestroyAsk> = async (context, { links: words, keepServiceAccounts, prune }) => {
  const { world, flags, paper } = context;
  const { federation } = loadFile(flags, "all");
  const links = linksOf(federation, words);
  const planned = await makePlan(
    { federation, only: links, consents: consentsOf(prune === undefined ? {} : { prune }), destroy: true, sweep: true },
    world,
  );
  const { plan } = planned;
  const view = viewOf(world, { federation, planned, only: links, command: "destroy" });
  const shown = planText(view, paper);
  // What is shared would let somebody in again who is not let in now: nothing at all is written.
  const stop = plan.findings.filter(({ asks }) => asks === "usage");
  if (stop.length > 0) {
    const isCounted = stop.some(({ code }) => code === "PRUNE-ASKED");
    const shared = "take the links that are gone out of the file first, or crosstrust destroy without a name";
    const told = { shown: planText(view, paper, false), stop, command: "destroy" };
    return refused(context, planned, isCounted ? told : { ...told, next: shared });
  }
  await confirm(context, plan, { shown, pinned: false });
  const applied = await applyPlan(planned, keepServiceAccounts, world);
  const findings = [...plan.findings.filter(({ asks }) => asks !== "conflict"), ...applied.findings];
  // Of what was only read, errors and what no link names; of what was done, also what had to stay.
  const isTold = ({ severity, code }: Finding) =>
    severity === "error" || /^(PRUNE-ASKED|LEFTOVERS-CHANGED|LEFTOVERS-UNSEEN)$/.test(code);
  const said = [...findings.filter(isTold), ...applied.findings];
  const left = plan.changes.filter((change) => change.verb !== "keep" && !applied.done.includes(change));
  const exit = exitOf({ findings, changes: left });
  if (flags.json) return { exit, text: planJson(world, { ...plan, findings }, { command: "destroy", exit }) };
  return {
    exit,
    text: destroyText({ view, done: applied.done, findings: said }, { paper, kept: keepServiceAccounts }),
  };
};
