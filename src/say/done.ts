import type { Change, Finding, LinkHealth, Verb } from "../model.ts";
import { toDecide } from "../verdict/run.ts";
import { ratings } from "../verdict/table.ts";
import { byWeight, distinct, findingText } from "./findings.ts";
import { hopsText } from "./health.ts";
import { commandLine, count, heading, ink, type Paper, partsOf, toned } from "./paper.ts";
import { type PlanView, unseenText, whoseOf } from "./plan.ts";
import { displayed } from "./visible.ts";

/** A plan, what became of it, and what the proof afterwards found. */
export interface DoneView {
  readonly view: PlanView;
  readonly done: readonly Change[];
  readonly health: readonly LinkHealth[];
  /** Of the state afterwards. */
  readonly findings: readonly Finding[];
  /** Security findings that somebody has to decide about. */
  readonly undecided: number;
}

const past: Readonly<Record<Verb, string>> = {
  create: "created",
  restore: "brought back",
  update: "repaired",
  replace: "made anew",
  adopt: "adopted",
  keep: "refreshed",
  delete: "deleted",
  release: "given back",
};

/** Says that nothing was done, and why: `idle` is said only where the plan saw everything and had nothing to do. */
function nothingDone({ plan }: PlanView, idle: string): readonly string[] {
  const unseen = unseenText(plan);
  const wished = plan.changes.some(({ verb }) => verb !== "keep");
  if (!wished && unseen === undefined) return [`  ${idle}`];
  return [unseen === undefined ? "  nothing was done" : `  nothing was done   ${unseen}`];
}

/** What was done is told in rows; beside it, what nobody could look at. */
const unseenRow = ({ plan }: PlanView): readonly string[] => {
  const unseen = unseenText(plan);
  return unseen === undefined ? [] : [`  not all is known   ${unseen}`];
};

/** Warnings that are worth a line after a run. */
const unmuted = /^(GOOGLE-DEFAULT|PRUNE-ASKED$|LEFTOVERS-CHANGED$|LEFTOVERS-UNSEEN$|NOT-RESTORED$|STORE-)/;

/** What was done, then how each link fares now, the proof last. */
export function doneText(given: DoneView, paper: Paper): string {
  const { view, done, health, findings, undecided } = displayed(given);
  const { file, links, world } = view;
  const shown = done.filter(({ verb }) => verb !== "keep");
  const rows = shown.map((change) => {
    const { party, kind, name } = partsOf(change.address);
    const joined = change.verb === "adopt" && change.live.state === "present" && change.live.joins;
    return `  ${(joined ? "joined" : past[change.verb]).padEnd(12)}  ${party} ${kind}  ${name}`;
  });
  const loud = byWeight(distinct(findings)).filter(
    ({ severity, code }) => severity === "error" || severity === "security" || unmuted.test(code),
  );
  const width = Math.max(...health.map(({ link }) => link.length), 12);
  return [
    heading([file, count(links.length, "link"), world === "sandbox" ? "sandbox" : undefined]),
    ...(rows.length > 0
      ? [...rows, ...unseenRow(view)]
      : nothingDone(view, "nothing to do: everything is as the file says")),
    ...health.map(
      (link) =>
        `  ${ink(paper, toned[ratings[link.verdict].tone], link.verdict.padEnd(12))}  ${link.link.padEnd(width)}   ${hopsText(link.hops)}`,
    ),
    ...(loud.length > 0 ? ["", ...loud.map((finding) => findingText(finding, paper))] : []),
    ...(undecided > 0 ? [toDecide(undecided)] : []),
    ...(health.length > 0 ? [`next   ${commandLine("health", paper)}`] : []),
  ].join("\n");
}

/** `kept`: accounts were switched off instead of deleted, so the words must not say deleted. */
export interface DestroyPaper {
  readonly paper: Paper;
  readonly kept: boolean;
}

/** What went, what was given back, and what lives on all the same. */
export function destroyText(given: Omit<DoneView, "health" | "undecided">, { paper, kept }: DestroyPaper): string {
  const { view, done, findings } = displayed(given);
  const { file, links, world } = view;
  // What had to stay, or kept a part of itself, was told with its address.
  const stays = new Set(findings.flatMap(({ severity, at }) => (severity === "warning" ? [at.address] : [])));
  const rows = done
    .filter(({ verb }) => verb !== "keep")
    .map((change) => {
      const { party, kind, name } = partsOf(change.address);
      const off = kept && kind === "service account" && change.verb === "delete";
      const word = stays.has(change.address) ? "stays" : off ? "disabled" : past[change.verb];
      return `  ${word.padEnd(12)}  ${party} ${kind}  ${name}`;
    });
  const gone = done.filter(({ address, verb }) => verb === "delete" && !stays.has(address));
  const went = (kind: string) => gone.some(({ address }) => partsOf(address).kind === kind);
  const loud = byWeight(distinct(findings)).filter(({ severity }) => severity !== "hint");
  return [
    heading([file, count(links.length, "link"), world === "sandbox" ? "sandbox" : undefined]),
    ...(rows.length > 0
      ? [...rows, ...unseenRow(view)]
      : nothingDone(view, `nothing to destroy: nothing of ${whoseOf(view)} is there`)),
    ...(went("role")
      ? ["lives on: sessions already issued, until they expire (at most the role's longest session)"]
      : []),
    ...(went("pool provider") && !went("pool") ? ["lives on: tokens that its pool gave out, for an hour at most"] : []),
    ...(went("pool") || went("pool provider")
      ? [`held: google keeps the ids for 30 days; to bring them back: ${commandLine("apply --undelete", paper)}`]
      : []),
    ...(went("service account") && !kept
      ? ["lives on: for 30 days google can bring a deleted account back, by its unique id alone"]
      : []),
    ...(loud.length > 0 ? ["", ...loud.map((finding) => findingText(finding, paper))] : []),
  ].join("\n");
}
