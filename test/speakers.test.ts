import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Finding, Health } from "../src/model.ts";
import { account, type Bench, bench, example, federationOf, manyLinks, reports } from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

// Who may speak as the accounts of links, read from a sandbox: each way in, on either side of a link, and what stays
// quiet. The table of members itself is held by test/speaking.test.ts.

const project = "acme-prod";
const onAccount = `iam/v1/projects/${project}/serviceAccounts/${reports}`;
const onProject = `cloudresourcemanager/v1/projects/${project}`;
const onOrganization = "cloudresourcemanager/v1/organizations/111111111111";

interface Binding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: object;
}

async function stage(text = example): Promise<Bench> {
  const b = await bench();
  await b.apply(text);
  return b;
}

/** Adds a binding to a policy, as somebody with gcloud would. */
async function bind(b: Bench, path: string, binding: Binding): Promise<void> {
  const { body } = await b.google("POST", `${path}:getIamPolicy`, {});
  const policy = { ...body, version: 3, bindings: [...((body.bindings as Binding[]) ?? []), binding] };
  const { status, body: answer } = await b.google("POST", `${path}:setIamPolicy`, { policy });
  expect([status, answer.error]).toEqual([200, undefined]);
}

const told = ({ findings }: Health): readonly (readonly [string, string | undefined])[] =>
  findings.map(({ code, of }) => [code, of] as const);
const creator = "roles/iam.serviceAccountTokenCreator";

describe("the account that a link starts from", () => {
  test.each(["allUsers", "allAuthenticatedUsers"])(
    "spoken as by %s has a witness up to what the link grants",
    async (everybody) => {
      const b = await stage();
      await bind(b, onAccount, { role: creator, members: [everybody] });
      const { findings } = await b.health(example);
      expect(findings).toMatchObject([
        {
          code: "GOOGLE-SPEAKER",
          severity: "security",
          of: `${everybody} on serviceAccounts/${reports}`,
          links: ["reports-to-s3"],
          witness: {
            how: "judged",
            path: [
              `${everybody} holds ${creator} on serviceAccounts/${reports}`,
              `speaks as ${reports}, which reports-to-s3 lets into role reports-reader (AmazonS3ReadOnlyAccess)`,
            ],
          },
        },
      ]);
    },
  );

  // The witness, replayed: an account of somebody else's project, which nobody granted anything, mints a token.
  test("spoken as by allAuthenticatedUsers gives a token to an account of another project", async () => {
    const b = await stage();
    const made = await b.google("POST", "iam/v1/projects/evil-prod/serviceAccounts", { accountId: "mallory" });
    await fetch(`${b.url}/_sandbox/metadata`, {
      method: "PUT",
      body: JSON.stringify({ serviceAccount: made.body.email }),
    });
    const at = `${b.url}/computeMetadata/v1/instance/service-accounts/default/token`;
    const own = (await (await fetch(at, { headers: { "metadata-flavor": "Google" } })).json()) as {
      access_token: string;
    };
    const mint = () =>
      fetch(`${b.url}/google/iamcredentials/v1/projects/-/serviceAccounts/${reports}:generateIdToken`, {
        method: "POST",
        headers: { authorization: `Bearer ${own.access_token}`, "content-type": "application/json" },
        body: JSON.stringify({ audience: "aws-trust-1" }),
      });
    expect((await mint()).status).toBe(403);
    await bind(b, onAccount, { role: creator, members: ["allAuthenticatedUsers"] });
    expect((await b.health(example)).findings[0]?.witness).toBeDefined();
    expect((await mint()).status).toBe(200);
  });

  test("bound to a whole pool of another project has a witness, to a part of it none", async () => {
    const b = await stage();
    const pool =
      "principalSet://iam.googleapis.com/projects/999999999999/locations/global/workloadIdentityPools/theirs";
    const role = "roles/iam.workloadIdentityUser";
    await bind(b, onAccount, { role, members: [`${pool}/*`, `${pool}/attribute.repository/acme/app`] });
    const { findings } = await b.health(example);
    expect(findings.map(({ of, witness }) => [of, witness !== undefined])).toEqual([
      [`${pool}/* on serviceAccounts/${reports}`, true],
      [`${pool}/attribute.repository/acme/app on serviceAccounts/${reports}`, false],
    ]);
  });

  test.each<[string, string, Binding, string]>([
    ["the project", onProject, { role: creator, members: ["group:x@elsewhere.com"] }, "projects/acme-prod"],
    [
      "the organization",
      onOrganization,
      { role: "roles/iam.securityAdmin", members: ["domain:elsewhere.com"] },
      "organizations/111111111111",
    ],
  ])("is spoken as by a member of %s from outside of the organization", async (_, path, binding, on) => {
    const b = await stage();
    await bind(b, path, binding);
    expect(told(await b.health(example))).toEqual([["GOOGLE-SPEAKER", `${binding.members[0]} on ${on}`]]);
  });

  test("under a condition is told without a witness", async () => {
    const b = await stage();
    const condition = { title: "ends", expression: "request.time < timestamp('2020-01-01T00:00:00Z')" };
    await bind(b, onAccount, { role: creator, members: ["allUsers"], condition });
    const [found] = (await b.health(example)).findings;
    expect([found?.code, found?.witness, found?.says]).toEqual([
      "GOOGLE-SPEAKER",
      undefined,
      expect.stringContaining("under a condition"),
    ]);
  });

  test("by a custom role is spoken as where the role holds such a permission, and not where it holds none", async () => {
    const b = await stage();
    const make = (roleId: string, includedPermissions: string[]) =>
      b.google("POST", `iam/v1/projects/${project}/roles`, {
        roleId,
        role: { title: roleId, stage: "GA", includedPermissions },
      });
    await make("signer", ["iam.serviceAccounts.signBlob"]);
    await make("reader", ["storage.objects.get"]);
    const member = (id: string): Binding => ({
      role: `projects/${project}/roles/${id}`,
      members: [`group:${id}@elsewhere.com`],
    });
    await bind(b, onProject, member("signer"));
    await bind(b, onProject, member("reader"));
    expect(told(await b.health(example))).toEqual([
      ["GOOGLE-SPEAKER", "group:signer@elsewhere.com on projects/acme-prod"],
    ]);
  });
});

describe("the account that a link to Google ends at", () => {
  const text = readFileSync(new URL("../examples/aws-to-google.yaml", import.meta.url), "utf8");
  const sink = federationOf(text).links.find(({ to }) => to.spec.serviceAccount !== undefined);
  const email = `${sink?.to.spec.serviceAccount}@${sink?.to.spec.project}.iam.gserviceaccount.com`;
  const path = `iam/v1/projects/${sink?.to.spec.project}/serviceAccounts/${email}`;

  async function made(): Promise<Bench> {
    const b = await bench();
    const buckets = new Set([...text.matchAll(/buckets\/([a-z0-9-]+)/g)].map(([, bucket]) => bucket));
    for (const name of buckets) await b.google("POST", "storage/storage/v1/b?project=acme-prod", { name });
    await b.apply(text);
    return b;
  }

  test("counts the members of its own links among nobody, and a wider member of the pool as security", async () => {
    const b = await made();
    const speakers = ({ findings, inventory = [] }: Health): readonly Finding[] =>
      [...findings, ...inventory].filter(({ of }) => of?.endsWith(`on serviceAccounts/${email}`));
    expect(speakers(await b.health(text))).toEqual([]);
    const { body } = await b.google("POST", `${path}:getIamPolicy`, {});
    const [bound = ""] = (body.bindings as Binding[]).flatMap(({ members }) => members);
    const pool = bound
      .replace(/^principal(?:Set)?:/, "principalSet:")
      .replace(/(workloadIdentityPools\/[^/]+)\/.*/, "$1");
    await bind(b, path, { role: creator, members: [`${pool}/*`] });
    expect(speakers(await b.health(text))).toMatchObject([
      { code: "GOOGLE-SPEAKER-POOL", severity: "security", of: `${pool}/* on serviceAccounts/${email}` },
    ]);
  });

  test("spoken as by everybody has a witness that ends in what its link grants", async () => {
    const b = await made();
    await bind(b, path, { role: creator, members: ["allUsers"] });
    const { findings } = await b.health(text);
    const found = findings.find(({ code }) => code === "GOOGLE-SPEAKER");
    expect(found?.witness?.path.at(-1)).toContain(`speaks as ${email}, which ${sink?.name} grants `);
  });
});

describe("an everyday project", () => {
  // Row 28 of the set-ups that must stay quiet.
  test("with owners, default accounts and agents of Google is quiet, and listed for whoever asks", async () => {
    const b = await stage();
    const { body } = await b.google("GET", onProject);
    const agent = `serviceAccount:service-${body.projectNumber}@gcp-sa-pubsub.iam.gserviceaccount.com`;
    const compute = `serviceAccount:${body.projectNumber}-compute@developer.gserviceaccount.com`;
    const everyday: readonly Binding[] = [
      { role: "roles/owner", members: ["user:jo@example.com", "group:admins@example.com"] },
      { role: "roles/editor", members: ["user:sam@example.com", compute] },
      { role: "roles/pubsub.serviceAgent", members: [agent] },
      { role: creator, members: [agent] },
    ];
    for (const binding of everyday) await bind(b, onProject, binding);
    const { verdict, findings, inventory } = await b.health(example);
    expect([verdict, findings]).toEqual(["works", []]);
    expect(inventory?.map(({ of }) => of)).toEqual(
      expect.arrayContaining([
        "user:jo@example.com on projects/acme-prod",
        "group:admins@example.com on projects/acme-prod",
        "user:sam@example.com on projects/acme-prod",
        `${compute} on projects/acme-prod`,
        `${agent} on projects/acme-prod`,
      ]),
    );
    expect(inventory?.every(({ severity }) => severity === "hint")).toBe(true);
  });

  test("with a list of speakers tells of whoever is not listed", async () => {
    const b = await stage();
    await bind(b, onAccount, { role: creator, members: ["user:jo@example.com", "user:eve@example.com"] });
    const listed = example.replace(
      "links:",
      'speakers: [ "user:jo@example.com", "user:operator@example.com" ]\nlinks:',
    );
    const { findings, inventory } = await b.health(listed);
    const here = (some: readonly Finding[] = []) =>
      some.flatMap(({ of }) => (of?.endsWith(`on serviceAccounts/${reports}`) ? [of] : []));
    expect(here(findings)).toEqual([`user:eve@example.com on serviceAccounts/${reports}`]);
    expect(here(inventory)).toEqual([`user:jo@example.com on serviceAccounts/${reports}`]);
  });

  test.each(["allUsers", "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*"])(
    "cannot list %s as a speaker",
    (member) => {
      expect(() => federationOf(example.replace("links:", `speakers: [ "${member}" ]\nlinks:`))).toThrow("BAD-VALUE");
    },
  );
});

describe("keys", () => {
  const makeKey = (b: Bench) => b.google("POST", `${onAccount}/keys`, {});

  test("of an account that crosstrust made are security, disabled and expired ones inventory", async () => {
    const b = await stage();
    const { body } = await makeKey(b);
    const id = String(body.name).split("/").at(-1);
    const first = await b.health(example);
    expect(first.findings).toMatchObject([
      { code: "GOOGLE-USER-KEY", severity: "security", of: `${id} of ${reports}`, links: ["reports-to-s3"] },
    ]);
    expect(first.findings[0]?.witness).toBeUndefined();
    expect((await b.google("POST", `iam/v1/${body.name}:disable`, {})).status).toBe(200);
    const { findings, inventory } = await b.health(example);
    expect(findings).toEqual([]);
    expect(inventory?.find(({ code }) => code === "GOOGLE-USER-KEY")?.says).toContain("(disabled)");
  });

  test("of an account that is only used are inventory", async () => {
    const b = await bench();
    await b.google("POST", `iam/v1/projects/${project}/serviceAccounts`, { accountId: "reports" });
    const used = example.replace("serviceAccount: reports", `serviceAccount: ${reports}`);
    await b.apply(used);
    await makeKey(b);
    const { findings, inventory } = await b.health(used);
    expect(findings).toEqual([]);
    expect(inventory?.map(({ code }) => code)).toContain("GOOGLE-USER-KEY");
  });
});

describe("what may not be read", () => {
  test("is one warning with the commands, whatever the number of links, and no link's verdict", async () => {
    const two = `${example}  again-to-s3:
    from: { google: { project: acme-prod, serviceAccount: reports-2 } }
    to:   { aws: { account: ${account}, role: again-reader, audience: aws-trust-2 } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`;
    const b = await stage(two);
    const { body } = await b.google("POST", `${onProject}:getIamPolicy`, {});
    const roles = ["roles/iam.serviceAccountOpenIdTokenCreator", "roles/iam.serviceAccountCreator", "roles/browser"];
    const bindings = roles.map((role) => ({ role, members: ["user:operator@example.com"] }));
    await b.google("POST", `${onProject}:setIamPolicy`, { policy: { ...body, bindings } });
    const { links, findings } = await b.health(two);
    expect(links.map(({ verdict }) => verdict)).toEqual(["works", "works"]);
    const [found] = findings;
    expect(findings.map(({ code, severity }) => [code, severity])).toEqual([["NOT-WATCHED", "warning"]]);
    expect(found?.says.match(/policies of accounts in acme-prod/g)).toHaveLength(1);
    expect(found?.says).toContain("keys of accounts in acme-prod");
    expect(found?.fix.every((command) => command.startsWith("gcloud "))).toBe(true);
  });

  test("for the moment makes the verdict unknown", async () => {
    const b = await stage();
    b.haste = 1000;
    b.sandbox.faults.set([{ service: "google.iam", operation: "ListServiceAccountKeys", fault: "error500" }]);
    const { verdict, findings } = await b.health(example);
    expect([verdict, findings.map(({ code }) => code)]).toEqual(["unknown", ["COULD-NOT-TELL"]]);
  });
});

describe("roles of the account beside the links", () => {
  const trust = (StringEquals: object | undefined, Federated = "accounts.google.com") =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Federated },
          Action: "sts:AssumeRoleWithWebIdentity",
          ...(StringEquals ? { Condition: { StringEquals } } : {}),
        },
      ],
    });
  const make = (b: Bench, RoleName: string, AssumeRolePolicyDocument: string) =>
    new Somebody(b).iam("CreateRole", { RoleName, AssumeRolePolicyDocument });

  test("that take any token of our issuer are told, and are no link's verdict", async () => {
    const b = await stage();
    await make(b, "legacy", trust({ "accounts.google.com:oaud": "aws-trust-1" }));
    const { verdict, findings } = await b.health(example);
    expect(verdict).toBe("works");
    expect(findings).toMatchObject([
      { code: "AWS-ROLE-BESIDE", severity: "security", links: [], of: `role legacy of ${account}` },
    ]);
  });

  // Rows 24, 25 and 27 of the set-ups that must stay quiet, and what pins somebody.
  test("that pin somebody, or are about something else, are not", async () => {
    const b = await stage();
    await make(b, "pinned", trust({ "accounts.google.com:sub": "100000000000000000009" }));
    await make(b, "account", trust({ "accounts.google.com:aud": "100000000000000000009" }));
    await make(b, "app", trust({ "accounts.google.com:aud": "123-abc.apps.googleusercontent.com" }));
    const cognito = { "cognito-identity.amazonaws.com:aud": "eu-west-1:11111111-2222-3333-4444-555555555555" };
    await make(b, "cognito", trust(cognito, "cognito-identity.amazonaws.com"));
    const Statement = [
      {
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
        Action: ["sts:AssumeRole", "sts:TagSession"],
      },
    ];
    await make(b, "pods", JSON.stringify({ Version: "2012-10-17", Statement }));
    expect((await b.health(example)).findings).toEqual([]);
  });
});

test("other roles of an account with many links are told from what was read in bulk", async () => {
  const b = await bench();
  const text = manyLinks(21);
  await b.apply(text);
  const Statement = [
    { Effect: "Allow", Principal: { Federated: "accounts.google.com" }, Action: "sts:AssumeRoleWithWebIdentity" },
  ];
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await new Somebody(b).iam("CreateRole", { RoleName: "legacy", AssumeRolePolicyDocument });
  const check = async () =>
    expect(told(await b.health(text))).toEqual([["AWS-ROLE-BESIDE", `role legacy of ${account}`]]);
  const calls = await b.callsOf(check);
  // The pages of the bulk read, and those below the path of the links.
  expect(calls.filter(({ operation }) => operation === "ListRoles")).toHaveLength(2);
  // A share of a divided run looks at the account where the account's first link is in it, and at no other time.
  const shares = async (only: readonly string[]) => told(await b.health(text, { only }));
  expect([await shares(["link-0"]), await shares(["link-1"])]).toEqual([
    [["AWS-ROLE-BESIDE", `role legacy of ${account}`]],
    [],
  ]);
});

test("a customer managed policy in may is listed with its default version", async () => {
  const b = await bench();
  const somebody = new Somebody(b);
  const PolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }],
  });
  await somebody.iam("CreatePolicy", { PolicyName: "readers", PolicyDocument });
  const arn = `arn:aws:iam::${account}:policy/readers`;
  const text = example.replace("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", arn);
  await b.apply(text);
  const versions = async () =>
    (await b.health(text)).inventory?.flatMap(({ code, of }) => (code === "AWS-POLICY-VERSION" ? [of] : []));
  expect(await versions()).toEqual([`${arn} v1`]);
  await somebody.iam("CreatePolicyVersion", { PolicyArn: arn, PolicyDocument, SetAsDefault: true });
  expect(await versions()).toEqual([`${arn} v2`]);
});

test("policies are read once for each account, project and what is above it, however many links there are", async () => {
  const more = Array.from(
    { length: 4 },
    (_, at) => `  more-${at}:
    from: { google: { project: acme-prod, serviceAccount: reports } }
    to:   { aws: { account: ${account}, role: more-${at} } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`,
  ).join("");
  const text = example + more;
  const b = await stage(text);
  const calls = (await b.callsOf(() => b.health(text))).map(({ service, operation }) => `${service} ${operation}`);
  const times = (call: string) => calls.filter((one) => one === call).length;
  expect(times("google.iam GetIamPolicy")).toBe(1);
  expect(times("google.iam ListServiceAccountKeys")).toBe(1);
  // The project's own and the organization's.
  expect(times("google.cloudresourcemanager GetIamPolicy")).toBe(2);
  expect(times("google.cloudresourcemanager GetAncestry")).toBe(1);
  // Once below the path of the links, for leftovers, and once for the whole account.
  expect(times("aws.iam ListRoles")).toBe(2);
});
