import type { Consents } from "../../src/model.ts";
import type { Bench } from "../support/bench.ts";
import type { Somebody } from "../support/somebody.ts";

/** One set-up to be recorded: its federation file, what an operator makes beforehand, and the consents it is applied with. */
export interface Setup {
  readonly name: string;
  /** The federation file; a path below `examples/` is read instead where the text has one line. */
  readonly text: string;
  readonly before?: (b: Bench, somebody: Somebody) => Promise<unknown>;
  readonly consents?: Partial<Consents>;
}

const account = "111122223333";
const head = "crosstrust: 1\nname: acme\n";
const storage = "//storage.googleapis.com/projects/_/buckets";
const readBucket = (bucket: string) =>
  `    may:\n      - { role: roles/storage.objectViewer, resources: [ ${storage}/${bucket} ] }\n`;

const examples = [
  "aws-to-google",
  "azure-to-google",
  "both-ways",
  "entra-to-aws",
  "google-to-aws",
  "oidc-to-aws",
  "oidc-to-google",
].map((name): Setup => ({ name: `example-${name}`, text: `${name}.yaml` }));

/** Set-ups beyond the examples: each writes a mark, a statement or a binding that no example writes. */
const others: readonly Setup[] = [
  {
    name: "shared-pool-provider",
    text: `${head}links:
  deploy:
    from: { oidc: { issuer: https://idp.example.com, clientId: gcp, subject: deployer } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: idp-example, serviceAccount: deployer } }
${readBucket("acme-releases")}
  read:
    from: { oidc: { issuer: https://idp.example.com, clientId: gcp, subject: reader } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: idp-example } }
${readBucket("acme-reports")}`,
  },
  {
    name: "shared-role-and-account",
    text: `${head}links:
  reports:
    from: { google: { project: acme-prod, serviceAccount: reports } }
    to:   { aws: { account: ${account}, role: reader } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
  worker:
    from: { google: { project: acme-prod, serviceAccount: worker } }
    to:   { aws: { account: ${account}, role: reader } }
    may:
      - { allow: [ s3:GetObject ], resources: [ arn:aws:s3:::acme-reports/* ] }
  reports-too:
    from: { google: { project: acme-prod, serviceAccount: reports } }
    to:   { aws: { account: ${account}, role: writer, path: /crosstrust/writers/, maxSession: 2h } }
    may:
      - { allow: [ s3:PutObject ], resources: [ arn:aws:s3:::acme-reports/* ] }
`,
  },
  {
    name: "used-role-with-statement",
    text: `${head}links:
  into-theirs:
    from: { google: { project: acme-prod, serviceAccount: reports } }
    to:   { aws: { account: ${account}, role: "arn:aws:iam::${account}:role/team/theirs", audience: aws-trust-1 } }
`,
    before: (_, somebody) =>
      somebody.iam("CreateRole", {
        RoleName: "theirs",
        Path: "/team/",
        AssumeRolePolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
        }),
      }),
    consents: { adopt: ["into-theirs"] },
  },
  {
    name: "subject-pattern-with-consent",
    text: `${head}links:
  team:
    from: { oidc: { issuer: https://idp.example.com, clientId: aws, subjectLike: "team:a:*" } }
    to:   { aws: { account: ${account}, role: team } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
  team-to-google:
    from: { oidc: { issuer: https://idp.example.com, clientId: gcp, subjectLike: "team:a:*" } }
    to:
      google:
        project: acme-prod
        pool: partners
        poolProvider: team
        serviceAccount: team-sink
        grant: { attribute: { team: a } }
        mapping: { google.subject: assertion.sub, attribute.team: "assertion.sub.extract('team:{team}:')" }
${readBucket("acme-reports")}`,
    consents: { allowBroadSubject: ["team", "team-to-google"] },
  },
  {
    name: "control-plane",
    text: `${head}control: { checker: health@acme-ops.iam.gserviceaccount.com, provisioner: provision@acme-ops.iam.gserviceaccount.com }
links:
  reports-to-s3:
    from: { google: { project: acme-prod, serviceAccount: reports } }
    to:   { aws: { account: ${account}, role: reports-reader, audience: aws-trust-1 } }
    may:
      - arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess
      - { allow: [ s3:GetObject ], resources: [ arn:aws:s3:::acme-reports/* ] }
`,
    before: async (b) => {
      for (const id of ["health", "provision"])
        await b.google("POST", "iam/v1/projects/acme-ops/serviceAccounts", { accountId: id });
    },
  },
  {
    name: "guard",
    text: `${head}guard: { denyServiceAccountKeys: true, breakGlass: break-glass@example.com }
links:
  azure-to-gcs:
    from: { entra: { tenant: 72f988bf-86f1-41af-91ab-2d7cd011db47, application: api://my-app,
                     subject: 9f3c1e2a-0000-4000-8000-000000000001 } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: azure, serviceAccount: azure-sink } }
${readBucket("acme-reports")}`,
  },
  {
    name: "aws-outbound-jwt",
    text: `${head}links:
  lambda-to-gcs:
    from: { aws: { account: 123456789000, role: worker, proof: outbound-jwt } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: aws-jwt, serviceAccount: etl-sink } }
${readBucket("acme-reports")}`,
  },
  {
    name: "grants-of-every-kind",
    text: `${head}links:
  by-group:
    from: { oidc: { issuer: https://idp.example.com, clientId: gcp, subject: deployer } }
    to:
      google:
        project: acme-prod
        pool: groups
        poolProvider: idp-example
        grant: { group: engineers }
        mapping: { google.subject: assertion.sub, google.groups: "['engineers']" }
${readBucket("acme-reports")}
  by-attribute:
    from: { aws: { account: 123456789000, role: ec2-my-role } }
    to:
      google:
        project: acme-prod
        pool: roles
        poolProvider: aws-prod
        grant: { attribute: { aws_role: ec2-my-role } }
${readBucket("acme-releases")}
  one-instance:
    from: { aws: { account: 123456789000, instance: i-0123456789abcdef0 } }
    to:   { google: { project: acme-prod, pool: machines, poolProvider: aws-prod, serviceAccount: machine } }
    may:
      - { role: roles/storage.objectViewer, resources: [ //cloudresourcemanager.googleapis.com/projects/acme-prod ] }
`,
  },
  {
    name: "claims-and-tags",
    text: `${head}links:
  from-github:
    from:
      oidc:
        issuer: https://token.actions.githubusercontent.com
        clientId: sts.amazonaws.com
        subject: repo:acme/app:ref:refs/heads/main
        claims: { repository_id: "4711" }
    to:   { aws: { account: ${account}, role: from-github } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
    prove: judge
  tagged:
    from: { oidc: { issuer: https://idp.example.com, clientId: aws, subject: user-123, tags: { team: [ blue, red ] } } }
    to:   { aws: { account: ${account}, role: tagged, boundary: "arn:aws:iam::aws:policy/ReadOnlyAccess" } }
    may:
      - { allow: [ s3:GetObject ], resources: [ arn:aws:s3:::acme-reports/* ] }
    prove: judge
`,
  },
];

export const setups: readonly Setup[] = [...examples, ...others];
