import { applyPlan, makePlan } from "../../crosstrust.ts";
import type { Finding } from "../../model.ts";
import { destroyText } from "../../say/done.ts";
import { planText } from "../../say/plan.ts";
import { exitOf } from "../../verdict/exit.ts";
import { loadFile } from "../context.ts";
import type { Command } from "../run.ts";
import { confirm, refused } from "./apply.ts";
import { checkNames, consentsOf, planJson, viewOf } from "./plan.ts";

/** A plan in which the named links, or all, are no longer wanted; the other links stay as they are. */
export const destroy: Command<{ links: readonly string[]; keepServiceAccounts: boolean }> = async (
  context,
  { links, keepServiceAccounts },
) => {
  const { world, flags, paper } = context;
  const { federation } = loadFile(flags, "all");
  checkNames(federation, links);
  const planned = await makePlan(
    { federation, only: links, consents: consentsOf({}), destroy: true, sweep: true },
    world,
  );
  const { plan } = planned;
  const view = viewOf(world, { federation, planned, only: links, command: "destroy" });
  const shown = planText(view, paper);
  // What is shared would let somebody in again who is not let in now: nothing at all is written.
  const stop = plan.findings.filter(({ asks }) => asks === "usage");
  if (stop.length > 0) {
    const next = "take the links that are gone out of the file first, or crosstrust destroy without a name";
    return refused(context, planned, { shown: planText(view, paper, false), stop, next, command: "destroy" });
  }
  await confirm(context, plan, { shown, pinned: false });
  const applied = await applyPlan(planned, keepServiceAccounts, world);
  const findings = [...plan.findings.filter(({ asks }) => asks !== "conflict"), ...applied.findings];
  // Of what was only read, errors; of what was done, also what had to stay.
  const told = ({ severity, code }: Finding) => severity === "error" || code === "LEFTOVERS-UNSEEN";
  const said = [...findings.filter(told), ...applied.findings];
  const left = plan.changes.filter((change) => change.verb !== "keep" && !applied.done.includes(change));
  const exit = exitOf({ findings, changes: left });
  if (flags.json) return { exit, text: planJson(world, { ...plan, findings }, { command: "destroy", exit }) };
  return {
    exit,
    text: destroyText({ view, done: applied.done, findings: said }, { paper, kept: keepServiceAccounts }),
  };
};
