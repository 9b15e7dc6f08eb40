import { generateKeyPairSync } from "node:crypto";
import type { Command } from "../../support/edits.ts";
import { drifted, open, openByName, type Table, toDecide } from "./row.ts";

// Edits of links that end at Google Cloud: pool providers, bindings of accounts, projects and buckets, and keys.

const where = "--workload-identity-pool=partners --location=global --project=acme-prod";
const pool = "//iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/partners";
const theirPool = "//iam.googleapis.com/projects/{foreign}/locations/global/workloadIdentityPools/theirs";

/** Changes the link's own pool provider. */
const update =
  (kind: "aws" | "oidc", id: string) =>
  (words: string): Command =>
    `gcloud iam workload-identity-pools providers update-${kind} ${id} ${where} ${words}`;

/** Makes another pool provider in the same pool. */
const makeOidc = (words: string): Command =>
  `gcloud iam workload-identity-pools providers create-oidc theirs ${where} --issuer-uri=https://idp.stranger.example --allowed-audiences=theirs ${words}`;
const makeAws = (words: string): Command =>
  `gcloud iam workload-identity-pools providers create-aws theirs ${where} --account-id=999999999999 ${words}`;

/** A set with the public half of a key that somebody else has. */
const strangersKeys = JSON.stringify({
  keys: [
    {
      ...generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" }),
      ...{ kid: "theirs", use: "sig", alg: "ES256" },
    },
  ],
});

const member = (email: string, who: string, role: string): Command =>
  `gcloud iam service-accounts add-iam-policy-binding ${email} --member="${who}" --role=${role}`;

const [user, creator, openId] = [
  "roles/iam.workloadIdentityUser",
  "roles/iam.serviceAccountTokenCreator",
  "roles/iam.serviceAccountOpenIdTokenCreator",
];

// ---- From AWS, through an account

const sink = "etl-sink@acme-prod.iam.gserviceaccount.com";
const aws = update("aws", "aws-prod");
const speaker = (place: string): Command =>
  `gcloud iam roles create speaker ${place} --title=Speaker --stage=GA --permissions=iam.serviceAccounts.getAccessToken`;

export const fromAws: Table = {
  title: "a link from AWS to Google, through an account",
  base: {
    file: `crosstrust: 1
name: acme
links:
  ec2-to-gcs:
    from: { aws: { account: 123456789000, role: ec2-my-role } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: aws-prod, serviceAccount: etl-sink } }
    may:  [ { role: roles/storage.objectViewer, resources: [ //storage.googleapis.com/projects/_/buckets/acme-reports ] } ]
`,
    to: { account: "etl-sink", provider: "aws-prod" },
  },
  rows: [
    {
      edit: "a foreign issuer's pool provider makes the granted role of everybody",
      run: [makeOidc(`--attribute-mapping="google.subject=assertion.sub,attribute.aws_role='ec2-my-role'"`)],
      ...open,
      codes: ["GOOGLE-FOREIGN-POOL-PROVIDER"],
    },
    {
      edit: "a foreign issuer's pool provider takes the granted role from a claim that its users choose",
      run: [makeOidc(`--attribute-mapping="google.subject=assertion.sub,attribute.aws_role=assertion.role"`)],
      ...open,
      codes: ["GOOGLE-FOREIGN-POOL-PROVIDER"],
    },
    {
      edit: "another account's pool provider maps a role of the same name",
      run: [
        makeAws(
          `--attribute-mapping="google.subject=assertion.arn,attribute.aws_role=assertion.arn.extract('assumed-role/{role_name}/')"`,
        ),
      ],
      ...open,
      codes: ["GOOGLE-FOREIGN-POOL-PROVIDER"],
    },
    {
      edit: "a foreign pool provider that was switched off is switched on",
      run: [
        makeOidc(`--disabled --attribute-mapping="google.subject=assertion.sub,attribute.aws_role='ec2-my-role'"`),
        `gcloud iam workload-identity-pools providers update-oidc theirs ${where} --no-disabled`,
      ],
      ...open,
      codes: ["GOOGLE-FOREIGN-POOL-PROVIDER"],
    },
    {
      edit: "the mapping makes the granted role of everybody, and the condition is gone",
      run: [
        aws(
          `--attribute-condition="" --attribute-mapping="google.subject=assertion.arn,attribute.aws_role='ec2-my-role'"`,
        ),
      ],
      ...open,
      codes: ["GOOGLE-CONDITION-OPEN"],
    },
    {
      edit: "the account and the condition become another account's",
      run: [aws(`--account-id=999999999999 --attribute-condition="assertion.account == '999999999999'"`)],
      ...open,
      codes: ["GOOGLE-SOURCE-EXTRA"],
    },
    {
      edit: "the condition is gone, and whoever is in the pool may use the account",
      run: [aws(`--attribute-condition=""`), member(sink, `principalSet:${pool}/*`, user)],
      ...open,
      codes: ["GOOGLE-SPEAKER-POOL"],
    },
    {
      edit: "the condition asks for the account alone, and so does a wider binding",
      run: [
        aws(`--attribute-condition="assertion.account == '123456789000'"`),
        member(sink, `principalSet:${pool}/attribute.account/123456789000`, user),
      ],
      ...open,
      codes: ["GOOGLE-SPEAKER-POOL"],
    },
    {
      edit: "whoever is in the pool may use the account",
      run: [member(sink, `principalSet:${pool}/*`, user)],
      ...drifted,
      codes: ["GOOGLE-SPEAKER-POOL"],
    },
    {
      edit: "the whole pool of another project may use the account",
      run: [member(sink, `principalSet:${theirPool}/*`, user)],
      ...openByName,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "an attribute of another project's pool may use the account",
      run: [member(sink, `principalSet:${theirPool}/attribute.aws_role/ec2-my-role`, user)],
      ...toDecide,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "anybody may create tokens of the account",
      run: [member(sink, "allUsers", creator)],
      ...openByName,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "whoever is signed in may create ID tokens of the account",
      run: [member(sink, "allAuthenticatedUsers", openId)],
      ...openByName,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "a domain outside of the organization may set the account's policy",
      run: [member(sink, "domain:stranger.example", "roles/iam.serviceAccountAdmin")],
      ...toDecide,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "a custom role of the project with one permission lets anybody speak as the account",
      run: [speaker("--project=acme-prod"), member(sink, "allUsers", "projects/acme-prod/roles/speaker")],
      ...openByName,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "the whole pool of another project may create tokens of all accounts of the project",
      run: [
        `gcloud projects add-iam-policy-binding acme-prod --member="principalSet:${theirPool}/*" --role=${creator}`,
      ],
      ...openByName,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "the whole pool of another project may create tokens of all accounts of the folder",
      run: [
        "gcloud resource-manager folders create --display-name=teams --organization=111111111111",
        "gcloud beta projects move acme-prod --folder={folder}",
        `gcloud resource-manager folders add-iam-policy-binding {folder} --member="principalSet:${theirPool}/*" --role=${creator}`,
      ],
      ...openByName,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "the whole pool of another project may use all accounts of the organization",
      run: [
        `gcloud organizations add-iam-policy-binding 111111111111 --member="principalSet:${theirPool}/*" --role=${user}`,
      ],
      ...openByName,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "a custom role of the organization lets the whole pool of another project speak as all of its accounts",
      run: [
        "gcloud organizations add-iam-policy-binding 111111111111 --member=user:operator@example.com --role=roles/iam.organizationRoleAdmin",
        speaker("--organization=111111111111"),
        `gcloud organizations add-iam-policy-binding 111111111111 --member="principalSet:${theirPool}/*" --role=organizations/111111111111/roles/speaker`,
      ],
      ...openByName,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "a key of the account is made",
      run: [`gcloud iam service-accounts keys create key.json --iam-account=${sink}`],
      ...toDecide,
      codes: ["GOOGLE-USER-KEY"],
    },
  ],
};

// ---- From an issuer of one's own, through an account

const deployer = "deployer@acme-prod.iam.gserviceaccount.com";
const idp = update("oidc", "idp-example");

export const fromOwnIssuer: Table = {
  title: "a link from an issuer of one's own to Google, through an account",
  base: {
    file: `crosstrust: 1
name: acme
links:
  deploy-to-gcp:
    from: { oidc: { issuer: "https://idp.example.com", clientId: gcp-access-client, subject: deployer } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: idp-example, serviceAccount: deployer } }
    may:  [ { role: roles/storage.objectViewer, resources: [ //storage.googleapis.com/projects/_/buckets/acme-releases ] } ]
`,
    to: { account: "deployer", provider: "idp-example" },
  },
  rows: [
    {
      edit: "the mapping makes the granted subject of everybody, and the condition is gone",
      run: [idp(`--attribute-condition="" --attribute-mapping="google.subject='deployer'"`)],
      ...open,
      codes: ["GOOGLE-CONDITION-OPEN"],
    },
    {
      edit: "the subject is taken from a claim that users choose, and the condition asks only for a subject",
      run: [
        idp(
          `--attribute-condition="assertion.sub != ''" --attribute-mapping="google.subject=has(assertion.nickname) ? assertion.nickname : assertion.sub"`,
        ),
      ],
      ...open,
      codes: ["GOOGLE-CONDITION-OPEN"],
    },
    {
      edit: "another audience is taken, too",
      run: [idp("--allowed-audiences=gcp-access-client,other-client")],
      ...open,
      codes: ["GOOGLE-AUDIENCE-EXTRA"],
    },
    {
      edit: "another issuer is believed",
      run: [idp("--issuer-uri=https://idp.stranger.example")],
      ...open,
      codes: ["GOOGLE-SOURCE-EXTRA"],
    },
    {
      edit: "keys are uploaded, and count in place of the issuer's",
      files: { "jwks.json": strangersKeys },
      run: [idp("--jwk-json-path=jwks.json")],
      ...openByName,
      codes: ["GOOGLE-KEYS-UPLOADED"],
    },
    {
      edit: "a foreign pool provider with keys of its own makes the granted subject",
      files: { "jwks.json": strangersKeys },
      run: [makeOidc(`--attribute-mapping="google.subject=assertion.sub" --jwk-json-path=jwks.json`)],
      ...openByName,
      codes: ["GOOGLE-FOREIGN-POOL-PROVIDER"],
    },
    {
      edit: "a foreign pool provider makes the granted subject",
      run: [makeOidc(`--attribute-mapping="google.subject=assertion.sub"`)],
      ...open,
      codes: ["GOOGLE-FOREIGN-POOL-PROVIDER"],
    },
    {
      edit: "a foreign pool provider of somebody's own Okta takes the granted subject from a claim of its own",
      run: [
        makeOidc(`--attribute-mapping="google.subject=assertion.login"`).replace(
          "https://idp.stranger.example",
          "https://stranger.okta.com",
        ),
      ],
      ...open,
      codes: ["GOOGLE-FOREIGN-POOL-PROVIDER"],
    },
    {
      edit: "a foreign pool provider makes a group that is bound, too",
      run: [
        makeOidc(`--attribute-mapping="google.subject='x' + assertion.sub,google.groups=assertion.groups"`),
        member(deployer, `principalSet:${pool}/group/releasers`, user),
      ],
      ...open,
      codes: ["GOOGLE-SPEAKER-POOL"],
    },
  ],
};

// ---- From an issuer that everybody shares, through an account

const github = update("oidc", "github");

export const fromSharedIssuer: Table = {
  title: "a link from an issuer that everybody shares to Google, through an account",
  base: {
    file: `crosstrust: 1
name: acme
links:
  release:
    from:
      oidc:
        issuer: https://token.actions.githubusercontent.com
        clientId: gcp
        subject: "repo:acme/app:environment:production"
        claims: { repository_owner_id: "4242", environment: production }
    to:
      google:
        project: acme-prod
        pool: partners
        poolProvider: github
        serviceAccount: releaser
        mapping: { google.subject: assertion.sub, attribute.environment: assertion.environment }
        condition: "assertion.repository_owner_id == '4242'"
        grant: { attribute: { environment: production } }
    may:  [ { role: roles/storage.objectViewer, resources: [ //storage.googleapis.com/projects/_/buckets/acme-releases ] } ]
    accept: [ { finding: GOOGLE-CONDITION-BROAD, of: "assertion.repository_owner_id == '4242'", reason: "every repository of ours may release", until: 2099-01-01 } ]
`,
    to: { account: "releaser", provider: "github" },
  },
  rows: [
    {
      edit: "the condition asks for a subject, whoever it is",
      run: [github(`--attribute-condition="assertion.sub != ''"`)],
      ...open,
      codes: ["GOOGLE-CONDITION-OPEN"],
    },
    {
      edit: "the condition asks for an owner whose name only begins so",
      run: [github(`--attribute-condition="assertion.repository_owner.startsWith('acme')"`)],
      ...open,
      codes: ["GOOGLE-CONDITION-OPEN"],
    },
    {
      edit: "the condition is a pattern that is not anchored",
      run: [github(`--attribute-condition="assertion.repository.matches('acme/app')"`)],
      ...open,
      codes: ["GOOGLE-CONDITION-OPEN"],
    },
    {
      edit: "the condition asks for the environment that everybody may have",
      run: [github(`--attribute-condition="assertion.sub.endsWith(':environment:production')"`)],
      ...open,
      codes: ["GOOGLE-CONDITION-OPEN"],
    },
    {
      edit: "the condition asks for whoever started the run",
      run: [github(`--attribute-condition="assertion.actor_id == '77'"`)],
      ...open,
      codes: ["GOOGLE-CONDITION-OPEN"],
    },
    {
      edit: "the condition asks for the workflow alone",
      run: [
        github(
          `--attribute-condition="assertion.job_workflow_ref == 'acme/app/.github/workflows/release.yml@refs/heads/main'"`,
        ),
      ],
      ...open,
      codes: ["GOOGLE-CONDITION-OPEN"],
    },
    {
      edit: "another alternative of the condition lets a second owner in",
      run: [
        github(
          `--attribute-condition="assertion.repository_owner_id == '4242' || assertion.repository_owner_id == '5151'"`,
        ),
      ],
      ...open,
      codes: ["GOOGLE-CONDITION-OPEN"],
    },
    {
      edit: "the condition shuts out one owner alone",
      run: [github(`--attribute-condition="assertion.repository_owner_id != '5151'"`)],
      ...open,
      codes: ["GOOGLE-CONDITION-OPEN"],
    },
  ],
};

// ---- From a tenant of Entra, without an account

const azure = update("oidc", "azure");
const bucket = "acme-reports";

export const fromEntra: Table = {
  title: "a link from Entra to Google, without an account",
  base: {
    file: `crosstrust: 1
name: acme
links:
  azure-to-gcs:
    from:
      entra:
        tenant: 72f988bf-86f1-41af-91ab-2d7cd011db47
        application: api://my-app
        subject: 9f3c1e2a-0000-4000-8000-000000000001
    to:   { google: { project: acme-prod, pool: partners, poolProvider: azure } }
    may:  [ { role: roles/storage.objectViewer, resources: [ //storage.googleapis.com/projects/_/buckets/${bucket} ] } ]
`,
    to: { bucket, provider: "azure" },
  },
  rows: [
    {
      edit: "the mapping makes the granted subject of everybody, and the condition is gone",
      run: [
        azure(`--attribute-condition="" --attribute-mapping="google.subject='9f3c1e2a-0000-4000-8000-000000000001'"`),
      ],
      ...open,
      codes: ["GOOGLE-CONDITION-OPEN"],
    },
    {
      edit: "another tenant is believed",
      run: [azure("--issuer-uri=https://sts.windows.net/11111111-2222-4333-8444-555555555555/")],
      ...open,
      codes: ["GOOGLE-SOURCE-EXTRA"],
    },
    {
      edit: "another application's tokens are taken, too",
      run: [azure("--allowed-audiences=api://my-app,api://other-app")],
      ...open,
      codes: ["GOOGLE-AUDIENCE-EXTRA"],
    },
    {
      edit: "a foreign pool provider makes the granted subject",
      run: [makeOidc(`--attribute-mapping="google.subject='9f3c1e2a-0000-4000-8000-000000000001'"`)],
      ...open,
      codes: ["GOOGLE-FOREIGN-POOL-PROVIDER"],
    },
    {
      edit: "the condition is gone, and whoever is in the pool may read the bucket",
      run: [
        azure(`--attribute-condition=""`),
        `gcloud storage buckets add-iam-policy-binding gs://${bucket} --member="principalSet:${pool}/*" --role=roles/storage.objectViewer`,
      ],
      ...open,
      codes: ["GOOGLE-GRANT-EXTRA"],
    },
    {
      edit: "the condition is gone, and whoever is in the pool may read every bucket of the project",
      run: [
        azure(`--attribute-condition=""`),
        `gcloud projects add-iam-policy-binding acme-prod --member="principalSet:${pool}/*" --role=roles/storage.objectViewer`,
      ],
      ...open,
      codes: ["GOOGLE-GRANT-EXTRA"],
    },
    {
      edit: "whoever is in a pool of another project may do more on the bucket than the link's workload",
      run: [
        `gcloud storage buckets add-iam-policy-binding gs://${bucket} --member="principalSet:${theirPool}/*" --role=roles/storage.objectAdmin`,
      ],
      ...openByName,
      codes: ["GOOGLE-GRANT-EXTRA"],
    },
    {
      edit: "the condition is gone, and whoever is in the pool may do more on the bucket than the link's workload",
      run: [
        azure(`--attribute-condition=""`),
        `gcloud storage buckets add-iam-policy-binding gs://${bucket} --member="principalSet:${pool}/*" --role=roles/storage.admin`,
      ],
      ...open,
      codes: ["GOOGLE-GRANT-EXTRA"],
    },
  ],
};
