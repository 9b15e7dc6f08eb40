import { z } from "zod";
import type { Link, Preflight, Resource, World } from "../../model.ts";
import { CloudError, inParallel } from "../../run/retry.ts";
import { enabledServices, getProject, heldPermissions } from "./calls.ts";
import { google } from "./client.ts";
import { isSignIn, serviceAccountOf } from "./shape.ts";

/** The APIs that a link needs (google.md 6.2). */
const apis = ["iam", "cloudresourcemanager", "iamcredentials", "sts"].map((name) => `${name}.googleapis.com`);

/** What apply and destroy need on accounts; `--grant-me` needs `setIamPolicy` besides. */
const permissions = ["create", "get", "list", "update", "delete", "undelete", "enable", "disable", "getIamPolicy"].map(
  (verb) => `iam.serviceAccounts.${verb}`,
);

/** What pools and pool providers need besides. */
const poolPermissions = ["Pools", "PoolProviders"].flatMap((what) =>
  ["create", "get", "list", "update", "delete", "undelete"].map((verb) => `iam.workloadIdentity${what}.${verb}`),
);

/** Organization policies that stop a link from being made; true where they are enforced. */
const constraints = ["constraints/iam.disableServiceAccountCreation"];

/**
 * Project by project: whose credentials, is it there, paid for, switched on, permitted, and not forbidden. A
 * project that is not there ends its list: every other line would only repeat it.
 */
export async function preflight(resources: readonly Resource[], world: World): Promise<readonly Preflight[]> {
  const projects = [...new Set(resources.map(({ spec }) => String(spec.project)))];
  const withPools = new Set(
    resources.filter(({ address }) => address.startsWith("google:pool/")).map(({ spec }) => String(spec.project)),
  );
  const lines = await inParallel(projects, 2, async (project) => {
    const there = await line("google project", () => isActive(world, project));
    if (there.ok !== true) return [{ ...there, stops: true }];
    const rest = await Promise.all([
      line("google billing", () => billing(world, project)),
      line("google apis", () => switchedOn(world, project)),
      line("google roles", () => permitted(world, project)),
      ...(withPools.has(project) ? [line("google pools", () => mayPool(world, project))] : []),
      line("google org policies", () => forbidden(world, project)),
    ]);
    return [there, ...rest];
  });
  return lines.flat();
}

type Seen = Omit<Preflight, "topic">;

/**
 * A look that fails is told as what it is: not permitted and not there are definite, "nobody answered" is
 * `unknown` and never a no (fact sheet, 2.1).
 */
async function line(topic: string, look: () => Promise<Seen>): Promise<Preflight> {
  try {
    return { topic, ...(await look()) };
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    const definite = ["denied", "missing", "credentials", "unauthenticated"].includes(error.class);
    return { topic, ok: definite ? false : "unknown", says: error.message, fix: error.fix ?? [] };
  }
}

const fine = (says: string): Seen => ({ ok: true, says, fix: [] });
const bad = (says: string, ...fix: string[]): Seen => ({ ok: false, says, fix });

async function isActive(world: World, project: string): Promise<Seen> {
  const { principal } = await world.credentials({ party: "google", scope: project });
  const { projectNumber, lifecycleState } = await getProject(world, project);
  if (lifecycleState !== "ACTIVE") return bad(`${project} is ${lifecycleState.toLowerCase()}`, "name another project");
  return fine(`${project} (${projectNumber}) is active${principal ? `, seen by ${principal}` : ""}`);
}

const billingSchema = z.object({ billingEnabled: z.boolean().default(false) });

async function billing(world: World, project: string): Promise<Seen> {
  const { billingEnabled } = await google(world, {
    ...{ service: "google.cloudbilling", operation: "GetBillingInfo", effect: "read", method: "GET", project },
    ...{ path: `/v1/projects/${project}/billingInfo`, answer: billingSchema },
  });
  if (billingEnabled) return fine("billing is on");
  const command = `gcloud billing projects link ${project} --billing-account=ACCOUNT`;
  // Service accounts cost nothing; only what deploy puts there needs an account to bill.
  return { ok: "unknown", says: "billing is off: links work, deploying functions will not", fix: [command] };
}

async function switchedOn(world: World, project: string): Promise<Seen> {
  const on = await enabledServices(world, project, apis);
  const off = apis.filter((name) => !on.includes(name));
  if (off.length === 0) return fine(`${apis.map((name) => name.split(".")[0]).join(", ")} are enabled`);
  return bad(`${off.join(", ")} not enabled`, `gcloud services enable ${off.join(" ")} --project ${project}`);
}

/** Asked of Google itself, so inherited roles count. */
async function permitted(world: World, project: string): Promise<Seen> {
  const held = await heldPermissions(world, project, permissions);
  const missing = permissions.filter((permission) => !held.includes(permission));
  if (missing.length === 0) return fine("may make and remove service accounts");
  const command = `gcloud projects add-iam-policy-binding ${project} --member=user:YOU --role=roles/iam.serviceAccountAdmin`;
  return bad(`missing ${missing.join(", ")}`, command);
}

async function mayPool(world: World, project: string): Promise<Seen> {
  const held = await heldPermissions(world, project, poolPermissions);
  const missing = poolPermissions.filter((permission) => !held.includes(permission));
  if (missing.length === 0) return fine("may make and remove pools and pool providers");
  const command = `gcloud projects add-iam-policy-binding ${project} --member=user:YOU --role=roles/iam.workloadIdentityPoolAdmin`;
  return bad(`missing ${missing.join(", ")}`, command);
}

/** The effective policy: also what the project inherits from its folders and organization. */
async function forbidden(world: World, project: string): Promise<Seen> {
  const answer = z.object({ booleanPolicy: z.object({ enforced: z.boolean().default(false) }).optional() });
  const found = await Promise.all(
    constraints.map(async (constraint) => {
      const { booleanPolicy } = await google(world, {
        ...{
          service: "google.cloudresourcemanager",
          operation: "GetEffectiveOrgPolicy",
          effect: "read",
          method: "POST",
          project,
        },
        ...{ path: `/v1/projects/${project}:getEffectiveOrgPolicy`, body: { constraint }, answer },
      });
      return booleanPolicy?.enforced ? [constraint] : [];
    }),
  );
  const enforced = found.flat();
  if (enforced.length === 0) return fine("nothing forbids service accounts");
  const name = enforced[0]?.replace("constraints/", "") ?? "";
  return bad(
    `${enforced.join(", ")} is enforced`,
    `gcloud resource-manager org-policies disable-enforce ${name} --project ${project}`,
  );
}

/**
 * How the workload gets its identity: commands for people, since workloads are never touched here. GKE needs
 * both the annotation and the binding of its own member form (google.md 6.3 and 10).
 */
export function nextSteps(link: Link): readonly string[] {
  if (isSignIn(link)) return [];
  const { email, project } = serviceAccountOf(link);
  return [
    `on a virtual machine   gcloud compute instances set-service-account VM --project ${project} --service-account ${email} --scopes cloud-platform`,
    `on Cloud Run           gcloud run services update SERVICE --project ${project} --service-account ${email}`,
    `on GKE                 kubectl annotate serviceaccount KSA iam.gke.io/gcp-service-account=${email}`,
    `                       gcloud iam service-accounts add-iam-policy-binding ${email} --project ${project} --role roles/iam.workloadIdentityUser --member "serviceAccount:${project}.svc.id.goog[NAMESPACE/KSA]"`,
  ];
}
