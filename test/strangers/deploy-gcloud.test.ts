import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { bundleFunctions } from "../../scripts/bundle.ts";
import { bench, example, folderWith } from "../support/bench.ts";
import { environmentOf, run } from "../support/cli.ts";
import { mint } from "../support/deployed.ts";
import { reach } from "../support/reach.ts";
import { witnessed } from "../support/witness.ts";

// The unmodified gcloud deploys what crosstrust's own bundle is, into the sandbox: under the real host names, through
// the proxy and its CA.

const region = "--region=us-central1";
const runner = "runner@acme-prod.iam.gserviceaccount.com";
let sources = "";

beforeAll(async () => {
  sources = mkdtempSync(join(tmpdir(), "crosstrust-deploy-"));
  await bundleFunctions(sources);
  writeFileSync(join(sources, "health", "federation.yaml"), example);
});
afterAll(() => rmSync(sources, { recursive: true, force: true }));

async function stage() {
  const b = await bench();
  const folder = folderWith(example);
  const env = await environmentOf(b.url, folder);
  const gcloud = (...words: string[]) => run("gcloud", [...words, "--quiet"], { env, cwd: folder });
  const json = async (...words: string[]) => JSON.parse((await gcloud(...words, "--format=json")).out || "null");
  const deploy = (...more: string[]) =>
    gcloud(
      ...["run", "deploy", "health", `--source=${join(sources, "health")}`, "--function=health", region],
      ...["--base-image=nodejs24", `--service-account=${runner}`, "--no-allow-unauthenticated", "--concurrency=1"],
      ...["--max-instances=2", "--timeout=120", "--memory=512Mi", "--ingress=all", "--labels=crosstrust=acme"],
      ...more,
    );
  return { b, folder, env, gcloud, json, deploy };
}

describe("gcloud run deploy", () => {
  witnessed("gcloud")("deploys a bundle, deploys it again, and takes it away", async () => {
    const { b, gcloud, json, deploy } = await stage();
    expect((await gcloud("iam", "service-accounts", "create", "runner")).exit).toBe(0);
    const first = await deploy();
    expect([first.exit, first.err]).toEqual([0, expect.stringContaining("has been deployed and is serving")]);
    expect(first.err).toContain("Enabling APIs");
    const again = await deploy();
    expect([again.exit, again.err]).toEqual([0, expect.stringContaining("revision [health-00002-")]);

    const described = await json("run", "services", "describe", "health", region);
    expect(described.metadata.labels).toMatchObject({ crosstrust: "acme" });
    expect(described.spec.template.spec).toMatchObject({
      serviceAccountName: runner,
      containerConcurrency: 1,
      timeoutSeconds: 120,
    });
    expect(described.status.url).toMatch(/^https:\/\/health-[a-z2-7]{10}-uc\.a\.run\.app$/);
    const listed = await json("run", "services", "list");
    expect(listed.map((one: { metadata: { name: string } }) => one.metadata.name)).toEqual(["health"]);

    expect((await gcloud("run", "services", "update", "health", region, "--update-labels=team=a")).exit).toBe(0);
    const { metadata } = await json("run", "services", "describe", "health", region);
    expect(metadata.labels).toMatchObject({ crosstrust: "acme", team: "a" });

    const repository = ["--repository=cloud-run-source-deploy", "--location=us-central1"];
    const packages = await json("artifacts", "packages", "list", ...repository);
    expect(packages.map(({ name }: { name: string }) => name)).toEqual(["health"]);
    expect((await gcloud("artifacts", "packages", "delete", "health", ...repository)).exit).toBe(0);
    expect((await gcloud("run", "services", "delete", "health", region)).exit).toBe(0);
    const gone = await gcloud("run", "services", "describe", "health", region);
    expect([gone.exit, gone.err]).toEqual([1, expect.stringContaining("Cannot find service [health]")]);
    expect(b.calls.filter(({ operation }) => operation === "Unknown")).toEqual([]);
  });

  witnessed("gcloud")("is told what a build and a deployment are refused for", async () => {
    const { b, gcloud, deploy } = await stage();
    const nobody = await deploy();
    expect([nobody.exit, nobody.err]).toEqual([
      1,
      expect.stringContaining(`Permission 'iam.serviceaccounts.actAs' denied on service account ${runner}`),
    ]);
    const old = await deploy("--base-image=nodejs20");
    expect([old.exit, old.err]).toEqual([1, expect.stringMatching(/Build failed.*nodejs20/s)]);
    await gcloud("projects", "remove-iam-policy-binding", "acme-prod", "--role=roles/editor", `--member=${builder(b)}`);
    const poor = await deploy();
    expect([poor.exit, poor.err]).toEqual([1, expect.stringMatching(/Build failed.*storage\.objects\.get/s)]);
  });

  witnessed("gcloud")(
    "makes a function that answers its caller with the verdict, and whose log can be read",
    async () => {
      const { b, gcloud, json, deploy } = await stage();
      await b.apply(example);
      await gcloud("iam", "service-accounts", "create", "runner");
      const audience = "https://health.example";
      const env = `--set-env-vars=CROSSTRUST_CHECKED_IN_FRONT=cloud-run,CROSSTRUST_AUDIENCE=${audience},CROSSTRUST_CALLERS=${runner},CROSSTRUST_STORE=gs://acme-state/health`;
      expect((await deploy(env, `--set-custom-audiences=${audience}`)).exit).toBe(0);
      const grant = ["health", region, `--member=serviceAccount:${runner}`, "--role=roles/run.invoker"];
      expect((await gcloud("run", "services", "add-iam-policy-binding", ...grant)).exit).toBe(0);

      const { status } = await json("run", "services", "describe", "health", region);
      const { uniqueId } = await json("iam", "service-accounts", "describe", runner);
      const token = `Bearer ${await mint(b, { aud: audience, sub: uniqueId, email: runner })}`;
      const headers = { authorization: token };
      const call = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: "{}" };
      const answer = await reach(b.sandbox.host(undefined).deliver, status.url, call);
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([200, { command: "health", verdict: "works" }]);
      const read = ["logging", "read", 'resource.type="cloud_run_revision" AND jsonPayload.event:*', "--limit=5"];
      expect((await gcloud(...read)).err).toContain("Unparseable filter");
      const entries = await json(
        "logging",
        "read",
        'resource.labels.service_name="health" severity>=INFO',
        "--limit=50",
      );
      expect(entries.map(({ jsonPayload }: { jsonPayload: { event: string } }) => jsonPayload.event)).toContain(
        "crosstrust.health",
      );
    },
  );

  witnessed("gcloud")("edits who may invoke it, and reads it back", async () => {
    const { gcloud, json, deploy } = await stage();
    await gcloud("iam", "service-accounts", "create", "runner");
    expect((await deploy()).exit).toBe(0);
    const grant = ["health", region, `--member=serviceAccount:${runner}`, "--role=roles/run.invoker"];
    expect((await gcloud("run", "services", "add-iam-policy-binding", ...grant)).exit).toBe(0);
    const policy = await json("run", "services", "get-iam-policy", "health", region);
    expect(policy.bindings).toEqual([{ role: "roles/run.invoker", members: [`serviceAccount:${runner}`] }]);
    expect((await gcloud("run", "services", "remove-iam-policy-binding", ...grant)).exit).toBe(0);
    expect((await json("run", "services", "get-iam-policy", "health", region)).bindings).toBeUndefined();
  });
});

/** The default compute account, which builds run as. */
function builder(b: Awaited<ReturnType<typeof bench>>): string {
  const accounts = b.sandbox.state.list<{ email: string }>("google.account/").map(([, { email }]) => email);
  return `serviceAccount:${accounts.find((email) => email.includes("-compute@"))}`;
}
