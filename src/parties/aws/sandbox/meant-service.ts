import type { FakeRequest } from "../../../sandbox/fake.ts";
import services from "./model/services.json" with { type: "json" };
import { paramsOf } from "./query.ts";

/** How a service writes its errors. */
export type Format = "query" | "ec2" | "s3" | "rest-xml" | "rest-json" | "json" | "cbor";

/** The call of a service that is not played, as far as it can be told. */
export interface Meant {
  /** For people: `S3`, `Secrets Manager`. */
  readonly service: string;
  /** `ListBuckets`, or method and path where no operation has them. */
  readonly operation: string;
  readonly format: Format;
}

const names: Readonly<Record<string, string>> = services.names;
const rest: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = services.rest;

/** Services that answer in XML below a path, by signing name; every other REST service answers in JSON. */
const xmlServices = ["cloudfront", "route53"];

/** The service that a signature is for, by its signing name: from the header, or from a presigned URL. */
export function signedFor({ headers, query }: FakeRequest): string | undefined {
  const { authorization = "" } = headers;
  const inHeader = /^AWS4-[A-Z0-9-]+ Credential=([^,\s]+)/.exec(authorization)?.[1];
  const scope = (inHeader ?? query.get("X-Amz-Credential"))?.split("/");
  if (scope?.at(-1) === "aws4_request") return scope.at(-2);
  // The older signature, which S3 alone still takes.
  const older = /^AWS [^:\s]+:/.test(authorization) || query.has("AWSAccessKeyId");
  return older ? "s3" : undefined;
}

/** Whether one of AWS's own clients sent a request. */
export const isFromAwsClient = ({ headers }: FakeRequest): boolean =>
  headers["amz-sdk-invocation-id"] !== undefined ||
  headers["x-amz-target"] !== undefined ||
  /^(?:aws-cli|aws-sdk-|boto3|botocore)/i.test(headers["user-agent"] ?? "");

/** What a request asks of AWS. */
export function meant(request: FakeRequest): Meant {
  const told = signedFor(request) ?? prefixed(request) ?? hosted(request) ?? inAgent(request);
  const signing = told ?? unsigned(request) ?? "";
  const target = request.headers["x-amz-target"];
  const known = restOperation(request, signing);
  const [, targeted = "AWS"] = /^(\w+?)(?:_\d+)?\./.exec(target ?? "") ?? [];
  return {
    service: known?.service ?? names[signing] ?? (signing || targeted),
    operation: target?.split(".").at(-1) ?? named(request) ?? known?.operation ?? `${request.method} ${request.path}`,
    format: formatOf(request, signing),
  };
}

/** `/aws/NAME/`: the prefix that a service has here where it is played. */
const prefixed = ({ path }: FakeRequest): string | undefined => /^\/aws\/([a-z0-9-]+)(?:\/|$)/.exec(path)?.[1];

const suffix = /\.(?:amazonaws\.com(?:\.cn)?|api\.aws|amazonaws\.eu)$/;
/** A Region, or a word that says which kind of endpoint it is. */
const noService = /^(?:[a-z]{2,4}(?:-[a-z]+)+-\d|dualstack|fips|global|vpce|vpce-.*)$/;

/** The service in a real host name: `bucket.s3.us-east-1.amazonaws.com`, `s3-us-west-2.amazonaws.com`. */
function hosted({ host }: FakeRequest): string | undefined {
  const bare = host.replace(/:\d+$/, "").toLowerCase();
  if (!suffix.test(bare)) return undefined;
  const labels = bare.replace(suffix, "").split(".");
  const label = labels.filter((one) => !noService.test(one)).at(-1);
  return label?.replace(/-fips$/, "").replace(/^s3-.*$/, "s3");
}

const inAgent = ({ headers }: FakeRequest): string | undefined =>
  /\bapi\/([a-z0-9_-]+)/.exec(headers["user-agent"] ?? "")?.[1]?.replaceAll("_", "-");

/** Few REST services take calls without a signature: a sign-in, and S3 for what is public. */
function unsigned(request: FakeRequest): string | undefined {
  if (request.headers["x-amz-target"] !== undefined || paramsOf(request).has("Action")) return undefined;
  return ["sso-oauth", "awsssoportal"].find((signing) => restOperation(request, signing)) ?? "s3";
}

/** The operation as the request itself names it. */
const named = (request: FakeRequest): string | undefined =>
  inCborPath(request) ?? paramsOf(request).get("Action") ?? request.query.get("x-id") ?? undefined;

const inCborPath = ({ path }: FakeRequest): string | undefined =>
  /^\/service\/[^/]+\/operation\/([^/]+)$/.exec(path)?.[1];

function formatOf(request: FakeRequest, signing: string): Format {
  const { headers, path } = request;
  if (headers["smithy-protocol"] === "rpc-v2-cbor" || inCborPath(request)) return "cbor";
  if (headers["x-amz-target"] !== undefined) return "json";
  if (signing === "s3") return path.startsWith("/v20180820/") ? "rest-xml" : "s3";
  if (paramsOf(request).has("Action")) return signing === "ec2" ? "ec2" : "query";
  return xmlServices.includes(signing) ? "rest-xml" : "rest-json";
}

/** The operation whose method, path and required members fit best; undefined for a service without such a list. */
function restOperation(request: FakeRequest, signing: string): { service: string; operation: string } | undefined {
  const path = signing === "s3" ? bucketPath(request) : request.path;
  const fits = Object.entries(rest[signing] ?? {}).flatMap(([service, rows]) =>
    rows.flatMap((row) => {
      const [operation = "", method, uri = "", ...needed] = row.split(" ");
      const weight = method === request.method ? closeness(uri, needed, { request, path }) : undefined;
      return weight === undefined ? [] : [{ service, operation, weight }];
    }),
  );
  return fits.sort((a, b) => b.weight - a.weight)[0];
}

/** A bucket may stand in the host name. */
function bucketPath({ host, path }: FakeRequest): string {
  const [, bucket] = /^(.+)\.s3[.-].*amazonaws\.com/.exec(host) ?? [];
  return bucket ? `/${bucket}${path === "/" ? "" : path}` : path;
}

/** How closely a request fits, undefined where it does not: fixed segments and required members count. */
function closeness(
  uri: string,
  needed: readonly string[],
  { request, path }: { request: FakeRequest; path: string },
): number | undefined {
  const [pattern = "", fixedQuery = ""] = uri.split("?");
  const fixed = [...new URLSearchParams(fixedQuery)];
  const inQuery = fixed.every(
    ([key, value]) => request.query.has(key) && (value === "" || request.query.get(key) === value),
  );
  const all = needed.every((one) =>
    one.startsWith("?") ? request.query.has(one.slice(1)) : request.headers[one.slice(1).toLowerCase()] !== undefined,
  );
  if (!inQuery || !all || !patternOf(pattern).test(path)) return undefined;
  const segments = pattern.split("/").filter((segment) => segment && !segment.startsWith("{"));
  return 10 * (fixed.length + needed.length) + segments.length;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** `/{Bucket}/{Key+}`: a name is one segment, with a plus any number of them. */
const patternOf = (pattern: string): RegExp => {
  const parts = pattern.split(/(\{[^}]+\})/).map((part) => {
    if (!part.startsWith("{")) return escaped(part);
    return part.endsWith("+}") ? ".+" : "[^/]+";
  });
  return new RegExp(`^${parts.join("")}/?$`);
};
