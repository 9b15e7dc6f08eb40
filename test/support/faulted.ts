import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apply } from "../../src/cli/commands/apply.ts";
import { destroy } from "../../src/cli/commands/destroy.ts";
import { explain, health } from "../../src/cli/commands/health.ts";
import { plan } from "../../src/cli/commands/plan.ts";
import type { Context } from "../../src/cli/context.ts";
import { failureOf } from "../../src/cli/failure.ts";
import type { Json, World } from "../../src/model.ts";
import { players } from "../../src/parties/players.ts";
import { attach } from "../../src/sandbox/attach.ts";
import type { FaultRule } from "../../src/sandbox/faults.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { Bench } from "./bench.ts";
import { shape } from "./crashes.ts";
import { guard } from "./guard.ts";
import { sharedPairs } from "./pairs.ts";

// One operation of one command goes wrong, once or always: what the command says then must be true, and the same
// command leaves nothing behind once nothing goes wrong any more. faulted.test.ts tries a sample, `npm run figures` all.

export const faults = [
  ...(["throttle", "error500", "reset", "reset-after", "slow"] as const),
  ...(["stall", "truncate", "empty", "html", "stale-read"] as const),
] as const satisfies readonly FaultRule["fault"][];

const commands = { apply, plan, destroy, health, explain } as const;

/** A command over a state. The files are those of one example. */
export interface Scene {
  readonly name: string;
  readonly command: keyof typeof commands;
  /** What is applied before. */
  readonly before?: "file" | "edited" | "more";
  /** Which verdicts and exit codes can be true while something goes wrong. */
  readonly verdicts: readonly string[];
  readonly exits: readonly number[];
}

export const scenes: readonly Scene[] = [
  { name: "apply", command: "apply", verdicts: ["works", "absent", "unknown"], exits: [0, 2, 75] },
  { name: "plan", command: "plan", before: "file", verdicts: [], exits: [0, 75] },
  { name: "apply again", command: "apply", before: "file", verdicts: ["works", "unknown"], exits: [0, 75] },
  {
    name: "apply of an edit",
    command: "apply",
    before: "edited",
    verdicts: ["works", "drifted", "absent", "unknown"],
    exits: [0, 2, 75],
  },
  { name: "destroy", command: "destroy", before: "file", verdicts: [], exits: [0, 75] },
  { name: "health", command: "health", before: "file", verdicts: ["works", "unknown"], exits: [0, 75] },
  { name: "plan of a leftover", command: "plan", before: "more", verdicts: [], exits: [2, 75] },
  {
    name: "apply of a leftover",
    command: "apply",
    before: "more",
    verdicts: ["works", "drifted", "unknown"],
    exits: [0, 2, 75],
  },
  { name: "destroy with a leftover", command: "destroy", before: "more", verdicts: [], exits: [0, 75] },
  {
    name: "health of a leftover",
    command: "health",
    before: "more",
    verdicts: ["works", "drifted", "unknown"],
    exits: [2, 75],
  },
];

const folder = join(import.meta.dirname, "..", "..", "examples");

export const examples = [
  "aws-to-google",
  "azure-to-google",
  "both-ways",
  "entra-to-aws",
  "google-to-aws",
  "oidc-to-aws",
  "oidc-to-google",
] as const;
export type Example = (typeof examples)[number];

export const textOf = (example: Example): string => readFileSync(join(folder, `${example}.yaml`), "utf8");

/** What each example says instead, before it is edited to what it says now. */
const edits: readonly (readonly [string, string])[] = [
  ["AmazonS3ReadOnlyAccess", "AmazonEC2ReadOnlyAccess"],
  ["policy/ReadOnlyAccess", "policy/AmazonS3ReadOnlyAccess"],
  ["s3:GetObject ]", "s3:GetObjectTagging ]"],
  ["roles/storage.objectViewer", "roles/storage.objectCreator"],
];
const editedOf = (text: string): string => edits.reduce((rest, [now, before]) => rest.replaceAll(now, before), text);

/** The example and a second link of each kind that it has, with names of its own. */
const moreOf = (text: string): string => {
  const [head = "", links = ""] = text.split(/^links:\n/m);
  const second = links
    .replaceAll(/^ {2}([\w-]+):/gm, "  $1-2:")
    .replaceAll(/(serviceAccount|role|poolProvider): ([\w-]+)(?![\w/-])/g, "$1: $2-2")
    .replaceAll("aws-trust-1", "aws-trust-2")
    .replaceAll("-access-client", "-access-client-2")
    .replaceAll("api://my-app", "api://my-app-2")
    .replaceAll("buckets/acme-reports", "buckets/acme-more");
  return `${head}links:\n${links}\n${second}`;
};

export const variantOf = (example: Example, which: NonNullable<Scene["before"]>): string => {
  const text = textOf(example);
  return which === "file" ? text : which === "edited" ? editedOf(text) : moreOf(text);
};

/** One thing that goes wrong. */
export interface Trial {
  readonly example: Example;
  readonly scene: string;
  readonly service: string;
  readonly operation: string;
  readonly fault: FaultRule["fault"];
  readonly times: "once" | "always";
}

/** What a command said. `failed`: an error of its own. */
export interface Said {
  readonly exit: number;
  readonly text: string;
  readonly failed: boolean;
  /** Milliseconds, the pauses between tries as in life. */
  readonly ms: number;
}

const hasty = { connect: 400, firstByte: 400, idle: 300, whole: 1500, bytes: 4 * 1024 * 1024 };

/** A sandbox that goes back to the same states again and again, and commands over it in this process. */
export class Faulted {
  private readonly bench: Bench;
  private readonly cwd: string;
  private readonly close: () => Promise<void>;
  private readonly states = new Map<string, readonly (readonly [string, Json])[]>();
  private readonly prunes = new Map<string, number>();
  private skew = 0;

  private constructor(bench: Bench, close: () => Promise<void>) {
    this.bench = bench;
    this.close = close;
    this.cwd = mkdtempSync(join(tmpdir(), "crosstrust-faulted-"));
  }

  static async open(): Promise<Faulted> {
    const attached = await attach({ players, issuerDeadline: guard, keyPair: sharedPairs() });
    return new Faulted(new Bench(attached.url, attached.sandbox as Sandbox), () => attached.close());
  }

  async end(): Promise<void> {
    rmSync(this.cwd, { recursive: true, force: true });
    await this.close();
  }

  private get sandbox(): Sandbox {
    return this.bench.sandbox;
  }

  /** Time passes by the pauses between tries, for the command and for the clouds alike. */
  private world(): World {
    const world = this.bench.world();
    const sleep = async (ms: number) => {
      await world.clock.sleep(Math.min(ms, 2));
      this.skew += ms;
      this.sandbox.set({ offsetSeconds: this.skew / 1000 });
    };
    return { ...world, clock: { now: () => Date.now() + this.skew, sleep } };
  }

  /** Runs one command over a file, as typed with `--sandbox`; `change` is given the world before. */
  async run(
    command: keyof typeof commands,
    text: string,
    {
      change = (world: World) => world,
      what = "",
      prune,
    }: { readonly change?: (world: World) => World; readonly what?: string; readonly prune?: number | undefined } = {},
  ): Promise<Said> {
    const file = join(this.cwd, "federation.yaml");
    writeFileSync(file, text);
    const world = change(this.world());
    const flags = { file, sandbox: true, quiet: true, yes: true };
    const context: Context = { flags, world, paper: { colour: false, again: "" }, close: async () => {} };
    const start = Date.now() + this.skew;
    const ms = () => Date.now() + this.skew - start;
    try {
      const consents = prune === undefined || command === "plan" ? {} : { prune };
      const ask = { words: [], links: [], keepServiceAccounts: false, what, ...consents };
      const { exit, text: said } = await commands[command](context, ask);
      return { exit, text: said, failed: false, ms: ms() };
    } catch (error) {
      const { exit, text: said } = failureOf(error, { name: command, flags });
      return { exit, text: said, failed: exit === 1, ms: ms() };
    }
  }

  /** The state before a scene; made once. Everything in it is old: a stale read shows the same. */
  async prepare(example: Example, { before }: Pick<Scene, "before">): Promise<void> {
    this.sandbox.faults.set([]);
    this.bench.limits = guardLimits;
    const key = `${example} ${before}`;
    let held = this.states.get(key);
    if (!held) {
      this.sandbox.reset();
      this.skew = 0;
      if (before) {
        const { exit, text } = await this.run("apply", variantOf(example, before));
        if (exit !== 0) throw new Error(`${key} cannot be applied: ${text}`);
      }
      held = this.sandbox.state.list<Json>("");
      this.states.set(key, held);
    }
    this.skew = 0;
    this.sandbox.state.clear();
    earlier(() => {
      for (const [key, value] of held) this.sandbox.state.put(key, value);
    });
    this.sandbox.set({ offsetSeconds: 0 });
  }

  get shape(): string {
    // What is deleted keeps the description that it had at the end, and nobody reads its mark any more.
    const told = shape(this.bench).map((one) => JSON.stringify(one).replace(deleted, '$1"(deleted)"$2'));
    const all = told.map((one) => one.replaceAll(/\b1\d{20}\b/g, "(unique id)"));
    return all.sort().join("\n");
  }

  /** With the number of what no link names, as a plan that saw everything gave it. */
  private async scene(example: Example, { command, before }: Scene): Promise<Said> {
    return this.run(command, textOf(example), { prune: this.prunes.get(`${example} ${before}`) });
  }

  /** The same once nothing goes wrong any more, with the number of what is left by now. */
  private async again(example: Example, { command }: Scene): Promise<Said> {
    return this.run(command, textOf(example), { prune: await this.count(example) });
  }

  /** How many things no link of the example names, as the plan says it. */
  private async count(example: Example): Promise<number | undefined> {
    const { text } = await this.run("plan", textOf(example));
    const [, number] = /(\d+) things? of this deployment (?:is|are) named by no link/.exec(text) ?? [];
    return number === undefined ? undefined : Number(number);
  }

  private async counted(example: Example, scene: Scene): Promise<void> {
    const key = `${example} ${scene.before}`;
    if (scene.before === undefined || scene.before === "file" || this.prunes.has(key)) return;
    await this.prepare(example, scene);
    const number = await this.count(example);
    if (number !== undefined) this.prunes.set(key, number);
  }

  /** What the command leaves where nothing goes wrong, and which operations it calls. */
  async whole(example: Example, scene: Scene) {
    await this.counted(example, scene);
    await this.prepare(example, scene);
    let said: Said | undefined;
    const calls = await this.bench.callsOf(async () => {
      said = await this.scene(example, scene);
    });
    const operations = [...new Set(calls.map(({ service, operation }) => `${service} ${operation}`))].sort();
    return { shape: this.shape, operations, said: said as Said };
  }

  /** Everything wrong that was said or left in one trial. */
  async trial(trial: Trial, wanted: string) {
    const scene = scenes.find(({ name }) => name === trial.scene) as Scene;
    await this.prepare(trial.example, scene);
    const { service, operation, fault, times } = trial;
    const seconds = fault === "slow" ? 0.6 : 5;
    const rule: FaultRule = { service, operation, fault, seconds, ...(times === "once" ? { nth: 1 } : {}) };
    this.bench.limits = hasty;
    this.sandbox.faults.set([rule]);
    const said = await this.scene(trial.example, scene);
    this.sandbox.faults.set([]);
    this.bench.limits = guardLimits;
    const wrong = [...falseIn(said, scene, this.shape === wanted)];
    if (scene.command === "apply" || scene.command === "destroy") {
      const again = await this.again(trial.example, scene);
      if (again.exit !== 0) wrong.push(`run again it ends with ${again.exit}`);
      if (this.shape !== wanted) wrong.push("run again it leaves something else");
      return { said, again, wrong };
    }
    return { said, again: undefined, wrong };
  }
}

const deleted = /("description":)"[^"]*"(.*"deletedAt":1)/;

const guardLimits = { connect: guard, firstByte: guard, idle: guard, whole: guard, bytes: 4 * 1024 * 1024 };

/** Does something as if it were done five minutes ago. */
function earlier(job: () => void): void {
  const { now } = Date;
  const then = now() - 300_000;
  Date.now = () => then;
  try {
    job();
  } finally {
    Date.now = now;
  }
}

/** What is a conclusion: it needs everything to have been seen. */
export const reassuring =
  /nothing to do|everything is as the file says|nothing of this deployment|nothing to destroy|every link works/;

function falseIn(said: Said, scene: Scene, done: boolean): readonly string[] {
  const { exit, text, failed, ms } = said;
  const claims = [
    ...text.matchAll(/^ *(?:[✓✕~!+?◇] *)?(OPEN|open|broken|drifted|absent|unknown|unproved|works)\b/gm),
  ].map(([, verdict = ""]) => verdict);
  return [
    ...(failed ? ["an error of its own"] : []),
    ...(scene.exits.includes(exit) ? [] : [`exit ${exit}`]),
    ...(exit === 0 && !done ? ["exit 0 and not done"] : []),
    ...(!done && reassuring.test(text) ? ["reassures"] : []),
    ...claims.filter((verdict) => !scene.verdicts.includes(verdict)).map((verdict) => `called ${verdict}`),
    ...(/drifted: somebody/.test(text) ? ["called drifted by somebody"] : []),
    ...(ms > 130_000 ? [`takes ${Math.round(ms / 1000)} s`] : []),
  ];
}
