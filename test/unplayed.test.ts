import { describe, expect, test } from "vitest";
import { bench } from "./support/bench.ts";

// Calls that no played service claims: which service they are told to be, and in which of the formats of the clouds.

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

const signedFor = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AKIAX/20261130/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=00`,
});
const form = { "content-type": "application/x-www-form-urlencoded" };

async function asked({ method = "POST", path = "/", headers = {}, body }: Sent) {
  const b = await bench();
  const answer = await fetch(`${b.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  return { answer, text: Buffer.from(await answer.arrayBuffer()).toString("latin1"), calls: b.calls };
}

describe("a call of AWS that is not played", () => {
  test.each<readonly [string, Sent, string, RegExp]>([
    [
      "Query",
      { headers: { ...signedFor("sns"), ...form }, body: "Action=ListTopics&Version=2010-03-31" },
      "SNS:ListTopics",
      /^<ErrorResponse><Error><Type>Sender<\/Type><Code>NotPlayed<\/Code><Message>SNS ListTopics is not played here/,
    ],
    [
      "EC2",
      { headers: { ...signedFor("ec2"), ...form }, body: "Action=DescribeInstances&Version=2016-11-15" },
      "EC2:DescribeInstances",
      /^<Response><Errors><Error><Code>NotPlayed<\/Code>.*<\/Error><\/Errors><RequestID>/,
    ],
    [
      "S3, in a bucket that is called like a prefix",
      { method: "GET", path: "/google/iam/x", headers: signedFor("s3") },
      "S3:GetObject",
      /^<Error><Code>NotPlayed<\/Code><Message>S3 GetObject is not played here/,
    ],
    [
      "S3, by a presigned URL",
      { method: "GET", path: "/b/k?X-Amz-Credential=AKIAX%2F20261130%2Fus-east-1%2Fs3%2Faws4_request" },
      "S3:GetObject",
      /^<Error><Code>NotPlayed/,
    ],
    [
      "S3, a copy instead of an upload",
      { method: "PUT", path: "/b/k", headers: { ...signedFor("s3"), "x-amz-copy-source": "b/j" } },
      "S3:CopyObject",
      /CopyObject/,
    ],
    [
      "REST with XML",
      { method: "GET", path: "/2013-04-01/hostedzone", headers: signedFor("route53") },
      "Route 53:ListHostedZones",
      /^<ErrorResponse><Error>.*<Code>NotPlayed/,
    ],
    [
      "REST with JSON",
      { method: "GET", path: "/2015-03-31/functions/f", headers: signedFor("lambda") },
      "Lambda:GetFunction",
      /^\{"message":"Lambda GetFunction is not played here/,
    ],
    [
      "REST of a service whose operations are not named",
      { method: "GET", path: "/v1/apis", headers: signedFor("appsync") },
      "AppSync:GET /v1/apis",
      /^\{"message":"AppSync GET \/v1\/apis is not played here/,
    ],
    [
      "JSON",
      {
        headers: {
          ...signedFor("dynamodb"),
          "content-type": "application/x-amz-json-1.0",
          "x-amz-target": "DynamoDB_20120810.ListTables",
        },
        body: "{}",
      },
      "DynamoDB:ListTables",
      /^\{"__type":"NotPlayed","message":"DynamoDB ListTables is not played here/,
    ],
    [
      "CBOR",
      {
        path: "/service/GraniteServiceVersion20100801/operation/ListMetrics",
        headers: { ...signedFor("monitoring"), "smithy-protocol": "rpc-v2-cbor" },
      },
      "CloudWatch:ListMetrics",
      // A map of two texts.
      /^\xa2\x66__type\x69NotPlayed\x67message\x78.CloudWatch ListMetrics/,
    ],
    [
      "a service that is younger than the list",
      { method: "GET", path: "/x", headers: signedFor("brand-new") },
      "brand-new:GET /x",
      /^\{"message":"brand-new GET \/x is not played here/,
    ],
    [
      "a prefix that a service would have here",
      { method: "GET", path: "/aws/kms/" },
      "KMS:GET /aws/kms/",
      /^\{"message":"KMS /,
    ],
    [
      "an unsigned Query call that is neither IAM's nor STS's",
      { headers: form, body: "Action=ListTopics&Version=2010-03-31" },
      "AWS:ListTopics",
      /^<ErrorResponse>/,
    ],
  ])("%s", async (_, sent, operation, body) => {
    const { answer, text, calls } = await asked(sent);
    expect(text).toMatch(body);
    expect(text).not.toContain("\n");
    expect(answer.status).toBe(400);
    if (/^\{"message"/.test(text)) expect(answer.headers.get("x-amzn-errortype")).toBe("NotPlayed");
    if (sent.headers?.["x-amz-target"]) expect(answer.headers.get("content-type")).toBe("application/x-amz-json-1.0");
    expect(calls.map((call) => [call.service, call.operation])).toEqual([["aws.unplayed", operation]]);
  });

  test("a HEAD has no body to say it in, and so its status says it", async () => {
    const { answer } = await asked({ method: "HEAD", path: "/b/k", headers: signedFor("s3") });
    expect(answer.status).toBe(405);
  });

  test("an upload larger than any service takes is told what it is, and a played service still refuses it", async () => {
    const body = new Uint8Array(3 * 1024 * 1024);
    const s3 = await asked({ method: "PUT", path: "/b/k", headers: signedFor("s3"), body });
    expect([s3.answer.status, s3.text]).toEqual([400, expect.stringContaining("S3 PutObject is not played here")]);
    const iam = await asked({ path: "/aws/iam/", headers: signedFor("iam"), body });
    expect(iam.answer.status).toBe(413);
  });
});

describe("a Query call at the root of the listener", () => {
  test.each<readonly [string, Sent, readonly string[]]>([
    ["by its version", { path: "/?Action=GetCallerIdentity&Version=2011-06-15", method: "GET" }, ["aws.sts"]],
    ["by its action alone", { path: "/?Action=GetCallerIdentity", method: "GET" }, ["aws.sts"]],
    ["in a form", { headers: form, body: "Action=ListRoles" }, ["aws.iam"]],
    [
      "by what it is signed for, whatever its version",
      { headers: { ...form, ...signedFor("iam") }, body: "Action=GetCallerIdentity&Version=2011-06-15" },
      ["aws.iam"],
    ],
  ])("is told %s, and is never the metadata server's", async (_, sent, services) => {
    const { text, calls } = await asked(sent);
    expect(text).toContain("<ErrorResponse");
    expect(calls.map(({ service }) => service)).toEqual(services);
  });

  test("the metadata server still answers whoever only looks at the root", async () => {
    const { answer, text } = await asked({ method: "GET" });
    expect([answer.status, text]).toEqual([200, "computeMetadata/\n"]);
  });
});

describe("a call of Google that is not played", () => {
  test.each<readonly [string, Sent, string]>([
    [
      "below the prefix that a service would have",
      { method: "GET", path: "/google/compute/v1/x" },
      "compute.googleapis.com",
    ],
    [
      "by a client of Google's",
      { method: "GET", path: "/compute/v1/x", headers: { "x-goog-api-client": "gl-node/24" } },
      "this service of Google",
    ],
  ])("%s", async (_, sent, service) => {
    const { answer, text } = await asked(sent);
    expect(answer.status).toBe(400);
    expect(JSON.parse(text).error).toMatchObject({
      code: 400,
      status: "FAILED_PRECONDITION",
      message: `${service} is not played here, and nothing was done: GET ${sent.path}`,
      details: [{ reason: "NOT_PLAYED" }],
    });
  });

  test("what is nobody's stays a plain 404", async () => {
    const { answer, text } = await asked({ method: "GET", path: "/nothing" });
    expect([answer.status, text]).toEqual([404, "the sandbox has nothing at GET /nothing\n"]);
  });
});
