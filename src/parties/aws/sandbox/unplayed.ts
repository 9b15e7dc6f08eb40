import type { FakeAnswer, FakeRequest, Host, Unplayed } from "../../../sandbox/fake.ts";
import { type Format, isFromAwsClient, meant, signedFor } from "./meant-service.ts";
import { principalOf } from "./principals.ts";
import { paramsOf, requestId, xml } from "./query.ts";
import { notPlayedCode, notPlayedText } from "./unplayed-action.ts";

/** Services that are played at their own address are never claimed from it. */
const played = ["iam", "sts"];

/**
 * Every service of AWS but IAM and STS. The answer comes at once, in the service's own error format, and with a status
 * for which no client tries again.
 */
export const unplayed: Unplayed = {
  service: "aws.unplayed",
  hosts: ["**.amazonaws.com", "**.amazonaws.com.cn", "**.api.aws", "**.amazonaws.eu"],
  claims(request) {
    const signed = signedFor(request);
    if (signed !== undefined) return !played.includes(signed);
    // Unsigned, as for a public bucket: nothing of a cloud's stands at the root for AWS's own clients.
    return request.path === "/" && request.method !== "POST" && isFromAwsClient(request) && !isQueryCall(request);
  },
  owns: (request) =>
    isFromAwsClient(request) ||
    signedFor(request) !== undefined ||
    request.path.startsWith("/aws/") ||
    (request.path === "/" && isQueryCall(request)),
  open(request, host) {
    const { service, operation, format } = meant(request);
    return {
      name: `${service}:${operation}`,
      write: false,
      principal: callerOf(request, host),
      run: () =>
        refusal(format, { code: notPlayedCode, status: 400, message: notPlayedText(service, operation) }, request),
    };
  },
  fault: (kind) => formats.query(faults[kind]),
};

const isQueryCall = (request: FakeRequest): boolean => paramsOf(request).has("Action");

/** For the record alone: nobody is refused for a signature here. */
function callerOf(request: FakeRequest, host: Host): string {
  try {
    return principalOf(request, host).arn;
  } catch {
    return "anonymous";
  }
}

interface Refusal {
  readonly code: string;
  readonly status: number;
  readonly message: string;
}

const faults = {
  throttle: { code: "Throttling", status: 400, message: "Rate exceeded" },
  error500: { code: "InternalFailure", status: 500, message: "The request processing has failed." },
} as const;

/** An answer to HEAD has no body, so its status is all that a client can show. */
function refusal(format: Format, told: Refusal, { method, headers }: FakeRequest): FakeAnswer {
  const answer = formats[format](method === "HEAD" ? { ...told, status: 405 } : told);
  const type = headers["content-type"] ?? "";
  if (format !== "json" || !type.startsWith("application/x-amz-json-")) return answer;
  return { ...answer, headers: { ...answer.headers, "content-type": type } };
}

/** The error formats of AWS's protocols (Smithy, "AWS protocols"; botocore's parsers). */
const formats: Readonly<Record<Format, (told: Refusal) => FakeAnswer>> = {
  query: (told) => asXml(told, (id) => ({ ErrorResponse: { Error: sender(told), RequestId: id } })),
  "rest-xml": (told) => asXml(told, (id) => ({ ErrorResponse: { Error: sender(told), RequestId: id } })),
  ec2: (told) => asXml(told, (id) => ({ Response: { Errors: { Error: plain(told) }, RequestID: id } })),
  s3: (told) => asXml(told, (id) => ({ Error: { ...plain(told), RequestId: id, HostId: id } })),
  json: (told) => asJson(told, { __type: told.code, message: told.message }, "application/x-amz-json-1.1"),
  "rest-json": (told) => asJson(told, { message: told.message }, "application/json"),
  cbor: (told) => ({
    status: told.status,
    headers: { "content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", ...idHeader(told) },
    body: cborMap({ __type: told.code, message: told.message }),
  }),
};

const plain = ({ code, message }: Refusal) => ({ Code: code, Message: message });
const sender = (told: Refusal) => ({ Type: told.status < 500 ? "Sender" : "Receiver", ...plain(told) });
const idHeader = ({ code, message }: Refusal) => ({ "x-amzn-requestid": requestId(code + message) });

const asXml = (told: Refusal, tree: (id: string) => object): FakeAnswer => ({
  status: told.status,
  headers: { "content-type": "text/xml", ...idHeader(told) },
  body: xml(tree(requestId(told.code + told.message))),
});

const asJson = (told: Refusal, body: object, type: string): FakeAnswer => ({
  status: told.status,
  headers: { "content-type": type, "x-amzn-errortype": told.code, ...idHeader(told) },
  body: JSON.stringify(body),
});

/** A map of texts, in CBOR (RFC 8949): the only thing that an error needs of it. */
function cborMap(texts: Readonly<Record<string, string>>): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, "utf8");
    const { length } = bytes;
    const head = length < 24 ? [0x60 + length] : length < 256 ? [0x78, length] : [0x79, length >> 8, length & 0xff];
    return Buffer.concat([Buffer.from(head), bytes]);
  };
  const entries = Object.entries(texts);
  return Buffer.concat([Buffer.from([0xa0 + entries.length]), ...entries.flat().map(text)]);
}
