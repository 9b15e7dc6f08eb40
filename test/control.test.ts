import * as iamCommands from "@aws-sdk/client-iam";
import { IAMClient } from "@aws-sdk/client-iam";
import { describe, expect, test } from "vitest";
import { checkHealth } from "../src/crosstrust.ts";
import { controlOf } from "../src/functions/sources.ts";
import type { Session } from "../src/model.ts";
import { credentials } from "../src/parties/aws/credentials.ts";
import { account, type Bench, bench, example, federationOf, noConsents } from "./support/bench.ts";
import { stage } from "./support/cli.ts";
import {
  control,
  controlled,
  controlStage,
  drift,
  onboardControl,
  provisionFlows,
  refusals,
  sessionOf,
  type Who,
  worldOf,
} from "./support/control.ts";
import { Somebody } from "./support/somebody.ts";

// The control plane: what the functions may do in an account, held by IAM itself and not by our good intentions.

const writes = (calls: readonly { write: boolean; operation: string }[]) =>
  calls.filter(({ write }) => write).map(({ operation }) => operation);

describe("onboarding it", () => {
  test("makes two roles and a boundary outside the paths of links, and a second run writes nothing", async () => {
    const b = await controlStage();
    const role = await new Somebody(b).role("acme-provisioner");
    expect([role.Path, role.MaxSessionDuration]).toEqual(["/crosstrust-control/", 3600]);
    expect(decodeURIComponent(String(role.AssumeRolePolicyDocument))).toMatch(
      /"accounts.google.com:oaud":"crosstrust-control\/acme","accounts.google.com:sub":"\d{21}"/,
    );
    expect(writes(await b.callsOf(() => onboardControl(b, controlled)))).toEqual([]);
    const { plan } = (await onboardControl(b, controlled)).planned;
    expect(plan.changes.every(({ verb }) => verb === "keep")).toBe(true);
  });

  // Catches a control plane that grants on accounts of judged links, or that fails because apply has not run yet.
  test("the checker's grant waits for the account, is given once, and is taken back by destroying", async () => {
    const b = await controlStage();
    expect((await onboardControl(b, controlled)).planned.plan.findings.map(({ code }) => code)).toEqual([
      "CONTROL-WAITS",
    ]);
    await b.apply(controlled);
    expect(writes(await b.callsOf(() => onboardControl(b, controlled)))).toEqual(["SetIamPolicy"]);
    expect(writes(await b.callsOf(() => onboardControl(b, controlled)))).toEqual([]);
    const path = "iam/v1/projects/acme-prod/serviceAccounts/reports@acme-prod.iam.gserviceaccount.com:getIamPolicy";
    const bindings = async () => (await b.google("POST", path)).body.bindings;
    const role = "roles/iam.serviceAccountOpenIdTokenCreator";
    expect(await bindings()).toEqual([{ role, members: [`serviceAccount:${control.checker}`] }]);
    await b.apply(controlled, { destroy: true, keep: true });
    const gone = await onboardControl(b, controlled, true);
    expect(gone.applied.findings).toEqual([]);
    expect(await bindings()).toBeUndefined();
    await expect(new Somebody(b).role("acme-checker")).rejects.toThrow("cannot be found");
  });

  test("the plan of the links never takes the control plane for a leftover, wherever the roles are", async () => {
    const root = controlled.replaceAll("role: engineers", "role: engineers, path: /");
    const b = await controlStage(root);
    await b.apply(root);
    const { plan } = await b.plan(root);
    expect(plan.changes.filter(({ verb }) => verb !== "keep")).toEqual([]);
  });

  test("a link takes the boundary by default, its own where it names one, and none without a control plane", async () => {
    const b = await controlStage();
    const boundaryOf = async (text: string) => {
      const { plan } = await b.plan(text);
      return plan.changes.find(({ address }) => address.endsWith("/engineers"))?.desired?.spec.boundary;
    };
    expect(await boundaryOf(controlled)).toBe(`arn:aws:iam::${account}:policy/crosstrust-control/acme-boundary`);
    const own = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    expect(await boundaryOf(controlled.replace("role: engineers", `role: engineers, boundary: "${own}"`))).toBe(own);
    expect(await boundaryOf(controlled.replace(/control: .*\n/, ""))).toBeNull();
  });

  test("before there is one a role cannot be made, and it is said what makes one", async () => {
    const b = await bench();
    const { applied } = await b.apply(controlled);
    const told = applied.findings.find(({ at }) => at.address?.endsWith("/engineers"));
    expect(told?.fix).toEqual([expect.stringContaining("crosstrust onboard --control")]);
  });

  const PolicyArn = `arn:aws:iam::${account}:policy/crosstrust-control/acme-boundary`;
  async function boundaryOf(b: Bench): Promise<readonly string[]> {
    const somebody = new Somebody(b);
    const { Policy } = (await somebody.iam("GetPolicy", { PolicyArn })) as { Policy: { DefaultVersionId: string } };
    const VersionId = Policy.DefaultVersionId;
    const { PolicyVersion } = (await somebody.iam("GetPolicyVersion", { PolicyArn, VersionId })) as {
      PolicyVersion: { Document: string };
    };
    const { Statement } = JSON.parse(decodeURIComponent(PolicyVersion.Document)) as Document;
    return [Statement[0]?.Action ?? []].flat();
  }
  const ofFiles = `arn:aws:iam::${account}:policy/files`;
  const withPolicy = (arn: string) => controlled.replace("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", arn);

  test("its boundary allows the services of the managed policies in the file, and no others", async () => {
    const b = await controlStage();
    expect(await boundaryOf(b)).toEqual(["s3:*"]);
    const PolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: ["elasticfilesystem:Describe*", "FSx:List*"], Resource: "*" },
        { Effect: "Deny", Action: "ec2:*", Resource: "*" },
      ],
    });
    await new Somebody(b).iam("CreatePolicy", { PolicyName: "files", PolicyDocument });
    const { applied } = await onboardControl(b, withPolicy(ofFiles));
    expect(applied.findings).toEqual([]);
    expect(await boundaryOf(b)).toEqual(["elasticfilesystem:*", "fsx:*", "s3:*"]);
  });

  // Catches a boundary that is open without a word about whose doing that is.
  test.each([
    ["arn:aws:iam::aws:policy/ReadOnlyAccess", "ReadOnlyAccess allows actions of every service"],
    ["arn:aws:iam::aws:policy/AdministratorAccess", "AdministratorAccess allows actions of every service"],
    [ofFiles, "files could not be read"],
  ])("it stays open for %s, and says whose doing that is", async (arn, why) => {
    const b = await controlStage();
    const { planned } = await onboardControl(b, withPolicy(arn));
    const told = planned.plan.findings.find(({ code }) => code === "CONTROL-BOUNDARY-OPEN");
    expect(told?.says).toContain(`(reports-to-s3: ${why})`);
    expect(await boundaryOf(b)).toEqual(["*"]);
  });

  test("a policy that cannot be read for the moment changes nothing", async () => {
    const b = await controlStage();
    const faults = (rules: readonly object[]) =>
      fetch(`${b.url}/_sandbox/faults`, { method: "PUT", body: JSON.stringify(rules) });
    await faults([{ service: "aws.iam", operation: "GetPolicyVersion", probability: 1, fault: "error500" }]);
    await expect(onboardControl(b, controlled)).rejects.toThrow();
    await faults([]);
    expect(await boundaryOf(b)).toEqual(["s3:*"]);
  });

  test("a boundary that was changed by hand is drift, and is put back as a new version", async () => {
    const b = await controlStage();
    const somebody = new Somebody(b);
    const PolicyArn = `arn:aws:iam::${account}:policy/crosstrust-control/acme-boundary`;
    const Statement = [{ Effect: "Allow", Action: "*", Resource: "*" }];
    for (let times = 0; times < 6; times++) {
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
      await somebody.iam("CreatePolicyVersion", { PolicyArn, PolicyDocument, SetAsDefault: true });
      const { planned, applied } = await onboardControl(b, controlled);
      expect(planned.plan.changes.find(({ verb }) => verb === "update")?.cause).toBe("drifted");
      expect(applied.findings).toEqual([]);
    }
    expect(writes(await b.callsOf(() => onboardControl(b, controlled)))).toEqual([]);
  });
});

/** The allowed actions of a function's role, as they stand in the account. */
async function actionsOf(b: Bench, who: Who): Promise<readonly string[]> {
  const { Statement } = await policyOf(b, who);
  return Statement.filter(({ Effect }) => Effect === "Allow").flatMap(({ Action = [] }) => Action);
}

interface Document {
  readonly Version: string;
  readonly Statement: readonly { readonly Effect: string; readonly Action?: string | readonly string[] }[];
}

async function policyOf(b: Bench, who: Who): Promise<Document> {
  const input = { RoleName: `acme-${who}`, PolicyName: "crosstrust" };
  const { PolicyDocument } = await new Somebody(b).iam("GetRolePolicy", input);
  return JSON.parse(decodeURIComponent(String(PolicyDocument)));
}

/** Takes one action out of a function's policy. */
async function without(b: Bench, who: Who, action: string): Promise<void> {
  const { Version, Statement } = await policyOf(b, who);
  const kept = Statement.flatMap((statement) => {
    if (statement.Effect !== "Allow") return [statement];
    const Action = [statement.Action ?? []].flat().filter((one) => one !== action);
    // A statement without actions is refused.
    return Action.length > 0 ? [{ ...statement, Action }] : [];
  });
  const PolicyDocument = JSON.stringify({ Version, Statement: kept });
  await new Somebody(b).iam("PutRolePolicy", {
    ...{ RoleName: `acme-${who}`, PolicyName: "crosstrust", PolicyDocument },
  });
}

/** Refusals of one run through everything that the function does; ends with the first flow that has any. */
async function provisionAll(b: Bench): Promise<readonly string[]> {
  const world = worldOf(b, await sessionOf(b, "provisioner"));
  for (const flow of provisionFlows) {
    const refused = await refusals(b, () => flow(b, world));
    if (refused.length > 0) return refused;
  }
  return [];
}

async function checkAll(b: Bench): Promise<readonly string[]> {
  const session = await sessionOf(b, "checker");
  const check = (text: string) =>
    checkHealth({ federation: federationOf(text), only: [], consents: noConsents }, worldOf(b, session));
  const fewer = controlled.replace(/ {2}reports-to-s3:[\s\S]*?(?= {2}okta)/, "");
  const refused = await refusals(b, async () => {
    await check(controlled);
    await check(fewer);
  });
  // What strangers were refused by STS is the proof itself, and no missing permission.
  return refused.filter((operation) => operation !== "AssumeRoleWithWebIdentity");
}

describe("least privilege", () => {
  test("the provisioner may do whatever making, growing, repairing and looking take", async () => {
    const b = await controlStage();
    const world = worldOf(b, await sessionOf(b, "provisioner"));
    for (const flow of provisionFlows) {
      const refused = await refusals(b, () => flow(b, world));
      expect(refused).toEqual([]);
    }
    const role = await new Somebody(b).role();
    expect(role.PermissionsBoundary).toMatchObject({
      PermissionsBoundaryArn: `arn:aws:iam::${account}:policy/crosstrust-control/acme-boundary`,
    });
  });

  test("and not one action more: without any of them something is refused", async () => {
    const actions = await actionsOf(await controlStage(), "provisioner");
    expect(actions.length).toBeGreaterThan(20);
    for (const action of actions) {
      const b = await controlStage();
      await without(b, "provisioner", action);
      // Making a thing with tags takes the permission to tag it, so the create call is the one that is refused.
      expect([action, ...(await provisionAll(b))]).toContain(action.slice(4).replace(/^Tag/, "Create"));
    }
  });

  test("the checker may do whatever a check takes, drift included, and not one action more", async () => {
    const b = await controlStage();
    await b.apply(controlled);
    expect(await checkAll(b)).toEqual([]);
    await drift(b);
    expect(await checkAll(b)).toEqual([]);
    const actions = await actionsOf(b, "checker");
    expect(actions.length).toBeGreaterThan(6);
    for (const action of actions) {
      const { Statement, Version } = await policyOf(b, "checker");
      await without(b, "checker", action);
      expect([action, ...(await checkAll(b))]).toContain(action.slice(4));
      await new Somebody(b).iam("PutRolePolicy", {
        ...{ RoleName: "acme-checker", PolicyName: "crosstrust" },
        PolicyDocument: JSON.stringify({ Version, Statement }),
      });
    }
  });
});

/** A call of IAM with a stolen session; gives its error code, or nothing where it was let through. */
async function attempt(b: Bench, { secrets }: Session, operation: string, input: object): Promise<string | undefined> {
  const { accessKeyId = "", secretAccessKey = "", sessionToken = "" } = secrets;
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  const client = new IAMClient({ region: "us-east-1", endpoint: `${b.url}/aws/iam`, credentials, maxAttempts: 1 });
  const Command = (iamCommands as unknown as Record<string, new (input: unknown) => never>)[`${operation}Command`];
  if (!Command) throw new Error(`no ${operation}`);
  return client.send(new Command(input)).then(
    () => undefined,
    (error: { Code?: string; name: string }) => error.Code ?? error.name,
  );
}

const boundary = `arn:aws:iam::${account}:policy/crosstrust-control/acme-boundary`;
const admin = "arn:aws:iam::aws:policy/AdministratorAccess";
const anyone = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }],
});
const everything = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
});
const Tags = [{ Key: "crosstrust:owner", Value: "acme" }];
const whole = {
  RoleName: "evil",
  Path: "/crosstrust/",
  AssumeRolePolicyDocument: anyone,
  PermissionsBoundary: boundary,
  Tags,
};
const mine = { RoleName: "reports-reader" };
const checker = { RoleName: "acme-checker" };
const self = { RoleName: "acme-provisioner" };
const theirs = { RoleName: "theirs" };
const unbounded = { RoleName: "unbounded" };

const hostile: readonly (readonly [string, string, object])[] = [
  ["widen its own trust", "UpdateAssumeRolePolicy", { ...self, PolicyDocument: anyone }],
  ["widen the checker's trust", "UpdateAssumeRolePolicy", { ...checker, PolicyDocument: anyone }],
  ["give itself a policy", "PutRolePolicy", { ...self, PolicyName: "x", PolicyDocument: everything }],
  ["take the checker's policy", "DeleteRolePolicy", { ...checker, PolicyName: "crosstrust" }],
  ["attach to itself", "AttachRolePolicy", { ...self, PolicyArn: admin }],
  ["tag itself", "TagRole", { ...self, Tags }],
  ["delete the checker", "DeleteRole", checker],
  ["bound itself", "PutRolePermissionsBoundary", { ...self, PermissionsBoundary: boundary }],
  ["make a role in the control path", "CreateRole", { ...whole, Path: "/crosstrust-control/" }],
  ["read the control roles", "GetRole", checker],
  [
    "rewrite the boundary",
    "CreatePolicyVersion",
    { PolicyArn: boundary, PolicyDocument: everything, SetAsDefault: true },
  ],
  ["choose another version of it", "SetDefaultPolicyVersion", { PolicyArn: boundary, VersionId: "v1" }],
  ["delete the boundary", "DeletePolicy", { PolicyArn: boundary }],
  ["make a policy", "CreatePolicy", { PolicyName: "evil", PolicyDocument: everything }],
  ["drop a role's boundary", "DeleteRolePermissionsBoundary", mine],
  ["change a role's boundary", "PutRolePermissionsBoundary", { ...mine, PermissionsBoundary: admin }],
  ["make a role without a boundary", "CreateRole", { ...whole, PermissionsBoundary: undefined }],
  ["make a role with another boundary", "CreateRole", { ...whole, PermissionsBoundary: admin }],
  ["make a role outside its path", "CreateRole", { ...whole, Path: "/" }],
  ["make a role in a path that begins alike", "CreateRole", { ...whole, Path: "/crosstrust-more/" }],
  [
    "make a role of another deployment",
    "CreateRole",
    { ...whole, Tags: [{ Key: "crosstrust:owner", Value: "other" }] },
  ],
  [
    "make a role of the control plane",
    "CreateRole",
    { ...whole, Tags: [{ Key: "crosstrust:owner", Value: "control:acme" }] },
  ],
  ["attach what the file does not name", "AttachRolePolicy", { ...mine, PolicyArn: admin }],
  ["delete a role", "DeleteRole", mine],
  ["untag a role", "UntagRole", { ...mine, TagKeys: ["crosstrust:owner"] }],
  ["claim another deployment's role", "TagRole", { ...theirs, Tags }],
  [
    "bring another deployment's role within its bounds",
    "PutRolePermissionsBoundary",
    { ...theirs, PermissionsBoundary: boundary },
  ],
  ["make a role without an owner", "CreateRole", { ...whole, Tags: undefined }],
  ["let itself into another deployment's role", "UpdateAssumeRolePolicy", { ...theirs, PolicyDocument: anyone }],
  ["let itself into a role without a boundary", "UpdateAssumeRolePolicy", { ...unbounded, PolicyDocument: anyone }],
  ["arm a role without a boundary", "PutRolePolicy", { ...unbounded, PolicyName: "x", PolicyDocument: everything }],
  ["make a user", "CreateUser", { UserName: "evil" }],
  ["make a key", "CreateAccessKey", { UserName: "admin" }],
  ["make a key of its own", "CreateAccessKey", {}],
  ["make a password", "CreateLoginProfile", { UserName: "admin", Password: "x" }],
  ["join a group", "AddUserToGroup", { UserName: "evil", GroupName: "admins" }],
  ["arm a user", "AttachUserPolicy", { UserName: "evil", PolicyArn: admin }],
  ["make a SAML provider", "CreateSAMLProvider", { Name: "evil", SAMLMetadataDocument: "x".repeat(1000) }],
  [
    "make an OIDC provider that the file does not name",
    "CreateOpenIDConnectProvider",
    { Url: "https://evil.example.com", ClientIDList: ["x"] },
  ],
  [
    "delete the OIDC provider",
    "DeleteOpenIDConnectProvider",
    { OpenIDConnectProviderArn: `arn:aws:iam::${account}:oidc-provider/idp.example.com` },
  ],
];

describe("a stolen session of the provisioner", () => {
  test("is refused whatever leads out of its bounds, and each refusal is IAM's", async () => {
    const b = await controlStage();
    await b.apply(controlled);
    const somebody = new Somebody(b);
    const role = { Path: "/crosstrust/", AssumeRolePolicyDocument: anyone };
    const other = [{ Key: "crosstrust:owner", Value: "other" }];
    await somebody.iam("CreateRole", { ...theirs, ...role, PermissionsBoundary: admin, Tags: other });
    await somebody.iam("CreateRole", { ...unbounded, ...role, Tags });
    const session = await sessionOf(b, "provisioner");
    const results: [string, string | undefined][] = [];
    for (const [what, operation, input] of hostile) results.push([what, await attempt(b, session, operation, input)]);
    expect(results).toEqual(hostile.map(([what]) => [what, "AccessDenied"]));
    // The same call without the hostile part is let through: it is the condition that refuses.
    expect(await attempt(b, session, "CreateRole", whole)).toBeUndefined();
  });

  test("passes no role, by the simulator's word", async () => {
    const b = await controlStage();
    const answer = await new Somebody(b).iam("SimulatePrincipalPolicy", {
      PolicySourceArn: `arn:aws:iam::${account}:role/crosstrust-control/acme-provisioner`,
      ActionNames: ["iam:PassRole"],
      ResourceArns: [`arn:aws:iam::${account}:role/crosstrust/reports-reader`],
    });
    expect(answer.EvaluationResults).toMatchObject([{ EvalDecision: "explicitDeny" }]);
  });

  test("gains nothing from a role it may arm: the boundary holds", async () => {
    const b = await controlStage();
    await b.apply(controlled);
    await new Somebody(b).iam("PutRolePolicy", { ...mine, PolicyName: "x", PolicyDocument: everything });
    const simulate = async (action: string) => {
      const { EvaluationResults } = await new Somebody(b).iam("SimulatePrincipalPolicy", {
        PolicySourceArn: `arn:aws:iam::${account}:role/crosstrust/reports-reader`,
        ActionNames: [action],
      });
      return (EvaluationResults as { EvalDecision: string }[])[0]?.EvalDecision;
    };
    expect(await simulate("s3:GetObject")).toBe("allowed");
    for (const action of [
      "iam:CreateUser",
      "sts:AssumeRole",
      "organizations:LeaveOrganization",
      "cloudtrail:StopLogging",
    ])
      expect([action, await simulate(action)]).toEqual([action, expect.stringMatching(/^(?:explicit|implicit)Deny$/)]);
  });
});

test("the checker proves a link by itself: its role in aws, its grant at google, and no other account's", async () => {
  const b = await controlStage();
  await b.apply(controlled);
  const { body } = await b.google("POST", "cloudresourcemanager/v1/projects/acme-prod:getIamPolicy", {});
  const viewer = { role: "roles/viewer", members: [`serviceAccount:${control.checker}`] };
  const policy = { ...body, bindings: [...(body.bindings as object[]), viewer] };
  await b.google("POST", "cloudresourcemanager/v1/projects/acme-prod:setIamPolicy", { policy });
  const session = await sessionOf(b, "checker");
  const token = await fetch(`${b.url}/computeMetadata/v1/instance/service-accounts/default/token`, {
    headers: { "metadata-flavor": "Google" },
  });
  const { access_token: accessToken } = (await token.json()) as { access_token: string };
  const google = { secrets: { accessToken }, principal: control.checker, about: { source: "metadata" } };
  const credentialsOf = async ({ party }: { party: string }) => (party === "aws" ? session : google);
  const world = () => ({ ...b.world(), credentials: credentialsOf });
  const check = async () => {
    const ask = { federation: federationOf(controlled), only: [], consents: noConsents };
    return (await checkHealth(ask, world())).links.map(({ link, verdict }) => `${link} ${verdict}`);
  };
  expect(await check()).toEqual(["reports-to-s3 unknown", "okta-engineers unproved"]);
  await onboardControl(b, controlled);
  expect(await check()).toEqual(["reports-to-s3 works", "okta-engineers unproved"]);
});

describe("a stolen session of the checker", () => {
  test.each([
    ["UpdateAssumeRolePolicy", { ...mine, PolicyDocument: anyone }],
    ["CreateRole", whole],
    ["TagRole", { ...mine, Tags }],
    ["CreateUser", { UserName: "evil" }],
    ["CreateAccessKey", {}],
  ])("writes nothing: %s", async (operation, input) => {
    const b = await controlStage();
    await b.apply(controlled);
    // Even where somebody gives it more: the Deny wins.
    await new Somebody(b).iam("AttachRolePolicy", { ...checker, PolicyArn: admin });
    expect(await attempt(b, await sessionOf(b, "checker"), operation, input)).toBe("AccessDenied");
  });
});

describe("who gets a session", () => {
  test("each function its own, named after it, for 15 minutes; no link's account and no token for a link", async () => {
    const b = await controlStage();
    await b.apply(controlled);
    const session = await sessionOf(b, "checker");
    expect(session.principal).toBe(`arn:aws:sts::${account}:assumed-role/acme-checker/crosstrust-test`);
    expect((session.expiresAt ?? 0) - b.world().clock.now()).toBeLessThanOrEqual(900_000);
  });
});

describe("as whom a function goes to an account", () => {
  const federation = federationOf(controlled);
  const access = { deployment: "acme", who: "checker", audience: "crosstrust-control/acme" } as const;

  test("health checks, provision provisions, each under its name; without a control plane neither", () => {
    expect(controlOf("health", federation)).toEqual({ ...access, sessionName: "crosstrust-health" });
    expect(controlOf("provision", federation)).toMatchObject({
      who: "provisioner",
      sessionName: "crosstrust-provision",
    });
    expect(controlOf("health", federationOf(example))).toBeUndefined();
  });

  // Catches a function that uses its own way in although the file names another for that account.
  test("what the file names for an account comes first", async () => {
    const b = await controlStage();
    const ask = { party: "aws", scope: account, access: { profile: "nobody-has-this" } };
    const calls = await b.callsOf(async () => {
      const asked = credentials(ask, b.world(), { ...access, sessionName: "crosstrust-health" });
      await expect(asked).rejects.toMatchObject({ class: "credentials", message: expect.stringContaining("profile") });
    });
    expect(calls).toEqual([]);
  });

  // Catches a fall back to whatever the machine has: another account of the functions must not go on as somebody else.
  test("a function that its role does not let in gets nothing, and is told how that is mended", async () => {
    const b = await controlStage();
    await fetch(`${b.url}/_sandbox/metadata`, {
      method: "PUT",
      body: JSON.stringify({ serviceAccount: control.provisioner }),
    });
    const asked = credentials({ party: "aws", scope: account }, b.world(), { ...access, sessionName: "crosstrust-x" });
    await expect(asked).rejects.toMatchObject({
      class: "credentials",
      fix: [expect.stringContaining("onboard --control")],
    });
  });

  test("a throttled exchange is tried again by the one retry layer", async () => {
    const b = await controlStage();
    b.haste = 100;
    b.sandbox.faults.set([{ service: "aws.sts", operation: "AssumeRoleWithWebIdentity", nth: 1, fault: "throttle" }]);
    expect((await sessionOf(b, "checker")).principal).toContain("acme-checker");
  });
});

describe("crosstrust onboard --control", () => {
  const flags = `onboard --control --quiet`;

  test("says who may do what, makes it, and has nothing to do the second time; --destroy takes it away", async () => {
    const { b, ct } = await stage(controlled);
    const missing = await ct(flags);
    expect([missing.exit, missing.out]).toEqual([
      3,
      expect.stringContaining("gcloud iam service-accounts create health --project acme-ops"),
    ]);
    for (const accountId of ["health", "provision"])
      await b.google("POST", "iam/v1/projects/acme-ops/serviceAccounts", { accountId });
    const first = await ct(flags);
    expect([first.exit, first.out]).toEqual([0, expect.stringContaining("created       aws role  acme-checker")]);
    expect(first.out).toMatch(/never +iam:DeleteRolePermissionsBoundary, iam:PassRole/);
    expect(first.out).toMatch(
      /iam:CreateRole {2}on {2}.* where iam:permissionsboundary = arn:aws:iam::\d+:policy\/crosstrust-control/,
    );
    const second = await ct(flags);
    expect([second.exit, second.out]).toEqual([0, expect.stringContaining("nothing to do")]);
    const gone = await ct(`${flags} --destroy`);
    expect([gone.exit, gone.out]).toEqual([
      0,
      expect.stringContaining("deleted       aws managed policy  acme-boundary"),
    ]);
  });

  test("two accounts are wanted, and the flags may not contradict the file", async () => {
    const { ct } = await stage(controlled.replace(/control: .*\n/, ""));
    expect(await ct(flags)).toMatchObject({ exit: 64, err: expect.stringContaining("--checker EMAIL") });
    const one = `--checker ${control.checker} --provisioner ${control.checker}`;
    expect(await ct(`${flags} ${one}`)).toMatchObject({ exit: 64, err: expect.stringContaining("two accounts") });
    const other = await stage(controlled);
    const contradicts = await other.ct(`${flags} --checker ${control.provisioner}`);
    expect(contradicts).toMatchObject({ exit: 64, err: expect.stringContaining("control.checker") });
    expect((await ct("onboard --checker x")).exit).toBe(64);
  });

  test.each([
    ["one account for both", controlled.replace(control.provisioner, control.checker), "two accounts"],
    ["a person", controlled.replace(control.checker, "ann@example.com"), "a service account of its own"],
    [
      "a role in the control plane's path",
      controlled.replace("role: engineers", "role: x, path: /crosstrust-control/"),
      "the control plane's own",
    ],
  ])("the file is refused: %s", (_, text, says) => {
    expect(() => federationOf(text)).toThrow(says);
  });
});
