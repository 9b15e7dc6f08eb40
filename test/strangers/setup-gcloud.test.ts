import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { bench, example, folderWith } from "../support/bench.ts";
import { environmentOf, run } from "../support/cli.ts";
import { witnessed } from "../support/witness.ts";

// What a deployment sets up around its functions, by the unmodified gcloud.

async function stage() {
  const b = await bench();
  const folder = folderWith(example);
  const env = await environmentOf(b.url, folder);
  const gcloud = (...words: string[]) => run("gcloud", [...words, "--quiet"], { env, cwd: folder });
  const json = async (...words: string[]) => JSON.parse((await gcloud(...words, "--format=json")).out || "null");
  const file = (name: string, content: unknown) => {
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
    return name;
  };
  const unknown = () => b.calls.filter(({ operation }) => operation === "Unknown");
  return { b, folder, gcloud, json, file, unknown };
}

const writer = "serviceAccount:writer@acme-prod.iam.gserviceaccount.com";

describe("gcloud storage", () => {
  witnessed("gcloud")("makes a bucket, says who may use it, and takes it away with all that is in it", async () => {
    const { gcloud, json, file, folder, unknown } = await stage();
    const made = await gcloud(
      ...["storage", "buckets", "create", "gs://acme-state", "--location=us-central1"],
      ...["--uniform-bucket-level-access", "--public-access-prevention"],
    );
    expect(made.exit).toBe(0);
    const again = await gcloud("storage", "buckets", "create", "gs://acme-state");
    expect([again.exit, again.err]).toEqual([1, expect.stringContaining("you already own it")]);
    const rule = file("lifecycle.json", { rule: [{ action: { type: "Delete" }, condition: { age: 30 } }] });
    const bucket = ["storage", "buckets", "update", "gs://acme-state"];
    expect((await gcloud(...bucket, "--update-labels=crosstrust=acme,a=b", `--lifecycle-file=${rule}`)).exit).toBe(0);
    expect((await gcloud(...bucket, "--remove-labels=a")).exit).toBe(0);
    expect(await json("storage", "buckets", "describe", "gs://acme-state")).toMatchObject({
      labels: { crosstrust: "acme" },
      lifecycle_config: { rule: [{ action: { type: "Delete" } }] },
      location: "US-CENTRAL1",
      public_access_prevention: "enforced",
      uniform_bucket_level_access: true,
    });

    await gcloud("iam", "service-accounts", "create", "writer");
    const grant = ["gs://acme-state", `--member=${writer}`, "--role=roles/storage.objectUser"];
    expect((await gcloud("storage", "buckets", "add-iam-policy-binding", ...grant)).exit).toBe(0);
    const { bindings } = await json("storage", "buckets", "get-iam-policy", "gs://acme-state");
    expect(bindings).toContainEqual({ role: "roles/storage.objectUser", members: [writer] });
    const open = ["gs://acme-state", "--member=allUsers", "--role=roles/storage.objectViewer"];
    const refused = await gcloud("storage", "buckets", "add-iam-policy-binding", ...open);
    expect([refused.exit, refused.err]).toEqual([1, expect.stringContaining("public access prevention is enforced")]);

    const content = Buffer.from([0xff, 0xfe, 0, 13, 10, 0x2d, 0x2d]);
    writeFileSync(join(folder, "small.bin"), content);
    // Above 8 MiB gcloud uploads in a session of its own.
    const large = Buffer.alloc(9 * 1024 * 1024, 7);
    writeFileSync(join(folder, "large.bin"), large);
    expect((await gcloud("storage", "cp", "small.bin", "large.bin", "gs://acme-state/dir/")).exit).toBe(0);
    expect((await gcloud("storage", "cp", "gs://acme-state/dir/small.bin", "back.bin")).exit).toBe(0);
    expect((await gcloud("storage", "cp", "gs://acme-state/dir/large.bin", "large-back.bin")).exit).toBe(0);
    expect(readFileSync(join(folder, "back.bin"))).toEqual(content);
    expect(readFileSync(join(folder, "large-back.bin")).equals(large)).toBe(true);
    const full = await gcloud("storage", "buckets", "delete", "gs://acme-state");
    expect([full.exit, full.err]).toEqual([1, expect.stringContaining("not empty")]);
    expect((await gcloud("storage", "rm", "-r", "gs://acme-state")).exit).toBe(0);
    expect((await gcloud("storage", "buckets", "describe", "gs://acme-state")).err).toContain("not found: 404");
    expect(unknown()).toEqual([]);
  });
});

describe("gcloud iam roles", () => {
  witnessed("gcloud")("makes, changes, deletes and brings back a role, whose id a deletion does not free", async () => {
    const { gcloud, json, file, unknown } = await stage();
    const role = { title: "provision", stage: "GA", includedPermissions: ["iam.serviceAccounts.get"] };
    const create = ["iam", "roles", "create", "ctProvision", "--project=acme-prod", `--file=${file("r.yaml", role)}`];
    const one = (verb: string, ...more: string[]) =>
      gcloud("iam", "roles", verb, "ctProvision", "--project=acme-prod", ...more);
    expect((await gcloud(...create)).exit).toBe(0);
    expect((await gcloud(...create)).err).toContain("A role named ctProvision in projects/acme-prod already exists.");
    expect((await one("update", "--add-permissions=iam.serviceAccounts.list")).exit).toBe(0);
    const name = "projects/acme-prod/roles/ctProvision";
    expect(await json("iam", "roles", "describe", "ctProvision", "--project=acme-prod")).toMatchObject({
      ...{ name, stage: "GA", title: "provision" },
      includedPermissions: ["iam.serviceAccounts.get", "iam.serviceAccounts.list"],
    });
    await gcloud("iam", "service-accounts", "create", "writer");
    const bind = ["projects", "add-iam-policy-binding", "acme-prod", `--member=${writer}`, "--condition=None"];
    expect((await gcloud(...bind, `--role=${name}`)).exit).toBe(0);
    expect((await gcloud(...bind, `--role=${name}x`)).err).toContain("does not exist in the resource's hierarchy");
    expect((await one("delete")).exit).toBe(0);
    expect(await json("iam", "roles", "list", "--project=acme-prod")).toEqual([]);
    const [gone] = await json("iam", "roles", "list", "--project=acme-prod", "--show-deleted");
    expect(gone).toMatchObject({ name, deleted: true });
    expect((await gcloud(...create)).err).toContain(
      "You can't create a role_id (ctProvision) which has been marked for deletion.",
    );
    expect((await one("undelete")).exit).toBe(0);
    expect((await json("iam", "roles", "list", "--project=acme-prod")).length).toBe(1);
    expect(unknown()).toEqual([]);
  });
});

describe("gcloud logging and monitoring", () => {
  const metric = {
    filter: 'resource.type="cloud_run_revision" AND jsonPayload.event="crosstrust.link"',
    labelExtractors: { link: "EXTRACT(jsonPayload.link)" },
    metricDescriptor: { metricKind: "DELTA", valueType: "INT64", labels: [{ key: "link", valueType: "STRING" }] },
  };
  const policy = {
    ...{ displayName: "crosstrust acme", combiner: "OR", userLabels: { crosstrust: "acme" } },
    conditions: [
      {
        displayName: "a link is broken",
        conditionThreshold: {
          filter: 'resource.type="cloud_run_revision" AND metric.type="logging.googleapis.com/user/acme-links"',
          ...{ comparison: "COMPARISON_GT", thresholdValue: 0, duration: "0s" },
          aggregations: [{ alignmentPeriod: "300s", perSeriesAligner: "ALIGN_COUNT" }],
        },
      },
    ],
  };

  witnessed("gcloud")("keeps metrics and alert policies, and a policy only over a metric that is there", async () => {
    const { gcloud, json, file, unknown } = await stage();
    const metrics = (verb: string, ...more: string[]) => gcloud("logging", "metrics", verb, "acme-links", ...more);
    // In gcloud 528 the policies are in the alpha track alone.
    const policies = (...words: string[]) => gcloud("alpha", "monitoring", "policies", ...words);
    const early = await policies("create", `--policy-from-file=${file("p.json", policy)}`);
    expect([early.exit, early.err]).toEqual([1, expect.stringContaining("Cannot find metric(s) that match type")]);
    expect((await metrics("create", `--config-from-file=${file("m.json", metric)}`)).exit).toBe(0);
    expect((await metrics("create", "--config-from-file=m.json")).err).toContain("already exists");
    file("m.json", { ...metric, description: "links" });
    expect((await metrics("update", "--config-from-file=m.json")).exit).toBe(0);
    const [listed] = await json("logging", "metrics", "list");
    expect(listed).toMatchObject({ name: "acme-links", description: "links", filter: metric.filter });

    expect((await policies("create", "--policy-from-file=p.json")).exit).toBe(0);
    const [made] = await json("alpha", "monitoring", "policies", "list");
    expect(made).toMatchObject({ displayName: "crosstrust acme", userLabels: { crosstrust: "acme" }, enabled: true });
    file("p.json", { ...policy, displayName: "crosstrust acme 2" });
    expect((await policies("update", made.name, "--policy-from-file=p.json")).exit).toBe(0);
    const [changed] = await json("alpha", "monitoring", "policies", "list");
    expect([changed.name, changed.displayName]).toEqual([made.name, "crosstrust acme 2"]);
    expect((await policies("delete", made.name)).exit).toBe(0);
    expect((await metrics("delete")).exit).toBe(0);
    expect(await json("alpha", "monitoring", "policies", "list")).toEqual([]);
    expect(await json("logging", "metrics", "list")).toEqual([]);
    expect(await json("beta", "monitoring", "channels", "list")).toEqual([]);
    expect(unknown()).toEqual([]);
  });

  witnessed("gcloud")("is told of an API that is off, and switches it on", async () => {
    const { gcloud, json } = await stage();
    const repositories = ["artifacts", "repositories", "list", "--location=us-central1"];
    const off = await gcloud(...repositories);
    expect([off.exit, off.err]).toEqual([
      1,
      expect.stringMatching(/Artifact Registry API has not been used in project \d+ before or it is disabled/),
    ]);
    expect(off.err).toContain("SERVICE_DISABLED");
    expect((await gcloud("services", "enable", "artifactregistry.googleapis.com")).exit).toBe(0);
    expect(await json(...repositories)).toEqual([]);
  });
});
