import { AwsQueryProtocol } from "@aws-sdk/core/protocols";
import { Sha256 } from "@smithy/core/checksum";
import { fromBase64, fromUtf8, toBase64, toUtf8 } from "@smithy/core/serde";
import { SignatureV4 } from "@smithy/signature-v4";
import type { HttpRequest, OperationSchema, StaticOperationSchema } from "@smithy/types";
import type { Session } from "../../model.ts";
import * as operations from "./operations.ts";

/** One request of the Query protocol, and as whom it is made. */
export interface Query {
  readonly service: "iam" | "sts";
  readonly operation: string;
  readonly input: object;
  /** Scheme, host, port and path. */
  readonly endpoint: URL;
  /** The one that signatures are for. */
  readonly region: string;
  /** Unsigned where there is none (wire.md, trap 5). */
  readonly session?: Session | undefined;
  /** Epoch milliseconds: signatures carry the time of the world. */
  readonly at: number;
}

const settings = {
  iam: { namespace: "com.amazonaws.iam", version: "2010-05-08", xml: "https://iam.amazonaws.com/doc/2010-05-08/" },
  sts: { namespace: "com.amazonaws.sts", version: "2011-06-15", xml: "https://sts.amazonaws.com/doc/2011-06-15/" },
} as const;

/** What the protocol asks its surroundings for: codecs, and the body of an answer, which is here as a whole. */
const codec = {
  ...{ base64Decoder: fromBase64, base64Encoder: toBase64, utf8Decoder: fromUtf8, utf8Encoder: toUtf8 },
  streamCollector: async (bytes: Uint8Array) => bytes,
};
const context = ({ protocol, hostname, port, pathname: path }: URL) => ({
  ...codec,
  endpoint: async () => ({ protocol, hostname, path, query: {}, ...(port ? { port: Number(port) } : {}) }),
});

/** As the generated commands spell it out of the static form; throws for an operation that is not called here. */
function schemaOf(operation: string): OperationSchema {
  const found = (operations as Readonly<Record<string, StaticOperationSchema>>)[`${operation}$`];
  if (!found) throw new Error(`${operation} is none of the operations of aws that are called here`);
  const [, namespace, name, traits, input, output] = found;
  return { ...{ namespace, name, traits }, input: input as never, output: output as never };
}

/** A new one each time: it keeps what it is writing. */
function protocolOf(service: Query["service"]): AwsQueryProtocol {
  const { namespace, version, xml } = settings[service];
  const protocol = new AwsQueryProtocol({ defaultNamespace: namespace, version, xmlNamespace: xml });
  protocol.setSerdeContext(codec as never);
  return protocol;
}

/** A POST to be sent as it is. */
export interface Ready {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Signed with SigV4 over path, headers and body, where there is a session. */
export async function requestOf(query: Query): Promise<Ready> {
  const { service, endpoint, region, session, at } = query;
  const plain = await protocolOf(service).serializeRequest(
    schemaOf(query.operation),
    query.input,
    context(endpoint) as never,
  );
  const request: HttpRequest = { ...plain, headers: { ...plain.headers, host: endpoint.host } };
  const url = endpoint.origin + request.path;
  if (!session) return { url, headers: request.headers, body: String(request.body) };
  const { accessKeyId = "", secretAccessKey = "", sessionToken } = session.secrets;
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const { headers, body } = await signer.sign(request, { signingDate: new Date(at) });
  return { url, headers, body: String(body) };
}

/** What an answer says. Throws AWS's own exception for an error: `name`, `Code`, `message`, `$metadata`. */
export function answerOf(query: Query, answer: { status: number; body: Buffer }): Promise<unknown> {
  const { service, operation } = query;
  const response = { statusCode: answer.status, headers: {}, body: answer.body };
  return protocolOf(service).deserializeResponse(schemaOf(operation), codec as never, response);
}
