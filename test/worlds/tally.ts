import { players } from "../../src/parties/players.ts";
import { attach } from "../../src/sandbox/attach.ts";
import { Bench } from "../support/bench.ts";
import { type Fault, faults, type Played, play, type World, worldOf } from "./run.ts";

/** What came of many worlds. */
export interface Tally {
  readonly counts: Readonly<Record<Fault, number>>;
  /** Worlds in which the sandbox refused the outsider whom the truth lets in. */
  readonly unconfirmed: number;
  readonly worlds: number;
  /** The first few of each kind, to play again alone: seed, issuer, edits, verdict. */
  readonly examples: readonly string[];
}

const shown = 4;
/** So many worlds share what is remembered outside of the sandbox, such as the budget for retries. */
const together = 50;

/** Plays the worlds of the seeds `from`, `from + 1` ... in one sandbox, one after the other. */
export async function tally(to: World["to"], from: number, worlds: number): Promise<Tally> {
  const counts = Object.fromEntries(faults.map((fault) => [fault, 0])) as Record<Fault, number>;
  const examples: string[] = [];
  let unconfirmed = 0;
  const attached = await attach({ players });
  try {
    if (!attached.sandbox) throw new Error("a sandbox in memory is served by this process");
    const b = new Bench(attached.url, attached.sandbox);
    let surroundings = b.world();
    for (let at = 0; at < worlds; at++) {
      if (at % together === 0) surroundings = b.world();
      const played = await play(b, worldOf(to, from + at), surroundings);
      if (played.replayed === false) {
        unconfirmed++;
        if (unconfirmed <= shown) examples.push(lineOf(from + at, "the sandbox refuses the outsider", played));
      }
      const { fault } = played;
      if (!fault) continue;
      counts[fault]++;
      if (counts[fault] <= shown) examples.push(lineOf(from + at, fault, played));
    }
  } finally {
    await attached.close();
  }
  return { counts, unconfirmed, worlds, examples };
}

const lineOf = (seed: number, what: string, { world, verdict }: Played): string =>
  `${what}: seed ${seed}, ${world.issuer.name} to ${world.to}, ${world.edits.join(" + ") || "not edited"}: ${verdict}`;
