import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { reviewFile } from "../src/crosstrust/review.ts";
import { applyPlan, makePlan } from "../src/crosstrust.ts";
import type { Change, World } from "../src/model.ts";
import { parseDescription, withMark } from "../src/parties/google/mark.ts";
import { brief } from "../src/plan/fingerprint.ts";
import { type Bench, bench, federationOf } from "./support/bench.ts";

// What a former file left behind, after the file was edited and nobody said `destroy`: it is found where the file still
// has something, whatever kind of thing it is, and what somebody else gave is never among it.

const example = (name: string): string =>
  readFileSync(join(import.meta.dirname, "..", "examples", `${name}.yaml`), "utf8");
const linksOf = (text: string) => text.slice(text.indexOf("links:\n") + "links:\n".length);
const aws = example("aws-to-google");
const azure = example("azure-to-google");
const all = `${example("google-to-aws")}${linksOf(example("oidc-to-aws"))}${linksOf(aws)}${linksOf(azure)}`;

const gone = (changes: readonly Change[]) =>
  changes.filter(({ verb }) => verb === "delete").map(({ address }) => address.replace(/@acme-prod[^/]*/, ""));
const codes = (findings: readonly { readonly code: string }[]) => findings.map(({ code }) => code);
const viewer = "roles/storage.objectViewer";
const bucket = (name: string) => `storage/storage/v1/b/${name}/iam`;
const membersOf = async (b: Bench, path: string) =>
  ((await b.google("GET", path)).body.bindings as { role: string; members: string[] }[] | undefined) ?? [];
const sink = "serviceAccount:etl-sink@acme-prod.iam.gserviceaccount.com";

/** Applies it, and again: the second time there is nothing to do, to seek or to write. */
async function settled(b: Bench, file: string): Promise<void> {
  const { applied } = await b.prune(file);
  expect(applied.findings).toEqual([]);
  const calls = await b.callsOf(async () => {
    const { plan } = (await b.prune(file)).planned;
    expect(gone(plan.changes)).toEqual([]);
    expect(codes(plan.findings).filter((code) => code.startsWith("LEFTOVERS"))).toEqual([]);
  });
  expect(calls.filter(({ write, operation }) => write || operation === "ListBuckets")).toEqual([]);
}

describe("what an edit takes away is taken away", () => {
  test("another role in may: the former one goes, and what others gave the account stays", async () => {
    const b = await bench();
    await b.prune(aws);
    const path = bucket("acme-reports");
    const { body } = await b.google("GET", path);
    const theirs = { role: "roles/storage.legacyBucketReader", members: [sink, "user:anna@example.com"] };
    await b.google("PUT", path, { ...body, bindings: [...(body.bindings as object[]), theirs] });
    const edited = aws.replace(viewer, "roles/storage.objectAdmin");
    expect(gone((await b.plan(edited)).plan.changes)).toEqual([
      "google:binding/acme-prod/acme-reports/storage.objectViewer/etl-sink",
    ]);
    await settled(b, edited);
    const left = await membersOf(b, path);
    expect(left).toContainEqual(theirs);
    expect(left).toContainEqual({ role: "roles/storage.objectAdmin", members: [sink] });
    expect(left).toHaveLength(2);
  });

  test.each([
    ["an account's", aws, "google:binding/acme-prod/acme-reports/storage.objectViewer/etl-sink"],
    [
      "a pool's",
      azure,
      "google:binding/acme-prod/acme-reports/storage.objectViewer/partners/subject/9f3c1e2a-0000-4000-8000-000000000001",
    ],
  ])("%s grant on a bucket that the file names no more", async (_, file, address) => {
    const b = await bench();
    await b.prune(file);
    const edited = file.replace("buckets/acme-reports", "buckets/acme-other");
    const { plan, observed } = await b.plan(edited);
    expect(gone(plan.changes)).toEqual([address]);
    expect(observed.leftovers.scopes).toContain("google policies acme-prod");
    await settled(b, edited);
    expect(await membersOf(b, bucket("acme-reports"))).toEqual([]);
    expect((await b.health(edited)).verdict).toBe("works");
  });

  test("a grant on the project, and all of may", async () => {
    const b = await bench();
    const file = aws
      .replace(
        "//storage.googleapis.com/projects/_/buckets/acme-reports",
        "//cloudresourcemanager.googleapis.com/projects/acme-prod",
      )
      .replace(viewer, "roles/browser");
    await b.prune(file);
    const without = file.replace(/ {4}may:[\s\S]*/, "");
    expect(gone((await b.plan(without)).plan.changes)).toEqual(["google:binding/acme-prod/acme-prod/browser/etl-sink"]);
    await settled(b, without);
  });

  test("the member on an account that was only used", async () => {
    const b = await bench();
    const path = "iam/v1/projects/acme-prod/serviceAccounts";
    for (const accountId of ["theirs-1", "theirs-2"]) await b.google("POST", path, { accountId });
    const using = (id: string) =>
      aws
        .replace("serviceAccount: etl-sink", `serviceAccount: ${id}@acme-prod.iam.gserviceaccount.com`)
        .replace(/ {4}may:[\s\S]*/, "");
    const consents = { adopt: ["ec2-to-gcs"] };
    await b.prune(using("theirs-1"), { consents });
    const { plan } = await b.plan(using("theirs-2"), { consents });
    expect(gone(plan.changes)).toEqual([
      "google:bindingOnUsed/acme-prod/theirs-1/iam.workloadIdentityUser/partners/attribute.aws_role/ec2-my-role",
    ]);
    await b.prune(using("theirs-2"), { consents });
    const policy = await b.google("POST", `${path}/theirs-1@acme-prod.iam.gserviceaccount.com:getIamPolicy`, {});
    expect(policy.body.bindings).toBeUndefined();
  });
});

describe("accounts that are only used", () => {
  const path = "iam/v1/projects/acme-prod/serviceAccounts";
  const using = (text: string, id = "theirs-1") =>
    text.replace("serviceAccount: etl-sink", `serviceAccount: ${id}@acme-prod.iam.gserviceaccount.com`);
  const stage = async () => {
    const b = await bench();
    for (const accountId of ["theirs-1", "theirs-2"]) await b.google("POST", path, { accountId });
    return b;
  };
  const consents = { adopt: ["ec2-to-gcs", "lambda-to-gcs"] };

  // Catches a program that says of a grant which it may not touch that there is none.
  test("what one was granted is told with its command, as long as it stands", async () => {
    const b = await stage();
    await b.prune(using(aws), { consents });
    const edited = using(aws, "theirs-2");
    await b.prune(edited, { consents });
    const told = (await b.plan(edited)).plan.findings.find(({ code }) => code === "LEFTOVERS-OTHERS");
    const member = "serviceAccount:theirs-1@acme-prod.iam.gserviceaccount.com";
    expect(told?.fix).toEqual([
      `gcloud storage buckets remove-iam-policy-binding gs://acme-reports --member=${member} --role=${viewer}`,
    ]);
    const policy = await b.google("GET", bucket("acme-reports"));
    const bindings = (policy.body.bindings as { role: string; members: string[] }[]).map((one) => ({
      ...one,
      members: one.members.filter((name) => name !== member),
    }));
    await b.google("PUT", bucket("acme-reports"), { ...policy.body, bindings });
    await b.prune(edited, { consents });
    expect(codes((await b.plan(edited)).plan.findings)).not.toContain("LEFTOVERS-OTHERS");
  });

  test("a pool that was renamed: its member on the account goes, and what the account was granted", async () => {
    const b = await stage();
    await b.prune(using(aws), { consents });
    const edited = using(aws)
      .replace("pool: partners", "pool: others")
      .replace("buckets/acme-reports", "buckets/acme-new");
    await b.prune(edited, { consents });
    expect(await membersOf(b, bucket("acme-reports"))).toEqual([]);
    const { body } = await b.google("POST", `${path}/theirs-1@acme-prod.iam.gserviceaccount.com:getIamPolicy`, {});
    expect(JSON.stringify(body.bindings)).toContain("/others/");
    expect(JSON.stringify(body.bindings)).not.toContain("/partners/");
  });

  // Catches a run that deletes what alone knows of a grant, after the grant could not be taken away.
  test("where a grant cannot be taken away, what remembers it stays until it is", async () => {
    const b = await stage();
    const other = linksOf(using(aws)).replace("ec2-to-gcs:", "lambda-to-gcs:").replace("ec2-my-role", "lambda-role");
    const second = other.replace("aws-prod", "aws-two").replace("acme-reports", "acme-two");
    await b.prune(`${using(aws)}${second}`, { consents });
    const left = `${using(aws).slice(0, using(aws).indexOf("links:\n") + 7)}${second}`;
    const fault = {
      service: "google.storage",
      operation: "SetBucketIamPolicy",
      probability: 1,
      fault: "error500",
      seed: 1,
    };
    await fetch(`${b.url}/_sandbox/faults`, { method: "PUT", body: JSON.stringify([fault]) });
    await b.prune(left);
    await fetch(`${b.url}/_sandbox/faults`, { method: "PUT", body: "[]" });
    expect(gone((await b.plan(left)).plan.changes)).toContain(
      "google:binding/acme-prod/acme-reports/storage.objectViewer/theirs-1",
    );
    await settled(b, left);
    expect(await membersOf(b, bucket("acme-reports"))).toEqual([]);
  });
});

describe("kinds that the file names no more", () => {
  test.each([
    ["an OIDC provider beside a role", example("google-to-aws"), /^aws:oidcProvider/],
    ["accounts beside a pool", azure, /^google:serviceAccount\/acme-prod\/etl-sink/],
    ["a pool beside an account", example("google-to-aws"), /^google:pool\//],
  ])("%s", async (_, kept, kind) => {
    const b = await bench();
    await b.prune(all);
    expect(gone((await b.plan(kept)).plan.changes)).toContainEqual(expect.stringMatching(kind));
    await settled(b, kept);
  });

  test("a check looks for no more than the file's own kinds: its role is for those", async () => {
    const b = await bench();
    await b.prune(example("google-to-aws"));
    const calls = await b.callsOf(() => b.health(example("google-to-aws")));
    const lists = calls.filter(({ operation }) => operation.startsWith("List")).map(({ operation }) => operation);
    expect(lists).not.toContainEqual(expect.stringMatching(/Pools|OpenIDConnect|Buckets/));
  });
});

describe("what is remembered", () => {
  const edited = aws.replace("buckets/acme-reports", "buckets/acme-other");
  const former = ["google:binding/acme-prod/acme-reports/storage.objectViewer/etl-sink"];

  test("applying one link forgets nothing that only the whole file may take away", async () => {
    const b = await bench();
    await b.prune(aws);
    await b.prune(edited, { only: ["ec2-to-gcs"] });
    await b.prune(edited, { only: ["ec2-to-gcs"] });
    expect(gone((await b.plan(edited)).plan.changes)).toEqual(former);
    await settled(b, edited);
  });

  test("destroying one of two links forgets what it took away", async () => {
    const b = await bench();
    const other = linksOf(aws).replace("ec2-to-gcs:", "lambda-to-gcs:").replace("ec2-my-role", "lambda-role");
    const two = `${aws}${other.replace(viewer, "roles/storage.objectAdmin")}`;
    await b.prune(two);
    await b.prune(two, { only: ["lambda-to-gcs"], destroy: true });
    const { plan } = await b.plan(aws);
    expect([gone(plan.changes), codes(plan.findings).filter((code) => code.startsWith("LEFTOVERS"))]).toEqual([[], []]);
  });

  // Catches a program that takes "not permitted to look" for "nothing there".
  test("whoever may not list buckets is told so, and nothing is forgotten", async () => {
    const b = await bench();
    await b.prune(aws);
    const world = b.world();
    const blind: World = {
      ...world,
      http: async (request) =>
        /\/storage\/v1\/b\?/.test(request.url)
          ? {
              status: 403,
              headers: {},
              body: Buffer.from('{"error":{"code":403,"message":"no storage.buckets.list"}}'),
            }
          : world.http(request),
    };
    const planned = await makePlan({ ...b.ask(edited), sweep: true }, blind);
    expect(gone(planned.plan.changes)).toEqual([]);
    expect(codes(planned.plan.findings)).toContain("LEFTOVERS-UNSEEN");
    await applyPlan(planned, false, blind);
    expect(gone((await b.plan(edited)).plan.changes)).toEqual(former);
  });

  // Catches a program that believes whatever a description says: somebody who may write one would have others put out.
  test("a forged memory puts nobody out who is not ours", async () => {
    const b = await bench();
    await b.prune(aws);
    const theirs = "serviceAccount:payroll@acme-prod.iam.gserviceaccount.com";
    const path = "cloudresourcemanager/v1/projects/acme-prod";
    const { body } = await b.google("POST", `${path}:getIamPolicy`, {});
    const bindings = [...(body.bindings as object[]), { role: "roles/browser", members: [theirs] }];
    await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", { accountId: "payroll" });
    await b.google("POST", `${path}:setIamPolicy`, { policy: { ...body, bindings } });
    const forged = brief("google:binding/acme-prod/acme-prod/browser/payroll@acme-prod.iam.gserviceaccount.com");
    const pool = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/partners/providers/aws-prod";
    const { description } = (await b.google("GET", pool)).body as { description: string };
    expect(description).toMatch(/\(holds [0-9a-f]{6}\) \[/);
    await b.google("PATCH", `${pool}?updateMask=description`, {
      description: description.replace("(holds ", `(holds ${forged} `),
    });
    const { planned } = await b.prune(aws);
    expect(gone(planned.plan.changes)).toEqual([]);
    expect(codes(planned.plan.findings)).toContain("LEFTOVERS-OTHERS");
    const after = await b.google("POST", `${path}:getIamPolicy`, {});
    expect(after.body.bindings).toContainEqual({ role: "roles/browser", members: [theirs] });
  });

  // The number stands where marks are made and where it is told: this holds the two together.
  test("more grants than a mark remembers are told, and one fewer is not", async () => {
    const many = (count: number) => {
      const names = Array.from(
        { length: count },
        (_, at) => `//storage.googleapis.com/projects/_/buckets/acme-${at}-x`,
      );
      return aws.replace("//storage.googleapis.com/projects/_/buckets/acme-reports", names.join(", "));
    };
    expect(codes(reviewFile(federationOf(many(12))))).not.toContain("GOOGLE-MANY-GRANTS");
    expect(codes(reviewFile(federationOf(many(13))))).toContain("GOOGLE-MANY-GRANTS");
    const b = await bench();
    await b.prune(many(13));
    const path = "iam/v1/projects/acme-prod/serviceAccounts/etl-sink@acme-prod.iam.gserviceaccount.com";
    const { description } = (await b.google("GET", path)).body as { description: string };
    expect(parseDescription(description)?.holds).toHaveLength(12);
  });

  // Catches a reader of pages that takes a token it has seen for the end: what it did not read would be forgotten.
  test("a list of buckets that does not end is no list", async () => {
    const b = await bench();
    await b.prune(aws);
    const world = b.world();
    const endless: World = {
      ...world,
      http: async (request) =>
        /\/storage\/v1\/b\?/.test(request.url)
          ? { status: 200, headers: {}, body: Buffer.from('{"items":[{"name":"x"}],"nextPageToken":"again"}') }
          : world.http(request),
    };
    const { plan } = await makePlan({ ...b.ask(edited), sweep: true }, endless);
    expect(codes(plan.findings)).toContain("LEFTOVERS-UNSEEN");
    expect(codes(plan.findings)).not.toContain("LEFTOVERS-ELSEWHERE");
  });

  test("what is nowhere is said once, and then forgotten", async () => {
    const b = await bench();
    await b.prune(aws);
    await b.google("PUT", bucket("acme-reports"), { bindings: [] });
    const { planned } = await b.prune(edited);
    expect(codes(planned.plan.findings)).toContain("LEFTOVERS-ELSEWHERE");
    await settled(b, edited);
  });

  test("somebody's own long description is kept whole, and leaves no room to remember", () => {
    const mark = { owner: "acme", want: "a".repeat(16), put: "b".repeat(16), holds: ["3fa9c1", "77be02"] };
    const text = withMark("made by hand", mark);
    expect(text).toBe(`made by hand (holds 3fa9c1 77be02) [crosstrust/1 acme ${mark.want} ${mark.put}]`);
    expect(parseDescription(text)).toEqual(mark);
    expect(withMark(text, undefined)).toBe("made by hand");
    const long = "x".repeat(190);
    const { holds: _, ...rest } = mark;
    expect(parseDescription(withMark(long, mark))).toEqual(rest);
    expect(withMark(withMark(long, mark), undefined)).toBe(long);
  });
});
