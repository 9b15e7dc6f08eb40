import { describe, expect } from "vitest";
import { bench, example, folderWith, reports } from "../support/bench.ts";
import { environmentOf, run } from "../support/cli.ts";
import { witnessed } from "../support/witness.ts";

// The unmodified gcloud against the sandbox: it is also the oracle of what the sandbox must answer.

async function stage() {
  const b = await bench();
  await b.apply(example);
  const folder = folderWith(example);
  const env = await environmentOf(b.url, folder);
  const gcloud = (...words: string[]) => run("gcloud", [...words, "--format=json"], { env, cwd: folder });
  return { b, gcloud };
}

describe("gcloud", () => {
  witnessed("gcloud")("lists, describes, and reads what crosstrust made", async () => {
    const { gcloud } = await stage();
    const listed = await gcloud("iam", "service-accounts", "list");
    expect(JSON.parse(listed.out).map(({ email }: { email: string }) => email)).toEqual([reports]);
    const described = await gcloud("iam", "service-accounts", "describe", reports);
    expect(JSON.parse(described.out).description).toMatch(/\[crosstrust\/1 acme [0-9a-f]{16} [0-9a-f]{16}\]$/);
    expect(JSON.parse((await gcloud("projects", "describe", "acme-prod")).out)).toMatchObject({
      projectId: "acme-prod",
      lifecycleState: "ACTIVE",
    });
    expect(JSON.parse((await gcloud("services", "list", "--enabled")).out).length).toBeGreaterThan(3);
    const keys = await gcloud("iam", "service-accounts", "keys", "list", "--iam-account", reports);
    expect(JSON.parse(keys.out).map(({ keyType }: { keyType: string }) => keyType)).toEqual(["SYSTEM_MANAGED"]);
  });

  witnessed("gcloud")("creates, deletes, and is told of a conflict as Google tells it", async () => {
    const { gcloud } = await stage();
    expect((await gcloud("iam", "service-accounts", "create", "reports")).err).toContain(
      "Service account reports already exists within project projects/acme-prod.",
    );
    expect((await gcloud("iam", "service-accounts", "create", "another")).exit).toBe(0);
    expect(
      (await gcloud("iam", "service-accounts", "delete", "another@acme-prod.iam.gserviceaccount.com", "--quiet")).exit,
    ).toBe(0);
    const gone = await gcloud(
      "iam",
      "service-accounts",
      "delete",
      "another@acme-prod.iam.gserviceaccount.com",
      "--quiet",
    );
    expect([gone.exit, gone.err]).toEqual([1, expect.stringContaining("PERMISSION_DENIED")]);
  });

  witnessed("gcloud")("edits bindings with an etag", async () => {
    const { b, gcloud } = await stage();
    const words = ["--member=user:a@example.com", "--role=roles/iam.serviceAccountTokenCreator"];
    expect((await gcloud("iam", "service-accounts", "add-iam-policy-binding", reports, ...words)).exit).toBe(0);
    const health = await b.health(example);
    expect(health.inventory?.map(({ of }) => of)).toContain(`user:a@example.com on serviceAccounts/${reports}`);
    expect((await gcloud("iam", "service-accounts", "remove-iam-policy-binding", reports, ...words)).exit).toBe(0);
    expect((await b.health(example)).findings).toEqual([]);
  });

  // A key that somebody makes with gcloud, and what gcloud binds on a project, are seen by the next check.
  witnessed("gcloud")(
    "makes a key and a public token creator, and health tells of both until gcloud takes them away",
    async () => {
      const { b, gcloud } = await stage();
      const made = await gcloud("iam", "service-accounts", "keys", "create", "key.json", "--iam-account", reports);
      expect(made.exit).toBe(0);
      const words = ["--member=allAuthenticatedUsers", "--role=roles/iam.serviceAccountTokenCreator"];
      expect((await gcloud("iam", "service-accounts", "add-iam-policy-binding", reports, ...words)).exit).toBe(0);
      const { findings } = await b.health(example);
      expect(findings.map(({ code, witness }) => [code, witness !== undefined]).sort()).toEqual([
        ["GOOGLE-SPEAKER", true],
        ["GOOGLE-USER-KEY", false],
      ]);
      for (const command of findings.flatMap(({ fix }) => fix.filter((step) => step.startsWith("gcloud ")))) {
        const typed = command.replaceAll("'", "").split(" ").slice(1);
        expect([command, (await gcloud(...typed, "--quiet")).exit]).toEqual([command, 0]);
      }
      expect((await b.health(example)).findings).toEqual([]);
    },
  );

  witnessed("gcloud")("mints an ID token whose azp is the unique id, as on the real one", async () => {
    const { gcloud } = await stage();
    const grant = [
      "iam",
      "service-accounts",
      "add-iam-policy-binding",
      reports,
      "--member=user:operator@example.com",
      "--role=roles/iam.serviceAccountTokenCreator",
    ];
    expect((await gcloud(...grant)).exit).toBe(0);
    const { exit, out } = await gcloud(
      "auth",
      "print-identity-token",
      `--impersonate-service-account=${reports}`,
      "--audiences=aws-trust-1",
      "--include-email",
    );
    expect(exit).toBe(0);
    const text = out.trim().startsWith("{")
      ? (JSON.parse(out) as { id_token: string }).id_token
      : out.trim().replaceAll('"', "");
    const claims = JSON.parse(Buffer.from(text.split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({ aud: "aws-trust-1", email: reports, iss: "https://accounts.google.com" });
    expect(claims.azp).toBe(claims.sub);
  });

  witnessed("gcloud")("switches an API off, and crosstrust names the command that switches it on", async () => {
    const { b, gcloud } = await stage();
    expect((await gcloud("services", "disable", "iamcredentials.googleapis.com")).exit).toBe(0);
    const { findings, verdict } = await b.health(example);
    expect([verdict, findings.map(({ code, asks }) => [code, asks])]).toEqual([
      "unknown",
      [["GOOGLE-API-DISABLED", "denied"]],
    ]);
    expect(findings[0]?.fix).toEqual(["gcloud services enable iamcredentials.googleapis.com --project acme-prod"]);
    expect((await gcloud("services", "enable", "iamcredentials.googleapis.com")).exit).toBe(0);
    expect((await b.health(example)).verdict).toBe("works");
  });
});
