import { z } from "zod";
import type { Preflight, Resource, World } from "../../model.ts";
import { CloudError, inParallel } from "../../run/retry.ts";
import { enabledServices, getProject, heldPermissions } from "./calls.ts";
import { google } from "./client.ts";
import { forbidden } from "./preflight-policies.ts";

/** The APIs that a link needs (google.md 6.2). */
const apis = ["iam", "cloudresourcemanager", "iamcredentials", "sts"].map((name) => `${name}.googleapis.com`);

/** What apply and destroy need of a project, and the predefined role that holds it (google.md 6.2). */
interface Right {
  readonly topic: string;
  readonly permissions: readonly string[];
  readonly role: string;
  /** In words: `may make and remove ..`. */
  readonly may: string;
}

const verbs = ["create", "get", "list", "update", "delete", "undelete"];
const accountVerbs = [...verbs, "enable", "disable", "getIamPolicy"];

/** `--grant-me` needs `setIamPolicy` on accounts besides. */
function rightsIn(project: string, resources: readonly Resource[]): readonly Right[] {
  const here = resources.filter(({ spec }) => spec.project === project);
  const has = (head: string, on = "") =>
    here.some(({ address, spec }) => address.startsWith(head) && String(spec.on ?? "").startsWith(on));
  const binds = has("google:binding", "serviceAccounts/") ? ["setIamPolicy"] : [];
  const accounts: Right = {
    ...{ topic: "google roles", role: "roles/iam.serviceAccountAdmin", may: "make and remove service accounts" },
    permissions: [...accountVerbs, ...binds].map((verb) => `iam.serviceAccounts.${verb}`),
  };
  const pools: Right = {
    ...{ topic: "google pools", role: "roles/iam.workloadIdentityPoolAdmin" },
    may: "make and remove pools and pool providers",
    permissions: ["Pools", "PoolProviders"].flatMap((what) =>
      verbs.map((verb) => `iam.workloadIdentity${what}.${verb}`),
    ),
  };
  const grants: Right = {
    ...{ topic: "google grants", role: "roles/resourcemanager.projectIamAdmin", may: "grant on the project" },
    permissions: ["get", "set"].map((verb) => `resourcemanager.projects.${verb}IamPolicy`),
  };
  return [accounts, ...(has("google:pool/") ? [pools] : []), ...(has("google:binding", "projects/") ? [grants] : [])];
}

/**
 * Project by project: whose credentials, is it there, paid for, switched on, permitted, and not forbidden. A
 * project that is not there ends its list: every other line would only repeat it.
 */
export async function preflight(resources: readonly Resource[], world: World): Promise<readonly Preflight[]> {
  const projects = [...new Set(resources.map(({ spec }) => String(spec.project)))];
  const lines = await inParallel(projects, 2, async (project) => {
    const there = await line("google project", () => isActive(world, project));
    if (there.ok !== true) return [{ ...there, stops: true }];
    const rest = await Promise.all([
      line("google billing", () => billing(world, project)),
      line("google apis", () => switchedOn(world, project)),
      ...rightsIn(project, resources).map((right) => line(right.topic, () => permitted(world, project, right))),
      line("google org policies", () => forbidden(world, project, resources)),
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
async function permitted(world: World, project: string, { permissions, role, may }: Right): Promise<Seen> {
  const held = await heldPermissions(world, project, permissions);
  const missing = permissions.filter((permission) => !held.includes(permission));
  if (missing.length === 0) return fine(`may ${may}`);
  const command = `gcloud projects add-iam-policy-binding ${project} --member=user:YOU --role=${role}`;
  return bad(`missing ${missing.join(", ")}`, command);
}
