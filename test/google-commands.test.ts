import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { explainError } from "../src/cli/commands/explain-error.ts";
import { parties } from "../src/parties/index.ts";
import { crosstrust, stage } from "./support/cli.ts";

// What people type about links that end at Google.

const example = (name: string): string =>
  readFileSync(join(import.meta.dirname, "..", "examples", `${name}.yaml`), "utf8");

describe("explain --token --pool-provider", () => {
  const prepared = async () => {
    const { b, cwd, ct } = await stage(example("oidc-to-google"));
    await b.apply(example("oidc-to-google"));
    const { body } = await b.google(
      "GET",
      "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/partners/providers/idp-example",
    );
    writeFileSync(join(cwd, "described.json"), JSON.stringify(body));
    const mint = async (claims: object) => {
      const whole = { sub: "deployer", aud: "gcp-access-client", ...claims };
      const answer = await fetch(`${b.url}/_sandbox/mint`, {
        method: "POST",
        body: JSON.stringify({ issuer: "https://idp.example.com", claims: whole }),
      });
      writeFileSync(join(cwd, "token"), ((await answer.json()) as { token: string }).token);
    };
    return { b, ct, mint, name: String(body.name) };
  };

  test("live by its name, and offline in a file, say the same", async () => {
    const { b, ct, mint, name } = await prepared();
    await mint({});
    for (const where of [name, `//iam.googleapis.com/${name}`, "described.json"]) {
      const { exit, out } = await ct(["explain", "--token", "token", "--pool-provider", where]);
      expect([where, exit, out]).toEqual([where, 0, expect.stringContaining("lets the token in, as deployer")]);
    }
    await mint({ sub: "somebody" });
    const before = b.calls.length;
    const refused = await ct(["explain", "--token", "token", "--pool-provider", "described.json"]);
    expect([refused.exit, refused.out]).toEqual([3, expect.stringContaining("GOOGLE-CONDITION-FALSE")]);
    expect(b.calls.length).toBe(before);
    await mint({ aud: "other" });
    const other = await ct(["explain", "--token", "token", "--pool-provider", name]);
    expect([other.exit, other.out]).toEqual([3, expect.stringContaining("GOOGLE-AUDIENCE")]);
  });

  test("what names no pool provider is a wrong command line", async () => {
    const { ct, mint } = await prepared();
    await mint({});
    for (const where of [
      "partners",
      "token",
      "projects/acme-prod/locations/global/workloadIdentityPools/partners/providers/nobody",
    ])
      expect([where, (await ct(["explain", "--token", "token", "--pool-provider", where])).exit]).toEqual([where, 64]);
    expect((await ct(["explain", "--pool-provider", "described.json"])).exit).toBe(64);
  });
});

test.each([
  ["The given credential is rejected by the attribute condition.", "GOOGLE-CONDITION-FALSE"],
  ["The audience in ID Token [x] does not match the expected audience.", "GOOGLE-AUDIENCE"],
  ['The target service indicated by the "audience" parameters is invalid.', "GOOGLE-POOL-OFF"],
  ["ID Token issued at 1713260741 is stale to sign-in.", "GOOGLE-TOKEN-STALE"],
  ["The size of mapped attribute google.subject exceeds the 127 bytes limit.", "GOOGLE-SUBJECT-SIZE"],
  [
    "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
    "GOOGLE-IMPERSONATION-DENIED",
  ],
  ["Error 409: Requested entity already exists", "DELETED-HOLDS-ID"],
  ["Input JWK is not in a valid json format", "GOOGLE-JWK"],
  [
    "invalid_grant: Received invalid AWS response of type InvalidClientTokenId with error message: ..",
    "GOOGLE-AWS-UNSIGNED",
  ],
  ["Unable to determine AWS region", "GOOGLE-AWS-CREDENTIALS"],
  ["The access token lifetime cannot exceed 3600 seconds.", "GOOGLE-LIFETIME"],
  ["Identity Pool does not exist", "GOOGLE-POOL-OFF"],
  ["FAILED_PRECONDITION: constraints/iam.workloadIdentityPoolProviders", "GOOGLE-ORG-POLICY"],
  ["There were concurrent policy changes. Please retry the whole read-modify-write", "GOOGLE-POLICY-RACE"],
  ["Request had invalid authentication credentials. Expected OAuth 2 access token", "GOOGLE-NO-FEDERATED"],
  ["Unable to acquire impersonated credentials: Request contains an invalid argument.", "GOOGLE-NO-SCOPES"],
])("explain --error knows: %s", (text, code) => {
  const explained = explainError(text);
  expect([explained.exit, explained.text.split("\n")[0]]).toEqual([0, code]);
});

test("explain --error prints the page of the code", async () => {
  const { exit, out } = await crosstrust(["explain", "--error", "Identity Pool does not exist"]);
  expect([exit, out]).toEqual([0, expect.stringMatching(/^GOOGLE-POOL-OFF\n/)]);
});

test.each(["aws", "oidc", "entra"])(
  "init --from %s --to google writes a file that works as it stands",
  async (from) => {
    const { ct } = await stage(example("oidc-to-google"));
    expect((await ct(`init --from ${from} --to google --file new.yaml`)).exit).toBe(0);
    const { exit, out } = await ct("apply --quiet --file new.yaml");
    expect([exit, out]).toEqual([0, expect.stringContaining("works")]);
  },
);

describe("token", () => {
  test("shows what Google makes of a proof of AWS, for the pool provider that it is for", async () => {
    const { b, ct } = await stage(example("aws-to-google"));
    await b.apply(example("aws-to-google"));
    const { out } = await ct("token ec2-to-gcs");
    expect(out).toContain("what google reads");
    expect(out).toMatch(/attribute\.aws_role\s+ec2-my-role/);
    const { claims } = JSON.parse((await ct("token ec2-to-gcs --json")).out);
    expect(claims.aud).toMatch(/^\/\/iam\.googleapis\.com\/projects\/\d+\/.*\/providers\/aws-prod$/);
    const raw = (await ct("token ec2-to-gcs --raw")).out.trim();
    const readable = JSON.parse((await ct("token ec2-to-gcs --raw --json")).out);
    expect(JSON.parse(decodeURIComponent(raw))).toMatchObject({ url: readable.url, method: "POST" });
    const signed = readable.headers.find(({ key }: { key: string }) => key === "Authorization").value;
    expect(signed).toContain("SignedHeaders=host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource");
  });

  test("--audience gives the ID token of the link's account, and none where there is no account", async () => {
    const { b, ct } = await stage(example("aws-to-google"));
    await b.apply(example("aws-to-google"));
    const { claims } = JSON.parse((await ct("token ec2-to-gcs --audience https://service.example --json")).out);
    expect(claims).toMatchObject({
      aud: "https://service.example",
      email: "etl-sink@acme-prod.iam.gserviceaccount.com",
    });
    expect((await ct(["token", "ec2-to-gcs", "--audience", ""])).exit).toBe(64);
    const direct = await stage(example("azure-to-google"));
    await direct.b.apply(example("azure-to-google"));
    expect((await direct.ct("token azure-to-gcs --audience https://service.example")).exit).toBe(64);
  });
});

describe("credential-config", () => {
  test("for each kind of workload where its proof is; what makes no sense is a wrong command line", async () => {
    const { b, cwd, ct } = await stage(example("oidc-to-google"));
    await b.apply(example("oidc-to-google"));
    expect((await ct("credential-config deploy-to-gcp")).exit).toBe(64);
    const { exit, out } = await ct("credential-config deploy-to-gcp --token-file /var/run/token --field id_token");
    expect([exit, JSON.parse(out).credential_source]).toEqual([
      0,
      { file: "/var/run/token", format: { type: "json", subject_token_field_name: "id_token" } },
    ]);
    const wrong = [
      "--imdsv2 --token-file /x",
      "--executable get-token",
      "--lifetime 5 --token-file /x",
      "--token-file /x --executable /y",
    ];
    for (const flags of wrong)
      expect([flags, (await ct(`credential-config deploy-to-gcp ${flags}`)).exit]).toEqual([flags, 64]);
    const written = await ct("credential-config deploy-to-gcp --token-file /x --output c.json");
    expect(written.out).toContain("GOOGLE_APPLICATION_CREDENTIALS");
    expect(readFileSync(join(cwd, "c.json"), "utf8").endsWith("}")).toBe(true);
    expect((await ct("credential-config nothing-like-it")).exit).toBe(64);
  });

  // Catches a page of next steps that ends where a link to Google begins, or that shows a command nobody can run.
  test.each(["aws-to-google", "azure-to-google", "oidc-to-google"])(
    "is the next step of %s, as it stands",
    async (name) => {
      const { cwd, ct, b } = await stage(example(name));
      const [link] = b.ask(example(name)).federation.links;
      const steps = link ? parties.flatMap((party) => (party.name === link.to.party ? party.nextSteps(link) : [])) : [];
      const words = steps.flatMap((step) => /crosstrust (credential-config .+json) /.exec(step)?.[1] ?? []);
      expect(words).toHaveLength(1);
      expect((await ct(words[0] ?? "")).exit).toBe(0);
      expect(readFileSync(join(cwd, "google.json"), "utf8")).toContain('"external_account"');
    },
  );
});
