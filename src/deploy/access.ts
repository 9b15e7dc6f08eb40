import { type Found, type Policy, roleId } from "./found.ts";
import { inProject, type Piece, piece, when } from "./piece.ts";
import { type Accounts, type Command, type Names, projectOf, type Setup } from "./setup.ts";

// Who acts, and what it may do: accounts, custom roles, grants.

/** What is called, whether it is on from the start or not. */
export const apis = [
  ...["iam", "iamcredentials", "sts", "cloudresourcemanager", "serviceusage", "storage"],
  ...["run", "cloudbuild", "artifactregistry", "workflows", "workflowexecutions", "cloudscheduler"],
  ...["logging", "monitoring"],
].map((name) => `${name}.googleapis.com`);

export const isOn = (found: Found, api: string): boolean =>
  found.get("apis")?.some(({ config }) => config.name === `${api}.googleapis.com`) ?? false;

/** They stay on when all else is taken away: others of the project may need them by then. */
export function apisPiece(setup: Names, found: Found): Piece {
  const off = apis.filter((api) => !isOn(found, api.split(".")[0] ?? ""));
  const says = when(off.length > 0, `${off.length} are off`);
  return piece("apis", says, [[["services", "enable", ...off, inProject(setup)]], []]);
}

const roles: Readonly<Record<keyof Accounts, string>> = {
  checker: "runs the health function, which proves links and changes nothing",
  provisioner: "runs the provision function, which applies plans",
  flow: "runs the workflows, which call both functions",
  clock: "starts the health workflow on schedule",
};

/** Only those of the deployment's own project are made here; one of another project is its owner's. */
export function accountPieces(setup: Names, found: Found): readonly Piece[] {
  return (Object.keys(roles) as (keyof Accounts)[])
    .filter((who) => projectOf(setup.accounts[who]) === setup.project)
    .map((who) => {
      const email = setup.accounts[who];
      const there = found.get("accounts")?.find((one) => one.email === email);
      const about = `--description=crosstrust ${setup.deployment}: ${roles[who]}`;
      const on = (verb: string): Command => ["iam", "service-accounts", verb, email, inProject(setup)];
      const create = ["iam", "service-accounts", "create", email.split("@")[0] ?? "", about, inProject(setup)];
      const lacks = there ? when(there.disabled, "is disabled") : "is not there";
      return piece(`service account ${email.split("@")[0]}`, lacks, [
        [there ? on("enable") : create],
        there ? [on("delete")] : [],
      ]);
    });
}

/** What the functions ask of Google in a project of the file, action by action; each is needed (test/deploy.test.ts). */
export const permissions: Readonly<Record<"checker" | "provisioner", readonly string[]>> = {
  checker: [
    "iam.roles.get",
    "iam.serviceAccountKeys.list",
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.getIamPolicy",
    "iam.serviceAccounts.list",
    "resourcemanager.projects.get",
    "resourcemanager.projects.getIamPolicy",
  ],
  provisioner: [
    "iam.serviceAccounts.create",
    "iam.serviceAccounts.enable",
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.list",
    "iam.serviceAccounts.update",
    "resourcemanager.projects.get",
  ],
};

/**
 * And in a project that links lead to, besides: looking at pools and at who is bound. Whoever may write bindings there can
 * give himself anything, so the provisioner does not: links to Google are applied by a person, and watched by the checker.
 */
export const lookingAtPools: readonly string[] = [
  "iam.workloadIdentityPoolProviders.get",
  "iam.workloadIdentityPoolProviders.list",
  "iam.workloadIdentityPools.get",
  "iam.workloadIdentityPools.list",
  "resourcemanager.projects.getIamPolicy",
  "storage.buckets.getIamPolicy",
  "storage.buckets.list",
];

/** One custom role a function and project. A deleted one holds its id for weeks, so it is brought back. */
export function rolePieces(setup: Setup, found: Found): readonly Piece[] {
  return setup.projects.flatMap((project) =>
    (["checker", "provisioner"] as const).map((who) => {
      const there = found.get("role", `${project} ${who}`);
      const more = setup.relied.includes(project) ? lookingAtPools : [];
      return rolePiece(
        setup,
        { project, who, wanted: [...new Set([...permissions[who], ...more])].sort().join() },
        there,
      );
    }),
  );
}

type Live = NonNullable<ReturnType<typeof Found.prototype.get<"role">>>;

interface CustomRole {
  readonly project: string;
  readonly who: "checker" | "provisioner";
  /** Permissions in order, with commas. */
  readonly wanted: string;
}

function rolePiece(setup: Setup, { project, who, wanted }: CustomRole, there: Live | undefined): Piece {
  const id = roleId(setup, who);
  const named = [`--permissions=${wanted}`, `--title=crosstrust ${setup.deployment} ${who}`, "--stage=GA"];
  const on = (verb: string, ...more: string[]): Command => [
    ...["iam", "roles", verb, id, `--project=${project}`],
    ...more,
  ];
  const what = `role ${id} in ${project}`;
  if (!there) return piece(what, "is not there", [[on("create", ...named)], []]);
  if (there.deleted) return piece(what, "is deleted", [[on("undelete"), on("update", ...named)], []]);
  const differs = [...there.includedPermissions].sort().join() !== wanted;
  return piece(what, when(differs, "has other permissions"), [[on("update", ...named)], [on("delete")]]);
}

interface Grant {
  readonly project: string;
  readonly role: string;
  readonly email: string;
}

const holds = (policy: Policy | undefined, role: string, member: string): boolean =>
  policy?.bindings.some((one) => one.role === role && !one.condition && one.members.includes(member)) ?? false;

/** On projects: what has no finer place. Whoever else is in these policies is left alone, by gcloud's own etags. */
export function grantPieces(setup: Setup, found: Found): readonly Piece[] {
  const { project, projects, accounts } = setup;
  const custom = (of: string, who: "checker" | "provisioner"): Grant => ({
    ...{ project: of, role: `projects/${of}/roles/${roleId(setup, who)}`, email: accounts[who] },
  });
  const grants: readonly Grant[] = [
    ...projects.flatMap((of) => [custom(of, "checker"), custom(of, "provisioner")]),
    { project, role: "roles/logging.logWriter", email: accounts.flow },
    { project, role: "roles/workflows.invoker", email: accounts.clock },
  ];
  return grants.map(({ project: of, role, email }) => {
    const there = holds(found.get("policy", of), role, `serviceAccount:${email}`);
    const words = [of, `--member=serviceAccount:${email}`, `--role=${role}`, "--condition=None"];
    const edit = (verb: string): Command => ["projects", verb, ...words, "--format=none"];
    const take = there ? [edit("remove-iam-policy-binding")] : [];
    const what = `grant of ${role.split("/").at(-1)} in ${of} to ${email.split("@")[0]}`;
    return piece(what, when(!there, "is not there"), [[edit("add-iam-policy-binding")], take]);
  });
}

/** The functions' memory: theirs alone. Whoever may write there could hide an alert, not a verdict. */
export function bucketPieces(setup: Setup, found: Found): readonly Piece[] {
  const url = `gs://${setup.bucket}`;
  const there = found.get("bucket");
  const closed = ["--uniform-bucket-level-access", "--public-access-prevention"];
  const create = ["storage", "buckets", "create", url, inProject(setup), `--location=${setup.region}`, ...closed];
  const sweep = ["storage", "buckets", "update", url, `--lifecycle-file=${setup.folder}/lifecycle.json`];
  const own = ["storage", "buckets", "update", url, `--update-labels=crosstrust=${setup.deployment}`];
  const mine = there?.labels.crosstrust === setup.deployment;
  const lacks = there ? when(!mine, "was not finished") : "is not there";
  const make = [...(there ? [] : [create]), sweep, own];
  const bucket = piece(`bucket ${setup.bucket}`, lacks, [make, mine ? [["storage", "rm", "--recursive", url]] : []]);
  const role = "roles/storage.objectUser";
  const grants = (["checker", "provisioner"] as const).map((who) => {
    const member = `serviceAccount:${setup.accounts[who]}`;
    const absent = !holds(found.get("bucketPolicy"), role, member);
    const add = ["storage", "buckets", "add-iam-policy-binding", url, `--member=${member}`, `--role=${role}`];
    return piece(`grant of the bucket to ${who}`, when(absent, "is not there"), [[[...add, "--format=none"]], []]);
  });
  return [bucket, ...grants];
}

/** Shares of a divided run that nobody gathered are gone after a day. */
export const lifecycle = (folder: string) => ({
  rule: [{ action: { type: "Delete" }, condition: { age: 1, matchesPrefix: [`${folder}/health-part-`] } }],
});
