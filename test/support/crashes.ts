import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Consents } from "../../src/model.ts";
import { account, type Bench, example } from "./bench.ts";
import { issuerByHand, poolByHand, roleByHand } from "./by-hand.ts";
import { type Kill, runAndKill } from "./killer.ts";
import { killPoints } from "./points.ts";

// Commands that are killed (SIGKILL) at a remote call: crash.test.ts tries some of the calls, `npm run figures` all.

const rich = example.replace("may:  [", "may:  [ { allow: [ s3:GetObject ], resources: [ 'arn:aws:s3:::acme/*' ] },");

/** What exists, without what differs from run to run: counters, times, versions of policies. */
export const shape = ({ sandbox }: Bench): readonly unknown[] =>
  sandbox.state
    .list<Record<string, unknown>>("")
    .filter(([key]) => /^(aws\.role|aws\.oidcProvider|google\.(account|pool|poolProvider|bucket))\//.test(key))
    .map(([key, value]) => [
      key,
      { ...value, ...counted, ...bindingsOf(value), ...deletedOf(value), ...masked(value) },
    ]);

const counted = { created: 0, updated: 0, metageneration: 0, policy: 0 };
const deletedOf = ({ deletedAt }: Record<string, unknown>): object => ({ deletedAt: deletedAt === undefined ? 0 : 1 });

/** Who may do what, without the etag. */
const bindingsOf = ({ policy }: Record<string, unknown>): object => {
  const bindings = (policy as { readonly bindings?: readonly unknown[] } | undefined)?.bindings;
  return bindings ? { policy: bindings.map((one) => JSON.stringify(one)).sort() } : {};
};

/** Each sandbox has certificates of its own, and with them thumbprints and what is made of them. */
const masked = ({ thumbprints, tags }: Record<string, unknown>): object =>
  thumbprints === undefined
    ? {}
    : { thumbprints: (thumbprints as readonly string[]).length, tags: Object.keys(tags as object) };

export interface Story {
  readonly name: string;
  /** What is there before the command that is killed. */
  readonly before?: string;
  readonly file: string;
  readonly words: readonly string[];
  /** What somebody made by hand before all that. */
  readonly theirs?: (b: Bench) => Promise<unknown>;
  /** Consents with which `before` is applied. */
  readonly consents?: Partial<Consents>;
  /** How it is run again after a kill, where another number of things is to be pruned then. */
  readonly again?: "prune";
}

const examplesOf = (name: string) => readFileSync(join(import.meta.dirname, "..", "..", "examples", name), "utf8");
const issuer = examplesOf("oidc-to-aws.yaml");
const toGoogle = examplesOf("aws-to-google.yaml");
const direct = examplesOf("azure-to-google.yaml");

export const stories: readonly Story[] = [
  { name: "apply of an issuer's link", file: issuer, words: ["apply", "--quiet"] },
  {
    name: "another client of an issuer",
    before: issuer,
    file: issuer.replace("aws-access-client", "another-client"),
    words: ["apply", "--quiet", "--allow-widen", "okta-engineers"],
  },
  { name: "apply from nothing", file: rich, words: ["apply", "--quiet"] },
  {
    name: "apply of an edit",
    before: rich,
    file: example.replace("audience: aws-trust-1", "audience: aws-trust-2, maxSession: 2h"),
    words: ["apply", "--quiet"],
  },
  { name: "apply of a role's link to google", file: toGoogle, words: ["apply", "--quiet"] },
  {
    name: "another role, with another permission on another bucket",
    before: toGoogle,
    file: toGoogle
      .replace("ec2-my-role", "another-role")
      .replace("objectViewer", "objectAdmin")
      .replace("buckets/acme-reports", "buckets/acme-other"),
    words: ["apply", "--quiet", "--allow-widen", "ec2-to-gcs", "--prune", "2"],
    again: "prune",
  },
  { name: "destroy of a link to google", before: direct, file: direct, words: ["destroy", "--quiet"] },
  { name: "destroy", before: rich, file: rich, words: ["destroy", "--quiet"] },
];

const adopt = ["--adopt", "reports-to-s3"];
const adopted = { adopt: ["reports-to-s3"] };
const adoptedSink = { adopt: ["ec2-to-gcs"] };
const moved = example.replace("audience:", "path: /team/, audience:");
const replace = ["--replace", `aws:role/${account}/reports-reader`];
/** The file without the link that made them. */
const without = example
  .replace("reports-to-s3", "other-to-s3")
  .replace("serviceAccount: reports", "serviceAccount: others")
  .replace("role: reports-reader", "role: others-reader");

/** Commands that take over, give back, replace or prune what was there before. */
export const takings: readonly Story[] = [
  { name: "adopt a role", file: example, theirs: roleByHand, words: ["apply", "--quiet", ...adopt] },
  {
    name: "destroy an adopted role",
    ...{ file: example, before: example, theirs: roleByHand, consents: adopted },
    words: ["destroy", "--quiet"],
  },
  {
    name: "replace a role",
    ...{ file: moved, before: example, words: ["apply", "--quiet", ...replace] },
  },
  {
    name: "replace an adopted role",
    ...{ file: moved, before: example, theirs: roleByHand, consents: adopted },
    words: ["apply", "--quiet", ...replace],
  },
  {
    name: "prune an account and a role",
    ...{ file: without, before: rich, again: "prune" },
    words: ["apply", "--quiet", "--prune", "2"],
  },
  {
    name: "adopt things of google",
    file: toGoogle,
    theirs: poolByHand,
    words: ["apply", "--quiet", "--adopt", "ec2-to-gcs"],
  },
  {
    name: "destroy adopted things of google",
    ...{ file: toGoogle, before: toGoogle, theirs: poolByHand, consents: adoptedSink },
    words: ["destroy", "--quiet"],
  },
  {
    name: "adopt an OIDC provider",
    ...{ file: issuer, theirs: issuerByHand, words: ["apply", "--quiet", "--adopt", "okta-engineers"] },
  },
  {
    name: "destroy an adopted OIDC provider",
    ...{ file: issuer, before: issuer, theirs: issuerByHand, consents: { adopt: ["okta-engineers"] } },
    words: ["destroy", "--quiet"],
  },
];

const isDestroy = ({ words }: Story): boolean => words[0] === "destroy";

/** A bench as it is before the command of a story. */
export async function prepared(b: Bench, { before, theirs, consents = {} }: Story): Promise<Bench> {
  await theirs?.(b);
  if (before) await b.apply(before, { consents });
  return b;
}

/** What a whole run leaves, and where it can be killed. */
export interface Whole {
  readonly wanted: string;
  readonly points: readonly Kill[];
  readonly exit: number | null;
}

/** Runs the command of a story to its end, in the folder of its file. */
export async function wholeRun(b: Bench, story: Story, cwd: string): Promise<Whole> {
  let exit: number | null = null;
  const calls = await b.callsOf(async () => {
    ({ exit } = await runAndKill(b.url, story.words, { cwd }));
  });
  return { wanted: JSON.stringify(shape(b)), points: killPoints(calls), exit };
}

/** A kill after which something was wrong. */
export interface Wrong extends Kill {
  readonly killed: boolean;
  /** Changes that the next plan calls drifted. */
  readonly causes: readonly string[];
  /** Whether a rerun leaves what a whole run leaves. */
  readonly same: boolean;
  /** What the run after that writes. */
  readonly writes: readonly string[];
}

/** Kills the command of a story at one call and runs it again, twice; undefined where all is as it should be. */
export async function killedRun(
  b: Bench,
  story: Story,
  { cwd, kill, wanted }: { readonly cwd: string; readonly kill: Kill; readonly wanted: string },
): Promise<Wrong | undefined> {
  const destroy = isDestroy(story);
  const { killed } = await runAndKill(b.url, story.words, { cwd, kill });
  const { plan } = await b.plan(story.file, { destroy });
  const causes = plan.changes.map(({ cause }) => cause).filter((cause) => cause === "drifted" || cause === "both");
  if (story.again === "prune") await b.prune(story.file, { destroy });
  else if (takings.includes(story)) await runAndKill(b.url, story.words, { cwd });
  else await b.apply(story.file, { destroy });
  const again = await b.callsOf(() => b.apply(story.file, { destroy }));
  const same = JSON.stringify(shape(b)) === wanted;
  const writes = again.filter(({ write }) => write).map(({ operation }) => operation);
  const good = killed && causes.length === 0 && same && writes.length === 0;
  return good ? undefined : { at: kill.at, when: kill.when, killed, causes, same, writes };
}
