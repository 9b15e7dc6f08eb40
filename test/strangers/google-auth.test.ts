import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Bench } from "../support/bench.ts";
import { run, stage } from "../support/cli.ts";
import { witnessed } from "../support/witness.ts";

// Google's own clients, unmodified, with files that crosstrust wrote, on machines that the sandbox plays.

const example = (name: string): string =>
  readFileSync(join(import.meta.dirname, "..", "..", "examples", `${name}.yaml`), "utf8");
const library = createRequire(import.meta.url).resolve("google-auth-library");

/** A link that is made, an object in its bucket, and a way to run programs as its workload. */
async function machine(name: string, link: string) {
  const { b, cwd, env, ct } = await stage(example(name));
  expect((await ct("apply --quiet")).exit).toBe(0);
  const { secrets } = await b.world().credentials({ party: "google", scope: "acme-prod" });
  const upload = `${b.url}/google/storage/upload/storage/v1/b/acme-reports/o?uploadType=media&name=hello.txt`;
  const headers = { authorization: `Bearer ${secrets.accessToken}`, "content-type": "text/plain" };
  expect((await fetch(upload, { method: "POST", headers, body: "hello" })).status).toBe(200);
  const exec = (...words: string[]) => ct(["sandbox", "exec", "--as", link, "--", ...words]);
  return { b, cwd, env, ct, exec };
}

const script = (cwd: string, body: string): string => {
  const file = join(cwd, "client.mjs");
  writeFileSync(file, `import gal from ${JSON.stringify(library)};\n${body}`);
  return file;
};

/** Reads the object by the JSON API, and says as whom. */
const reads = `
const auth = new gal.GoogleAuth({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] });
const client = await auth.getClient();
const url = "https://storage.googleapis.com/storage/v1/b/acme-reports/o/hello.txt?alt=media";
console.log(client.constructor.name, (await client.request({ url, responseType: "text" })).data);`;

const operations = (b: Bench, service: string) =>
  b.calls.filter((call) => call.service === service).map(({ operation }) => operation);

describe("a machine of AWS", () => {
  test("google-auth-library in Node reads the object, its proof from the metadata service", async () => {
    const { b, cwd, exec } = await machine("aws-to-google", "ec2-to-gcs");
    const { out, err } = await exec(process.execPath, script(cwd, reads));
    expect([out.trim(), err]).toEqual(["AwsClient hello", ""]);
    expect(operations(b, "ec2.metadata")).toContain("GetMetadata");
    // Google asked AWS who signed, and nobody else was asked.
    expect(operations(b, "aws.sts")).toContain("GetCallerIdentity");
  });

  test("with a session token of the metadata service (version 2)", async () => {
    const { b, cwd, ct, exec } = await machine("aws-to-google", "ec2-to-gcs");
    expect((await ct("credential-config ec2-to-gcs --imdsv2 --output v2.json")).exit).toBe(0);
    const file = join(cwd, "v2.json");
    const { out } = await exec("env", `GOOGLE_APPLICATION_CREDENTIALS=${file}`, process.execPath, script(cwd, reads));
    expect([out.trim(), operations(b, "ec2.metadata").includes("GetToken")]).toEqual(["AwsClient hello", true]);
  });

  test("with credentials in the environment, no metadata service is asked", async () => {
    const { b, cwd, exec } = await machine("aws-to-google", "ec2-to-gcs");
    const arn = "arn:aws:sts::123456789000:assumed-role/ec2-my-role/by-hand";
    const session = await b.world().sandbox?.session("aws", arn);
    const { accessKeyId, secretAccessKey, sessionToken } = session?.secrets ?? {};
    const before = operations(b, "ec2.metadata").length;
    const keys = [`AWS_ACCESS_KEY_ID=${accessKeyId}`, `AWS_SECRET_ACCESS_KEY=${secretAccessKey}`];
    const more = [`AWS_SESSION_TOKEN=${sessionToken}`, "AWS_REGION=eu-central-1"];
    const { out } = await exec("env", ...keys, ...more, process.execPath, script(cwd, reads));
    expect([out.trim(), operations(b, "ec2.metadata").length]).toEqual(["AwsClient hello", before]);
  });

  test("another role of the account is turned away, in Google's words", async () => {
    const { b, cwd, exec } = await machine("aws-to-google", "ec2-to-gcs");
    const session = await b.world().sandbox?.session("aws", "arn:aws:sts::123456789000:assumed-role/other/x-1");
    const { accessKeyId, secretAccessKey, sessionToken } = session?.secrets ?? {};
    const keys = [`AWS_ACCESS_KEY_ID=${accessKeyId}`, `AWS_SECRET_ACCESS_KEY=${secretAccessKey}`];
    const { exit, err } = await exec(
      ...["env", ...keys, `AWS_SESSION_TOKEN=${sessionToken}`, "AWS_REGION=us-east-1"],
      ...[process.execPath, script(cwd, reads)],
    );
    expect([exit, err]).toEqual([1, expect.stringContaining("rejected by the attribute condition")]);
  });

  test("the credentials endpoint of a container gives the role's session to the AWS SDK", async () => {
    const { b, exec } = await machine("aws-to-google", "ec2-to-gcs");
    await exec("true");
    const answer = await fetch(`${b.url}/v2/credentials/sandbox`);
    expect(await answer.json()).toMatchObject({
      AccessKeyId: expect.stringMatching(/^ASIA/),
      RoleArn: "arn:aws:iam::123456789000:role/ec2-my-role",
    });
  });

  witnessed("gcloud")("gcloud, whose Python library signs in another way, reads the object", async () => {
    const { exec } = await machine("aws-to-google", "ec2-to-gcs");
    const { out, err } = await exec("gcloud", "storage", "cat", "gs://acme-reports/hello.txt");
    expect([out, err]).toEqual(["hello", ""]);
    const refused = await exec("gcloud", "storage", "cat", "gs://acme-other/hello.txt");
    expect(refused.exit).toBe(1);
  });

  witnessed("gcloud")("gcloud signs in with the file, and speaks as the service account", async () => {
    const { cwd, ct, exec } = await machine("aws-to-google", "ec2-to-gcs");
    await ct("credential-config ec2-to-gcs --output c.json --lifetime 1800");
    const login = await exec("gcloud", "auth", "login", `--cred-file=${join(cwd, "c.json")}`);
    expect(login.err).toContain("[etl-sink@acme-prod.iam.gserviceaccount.com]");
    const token = await exec("gcloud", "auth", "print-access-token");
    expect(token.out).toMatch(/^ya29\./);
  });

  witnessed("gcloud")("the file is the one that gcloud writes itself", async () => {
    const { cwd, ct, exec } = await machine("aws-to-google", "ec2-to-gcs");
    await ct("credential-config ec2-to-gcs --output ours.json --imdsv2");
    const ours = readFileSync(join(cwd, "ours.json"), "utf8");
    const audience = JSON.parse(ours).audience.replace("//iam.googleapis.com/", "");
    const account = "--service-account=etl-sink@acme-prod.iam.gserviceaccount.com";
    const words = [
      "iam",
      "workload-identity-pools",
      "create-cred-config",
      audience,
      "--aws",
      "--enable-imdsv2",
      account,
    ];
    expect((await exec("gcloud", ...words, "--output-file=theirs.json")).exit).toBe(0);
    expect(ours).toBe(readFileSync(join(cwd, "theirs.json"), "utf8"));
  });
});

describe("a machine of Azure", () => {
  test("google-auth-library in Node reads the object directly, as nobody's service account", async () => {
    const { b, cwd, exec } = await machine("azure-to-google", "azure-to-gcs");
    const { out, err } = await exec(process.execPath, script(cwd, reads));
    expect([out.trim(), err]).toEqual(["IdentityPoolClient hello", ""]);
    expect(operations(b, "azure.imds")).toContain("GetToken");
    const read = b.calls.findLast(({ operation }) => operation === "GetObject");
    expect(read?.principal).toMatch(
      /^principal:\/\/iam\.googleapis\.com\/projects\/\d+\/.*\/partners\/subject\/9f3c1e2a/,
    );
  });

  witnessed("gcloud")("gcloud signs in as the principal, and reads the object", async () => {
    const { cwd, ct, exec } = await machine("azure-to-google", "azure-to-gcs");
    await ct("credential-config azure-to-gcs --output c.json");
    const login = await exec("gcloud", "auth", "login", `--cred-file=${join(cwd, "c.json")}`);
    expect(login.err).toMatch(/Authenticated with external account credentials for: \[principal:\/\/iam/);
    expect((await exec("gcloud", "storage", "cat", "gs://acme-reports/hello.txt")).out).toBe("hello");
    const elsewhere = await exec("gcloud", "storage", "cat", "gs://acme-other/hello.txt");
    expect(elsewhere.err).toContain("does not have");
  });
});

describe("the documented calls as they stand", () => {
  witnessed("curl")("curl -0 with JSON in camel case and text/json", async () => {
    const { b, cwd, ct } = await machine("azure-to-google", "azure-to-gcs");
    const token = (await ct("token azure-to-gcs --raw")).out.trim();
    const number = (await b.google("GET", "cloudresourcemanager/v1/projects/acme-prod")).body.projectNumber;
    const body = {
      audience: `//iam.googleapis.com/projects/${number}/locations/global/workloadIdentityPools/partners/providers/azure`,
      grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
      requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
      scope: "https://www.googleapis.com/auth/cloud-platform",
      subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
      subjectToken: token,
    };
    writeFileSync(join(cwd, "body.json"), JSON.stringify(body));
    const words = [
      "-0",
      "-s",
      "-X",
      "POST",
      `${b.url}/google/sts/v1/token`,
      "-H",
      "Content-Type: text/json; charset=utf-8",
    ];
    const { out } = await run("curl", [...words, "-d", "@body.json"], { cwd });
    expect(JSON.parse(out)).toMatchObject({
      ...{ access_token: expect.stringMatching(/^ya29\./), token_type: "Bearer", expires_in: expect.any(Number) },
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    });
  });
});

/** The Python that gcloud brings, with the google-auth that gcloud itself uses. */
function python(cwd: string): readonly string[] {
  const found = execFileSync("sh", ["-c", 'readlink -f "$(command -v gcloud)"'], { encoding: "utf8" }).trim();
  const sdk = dirname(dirname(found));
  const file = join(cwd, "client.py");
  writeFileSync(
    file,
    `import os, sys
sys.path[:0] = [${JSON.stringify(join(sdk, "lib"))}, ${JSON.stringify(join(sdk, "lib", "third_party"))}]
import google.auth
from google.auth.transport.requests import AuthorizedSession
scopes = ["https://www.googleapis.com/auth/cloud-platform"]
credentials, _ = google.auth.load_credentials_from_file(os.environ["CREDENTIALS"], scopes=scopes)
url = "https://storage.googleapis.com/storage/v1/b/acme-reports/o/hello.txt?alt=media"
print(type(credentials).__module__, AuthorizedSession(credentials).get(url).text)
`,
  );
  return [join(sdk, "platform", "bundledpythonunix", "bin", "python3"), file];
}

describe("google-auth in Python, as gcloud brings it", () => {
  witnessed("gcloud")(
    "reads the object from a machine of AWS: metadata service, its version 2, environment",
    async () => {
      const { b, cwd, ct, exec } = await machine("aws-to-google", "ec2-to-gcs");
      for (const more of ["", " --imdsv2"])
        expect((await ct(`credential-config ec2-to-gcs${more} --output file${more.trim()}.json`)).exit).toBe(0);
      const read = async (file: string, ...variables: readonly string[]) =>
        (await exec("env", `CREDENTIALS=${join(cwd, file)}`, ...variables, ...python(cwd))).out.trim();
      expect(await read("file.json")).toBe("google.auth.aws hello");
      expect(operations(b, "ec2.metadata")).not.toContain("GetToken");
      expect(await read("file--imdsv2.json")).toBe("google.auth.aws hello");
      expect(operations(b, "ec2.metadata")).toContain("GetToken");
      const arn = "arn:aws:sts::123456789000:assumed-role/ec2-my-role/by-hand";
      const { secrets } = (await b.world().sandbox?.session("aws", arn)) ?? { secrets: {} as Record<string, string> };
      const before = operations(b, "ec2.metadata").length;
      const keys = [`AWS_ACCESS_KEY_ID=${secrets.accessKeyId}`, `AWS_SECRET_ACCESS_KEY=${secrets.secretAccessKey}`];
      const session = [`AWS_SESSION_TOKEN=${secrets.sessionToken}`, "AWS_REGION=eu-central-1"];
      expect(await read("file.json", ...keys, ...session)).toBe("google.auth.aws hello");
      expect(operations(b, "ec2.metadata").length).toBe(before);
    },
  );

  witnessed("gcloud")("and from a machine of Azure", async () => {
    const { cwd, ct, exec } = await machine("azure-to-google", "azure-to-gcs");
    expect((await ct("credential-config azure-to-gcs --output file.json")).exit).toBe(0);
    const { out } = await exec("env", `CREDENTIALS=${join(cwd, "file.json")}`, ...python(cwd));
    expect(out.trim()).toBe("google.auth.identity_pool hello");
  });
});

describe("gcloud iam workload-identity-pools", () => {
  witnessed("gcloud")("every command works, and what it makes crosstrust reads", async () => {
    const { b, ct } = await stage(example("aws-to-google"));
    const gcloud = async (...words: string[]) => {
      const all = ["iam", "workload-identity-pools", ...words, "--location=global", "--format=json"];
      const { exit, out, err } = await ct(["sandbox", "exec", "--", "gcloud", ...all]);
      expect([words.join(" "), exit, err]).toEqual([words.join(" "), 0, expect.any(String)]);
      return out.trim() === "" ? undefined : JSON.parse(out);
    };
    const of = "--workload-identity-pool=partners";
    await gcloud("create", "partners", "--display-name=Partners", "--description=by hand");
    expect(await gcloud("describe", "partners")).toMatchObject({ displayName: "Partners", state: "ACTIVE" });
    await gcloud("update", "partners", "--disabled");
    await gcloud("update", "partners", "--no-disabled");
    const mapping = "--attribute-mapping=google.subject=assertion.arn";
    await gcloud("providers", "create-aws", "by-hand", of, "--account-id=123456789000", mapping);
    const issuer = ["--issuer-uri=https://idp.example.com", "--allowed-audiences=app"];
    await gcloud(
      "providers",
      "create-oidc",
      "tokens",
      of,
      ...issuer,
      "--attribute-mapping=google.subject=assertion.sub",
    );
    const condition = "--attribute-condition=assertion.arn.startsWith('arn:aws:sts::123456789000:assumed-role/')";
    await gcloud("providers", "update-aws", "by-hand", of, condition);
    expect(await gcloud("providers", "describe", "by-hand", of)).toMatchObject({
      ...{ aws: { accountId: "123456789000" }, state: "ACTIVE" },
      attributeCondition: "assertion.arn.startsWith('arn:aws:sts::123456789000:assumed-role/')",
    });
    expect(await gcloud("providers", "list", of)).toHaveLength(2);
    await gcloud("providers", "delete", "tokens", of, "--quiet");
    expect(await gcloud("providers", "list", of)).toHaveLength(1);
    expect(await gcloud("providers", "list", of, "--show-deleted")).toHaveLength(2);
    await gcloud("providers", "undelete", "tokens", of);
    await gcloud("delete", "partners", "--quiet");
    expect(await gcloud("list")).toEqual([]);
    const taken = await ct([
      ...["sandbox", "exec", "--", "gcloud", "iam", "workload-identity-pools", "create", "partners"],
      "--location=global",
    ]);
    expect([taken.exit, taken.err]).toEqual([1, expect.stringContaining("Requested entity already exists")]);
    await gcloud("undelete", "partners");
    // A pool of somebody else's: nothing is taken over without a word.
    const plan = await ct("plan --json");
    expect(JSON.parse(plan.out).findings.map(({ code }: { code: string }) => code)).toContain("NOT-OURS");
    expect(b.calls.filter(({ status }) => status >= 500)).toEqual([]);
  });
});
