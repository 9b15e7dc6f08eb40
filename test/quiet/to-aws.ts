import type { Row } from "./row.ts";
import {
  github,
  githubToken,
  podToken,
  policyOf,
  roleBeside,
  statement,
  terraform,
  terraformToken,
  toAws,
  toUsedRole,
  trusting,
} from "./set-ups.ts";

const actions = "token.actions.githubusercontent.com";
const audience = { [`${actions}:aud`]: "sts.amazonaws.com" };
const sts = { aud: "sts.amazonaws.com" };

const fromGithub = (identity: string) => `oidc: { issuer: ${github}, clientId: sts.amazonaws.com, ${identity} }`;

const cluster = "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F60718293A4B5C6D7E8F9";
const fromEks = (identity: string) =>
  `oidc: { issuer: "https://${cluster}", clientId: sts.amazonaws.com, ${identity} }`;
const pod = (namespace: string, name: string) => podToken(`https://${cluster}`, "sts.amazonaws.com", namespace, name);

const fromTerraform = (like: string) =>
  `oidc: { issuer: ${terraform}, clientId: aws.workload.identity, subjectLike: "${like}" }`;
const awsIdentity = { aud: "aws.workload.identity" };

const gitlabServer = "gitlab.example.com";
const google = "google: { project: acme-prod, serviceAccount: reports }";

const pods = {
  Effect: "Allow",
  Principal: { Service: "pods.eks.amazonaws.com" },
  Action: ["sts:AssumeRole", "sts:TagSession"],
};

/** Links to AWS. */
export const toAwsRows: readonly Row[] = [
  {
    row: 15,
    title: "a branch of GitHub with StringEquals on aud and sub",
    right: [
      {
        title: "one branch",
        links: toAws("deploy", fromGithub('subject: "repo:acme/app:ref:refs/heads/main"')),
        lint: ["warning AWS-MUTABLE-NAME"],
        verdict: "works",
        admits: [githubToken("acme/app", sts)],
        refuses: [githubToken("acme/web", sts), githubToken("evil/app", sts)],
      },
    ],
    open: [
      {
        title: "the owner is left out of the subject",
        links: toAws("deploy", fromGithub('subject: "repo:acme/app:ref:refs/heads/main"')),
        edit: trusting(
          "deploy",
          statement(actions, {
            StringEquals: audience,
            StringLike: { [`${actions}:sub`]: "repo:*/app:ref:refs/heads/main" },
          }),
        ),
        told: "AWS-SUB-WILDCARD",
      },
    ],
  },
  {
    row: 16,
    title: "AWS's recommended minimum: StringLike on sub, for a repository or an organization",
    right: [
      {
        title: "a repository",
        links: toAws("deploy", fromGithub('subjectLike: "repo:acme/app:*"')),
        lint: ["security BROAD-SUBJECT", "warning AWS-MUTABLE-NAME"],
        verdict: "works",
        admits: [githubToken("acme/app", { ...sts, sub: "repo:acme/app:pull_request" })],
        refuses: [githubToken("acme/app-x", { ...sts, sub: "repo:acme/app-x:pull_request" })],
      },
      {
        title: "an organization",
        links: toAws("deploy", fromGithub('subjectLike: "repo:acme/*"')),
        lint: ["security BROAD-SUBJECT", "warning AWS-MUTABLE-NAME"],
        verdict: "works",
        admits: [githubToken("acme/web", sts)],
        refuses: [githubToken("acme-evil/web", sts)],
      },
    ],
    open: [
      {
        title: "the separator after the organization is missing",
        links: toAws("deploy", fromGithub('subjectLike: "repo:acme/*"')),
        edit: trusting(
          "deploy",
          statement(actions, { StringEquals: audience, StringLike: { [`${actions}:sub`]: "repo:acme*" } }),
        ),
        told: "AWS-SUB-WILDCARD",
      },
    ],
  },
  {
    row: 17,
    title: "GitHub's subjects with ids",
    right: [
      {
        title: "owner and repository with their ids",
        links: toAws("deploy", fromGithub('subject: "repo:acme@77/app@123:ref:refs/heads/main"')),
        lint: [],
        verdict: "works",
        admits: [githubToken("acme/app", { ...sts, sub: "repo:acme@77/app@123:ref:refs/heads/main" })],
        refuses: [githubToken("acme/app", sts)],
      },
    ],
    open: [
      {
        title: "the ids are replaced by wildcards",
        links: toAws("deploy", fromGithub('subject: "repo:acme@77/app@123:ref:refs/heads/main"')),
        edit: trusting(
          "deploy",
          statement(actions, {
            StringEquals: audience,
            StringLike: { [`${actions}:sub`]: "repo:*@*/app@*:ref:refs/heads/main" },
          }),
        ),
        told: "AWS-SUB-WILDCARD",
      },
    ],
    pending: [{ issue: "14", what: "a token in the old spelling is explained by that near miss" }],
  },
  {
    row: 18,
    title: "GitHub's environments",
    right: [
      {
        title: "an environment of one repository",
        links: toAws("deploy", fromGithub('subject: "repo:acme/app:environment:prod"')),
        lint: ["warning AWS-MUTABLE-NAME"],
        verdict: "works",
        admits: [githubToken("acme/app", { ...sts, sub: "repo:acme/app:environment:prod", environment: "prod" })],
        refuses: [githubToken("evil/app", { ...sts, sub: "environment:prod", environment: "prod" })],
      },
    ],
    open: [
      {
        title: "a template subject of the environment alone",
        links: toAws("deploy", fromGithub('subject: "environment:prod"')),
        told: "AWS-SUB-WILDCARD",
      },
    ],
  },
  {
    row: 19,
    title: "GitHub's reusable workflows",
    right: [
      {
        title: "an organization and its own workflow",
        links: toAws(
          "deploy",
          fromGithub(
            'subjectLike: "repo:acme/*", claims: { job_workflow_ref: acme/ci/.github/workflows/deploy.yml@refs/heads/main }',
          ),
        ),
        lint: ["security BROAD-SUBJECT", "warning AWS-MUTABLE-NAME"],
        verdict: "works",
        admits: [
          githubToken("acme/web", { ...sts, job_workflow_ref: "acme/ci/.github/workflows/deploy.yml@refs/heads/main" }),
        ],
        refuses: [
          githubToken("acme/web", sts),
          githubToken("evil/web", { ...sts, job_workflow_ref: "acme/ci/.github/workflows/deploy.yml@refs/heads/main" }),
        ],
      },
    ],
    open: [
      {
        title: "the workflow alone, which anybody can call if it is public",
        links: toAws(
          "deploy",
          fromGithub(
            'subjectLike: "repo:acme/*", claims: { job_workflow_ref: acme/ci/.github/workflows/deploy.yml@refs/heads/main }',
          ),
        ),
        edit: trusting(
          "deploy",
          statement(actions, {
            StringEquals: {
              ...audience,
              [`${actions}:job_workflow_ref`]: "acme/ci/.github/workflows/deploy.yml@refs/heads/main",
            },
          }),
        ),
        told: "AWS-SUB-MISSING",
      },
    ],
  },
  {
    row: 20,
    title: "GitHub's template subjects",
    right: [
      {
        title: "private repositories of an owner",
        links: toAws("deploy", fromGithub('subject: "repository_owner:acme:repository_visibility:private"')),
        lint: ["security BROAD-SUBJECT", "warning AWS-MUTABLE-NAME"],
        verdict: "works",
        admits: [githubToken("acme/web", { ...sts, sub: "repository_owner:acme:repository_visibility:private" })],
        refuses: [githubToken("evil/web", { ...sts, sub: "repository_owner:evil:repository_visibility:private" })],
      },
      {
        title: "a repository by its id",
        links: toAws("deploy", fromGithub('subject: "repository_id:123"')),
        lint: [],
        verdict: "works",
        admits: [githubToken("acme/app", { ...sts, sub: "repository_id:123" })],
        refuses: [githubToken("evil/app", { ...sts, sub: "repository_id:124" })],
      },
    ],
    open: [
      {
        title: "a property that each organization defines for itself",
        links: toAws("deploy", fromGithub('subject: "repo_property_team:payments"')),
        told: "AWS-SUB-WILDCARD",
      },
    ],
  },
  {
    row: 21,
    title: "IAM roles for service accounts of EKS",
    right: [
      {
        title: "one service account",
        links: toAws("importer", fromEks('subject: "system:serviceaccount:shop:importer"')),
        lint: [],
        verdict: "works",
        admits: [pod("shop", "importer")],
        refuses: [pod("shop", "other")],
      },
      {
        title: "a namespace",
        links: toAws("importer", fromEks('subjectLike: "system:serviceaccount:shop:*"')),
        lint: ["security BROAD-SUBJECT"],
        verdict: "works",
        admits: [pod("shop", "other")],
        refuses: [pod("shop-x", "importer")],
      },
    ],
    open: [
      {
        title: "no condition on the subject",
        links: toAws("importer", fromEks('subject: "system:serviceaccount:shop:importer"')),
        edit: trusting("importer", statement(cluster, { StringEquals: { [`${cluster}:aud`]: "sts.amazonaws.com" } })),
        told: "AWS-SUB-MISSING",
      },
    ],
  },
  {
    row: 22,
    title: "both phases of a run of HCP Terraform",
    right: [
      {
        title: "a workspace of a project",
        links: toAws("infra", fromTerraform("organization:acme:project:infra:workspace:prod:run_phase:*")),
        lint: [],
        hints: ["SUBJECT-PER-RUN"],
        verdict: "works",
        admits: [terraformToken("acme", "prod", awsIdentity)],
        refuses: [terraformToken("acme", "prod-x", awsIdentity), terraformToken("evil", "prod", awsIdentity)],
      },
      {
        title: "a workspace, whatever its project",
        links: toAws("infra", fromTerraform("organization:acme:project:*:workspace:prod:run_phase:*")),
        lint: [],
        hints: ["SUBJECT-PER-RUN"],
        verdict: "works",
        admits: [terraformToken("acme", "prod", awsIdentity)],
        refuses: [terraformToken("evil", "prod", awsIdentity)],
      },
    ],
    open: [
      {
        title: "the organization is a wildcard, too",
        links: toAws("infra", fromTerraform("organization:acme:project:infra:workspace:prod:run_phase:*")),
        edit: trusting(
          "infra",
          statement("app.terraform.io", {
            StringEquals: { "app.terraform.io:aud": "aws.workload.identity" },
            StringLike: { "app.terraform.io:sub": "organization:*:project:infra:workspace:prod:run_phase:*" },
          }),
        ),
        told: "AWS-SUB-WILDCARD",
      },
    ],
  },
  {
    row: 24,
    title: "a role for a Cognito identity pool beside the links",
    right: [
      {
        title: "aud and amr",
        links: toAws("reports", google),
        lint: [],
        verdict: "works",
        before: roleBeside("app-users", {
          Effect: "Allow",
          Principal: { Federated: "cognito-identity.amazonaws.com" },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: {
            StringEquals: { "cognito-identity.amazonaws.com:aud": "eu-west-1:0c0ffee0-0000-4000-8000-000000000003" },
            "ForAnyValue:StringLike": { "cognito-identity.amazonaws.com:amr": "authenticated" },
          },
        }),
      },
    ],
    open: [],
  },
  {
    row: 25,
    title: "a role for an app that people sign in to with Google, beside the links",
    right: [
      {
        title: "the OAuth client as aud",
        links: toAws("reports", google),
        lint: [],
        verdict: "works",
        before: roleBeside("app-sign-in", {
          Effect: "Allow",
          Principal: { Federated: "accounts.google.com" },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: { StringEquals: { "accounts.google.com:aud": "66677788899900.apps.googleusercontent.com" } },
        }),
      },
    ],
    open: [],
  },
  {
    row: 27,
    title: "EKS Pod Identity beside the links' own statement",
    right: [
      {
        title: "a role that both use",
        links: toUsedRole("importer", fromEks('subject: "system:serviceaccount:shop:importer"')),
        lint: [],
        verdict: "works",
        before: roleBeside("importer", pods),
        adopts: ["importer"],
        admits: [pod("shop", "importer")],
      },
    ],
    open: [
      {
        title: "a statement beside them that names the whole cluster",
        links: toUsedRole("importer", fromEks('subject: "system:serviceaccount:shop:importer"')),
        before: roleBeside("importer", pods),
        adopts: ["importer"],
        edit: trusting(
          "importer",
          pods,
          statement(cluster, { StringEquals: { [`${cluster}:aud`]: "sts.amazonaws.com" } }),
        ),
        told: "AWS-SUB-MISSING",
      },
    ],
  },
];

/** Trust policies that no file can ask for, as they stand in accounts. */
export interface Written {
  readonly row: number;
  readonly title: string;
  readonly policy: object;
  /** What the rules say of its text: severity and code. */
  readonly lint: readonly string[];
  /** The workload of the row: a role that was made for it and edited to this policy is drifted, and neither open nor broken. */
  readonly from?: string;
}

const sub = { [`${actions}:sub`]: "repo:acme/app:environment:prod" };
/** The sandbox makes unique ids of names: this one is of `reports` in `acme-prod`. */
const serviceAccount = "107826859272070640966";

export const writtenRows: readonly Written[] = [
  {
    row: 16,
    title: "StringLike without a wildcard counts as equality",
    policy: policyOf(statement(actions, { StringLike: { ...audience, ...sub } })),
    lint: ["warning AWS-MUTABLE-NAME"],
    from: fromGithub('subject: "repo:acme/app:environment:prod"'),
  },
  {
    row: 23,
    title: "a subject of a self-managed GitLab without an audience, which the client id list checks",
    policy: policyOf(
      statement(gitlabServer, {
        StringEquals: { [`${gitlabServer}:sub`]: "project_path:acme/app:ref_type:branch:ref:main" },
      }),
    ),
    lint: ["hint AWS-AUDIENCE-OPEN"],
    from: `oidc: { issuer: "https://${gitlabServer}", clientId: aws, subject: "project_path:acme/app:ref_type:branch:ref:main" }`,
  },
  {
    row: 26,
    title: "a Google service account by azp, oaud and sub",
    policy: policyOf({
      Effect: "Allow",
      Principal: { Federated: "accounts.google.com" },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: {
        StringEquals: {
          "accounts.google.com:aud": serviceAccount,
          "accounts.google.com:oaud": "crosstrust/acme/reports",
          "accounts.google.com:sub": serviceAccount,
        },
      },
    }),
    lint: [],
    from: google,
  },
  {
    row: 26,
    title: "a Google service account by its e-mail alone",
    policy: policyOf({
      Effect: "Allow",
      Principal: { Federated: "accounts.google.com" },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: {
        StringEquals: {
          "accounts.google.com:email": "reports@acme-prod.iam.gserviceaccount.com",
          "accounts.google.com:oaud": "crosstrust/acme/reports",
        },
      },
    }),
    lint: ["warning AWS-MUTABLE-NAME"],
  },
];
