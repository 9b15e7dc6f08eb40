import type { Control, Federation } from "../model.ts";

/** Words after `gcloud`. Files that it reads are named by where they will be when it runs. */
export type Command = readonly string[];

/** What a deployment is called in Google Cloud: all of it follows from the file. */
export interface Names {
  readonly deployment: string;
  /** Where functions, workflows and schedule live: the project of the checker's account. */
  readonly project: string;
  readonly region: string;
  /** Minutes from check to check. */
  readonly every: number;
  readonly accounts: Accounts;
  /** Every project that the file names: the functions look at accounts there. */
  readonly projects: readonly string[];
  /** Those of them that links lead to. */
  readonly relied: readonly string[];
  readonly bucket: string;
}

/** What only the machine knows that deploys: which number the project has, and what is to be uploaded from where. */
export interface Here {
  readonly number: string;
  /** Where the files that gcloud reads are put: bundles, workflows, policies. */
  readonly folder: string;
  /** SHA-256 of what stands in each of these folders and files, hex: told again by a label. */
  readonly digests: Digests;
  /** Full names of notification channels, for the alert policies. */
  readonly notify: readonly string[];
}

/** All that a deployment is made of. */
export interface Setup extends Names, Here {}

/** One account for each thing that acts: none of them can do what another one is for (reliability-and-security.md, 4.9). */
export interface Accounts extends Control {
  /** The workflows run as it: it may call the two functions. */
  readonly flow: string;
  /** The schedule's: it may start a workflow. */
  readonly clock: string;
}

/** By the name of the source. */
export type Digests = Readonly<
  Record<"functions/health" | "functions/provision" | "workflows/health" | "workflows/onboard", string>
>;

export const functionNames = ["health", "provision"] as const;
export const workflowNames = ["health", "onboard"] as const;

/** The functions' names, the workflows' and the job's; Cloud Run takes at most 49 characters. */
export const nameOf = ({ deployment }: Pick<Names, "deployment">, what: string): string =>
  `crosstrust-${deployment}-${what}`;

/** Known before it is deployed, because it is made of name, project number and region (Cloud Run's documentation). */
export const urlOf = (setup: Setup, what: (typeof functionNames)[number]): string =>
  `https://${nameOf(setup, what)}-${setup.number}.${setup.region}.run.app`;

/** Ids have at most 30 characters, of which a deployment's name may take 20. */
const accountIds = { checker: "check", provisioner: "make", flow: "flow", clock: "clock" } as const;

const emailOf = (deployment: string, id: string, project: string): string =>
  `ct-${deployment}-${id}@${project}.iam.gserviceaccount.com`;

/** The accounts that a file without `control:` would name. */
export const defaultControl = (deployment: string, project: string): Control => ({
  checker: emailOf(deployment, accountIds.checker, project),
  provisioner: emailOf(deployment, accountIds.provisioner, project),
});

export const projectOf = (email: string): string => email.slice(email.indexOf("@") + 1).split(".")[0] ?? "";

/** Every Google project that a side of a link names; with `sides` only those on these sides. */
export function projectsOf(
  { links }: Federation,
  sides: readonly ("from" | "to")[] = ["from", "to"],
): readonly string[] {
  const named = links.flatMap((link) => sides.map((side) => link[side])).filter(({ party }) => party === "google");
  return [...new Set(named.flatMap(({ spec }) => (typeof spec.project === "string" ? [spec.project] : [])))].sort();
}

/** Throws where the file has no control plane: whom the functions run as is part of it. */
export function namesOf(federation: Federation): Names {
  const { name: deployment, control, region = "us-central1", schedule = 5 } = federation;
  if (!control) throw new Error("the file names no control plane");
  const project = projectOf(control.checker);
  const own = (id: string) => emailOf(deployment, id, project);
  return {
    ...{ deployment, project, region, every: schedule },
    accounts: { ...control, flow: own(accountIds.flow), clock: own(accountIds.clock) },
    projects: projectsOf(federation),
    relied: projectsOf(federation, ["to"]),
    bucket: `${project}-crosstrust-${deployment}`,
  };
}

export const setupOf = (federation: Federation, here: Here): Setup => ({ ...here, ...namesOf(federation) });
