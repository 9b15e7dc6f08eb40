import { type ControlPlanned, type ControlWork, planControl } from "../../crosstrust/control.ts";
import { applyPlan } from "../../crosstrust.ts";
import type { Control, Federation, Finding, World } from "../../model.ts";
import { controlDone } from "../../say/control.ts";
import { byWeight, distinct, findingText } from "../../say/findings.ts";
import { type PlanView, planText } from "../../say/plan.ts";
import { exitOf } from "../../verdict/exit.ts";
import { loadFile } from "../context.ts";
import { UsageError } from "../exit.ts";
import type { Command } from "../run.ts";
import { confirm } from "./apply.ts";
import { type ConsentFlags, consentsOf, planJson } from "./plan.ts";

export interface ControlFlags extends Pick<ConsentFlags, "prune"> {
  readonly checker?: string | undefined;
  readonly provisioner?: string | undefined;
  readonly destroy?: boolean;
}

/**
 * The keyless control plane, made by a person with an administrator's credentials: once, and again where the file
 * reaches further than it did. Shown, asked, made; what is so already is not written.
 */
export const controlPlane: Command<ControlFlags> = async (context, flags) => {
  const { world, paper } = context;
  const { federation } = loadFile(context.flags);
  const control = accountsOf(federation, flags);
  const destroy = flags.destroy === true;
  const work: ControlWork = { federation, control, destroy, prune: consentsOf(flags).prune };
  const planned = await planControl(work, world);
  const { plan } = planned;
  const view = viewOf(world, work, planned);
  const shown = planText(view, paper);
  const command = destroy ? "onboard --control --destroy" : "onboard --control";
  const stop = plan.findings.filter(({ severity }) => severity === "error");
  if (stop.length > 0) {
    const exit = exitOf({ findings: stop });
    if (context.flags.json) return { exit, text: planJson(world, plan, { command, exit }) };
    return { exit, text: `${planText(view, paper, false)}\n\n${told(stop, paper)}\n\nnothing was written` };
  }
  await confirm(context, plan, { shown, pinned: false });
  const applied = await applyPlan(planned, false, world);
  const findings = [...plan.findings, ...applied.findings];
  const left = plan.changes.filter((change) => change.verb !== "keep" && !applied.done.includes(change));
  const exit = exitOf({ findings, changes: left });
  if (context.flags.json) return { exit, text: planJson(world, { ...plan, findings }, { command, exit }) };
  const unwritten = !destroy && federation.control === undefined ? control : undefined;
  const calm = planText(view, paper, false);
  return { exit, text: controlDone({ shown: calm, done: applied.done, findings, unwritten }, paper) };
};

const told = (findings: readonly Finding[], paper: Parameters<typeof findingText>[1]): string =>
  byWeight(distinct(findings))
    .map((finding) => findingText(finding, paper))
    .join("\n\n");

/** The file's word, which the flags may say again and may not contradict: roles get their boundary by it. */
function accountsOf({ file, control }: Federation, flags: ControlFlags): Control {
  const one = (who: keyof Control): string => {
    const [named, given] = [control?.[who], flags[who]];
    if (named !== undefined && given !== undefined && named !== given)
      throw new UsageError(`${file} says control.${who}: ${named}, and --${who} says ${given}`);
    const email = named ?? given;
    if (email === undefined) throw new UsageError(`name the ${who}: control.${who} in ${file}, or --${who} EMAIL`);
    if (!/^[a-z][a-z0-9-]+@[a-z][a-z0-9-]+\.iam\.gserviceaccount\.com$/.test(email))
      throw new UsageError(`--${who} takes a service account: ID@PROJECT.iam.gserviceaccount.com`);
    return email;
  };
  const accounts = { checker: one("checker"), provisioner: one("provisioner") };
  if (accounts.checker === accounts.provisioner) throw new UsageError("checker and provisioner are two accounts");
  return accounts;
}

/** Both functions shown as links are: from their account to their role. */
function viewOf(world: World, { federation, control, destroy }: ControlWork, planned: ControlPlanned): PlanView {
  const links = (["checker", "provisioner"] as const).map((who) => ({
    ...{ name: who, from: control[who], to: `role ${federation.name}-${who}`, where: federation.file },
  }));
  return {
    ...{ file: federation.file, about: `the control plane of ${federation.name}`, world: world.kind, links },
    ...{ plan: planned.plan, scopes: [], words: "", command: destroy ? "destroy" : "apply" },
  };
}
