import { describe, expect } from "vitest";
import { bench, folderWith } from "../support/bench.ts";
import { environmentOf, run } from "../support/cli.ts";
import { witnessed } from "../support/witness.ts";

// Services that the sandbox does not play, asked by clients that we did not write: one call, one line, no second try.

/** A file that no cloud has yet: nothing is applied before these calls. */
const file = `crosstrust: 1
name: acme
links:
  reports-to-s3:
    from: { google: { project: acme-prod, serviceAccount: reports } }
    to:   { aws: { account: "111122223333", role: reports-reader } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`;

async function stage() {
  const b = await bench();
  const folder = folderWith(file);
  return { b, folder, env: await environmentOf(b.url, folder) };
}

describe("the aws CLI", () => {
  /** One row for each protocol of AWS, and more than one where a protocol has variants. */
  const rows: readonly (readonly [words: string, service: string, operation: string])[] = [
    ["s3 ls", "S3", "ListBuckets"],
    ["s3 ls --no-sign-request", "S3", "ListBuckets"],
    ["s3 ls s3://google/iam/", "S3", "ListObjectsV2"],
    ["s3api get-object --bucket aws --key iam/x out.txt", "S3", "GetObject"],
    ["ec2 describe-instances", "EC2", "DescribeInstances"],
    ["cloudtrail lookup-events", "CloudTrail", "LookupEvents"],
    ["dynamodb list-tables", "DynamoDB", "ListTables"],
    ["lambda list-functions", "Lambda", "ListFunctions"],
    ["eks list-clusters", "EKS", "ListClusters"],
    ["accessanalyzer list-analyzers", "AccessAnalyzer", "ListAnalyzers"],
    ["route53 list-hosted-zones", "Route 53", "ListHostedZones"],
    ["sqs list-queues", "SQS", "ListQueues"],
    ["rds describe-db-instances", "RDS", "DescribeDBInstances"],
    ["cloudwatch list-metrics", "CloudWatch", "ListMetrics"],
    ["sso-oidc register-client --client-name c --client-type public", "SSO OIDC", "RegisterClient"],
    ["iam list-users", "IAM", "ListUsers"],
    ["sts get-session-token", "STS", "GetSessionToken"],
  ];

  witnessed("aws").each(rows)(
    "%s: %s %s is not played here",
    { timeout: 60_000 },
    async (words, service, operation) => {
      const { b, folder, env } = await stage();
      const { exit, err } = await run("aws", words.split(" "), { env, cwd: folder });
      expect(err.trim()).toMatch(
        /^(?:aws: \[ERROR\]: )?An error occurred \(NotPlayed\) when calling the \w+ operation: [^\n]*$/,
      );
      expect(err).toContain(`${service} ${operation} is not played here`);
      expect(exit).not.toBe(0);
      expect(b.calls.map(({ status }) => status)).toEqual([400]);
    },
  );
});

describe("gcloud", () => {
  witnessed("gcloud")("gets Google's own error for a service that is not played, at once", async () => {
    const { b, folder, env } = await stage();
    const { exit, err } = await run("gcloud", ["pubsub", "topics", "list"], { env, cwd: folder });
    expect(exit).toBe(1);
    expect(err).toContain(
      "pubsub.googleapis.com is not played here, and nothing was done: GET /v1/projects/acme-prod/topics",
    );
    expect(b.calls.filter(({ service }) => service === "google.unplayed").length).toBe(1);
  });
});
