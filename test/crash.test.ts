import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inParallel } from "../src/run/retry.ts";
import { type Bench, bench, example, folderWith } from "./support/bench.ts";
import { type Kill, runAndKill } from "./support/killer.ts";

// SIGKILL before and after every remote call; a rerun must end in the same state, and what is left is "unfinished",
// never "drifted" (fact sheet reliability-and-security, trap 11 and figure F1). Catches a program that writes marks
// before the thing is whole, or removes before it adds.

const rich = example.replace("may:  [", "may:  [ { allow: [ s3:GetObject ], resources: [ 'arn:aws:s3:::acme/*' ] },");

/** What exists, without what differs from run to run: counters, times, versions of policies. */
const shape = ({ sandbox }: Bench): unknown =>
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

interface Story {
  readonly name: string;
  /** What is there before the command that is killed. */
  readonly before?: string;
  readonly file: string;
  readonly words: readonly string[];
}

const examplesOf = (name: string) => readFileSync(join(import.meta.dirname, "..", "examples", name), "utf8");
const issuer = examplesOf("oidc-to-aws.yaml");
const toGoogle = examplesOf("aws-to-google.yaml");
const direct = examplesOf("azure-to-google.yaml");

const stories: readonly Story[] = [
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
    words: ["apply", "--quiet", "--allow-widen", "ec2-to-gcs"],
  },
  { name: "destroy of a link to google", before: direct, file: direct, words: ["destroy", "--quiet"] },
  { name: "destroy", before: rich, file: rich, words: ["destroy", "--quiet"] },
];

test.each(stories)("$name: every kill point converges", { timeout: 300_000 }, async (story) => {
  const prepare = async (): Promise<Bench> => {
    const b = await bench();
    if (story.before) await b.apply(story.before);
    return b;
  };
  const destroy = story.words[0] === "destroy";
  const whole = await prepare();
  const cwd = folderWith(story.file);
  const calls = await whole.callsOf(async () => {
    expect((await runAndKill(whole.url, story.words, { cwd })).exit).toBe(0);
  });
  const wanted = shape(whole);
  // Between the end of one call and the beginning of the next nothing is done, so after the one stands for before the
  // other; what is read before the first write and after the last leaves nothing behind. `npm run figures` tries it all.
  const writes = calls.filter(({ service }) => /^(aws|google)\./.test(service)).map(({ write }) => write);
  const [first, last] = [writes.indexOf(true) + 1, writes.lastIndexOf(true) + 1];
  // Calls that run side by side come in any order, so a few more are tried on both sides.
  const points: readonly Kill[] = [
    { at: 1, when: "before" },
    ...writes
      .map((_, at): Kill => ({ at: at + 1, when: "after" }))
      .filter(({ at }) => at >= first - 2 && at <= last + 2),
  ];
  const wrong = await inParallel(points, 4, async (kill) => {
    const b = await prepare();
    const { killed } = await runAndKill(b.url, story.words, { cwd, kill });
    const { plan } = await b.plan(story.file, { destroy });
    const causes = plan.changes.map(({ cause }) => cause).filter((cause) => cause === "drifted" || cause === "both");
    await b.apply(story.file, { destroy });
    const again = await b.callsOf(() => b.apply(story.file, { destroy }));
    const same = JSON.stringify(shape(b)) === JSON.stringify(wanted);
    const good = killed && causes.length === 0 && same && again.every(({ write }) => !write);
    return good
      ? []
      : [
          {
            ...kill,
            killed,
            causes,
            same,
            writes: again.filter(({ write }) => write).map(({ operation }) => operation),
          },
        ];
  });
  expect(points.length).toBeGreaterThan(6);
  expect(wrong.flat()).toEqual([]);
});
