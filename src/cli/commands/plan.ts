import { makePlan, type Planned } from "../../crosstrust.ts";
import type { Consents, Federation, Plan, Trace, World } from "../../model.ts";
import { parties } from "../../parties/index.ts";
import { knownAfter } from "../../plan/refs.ts";
import { document, planBody } from "../../say/json.ts";
import { type PlanView, planText, type Titled } from "../../say/plan.ts";
import { version } from "../../version.ts";
import { type Context, loadFile } from "../context.ts";
import { exitOf, UsageError } from "../exit.ts";
import type { Command } from "../run.ts";

export interface ConsentFlags {
  readonly adopt?: readonly string[];
  readonly allowWiden?: readonly string[];
  readonly allowBroadSubject?: readonly string[];
  readonly allowPrivileged?: readonly string[];
  readonly undelete?: boolean;
  readonly grantMe?: boolean;
}

export const consentsOf = (flags: ConsentFlags): Consents => ({
  adopt: flags.adopt ?? [],
  allowWiden: flags.allowWiden ?? [],
  allowBroadSubject: flags.allowBroadSubject ?? [],
  allowPrivileged: flags.allowPrivileged ?? [],
  undelete: flags.undelete === true,
  grantMe: flags.grantMe === true,
});

/** Link names must be links of the file: a typo must not limit a run to nothing. */
export function checkNames(federation: Federation, names: readonly string[]): void {
  const known = federation.links.map((link) => link.name);
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) throw new UsageError(`${federation.file} has no link ${wrong}; it has ${known.join(", ")}`);
}

export const plan: Command<{ links: readonly string[] } & ConsentFlags> = async (context, ask) => {
  const consents = consentsOf(ask);
  const { federation } = loadFile(context.flags, consents.allowPrivileged);
  checkNames(federation, [...ask.links, ...consents.adopt, ...consents.allowWiden, ...consents.allowPrivileged]);
  const planned = await makePlan({ federation, only: ask.links, consents }, context.world);
  const exit = exitOf({ findings: planned.plan.findings, changes: planned.plan.changes });
  const view = { federation, planned, only: ask.links, command: "plan" as const };
  const text = context.flags.json
    ? planJson(context.world, planned.plan, { command: "plan", exit })
    : planText(viewOf(context.world, view), context.paper);
  return { exit, text };
};

export function planJson(
  world: World,
  made: Plan,
  said: { command: string; exit: number; traces?: readonly Trace[] },
): string {
  const { command, exit, traces } = said;
  return document({ tool: version, world: world.kind, command, exit }, planBody(made, traces, knownAfter));
}

export interface Shown {
  readonly federation: Federation;
  readonly planned: Planned;
  readonly only: readonly string[];
  readonly command: PlanView["command"];
}

export function viewOf(world: World, { federation, planned, only, command }: Shown): PlanView {
  const links = titles(federation).filter((link) => only.length === 0 || only.includes(link.name));
  const { scopes } = planned.observed.leftovers;
  return {
    file: federation.file,
    world: world.kind,
    plan: planned.plan,
    links,
    scopes: only.length === 0 ? scopes : [],
    command,
  };
}

export const titles = (federation: Federation): readonly Titled[] =>
  federation.links.map((link) => {
    const title = (side: "from" | "to") =>
      parties.find((party) => party.name === link[side].party)?.title(link, side) ?? "";
    return { name: link.name, from: title("from"), to: title("to"), where: `${link.place.file}:${link.place.line}` };
  });

export type { Context };
