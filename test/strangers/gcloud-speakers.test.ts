import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { certificateOf } from "../../src/parties/google/sandbox/key-material.ts";
import { bench, example, folderWith, reports } from "../support/bench.ts";
import { environmentOf, run } from "../support/cli.ts";
import { witnessed } from "../support/witness.ts";

// What an administrator does with gcloud that lets somebody speak as an account: the unmodified program against the
// sandbox.

const organization = "111111111111";

async function stage() {
  const b = await bench();
  await b.apply(example);
  const folder = folderWith(example);
  const env = await environmentOf(b.url, folder);
  const gcloud = async (...words: string[]) => {
    const ran = await run("gcloud", [...words, "--format=json"], { env, cwd: folder });
    expect([words.join(" "), ran.exit, ran.exit === 0 ? "" : ran.err]).toEqual([words.join(" "), 0, ""]);
    return ran.out.trim() === "" ? undefined : JSON.parse(ran.out);
  };
  return { b, folder, env, gcloud };
}

describe("gcloud", () => {
  const keysOf = ["iam", "service-accounts", "keys"];
  const of = `--iam-account=${reports}`;

  witnessed("gcloud")("creates, lists, disables and deletes a key, and signs in with it", async () => {
    const { folder, env, gcloud } = await stage();
    const file = join(folder, "key.json");
    await gcloud(...keysOf, "create", file, of);
    const { private_key_id: id, client_email: email } = JSON.parse(readFileSync(file, "utf8"));
    expect(email).toBe(reports);
    const listed = await gcloud(...keysOf, "list", of, "--managed-by=user");
    expect(listed.map(({ name }: { name: string }) => name.split("/").at(-1))).toEqual([id]);
    expect((await gcloud(...keysOf, "list", of)).length).toBe(2);
    const { CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: _, ...leaked } = env;
    const words = ["auth", "activate-service-account", `--key-file=${file}`];
    expect(await run("gcloud", words, { env: leaked, cwd: folder })).toMatchObject({ exit: 0 });
    const minted = ["auth", "print-identity-token", "--audiences=aws-trust-1"];
    const { out } = await run("gcloud", minted, { env: leaked, cwd: folder });
    const claims = JSON.parse(Buffer.from(out.trim().split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({ aud: "aws-trust-1", azp: reports, email: reports });
    await gcloud(...keysOf, "disable", id, of);
    // gcloud keeps the tokens it has: only signing in anew uses the key.
    expect((await run("gcloud", words, { env: leaked, cwd: folder })).err).toContain("Invalid JWT Signature.");
    await gcloud(...keysOf, "enable", id, of);
    await gcloud(...keysOf, "delete", id, of);
    expect(await gcloud(...keysOf, "list", of, "--managed-by=user")).toEqual([]);
  });

  witnessed("gcloud")("uploads a public key", async () => {
    const { b, folder, gcloud } = await stage();
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const validity = { validAfter: Date.UTC(2026, 0, 1), validBefore: Date.UTC(2040, 0, 1) };
    const [[, account] = ["", undefined]] =
      b.sandbox.state.list<Parameters<typeof certificateOf>[1]>("google.account/");
    if (!account) throw new Error("the account of the example is missing");
    const file = join(folder, "public.pem");
    writeFileSync(file, await certificateOf(privateKey, account, validity));
    await gcloud(...keysOf, "upload", file, of);
    const [key] = await gcloud(...keysOf, "list", of, "--managed-by=user");
    expect(key).toMatchObject({ keyOrigin: "USER_PROVIDED", keyType: "USER_MANAGED" });
  });

  witnessed("gcloud")("makes a folder and an everyday project below it", async () => {
    const { gcloud } = await stage();
    const folders = ["resource-manager", "folders"];
    const made = await gcloud(...folders, "create", "--display-name=teams", `--organization=${organization}`);
    const id = made.name.split("/")[1];
    expect(await gcloud(...folders, "list", `--organization=${organization}`)).toMatchObject([
      { displayName: "teams" },
    ]);
    await gcloud("projects", "create", "everyday-1", `--folder=${id}`);
    await gcloud("services", "enable", "compute.googleapis.com", "--project=everyday-1");
    const { projectNumber } = await gcloud("projects", "describe", "everyday-1");
    const agent = `service-${projectNumber}@gcp-sa-pubsub.iam.gserviceaccount.com`;
    const grants = [
      ["user:owner@example.com", "roles/owner"],
      ["group:developers@example.com", "roles/editor"],
      [`serviceAccount:${agent}`, "roles/iam.serviceAccountTokenCreator"],
    ];
    for (const [member, role] of grants)
      await gcloud("projects", "add-iam-policy-binding", "everyday-1", `--member=${member}`, `--role=${role}`);
    const { bindings } = await gcloud("projects", "get-iam-policy", "everyday-1");
    expect(bindings.flatMap(({ members }: { members: string[] }) => members)).toEqual(
      expect.arrayContaining(grants.map(([member]) => member)),
    );
    const ancestors = await gcloud("projects", "get-ancestors", "everyday-1");
    expect(JSON.stringify(ancestors)).toContain(id);
  });

  witnessed("gcloud")("binds members on a folder and on the organization, and moves a project", async () => {
    const { gcloud } = await stage();
    const folders = ["resource-manager", "folders"];
    const made = await gcloud(...folders, "create", "--display-name=teams", `--organization=${organization}`);
    const id = made.name.split("/")[1];
    const words = ["--member=group:breakers@example.com", "--role=roles/iam.serviceAccountTokenCreator"];
    await gcloud(...folders, "add-iam-policy-binding", id, ...words);
    await gcloud("organizations", "add-iam-policy-binding", organization, ...words);
    const policies = [
      await gcloud(...folders, "get-iam-policy", id),
      await gcloud("organizations", "get-iam-policy", organization),
    ];
    for (const { bindings } of policies)
      expect(bindings).toContainEqual({
        role: "roles/iam.serviceAccountTokenCreator",
        members: ["group:breakers@example.com"],
      });
    await gcloud("beta", "projects", "move", "acme-prod", `--folder=${id}`);
    expect((await gcloud("projects", "describe", "acme-prod")).parent).toEqual({ type: "folder", id });
    expect(await gcloud("organizations", "list")).toMatchObject([{ displayName: "example.com" }]);
  });

  witnessed("gcloud")("makes a custom role and reads a predefined one", async () => {
    const { gcloud } = await stage();
    const held = "--permissions=iam.serviceAccounts.getAccessToken";
    await gcloud("iam", "roles", "create", "speaker", "--project=acme-prod", "--title=Speaker", held, "--stage=GA");
    const words = ["--role=projects/acme-prod/roles/speaker", "--member=user:somebody@example.com"];
    await gcloud("iam", "service-accounts", "add-iam-policy-binding", reports, ...words);
    const described = await gcloud("iam", "roles", "describe", "roles/iam.serviceAccountTokenCreator");
    expect(described.includedPermissions).toContain("iam.serviceAccounts.signBlob");
    expect((await gcloud("iam", "roles", "list")).length).toBeGreaterThan(10);
  });
});
