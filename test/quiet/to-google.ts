import type { Row } from "./row.ts";
import {
  anotherProvider,
  conditioned,
  github,
  githubToken,
  gitlab,
  gitlabToken,
  judged,
  patched,
  podToken,
  terraform,
  terraformToken,
  toAws,
  toGoogle,
} from "./set-ups.ts";

const branch = (repository: string) => `repo:${repository}:ref:refs/heads/main`;
const fromGithub = (repository: string, claims: string, issuer = github) =>
  `oidc: { issuer: ${issuer}, clientId: gcp, subject: "${branch(repository)}", claims: { ${claims} } }`;
const actions = "pool: github-pool, poolProvider: actions";

/** The mapping of google-github-actions/auth. */
const actionsMapping =
  "mapping: { google.subject: assertion.sub, attribute.actor: assertion.actor, attribute.repository: assertion.repository, attribute.repository_owner: assertion.repository_owner }";
const ownerCondition = `condition: "assertion.repository_owner == 'acme'"`;
const direct = (name: string) =>
  toGoogle(
    name,
    fromGithub(`acme/${name}`, `repository: acme/${name}, repository_owner: acme, actor: alice`),
    `${actions}, ${actionsMapping}, ${ownerCondition}, grant: { attribute: { repository: acme/${name} } }`,
  );
const everybodyIsOurs = patched("github-pool", "actions", "attributeMapping", {
  attributeMapping: { "google.subject": "assertion.sub", "attribute.repository": "'acme/app'" },
});

const byAccount = (name: string) =>
  toGoogle(
    name,
    fromGithub(`acme/${name}`, "repository_owner: acme"),
    `${actions}, serviceAccount: ${name}-deployer, ${ownerCondition}`,
  );

const gitlabClaims = 'namespace_id: "72", project_id: "20", environment: prod, user_login: alice';
const fromGitlab = (issuer: string, claims: string) =>
  `oidc: { issuer: ${issuer}, clientId: "https://gitlab.com", subject: "project_path:acme/app:ref_type:branch:ref:main", claims: { ${claims} } }`;
const gitlabPool = "pool: gitlab-pool, poolProvider: gitlab";
const gitlabMapping =
  "mapping: { google.subject: assertion.sub, attribute.project_id: assertion.project_id, attribute.user_login: assertion.user_login, attribute.environment: assertion.environment }";

const phases = ["plan", "apply"].map((phase) => `"organization:acme:project:infra:workspace:prod:run_phase:${phase}"`);
const fromTerraform = `oidc: { issuer: ${terraform}, clientId: hcp.workload.identity, subject: [ ${phases.join(", ")} ], claims: { terraform_organization_id: org-acme, terraform_workspace_id: ws-prod } }`;
const terraformPool = "pool: hcp-pool, poolProvider: terraform";
const byWorkspace = "mapping: { google.subject: assertion.terraform_workspace_id }";
const prefixes = `assertion.sub.startsWith('organization:acme:workspace:prod') || assertion.sub.startsWith('organization:acme:project:infra:workspace:prod')`;

const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const principal = "9f3c1e2a-0000-4000-8000-000000000001";
const devOps =
  "/eid1/c/pub/t/MiSI_7AJe0O9IsoTwAN97Q/a/rISbSSETf0KqFyZ8ppdXmA/sc/0ca3ddd9-0000-4000-8000-000000000001/64171687-0000-4000-8000-000000000002";
const exchangeAudience = "fb60f99c-7a34-4190-8149-302f77469936";
const devOpsClient = "499b84ac-1321-427f-aa17-267ca6975798";

const awsAccount = "123456789000";
const fourLines =
  "mapping: { google.subject: assertion.arn, attribute.account: assertion.account, attribute.aws_role: \"assertion.arn.extract('assumed-role/{role}/')\", attribute.aws_ec2_instance: \"assertion.arn.extract('assumed-role/{role_and_session}').extract('/{session}')\" }";
const awsPool = "pool: aws-pool, poolProvider: aws-prod";

const cluster = "https://oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F60718293A4B5C6D7E8F9";
const podAudience =
  "https://iam.googleapis.com/projects/143306796165/locations/global/workloadIdentityPools/k8s-pool/providers/eks-prod";
const fromCluster = `oidc: { issuer: "${cluster}", clientId: "${podAudience}", subject: "system:serviceaccount:shop:importer" }`;
const clusterPool = "pool: k8s-pool, poolProvider: eks-prod";
const podMapping =
  "mapping: { google.subject: assertion.sub, attribute.namespace: \"assertion['kubernetes.io']['namespace']\", attribute.service_account_name: \"assertion['kubernetes.io']['serviceaccount']['name']\" }";

/** Links to Google Cloud. */
export const toGoogleRows: readonly Row[] = [
  {
    row: 1,
    title: "repositories of one GitHub organization with direct access",
    right: [
      {
        title: "two links of one provider",
        links: direct("app") + direct("web"),
        lint: ["security GOOGLE-CONDITION-BROAD", "warning GOOGLE-MUTABLE-NAME"],
        verdict: "works",
        admits: [githubToken("acme/app")],
        refuses: [githubToken("evil/app")],
      },
    ],
    open: [
      {
        title: "the mapping makes one repository of all of them, and nobody asks for the owner",
        links: direct("app"),
        edit: async (b) => {
          await everybodyIsOurs(b);
          await conditioned("github-pool", "actions", "assertion.ref == 'refs/heads/main'")(b);
        },
        told: "GOOGLE-CONDITION-OPEN",
      },
      {
        title: "the mapping makes one repository of all that the accepted condition admits",
        links: direct("app"),
        edit: everybodyIsOurs,
        told: "GOOGLE-CONDITION-OPEN",
      },
    ],
    pending: [{ issue: "18", what: "Google's default audience" }],
  },
  {
    row: 2,
    title: "the same through a service account",
    right: [
      {
        title: "two links of one provider",
        links: byAccount("app") + byAccount("web"),
        lint: ["security GOOGLE-CONDITION-BROAD", "warning GOOGLE-MUTABLE-NAME"],
        verdict: "works",
        admits: [githubToken("acme/app")],
        refuses: [githubToken("evil/app")],
      },
    ],
    open: [
      {
        title: "the whole pool may speak as the account",
        links: byAccount("app"),
        edit: async (b) => {
          const path = "iam/v1/projects/acme-prod/serviceAccounts/app-deployer@acme-prod.iam.gserviceaccount.com";
          const { body } = await b.google("POST", `${path}:getIamPolicy`, {});
          const bindings = body.bindings as readonly { role: string; members: readonly string[] }[];
          const [own] = bindings.flatMap(({ members }) => members);
          const pool = own?.replace(/^principal:/, "principalSet:").replace(/\/subject\/.*$/, "/*");
          const wider = [...bindings, { role: "roles/iam.workloadIdentityUser", members: [pool] }];
          await b.google("POST", `${path}:setIamPolicy`, { policy: { ...body, bindings: wider } });
        },
        told: "GOOGLE-GRANT-EXTRA",
      },
    ],
  },
  {
    row: 3,
    title: "the ids of owner and repository in the condition",
    right: [
      {
        title: "direct access by the subject",
        links: toGoogle(
          "app",
          fromGithub("acme/app", 'repository_owner_id: "77", repository_id: "123"'),
          `${actions}, condition: "assertion.repository_owner_id == '77' && assertion.repository_id == '123'"`,
        ),
        lint: [],
        verdict: "works",
        admits: [githubToken("acme/app")],
        refuses: [githubToken("evil/app", { repository_owner_id: "78" })],
      },
    ],
    open: [
      {
        title: "the mapping makes one subject of everybody, and the condition asks for a name that anybody may choose",
        links: toGoogle(
          "app",
          fromGithub("acme/app", 'repository_owner_id: "77", repository_id: "123"'),
          `${actions}, condition: "assertion.repository_owner_id == '77' && assertion.repository_id == '123'"`,
        ),
        edit: async (b) => {
          const attributeMapping = { "google.subject": `'${branch("acme/app")}'` };
          await patched("github-pool", "actions", "attributeMapping", { attributeMapping })(b);
          await conditioned("github-pool", "actions", "assertion.workflow == 'deploy'")(b);
        },
        told: "GOOGLE-CONDITION-OPEN",
      },
    ],
  },
  {
    row: 4,
    title: "GitHub's issuer with a slash at its end",
    right: [
      {
        title: "the owner",
        links: toGoogle(
          "app",
          fromGithub("acme/app", "repository_owner: acme", `${github}/`),
          `${actions}, ${ownerCondition}`,
        ),
        lint: ["security GOOGLE-CONDITION-BROAD", "warning GOOGLE-MUTABLE-NAME"],
        verdict: "works",
        admits: [githubToken("acme/app")],
        refuses: [githubToken("evil/app")],
      },
      {
        title: "the owner and a branch",
        links: toGoogle(
          "app",
          fromGithub("acme/app", "repository_owner: acme, ref: refs/heads/main", `${github}/`),
          `${actions}, condition: "assertion.repository_owner == 'acme' && assertion.ref == 'refs/heads/main'"`,
        ),
        lint: ["security GOOGLE-CONDITION-BROAD", "warning GOOGLE-MUTABLE-NAME"],
        verdict: "works",
        admits: [githubToken("acme/app")],
        refuses: [githubToken("evil/app")],
      },
    ],
    open: [
      {
        title: "a branch alone, which the grant names, too",
        links: toGoogle(
          "app",
          fromGithub("acme/app", "repository_owner: acme, ref: refs/heads/main", `${github}/`),
          `${actions}, mapping: { google.subject: assertion.sub, attribute.ref: assertion.ref }, ${ownerCondition}, grant: { attribute: { ref: refs/heads/main } }`,
        ),
        stopped: {
          by: "GOOGLE-CONDITION-BROAD",
          links: toGoogle(
            "app",
            fromGithub("acme/app", "ref: refs/heads/main", `${github}/`),
            `${actions}, condition: "assertion.ref == 'refs/heads/main'"`,
          ),
        },
        edit: conditioned("github-pool", "actions", "assertion.ref == 'refs/heads/main'"),
        told: "GOOGLE-CONDITION-OPEN",
      },
    ],
  },
  {
    row: 5,
    title: "a group of gitlab.com by its id",
    right: [
      {
        title: "bound by the subject",
        links: toGoogle(
          "app",
          fromGitlab(gitlab, gitlabClaims),
          `${gitlabPool}, ${gitlabMapping}, condition: "assertion.namespace_id == '72'"`,
        ),
        lint: ["security GOOGLE-CONDITION-BROAD"],
        verdict: "works",
        admits: [gitlabToken("acme/app")],
        refuses: [gitlabToken("evil/app", { namespace_id: "73" })],
      },
      {
        title: "with an environment, bound by the id of the project",
        links: toGoogle(
          "app",
          fromGitlab(gitlab, gitlabClaims),
          `${gitlabPool}, ${gitlabMapping}, condition: "assertion.namespace_id == '72' && assertion.environment == 'prod'", grant: { attribute: { project_id: "20" } }`,
        ),
        lint: ["security GOOGLE-CONDITION-BROAD"],
        verdict: "works",
        admits: [gitlabToken("acme/app")],
        refuses: [gitlabToken("evil/app", { namespace_id: "73", project_id: "21" })],
      },
    ],
    open: [
      {
        title: "an environment alone, which the grant names, too",
        links: toGoogle(
          "app",
          fromGitlab(gitlab, gitlabClaims),
          `${gitlabPool}, ${gitlabMapping}, condition: "assertion.namespace_id == '72'", grant: { attribute: { environment: prod } }`,
        ),
        stopped: {
          by: "GOOGLE-CONDITION-BROAD",
          links: toGoogle(
            "app",
            fromGitlab(gitlab, gitlabClaims),
            `${gitlabPool}, condition: "assertion.environment == 'prod'"`,
          ),
        },
        edit: conditioned("gitlab-pool", "gitlab", "assertion.environment == 'prod'"),
        told: "GOOGLE-CONDITION-OPEN",
      },
    ],
  },
  {
    row: 6,
    title: "HCP Terraform by its ids",
    right: [
      {
        title: "organization and workspace",
        links: toGoogle(
          "infra",
          fromTerraform,
          `${terraformPool}, ${byWorkspace}, condition: "assertion.terraform_organization_id == 'org-acme' && assertion.terraform_workspace_id == 'ws-prod'"`,
        ),
        lint: [],
        verdict: "works",
        admits: [terraformToken("acme", "prod")],
        refuses: [terraformToken("evil", "prod", { terraform_workspace_id: "ws-evil" })],
      },
      {
        title: "the organization",
        links: toGoogle(
          "infra",
          fromTerraform,
          `${terraformPool}, ${byWorkspace}, condition: "assertion.terraform_organization_id == 'org-acme'"`,
        ),
        lint: ["security GOOGLE-CONDITION-BROAD"],
        verdict: "works",
        admits: [terraformToken("acme", "prod")],
        refuses: [terraformToken("evil", "prod", { terraform_workspace_id: "ws-evil" })],
      },
    ],
    open: [
      {
        title: "the name of the workspace alone, which is mapped to the subject, too",
        links: toGoogle(
          "infra",
          fromTerraform.replace("claims: { ", "claims: { terraform_workspace_name: prod, "),
          `${terraformPool}, mapping: { google.subject: assertion.terraform_workspace_name }, condition: "assertion.terraform_organization_id == 'org-acme'"`,
        ),
        edit: conditioned("hcp-pool", "terraform", "assertion.terraform_workspace_name == 'prod'"),
        told: "GOOGLE-CONDITION-OPEN",
      },
    ],
  },
  {
    row: 7,
    title: "a service connection of Azure DevOps",
    right: [
      {
        title: "the prescribed audience, a part of the subject, a condition on it",
        links: toGoogle(
          "pipeline",
          `entra: { tenant: ${tenant}, tokenVersion: 2, application: ${exchangeAudience}, clientId: ${devOpsClient}, subject: "${devOps}" }`,
          `pool: azure-pool, poolProvider: devops, mapping: { google.subject: "assertion.sub.split('/sc/')[1]" }, condition: "assertion.sub == '${devOps}'"`,
        ),
        lint: [],
        verdict: "works",
      },
    ],
    open: [
      {
        title: "the mapping makes one subject of everybody of the tenant",
        links: toGoogle(
          "pipeline",
          `entra: { tenant: ${tenant}, tokenVersion: 2, application: ${exchangeAudience}, clientId: ${devOpsClient}, subject: "${devOps}" }`,
          `pool: azure-pool, poolProvider: devops, mapping: { google.subject: "assertion.sub.split('/sc/')[1]" }, condition: "assertion.sub == '${devOps}'"`,
        ),
        edit: async (b) => {
          const attributeMapping = { "google.subject": `'${devOps.split("/sc/")[1]}'` };
          await patched("azure-pool", "devops", "attributeMapping", { attributeMapping })(b);
          await conditioned("azure-pool", "devops", "assertion.tid != ''")(b);
        },
        told: "GOOGLE-CONDITION-OPEN",
      },
    ],
    pending: [{ issue: "18", what: "a condition on oid, which from.entra cannot declare beside the subject" }],
  },
  {
    row: 8,
    title: "a role of an AWS account, bound by its attribute",
    right: [
      {
        title: "the four-line mapping and a condition on the account",
        links: toGoogle(
          "vm",
          `aws: { account: ${awsAccount}, role: ec2-my-role }`,
          `${awsPool}, ${fourLines}, condition: "assertion.arn.startsWith('arn:aws:sts::${awsAccount}:assumed-role/')"`,
        ),
        lint: [],
        verdict: "works",
      },
    ],
    open: [
      {
        title: "the mapping makes one role of all of them",
        links: toGoogle(
          "vm",
          `aws: { account: ${awsAccount}, role: ec2-my-role }`,
          `${awsPool}, ${fourLines}, condition: "assertion.arn.startsWith('arn:aws:sts::${awsAccount}:assumed-role/')"`,
        ),
        edit: patched("aws-pool", "aws-prod", "attributeMapping", {
          attributeMapping: { "google.subject": "assertion.arn", "attribute.aws_role": "'ec2-my-role'" },
        }),
        told: "GOOGLE-CONDITION-OPEN",
      },
    ],
  },
  {
    row: 9,
    title: "a session of an AWS role by its ARN",
    right: [
      {
        title: "google.subject is the whole ARN",
        links: toGoogle(
          "vm",
          `aws: { account: ${awsAccount}, arn: "arn:aws:sts::${awsAccount}:assumed-role/ec2-my-role/i-0abc" }`,
          `${awsPool}, mapping: { google.subject: assertion.arn }`,
        ),
        lint: [],
        hints: ["GOOGLE-SESSION-CHOSEN"],
        verdict: "works",
      },
    ],
    open: [
      {
        title: "the mapping makes one session of all of them",
        links: toGoogle(
          "vm",
          `aws: { account: ${awsAccount}, arn: "arn:aws:sts::${awsAccount}:assumed-role/ec2-my-role/i-0abc" }`,
          `${awsPool}, mapping: { google.subject: assertion.arn }`,
        ),
        edit: async (b) => {
          const attributeMapping = {
            "google.subject": `'arn:aws:sts::${awsAccount}:assumed-role/ec2-my-role/i-0abc'`,
          };
          await patched("aws-pool", "aws-prod", "attributeMapping", { attributeMapping })(b);
          await conditioned("aws-pool", "aws-prod", "")(b);
        },
        told: "GOOGLE-CONDITION-OPEN",
      },
    ],
  },
  {
    row: 10,
    title: "Entra ID with sub and groups",
    right: [
      {
        title: "the issuer without the slash that its tokens have",
        links: toGoogle(
          "app",
          `oidc: { issuer: "https://sts.windows.net/${tenant}", clientId: "api://my-app", subject: ${principal} }`,
          "pool: azure-pool, poolProvider: entra, mapping: { google.subject: assertion.sub, google.groups: assertion.groups }",
          judged,
        ),
        lint: ["warning ISSUER-SLASH"],
        verdict: "unproved",
        admits: [
          {
            iss: `https://sts.windows.net/${tenant}/`,
            aud: "api://my-app",
            sub: principal,
            oid: principal,
            tid: tenant,
            appid: "99999999-0000-4000-8000-000000000009",
            groups: ["0c0ffee0-0000-4000-8000-000000000004"],
            ver: "1.0",
          },
        ],
      },
    ],
    open: [
      {
        title: "no condition, and one subject for everybody of the tenant",
        links: toGoogle(
          "app",
          `oidc: { issuer: "https://sts.windows.net/${tenant}", clientId: "api://my-app", subject: ${principal} }`,
          "pool: azure-pool, poolProvider: entra, mapping: { google.subject: assertion.sub, google.groups: assertion.groups }",
          judged,
        ),
        edit: async (b) => {
          const attributeMapping = { "google.subject": `'${principal}'` };
          await patched("azure-pool", "entra", "attributeMapping", { attributeMapping })(b);
          await conditioned("azure-pool", "entra", "")(b);
        },
        told: "GOOGLE-CONDITION-OPEN",
      },
    ],
  },
  {
    row: 11,
    title: "a cluster with Kubernetes' own claims",
    right: [
      {
        title: "the mapping of Google's guide",
        links: toGoogle("importer", fromCluster, `${clusterPool}, ${podMapping}`, judged),
        lint: [],
        verdict: "unproved",
        admits: [podToken(cluster, podAudience, "shop", "importer")],
        refuses: [podToken(cluster, podAudience, "other", "importer")],
      },
      {
        title: "with a condition on the namespace",
        links: toGoogle(
          "importer",
          fromCluster,
          `${clusterPool}, ${podMapping}, condition: "assertion['kubernetes.io']['namespace'] in ['shop', 'batch']"`,
          judged,
        ),
        lint: [],
        verdict: "unproved",
        admits: [podToken(cluster, podAudience, "shop", "importer")],
        refuses: [podToken(cluster, podAudience, "other", "importer")],
      },
    ],
    open: [
      {
        title: "the grant names what everybody of the cluster has",
        links: toGoogle("importer", fromCluster, `${clusterPool}, ${podMapping}`, judged),
        edit: async (b) => {
          const attributeMapping = { "google.subject": "'system:serviceaccount:shop:importer'" };
          await patched("k8s-pool", "eks-prod", "attributeMapping", { attributeMapping })(b);
          await conditioned("k8s-pool", "eks-prod", "assertion.sub.startsWith('system:serviceaccount:')")(b);
        },
        told: "GOOGLE-CONDITION-OPEN",
      },
    ],
    pending: [{ issue: "18", what: "Google's default audience, whose two spellings are one value" }],
  },
  {
    row: 12,
    title: "a cluster of one's own whose keys are uploaded",
    right: [],
    open: [],
    stopped: [
      {
        title: "to AWS, which fetches the keys itself",
        by: "BAD-VALUE",
        links: toAws(
          "importer",
          'oidc: { issuer: "https://kubernetes.default.svc.cluster.local", clientId: sts.amazonaws.com, subject: "system:serviceaccount:shop:importer" }',
        ),
      },
    ],
    pending: [{ issue: "18", what: "uploaded keys (kubernetes: jwks), and a hint on their rotation" }],
  },
  {
    row: 13,
    title: "GitLab with a slash at the end of its issuer, bound by a login",
    right: [
      {
        title: "gitlab.com with a condition on the group",
        links: toGoogle(
          "app",
          fromGitlab(`${gitlab}/`, gitlabClaims),
          `${gitlabPool}, ${gitlabMapping}, condition: "assertion.namespace_id == '72'", grant: { attribute: { user_login: alice } }`,
        ),
        lint: ["security GOOGLE-CONDITION-BROAD", "warning GOOGLE-MUTABLE-NAME"],
        verdict: "works",
        admits: [gitlabToken("acme/app")],
        refuses: [gitlabToken("evil/app", { namespace_id: "73" })],
      },
      {
        title: "a self-managed server",
        links: toGoogle(
          "app",
          fromGitlab("https://gitlab.example.com/", gitlabClaims),
          `${gitlabPool}, ${gitlabMapping}, grant: { attribute: { user_login: alice } }`,
        ),
        lint: ["warning GOOGLE-MUTABLE-NAME"],
        verdict: "works",
        admits: [gitlabToken("acme/app", { iss: "https://gitlab.example.com" })],
        refuses: [
          gitlabToken("acme/app", {
            iss: "https://gitlab.example.com",
            user_login: "bob",
            sub: "project_path:acme/web:ref_type:branch:ref:main",
          }),
        ],
      },
    ],
    open: [
      {
        title: "gitlab.com without a condition",
        links: toGoogle(
          "app",
          fromGitlab(`${gitlab}/`, gitlabClaims),
          `${gitlabPool}, ${gitlabMapping}, condition: "assertion.namespace_id == '72'", grant: { attribute: { user_login: alice } }`,
        ),
        stopped: {
          by: "GOOGLE-CONDITION-BROAD",
          links: toGoogle("app", fromGitlab(`${gitlab}/`, gitlabClaims), `${gitlabPool}, condition: "true"`),
        },
        // Google refuses a pool provider for gitlab.com whose condition is empty.
        edit: conditioned("gitlab-pool", "gitlab", "assertion.user_login != ''"),
        told: "GOOGLE-CONDITION-OPEN",
      },
    ],
  },
  {
    row: 14,
    title: "two beginnings of a subject of HCP Terraform, and the whole pool",
    right: [
      {
        title: "the pool's only provider",
        links: toGoogle("infra", fromTerraform, `${terraformPool}, condition: "${prefixes}", grant: pool`),
        lint: ["security BROAD-SUBJECT", "warning GOOGLE-CONDITION-SIBLINGS"],
        verdict: "works",
        admits: [terraformToken("acme", "prod")],
        refuses: [terraformToken("acme", "test"), terraformToken("evil", "prod")],
      },
    ],
    open: [
      {
        title: "a second provider of the pool admits more",
        links: toGoogle("infra", fromTerraform, `${terraformPool}, condition: "${prefixes}", grant: pool`),
        edit: anotherProvider("hcp-pool", "wider", {
          attributeMapping: { "google.subject": "assertion.sub" },
          attributeCondition: "assertion.sub.startsWith('organization:')",
          oidc: { issuerUri: terraform, allowedAudiences: ["hcp.workload.identity"] },
        }),
        told: "GOOGLE-FOREIGN-POOL-PROVIDER",
      },
    ],
  },
];
