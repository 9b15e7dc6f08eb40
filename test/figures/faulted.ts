import { examples, Faulted, faults, scenes, type Trial } from "../support/faulted.ts";
import type { Figure } from "./figures.ts";

/**
 * Every operation of every example x every fault x {once, always} x {apply, plan, edit, destroy, health}, of which
 * faulted.test.ts tries a sample.
 */
export async function faulted(): Promise<Figure> {
  let [all, good] = [0, 0];
  const bench = await Faulted.open();
  try {
    for (const example of examples)
      for (const scene of scenes) {
        const { shape, operations } = await bench.whole(example, scene);
        for (const trial of trialsOf(operations)) {
          const { wrong } = await bench.trial({ ...trial, example, scene: scene.name }, shape);
          all++;
          if (wrong.length === 0) good++;
          else
            process.stderr.write(
              `  ${example}, ${scene.name}, ${trial.service} ${trial.operation}, ${trial.fault} ${trial.times}: ${wrong}\n`,
            );
        }
      }
  } finally {
    await bench.end();
  }
  return {
    name: `one operation goes wrong, once or always: ${scenes.length} commands over ${examples.length} examples, ${faults.length} faults`,
    target: "nothing false is said, no stack, none over 130 s, and the same command leaves nothing behind afterwards",
    measured: `${good} of ${all}`,
    good: good === all,
  };
}

const trialsOf = (operations: readonly string[]): readonly Omit<Trial, "example" | "scene">[] =>
  operations.flatMap((call) => {
    const [service = "", operation = ""] = call.split(" ");
    return faults.flatMap((fault) =>
      (["once", "always"] as const).map((times) => ({ service, operation, fault, times })),
    );
  });
