import { type Bench, bench } from "./bench.ts";
import { reach } from "./reach.ts";
import { type Zipped, zip } from "./zip.ts";

export const project = "acme-prod";
const region = "us-central1";

/** A function that tells what it was given, logs, and can be made to end or to wait. */
export const echo = (says: string): readonly Zipped[] => [
  { name: "package.json", text: JSON.stringify({ type: "module", main: "index.js" }) },
  {
    name: "index.js",
    text: `
import { http } from "@google-cloud/functions-framework";
http("hello", (request, response) => {
  if (request.path === "/end") process.exit(7);
  if (request.path === "/wait") return;
  console.log(JSON.stringify({ severity: "WARNING", event: "hello", message: "called", path: request.path }));
  console.log("plain");
  const { headers, method, query, rawBody } = request;
  const env = { ...process.env };
  response.set("x-says", ${JSON.stringify(says)});
  response.json({ says: ${JSON.stringify(says)}, pid: process.pid, headers, method, query, env, body: String(rawBody ?? "") });
});
`,
  },
];

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: whatever a service answers; each test looks at its own part
  readonly body: any;
}

/** A sandbox with a project that can deploy, reached under real names with the operator's token or another. */
export async function runStage(given?: Bench) {
  const b = given ?? (await bench());
  const { secrets } = await b.world().credentials({ party: "google", scope: project });
  const call = async (
    method: string,
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answered> => {
    const raw = Buffer.isBuffer(body) ? body : body === undefined ? undefined : JSON.stringify(body);
    const own = { authorization: `Bearer ${secrets.accessToken}`, "content-type": "application/json" };
    const init = { method, headers: { ...own, ...headers }, ...(raw === undefined ? {} : { body: raw }) };
    const answer = await reach(b.sandbox.host(undefined).deliver, `https://${url}`, init);
    return { ...answered(answer), headers: answer.headers };
  };
  const services = ["run", "cloudbuild", "artifactregistry"].map((name) => `${name}.googleapis.com`);
  const enable = () =>
    call("POST", `serviceusage.googleapis.com/v1/projects/${project}/services:batchEnable`, { serviceIds: services });
  return { b, call, enable, ...deploying(call) };
}

type Call = (method: string, url: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>;

const answered = ({ status, body }: { status: number; body: string }) => {
  // biome-ignore lint/suspicious/noExplicitAny: whatever a service answers; each test looks at its own part
  let parsed: any;
  try {
    parsed = JSON.parse(body);
  } catch {
    // A page of Google's front end.
  }
  return { status, text: body, body: parsed };
};

const admin = `${region}-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/${project}/services`;

function deploying(call: Call) {
  const account = async (id: string) =>
    (await call("POST", `iam.googleapis.com/v1/projects/${project}/serviceAccounts`, { accountId: id })).body;
  /** Uploads a source and builds it; gives the whole operation. */
  const build = async (source: Buffer, baseImage = "nodejs24") => {
    const bucket = "sources-1";
    const type = { "content-type": "application/zip" };
    const at = `storage.googleapis.com/upload/storage/v1/b/${bucket}/o?uploadType=media&name=s.zip`;
    const { generation } = (await call("POST", at, source, type)).body;
    const repositories = `artifactregistry.googleapis.com/v1/projects/${project}/locations/${region}/repositories`;
    await call("POST", `${repositories}?repositoryId=images`, { format: "DOCKER" });
    return call("POST", `${region}-run.googleapis.com/v2/projects/${project}/locations/${region}/builds:submit`, {
      ...{ storageSource: { bucket, object: "s.zip", generation } },
      imageUri: `${region}-docker.pkg.dev/${project}/images/hello`,
      buildpackBuild: { baseImage, functionTarget: "hello" },
    });
  };
  const service = (image: string, { email, version, ...spec }: Record<string, unknown>) => ({
    ...{ apiVersion: "serving.knative.dev/v1", kind: "Service" },
    metadata: { name: "hello", namespace: project, ...(version ? { resourceVersion: version } : {}) },
    spec: {
      template: {
        spec: { containers: [{ image, env: [{ name: "GREETING", value: "hi" }] }], serviceAccountName: email, ...spec },
      },
    },
  });
  /** The service, new or again. */
  const deploy = async (files: readonly Zipped[], spec: Record<string, unknown>) => {
    const { buildOperation } = (await build(zip(files))).body;
    const [{ name, digest }] = buildOperation.response.results.images;
    const known = await call("GET", `${admin}/hello`);
    const body = service(`${name}@${digest}`, { ...spec, version: known.body.metadata?.resourceVersion });
    return known.status === 200 ? call("PUT", `${admin}/hello`, body) : call("POST", admin, body);
  };
  const grant = (member: string, role = "roles/run.invoker") =>
    call(
      "POST",
      `${region}-run.googleapis.com/v1/projects/${project}/locations/${region}/services/hello:setIamPolicy`,
      {
        policy: { bindings: [{ role, members: [member] }] },
      },
    );
  return { account, build, deploy, grant, remove: () => call("DELETE", `${admin}/hello`) };
}
