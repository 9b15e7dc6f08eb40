import { z } from "zod";
import type { Preflight, Resource, World } from "../../model.ts";
import { google } from "./client.ts";

type Seen = Omit<Preflight, "topic">;

/** An organization policy that can stop a link from being made, and the values that the file needs of it, if it has any. */
interface Needed {
  readonly constraint: string;
  readonly values: readonly string[];
}

/** AWS is an issuer like any other to this policy (google.md 5). */
const awsIssuer = "https://sts.amazonaws.com";

/** Accounts are made for most links; which issuers and accounts are to be believed, the pool providers say. */
function neededIn(project: string, resources: readonly Resource[]): readonly Needed[] {
  const specs = resources
    .filter(({ address }) => address.startsWith("google:poolProvider/"))
    .map(({ spec }) => spec)
    .filter((spec) => spec.project === project);
  const sources = (type: string) =>
    specs.filter((spec) => spec.type === type).flatMap(({ source }) => (typeof source === "string" ? [source] : []));
  const accounts = sources("aws");
  return [
    { constraint: "iam.disableServiceAccountCreation", values: [] },
    ...(specs.length > 0
      ? [
          {
            constraint: "iam.workloadIdentityPoolProviders",
            values: unique([...sources("oidc"), ...(accounts.length > 0 ? [awsIssuer] : [])]),
          },
        ]
      : []),
    ...(accounts.length > 0 ? [{ constraint: "iam.workloadIdentityPoolAwsAccounts", values: unique(accounts) }] : []),
  ];
}

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)];

const answer = z.object({
  booleanPolicy: z.object({ enforced: z.boolean().default(false) }).optional(),
  listPolicy: z
    .object({
      allowedValues: z.array(z.string()).default([]),
      deniedValues: z.array(z.string()).default([]),
      allValues: z.string().optional(),
    })
    .optional(),
});
type Policy = z.infer<typeof answer>;

/** The effective policies: also what the project inherits from its folders and organization. */
export async function forbidden(world: World, project: string, resources: readonly Resource[]): Promise<Seen> {
  const about = { service: "google.cloudresourcemanager", operation: "GetEffectiveOrgPolicy", effect: "read" } as const;
  const path = `/v1/projects/${project}:getEffectiveOrgPolicy`;
  const found = await Promise.all(
    neededIn(project, resources).map(async ({ constraint, values }): Promise<readonly Said[]> => {
      const body = { constraint: `constraints/${constraint}` };
      const policy = await google(world, { ...about, method: "POST", project, path, body, answer });
      return values.length > 0
        ? barred(policy, { constraint, values }, project)
        : enforced(policy, constraint, project);
    }),
  );
  const all = found.flat();
  if (all.length === 0) return { ok: true, says: "nothing forbids what the links need", fix: [] };
  return { ok: false, says: all.map(({ says }) => says).join("; "), fix: all.map(({ fix }) => fix) };
}

interface Said {
  readonly says: string;
  readonly fix: string;
}

function enforced({ booleanPolicy }: Policy, constraint: string, project: string): readonly Said[] {
  if (booleanPolicy?.enforced !== true) return [];
  const fix = `gcloud resource-manager org-policies disable-enforce ${constraint} --project ${project}`;
  return [{ says: `constraints/${constraint} is enforced`, fix }];
}

/** Denied values win; where some are allowed, no other is. It may say `is:` in front of a value. */
function barred({ listPolicy }: Policy, { constraint, values }: Needed, project: string): readonly Said[] {
  if (!listPolicy) return [];
  const { allowedValues, deniedValues, allValues } = listPolicy;
  const names = (list: readonly string[], value: string) => list.includes(value) || list.includes(`is:${value}`);
  const open = allValues === "ALLOW" || (allValues !== "DENY" && allowedValues.length === 0);
  const out = values.filter((value) => names(deniedValues, value) || !(open || names(allowedValues, value)));
  return out.map((value) => ({
    says: `constraints/${constraint} does not allow ${value}`,
    fix: `gcloud resource-manager org-policies allow ${constraint} ${value} --project ${project}`,
  }));
}
