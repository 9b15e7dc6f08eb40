import { z } from "zod";
import type {
  Address,
  Finding,
  Kind,
  Leftovers,
  Link,
  Live,
  LivePresent,
  Removal,
  Resource,
  Seek,
  Spec,
  World,
} from "../../model.ts";
import { packed, unpacked } from "../../run/packed.ts";
import { CloudError, inParallel, unlessMissing } from "../../run/retry.ts";
import { getProject } from "./calls.ts";
import { ownProjects } from "./claims.ts";
import { google } from "./client.ts";
import { writePolicy } from "./federation/writer.ts";

/** A deny policy on a project: nobody makes keys of service accounts but, where it is named, one group. */
export interface DenyPolicySpec extends Spec {
  readonly project: string;
  /** Whose it is; several deployments in a project share it, and only its owner changes it or takes it away. */
  readonly deployment: string;
  readonly permissions: readonly string[];
  readonly principals: readonly string[];
  readonly exceptions: readonly string[];
  /** Permissions that are not denied after all, and a condition that must hold first: none in any file. */
  readonly spared: readonly string[];
  readonly condition: string;
}

/** The id of the policy in its project, and what its text says to people (google.md 3.1). */
const policyId = "crosstrust-no-keys";
const displayName = "no service account keys";

/** Named by the files of Google's own that deny them; the official list is not verified (google.md 3.1). */
const denied = ["iam.googleapis.com/serviceAccountKeys.create", "iam.googleapis.com/serviceAccountKeys.upload"];

const addressOf = (project: string): Address => `google:denyPolicy/${project}/${policyId}`;

/** One for each project that a link names, where the file wants it. */
export function guardResource(link: Link, project: string): readonly Resource<DenyPolicySpec>[] {
  const { guard } = link;
  if (!guard?.denyServiceAccountKeys) return [];
  const exceptions = guard.breakGlass ? [`principalSet://goog/group/${guard.breakGlass}`] : [];
  const who = { principals: ["principalSet://goog/public:all"], exceptions, spared: [], condition: "" };
  const spec = { project, deployment: link.deployment, permissions: denied, ...who };
  return [{ address: addressOf(project), links: [link.name], hold: "own", spec }];
}

/**
 * A deny policy, marked by an annotation with its owner. It has no room for fingerprints that a reader could trust, so
 * whatever differs counts as drift. Deny policies belong to projects of an organization; elsewhere nothing is made.
 */
export const denyPolicyKind: Kind<DenyPolicySpec> = {
  name: "google:denyPolicy",
  label: "google deny policy",
  unmarked: true,
  read: ({ spec }, _hints, world) => remembered(world, spec),
  list: leftovers,
  put: ({ desired, mark }, world) => put(desired.spec, mark.owner, world),
  remove: (target, world) => remove(target, world).then(() => []),
};

const ruleSchema = z.looseObject({
  denyRule: z.looseObject({
    deniedPrincipals: z.array(z.string()).default([]),
    deniedPermissions: z.array(z.string()).default([]),
    exceptionPrincipals: z.array(z.string()).default([]),
    exceptionPermissions: z.array(z.string()).default([]),
    denialCondition: z.looseObject({ expression: z.string().default("") }).optional(),
  }),
});
const policySchema = z.object({
  name: z.string().min(1),
  etag: z.string().default(""),
  displayName: z.string().default(""),
  annotations: z.record(z.string(), z.string()).default({}),
  rules: z.array(ruleSchema).default([]),
});

const annotation = "crosstrust-owner";
/** Whose it was before it was adopted, or nobody's: what it is given back as. */
const formerly = "crosstrust-former-owner";
/** What it was before it was adopted: its name, its rules and its annotations, packed. */
const wasAnnotation = "crosstrust-was";
const formerSchema = policySchema.pick({ displayName: true, annotations: true, rules: true });

/** The attachment point is percent-encoded into the name (google.md 3.1). */
const nameOf = (number: string): string =>
  `policies/cloudresourcemanager.googleapis.com%2Fprojects%2F${number}/denypolicies`;

const skipped = (spec: DenyPolicySpec, why: string): LivePresent<DenyPolicySpec> => ({
  // Foreign, so that nothing is ever written or removed; equal, so that nothing is wanted of it either.
  ...{ state: "present", owner: "foreign", spec, outputs: {} },
  notes: [
    {
      ...{ code: "GOOGLE-GUARD-SKIPPED", severity: "hint", standing: true, at: {}, because: [] },
      says: `${spec.project}: the guard against service account keys is skipped: ${why}`,
      fix: [
        "roles/iam.denyAdmin is granted on the organization",
        "or the constraint iam.disableServiceAccountKeyCreation",
      ],
    } satisfies Finding,
  ],
});

async function read(world: World, spec: DenyPolicySpec): Promise<Live<DenyPolicySpec>> {
  const { projectNumber, parent } = await getProject(world, spec.project);
  if (!parent) return skipped(spec, "no organization");
  try {
    const policy = await google(world, {
      ...{ service: "google.iam", operation: "GetPolicy", effect: "read", method: "GET", project: spec.project },
      ...{ path: `/v2/${nameOf(projectNumber)}/${policyId}`, answer: policySchema },
    });
    const { denyRule } = policy.rules[0] ?? { denyRule: ruleSchema.parse({ denyRule: {} }).denyRule };
    const live: DenyPolicySpec = {
      ...{ project: spec.project, deployment: spec.deployment },
      permissions: policy.rules.length === 1 ? denyRule.deniedPermissions : [],
      principals: denyRule.deniedPrincipals,
      exceptions: denyRule.exceptionPrincipals,
      spared: denyRule.exceptionPermissions,
      condition: denyRule.denialCondition?.expression ?? "",
    };
    const { [annotation]: whose, [formerly]: former, [wasAnnotation]: was } = policy.annotations;
    const owner = whose !== spec.deployment ? "foreign" : former === undefined ? "ours" : "adopted";
    const outputs = {
      etag: policy.etag,
      number: projectNumber,
      whose: whose ?? "",
      was: was ?? packed(formerSchema.parse(policy)),
      ...(former === undefined ? {} : { former }),
    };
    return { state: "present", owner, spec: live, outputs };
  } catch (error) {
    if (error instanceof CloudError && error.class === "missing") return { state: "absent" };
    if (error instanceof CloudError && error.class === "denied")
      return skipped(spec, "these credentials may not see it");
    throw error;
  }
}

/** Read only where a mark remembers one that the file no longer wants: whoever takes the guard off means it. */
async function leftovers({ beside, owner, remembered }: Seek<DenyPolicySpec>, world: World): Promise<Leftovers> {
  const former = ownProjects(beside).filter((project) => remembered.has(addressOf(project)));
  const found = await inParallel(former, 2, async (project) => {
    const nothing = { permissions: [], principals: [], exceptions: [], spared: [], condition: "" };
    const live = await read(world, { project, deployment: owner, ...nothing });
    return live.state === "present" && live.owner === "ours" ? [{ address: addressOf(project), live }] : [];
  });
  return { found: found.flat(), scopes: [], findings: [] };
}

/** Five reads a minute for a whole project (google.md, trap 18): what was seen within the hour is not looked at again. */
const hour = 3_600_000;
const noteName = ({ project, deployment }: Pick<DenyPolicySpec, "project" | "deployment">): string =>
  `deny-policy-${project}-${deployment}`;
const noteSchema = z.object({ at: z.number(), live: z.unknown() });

async function remembered(world: World, spec: DenyPolicySpec): Promise<Live<DenyPolicySpec>> {
  const text = await world.store.read(noteName(spec)).catch(() => undefined);
  const note = text === undefined ? undefined : noteSchema.safeParse(parsed(text)).data;
  const age = note ? world.clock.now() - note.at : hour;
  if (note && age >= 0 && age < hour) return note.live as Live<DenyPolicySpec>;
  const live = await read(world, spec);
  await remember(world, spec, live);
  return live;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Only what is as it was left is worth remembering; a store that cannot be written costs a read and nothing else. */
async function remember(world: World, spec: DenyPolicySpec, live: Live<DenyPolicySpec>): Promise<void> {
  // What is somebody else's, or cannot be had, may be ours tomorrow: a no is read anew.
  const fine = live.state === "present" && (live.owner !== "foreign" || live.notes !== undefined);
  const note = JSON.stringify({ at: world.clock.now(), live });
  const work = fine ? world.store.write(noteName(spec), note) : world.store.remove(noteName(spec));
  await work.catch(() => {});
}

const rulesOf = (spec: DenyPolicySpec) => [
  {
    description: displayName,
    denyRule: {
      ...{ deniedPrincipals: [...spec.principals], deniedPermissions: [...spec.permissions] },
      exceptionPrincipals: [...spec.exceptions],
    },
  },
];

async function put(spec: DenyPolicySpec, owner: string, world: World): Promise<LivePresent<DenyPolicySpec>> {
  const before = await read(world, spec);
  const { projectNumber } = await getProject(world, spec.project);
  const parent = nameOf(projectNumber);
  const rules = rulesOf(spec);
  const there = before.state === "present" ? before.outputs : {};
  const former = there.former ?? (before.state === "present" && before.owner === "foreign" ? there.whose : undefined);
  const theirs = former === undefined ? {} : { [formerly]: former, [wasAnnotation]: there.was ?? "" };
  const annotations = { [annotation]: owner, ...theirs };
  const policy = { displayName, annotations, rules };
  const { project } = spec;
  if (before.state !== "present")
    await writePolicy(world, {
      ...{ operation: "CreatePolicy", effect: "once", project },
      send: (client) => client.createPolicy({ parent, policyId, policy }),
    });
  else if (before.owner !== "foreign" || before.outputs.etag)
    await update(world, before, { displayName, annotations, rules });
  const live: LivePresent<DenyPolicySpec> = {
    state: "present",
    owner: former === undefined ? "ours" : "adopted",
    spec,
    outputs: { number: projectNumber },
  };
  await remember(world, spec, live);
  return live;
}

async function remove({ live, how }: Removal<DenyPolicySpec>, world: World): Promise<void> {
  const { project } = live.spec;
  if (how === "release") return release(live.spec, world);
  const { projectNumber } = await getProject(world, project);
  await world.store.remove(noteName(live.spec)).catch(() => {});
  const work = writePolicy(world, {
    ...{ operation: "DeletePolicy", effect: "repeatable", project },
    send: (client) => client.deletePolicy({ name: `${nameOf(projectNumber)}/${policyId}` }),
  });
  await unlessMissing(work);
}

/** As it was before it was adopted; one that an older version adopted keeps its rule and gets its former owner's name back. */
async function release(spec: DenyPolicySpec, world: World): Promise<void> {
  const now = await read(world, spec);
  await world.store.remove(noteName(spec)).catch(() => {});
  if (now.state !== "present" || now.owner !== "adopted") return;
  const { former = "", was = "" } = now.outputs;
  const record = formerSchema.safeParse(unpacked(was)).data;
  const isRecorded = record !== undefined && record.annotations[annotation] !== spec.deployment;
  const annotations: Record<string, string> = former === "" ? {} : { [annotation]: former };
  await update(world, now, isRecorded ? record : { displayName, annotations, rules: rulesOf(now.spec) });
}

interface Rewritten {
  readonly displayName: string;
  readonly annotations: Record<string, string>;
  readonly rules: z.infer<typeof policySchema>["rules"] | ReturnType<typeof rulesOf>;
}

/** With the etag that was read: whoever wrote meanwhile is not overwritten. */
const update = (world: World, { spec, outputs }: LivePresent<DenyPolicySpec>, changed: Rewritten): Promise<void> =>
  writePolicy(world, {
    ...{ operation: "UpdatePolicy", effect: "once", project: spec.project },
    send: (client) =>
      client.updatePolicy({
        policy: {
          ...changed,
          // The schema of what was read says "left out" where the client's type says null.
          rules: changed.rules as ReturnType<typeof rulesOf>,
          name: `${nameOf(outputs.number ?? "")}/${policyId}`,
          etag: outputs.etag ?? "",
        },
      }),
  });
