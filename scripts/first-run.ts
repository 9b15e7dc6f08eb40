import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { atLocation, inProject } from "../src/deploy/piece.ts";
import { showReport, strike } from "../src/deploy/running.ts";
import { type Command, type Names, nameOf } from "../src/deploy/setup.ts";
import { verdicts } from "../src/model.ts";
import { commandLine } from "../src/say/paper.ts";
import { printable, shownValue } from "../src/say/visible.ts";
import { codes } from "../src/verdict/exit.ts";
import { GcloudFailed, read, typed, write } from "./gcloud.ts";
import type { Place } from "./place.ts";

/** A line for people; the stored report that some of them quote is text that somebody may have written. */
const say = (line: string): void => void process.stdout.write(`${printable(line)}\n`);

const verdict = z.enum(verdicts);
const execution = z.object({
  name: z.string(),
  state: z.string(),
  error: z.object({ payload: z.string() }).optional(),
});
const report = z.object({
  at: z.string(),
  exit: z.int(),
  verdict,
  links: z.array(z.object({ link: z.string(), verdict })),
});

/** Milliseconds: a check may take as long as a function may run. */
const patience = { each: 3000, whole: 600_000 };

/**
 * Has the schedule fire once, waits until the workflow that it starts has ended, and reads what the function has stored:
 * the way that every later check goes. Gives the exit code that the verdict means.
 */
export async function firstRun(place: Place, names: Names): Promise<number> {
  const workflow = nameOf(names, "health");
  const where = [atLocation(names), inProject(names)];
  const listed: Command = ["workflows", "executions", "list", workflow, ...where, "--limit=1", "--format=json"];
  const before = (await latest(place, listed))?.name;
  const fire = strike(names);
  say(`$ ${typed(fire)}`);
  await write(place, fire);
  const ended = await until(place, async () => {
    const found = await latest(place, listed);
    return found && found.name !== before && !["ACTIVE", "QUEUED"].includes(found.state) ? found : undefined;
  });
  if (!ended) throw new GcloudFailed(fire, "the schedule was told to fire, and no execution of the workflow has ended");
  if (ended.state !== "SUCCEEDED")
    throw new GcloudFailed(
      listed,
      `the workflow ${ended.state.toLowerCase()}: ${ended.error?.payload ?? "it does not say why"}`,
    );
  return told(place, names);
}

async function latest(place: Place, command: Command) {
  const found = z.array(execution).parse((await read(place, command)) ?? []);
  return found[0];
}

async function until<T>({ signal }: Place, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const end = Date.now() + patience.whole;
  while (Date.now() < end && !signal.aborted) {
    const found = await look();
    if (found) return found;
    await sleep(patience.each);
  }
  return undefined;
}

async function told(place: Place, names: Names): Promise<number> {
  const show = showReport(names);
  say(`$ ${typed(show)}`);
  const { at, exit, verdict, links } = report.parse(await read(place, show));
  for (const one of links) say(`  ${one.verdict.padEnd(8)}  ${shownValue(one.link)}`);
  const every = `every ${names.every} minutes from now on`;
  say(`${shownValue(at)}   ${verdict}   scheduler, workflow, function and every link; ${every}`);
  if (exit !== codes.fine) say(`next   ${commandLine("health", place.context.paper)}`);
  return exit;
}
