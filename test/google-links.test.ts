import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readFederation } from "../src/file/read.ts";
import type { Change, Finding, Link } from "../src/model.ts";
import { isMeant } from "../src/parties/aws/caller/identity.ts";
import { type SignedRequest, signedRequest } from "../src/parties/aws/caller/sign.ts";
import { shapes } from "../src/parties/index.ts";
import { type Bench, bench, timeByPauses } from "./support/bench.ts";

// Links that end at Google: the path that each of them goes, and what somebody else can do to it on the way.

const example = (name: string): string =>
  readFileSync(join(import.meta.dirname, "..", "examples", `${name}.yaml`), "utf8");
const aws = example("aws-to-google");
const azure = example("azure-to-google");
const oidc = example("oidc-to-google");

const pool = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/partners";
const at = {
  aws: `${pool}/providers/aws-prod`,
  azure: `${pool}/providers/azure`,
  oidc: `${pool}/providers/idp-example`,
};

const different = (changes: readonly Change[]) =>
  changes.filter(({ verb }) => verb !== "keep").map(({ address, verb, cause }) => [verb, cause, address.split("/")[0]]);
const codes = (findings: readonly Finding[]) =>
  findings.filter(({ severity }) => severity !== "hint").map(({ code }) => code);
const patch = async (b: Bench, path: string, mask: string, body: object) =>
  expect((await b.google("PATCH", `${path}?updateMask=${mask}`, body)).status).toBe(200);

describe.each([
  ["aws", aws],
  ["azure", azure],
  ["oidc", oidc],
  ["aws's own JWT", aws.replace("role: ec2-my-role", "role: ec2-my-role, proof: outbound-jwt")],
  ["both ways", example("both-ways")],
])("%s -> google", (_, file) => {
  test("made, as the file says, proved with others turned away, gone, and made again over held ids", async () => {
    const b = await bench();
    const { traces, applied } = await b.apply(file);
    expect(applied.findings).toEqual([]);
    for (const { hops } of traces)
      expect(hops.map(({ result, how }) => [result, how])).toEqual(Array(4).fill(["ok", "proved"]));
    const again = await b.callsOf(async () => {
      const { plan } = (await b.apply(file)).planned;
      expect(different(plan.changes)).toEqual([]);
    });
    expect(again.filter(({ write }) => write)).toEqual([]);
    expect((await b.health(file)).verdict).toBe("works");
    await b.apply(file, { destroy: true });
    const { plan } = await b.plan(file);
    expect(codes(plan.findings)).toContain("DELETED-HOLDS-ID");
    const restored = await b.apply(file, { consents: { undelete: true } });
    expect(restored.applied.findings).toEqual([]);
    expect((await b.health(file)).verdict).toBe("works");
  });
});

describe("drift is seen, said by what it does, and repaired", () => {
  const cases: readonly (readonly [string, string, string, object, string, readonly string[]])[] = [
    [
      "a condition that was taken away",
      "aws",
      "attributeCondition",
      { attributeCondition: "" },
      // The binding names one role, so whoever else gets a token of the pool gets nothing with it.
      "drifted",
      ["GOOGLE-CONDITION-OPEN"],
    ],
    [
      "a condition that shuts out",
      "aws",
      "attributeCondition",
      { attributeCondition: "false" },
      "broken",
      ["GOOGLE-CONDITION-FALSE"],
    ],
    [
      "a mapping",
      "aws",
      "attributeMapping",
      { attributeMapping: { "google.subject": "assertion.arn" } },
      "broken",
      ["GOOGLE-IMPERSONATION-DENIED"],
    ],
    ["a pool provider switched off", "aws", "disabled", { disabled: true }, "broken", ["GOOGLE-POOL-OFF"]],
    [
      "another account",
      "aws",
      "aws.accountId",
      { aws: { accountId: "999999999999" } },
      "broken",
      ["GOOGLE-WRONG-ACCOUNT"],
    ],
    [
      "another audience",
      "azure",
      "oidc.allowedAudiences",
      { oidc: { allowedAudiences: ["api://other"] } },
      "open",
      ["GOOGLE-AUDIENCE", "GOOGLE-AUDIENCE-EXTRA"],
    ],
    [
      "one more audience",
      "oidc",
      "oidc.allowedAudiences",
      { oidc: { allowedAudiences: ["gcp-access-client", "x"] } },
      "open",
      ["GOOGLE-AUDIENCE-EXTRA"],
    ],
    [
      "another issuer",
      "oidc",
      "oidc.issuerUri",
      { oidc: { issuerUri: "https://evil.example.com" } },
      "open",
      ["GOOGLE-ISSUER", "GOOGLE-SOURCE-EXTRA"],
    ],
    ["keys that somebody stored", "oidc", "oidc.jwksJson", { oidc: { jwksJson: '{"keys":[]}' } }, "broken", []],
  ];
  const files = { aws, azure, oidc };

  test.each(cases)("%s", async (_, party, mask, body, verdict, wanted) => {
    const b = await bench();
    const file = files[party as keyof typeof files];
    await b.apply(file);
    await patch(b, at[party as keyof typeof at], mask, body);
    const { plan } = await b.plan(file);
    expect(different(plan.changes)).toEqual([["update", "drifted", "google:poolProvider"]]);
    const health = await b.health(file);
    expect(health.verdict).toBe(verdict);
    for (const code of wanted) expect(codes(health.findings)).toContain(code);
    const { traces, applied } = await b.apply(file);
    expect([applied.findings, traces.flatMap(({ findings }) => findings)]).toEqual([[], []]);
    expect((await b.health(file)).verdict).toBe("works");
  });

  // Every example through every drift that it can have: seen with its cause, never called healthy, and mended by apply.
  const subject = { attributeMapping: { "google.subject": "'x' + assertion.sub" } };
  const drifts: Readonly<Record<string, (b: Bench, party: keyof typeof at) => Promise<void>>> = {
    condition: (b, party) => patch(b, at[party], "attributeCondition", { attributeCondition: "true" }),
    mapping: (b, party) => patch(b, at[party], "attributeMapping", subject),
    audience: (b, party) => patch(b, at[party], "oidc.allowedAudiences", { oidc: { allowedAudiences: ["another"] } }),
    "pool provider switched off": (b, party) => patch(b, at[party], "disabled", { disabled: true }),
    "pool switched off": (b) => patch(b, pool, "disabled", { disabled: true }),
    binding: async (b, party) => {
      const policy = `storage/storage/v1/b/${party === "oidc" ? "acme-releases" : "acme-reports"}/iam`;
      await b.google("PUT", policy, { ...(await b.google("GET", policy)).body, bindings: [] });
    },
  };
  const verdicts: Readonly<Record<string, readonly string[]>> = {
    condition: ["drifted"],
    mapping: ["broken"],
    audience: ["open"],
    "pool provider switched off": ["broken"],
    "pool switched off": ["broken"],
    binding: ["drifted"],
  };
  const pairs = Object.keys(drifts).flatMap((what) =>
    (["aws", "azure", "oidc"] as const).map((party) => [what, party] as const),
  );
  // A pool provider for AWS has no audience but its own name.
  test.each(pairs.filter(([what, party]) => what !== "audience" || party !== "aws"))(
    "%s of %s",
    async (what, party) => {
      const b = await bench();
      await b.apply(files[party]);
      await drifts[what]?.(b, party);
      const { plan } = await b.plan(files[party]);
      expect(different(plan.changes).map(([verb, cause]) => [verb, cause])).toEqual([["update", "drifted"]]);
      expect(verdicts[what]).toContain((await b.health(files[party])).verdict);
      await b.apply(files[party]);
      expect(different((await b.plan(files[party])).plan.changes)).toEqual([]);
      expect((await b.health(files[party])).verdict).toBe("works");
    },
  );

  // Trap 19: google's default mapping came back, and the role's bare name is granted to nobody. The subject stays as it was.
  test("direct access by an attribute that a drifted mapping makes another", async () => {
    const direct = aws.replace(", serviceAccount: etl-sink", "");
    const b = await bench();
    await b.apply(direct);
    const mapping = { "google.subject": "assertion.arn", "attribute.aws_role": "assertion.arn" };
    await patch(b, at.aws, "attributeMapping", { attributeMapping: mapping });
    const health = await b.health(direct);
    expect([health.verdict, codes(health.findings)]).toEqual(["broken", ["GOOGLE-MAPPING-MISFIT"]]);
  });

  test("an API that is off is told as that, and not as a missing binding", async () => {
    const b = await bench();
    await b.apply(aws);
    await b.google("POST", "serviceusage/v1/projects/acme-prod/services/iamcredentials.googleapis.com:disable", {});
    const { findings } = await b.health(aws);
    const fix = findings.find(({ code }) => code === "GOOGLE-API-DISABLED")?.fix;
    expect(fix).toEqual([
      expect.stringMatching(/^gcloud services enable iamcredentials\.googleapis\.com --project \d+$/),
    ]);
    expect(codes(findings)).not.toContain("GOOGLE-IMPERSONATION-DENIED");
  });

  test("settings of a pool that no file can ask for are told, and are no drift", async () => {
    const b = await bench();
    await b.apply(azure);
    await patch(b, pool, "sessionDuration", { sessionDuration: "43200s" });
    const { plan } = await b.plan(azure);
    expect([different(plan.changes), codes(plan.findings)]).toEqual([[], ["GOOGLE-POOL-SETTINGS"]]);
    expect(plan.findings[0]?.says).toContain("43200s");
  });

  test("a pool that was switched off", async () => {
    const b = await bench();
    await b.apply(azure);
    await patch(b, pool, "disabled", { disabled: true });
    const health = await b.health(azure);
    expect([health.verdict, codes(health.findings)]).toEqual(["broken", ["GOOGLE-POOL-OFF"]]);
    await b.apply(azure);
    expect((await b.health(azure)).verdict).toBe("works");
  });

  test("a binding that was taken away", async () => {
    const b = await bench();
    await b.apply(aws);
    const account = "iam/v1/projects/acme-prod/serviceAccounts/etl-sink@acme-prod.iam.gserviceaccount.com";
    await b.google("POST", `${account}:setIamPolicy`, { policy: {} });
    const { plan } = await b.plan(aws);
    expect(different(plan.changes)).toEqual([["update", "drifted", "google:binding"]]);
    const health = await b.health(aws);
    expect([health.verdict, codes(health.findings)]).toEqual(["broken", ["GOOGLE-IMPERSONATION-DENIED"]]);
    await b.apply(aws);
    expect((await b.health(aws)).verdict).toBe("works");
  });

  test("a grant that is new in the file is no drift", async () => {
    const b = await bench();
    await b.apply(azure.replace(/ {4}may:\n.*\n/, ""));
    const { plan } = await b.plan(azure);
    expect(different(plan.changes)).toEqual([["create", undefined, "google:binding"]]);
  });

  test("a type cannot change: nothing is written, and the finding says what to do", async () => {
    const b = await bench();
    await b.google("POST", `${pool.replace("/partners", "")}?workloadIdentityPoolId=partners`, {});
    const oidcOne = {
      oidc: { issuerUri: "https://x.example.com" },
      attributeMapping: { "google.subject": "assertion.sub" },
    };
    await b.google("POST", `${pool}/providers?workloadIdentityPoolProviderId=aws-prod`, oidcOne);
    const { plan } = await b.plan(aws);
    expect(codes(plan.findings)).toContain("GOOGLE-TYPE-FOR-LIFE");
  });
});

const second = (more: string) => `${aws}  lambda-to-gcs:
    from: { aws: { account: 123456789000, role: lambda-role } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: aws-prod, ${more} } }
`;
const two = second("serviceAccount: lambda-sink");

describe("links that share a pool provider", () => {
  const conditionOf = async (b: Bench) => (await b.google("GET", at.aws)).body.attributeCondition;
  const one = "assertion.arn.startsWith('arn:aws:sts::123456789000:assumed-role/ec2-my-role/')";
  const other = "assertion.arn.startsWith('arn:aws:sts::123456789000:assumed-role/lambda-role/')";

  test("conditions add up, each link keeps its own member, and taking one out narrows and leaves the rest", async () => {
    const b = await bench();
    await b.apply(two);
    expect(await conditionOf(b)).toBe(`(${one}) || (${other})`);
    expect((await b.health(two)).verdict).toBe("works");
    const { planned, traces } = await b.prune(aws);
    expect(different(planned.plan.changes)).toEqual([
      ["update", "edited", "google:poolProvider"],
      ["delete", undefined, "google:serviceAccount"],
      ["delete", undefined, "google:binding"],
    ]);
    expect([await conditionOf(b), traces[0]?.findings]).toEqual([one, []]);
    expect((await b.health(aws)).verdict).toBe("works");
  });

  test("a link that joins needs a word by name, because somebody new gets in", async () => {
    const b = await bench();
    await b.apply(aws);
    expect(codes((await b.plan(two)).plan.findings)).toContain("TRUST-WIDENED");
    await b.apply(two, { consents: { allowWiden: ["lambda-to-gcs"] } });
    expect((await b.health(two)).verdict).toBe("works");
  });

  test("destroying one of two leaves the other as it is", async () => {
    const b = await bench();
    await b.apply(two);
    await b.apply(two, { only: ["lambda-to-gcs"], destroy: true });
    expect(await conditionOf(b)).toBe(one);
    expect((await b.health(aws)).verdict).toBe("works");
  });

  test.each([
    ["another mapping", "mapping: { google.subject: assertion.userid }, grant: { attribute: { aws_role: x } }"],
    ["a condition of one's own", "condition: assertion.arn != ''"],
  ])("what cannot be combined is a conflict: %s", async (_, more) => {
    const b = await bench();
    expect(codes((await b.plan(second(more))).plan.findings)).toContain("LINKS-CONFLICT");
  });

  test("one pool for the service accounts of two projects", async () => {
    const b = await bench();
    const sink = "loader@other-prod.iam.gserviceaccount.com";
    await b.google("POST", "iam/v1/projects/other-prod/serviceAccounts", { accountId: "loader" });
    const file = second(`serviceAccount: ${sink}`);
    // The account is only used: what is written into its policy takes a word by name.
    expect(codes((await b.plan(file)).plan.findings)).toContain("NOT-OURS");
    await b.apply(file, { consents: { adopt: ["lambda-to-gcs"] } });
    expect((await b.health(file)).verdict).toBe("works");
    await b.apply(file, { destroy: true });
    const left = await b.google("POST", `iam/v1/projects/other-prod/serviceAccounts/${sink}:getIamPolicy`);
    expect([left.status, left.body.bindings]).toEqual([200, undefined]);
  });
});

describe("bindings", () => {
  const bucket = "storage/storage/v1/b/acme-reports/iam";

  test("other people's members, and bindings with a condition, stay as they are", async () => {
    const b = await bench();
    const theirs = [
      { role: "roles/storage.objectViewer", members: ["user:somebody@example.com"] },
      {
        ...{ role: "roles/storage.objectViewer", members: ["user:other@example.com"] },
        condition: { title: "later", expression: "request.time > timestamp('2030-01-01T00:00:00Z')" },
      },
    ];
    await b.google("PUT", bucket, { bindings: theirs, version: 3 });
    await b.apply(azure);
    const made = (await b.google("GET", bucket)).body.bindings as { members: string[] }[];
    expect([made.length, made[0]?.members.length, made[1]]).toEqual([2, 2, theirs[1]]);
    await b.apply(azure, { destroy: true });
    expect((await b.google("GET", bucket)).body.bindings).toEqual(theirs);
  });

  test("of our own pool a member that no link wants goes, somebody else's pool is not ours to touch", async () => {
    const b = await bench();
    await b.apply(azure);
    const { body } = await b.google("GET", bucket);
    const [binding] = body.bindings as { role: string; members: string[] }[];
    const mine = binding?.members[0] ?? "";
    const foreign = mine.replace("/partners/", "/somebodys/");
    const members = [mine, mine.replace("/subject/", "/subject/stray-"), foreign];
    await b.google("PUT", bucket, { ...body, bindings: [{ role: binding?.role, members }] });
    const { planned } = await b.prune(azure);
    expect(different(planned.plan.changes)).toEqual([["delete", undefined, "google:binding"]]);
    const left = (await b.google("GET", bucket)).body.bindings as { members: string[] }[];
    expect(left[0]?.members).toEqual([mine, foreign]);
    await b.google("PUT", bucket, { ...body, etag: undefined, bindings: [{ role: binding?.role, members }] });
    const { verdict, findings } = await b.health(azure);
    expect([verdict, codes(findings)]).toEqual(["drifted", ["LEFTOVERS"]]);
  });

  // What comes back lets in whoever it let in before: it must find nobody bound.
  test("what is brought back finds no binding before it is as the file says", async () => {
    const b = await bench();
    await b.apply(azure);
    await b.google("DELETE", pool);
    const calls = await b.callsOf(async () => {
      const { applied } = await b.apply(azure, { consents: { undelete: true } });
      expect(applied.findings).toEqual([]);
    });
    const writes = calls.filter(({ write }) => write).map(({ operation }) => operation);
    // The patches around the binding write the mark alone: unfinished while it is away.
    const patch = "PatchWorkloadIdentityPoolProvider";
    expect(writes).toEqual(["SetBucketIamPolicy", "UndeleteWorkloadIdentityPool", patch, "SetBucketIamPolicy", patch]);
    expect((await b.health(azure)).verdict).toBe("works");
  });

  test("eight writers at once on one policy lose no member", async () => {
    const b = await bench();
    b.haste = 20;
    const links = Array.from({ length: 8 }, (_, at) =>
      azure
        .replace("azure-to-gcs", `azure-${at}`)
        .replace("poolProvider: azure", `poolProvider: azure-${at}`)
        .replace("000000000001", `00000000000${at}`)
        .replace("name: acme\n", `name: acme-${at}\n`)
        .replace("pool: partners", `pool: partners-${at}`),
    );
    await Promise.all(links.map((file) => b.apply(file)));
    const bindings = (await b.google("GET", bucket)).body.bindings as { members: string[] }[];
    expect(new Set(bindings.flatMap(({ members }) => members)).size).toBe(8);
  });
});

describe("how narrowly a link is made", () => {
  const from = (text: string) => aws.replace("role: ec2-my-role", text);
  test.each([
    ["one instance", from("instance: i-0123456789abcdef0"), "attribute.aws_ec2_instance/i-0123456789abcdef0"],
    [
      "one session",
      from("arn: 'arn:aws:sts::123456789000:assumed-role/r/me'"),
      "subject/arn:aws:sts::123456789000:assumed-role/r/me",
    ],
    [
      "an attribute",
      aws.replace(
        "serviceAccount: etl-sink",
        "serviceAccount: etl-sink, grant: { attribute: { account: '123456789000' } }",
      ),
      "attribute.account/123456789000",
    ],
    [
      "google's own mapping",
      aws.replace(
        "serviceAccount: etl-sink",
        "serviceAccount: etl-sink, mapping: { google.subject: assertion.arn, attribute.aws_role: \"assertion.arn.extract('{a}assumed-role/') + 'assumed-role/' + assertion.arn.extract('assumed-role/{r}/')\" }",
      ),
      "attribute.aws_role/arn:aws:sts::123456789000:assumed-role/ec2-my-role",
    ],
  ])("%s", async (_, file, tail) => {
    const b = await bench();
    const { planned } = await b.apply(file);
    const members = planned.plan.changes.map(({ desired }) => desired?.spec.member);
    expect(members).toContain(tail);
    expect((await b.health(file)).verdict).toBe("works");
  });

  test("a whole pool takes consent by name", async () => {
    const b = await bench();
    const file = azure.replace("poolProvider: azure", "poolProvider: azure, grant: pool");
    expect((await b.plan(file)).plan.findings.filter(({ asks }) => asks === "usage").map(({ code }) => code)).toEqual([
      "BROAD-SUBJECT",
    ]);
    const { plan } = await b.plan(file, { consents: { allowBroadSubject: ["azure-to-gcs"] } });
    expect(plan.findings.filter(({ asks }) => asks === "usage")).toEqual([]);
  });

  test("prove: judge, where nothing can mint", async () => {
    const b = await bench();
    const file = aws.replace("    may:", "    prove: judge\n    may:");
    await b.apply(file);
    const health = await b.health(file);
    expect([health.verdict, health.links[0]?.hops.map(({ result }) => result)]).toEqual([
      "unproved",
      ["skipped", "ok", "skipped", "ok"],
    ]);
  });
});

describe("what takes time, fails for a moment, or is cut off", () => {
  test("changes that are not there at once are waited for by looking, and the wait is told", async () => {
    const b = await bench();
    b.sandbox.set({ propagationSeconds: 1 });
    timeByPauses(b);
    const { applied, traces } = await b.apply(azure);
    expect([applied.findings, traces.flatMap(({ findings }) => findings)]).toEqual([[], []]);
    expect(b.calls.filter(({ operation }) => operation === "GetOperation").length).toBeGreaterThan(0);
    expect(b.progress.filter(({ state }) => state === "waiting").map(({ what }) => what)).toContain(
      "google carries a change out",
    );
  });

  test.each(["throttle", "error500", "reset", "reset-after", "truncate", "empty", "html"] as const)(
    "a first write that meets %s ends as it should",
    async (fault) => {
      const b = await bench();
      b.haste = 50;
      const operations = [
        "CreateWorkloadIdentityPool",
        "CreateWorkloadIdentityPoolProvider",
        "SetIamPolicy",
        "GenerateAccessToken",
      ];
      b.sandbox.faults.set([
        ...operations.map((operation) => ({ service: "*", operation, nth: 1, fault })),
        { service: "google.sts", operation: "ExchangeToken", nth: 1, fault },
      ]);
      await b.apply(aws);
      b.sandbox.faults.set([]);
      const { applied } = await b.apply(aws);
      expect(applied.findings).toEqual([]);
      expect((await b.health(aws)).verdict).toBe("works");
    },
  );

  test("what cannot be told is not called broken", async () => {
    const b = await bench();
    await b.apply(azure);
    b.haste = 1000;
    b.sandbox.faults.set([{ service: "google.sts", operation: "*", fault: "error500" }]);
    expect((await b.health(azure)).verdict).toBe("unknown");
    b.sandbox.faults.set([{ service: "google.iam", operation: "GetWorkloadIdentityPoolProvider", fault: "empty" }]);
    const { plan } = await b.plan(azure);
    expect(different(plan.changes)).toEqual([]);
    expect(codes(plan.findings)).toContain("MALFORMED-ANSWER");
  });
});

describe("a pool provider of somebody else in our pool", () => {
  const theirs = { oidc: { issuerUri: "https://two.example.com" }, attributeMapping: { "google.subject": "'admin'" } };

  test("is told, and the pool stays as long as it is there", async () => {
    const b = await bench();
    await b.apply(azure);
    await b.google("POST", `${pool}/providers?workloadIdentityPoolProviderId=evil-prov`, theirs);
    expect(codes((await b.plan(azure)).plan.findings)).toContain("GOOGLE-FOREIGN-POOL-PROVIDER");
    expect(codes((await b.health(azure)).findings)).toContain("GOOGLE-FOREIGN-POOL-PROVIDER");
    const { applied } = await b.apply(azure, { destroy: true });
    expect(codes(applied.findings)).toEqual(["GOOGLE-FOREIGN-POOL-PROVIDER"]);
    expect((await b.google("GET", `${pool}/providers/evil-prov`)).body.state).toBe("ACTIVE");
    await b.google("DELETE", `${pool}/providers/evil-prov`);
    expect((await b.apply(azure, { destroy: true })).applied.findings).toEqual([]);
    expect((await b.google("GET", pool)).body.state).toBe("DELETED");
  });

  test("that yields a granted subject: the text names all subjects of the file, the fix a command that removes it", async () => {
    const b = await bench();
    const file = oidc.replace("subject: deployer", "subject: [ deployer, releaser ]");
    await b.apply(file);
    const attributeMapping = { "google.subject": "'deployer'" };
    await b.google("POST", `${pool}/providers?workloadIdentityPoolProviderId=evil-prov`, {
      ...theirs,
      attributeMapping,
    });
    const { verdict, findings } = await b.health(file);
    const told = findings.find(({ code }) => code === "GOOGLE-FOREIGN-POOL-PROVIDER");
    expect([verdict, told?.severity]).toEqual(["open", "security"]);
    expect(told?.says).toMatch(
      /^google would accept .* through the pool provider evil-prov; the file names only deployer, releaser$/,
    );
    expect(told?.fix[0]).toBe(
      "gcloud iam workload-identity-pools providers delete evil-prov --project=acme-prod --location=global --workload-identity-pool=partners",
    );
    await b.google("DELETE", `${pool}/providers/evil-prov`);
    expect((await b.health(file)).verdict).toBe("works");
  });
});

// Catches two spellings of one text, of which one is drift for ever.
test.each([
  ["a blank at its end", "condition: \"assertion.sub == '9f3c1e2a-0000-4000-8000-000000000001' \""],
  [
    "brackets of its own",
    "condition: \"(assertion.sub == '9f3c1e2a-0000-4000-8000-000000000001') || (assertion.sub == 'x')\"",
  ],
  ["a blank in a mapping", 'mapping: { google.subject: "assertion.sub ", attribute.iss: " assertion.iss" }'],
])("%s is no difference", async (_, member) => {
  const b = await bench();
  const file = azure.replace("poolProvider: azure", `poolProvider: azure, ${member}`);
  await b.apply(file);
  const again = await b.callsOf(async () => {
    expect(different((await b.apply(file)).planned.plan.changes)).toEqual([]);
  });
  expect(again.filter(({ write }) => write)).toEqual([]);
  expect((await b.health(file)).verdict).toBe("works");
});

test("a pattern of subjects takes a word by name, whatever is granted to it", async () => {
  const b = await bench();
  const from =
    'from: { oidc: { issuer: https://idp.example.com, clientId: gcp-access-client, subjectLike: "team-*" } }';
  const grant =
    "grant: { attribute: { team: a } }, mapping: { google.subject: assertion.sub, attribute.team: assertion.team }";
  const file = oidc.replace(/from: .*/, from).replace("serviceAccount: deployer", `serviceAccount: deployer, ${grant}`);
  const stops = (findings: readonly Finding[]) =>
    findings.filter(({ asks }) => asks === "usage").map(({ code }) => code);
  expect(stops((await b.plan(file)).plan.findings)).toContain("BROAD-SUBJECT");
  expect(stops((await b.plan(file, { consents: { allowBroadSubject: ["deploy-to-gcp"] } })).plan.findings)).toEqual([]);
});

describe("a guard against keys", () => {
  const guarded = azure.replace("links:", "guard: { denyServiceAccountKeys: true }\nlinks:");

  test("made, read once an hour, its absence is drift, gone with the deployment", async () => {
    const b = await bench();
    await b.apply(guarded);
    const reads = (calls: Bench["calls"]) => calls.filter(({ operation }) => operation === "GetPolicy").length;
    expect(reads(await b.callsOf(() => b.health(guarded)))).toBe(0);
    const number = (await b.google("GET", "cloudresourcemanager/v1/projects/acme-prod")).body.projectNumber;
    const name = `iam/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2F${number}/denypolicies/crosstrust-no-keys`;
    expect((await b.google("GET", name)).body).toMatchObject({ annotations: { "crosstrust-owner": "acme" } });
    await b.google("DELETE", name);
    b.sandbox.set({ offsetSeconds: 3700 });
    // The clock of a world follows the answers it gets.
    const { plan } = await b.plan(guarded).then(() => b.plan(guarded));
    expect(different(plan.changes)).toEqual([["update", "drifted", "google:denyPolicy"]]);
    await b.apply(guarded);
    await b.apply(guarded, { destroy: true });
    expect((await b.google("GET", name)).status).toBe(404);
  });

  test.each([
    ["a pool", azure],
    ["an account", example("google-to-aws")],
  ])("taken out of a file with %s it goes, and nothing is asked for again", async (_, file) => {
    const b = await bench();
    await b.apply(file.replace("links:", "guard: { denyServiceAccountKeys: true }\nlinks:"));
    expect(different((await b.plan(file)).plan.changes)).toEqual([["delete", undefined, "google:denyPolicy"]]);
    await b.prune(file);
    const calls = await b.callsOf(async () => {
      expect(different((await b.apply(file)).planned.plan.changes)).toEqual([]);
    });
    expect(calls.filter(({ write, operation }) => write || operation === "GetPolicy")).toEqual([]);
  });

  // Catches a guard that is there by its name and holds nobody back.
  test.each([
    ["a permission that is spared", { exceptionPermissions: ["iam.googleapis.com/serviceAccountKeys.create"] }],
    ["a condition", { denialCondition: { title: "never", expression: "false" } }],
  ])("%s is drift, and goes", async (_, rule) => {
    const b = await bench();
    await b.apply(guarded);
    const number = (await b.google("GET", "cloudresourcemanager/v1/projects/acme-prod")).body.projectNumber;
    const name = `iam/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2F${number}/denypolicies/crosstrust-no-keys`;
    const { body } = await b.google("GET", name);
    const [{ denyRule }] = body.rules as [{ denyRule: object }];
    await b.google("PUT", name, { ...body, rules: [{ denyRule: { ...denyRule, ...rule } }] });
    b.sandbox.set({ offsetSeconds: 3700 });
    await b.plan(guarded);
    expect(different((await b.plan(guarded)).plan.changes)).toEqual([["update", "drifted", "google:denyPolicy"]]);
    await b.apply(guarded);
    const [after] = (await b.google("GET", name)).body.rules as [{ denyRule: object }];
    expect(after.denyRule).not.toMatchObject(rule);
  });

  test("adopted, it is given back to whom it was, with the rule that it had", async () => {
    const b = await bench();
    await b.apply(guarded);
    const theirs = guarded
      .replace("name: acme", "name: beta")
      .replaceAll("partners", "others")
      .replace("Keys: true", "Keys: true, breakGlass: ops@example.com");
    await b.apply(theirs, { consents: { adopt: ["azure-to-gcs"] } });
    const { planned } = await b.apply(theirs, { destroy: true });
    expect(different(planned.plan.changes)).toContainEqual(["release", undefined, "google:denyPolicy"]);
    b.sandbox.set({ offsetSeconds: 3700 });
    await b.plan(guarded);
    expect(different((await b.plan(guarded)).plan.changes)).toEqual([]);
  });

  // Catches a guard that belongs to whoever looks at it.
  test("another deployment's guard serves this one too, and is not this one's to change or to take away", async () => {
    const b = await bench();
    const theirs = guarded.replace("name: acme", "name: beta").replaceAll("partners", "others");
    await b.apply(theirs);
    const { planned } = await b.apply(guarded);
    expect(different(planned.plan.changes).map(([, , kind]) => kind)).not.toContain("google:denyPolicy");
    const gone = await b.callsOf(() => b.apply(guarded, { destroy: true }));
    expect(gone.filter(({ operation }) => operation === "DeletePolicy")).toEqual([]);
    const breakGlass = guarded.replace("Keys: true", "Keys: true, breakGlass: ops@example.com");
    b.sandbox.set({ offsetSeconds: 3700 });
    await b.plan(breakGlass);
    expect(different((await b.plan(breakGlass)).plan.changes)).toContainEqual([
      "adopt",
      undefined,
      "google:denyPolicy",
    ]);
  });

  test("where there is no organization it is skipped, and said", async () => {
    const b = await bench();
    await b.google("GET", "cloudresourcemanager/v1/projects/acme-prod");
    const key = "google.project/acme-prod";
    b.sandbox.state.put(key, { ...b.sandbox.state.get<object>(key), noOrganization: true });
    const { planned } = await b.apply(guarded);
    const said = planned.plan.findings.find(({ code }) => code === "GOOGLE-GUARD-SKIPPED");
    expect(said?.says).toMatch(/skipped: no organization/);
    expect((await b.health(guarded)).verdict).toBe("works");
    expect(b.calls.filter(({ operation }) => operation === "CreatePolicy")).toEqual([]);
  });
});

describe("the proof of aws cannot be used for anything else", () => {
  const stage = async () => {
    const b = await bench();
    await b.apply(aws);
    const session = await b.world().sandbox?.session("aws", "arn:aws:sts::123456789000:assumed-role/ec2-my-role/me");
    const number = (await b.google("GET", "cloudresourcemanager/v1/projects/acme-prod")).body.projectNumber;
    const audience = `//iam.googleapis.com/projects/${number}/locations/global/workloadIdentityPools/partners/providers/aws-prod`;
    const ask = {
      region: "us-east-1",
      target: audience,
      session: session ?? { secrets: {}, principal: "" },
      now: Date.now(),
    };
    const exchange = async (request: unknown, more: Record<string, string> = {}) => {
      const form = new URLSearchParams({
        ...{ grant_type: "urn:ietf:params:oauth:grant-type:token-exchange", audience, scope: "x" },
        subject_token_type: "urn:ietf:params:aws:token-type:aws4_request",
        subject_token: typeof request === "string" ? request : encodeURIComponent(JSON.stringify(request)),
        ...more,
      });
      const answer = await fetch(`${b.url}/google/sts/v1/token`, { method: "POST", body: form });
      return { status: answer.status, body: (await answer.json()) as Record<string, string> };
    };
    return { b, ask, exchange, audience };
  };
  const changed = (request: SignedRequest, key: string, value: string): SignedRequest => ({
    ...request,
    headers: request.headers.map((one) => (one.key === key ? { key, value } : one)),
  });

  test("as it was signed it is believed, by its clients' other spellings too", async () => {
    const { ask, exchange, audience } = await stage();
    expect((await exchange(signedRequest(ask))).body).toMatchObject({ expires_in: 900, token_type: "Bearer" });
    expect((await exchange(signedRequest({ ...ask, target: `https:${audience}` }))).status).toBe(200);
    expect((await exchange(signedRequest({ ...ask, region: "eu-central-1" }))).status).toBe(200);
  });

  test.each([
    [
      "another pool provider",
      (request: SignedRequest) => changed(request, "x-goog-cloud-target-resource", "//iam.googleapis.com/x"),
      /does not match the audience/,
    ],
    [
      "a target that was changed after it was signed",
      (request: SignedRequest, audience: string) =>
        changed(request, "x-goog-cloud-target-resource", `https:${audience}`),
      /SignatureDoesNotMatch/,
    ],
    [
      "another host",
      (request: SignedRequest) => ({
        ...request,
        url: "https://sts.evil.example?Action=GetCallerIdentity&Version=2011-06-15",
      }),
      /must be for AWS STS/,
    ],
    [
      "a host that only ends alike",
      (request: SignedRequest) => ({
        ...request,
        url: "https://x.sts.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
      }),
      /must be for AWS STS/,
    ],
    [
      "plain http",
      (request: SignedRequest) => ({ ...request, url: request.url.replace("https", "http") }),
      /must be for AWS STS/,
    ],
    [
      "a port",
      (request: SignedRequest) => ({ ...request, url: request.url.replace(".com", ".com:8443") }),
      /must be for AWS STS/,
    ],
    [
      "another action",
      (request: SignedRequest) => ({ ...request, url: request.url.replace("GetCallerIdentity", "AssumeRole") }),
      /must be GetCallerIdentity/,
    ],
    [
      "a second parameter",
      (request: SignedRequest) => ({ ...request, url: `${request.url}&RoleArn=x` }),
      /must be GetCallerIdentity/,
    ],
    ["another method", (request: SignedRequest) => ({ ...request, method: "GET" }), /must be a POST/],
    ["a body", (request: SignedRequest) => ({ ...request, body: "x" }), /Invalid format/],
    [
      "a host header that differs",
      (request: SignedRequest) => changed(request, "host", "sts.amazonaws.com"),
      /host header/,
    ],
    [
      "a header twice",
      (request: SignedRequest) => ({
        ...request,
        headers: [...request.headers, { key: "Host", value: "sts.us-east-1.amazonaws.com" }],
      }),
      /twice/,
    ],
    [
      "another signature",
      (request: SignedRequest) =>
        changed(request, "Authorization", (request.headers.at(-1)?.value ?? "").replace(/[0-9a-f]{8}$/, "00000000")),
      /SignatureDoesNotMatch/,
    ],
    ["no JSON", () => "%7B", /Unexpected end of stream/],
  ] as const)("refused: %s", async (_, change, why) => {
    const { b, ask, exchange, audience } = await stage();
    const before = b.calls.length;
    const { status, body } = await exchange(
      (change as (r: SignedRequest, a: string) => unknown)(signedRequest(ask), audience),
    );
    expect([status, body.error_description]).toEqual([400, expect.stringMatching(why)]);
    // Whatever it asks for, nobody but AWS's STS is ever asked.
    expect(b.calls.slice(before).filter(({ service }) => !["google.sts", "aws.sts"].includes(service))).toEqual([]);
  });

  test("an old one, one of a session that ended, and one of another account", async () => {
    const { b, ask, exchange } = await stage();
    expect((await exchange(signedRequest({ ...ask, now: Date.now() - 16 * 60_000 }))).body.error).toBe("invalid_grant");
    const other = await b.world().sandbox?.session("aws", "arn:aws:sts::999999999999:assumed-role/ec2-my-role/me");
    const theirs = signedRequest({ ...ask, session: other ?? ask.session });
    expect((await exchange(theirs)).body.error).toBe("invalid_grant");
    b.sandbox.set({ offsetSeconds: 3700 });
    const late = signedRequest({ ...ask, now: b.sandbox.now() });
    expect((await exchange(late)).body.error_description).toMatch(/ExpiredToken/);
  });

  test("what is wrong with the request is told in Google's words", async () => {
    const { ask, exchange, audience } = await stage();
    const proof = signedRequest(ask);
    const id = audience.replace(/projects\/\d+/, "projects/acme-prod");
    const says = async (more: Record<string, string>) => {
      const { body } = await exchange(proof, more);
      return [body.error, body.error_description];
    };
    expect(await says({ audience: id })).toEqual([
      "invalid_request",
      expect.stringMatching(/^Invalid value for "audience"/),
    ]);
    expect(await says({ audience: `https:${audience}` })).toEqual(["invalid_request", expect.any(String)]);
    expect(await says({ audience: `${audience}-2` })).toEqual([
      "invalid_target",
      expect.stringMatching(/^The target service indicated/),
    ]);
    expect(await says({ subject_token_type: "urn:ietf:params:oauth:token-type:jwt" })).toEqual([
      "invalid_request",
      expect.any(String),
    ]);
    expect(await says({ grant_type: "password" })).toEqual(["unsupported_grant_type", expect.any(String)]);
  });
});

describe("tokens of an issuer, as Google's STS takes them", () => {
  const stage = async () => {
    const b = await bench();
    await b.apply(oidc);
    const number = (await b.google("GET", "cloudresourcemanager/v1/projects/acme-prod")).body.projectNumber;
    const audience = `//iam.googleapis.com/projects/${number}/locations/global/workloadIdentityPools/partners/providers/idp-example`;
    const mint = async (claims: object, more: object = {}) => {
      const base = { sub: "deployer", aud: "gcp-access-client" };
      const body = JSON.stringify({ issuer: "https://idp.example.com", claims: { ...base, ...claims }, ...more });
      return ((await (await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body })).json()) as { token: string })
        .token;
    };
    const exchange = async (token: string) => {
      const form = {
        ...{ grantType: "urn:ietf:params:oauth:grant-type:token-exchange", audience, scope: "x", subjectToken: token },
        subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
      };
      const answer = await fetch(`${b.url}/google/sts/v1/token`, { method: "POST", body: JSON.stringify(form) });
      return (await answer.json()) as Record<string, string>;
    };
    return { b, mint, exchange };
  };
  const now = Math.floor(Date.now() / 1000);

  test.each([
    ["as it should be", {}, {}, undefined],
    ["another subject", { sub: "x" }, {}, /rejected by the attribute condition/],
    ["another audience", { aud: "x" }, {}, /audience in ID Token \[x\] does not match/],
    [
      "another issuer",
      { iss: "https://idp.example.com/x" },
      {},
      /The issuer in ID Token https:\/\/idp.example.com\/x does not match the expected ones: https:\/\/idp.example.com/,
    ],
    ["the issuer with a slash at its end", { iss: "https://idp.example.com/" }, {}, undefined],
    ["run out", { iat: now - 7200, exp: now - 60 }, {}, /is stale to sign-in/],
    ["issued in the future", { iat: now + 600 }, {}, /future/],
    ["longer than two days", { exp: now + 49 * 3600 }, {}, /48 hours/],
    ["as long as a managed identity's", { iat: now - 300, exp: now + 86_400 }, {}, undefined],
    ["signed with another key", {}, { sign: "wrong-key" }, /signature/],
    ["not signed", {}, { sign: "none" }, /Invalid JWT/],
    ["a kid that the issuer does not serve", {}, { header: { kid: "other" } }, /signature/],
    ["a subject of 128 bytes", { sub: "x".repeat(128) }, {}, /exceeds the 127 bytes limit/],
  ])("%s", async (_, claims, more, why) => {
    const { mint, exchange } = await stage();
    const answer = await exchange(await mint(claims, more));
    if (why) expect(answer.error_description).toMatch(why);
    else expect(answer.access_token).toMatch(/^ya29\./);
  });

  test("keys that cannot be fetched", async () => {
    const { b, mint, exchange } = await stage();
    const token = await mint({});
    const body = JSON.stringify({
      issuer: "https://idp.example.com",
      discovery: { issuer: "https://other.example.com" },
    });
    await fetch(`${b.url}/_sandbox/issuers`, { method: "PUT", body });
    expect((await exchange(token)).error_description).toBe("Error connecting to the given credential's issuer.");
  });

  test("a token of a pool that was switched off is dead at once, one of its pool provider's is not", async () => {
    const { b, mint, exchange } = await stage();
    const { access_token: token = "" } = await exchange(await mint({}));
    const active = async () => {
      const answer = await fetch(`${b.url}/google/sts/v1/introspect`, {
        method: "POST",
        body: new URLSearchParams({ token }),
      });
      return ((await answer.json()) as { active: boolean }).active;
    };
    await patch(b, at.oidc, "disabled", { disabled: true });
    expect(await active()).toBe(true);
    await patch(b, pool, "disabled", { disabled: true });
    expect(await active()).toBe(false);
  });
});

// Outside the sandbox the credentials at hand sign: those of anybody else would prove nothing about the link.
describe("whose credentials are at hand", () => {
  const linkWith = (who: string): Link => {
    const text = aws.replace("role: ec2-my-role", who);
    return readFederation("f.yaml", Buffer.from(text), shapes).federation?.links[0] as Link;
  };
  const assumed = (role: string, session: string) => `arn:aws:sts::123456789000:assumed-role/${role}/${session}`;
  test.each([
    ["the role, whatever its session", "role: ec2-my-role", assumed("ec2-my-role", "i-0abc"), true],
    ["another role", "role: ec2-my-role", assumed("ec2-other-role", "i-0abc"), false],
    ["a role whose session is called like it", "role: ec2-my-role", assumed("other", "ec2-my-role"), false],
    ["a role whose name begins like it", "role: ec2-my-role", assumed("ec2-my-role-2", "x"), false],
    ["a user of that name", "role: ec2-my-role", "arn:aws:iam::123456789000:user/ec2-my-role", false],
  ])("%s", (_, who, arn, meant) => {
    expect(isMeant({ account: "123456789000", arn }, linkWith(who))).toBe(meant);
    // The same name in another account is somebody else.
    const elsewhere = arn.replace("123456789000", "999999999999");
    expect(isMeant({ account: "999999999999", arn: elsewhere }, linkWith(who))).toBe(false);
  });
});
