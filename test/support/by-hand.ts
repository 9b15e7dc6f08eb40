import { account, type Bench } from "./bench.ts";
import { Somebody } from "./somebody.ts";

// Things as people make them before they know crosstrust: in a spelling, at a path and with settings of their own.

/** A trust policy in somebody's own spelling, blanks and Sids included. */
export const theirTrust = `{
  "Version": "2012-10-17",
  "Statement": [
    { "Sid": "Ec2", "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" },
    { "Sid": "Ops", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::${account}:root" }, "Action": "sts:AssumeRole" }
  ]
}`;
const theirInline = `{ "Version": "2012-10-17",  "Statement": { "Effect": "Allow", "Action": "sqs:*", "Resource": "*" } }`;
const theirManaged = "arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess";

/** A role at the path `/`, with trust, permissions, limits and tags of its own. */
export async function roleByHand(b: Bench, extra: Record<string, unknown> = {}): Promise<Somebody> {
  const somebody = new Somebody(b);
  const RoleName = "reports-reader";
  await somebody.iam("CreateRole", {
    RoleName,
    Description: "made by hand",
    MaxSessionDuration: 7200,
    AssumeRolePolicyDocument: theirTrust,
    Tags: [{ Key: "team", Value: "data" }],
    ...extra,
  });
  await somebody.iam("PutRolePolicy", { RoleName, PolicyName: "queues", PolicyDocument: theirInline });
  await somebody.iam("AttachRolePolicy", { RoleName, PolicyArn: theirManaged });
  return somebody;
}

const pools = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools";
const accounts = "iam/v1/projects/acme-prod/serviceAccounts";
const email = "etl-sink@acme-prod.iam.gserviceaccount.com";

/** Where the things of `examples/aws-to-google.yaml` are. */
export const at = {
  pool: `${pools}/partners`,
  poolProvider: `${pools}/partners/providers/aws-prod`,
  account: `${accounts}/${email}`,
  policy: `${accounts}/${email}:getIamPolicy`,
  bucket: "storage/storage/v1/b/acme-reports/iam",
} as const;

/** A pool and an account that are disabled, a pool provider with a wide condition, and a grant to the account. */
export async function poolByHand(b: Bench, more: Record<string, unknown> = {}): Promise<void> {
  await b.google("POST", `${pools}?workloadIdentityPoolId=partners`, { description: "our partners ", disabled: true });
  await b.google("POST", `${at.pool}/providers?workloadIdentityPoolProviderId=aws-prod`, {
    displayName: "by hand",
    aws: { accountId: "123456789000" },
    attributeMapping: { "google.subject": "assertion.arn" },
    attributeCondition: "assertion.account  ==  '123456789000'",
    ...more,
  });
  await b.google("POST", accounts, { accountId: "etl-sink", serviceAccount: { description: "the sink" } });
  await b.google("POST", `${at.account}:disable`, {});
  const { body } = await b.google("GET", at.bucket);
  const bindings = [{ role: "roles/storage.objectViewer", members: [`serviceAccount:${email}`] }];
  await b.google("PUT", at.bucket, { ...body, bindings });
}

/** An OIDC provider of the issuer of `examples/oidc-to-aws.yaml`, for another client. */
export const issuerByHand = (b: Bench): Promise<unknown> =>
  new Somebody(b).iam("CreateOpenIDConnectProvider", {
    Url: "https://idp.example.com",
    ClientIDList: ["theirs"],
    ThumbprintList: ["d".repeat(40)],
  });
