import { z } from "zod";
import { type Command, functionNames, type Names, nameOf } from "./setup.ts";

// What is there already, as gcloud tells it. A thing that is not there is `undefined`; a field that is missing where one
// must be is an error, never "absent" (reliability-and-security.md, 1.1, trap 1).

const text = z.string();
const labels = z.record(text, text).default({});
const binding = z.object({ role: text, members: z.array(text), condition: z.unknown().optional() });
const policy = z.object({ bindings: z.array(binding).default([]) });
export type Policy = z.infer<typeof policy>;

const service = z.object({
  metadata: z.object({ name: text, labels }),
  spec: z.object({ template: z.object({ spec: z.object({ serviceAccountName: text.optional() }) }) }),
});
const job = z.object({
  ...{ name: text, schedule: text, state: text, description: text.default("") },
  httpTarget: z.object({ uri: text, oauthToken: z.object({ serviceAccountEmail: text }).optional() }).optional(),
});
const alerting = z.object({ name: text, displayName: text, userLabels: labels, enabled: z.boolean().default(true) });

/** What each reading gives, by its key; those of a project or a role carry its name. */
const shapes = {
  apis: z.array(z.object({ config: z.object({ name: text }) })),
  accounts: z.array(z.object({ email: text, disabled: z.boolean().default(false) })),
  policy,
  role: z.object({ includedPermissions: z.array(text).default([]), deleted: z.boolean().default(false) }),
  bucket: z.object({ name: text, labels }),
  bucketPolicy: policy,
  services: z.array(service),
  invokers: policy,
  workflows: z.array(z.object({ name: text, labels, serviceAccount: text.default(""), state: text.default("") })),
  jobs: z.array(job),
  metrics: z.array(z.object({ name: text, description: text.default("") })),
  policies: z.array(alerting),
  packages: z.array(z.object({ name: text })),
  sources: z.array(z.object({ url: text })),
} as const;

type Shapes = { readonly [K in keyof typeof shapes]: z.infer<(typeof shapes)[K]> };

/** One thing to be read: what it is, whose, and how gcloud is asked. */
export interface Reading {
  readonly key: string;
  readonly command: Command;
  /** Not asked for while this API is off: nothing can be there, and asking would fail. */
  readonly api: string;
}

/** Answers by key, parsed; nothing where the thing is not there. */
export class Found {
  private readonly answers: ReadonlyMap<string, unknown>;

  constructor(answers: ReadonlyMap<string, unknown>) {
    this.answers = answers;
  }

  /** `of` is the project or the name that the reading was about. Throws where the answer lacks what it must hold. */
  get<K extends keyof Shapes>(kind: K, of = ""): Shapes[K] | undefined {
    const answer = this.answers.get(keyOf(kind, of));
    if (answer === undefined || answer === null) return undefined;
    const parsed = shapes[kind].safeParse(answer);
    if (parsed.success) return parsed.data as Shapes[K];
    const field = parsed.error.issues[0]?.path.join(".") ?? "";
    throw new Error(`what gcloud tells of ${keyOf(kind, of)} has no usable ${field}`);
  }
}

const keyOf = (kind: string, of: string): string => (of ? `${kind} ${of}` : kind);

/** The two custom roles, whose ids take no hyphen. */
export const roleId = ({ deployment }: Pick<Names, "deployment">, who: string): string =>
  `crosstrust.${deployment.replaceAll("-", "_")}.${who}`;

/** The APIs that are on: read first, because the rest depends on it. */
export const readApis = ({ project }: Pick<Names, "project">): Reading => ({
  key: "apis",
  command: ["services", "list", "--enabled", `--project=${project}`, "--format=json"],
  api: "serviceusage",
});

/** What has to be known before the accounts can be made. */
export const accountReading = ({ project }: Pick<Names, "project">): Reading => ({
  ...{ key: "accounts", api: "iam" },
  command: ["iam", "service-accounts", "list", `--project=${project}`, "--format=json"],
});

/** All that `deploy` has to know; each is asked once, and none depends on another. */
export function readings(setup: Names): readonly Reading[] {
  const { project, region, bucket } = setup;
  const invokers = functionNames.map((name) => ({
    ...{ key: keyOf("invokers", name), api: "run" },
    command: ["run", "services", "get-iam-policy", nameOf(setup, name), `--region=${region}`],
  }));
  const own: readonly Reading[] = [
    { key: "bucket", api: "storage", command: ["storage", "buckets", "describe", `gs://${bucket}`] },
    { key: "bucketPolicy", api: "storage", command: ["storage", "buckets", "get-iam-policy", `gs://${bucket}`] },
    { key: "services", api: "run", command: ["run", "services", "list", `--region=${region}`] },
    ...invokers,
    { key: "workflows", api: "workflows", command: ["workflows", "list", `--location=${region}`] },
    { key: "jobs", api: "cloudscheduler", command: ["scheduler", "jobs", "list", `--location=${region}`] },
    { key: "metrics", api: "logging", command: ["logging", "metrics", "list"] },
    { key: "policies", api: "monitoring", command: ["alpha", "monitoring", "policies", "list"] },
  ];
  const here = own.map((one) => ({ ...one, command: [...one.command, `--project=${project}`, "--format=json"] }));
  return [accountReading(setup), ...here, ...projectReadings(setup)];
}

/** Of every project of the file: who may do what in it, and our own two roles. */
function projectReadings(setup: Names): readonly Reading[] {
  const { project, projects } = setup;
  const roles = projects.flatMap((of) =>
    (["checker", "provisioner"] as const).map((who) => ({
      ...{ key: keyOf("role", `${of} ${who}`), api: "iam" },
      command: ["iam", "roles", "describe", roleId(setup, who), `--project=${of}`, "--format=json"],
    })),
  );
  const policies = [...new Set([project, ...projects])].map((of) => ({
    ...{ key: keyOf("policy", of), api: "cloudresourcemanager" },
    command: ["projects", "get-iam-policy", of, "--format=json"],
  }));
  return [...policies, ...roles];
}

/** What gcloud itself put somewhere while it deployed; only `offboard` asks. */
export function leftovers({ project, region }: Names): readonly Reading[] {
  const json = [`--project=${project}`, "--format=json"];
  const place = [`--repository=${repository}`, `--location=${region}`];
  return [
    { key: "packages", api: "artifactregistry", command: ["artifacts", "packages", "list", ...place, ...json] },
    { key: "sources", api: "storage", command: ["storage", "ls", "--recursive", sourcesOf(project, region), "--json"] },
  ];
}

/** gcloud's own, shared by whatever is deployed from source in a region. */
export const repository = "cloud-run-source-deploy";
export const sourcesOf = (project: string, region: string): string => `gs://run-sources-${project}-${region}/services`;
