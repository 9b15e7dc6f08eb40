import { account } from "../../support/bench.ts";
import type { Command } from "../../support/edits.ts";
import { drifted, open, openByName, type Table, toDecide } from "./row.ts";

// Edits of links that end at AWS: trust policies, permissions, OIDC providers, and the account that a link starts from.

type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

const allow = (federated: string, conditions?: Conditions) => ({
  Effect: "Allow",
  Principal: { Federated: federated },
  Action: "sts:AssumeRoleWithWebIdentity",
  ...(conditions ? { Condition: conditions } : {}),
});

const assume = (principal: object) => ({ Effect: "Allow", ...principal, Action: "sts:AssumeRole" });

const trust = (role: string, statements: readonly object[]): Command =>
  `aws iam update-assume-role-policy --role-name ${role} --policy-document '${JSON.stringify({ Version: "2012-10-17", Statement: statements })}'`;

const newProvider = (url: string, clientId: string): Command =>
  `aws iam create-open-id-connect-provider --url ${url} --client-id-list ${clientId} --thumbprint-list 9e99a48a9960b14926bb7f3b02e22da2b0ab7280`;

const providerArn = (host: string) => `arn:aws:iam::${account}:oidc-provider/${host}`;

// ---- From Google

const google = "accounts.google.com";
const pinned = { [`${google}:sub`]: "{sub}", [`${google}:aud`]: "{sub}", [`${google}:oaud`]: "aws-trust-1" };
const right = allow(google, { StringEquals: pinned });
const reader = (...statements: readonly object[]): readonly Command[] => [trust("reports-reader", statements)];
const byGoogle = (conditions?: Conditions) => reader(allow(google, conditions));
const beside = (conditions?: Conditions) => reader(right, allow(google, conditions));
const strange = "107517467455664443765";
const reports = "reports@acme-prod.iam.gserviceaccount.com";
const bindReports = (member: string, role: string): readonly Command[] => [
  `gcloud iam service-accounts add-iam-policy-binding ${reports} --member=${member} --role=${role}`,
];

export const fromGoogle: Table = {
  title: "a link from Google to AWS",
  base: {
    file: `crosstrust: 1
name: acme
links:
  reports-to-s3:
    from: { google: { project: acme-prod, serviceAccount: reports } }
    to:
      aws: { account: ${account}, role: reports-reader, audience: aws-trust-1, boundary: "arn:aws:iam::aws:policy/ReadOnlyAccess" }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`,
    to: { role: "reports-reader" },
  },
  rows: [
    { edit: "the conditions are taken away", run: byGoogle(), ...open, codes: ["AWS-SUB-MISSING"] },
    {
      edit: "only the audience is left",
      run: byGoogle({ StringEquals: { [`${google}:oaud`]: "aws-trust-1" } }),
      ...open,
      codes: ["AWS-SUB-MISSING"],
    },
    {
      edit: "a second statement asks for the name of a session",
      run: beside({ StringEquals: { "sts:RoleSessionName": "nightly" } }),
      session: "nightly",
      ...open,
      codes: ["AWS-SUB-MISSING"],
    },
    {
      edit: "a second statement asks for an address in 0.0.0.0/0",
      run: beside({ IpAddress: { "aws:SourceIp": "0.0.0.0/0" } }),
      ...open,
      codes: ["AWS-SUB-MISSING"],
    },
    {
      edit: "a second statement names somebody else",
      run: beside({ StringEquals: { [`${google}:sub`]: strange } }),
      ...open,
      codes: ["AWS-SUB-EXTRA"],
    },
    {
      edit: "a second subject stands beside the right one",
      run: byGoogle({
        StringEquals: { ...pinned, [`${google}:sub`]: ["{sub}", strange], [`${google}:aud`]: ["{sub}", strange] },
      }),
      ...open,
      codes: ["AWS-SUB-EXTRA"],
    },
    {
      edit: "the subject becomes a pattern",
      run: byGoogle({ StringLike: { [`${google}:sub`]: "1*" } }),
      ...open,
      codes: ["AWS-SUB-WILDCARD"],
    },
    {
      edit: "a claim is asked for only where it is there",
      run: byGoogle({ StringEqualsIfExists: { "aws:SourceVpc": "vpc-1a2b3c4d" } }),
      ...open,
      codes: ["AWS-SUB-MISSING"],
    },
    {
      edit: "a set operator is true of a claim that is not there",
      run: byGoogle({ "ForAllValues:StringEquals": { [`${google}:amr`]: "authenticated" } }),
      ...open,
      codes: ["AWS-SUB-MISSING"],
    },
    {
      edit: "the subject must only be there",
      run: byGoogle({ Null: { [`${google}:sub`]: "false" } }),
      ...open,
      codes: ["AWS-SUB-WILDCARD"],
    },
    {
      edit: "one subject alone is shut out",
      run: byGoogle({ StringNotEquals: { [`${google}:sub`]: strange } }),
      ...open,
      codes: ["AWS-SUB-WILDCARD"],
    },
    {
      edit: "a domain without its at sign gets in, by e-mail",
      run: beside({ StringLike: { [`${google}:email`]: "*acme.com" } }),
      ...open,
      codes: ["AWS-SUB-EXTRA"],
    },
    {
      edit: "the account's own e-mail takes the place of its number",
      run: byGoogle({
        StringEquals: {
          [`${google}:email`]: "reports@acme-prod.iam.gserviceaccount.com",
          [`${google}:oaud`]: "aws-trust-1",
        },
      }),
      ...drifted,
      codes: [],
    },
    {
      edit: "somebody else's e-mail takes the place of the account's number",
      run: byGoogle({
        StringEquals: {
          [`${google}:email`]: "reports@stranger-prod.iam.gserviceaccount.com",
          [`${google}:oaud`]: "aws-trust-1",
        },
      }),
      ...open,
      codes: ["AWS-SUB-EXTRA"],
    },
    {
      edit: "another OIDC provider is trusted without conditions",
      run: [
        newProvider("https://idp.stranger.example", "sts.amazonaws.com"),
        ...reader(right, allow(providerArn("idp.stranger.example"))),
      ],
      audience: "sts.amazonaws.com",
      ...open,
      codes: ["AWS-PRINCIPAL-EXTRA"],
    },
    {
      edit: "every principal but some is meant, by NotPrincipal",
      run: reader(right, assume({ NotPrincipal: { AWS: `arn:aws:iam::${account}:root` } })),
      ...openByName,
      codes: ["AWS-PRINCIPAL-EXTRA"],
    },
    {
      edit: "every principal is named",
      run: reader(right, assume({ Principal: "*" })),
      ...openByName,
      codes: ["AWS-PRINCIPAL-EXTRA"],
    },
    {
      edit: "another account is named",
      run: reader(right, assume({ Principal: { AWS: "arn:aws:iam::999988887777:root" } })),
      ...openByName,
      codes: ["AWS-PRINCIPAL-EXTRA"],
    },
    {
      edit: "a provider of SAML is trusted",
      run: reader(right, {
        ...allow(`arn:aws:iam::${account}:saml-provider/corp`),
        Action: "sts:AssumeRoleWithSAML",
      }),
      ...openByName,
      codes: ["AWS-PRINCIPAL-EXTRA"],
    },
    {
      edit: "an extra managed policy is attached",
      run: [
        "aws iam attach-role-policy --role-name reports-reader --policy-arn arn:aws:iam::aws:policy/AdministratorAccess",
      ],
      ...drifted,
      codes: [],
    },
    {
      edit: "an inline policy is put into the role",
      run: [
        `aws iam put-role-policy --role-name reports-reader --policy-name more --policy-document '${JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iam:*", Resource: "*" }] })}'`,
      ],
      ...drifted,
      codes: [],
    },
    {
      edit: "the boundary is taken away",
      run: ["aws iam delete-role-permissions-boundary --role-name reports-reader"],
      ...drifted,
      codes: [],
    },
    {
      edit: "anybody may create tokens of the workload's account",
      run: bindReports("allUsers", "roles/iam.serviceAccountTokenCreator"),
      ...openByName,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "whoever is signed in may create ID tokens of the workload's account",
      run: bindReports("allAuthenticatedUsers", "roles/iam.serviceAccountOpenIdTokenCreator"),
      ...openByName,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "the whole pool of another project may use the workload's account",
      run: bindReports(
        "principalSet://iam.googleapis.com/projects/{foreign}/locations/global/workloadIdentityPools/theirs/*",
        "roles/iam.workloadIdentityUser",
      ),
      ...openByName,
      codes: ["GOOGLE-SPEAKER"],
    },
    {
      edit: "a key of the workload's account is made",
      run: [`gcloud iam service-accounts keys create key.json --iam-account=${reports}`],
      ...toDecide,
      codes: ["GOOGLE-USER-KEY"],
    },
  ],
};

// ---- From an issuer of one's own

const idp = "idp.example.com";
const idpArn = providerArn(idp);
const engineers = (...statements: readonly object[]): readonly Command[] => [trust("engineers", statements)];
const user = { [`${idp}:sub`]: "user-123", [`${idp}:aud`]: "aws-access-client" };

export const fromOwnIssuer: Table = {
  title: "a link from an issuer of one's own to AWS",
  base: {
    file: `crosstrust: 1
name: acme
links:
  okta-engineers:
    from: { oidc: { issuer: "https://${idp}", clientId: aws-access-client, subject: user-123 } }
    to:   { aws: { account: ${account}, role: engineers } }
    may:  [ { allow: [ s3:GetObject ], resources: [ "arn:aws:s3:::acme-reports/*" ] } ]
`,
    to: { role: "engineers" },
  },
  rows: [
    {
      edit: "only the audience is left",
      run: engineers(allow(idpArn, { StringEquals: { [`${idp}:aud`]: "aws-access-client" } })),
      ...open,
      codes: ["AWS-SUB-MISSING"],
    },
    {
      edit: "the subject becomes a pattern that others fit",
      run: engineers(
        allow(idpArn, {
          StringLike: { [`${idp}:sub`]: "user-*" },
          StringEquals: { [`${idp}:aud`]: "aws-access-client" },
        }),
      ),
      ...open,
      codes: ["AWS-SUB-EXTRA"],
    },
    {
      edit: "the right subject is asked for beside anybody's",
      run: engineers(
        allow(idpArn, { StringEquals: user }),
        allow(idpArn, { StringLike: { [`${idp}:sub`]: "*", [`${idp}:aud`]: "aws-access-client" } }),
      ),
      ...open,
      codes: ["AWS-SUB-WILDCARD"],
    },
    {
      edit: "a set operator is true of a subject that is not asked for",
      run: engineers(
        allow(idpArn, {
          "ForAllValues:StringLike": { [`${idp}:amr`]: ["pwd"] },
          StringEquals: { [`${idp}:aud`]: "aws-access-client" },
        }),
      ),
      ...open,
      codes: ["AWS-SUB-MISSING"],
    },
    {
      edit: "a claim that aws never reads is asked for only where it is there",
      run: engineers(
        allow(idpArn, {
          StringEquals: { [`${idp}:aud`]: "aws-access-client" },
          StringEqualsIfExists: { [`${idp}:department`]: "engineering" },
        }),
      ),
      ...open,
      codes: ["AWS-SUB-MISSING"],
    },
    {
      edit: "the OIDC provider takes another client, and the trust does too",
      run: [
        `aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${idpArn} --client-id other-client`,
        ...engineers(
          allow(idpArn, { StringEquals: { ...user, [`${idp}:aud`]: ["aws-access-client", "other-client"] } }),
        ),
      ],
      ...drifted,
      codes: ["AWS-CLIENT-ID-EXTRA", "AWS-AUDIENCE-OPEN"],
    },
    {
      edit: "the OIDC provider takes another client, and the trust asks for none",
      run: [
        `aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${idpArn} --client-id other-client`,
        ...engineers(allow(idpArn, { StringEquals: { [`${idp}:sub`]: "user-123" } })),
      ],
      audience: "other-client",
      ...open,
      codes: ["AWS-CLIENT-ID-EXTRA", "AWS-AUDIENCE-OPEN"],
    },
  ],
};

// ---- From an issuer that everybody shares

const github = "token.actions.githubusercontent.com";
const githubArn = providerArn(github);
const deploy = (conditions: Conditions): readonly Command[] => [trust("deploy", [allow(githubArn, conditions)])];
const aud = { [`${github}:aud`]: "sts.amazonaws.com" };
const policyArn = `arn:aws:iam::${account}:policy/deployers`;

export const fromSharedIssuer: Table = {
  title: "a link from an issuer that everybody shares to AWS",
  base: {
    file: `crosstrust: 1
name: acme
links:
  deploy:
    from: { oidc: { issuer: "https://${github}", clientId: sts.amazonaws.com, subject: "repo:acme/app:ref:refs/heads/main" } }
    to:   { aws: { account: ${account}, role: deploy } }
    may:  [ "${policyArn}" ]
`,
    before: [
      `aws iam create-policy --policy-name deployers --policy-document '${JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-reports/*" }] })}'`,
    ],
    to: { role: "deploy" },
  },
  rows: [
    { edit: "only the audience is left", run: deploy({ StringEquals: aud }), ...open, codes: ["AWS-SUB-MISSING"] },
    {
      edit: "every repository of every owner deploys to production",
      run: deploy({ StringEquals: aud, StringLike: { [`${github}:sub`]: "repo:*:environment:production" } }),
      ...open,
      codes: ["AWS-SUB-WILDCARD"],
    },
    {
      edit: "the owner's name is not ended",
      run: deploy({ StringEquals: aud, StringLike: { [`${github}:sub`]: "repo:acme*" } }),
      ...open,
      codes: ["AWS-SUB-WILDCARD"],
    },
    {
      edit: "the owner's name is one character's choice",
      run: deploy({ StringEquals: aud, StringLike: { [`${github}:sub`]: "repo:acm?/app:ref:refs/heads/main" } }),
      ...open,
      codes: ["AWS-SUB-WILDCARD"],
    },
    {
      edit: "a subject of a template names no owner",
      run: deploy({ StringEquals: { ...aud, [`${github}:sub`]: "environment:production" } }),
      ...open,
      codes: ["AWS-SUB-WILDCARD"],
    },
    {
      edit: "only the workflow is asked for",
      run: deploy({
        StringEquals: {
          ...aud,
          [`${github}:job_workflow_ref`]: "acme/app/.github/workflows/deploy.yml@refs/heads/main",
        },
      }),
      ...open,
      codes: ["AWS-SUB-MISSING"],
    },
    {
      edit: "only whoever started the run is asked for",
      run: deploy({ StringEquals: { ...aud, [`${github}:actor_id`]: "4242" } }),
      ...open,
      codes: ["AWS-SUB-MISSING"],
    },
    {
      edit: "the subject is asked for only where a claim is there",
      run: deploy({
        StringEquals: aud,
        StringEqualsIfExists: { [`${github}:environment`]: "production" },
      }),
      ...open,
      codes: ["AWS-SUB-MISSING"],
    },
    {
      edit: "every repository of the owner gets in",
      run: deploy({ StringEquals: aud, StringLike: { [`${github}:sub`]: "repo:acme/*" } }),
      ...open,
      codes: ["AWS-SUB-EXTRA"],
    },
  ],
};

/** What the link's own policy allows is somebody else's to decide: it opens nothing, and the next scheduled run tells it. */
export const newDefaultVersion: Command = `aws iam create-policy-version --policy-arn ${policyArn} --set-as-default --policy-document '${JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iam:*", Resource: "*" }] })}'`;
