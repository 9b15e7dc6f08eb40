import { createHash } from "node:crypto";
import type { Host } from "../../../../sandbox/fake.ts";
import { may, principalOf, require_, requireApi } from "../access.ts";
import { savePackage } from "../artifactregistry.ts";
import { contentOf, objectOf } from "../objects.ts";
import { GoogleError, type RestCall, type Route, restFake } from "../rest.ts";
import { accountOf, projectOf } from "../store.ts";
import { imageKey, type StoredImage } from "./store.ts";
import { unzip } from "./zip.ts";

/** A build that has ended, kept as `google.build/ID`. */
interface StoredBuild {
  readonly id: string;
  readonly project: string;
  readonly region: string;
  readonly status: "SUCCESS" | "FAILURE";
  readonly says?: string;
  readonly image: string;
  readonly digest?: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

const invalid = (says: string): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], says);
const location = "^/v1/projects/([^/]+)/locations/([^/]+)";

const routes: readonly Route[] = [
  {
    ...{ method: "GET", pattern: new RegExp(`${location}/defaultServiceAccount$`) },
    ...{ operation: "GetDefaultServiceAccount", write: false, run: defaultAccount },
  },
  {
    ...{ method: "GET", pattern: new RegExp(`${location}/operations/([^/]+)$`) },
    ...{ operation: "GetOperation", write: false, run: (call) => operationOf(held(call)) },
  },
  {
    ...{ method: "GET", pattern: new RegExp(`${location}/builds/([^/:]+)$`) },
    ...{ operation: "GetBuild", write: false, run: (call) => shown(held(call)) },
  },
];

/** Cloud Build v1: what a source deployment asks of it (wire.md 4.8). Every build has ended when it is first seen. */
export const cloudbuild = restFake(
  { service: "google.cloudbuild", hosts: ["cloudbuild.googleapis.com"], routes },
  principalOf,
);

const computeAccount = (host: Host, project: string): string =>
  `${projectOf(host, project).number}-compute@developer.gserviceaccount.com`;

function defaultAccount({ parts, host, principal }: RestCall) {
  const [name = "", region] = parts;
  const project = projectOf(host, name);
  requireApi(host, project.id, "cloudbuild.googleapis.com");
  require_(principal, { permission: "cloudbuild.builds.get", project: project.id }, host);
  return {
    name: `projects/${project.number}/locations/${region}/defaultServiceAccount`,
    serviceAccountEmail: `projects/${project.id}/serviceAccounts/${computeAccount(host, project.id)}`,
  };
}

/** gcloud asks for an operation by the build's id. */
function held({ parts, host, principal }: RestCall): StoredBuild {
  const [name = "", region, id] = parts;
  const project = projectOf(host, name);
  requireApi(host, project.id, "cloudbuild.googleapis.com");
  require_(principal, { permission: "cloudbuild.builds.get", project: project.id }, host);
  const build = host.view.get<StoredBuild>(`google.build/${id}`);
  if (build?.project !== project.id || build.region !== region)
    throw new GoogleError([404, "NOT_FOUND"], "Requested entity was not found.");
  return build;
}

function shown({ id, project, region, status, says, image, digest, at }: StoredBuild) {
  const results = digest ? { results: { images: [{ name: image, digest }] } } : {};
  return {
    "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.Build",
    ...{ id, projectId: project, name: `projects/${project}/locations/${region}/builds/${id}`, status },
    ...(says ? { statusDetail: says, failureInfo: { type: "USER_BUILD_STEP", detail: says } } : {}),
    ...results,
    createTime: new Date(at).toISOString(),
    logUrl: `https://console.cloud.google.com/cloud-build/builds;region=${region}/${id}?project=${project}`,
  };
}

const operationOf = (build: StoredBuild) => ({
  name: `projects/${build.project}/locations/${build.region}/operations/${build.id}`,
  metadata: {
    "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata",
    build: shown(build),
  },
  done: true,
  // gcloud looks for an error, and cannot read a build that failed as an answer (measured).
  ...(build.status === "SUCCESS"
    ? { response: shown(build) }
    : { error: { code: 2, message: `Build failed; check build logs for details: ${build.says}` } }),
});

/** The part of a `SubmitBuildRequest` that is played. */
interface Ask {
  readonly storageSource?: { readonly bucket?: string; readonly object?: string; readonly generation?: string };
  readonly imageUri?: string;
  readonly serviceAccount?: string;
  readonly buildpackBuild?: {
    readonly baseImage?: string;
    readonly functionTarget?: string;
  };
}

/**
 * `builds:submit` of Cloud Run v2 over the uploaded source: what the Node buildpack refuses is a build that fails
 * (serverless.md 3.3), everything else is an image at once.
 */
export function submitBuild({ parts, body, host, principal }: RestCall) {
  const [name = "", region = ""] = parts;
  const project = projectOf(host, name);
  requireApi(host, project.id, "run.googleapis.com");
  requireApi(host, project.id, "cloudbuild.googleapis.com");
  require_(principal, { permission: "run.builds.create", project: project.id }, host);
  const ask = body as Ask;
  const { imageUri = "", buildpackBuild } = ask;
  if (!buildpackBuild) throw invalid("Only builds with buildpacks are played here.");
  const id = buildId(host, project.id);
  const at = host.now();
  const made = attempt(() => build(host, { project: project.id, ask }));
  const image = { image: imageUri, at, id, project: project.id, region };
  const stored: StoredBuild =
    "says" in made
      ? { ...image, status: "FAILURE", says: made.says }
      : { ...image, status: "SUCCESS", digest: made.digest };
  host.state.put(`google.build/${id}`, stored);
  return { buildOperation: operationOf(stored), baseImageUri: buildpackBuild.baseImage };
}

/** A UUID, as in life, from the project and a counter. */
function buildId(host: Host, project: string): string {
  const hex = createHash("sha256")
    .update(`build/${project}/${host.state.next("google.build")}`)
    .digest("hex");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, "$1-$2-4$3-8$4-$5");
}

/** What Google refuses stays a refusal of the call; what the build itself refuses is told by the build. */
function attempt(work: () => StoredImage): StoredImage | { readonly says: string } {
  try {
    return work();
  } catch (error) {
    if (error instanceof BuildFailed) return { says: error.message };
    throw error;
  }
}

class BuildFailed extends Error {}

interface Building {
  readonly project: string;
  readonly ask: Ask;
}

function build(host: Host, { project, ask }: Building): StoredImage {
  const { bucket = "", object: path = "", generation } = ask.storageSource ?? {};
  const object = objectOf(host.state, bucket, path);
  if (!object || (generation !== undefined && object.generation !== generation))
    throw new GoogleError([404, "NOT_FOUND"], `The source gs://${bucket}/${path} does not exist.`);
  checkBuilder(host, { project, ask });
  const zip = contentOf(host, object);
  checkBase(ask.buildpackBuild?.baseImage ?? "");
  checkSource(unzip(zip));
  const source = host.blobs.put(zip);
  const target = ask.buildpackBuild?.functionTarget;
  const uri = ask.imageUri ?? "";
  const digest = `sha256:${createHash("sha256").update(`${source}/${target}/${uri}`).digest("hex")}`;
  const image: StoredImage = { digest, uri, source, target };
  host.state.put(imageKey(digest), image);
  savePackage(host, image);
  return image;
}

/** Builds run as an account, and that must be able to read the source and to write the image. */
function checkBuilder(host: Host, { project, ask }: Building): void {
  const email = ask.serviceAccount?.split("/").at(-1) ?? computeAccount(host, project);
  if (!accountOf(host.state, email))
    throw new GoogleError([404, "NOT_FOUND"], `Service account ${email} does not exist.`);
  const builder = { member: `serviceAccount:${email}`, email };
  const needed = ["storage.objects.get", "artifactregistry.repositories.uploadArtifacts", "logging.logEntries.create"];
  const lacking = needed.find((permission) => !may(builder, { permission, project }, host));
  if (lacking === undefined) return;
  throw new BuildFailed(`${email} does not have ${lacking}: grant it roles/run.builder on the project.`);
}

/** Families that Google still builds on (serverless.md 3.1). */
function checkBase(baseImage: string): void {
  if (!/(^|\/)nodejs(22|24|26)$/.test(baseImage))
    throw new BuildFailed(`The base image ${baseImage} is not one that a Node function can be built on here.`);
}

/** The file the framework loads: `main`, else `index.js`, else `function.js`; never TypeScript (serverless.md 3.3). */
function checkSource(files: ReadonlyMap<string, Buffer>): void {
  const main = mainOf(files);
  if (main === undefined || !files.has(main))
    throw new BuildFailed(`function.js does not exist; or specify a different file in package.json's "main".`);
  if (main.endsWith(".ts")) throw new BuildFailed(`node --check ${main} failed: unknown file extension ".ts".`);
}

/** Undefined where there is no such file. */
export function mainOf(files: ReadonlyMap<string, Buffer>): string | undefined {
  const manifest = files.get("package.json");
  const named = manifest && (JSON.parse(manifest.toString("utf8")) as { main?: string }).main?.replace(/^\.\//, "");
  return named ?? ["index.js", "function.js"].find((file) => files.has(file));
}
