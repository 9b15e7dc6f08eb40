// Who gets tokens from whom, written down a second time: this file imports nothing of the product, so that an error in
// the product's issuer table is not repeated here. Sources: contract, section 9 ("The outsider"), and the issuers' docs.

/** The claims of a token without `iss` and `aud`: the workload that asks chooses its audience. */
export type Token = Readonly<Record<string, string>>;

/** The values that a trust mentions for a claim: somebody who may choose the claim chooses one of them. */
export type Words = (claim: string) => readonly string[];

export interface Issuer {
  readonly name: string;
  /** Empty for an AWS account, whose callers sign a request and carry no token. */
  readonly url: string;
  /** One URL for all customers; else one tenant alone has it. */
  readonly shared: boolean;
  /** The link's own workload. */
  readonly own: Token;
  /** Claims beside the subject that a federation file may declare. */
  readonly declarable: readonly string[];
  /** Claims that every customer chooses freely. */
  readonly chosen: readonly string[];
  /** Claims that AWS offers as condition keys beside sub, aud, oaud, amr and email. */
  readonly keys: readonly string[];
  /** The first part of a subject, up to and including the separator after the tenant's name. */
  readonly tenantSubject?: string;
  /** Other customers of a shared issuer; other workloads of an own one. */
  strangers(words: Words): readonly Token[];
  /** Workloads of the same tenant (shared issuer) or of the same project (own issuer) beside the link's own. */
  siblings(words: Words): readonly Token[];
}

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)];

/** Each token with each of the values that the claim may take. */
function spread(tokens: readonly Token[], claim: string, values: readonly string[]): readonly Token[] {
  const all = unique(values);
  return all.length === 0 ? tokens : tokens.flatMap((token) => all.map((value) => ({ ...token, [claim]: value })));
}

/** Claims with a few values, of which a caller chooses one: no other value is ever there. */
const closed: Readonly<Record<string, readonly string[]>> = {
  runner_environment: ["github-hosted", "gitlab-hosted", "self-hosted"],
  repository_visibility: ["public", "private", "internal"],
  ref_type: ["branch", "tag"],
  ref_protected: ["true", "false"],
  terraform_run_phase: ["plan", "apply"],
};

/** `chosen` claims take what the trust mentions for them, one after the other. */
const choosing = (tokens: readonly Token[], words: Words, claims: readonly string[]): readonly Token[] =>
  claims.reduce((all, claim) => {
    const values = closed[claim] ?? [...words(claim), "other"];
    return words(claim).length === 0 ? all : spread(all, claim, values);
  }, tokens);

/** Names that somebody may register beside a name that is taken. */
const namesBeside = (name: string): readonly string[] => ["evil", `${name}-evil`, `evil-${name}`, `${name}evil`];
/** Numbers that the issuer may give to somebody else. */
const numbersBeside = (number: string): readonly string[] => ["9", `${number}0`, `1${number}`];

/** What a subject's literals say of one of its parts: `environment:prod` mentions the environment `prod`. */
const partsOf = (subjects: readonly string[], pattern: RegExp): readonly string[] =>
  subjects.flatMap((subject) => pattern.exec(subject)?.[1] ?? []);

// ---- GitHub Actions

interface Repository {
  readonly owner: string;
  readonly ownerId: string;
  readonly repo: string;
  readonly repoId: string;
}

const githubChosen = [
  "workflow",
  "event_name",
  "runner_environment",
  "repository_visibility",
  "job_workflow_ref",
  "actor",
  "actor_id",
] as const;

function githubToken({ owner, ownerId, repo, repoId }: Repository, ref: string): Token {
  return {
    sub: `repo:${owner}/${repo}:ref:${ref}`,
    repository: `${owner}/${repo}`,
    repository_id: repoId,
    repository_owner: owner,
    repository_owner_id: ownerId,
    ref,
    ref_type: ref.startsWith("refs/tags/") ? "tag" : "branch",
    actor: "mallory",
    actor_id: "666",
    workflow: "build",
    event_name: "push",
    runner_environment: "github-hosted",
    repository_visibility: "public",
    job_workflow_ref: `${owner}/${repo}/.github/workflows/build.yml@${ref}`,
  };
}

function githubTokens(repository: Repository, words: Words): readonly Token[] {
  const subjects = words("sub");
  const refs = unique(["refs/heads/main", ...words("ref"), ...partsOf(subjects, /\bref:(refs\/[\w./-]+)$/)]);
  const environments = unique([...words("environment"), ...partsOf(subjects, /\benvironment:([\w-]+)/)]);
  const byRef = refs.map((ref) => githubToken(repository, ref));
  const { owner, repo } = repository;
  const plain = byRef.flatMap((token) => [
    token,
    ...environments.map((environment) => ({
      ...token,
      environment,
      sub: `repo:${owner}/${repo}:environment:${environment}`,
    })),
  ]);
  const chosen = choosing(plain, words, ["ref_type", ...githubChosen]);
  return subjects.length === 0 ? chosen : chosen.flatMap((token) => [token, ...templated(token)]);
}

/** An organization may choose which claims make up its subjects: the repository need not be among them. */
function templated(token: Token): readonly Token[] {
  const claims = ["environment", "ref", "job_workflow_ref", "repository_owner", "repository_id", "actor"];
  return claims
    .filter((claim) => token[claim] !== undefined)
    .map((claim) => ({ ...token, sub: `${claim}:${token[claim]}` }));
}

const githubOwn: Repository = { owner: "acme", ownerId: "7700", repo: "app", repoId: "4711" };

const github: Issuer = {
  name: "github",
  url: "https://token.actions.githubusercontent.com",
  shared: true,
  own: {
    ...githubToken(githubOwn, "refs/heads/main"),
    actor: "alice",
    actor_id: "5",
    workflow: "deploy",
    repository_visibility: "private",
    job_workflow_ref: "acme/app/.github/workflows/deploy.yml@refs/heads/main",
  },
  declarable: ["repository", "repository_id", "repository_owner", "repository_owner_id", "ref", "workflow"],
  chosen: ["ref", "ref_type", "environment", ...githubChosen],
  keys: [
    "actor",
    "actor_id",
    "job_workflow_ref",
    "repository",
    "repository_id",
    "repository_owner_id",
    "workflow",
    "ref",
    "environment",
    "enterprise_id",
  ],
  tenantSubject: "repo:acme/",
  strangers: (words) =>
    namesBeside("acme").flatMap((owner, at) =>
      ["app", "app-evil", "evil-app"].flatMap((repo) => {
        const ownerId = numbersBeside("7700")[at % 3] ?? "9";
        const repoId = numbersBeside("4711")[(at + repo.length) % 3] ?? "9";
        return githubTokens({ owner, ownerId, repo, repoId }, words);
      }),
    ),
  siblings: (words) => [
    // Another name of the same owner, and one that begins like the workload's own.
    ...githubTokens({ ...githubOwn, repo: "web", repoId: "4712" }, words),
    ...githubTokens({ ...githubOwn, repo: "app-web", repoId: "47112" }, words),
    ...githubTokens(githubOwn, words).filter(
      ({ ref, sub }) => ref !== "refs/heads/main" || !sub?.endsWith("heads/main"),
    ),
    githubToken(githubOwn, "refs/heads/feature"),
  ],
};

// ---- GitLab, the public one and a server of one's own

interface Project {
  readonly group: string;
  readonly groupId: string;
  readonly project: string;
  readonly projectId: string;
}

const gitlabChosen = ["ref_protected", "environment", "pipeline_source", "runner_environment"] as const;

function gitlabToken({ group, groupId, project, projectId }: Project, ref: string): Token {
  return {
    sub: `project_path:${group}/${project}:ref_type:branch:ref:${ref}`,
    project_path: `${group}/${project}`,
    project_id: projectId,
    namespace_path: group,
    namespace_id: groupId,
    ref,
    ref_type: "branch",
    ref_protected: "true",
    environment: "test",
    pipeline_source: "push",
    runner_environment: "gitlab-hosted",
    user_login: "mallory",
  };
}

function gitlabTokens(project: Project, words: Words): readonly Token[] {
  const refs = unique(["main", ...words("ref"), ...partsOf(words("sub"), /:ref:([\w./-]+)$/)]);
  const tokens = refs.map((ref) => gitlabToken(project, ref));
  return choosing(tokens, words, gitlabChosen);
}

const gitlabOwn: Project = { group: "acme", groupId: "7700", project: "app", projectId: "4711" };

const gitlabAt = (name: string, url: string, shared: boolean): Issuer => ({
  name,
  url,
  shared,
  own: { ...gitlabToken(gitlabOwn, "main"), environment: "prod", user_login: "alice" },
  declarable: ["project_path", "project_id", "namespace_path", "namespace_id", "ref"],
  chosen: ["ref", ...gitlabChosen],
  keys: shared
    ? [
        "namespace_id",
        "project_id",
        "user_id",
        "user_login",
        "user_email",
        "user_access_level",
        "ref_protected",
        "pipeline_source",
        "runner_environment",
      ]
    : [],
  tenantSubject: "project_path:acme/",
  strangers: (words) => [
    ...namesBeside("acme").flatMap((group, at) =>
      ["app", "app-evil", "evil-app"].flatMap((project) => {
        const groupId = numbersBeside("7700")[at % 3] ?? "9";
        const projectId = numbersBeside("4711")[(at + project.length) % 3] ?? "9";
        return gitlabTokens({ group, groupId, project, projectId }, words);
      }),
    ),
  ],
  siblings: (words) => [
    ...gitlabTokens(gitlabOwn, words).filter(({ ref }) => ref !== "main"),
    gitlabToken(gitlabOwn, "feature"),
    // A group can be meant as a whole, on a server of one's own, too.
    ...gitlabTokens({ ...gitlabOwn, project: "web", projectId: "4712" }, words),
    ...gitlabTokens({ ...gitlabOwn, project: "app-web", projectId: "47112" }, words),
  ],
});

// ---- HCP Terraform

const terraformToken = (organization: string, project: string, workspace: string, phase: string): Token => ({
  sub: `organization:${organization}:project:${project}:workspace:${workspace}:run_phase:${phase}`,
  terraform_organization_name: organization,
  terraform_organization_id: organization === "acme" ? "org-7700" : `org-${organization}`,
  terraform_project_name: project,
  terraform_workspace_name: workspace,
  terraform_workspace_id: organization === "acme" && workspace === "prod" ? "ws-4711" : `ws-${workspace}`,
  terraform_run_phase: phase,
});

function terraformTokens(organizations: readonly string[], words: Words): readonly Token[] {
  const projects = unique(["web", ...words("terraform_project_name")]);
  const workspaces = unique(["prod", "prod-evil", "evil-prod", ...words("terraform_workspace_name")]);
  // Nobody chooses anything else for a phase.
  const phases = ["apply", "plan"];
  return organizations.flatMap((organization) =>
    projects.flatMap((project) =>
      workspaces.flatMap((workspace) => phases.map((phase) => terraformToken(organization, project, workspace, phase))),
    ),
  );
}

const terraformOwn = terraformToken("acme", "web", "prod", "apply");

const terraform: Issuer = {
  name: "terraform",
  url: "https://app.terraform.io",
  shared: true,
  own: terraformOwn,
  declarable: ["terraform_organization_name", "terraform_organization_id", "terraform_workspace_id"],
  chosen: ["terraform_project_name", "terraform_workspace_name", "terraform_run_phase"],
  keys: [],
  tenantSubject: "organization:acme:",
  strangers: (words) => terraformTokens(namesBeside("acme"), words),
  siblings: (words) => terraformTokens(["acme"], words).filter(({ sub }) => sub !== terraformOwn.sub),
};

// ---- Buildkite

const buildkiteToken = (organization: string, pipeline: string, branch: string): Token => ({
  sub: `organization:${organization}:pipeline:${pipeline}:ref:refs/heads/${branch}:commit:c0ffee:step:build`,
  organization_slug: organization,
  // Ids count up with time: those of other organizations begin alike.
  organization_id: `0184990a-477b-4fa8-9968-${organization === "acme" ? "496074483aaa" : organization}`,
  pipeline_slug: pipeline,
  pipeline_id: organization === "acme" && pipeline === "deploy" ? "p-4711" : `p-${organization}-${pipeline}`,
  build_branch: branch,
  step_key: "build",
});

function buildkiteTokens(organizations: readonly string[], words: Words): readonly Token[] {
  const pipelines = unique(["deploy", "deploy-evil", "evil-deploy", ...words("pipeline_slug")]);
  const branches = unique(["main", "feature", ...words("build_branch")]);
  const tokens = organizations.flatMap((organization) =>
    pipelines.flatMap((pipeline) => branches.map((branch) => buildkiteToken(organization, pipeline, branch))),
  );
  return choosing(tokens, words, ["step_key"]);
}

const buildkiteOwn = buildkiteToken("acme", "deploy", "main");

const buildkite: Issuer = {
  name: "buildkite",
  url: "https://agent.buildkite.com",
  shared: true,
  own: buildkiteOwn,
  declarable: ["organization_slug", "organization_id", "pipeline_id", "build_branch"],
  chosen: ["pipeline_slug", "build_branch", "step_key"],
  keys: [
    "organization_slug",
    "organization_id",
    "pipeline_slug",
    "pipeline_id",
    "cluster_name",
    "cluster_id",
    "build_branch",
  ],
  tenantSubject: "organization:acme:",
  strangers: (words) => buildkiteTokens(namesBeside("acme"), words),
  siblings: (words) => buildkiteTokens(["acme"], words).filter(({ sub }) => sub !== buildkiteOwn.sub),
};

// ---- Issuers of one tenant

const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const entraToken = (object: string): Token => ({ sub: object, oid: object, tid: tenant, ver: "1.0" });

const entra: Issuer = {
  name: "entra",
  url: `https://sts.windows.net/${tenant}/`,
  shared: false,
  own: entraToken("9f3c1e2a-0000-4000-8000-000000000001"),
  declarable: [],
  chosen: [],
  keys: [],
  strangers: () => [
    entraToken("77777777-0000-4000-8000-000000000007"),
    entraToken("9f3c1e2a-0000-4000-8000-000000000002"),
  ],
  siblings: () => [],
};

const eksToken = (namespace: string, account: string): Token => ({
  sub: `system:serviceaccount:${namespace}:${account}`,
});
const eksOwn = eksToken("prod", "app");

const eks: Issuer = {
  name: "eks",
  url: "https://oidc.eks.us-east-1.amazonaws.com/id/5D1B2E5FEF05A59CCF1B9A3C8E1F0D7A",
  shared: false,
  own: eksOwn,
  declarable: [],
  chosen: [],
  keys: [],
  tenantSubject: "system:serviceaccount:",
  strangers: () =>
    ["prod", "default", "prod-evil", "evil-prod"].flatMap((namespace) =>
      ["app", "app-evil", "evil-app"]
        .map((account) => eksToken(namespace, account))
        .filter(({ sub }) => sub !== eksOwn.sub),
    ),
  siblings: () => [],
};

const keycloakToken = (sub: string, client: string, name: string): Token => ({
  sub,
  azp: client,
  preferred_username: name,
  typ: "Bearer",
});

const keycloak: Issuer = {
  name: "keycloak",
  url: "https://sso.acme.example/realms/main",
  shared: false,
  own: keycloakToken("0d4a1c52-1b1e-4c53-9a55-6b7b2d1f0001", "aws-client", "service-account-aws-client"),
  declarable: [],
  chosen: [],
  keys: [],
  strangers: () =>
    ["aws-client", "other-client"].map((client) =>
      keycloakToken("5e5e5e5e-1b1e-4c53-9a55-6b7b2d1f0009", client, "mallory"),
    ),
  siblings: () => [],
};

/** The account's unique number is what the sandbox makes of the name `reports` in `acme-prod`; the runner checks it. */
export const googleNumber = "107826859272070640966";
const googleToken = (number: string): Token => ({ sub: number, azp: number });

const google: Issuer = {
  name: "google",
  url: "https://accounts.google.com",
  shared: true,
  own: googleToken(googleNumber),
  declarable: [],
  chosen: [],
  keys: [],
  // `azp` is only ever the account's number, its e-mail or an OAuth client: nobody takes that of another account.
  strangers: () =>
    numbersBeside(googleNumber).flatMap((number) => [
      googleToken(number),
      {
        sub: number,
        azp: "mallory@evil-corp.iam.gserviceaccount.com",
        email: "mallory@evil-corp.iam.gserviceaccount.com",
      },
      { sub: number, azp: "123456-evil.apps.googleusercontent.com", email: "mallory@evil.example" },
    ]),
  siblings: () => [],
};

export const awsAccount = "123456789000";
export const awsRole = "ec2-my-role";
const callerToken = (account: string, rest: string): Token => ({
  account,
  arn: `arn:aws:${rest.startsWith("user/") ? "iam" : "sts"}::${account}:${rest}`,
  userid: `AROAEXAMPLE:${rest.split("/").at(-1)}`,
});

const aws: Issuer = {
  name: "aws",
  url: "",
  shared: false,
  own: callerToken(awsAccount, `assumed-role/${awsRole}/crosstrust`),
  declarable: [],
  chosen: [],
  keys: [],
  // The caller chooses the name of the session: it may be that of the link's own session or role.
  strangers: () =>
    ["other", `${awsRole}-evil`, `evil-${awsRole}`]
      .flatMap((role) => ["crosstrust", awsRole].map((session) => `assumed-role/${role}/${session}`))
      .concat("user/mallory", `user/${awsRole}`)
      .map((rest) => callerToken(awsAccount, rest)),
  siblings: () => [],
};

/** An AWS account that has nothing to do with the link. */
const foreignAws: Issuer = {
  ...aws,
  name: "foreign-aws",
  strangers: () => [
    callerToken("999900001111", `assumed-role/${awsRole}/crosstrust`),
    callerToken("999900001111", "user/mallory"),
  ],
};

/** A server that somebody else runs: its tokens say whatever that person likes. */
const foreignOidc: Issuer = {
  name: "foreign-oidc",
  url: "https://login.evil.example",
  shared: false,
  own: { sub: "nobody" },
  declarable: [],
  chosen: ["sub", "role", "group"],
  keys: [],
  strangers: (words) => choosing([{ sub: "mallory", role: "none", group: "none" }], words, ["sub", "role", "group"]),
  siblings: () => [],
};

export const issuers = {
  github,
  gitlab: gitlabAt("gitlab", "https://gitlab.com", true),
  terraform,
  buildkite,
  entra,
  eks,
  selfGitlab: gitlabAt("self-gitlab", "https://gitlab.acme.example", false),
  keycloak,
  google,
  aws,
  foreignAws,
  foreignOidc,
} as const;
