import { controlAudience, planControl } from "../../src/crosstrust/control.ts";
import { applyPlan, makePlan } from "../../src/crosstrust.ts";
import type { Finding, Session, World } from "../../src/model.ts";
import { controlSession } from "../../src/parties/aws/credentials.ts";
import { account, type Bench, bench, federationOf, noConsents } from "./bench.ts";
import { Somebody } from "./somebody.ts";

// A control plane in a sandbox, and worlds in which its functions' own sessions call AWS.

export const control = {
  checker: "health@acme-ops.iam.gserviceaccount.com",
  provisioner: "provision@acme-ops.iam.gserviceaccount.com",
};
export type Who = keyof typeof control;

const head = `crosstrust: 1
name: acme
control: { checker: ${control.checker}, provisioner: ${control.provisioner} }
links:
`;
const first = `  reports-to-s3:
    from: { google: { project: acme-prod, serviceAccount: reports } }
    to:   { aws: { account: ${account}, role: reports-reader, audience: aws-trust-1 } }
    may:
      - arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess
      - { allow: [ s3:GetObject ], resources: [ arn:aws:s3:::acme-reports/* ] }
`;
const second = `  okta-engineers:
    from: { oidc: { issuer: https://idp.example.com, clientId: aws-access-client, subject: user-123 } }
    to:   { aws: { account: ${account}, role: engineers } }
    may:
      - { allow: [ s3:GetObject ], resources: [ arn:aws:s3:::acme-reports/* ] }
    prove: judge
`;
const third = second.replace("okta-engineers", "okta-leads").replace("role: engineers", "role: leads");
/** Two issuers, managed and inline permissions: whatever the functions may come across. */
export const controlled = head + first + second;
const grown = controlled + third;

/** The functions' accounts, as `deploy` makes them, and the control plane, as an administrator does. */
export async function controlStage(text = controlled): Promise<Bench> {
  const b = await bench();
  for (const id of ["health", "provision"])
    await b.google("POST", "iam/v1/projects/acme-ops/serviceAccounts", { accountId: id });
  await onboardControl(b, text);
  return b;
}

export async function onboardControl(b: Bench, text: string, destroy = false) {
  const federation = federationOf(text);
  const world = b.world();
  const planned = await planControl({ federation, control: federation.control ?? control, destroy }, world);
  const applied = await applyPlan(planned, false, world);
  return { planned, applied };
}

/** What the function's machine would get from its metadata server and STS. */
export async function sessionOf(b: Bench, who: Who): Promise<Session> {
  const body = JSON.stringify({ serviceAccount: control[who] });
  await fetch(`${b.url}/_sandbox/metadata`, { method: "PUT", body });
  const access = { deployment: "acme", who, audience: controlAudience("acme"), sessionName: "crosstrust-test" };
  return controlSession({ party: "aws", scope: account }, b.world(), access);
}

/** A world whose calls of AWS are made by a session and no operator. */
export function worldOf(b: Bench, session: Session): World {
  const world = b.world();
  return { ...world, credentials: async (ask) => (ask.party === "aws" ? session : world.credentials(ask)) };
}

const planAs = (world: World, text: string) =>
  makePlan({ federation: federationOf(text), only: [], consents: noConsents }, world);

async function applyAs(world: World, text: string): Promise<readonly Finding[]> {
  const planned = await planAs(world, text);
  const { findings } = await applyPlan(planned, false, world);
  return [...planned.plan.findings, ...findings];
}

/** Everything a person could have changed by hand. */
export async function drift(b: Bench): Promise<void> {
  const somebody = new Somebody(b);
  const RoleName = "reports-reader";
  await somebody.trust({ StringLike: { "accounts.google.com:sub": "*" } });
  await somebody.iam("UpdateRole", { RoleName, MaxSessionDuration: 43200 });
  await somebody.iam("DeleteRolePermissionsBoundary", { RoleName });
  await somebody.iam("AttachRolePolicy", { RoleName, PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess" });
  await somebody.iam("PutRolePolicy", {
    RoleName,
    PolicyName: "theirs",
    PolicyDocument: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Deny", Action: "sqs:*", Resource: "*" }],
    }),
  });
  const OpenIDConnectProviderArn = `arn:aws:iam::${account}:oidc-provider/idp.example.com`;
  const idp = (operation: string, input: Record<string, unknown>) =>
    somebody.iam(operation, { OpenIDConnectProviderArn, ...input });
  await idp("RemoveClientIDFromOpenIDConnectProvider", { ClientID: "aws-access-client" });
  await idp("AddClientIDToOpenIDConnectProvider", { ClientID: "theirs" });
  await idp("UpdateOpenIDConnectProviderThumbprint", { ThumbprintList: ["a".repeat(40)] });
}

/** Made, one link more, drifted, repaired, and looked at after a link was taken out. */
export const provisionFlows: readonly ((b: Bench, world: World) => Promise<unknown>)[] = [
  (_, world) => applyAs(world, controlled),
  (_, world) => applyAs(world, grown),
  async (b, world) => {
    await drift(b);
    return applyAs(world, grown);
  },
  (_, world) => planAs(world, head + second),
];

/** Refused calls of AWS while something runs. */
export async function refusals(b: Bench, work: () => Promise<unknown>): Promise<readonly string[]> {
  const calls = await b.callsOf(work);
  return calls
    .filter(({ service, status }) => service.startsWith("aws.") && status === 403)
    .map(({ operation }) => operation);
}
