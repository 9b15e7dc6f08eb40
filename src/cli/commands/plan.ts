import { makePlan, type Planned } from "../../crosstrust.ts";
import type { Address, Consents, Federation, Finding, Plan, Trace, Verdict, World } from "../../model.ts";
import { parties } from "../../parties/index.ts";
import { knownAfter } from "../../plan/refs.ts";
import { document, planBody } from "../../say/json.ts";
import { planMarkdown } from "../../say/markdown.ts";
import { type PlanView, planText, type Titled } from "../../say/plan.ts";
import { codes, exitOf } from "../../verdict/exit.ts";
import { version } from "../../version.ts";
import { type Context, loadFile } from "../context.ts";
import { UsageError } from "../exit.ts";
import type { Command } from "../run.ts";

/** The consents as commander gives them. */
export interface ConsentFlags {
  readonly adopt?: readonly string[];
  readonly adoptForget?: readonly string[];
  readonly replace?: readonly string[];
  readonly prune?: number | string;
  readonly allowWiden?: readonly string[];
  readonly allowBroadSubject?: readonly string[];
  readonly allowPrivileged?: readonly string[];
  readonly undelete?: boolean;
  readonly grantMe?: boolean;
}

/** Complete, whatever was given: the whole set is part of the fingerprint. */
export const consentsOf = (flags: ConsentFlags): Consents => ({
  adopt: flags.adopt ?? [],
  adoptForget: flags.adoptForget ?? [],
  replace: (flags.replace ?? []).map(addressOf),
  ...(flags.prune === undefined ? {} : { prune: countOf(flags.prune) }),
  allowWiden: flags.allowWiden ?? [],
  allowBroadSubject: flags.allowBroadSubject ?? [],
  allowPrivileged: flags.allowPrivileged ?? [],
  undelete: flags.undelete === true,
  grantMe: flags.grantMe === true,
});

function addressOf(text: string): Address {
  if (!isAddress(text))
    throw new UsageError(
      `--replace takes an address as the plan shows it, such as aws:role/111122223333/NAME; not ${text}`,
    );
  return text;
}

const isAddress = (text: string): text is Address => /^[a-z]+:[A-Za-z]+\/.+$/.test(text);

function countOf(given: number | string): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1 || String(given).trim() === "")
    throw new UsageError(`--prune takes the number that the plan shows, not ${given}`);
  return number;
}

/** Every link that a consent names. */
export const namesIn = ({
  adopt,
  adoptForget,
  allowWiden,
  allowBroadSubject,
  allowPrivileged,
}: Consents): readonly string[] => [...adopt, ...adoptForget, ...allowWiden, ...allowBroadSubject, ...allowPrivileged];

/**
 * Returns the links that were named, in the order of the file; `*` stands for any letters. Throws a `UsageError` for a name or a
 * pattern of no link: a typo must not limit a run to nothing.
 */
export function linksOf(federation: Federation, words: readonly string[]): readonly string[] {
  const patterns = words.map((word) => ({ word, fits: matcher(word) }));
  const names = federation.links.map(({ name }) => name);
  checkNames(
    federation,
    patterns.filter(({ fits }) => !names.some(fits)).map(({ word }) => word),
  );
  return names.filter((name) => patterns.some(({ fits }) => fits(name)));
}

/** Names of links have no letter that a regular expression reads in its own way, but a word that was typed may. */
function matcher(word: string): (name: string) => boolean {
  const parts = word.split("*").map((part) => part.replace(/[^\w-]/g, "\\$&"));
  const pattern = new RegExp(`^${parts.join(".*")}$`);
  return (name) => pattern.test(name);
}

/** Link names must be links of the file: a typo must not limit a run to nothing. */
export function checkNames(federation: Federation, names: readonly string[]): void {
  const known = federation.links.map((link) => link.name);
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) throw new UsageError(`${federation.file} has no link ${wrong}; it has ${known.join(", ")}`);
}

/** What would change; exit 2 where anything would, unless a finding asks for a graver code. */
export const plan: Command<PlanAsk> = async ({ flags, world, paper }, ask) => {
  const consents = consentsOf(ask);
  const { federation } = loadFile(flags, consents);
  const only = linksOf(federation, ask.links);
  checkNames(federation, namesIn(consents));
  const planned = await makePlan({ federation, only, consents, sweep: true, audit: true }, world);
  const seen = exitOf({ findings: planned.plan.findings.map(onlyLooked), changes: planned.plan.changes });
  const exit = ask.exitZero && seen === codes.differs ? codes.fine : seen;
  if (flags.json) return { exit, text: planJson(world, planned.plan, { command: "plan", exit }) };
  const view = viewOf(world, { federation, planned, only, consents, command: "plan" });
  const text =
    flags.format === "markdown" ? planMarkdown(view, paper) : planText({ ...view, all: ask.all === true }, paper);
  return { exit, text };
};

interface PlanAsk extends ConsentFlags {
  readonly links: readonly string[];
  readonly all?: boolean;
  /** Ends with 0 where something differs, and nothing else is wrong. */
  readonly exitZero?: boolean;
}

/** The document of plan, apply and destroy (contract, section 4). */
/** Whoever only looks is not asked for a consent: what needs one is a difference, and nothing else. */
export const onlyLooked = ({ asks, ...finding }: Finding): Finding =>
  asks === undefined || asks === "usage" ? finding : { ...finding, asks };

export function planJson(
  world: World,
  made: Plan,
  said: { command: string; exit: number; traces?: readonly Trace[]; verdict?: Verdict },
): string {
  const { command, exit, traces, verdict } = said;
  return document(
    { tool: version, world: world.kind, command, exit },
    {
      ...planBody(made, traces, knownAfter),
      ...(verdict ? { verdict } : {}),
    },
  );
}

export interface Shown {
  readonly federation: Federation;
  readonly planned: Planned;
  readonly only: readonly string[];
  readonly command: PlanView["command"];
  readonly consents?: Consents;
}

/** A plan of some links leaves leftovers out, so where they were looked for is said of a whole one only. */
/** Names and consents as they are typed, each with a blank in front. */
const wordsOf = (only: readonly string[], consents: Consents): string =>
  [...only, ...flagsFor(consents)].map((word) => ` ${word}`).join("");

/** Consents as they are typed, word by word. */
export function flagsFor(consents: Consents): readonly string[] {
  const byName = (flag: string, names: readonly string[]) => names.flatMap((name) => [flag, name]);
  return [
    ...byName("--adopt", consents.adopt),
    ...byName("--adopt-forget", consents.adoptForget),
    ...byName("--replace", consents.replace),
    ...(consents.prune === undefined ? [] : ["--prune", String(consents.prune)]),
    ...byName("--allow-widen", consents.allowWiden),
    ...byName("--allow-broad-subject", consents.allowBroadSubject),
    ...byName("--allow-privileged", consents.allowPrivileged),
    ...(consents.undelete ? ["--undelete"] : []),
    ...(consents.grantMe ? ["--grant-me"] : []),
  ];
}

export function viewOf(world: World, { federation, planned, only, command, consents }: Shown): PlanView {
  const links = titles(federation).filter((link) => only.length === 0 || only.includes(link.name));
  const { scopes } = planned.observed.leftovers;
  return {
    file: federation.file,
    world: world.kind,
    plan: planned.plan,
    links,
    scopes: only.length === 0 ? scopes : [],
    command,
    words: consents ? wordsOf(only, consents) : "",
  };
}

export const titles = (federation: Federation): readonly Titled[] =>
  federation.links.map((link) => {
    const title = (side: "from" | "to") =>
      parties.find((party) => party.name === link[side].party)?.title(link, side) ?? "";
    return { name: link.name, from: title("from"), to: title("to"), where: `${link.place.file}:${link.place.line}` };
  });

export type { Context };
