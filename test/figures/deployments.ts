import { example } from "../support/bench.ts";
import { type Deploying, killedAt, runIn, things } from "../support/deploying.ts";
import { has } from "../support/witness.ts";
import { type Figure, inFolder, withBench } from "./figures.ts";

/** The first step is done and the second has begun: so every run gets one step further. */
const second = /(?:^|\s)2\/\d+ {2}/;

/** Kills one run after the other, until one comes to its end; how many were killed. */
async function untilDone(all: Deploying, words: string): Promise<number> {
  for (let kills = 0; ; kills++) if (!second.test(await killedAt(all, words, second))) return kills;
}

/** What strangers/deploy.test.ts tries at one step of `deploy`, at every step of it and of `offboard`. */
export async function deployments(): Promise<Figure> {
  const name = "kill -9 of crosstrust and gcloud at every step of deploy, then of offboard, each run again";
  const target = "deploy ends with what one run makes, offboard with what was there before";
  if (!has("gcloud")) return { name, target, measured: "not measured: gcloud is not here", good: true };
  const whole = (kill: boolean) =>
    inFolder(example, (cwd) =>
      withBench(async (b) => {
        const all = { b, cwd };
        const before = await things(b);
        const kills = kill ? await untilDone(all, "deploy --sandbox --yes") : 0;
        const { exit } = await runIn(all, "deploy --sandbox --yes");
        const made = await things(b);
        const taken = kill ? await untilDone(all, "offboard --sandbox --yes") : 0;
        const left = (await things(b)).filter((key) => !before.includes(key));
        return { exit, made: JSON.stringify(made), kills: kills + taken, left };
      }),
    );
  const [once, often] = [await whole(false), await whole(true)];
  const good = once.exit === 0 && often.exit === 0 && often.made === once.made && often.left.length === 0;
  return { name, target, measured: `${often.kills} kills, ${good ? "as one run" : "another end"}`, good };
}
