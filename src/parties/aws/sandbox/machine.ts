import { regionOf } from "../../../judge/issuers/partitions.ts";
import type { Fake, FakeAnswer, FakeRequest, Host } from "../../../sandbox/fake.ts";
import { partitionIn } from "./partitions.ts";
import { workloadSession } from "./workload.ts";

/** Where the sandbox's machine keeps whose session its metadata serves: a role's session, by its ARN. */
export const machineKey = "aws.machine";

const text = (status: number, body: string, type = "text/plain"): FakeAnswer => ({
  status,
  headers: { "content-type": type, server: "EC2ws" },
  body,
});
const asJson = (body: unknown): FakeAnswer => text(200, JSON.stringify(body), "application/json");

/** Begins every session token of the metadata service; a text sealed under another one does not open. */
const tokenPrefix = "AQAEsandbox";
const longest = 21_600;

/** The metadata service of an EC2 instance, both versions (wire.md 5.3). It shares its address with other clouds'. */
export const ec2: Fake = {
  service: "ec2.metadata",
  hosts: ["169.254.169.254"],
  owns: ({ path }) => path === "/latest" || path.startsWith("/latest/"),
  open: (request, host) => ({
    name: request.path === "/latest/api/token" ? "GetToken" : "GetMetadata",
    write: false,
    principal: host.state.get<string>(machineKey) ?? "anonymous",
    run: () => (request.path === "/latest/api/token" ? token(request, host) : metadata(request, host)),
  }),
  fault: (kind) => text(kind === "throttle" ? 429 : 500, ""),
};

/** A PUT with a life of 1 to 21,600 seconds; what comes through a proxy is refused in life. */
function token({ method, headers }: FakeRequest, host: Host): FakeAnswer {
  if (method !== "PUT") return text(405, "");
  const seconds = Number(headers["x-aws-ec2-metadata-token-ttl-seconds"]);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > longest) return text(400, "");
  const expires = host.now() + seconds * 1000;
  return text(200, host.secrets.seal(tokenPrefix, { expires }));
}

/** Without a token it is version 1, which is answered too; a wrong one is refused. */
function metadata({ method, path, headers }: FakeRequest, host: Host): FakeAnswer {
  const given = headers["x-aws-ec2-metadata-token"];
  const opened = given === undefined ? undefined : host.secrets.open<{ expires: number }>(tokenPrefix, given);
  if (given !== undefined && (!opened || opened.expires <= host.now())) return text(401, "");
  if (method !== "GET") return text(405, "");
  const known = pages(host)[path.replace(/\/$/, "")];
  return known?.() ?? text(404, "");
}

function pages(host: Host): Readonly<Record<string, () => FakeAnswer | undefined>> {
  const arn = host.state.get<string>(machineKey) ?? "";
  const [, account = "", role = "", session = ""] = /::(\d{12}):assumed-role\/([^/]+)\/(.+)$/.exec(arn) ?? [];
  const region = regionOf(partitionIn(arn));
  const base = "/latest/meta-data";
  const only = (answer: () => FakeAnswer) => () => (role ? answer() : undefined);
  return {
    [`${base}/placement/availability-zone`]: () => text(200, `${region}a`),
    [`${base}/placement/region`]: () => text(200, region),
    [`${base}/instance-id`]: only(() => text(200, session)),
    [`${base}/iam/security-credentials`]: only(() => text(200, role)),
    [`${base}/iam/security-credentials/${role}`]: only(() => text(200, JSON.stringify(credentials(arn, host)))),
    "/latest/dynamic/instance-identity/document": only(() =>
      asJson({ accountId: account, instanceId: session, region, availabilityZone: `${region}a` }),
    ),
  };
}

const instant = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

/** Served as plain text in life, too: a library that reads JSON by its content type alone finds nothing (failures.md F9). */
function credentials(arn: string, host: Host) {
  const session = workloadSession(arn, host);
  const { accessKeyId, secretAccessKey, sessionToken } = session?.secrets ?? {};
  return {
    ...{ Code: "Success", LastUpdated: instant(host.now()), Type: "AWS-HMAC" },
    ...{ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken },
    Expiration: instant(session?.expiresAt ?? 0),
  };
}

const containerPath = "/v2/credentials/sandbox";

/** The credentials endpoint of ECS tasks, which asks for no authorization (wire.md 5.2); that of EKS is like it. */
export const ecs: Fake = {
  service: "ecs.metadata",
  hosts: ["169.254.170.2", "169.254.170.23"],
  owns: ({ path }) => path === containerPath,
  open: (request, host) => ({
    name: "GetCredentials",
    write: false,
    principal: host.state.get<string>(machineKey) ?? "anonymous",
    run: () => container(request, host),
  }),
  fault: (kind) => text(kind === "throttle" ? 429 : 500, ""),
};

function container({ path }: FakeRequest, host: Host): FakeAnswer {
  const arn = host.state.get<string>(machineKey);
  if (path !== containerPath || !arn) return text(404, "");
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = credentials(arn, host);
  const [, account = "", role = ""] = /::(\d{12}):assumed-role\/([^/]+)/.exec(arn) ?? [];
  return asJson({
    ...{ AccessKeyId, SecretAccessKey, Token, Expiration },
    ...{ RoleArn: `arn:${partitionIn(arn)}:iam::${account}:role/${role}`, AccountId: account },
  });
}
