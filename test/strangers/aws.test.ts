import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromProcess } from "@aws-sdk/credential-providers";
import { describe, expect } from "vitest";
import { account, bench, example, folderWith } from "../support/bench.ts";
import { cliPath, environmentOf, run } from "../support/cli.ts";
import { witnessed } from "../support/witness.ts";

// Clients we did not write, unmodified, against the sandbox.

async function stage() {
  const b = await bench();
  await b.apply(example);
  const folder = folderWith(example);
  return { b, folder, env: await environmentOf(b.url, folder) };
}

/** A profile whose credential_process is ours. */
function profile(folder: string): string {
  const file = join(folder, "aws-config");
  writeFileSync(
    file,
    `[profile reports]\ncredential_process = ${process.execPath} ${cliPath} credentials reports-to-s3 --file ${join(folder, "federation.yaml")}\nregion = us-east-1\n`,
  );
  return file;
}

describe("the aws CLI", () => {
  witnessed("aws")("is the operator of the account, by signature", async () => {
    const { folder, env } = await stage();
    const { exit, out } = await run("aws", ["sts", "get-caller-identity"], { env, cwd: folder });
    expect([exit, JSON.parse(out).Account]).toEqual([0, account]);
    const wrong = await run("aws", ["sts", "get-caller-identity"], {
      env: { ...env, AWS_SECRET_ACCESS_KEY: "x".repeat(40) },
      cwd: folder,
    });
    expect(wrong.exit).toBe(255);
    expect(wrong.err).toContain("(SignatureDoesNotMatch)");
  });

  witnessed("aws")("with our credential_process is the role, and can do no more than the role", async () => {
    const { folder, env } = await stage();
    const config = { ...env, AWS_CONFIG_FILE: profile(folder) };
    const { exit, out, err } = await run("aws", ["--profile", "reports", "sts", "get-caller-identity"], {
      env: config,
      cwd: folder,
    });
    expect([exit, err]).toEqual([0, ""]);
    expect(JSON.parse(out).Arn).toMatch(/:assumed-role\/reports-reader\/\d{21}$/);
    const more = await run("aws", ["--profile", "reports", "iam", "list-roles"], { env: config, cwd: folder });
    expect(more.err).toContain("(AccessDenied)");
  });

  witnessed("aws")("shows our one line when the process fails", async () => {
    const { b, folder, env } = await stage();
    b.sandbox.state.delete("aws.role/111122223333/reports-reader");
    const config = { ...env, AWS_CONFIG_FILE: profile(folder) };
    const { exit, err } = await run("aws", ["--profile", "reports", "sts", "get-caller-identity"], {
      env: config,
      cwd: folder,
    });
    expect(exit).toBe(255);
    expect(err).toContain(
      "Error when retrieving credentials from custom-process: crosstrust credentials: aws refuses this workload's token for reports-to-s3 (AccessDenied)",
    );
    expect(err.trim().split("\n").length).toBe(1);
  });

  witnessed("aws")("assume-role-with-web-identity: accepted, and refused with the recorded codes", async () => {
    const { b, folder, env } = await stage();
    const role = `arn:aws:iam::${account}:role/crosstrust/reports-reader`;
    const assume = (token: string, name = "s1") =>
      run(
        "aws",
        [
          "sts",
          "assume-role-with-web-identity",
          "--role-arn",
          role,
          "--role-session-name",
          name,
          "--web-identity-token",
          token,
        ],
        { env, cwd: folder },
      );
    const sub = (b.sandbox.state.list<{ uniqueId: string }>("google.account/")[0]?.[1].uniqueId ?? "") as string;
    const mint = async (claims: Record<string, unknown>, sign?: string) => {
      const body = JSON.stringify({ issuer: "https://accounts.google.com", claims, ...(sign ? { sign } : {}) });
      return ((await (await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body })).json()) as { token: string })
        .token;
    };
    const good = { sub, aud: "aws-trust-1", azp: sub };
    const accepted = await assume(await mint(good));
    expect(accepted.exit).toBe(0);
    expect(JSON.parse(accepted.out)).toMatchObject({
      Provider: "accounts.google.com",
      Audience: sub,
      SubjectFromWebIdentityToken: sub,
    });
    const now = Math.floor(Date.now() / 1000);
    const refusals: readonly (readonly [string, string])[] = [
      [
        "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        await mint({ ...good, sub: "1" }),
      ],
      [
        "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: The web identity token provided could not be validated.",
        await mint(good, "wrong-key"),
      ],
      [
        "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: The web identity token provided could not be validated.",
        await mint(good, "none"),
      ],
      [
        "(ExpiredTokenException) when calling the AssumeRoleWithWebIdentity operation: Token expired: current date/time",
        await mint({ ...good, exp: now - 400 }),
      ],
      [
        "(InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: Token issued in the future:",
        await mint({ ...good, iat: now + 400 }),
      ],
      [
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        "ya29.a0AfH6SMBx-not-a-jwt",
      ],
      [
        "No OpenIDConnect provider found in your account for https://idp.example.com",
        await mint({ ...good, iss: "https://idp.example.com" }),
      ],
    ];
    for (const [says, token] of refusals) {
      const { exit, err } = await assume(token);
      expect([exit, err]).toEqual([255, expect.stringContaining(says)]);
    }
    expect((await assume(await mint(good), "x y")).err).toContain("(ValidationError)");
  });
});

witnessed("python3")("boto3, with our credential_process", async () => {
  const { folder, env } = await stage();
  const config = { ...env, AWS_CONFIG_FILE: profile(folder) };
  const code = "import boto3; print(boto3.Session(profile_name='reports').client('sts').get_caller_identity()['Arn'])";
  const { exit, out, err } = await run("python3", ["-c", code], { env: config, cwd: folder });
  if (err.includes("ModuleNotFoundError")) return void process.stderr.write("SKIPPED: boto3 is not installed here\n");
  expect([exit, out.trim()]).toEqual([0, expect.stringMatching(/:assumed-role\/reports-reader\//)]);
});

witnessed("true")("the JavaScript SDK, with our credential_process", async () => {
  const { b, folder } = await stage();
  const configFilepath = profile(folder);
  // fromProcess starts the program with this process's environment.
  const before = { ...process.env };
  Object.assign(process.env, await environmentOf(b.url, folder));
  try {
    const credentials = fromProcess({ profile: "reports", configFilepath });
    const client = new STSClient({ region: "us-east-1", endpoint: `${b.url}/aws/sts`, credentials });
    expect((await client.send(new GetCallerIdentityCommand({}))).Arn).toMatch(/:assumed-role\/reports-reader\//);
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
});

// The shell script of AWS's own blog post, its lines unchanged: metadata server through the proxy, jq, aws CLI.
witnessed(
  "aws",
  "curl",
  "jq",
  "bash",
)("the published shell script as credential_process", async () => {
  const { folder, env } = await stage();
  const script = join(folder, "published.sh");
  writeFileSync(script, readFileSync(join(import.meta.dirname, "..", "vectors", "aws-blog-credential-process.sh")));
  chmodSync(script, 0o755);
  const config = join(folder, "aws-config");
  writeFileSync(config, `[profile TeamA-S3ReadOnlyAccess]\ncredential_process = ${script}\nregion = us-east-1\n`);
  const settings = {
    AUDIENCE: "aws-trust-1",
    ROLE_ARN: `arn:aws:iam::${account}:role/crosstrust/reports-reader`,
    AWS_CONFIG_FILE: config,
  };
  const { exit, out, err } = await run("aws", ["sts", "get-caller-identity", "--profile", "TeamA-S3ReadOnlyAccess"], {
    env: { ...env, ...settings },
    cwd: folder,
  });
  expect([exit, err]).toEqual([0, ""]);
  expect(JSON.parse(out).Arn).toMatch(/:assumed-role\/reports-reader\/\d{21}$/);
});

describe("versions of a customer managed policy, by the aws CLI", () => {
  const document = (action: string) =>
    JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: "*" }] });

  witnessed("aws")("a new default version changes what an attached policy allows", async () => {
    const { folder, env } = await stage();
    const iam = async (...words: string[]) => {
      const ran = await run("aws", ["iam", ...words, "--output", "json"], { env, cwd: folder });
      expect([words[0], ran.exit, ran.err]).toEqual([words[0], 0, ""]);
      return ran.out.trim() === "" ? undefined : JSON.parse(ran.out);
    };
    const made = await iam("create-policy", "--policy-name", "readers", "--policy-document", document("s3:GetObject"));
    const arn = made.Policy.Arn;
    const at = ["--policy-arn", arn];
    await iam("attach-role-policy", "--role-name", "reports-reader", ...at);
    const added = await iam("create-policy-version", ...at, "--policy-document", document("iam:*"));
    expect(added.PolicyVersion).toMatchObject({ VersionId: "v2", IsDefaultVersion: false });
    await iam("set-default-policy-version", ...at, "--version-id", "v2");
    expect((await iam("get-policy", ...at)).Policy.DefaultVersionId).toBe("v2");
    expect((await iam("get-policy-version", ...at, "--version-id", "v2")).PolicyVersion.Document).toEqual(
      JSON.parse(document("iam:*")),
    );
    const details = await iam("get-account-authorization-details");
    expect(details.Policies).toMatchObject([{ Arn: arn, DefaultVersionId: "v2", AttachmentCount: 1 }]);
    expect(details.Policies[0].PolicyVersionList.length).toBe(2);
    expect(JSON.stringify(details.RoleDetailList[0].AssumeRolePolicyDocument)).toContain("accounts.google.com");
    const roles = await iam("get-account-authorization-details", "--filter", "Role");
    expect([roles.Policies, roles.RoleDetailList.length]).toEqual([[], 1]);
    await iam("set-default-policy-version", ...at, "--version-id", "v1");
    await iam("delete-policy-version", ...at, "--version-id", "v2");
    expect((await iam("list-policy-versions", ...at)).Versions.length).toBe(1);
    const gone = ["set-default-policy-version", ...at, "--version-id", "v2"];
    expect((await run("aws", ["iam", ...gone], { env, cwd: folder })).err).toContain("(NoSuchEntity)");
  });
});
