import { expect } from "vitest";
import { account, type Bench } from "../support/bench.ts";
import { Somebody } from "../support/somebody.ts";
import type { Claims } from "./row.ts";

/** The parts that the rows of both clouds are made of. */
export const github = "https://token.actions.githubusercontent.com";
export const gitlab = "https://gitlab.com";
export const terraform = "https://app.terraform.io";

/** A token of a workflow run of a repository, with the claims that GitHub documents. */
export const githubToken = (repository: string, more: Claims = {}): Claims => {
  const [owner = ""] = repository.split("/");
  return {
    iss: github,
    sub: `repo:${repository}:ref:refs/heads/main`,
    aud: "gcp",
    repository,
    repository_id: "123",
    repository_owner: owner,
    repository_owner_id: "77",
    repository_visibility: "private",
    actor: "alice",
    actor_id: "4711",
    ref: "refs/heads/main",
    ref_type: "branch",
    ref_protected: "true",
    workflow: "deploy",
    workflow_ref: `${repository}/.github/workflows/deploy.yml@refs/heads/main`,
    job_workflow_ref: `${repository}/.github/workflows/deploy.yml@refs/heads/main`,
    event_name: "push",
    base_ref: "",
    head_ref: "",
    run_id: "1234567890",
    run_number: "12",
    run_attempt: "1",
    runner_environment: "github-hosted",
    sha: "0123456789abcdef0123456789abcdef01234567",
    jti: "5f1c0d9e",
    ...more,
  };
};

/** A token of a job of GitLab. */
export const gitlabToken = (path: string, more: Claims = {}): Claims => ({
  iss: gitlab,
  aud: "https://gitlab.com",
  sub: `project_path:${path}:ref_type:branch:ref:main`,
  namespace_id: "72",
  namespace_path: path.split("/")[0],
  project_id: "20",
  project_path: path,
  user_id: "1",
  user_login: "alice",
  user_email: "alice@example.com",
  user_access_level: "developer",
  pipeline_id: "574",
  pipeline_source: "push",
  job_id: "302",
  ref: "main",
  ref_type: "branch",
  ref_path: "refs/heads/main",
  ref_protected: "true",
  environment: "prod",
  environment_protected: "true",
  deployment_tier: "production",
  runner_environment: "gitlab-hosted",
  project_visibility: "private",
  jti: "235b3a54",
  ...more,
});

/** A token of a run of HCP Terraform. */
export const terraformToken = (organization: string, workspace: string, more: Claims = {}): Claims => ({
  iss: terraform,
  aud: "hcp.workload.identity",
  sub: `organization:${organization}:project:infra:workspace:${workspace}:run_phase:apply`,
  terraform_organization_id: `org-${organization}`,
  terraform_organization_name: organization,
  terraform_project_id: "prj-1",
  terraform_project_name: "infra",
  terraform_workspace_id: `ws-${workspace}`,
  terraform_workspace_name: workspace,
  terraform_full_workspace: `organization:${organization}:project:infra:workspace:${workspace}`,
  terraform_run_id: "run-1",
  terraform_run_phase: "apply",
  jti: "a6f0",
  ...more,
});

/** A token of a pod, with Kubernetes' own claims. */
export const podToken = (issuer: string, audience: string, namespace: string, name: string): Claims => ({
  iss: issuer,
  aud: [audience],
  sub: `system:serviceaccount:${namespace}:${name}`,
  "kubernetes.io": {
    namespace,
    serviceaccount: { name, uid: "0c0ffee0-0000-4000-8000-000000000001" },
    pod: { name: `${name}-1`, uid: "0c0ffee0-0000-4000-8000-000000000002" },
  },
});

/** One link to Google. `from` is what stands in the braces of `from`. */
export const toGoogle = (name: string, from: string, target: string, more = ""): string => `  ${name}:
    from: { ${from} }
    to:   { google: { project: acme-prod, ${target} } }
    may:  [ { role: roles/storage.objectViewer, resources: [ //storage.googleapis.com/projects/_/buckets/acme-${name} ] } ]
${more}`;

/** One link to AWS. */
export const toAws = (name: string, from: string, more = "", role: string = name): string => `  ${name}:
    from: { ${from} }
    to:   { aws: { account: ${account}, role: ${role} } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
${more}`;

/** The same into a role that is only used: its permissions are its own. */
export const toUsedRole = (name: string, from: string, more = ""): string =>
  toAws(name, from, more, `"arn:aws:iam::${account}:role/${name}"`).replace(/ {4}may: .*\n/, "");

export const judged = "    prove: judge\n";

/** Changes one field of a pool provider, as `gcloud iam workload-identity-pools providers update-oidc` does. */
export const patched = (pool: string, poolProvider: string, mask: string, body: object) => async (b: Bench) => {
  const path = `iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/${pool}/providers/${poolProvider}`;
  expect((await b.google("PATCH", `${path}?updateMask=${mask}`, body)).status).toBe(200);
};

export const conditioned = (pool: string, poolProvider: string, attributeCondition: string) =>
  patched(pool, poolProvider, "attributeCondition", { attributeCondition });

/** Makes a second pool provider in a pool. */
export const anotherProvider = (pool: string, id: string, body: object) => async (b: Bench) => {
  const path = `iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/${pool}/providers`;
  expect((await b.google("POST", `${path}?workloadIdentityPoolProviderId=${id}`, body)).status).toBe(200);
};

/** One statement that believes an OIDC provider of the account. */
export const statement = (provider: string, Condition: object) => ({
  Effect: "Allow",
  Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/${provider}` },
  Action: "sts:AssumeRoleWithWebIdentity",
  Condition,
});

export const policyOf = (...Statement: readonly object[]) => ({ Version: "2012-10-17", Statement });

/** Replaces the trust policy of a role. */
export const trusting =
  (role: string, ...statements: readonly object[]) =>
  (b: Bench): Promise<void> =>
    new Somebody(b).document(policyOf(...statements), role);

/** Makes a role that no file names. */
export const roleBeside =
  (role: string, ...statements: readonly object[]) =>
  async (b: Bench): Promise<void> => {
    const AssumeRolePolicyDocument = JSON.stringify(policyOf(...statements));
    await new Somebody(b).iam("CreateRole", { RoleName: role, AssumeRolePolicyDocument });
  };
