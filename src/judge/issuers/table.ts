/**
 * What is known of the issuers that people meet, for AWS and Google alike. Sources: aws.md 2.2, 3, 4 and 13; google.md 4,
 * 6.5 and 7; entra.md 2; the issuers' own documentation.
 *
 * Whether a slash at the end of an issuer's URL counts is a rule of the relying party, not of the issuer: AWS compares to
 * the letter, Google ignores one slash at the end.
 */
export interface Issuer {
  readonly name: string;
  /** Tested on the URL in lower case, without `https://` and without a slash at its end. */
  readonly url: RegExp;
  /** `shared`: one URL for all customers. `own`: one tenant, so a claim that binds the tenant narrows nothing. */
  readonly tenancy: "shared" | "own";
  /** What the claims are made of. */
  readonly parts: Readonly<Record<string, Part>>;
  /** The claims of a whole token; `{part}` stands for a part. A list holds the spellings that occur. */
  readonly claims: Readonly<Record<string, Template | readonly Template[]>>;
  /** What its URL says of parts that are the same in all of its tokens. */
  readonly fixed?: (url: string) => Readonly<Record<string, string>>;
  /** An id, and the parts that together name what it is the id of: no two things are called so at a time. */
  readonly named?: { readonly id: string; readonly by: readonly string[] };
  /** A customer may build subjects of `claim:value` pairs of its own choice. */
  readonly ownSubjects?: true;
  /** Claims beyond the list that each customer defines for itself. */
  readonly ownClaims?: RegExp;
  /** Claims whose values are never given to somebody else. */
  readonly ids?: readonly string[];
  /** A subject that holds such an id. */
  readonly lastingSubject?: RegExp;
  /** Its names change hands, so a trust that holds names alone can come to mean somebody else. */
  readonly namesChangeHands?: true;
  /** Condition keys that AWS has for this issuer beside `aud`, `oaud`, `sub`, `amr` and `email` (aws.md 2.2). */
  readonly awsKeys?: readonly string[];
  /** AWS refuses a trust policy that has no value for any of these keys (aws.md 13.1). */
  readonly awsRequires?: readonly string[];
  /** Google refuses a pool provider for it whose condition asks nothing (failures.md F13; which others, is not published). */
  readonly googleWantsCondition?: true;
  /** Its tokens carry an authorized party, which AWS reads as the audience (aws.md 2.1 and 4). */
  readonly azp?: { readonly fits: RegExp; readonly means: string };
  /** The audience that its tokens have where nobody asks for another. */
  readonly audience?: string;
  /** How its tokens name their subject, for people who write one into a file. */
  readonly subject?: string;
}

/** A text with `{part}` in it, or JSON made of such texts. */
export type Template = string | boolean | number | { readonly [member: string]: Template };

/** One thing that a claim tells. */
export interface Part {
  /**
   * `tenant`: the customer; nobody has another one's. `workload`: somebody within the tenant. `caller`: whoever asks for
   * the token chooses it. `run`: differs from run to run. `fixed`: the same in all tokens of the issuer.
   */
  readonly holds: "tenant" | "workload" | "caller" | "run" | "fixed";
  /** What an outsider's token says. */
  readonly own: string;
  /** Names can be chosen to begin or end like another; numbers can begin alike by chance; ids cannot. */
  readonly form?: "name" | "number" | "id";
  /** All values that there are. */
  readonly values?: readonly string[];
  /** What no value of it ever looks otherwise than. */
  readonly fits?: RegExp;
  /** A token may lack it. */
  readonly optional?: true;
  /** The other parts of a subject tell every workload apart without it. */
  readonly needless?: true;
}

/** The name of nobody whom a file means. */
export const nobody = "xt-outsider";

const tenant = (own = nobody, form: Part["form"] = "name"): Part => ({ holds: "tenant", own, form });
const workload = (own = nobody, form: Part["form"] = "name"): Part => ({ holds: "workload", own, form });
const caller = (own: string, values?: readonly string[]): Part => ({
  holds: "caller",
  own,
  form: "name",
  ...(values ? { values } : {}),
});
/** Git takes no blank and none of these characters in the name of a branch or tag (git-check-ref-format). */
const gitRef = (own: string): Part => ({ ...caller(own), fits: /^[^\s~^:?*[\\]+$/ });
const optional = (part: Part): Part => ({ ...part, optional: true });
const run = (own: string): Part => ({ holds: "run", own });

const number = "987654321";
const guid = "0c0ffee0-0000-4000-8000-00000000c057";
const isGuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Claims of every token whose values say nothing about who it is. */
const times = { iat: 1_767_225_600, nbf: 1_767_225_600, exp: 4_102_444_800, jti: "{run}" } as const;

const githubRepo = [
  "repo:{owner}/{repo}",
  // Since 2026-07 for new, renamed and transferred repositories, and for those that opted in.
  "repo:{owner}@{ownerId}/{repo}@{repoId}",
];
const githubContext = ["ref:{ref}", "environment:{environment}", "pull_request"];

const githubParts = (bound: (own?: string, form?: Part["form"]) => Part): Issuer["parts"] => ({
  owner: bound(),
  ownerId: bound(number, "number"),
  repo: workload(),
  repoId: workload(number, "number"),
  enterprise: optional(bound()),
  enterpriseId: optional(bound(number, "number")),
  ref: gitRef("refs/heads/main"),
  refType: caller("branch", ["branch", "tag"]),
  // In a subject GitHub writes a colon of an environment's name as %3A.
  environment: optional({ ...caller("production"), fits: /^[^:]+$/ }),
  workflow: caller("deploy"),
  job: caller(`${nobody}/${nobody}/.github/workflows/deploy.yml@refs/heads/main`),
  event: caller("push"),
  // Somebody can be led to start a run in a repository that is not his own.
  actor: caller(nobody),
  actorId: caller(number),
  visibility: caller("public", ["public", "private", "internal"]),
  runner: caller("github-hosted", ["github-hosted", "self-hosted"]),
  run: run("1234567"),
});

const githubClaims: Issuer["claims"] = {
  sub: githubRepo.flatMap((repo) => githubContext.map((context) => `${repo}:${context}`)),
  repository: "{owner}/{repo}",
  repository_id: "{repoId}",
  repository_owner: "{owner}",
  repository_owner_id: "{ownerId}",
  repository_visibility: "{visibility}",
  enterprise: "{enterprise}",
  enterprise_id: "{enterpriseId}",
  ref: "{ref}",
  ref_type: "{refType}",
  ref_protected: ["false", "true"],
  base_ref: "",
  head_ref: "",
  environment: "{environment}",
  workflow: "{workflow}",
  workflow_ref: "{owner}/{repo}/.github/workflows/deploy.yml@{ref}",
  job_workflow_ref: "{job}",
  event_name: "{event}",
  actor: "{actor}",
  actor_id: "{actorId}",
  runner_environment: "{runner}",
  run_id: "{run}",
  run_number: "{run}",
  run_attempt: "1",
  sha: "{run}",
  ...times,
};

const githubKeys = [
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
];

const github = {
  claims: githubClaims,
  ownSubjects: true,
  ownClaims: /^repo_property_/,
  ids: ["repository_id", "repository_owner_id", "enterprise_id"],
  lastingSubject: /@\d+\/|_id:\d+/,
  namesChangeHands: true,
  awsKeys: githubKeys,
  subject: "repo:ORG/REPO:ref:refs/heads/main",
} as const satisfies Partial<Issuer>;

/** On a shared issuer somebody can be led to start a pipeline in a project that is not his own. */
const gitlabParts = (
  bound: (own?: string, form?: Part["form"]) => Part,
  user: (own: string, form?: Part["form"]) => Part,
): Issuer["parts"] => ({
  group: bound(),
  groupId: bound(number, "number"),
  project: workload(),
  projectId: workload(number, "number"),
  user: user(nobody),
  userId: user(number),
  email: user(`${nobody}@example.net`),
  refType: caller("branch", ["branch", "tag"]),
  ref: gitRef("main"),
  protected: caller("true", ["true", "false"]),
  environment: optional(caller("production")),
  source: caller("push"),
  runner: caller("gitlab-hosted", ["gitlab-hosted", "self-hosted"]),
  level: caller("developer"),
  run: run("1234567"),
});

const gitlab = {
  claims: {
    sub: "project_path:{group}/{project}:ref_type:{refType}:ref:{ref}",
    project_path: "{group}/{project}",
    project_id: "{projectId}",
    namespace_path: "{group}",
    namespace_id: "{groupId}",
    user_login: "{user}",
    user_id: "{userId}",
    user_email: "{email}",
    user_access_level: "{level}",
    ref: "{ref}",
    ref_type: "{refType}",
    ref_path: "refs/heads/{ref}",
    ref_protected: "{protected}",
    environment: "{environment}",
    environment_protected: "{protected}",
    deployment_tier: "{environment}",
    pipeline_source: "{source}",
    pipeline_id: "{run}",
    job_id: "{run}",
    runner_environment: "{runner}",
    project_visibility: ["private", "public", "internal"],
    ci_config_ref_uri: "{group}/{project}//.gitlab-ci.yml@refs/heads/{ref}",
    ...times,
  },
  ids: ["project_id", "namespace_id"],
  subject: "project_path:GROUP/PROJECT:ref_type:branch:ref:main",
} as const satisfies Partial<Issuer>;

const kubernetes: Pick<Issuer, "tenancy" | "parts" | "claims" | "subject"> = {
  tenancy: "own",
  parts: { namespace: workload(), account: workload(), uid: workload(guid, "id"), pod: run("pod-1"), run: run("1") },
  claims: {
    sub: "system:serviceaccount:{namespace}:{account}",
    "kubernetes.io": {
      namespace: "{namespace}",
      serviceaccount: { name: "{account}", uid: "{uid}" },
      pod: { name: "{pod}", uid: "{uid}" },
    },
    ...times,
  },
  subject: "system:serviceaccount:NAMESPACE:NAME",
};

const entra: Pick<Issuer, "tenancy" | "parts" | "claims" | "fixed"> = {
  tenancy: "own",
  fixed: (url) => ({ tid: /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(url)?.[0] ?? "" }),
  parts: {
    tid: { holds: "fixed", own: "" },
    // An object id; else a text of 43 characters, made for each application, or `/eid1/...` (entra.md 2).
    principal: {
      ...workload(guid, "id"),
      fits: /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\w-]{43}|\/eid1\/.+)$/i,
    },
    client: workload(guid, "id"),
    run: run("1"),
  },
  claims: {
    sub: "{principal}",
    oid: "{principal}",
    tid: "{tid}",
    uti: "{run}",
    ...times,
  },
};

/** An account is of one partition, and so are all of its roles. */
const partition: Part = { holds: "fixed", own: "aws" };
/** What IAM takes as the name of a role or a user (IAM quotas). */
const awsName: Part = { ...workload(), fits: /^[\w+=,.@-]{1,64}$/ };

/** The first entry that fits wins. */
export const issuers: readonly Issuer[] = [
  {
    name: "Google",
    url: /^accounts\.google\.com$/,
    tenancy: "shared",
    parts: {
      // An account is its own tenant: no part of its number or e-mail belongs to anybody else.
      account: { ...tenant("199999999999999999999", "id"), fits: /^\d+$/ },
      user: caller(nobody),
      domain: tenant("outsider.example.net"),
      client: { ...caller("outsider.apps.googleusercontent.com"), fits: /\.apps\.googleusercontent\.com$/ },
      run: run("1"),
    },
    claims: {
      sub: "{account}",
      // Its own number, its own e-mail, or an OAuth client (google.md 4): never an audience of somebody's choice.
      azp: ["{account}", "{user}@{domain}", "{client}"],
      email: "{user}@{domain}",
      email_verified: true,
      hd: "{domain}",
      ...times,
    },
    named: { id: "account", by: ["user", "domain"] },
    ids: ["sub"],
    azp: { fits: /^\d+$|@|\.apps\.googleusercontent\.com$/, means: "the account's unique id, or its e-mail" },
    subject: "the account's number",
  },
  {
    name: "GitHub Actions",
    url: /^token\.actions\.githubusercontent\.com$/,
    tenancy: "shared",
    parts: githubParts(tenant),
    googleWantsCondition: true,
    ...github,
    awsRequires: ["sub", "job_workflow_ref"],
  },
  {
    name: "GitHub Actions of an enterprise",
    url: /^(?:token\.actions\.githubusercontent\.com\/.+|token\.actions\..*\.ghe\.com|github\.com\/enterprises\/.+|[^/]+\/_services\/token)$/,
    tenancy: "own",
    parts: githubParts(workload),
    ...github,
    awsRequires: ["sub", "job_workflow_ref"],
  },
  {
    name: "GitLab",
    url: /^gitlab\.com$/,
    tenancy: "shared",
    googleWantsCondition: true,
    namesChangeHands: true,
    parts: gitlabParts(tenant, (own) => caller(own)),
    ...gitlab,
    awsKeys: [
      "namespace_id",
      "project_id",
      "user_id",
      "user_login",
      "user_email",
      "user_access_level",
      "ref_protected",
      "pipeline_source",
      "runner_environment",
    ],
    awsRequires: ["sub"],
  },
  { name: "GitLab", url: /^gitlab\./, tenancy: "own", parts: gitlabParts(workload, workload), ...gitlab },
  {
    name: "HCP Terraform",
    url: /^app\.terraform\.io$/,
    tenancy: "shared",
    googleWantsCondition: true,
    parts: {
      organization: tenant(),
      organizationId: { ...tenant("org-outsider", "id"), fits: /^org-\w+$/ },
      workspace: workload(),
      workspaceId: { ...workload("ws-outsider", "id"), fits: /^ws-\w+$/ },
      // A workspace's name is unique in its organization, so its project tells nobody apart. No name holds a colon.
      project: { ...caller(nobody), needless: true, fits: /^[^:]+$/ },
      projectId: { ...run("prj-outsider"), form: "id", fits: /^prj-\w+$/ },
      phase: { ...run("apply"), values: ["plan", "apply"] },
      run: run("run-1"),
    },
    claims: {
      sub: "organization:{organization}:project:{project}:workspace:{workspace}:run_phase:{phase}",
      terraform_organization_name: "{organization}",
      terraform_organization_id: "{organizationId}",
      terraform_project_name: "{project}",
      terraform_project_id: "{projectId}",
      terraform_workspace_name: "{workspace}",
      terraform_workspace_id: "{workspaceId}",
      terraform_full_workspace: "organization:{organization}:project:{project}:workspace:{workspace}",
      terraform_run_phase: "{phase}",
      terraform_run_id: "{run}",
      ...times,
    },
    ids: ["terraform_organization_id", "terraform_project_id", "terraform_workspace_id"],
    awsRequires: ["sub"],
    subject: "organization:ORG:project:PROJECT:workspace:WORKSPACE:run_phase:PHASE",
  },
  {
    name: "Buildkite",
    url: /^agent\.buildkite\.(?:com|dev|site)$/,
    tenancy: "shared",
    parts: {
      organization: tenant(),
      organizationId: tenant(guid, "id"),
      pipeline: workload(),
      pipelineId: workload(guid, "id"),
      cluster: workload(),
      clusterId: workload(guid, "id"),
      ref: gitRef("refs/heads/main"),
      branch: gitRef("main"),
      commit: run("c0ffee"),
      step: { ...run("deploy"), form: "name" },
      run: run("1"),
    },
    claims: {
      sub: "organization:{organization}:pipeline:{pipeline}:ref:{ref}:commit:{commit}:step:{step}",
      organization_slug: "{organization}",
      organization_id: "{organizationId}",
      pipeline_slug: "{pipeline}",
      pipeline_id: "{pipelineId}",
      cluster_name: "{cluster}",
      cluster_id: "{clusterId}",
      build_branch: "{branch}",
      build_number: "{run}",
      build_commit: "{commit}",
      step_key: "{step}",
      job_id: "{run}",
      agent_id: "{run}",
      ...times,
    },
    ids: ["organization_id", "pipeline_id", "cluster_id"],
    namesChangeHands: true,
    awsKeys: [
      "organization_slug",
      "organization_id",
      "pipeline_slug",
      "pipeline_id",
      "cluster_name",
      "cluster_id",
      "build_branch",
    ],
    awsRequires: ["sub"],
    subject: "organization:ORG:pipeline:PIPELINE:ref:REF:commit:SHA:step:KEY",
  },
  {
    name: "CircleCI",
    url: /^oidc\.circleci\.com\/org\//,
    tenancy: "own",
    fixed: (url) => ({ org: url.split("/org/")[1]?.replace(/\/$/, "") ?? "" }),
    parts: {
      org: { holds: "fixed", own: "" },
      project: workload(guid, "id"),
      user: run(guid),
      branch: gitRef("main"),
      run: run("1"),
    },
    claims: {
      sub: "org/{org}/project/{project}/user/{user}",
      "oidc.circleci.com/project-id": "{project}",
      "oidc.circleci.com/vcs-ref": "refs/heads/{branch}",
      ...times,
    },
    ids: ["oidc.circleci.com/project-id"],
    awsKeys: ["oidc.circleci.com/project-id"],
    subject: "org/ORG/project/PROJECT/user/USER",
  },
  {
    name: "Vercel",
    url: /^oidc\.vercel\.com$/,
    tenancy: "shared",
    parts: {
      owner: tenant(),
      ownerId: tenant("team_outsider", "id"),
      project: workload(),
      environment: caller("production"),
    },
    claims: {
      sub: "owner:{owner}:project:{project}:environment:{environment}",
      owner: "{owner}",
      owner_id: "{ownerId}",
      project: "{project}",
      environment: "{environment}",
      ...times,
    },
    ids: ["owner_id", "project_id"],
    awsRequires: ["aud"],
    subject: "owner:TEAM:project:PROJECT:environment:production",
  },
  {
    name: "Bitbucket Pipelines",
    url: /^api\.bitbucket\.org\/2\.0\/workspaces\/[^/]+\/pipelines-config\/identity\/oidc$/,
    tenancy: "own",
    parts: { repository: workload(guid, "id"), environment: caller(guid), step: run(guid), run: run("1") },
    claims: {
      sub: ["{repository}:{step}", "{repository}:{environment}:{step}"],
      repositoryUuid: "{repository}",
      deploymentEnvironmentUuid: "{environment}",
      stepUuid: "{step}",
      ...times,
    },
    ids: ["repositoryUuid", "workspaceUuid"],
    subject: "{REPOSITORY_UUID}:{STEP_UUID}",
  },
  { name: "EKS", url: /^oidc\.eks\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\/id\//, ...kubernetes },
  { name: "GKE", url: /^container\.googleapis\.com\/v1\/projects\//, ...kubernetes },
  { name: "AKS", url: /\.oic\.(?:prod-)?aks\.azure\.com\//, ...kubernetes },
  { name: "Kubernetes", url: /^kubernetes\.default\.svc(?:\.cluster\.local)?$/, ...kubernetes },
  {
    name: "AWS",
    url: /\.tokens\.sts\.(?:global|[a-z0-9-]+)\.api\.aws$/,
    tenancy: "own",
    parts: {
      partition,
      account: { holds: "fixed", own: "" },
      role: awsName,
      region: caller("us-east-1"),
      run: run("1"),
    },
    claims: {
      sub: "arn:{partition}:iam::{account}:role/{role}",
      "https://sts.amazonaws.com/": {
        aws_account: "{account}",
        source_region: "{region}",
        principal_id: "arn:{partition}:iam::{account}:role/{role}",
      },
      ...times,
    },
    subject: "arn:aws:iam::ACCOUNT:role/ROLE",
  },
  {
    name: "Entra ID",
    url: /^login\.(?:microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn)\/(?!common|organizations|consumers)[^/]+\/v2\.0$/,
    ...entra,
    claims: { ...entra.claims, azp: "{client}", ver: "2.0" },
    azp: { fits: isGuid, means: "the client id of the application that asks" },
    subject: "the object id of the service principal",
  },
  {
    // The first version of its tokens has `appid` and no authorized party (entra.md 2.5).
    name: "Entra ID",
    url: /^sts\.windows\.net\//,
    ...entra,
    claims: { ...entra.claims, appid: "{client}", ver: "1.0" },
    subject: "the object id of the service principal",
  },
  {
    name: "Entra ID, any tenant",
    url: /^login\.(?:microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn)\/(?:common|organizations|consumers)(?:\/v2\.0)?$/,
    ...entra,
    tenancy: "shared",
    parts: { ...entra.parts, tid: tenant(guid, "id") },
  },
  {
    name: "Azure DevOps",
    url: /^vstoken\.dev\.azure\.com\//,
    tenancy: "own",
    parts: { org: { holds: "fixed", own: "org" }, project: workload(), connection: workload(), run: run("1") },
    claims: { sub: "sc://{org}/{project}/{connection}", ...times },
    subject: "sc://ORG/PROJECT/SERVICE_CONNECTION",
  },
  {
    name: "Amazon Cognito",
    url: /^cognito-identity\.amazonaws\.com$/,
    tenancy: "shared",
    parts: { pool: tenant("us-east-1:outsider", "id"), identity: workload("us-east-1:outsider", "id"), run: run("1") },
    // The identity pool is the tenant, and `aud` holds its id.
    claims: { sub: "{identity}", aud: "{pool}", amr: ["authenticated", "unauthenticated"], ...times },
    ids: ["aud"],
    awsRequires: ["aud"],
  },
  {
    name: "Login with Amazon",
    url: /^www\.amazon\.com$/,
    tenancy: "shared",
    parts: { user: tenant("amzn1.account.OUTSIDER", "id"), run: run("1") },
    claims: { sub: "{user}", user_id: "{user}", ...times },
    ids: ["user_id"],
  },
  {
    name: "Facebook",
    url: /^graph\.facebook\.com$/,
    tenancy: "shared",
    parts: { user: tenant(number, "id"), run: run("1") },
    claims: { sub: "{user}", id: "{user}", ...times },
    ids: ["id"],
  },
  {
    name: "Oracle Cloud",
    url: /^idcs-.*\.identity\.oraclecloud\.com$/,
    tenancy: "own",
    parts: { principal: workload(), run: run("1") },
    claims: { sub: "{principal}", rpst_id: "{principal}", ...times },
    ids: ["rpst_id"],
    awsKeys: ["rpst_id"],
  },
  {
    name: "Pulumi",
    url: /^api\.pulumi\.com\/oidc$/,
    tenancy: "shared",
    parts: { organization: tenant(), stack: workload(), run: run("1") },
    claims: { sub: "pulumi:deploy:org:{organization}:project:{stack}", aud: "aws:{organization}", ...times },
    awsRequires: ["aud"],
  },
  // AWS names these as shared, and nothing more is known of them (aws.md 13.1).
  ...[
    [/^(?:vstoken\.actions|oidc-configuration\.audit-log)\.githubusercontent\.com$/, "sub"],
    [
      /^(?:oidc\.codefresh\.io|scalr\.io|studio\.datachain\.ai\/api|tokens\.cloud\.shisho\.dev|proidc\.upbound\.io)$/,
      "sub",
    ],
    [/^sandboxes\.cloud$/, "aud"],
  ].map(
    ([url, key]): Issuer => ({
      name: "an issuer of many customers",
      url: url as RegExp,
      tenancy: "shared",
      parts: { subject: tenant(), run: run("1") },
      claims: { sub: "{subject}", ...times },
      awsRequires: [key as string],
    }),
  ),
  {
    name: "Keycloak",
    url: /\/realms\/[^/]+$/,
    tenancy: "own",
    parts: { subject: workload(guid, "id"), client: workload(), user: workload(), run: run("1") },
    claims: { sub: "{subject}", azp: "{client}", preferred_username: "{user}", typ: "Bearer", ...times },
    azp: { fits: /^(?!account$)/, means: "the client id" },
    audience: "account",
    subject: "the user's or service account's id",
  },
  {
    name: "Auth0",
    url: /^[\w-]+(?:\.\w{2})?\.auth0\.com$/,
    tenancy: "own",
    parts: { subject: workload(), client: workload(), run: run("1") },
    claims: { sub: "{subject}", azp: "{client}", gty: "client-credentials", ...times },
    azp: { fits: /./, means: "the client id" },
    subject: "CLIENT_ID@clients, or auth0|USER",
  },
  {
    name: "Okta",
    url: /^[\w-]+\.okta(?:preview|-emea)?\.com(?:\/oauth2\/\w+)?$/,
    tenancy: "own",
    parts: { subject: workload(), client: workload(), run: run("1") },
    claims: { sub: "{subject}", cid: "{client}", ver: 1, ...times },
    subject: "the user's id, 00u...",
  },
];

/**
 * Who signs GetCallerIdentity in one AWS account (google.md 6.5). The account is the tenant, and whoever assumes a role
 * names the session.
 */
export const awsCallers: Issuer = {
  name: "AWS",
  url: /^$/,
  tenancy: "own",
  parts: {
    partition,
    account: { holds: "fixed", own: "" },
    role: awsName,
    session: { ...caller(nobody), fits: /^[\w+=,.@-]{2,64}$/ },
    user: awsName,
  },
  claims: {
    account: "{account}",
    arn: ["arn:{partition}:sts::{account}:assumed-role/{role}/{session}", "arn:{partition}:iam::{account}:user/{user}"],
    userid: "AROAOUTSIDER:{session}",
  },
};

/** Whoever has the private half of a key that a pool provider stores: every claim says what he likes. */
export const keyHolder: Issuer = {
  name: "whoever holds the stored keys",
  url: /^$/,
  tenancy: "own",
  parts: {},
  claims: {},
  ownClaims: /./,
};

/** An issuer of which nothing is known: one tenant, and nobody in it has what somebody else has. */
const unknown: Issuer = {
  name: "",
  url: /^/,
  tenancy: "own",
  parts: { subject: workload(), run: run("1") },
  claims: { sub: "{subject}", ...times },
};

/** The entry of an issuer, by its URL with or without `https://`, or by an AWS key prefix. */
export function issuerOf(url: string): Issuer {
  const plain = url
    .toLowerCase()
    .replace(/^https:\/\//, "")
    .replace(/\/$/, "");
  return issuers.find((one) => one.url.test(plain)) ?? unknown;
}

/** Whether an issuer is in the table: of the others only what their tokens show is known. */
export const isKnown = (issuer: Issuer): boolean => issuer !== unknown;
