import { createHash } from "node:crypto";
import { XMLBuilder } from "fast-xml-parser";
import type { FakeAnswer, FakeRequest } from "../../../sandbox/fake.ts";

/** An error of the Query protocol, with the recorded code, status and text. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** Flat, as the Query protocol has them: `Tags.member.1.Key` is one name (wire.md 3.1). */
export type Params = ReadonlyMap<string, string>;

/** Action and parameters, from a form body or from the query (wire.md 3.1: both must work). */
export function paramsOf(request: FakeRequest): Params {
  const form = new URLSearchParams(request.method === "POST" ? request.body.toString("utf8") : "");
  return new Map([...request.query, ...form]);
}

/** Members by their numbers. In a plain list (`TagKeys.member.1`) the value stands under the empty name. */
export function listParam(params: Params, name: string): readonly Params[] {
  const members = new Map<number, Map<string, string>>();
  for (const [key, value] of params) {
    const match = new RegExp(`^${name}\\.member\\.(\\d+)(?:\\.(.+))?$`).exec(key);
    if (!match) continue;
    const at = Number(match[1]);
    members.set(at, (members.get(at) ?? new Map()).set(match[2] ?? "", value));
  }
  return [...members].sort(([a], [b]) => a - b).map(([, member]) => member);
}

/** The texts of a plain list. */
export const textsParam = (params: Params, name: string): readonly string[] =>
  listParam(params, name).map((member) => member.get("") ?? "");

/** A parameter that the service model requires, and so has been sent: `validate` refuses a call without it. */
export function required(params: Params, name: string): string {
  const value = params.get(name);
  if (value === undefined) throw new Error(`the service model does not require ${name}`);
  return value;
}

/** One for each service (wire.md 3.2). */
const namespaces = {
  iam: "https://iam.amazonaws.com/doc/2010-05-08/",
  sts: "https://sts.amazonaws.com/doc/2011-06-15/",
};
/** An XML document without its declaration; the names that begin with `@` are attributes. */
export const xml = (tree: object): string => builder.build(tree);

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: "@", suppressEmptyNode: true });

/** Request ids are made from the answer's own text: reproducible, and each looks like one. */
export const requestId = (text: string): string => {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
};

/** What stands inside `<{Action}Result>`; undefined where an action answers with its request id alone. */
export type Result = Readonly<Record<string, unknown>> | undefined;

/** The answer of an action, as XML in its service's namespace (wire.md 3.2). */
export function success(service: "iam" | "sts", action: string, result: Result): FakeAnswer {
  const id = requestId(`${action}${JSON.stringify(result ?? "")}`);
  const body = builder.build({
    [`${action}Response`]: {
      "@xmlns": namespaces[service],
      ...(result === undefined ? {} : { [`${action}Result`]: result }),
      ResponseMetadata: { RequestId: id },
    },
  });
  return { status: 200, headers: { "content-type": "text/xml", "x-amzn-requestid": id }, body };
}

/** `Sender` says that the caller is at fault, `Receiver` that the service is. */
export function failure(service: "iam" | "sts", { code, status, message }: AwsError): FakeAnswer {
  const id = requestId(code + message);
  const told = { Type: status < 500 ? "Sender" : "Receiver", Code: code, Message: message };
  const body = builder.build({ ErrorResponse: { "@xmlns": namespaces[service], Error: told, RequestId: id } });
  return { status, headers: { "content-type": "text/xml", "x-amzn-requestid": id }, body };
}

/** A list as AWS writes it; an empty one is an empty element, never a missing one. */
export const members = (items: readonly unknown[]): unknown => (items.length > 0 ? { member: items } : "");

/** `2030-01-01T00:00:00Z` */
export const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
