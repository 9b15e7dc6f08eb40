import { createHash } from "node:crypto";
import { type Found, repository, sourcesOf } from "./found.ts";
import { atLocation, inProject, inRegion, isOwn, ownLabels, type Piece, piece, want, when } from "./piece.ts";
import { type Command, functionNames, type Names, nameOf, type Setup, urlOf, workflowNames } from "./setup.ts";

// What runs: the functions, the workflows that call them, the schedule that starts one of these.

type FunctionName = (typeof functionNames)[number];

/** Below the bucket; `health-last.json` in it is the last report. */
export const storeFolder = "state";

/** What a function is told by its environment (docs/functions.md). */
function environmentOf(setup: Setup, name: FunctionName): Readonly<Record<string, string>> {
  return {
    CROSSTRUST_AUDIENCE: urlOf(setup, name),
    CROSSTRUST_CALLERS: setup.accounts.flow,
    CROSSTRUST_CHECKED_IN_FRONT: "cloud-run",
    CROSSTRUST_EVERY: String(setup.every),
    CROSSTRUST_STORE: `gs://${setup.bucket}/${storeFolder}`,
    GOOGLE_CLOUD_PROJECT: setup.project,
    NODE_ENV: "production",
  };
}

/** One request an instance: a check fills one, and provisioning is one at a time. A check may be divided over twenty. */
const sizes: Readonly<Record<FunctionName, readonly string[]>> = {
  health: ["--max-instances=20", "--memory=512Mi"],
  provision: ["--max-instances=1", "--memory=512Mi"],
};

const accountOf = (setup: Setup, name: FunctionName): string =>
  name === "health" ? setup.accounts.checker : setup.accounts.provisioner;

export function functionPieces(setup: Setup, found: Found): readonly Piece[] {
  return functionNames.flatMap((name) => [functionPiece(setup, found, name), invokerPiece(setup, found, name)]);
}

function functionPiece(setup: Setup, found: Found, name: FunctionName): Piece {
  const [service, account] = [nameOf(setup, name), accountOf(setup, name)];
  const variables = Object.entries(environmentOf(setup, name)).map((pair) => pair.join("="));
  const settings = [
    ...[`--function=${name}`, "--base-image=nodejs24", inRegion(setup), inProject(setup)],
    ...[`--service-account=${account}`, "--no-allow-unauthenticated", "--ingress=all", "--concurrency=1"],
    ...["--timeout=540s", "--cpu=1", ...sizes[name], `--set-env-vars=${variables.join(",")}`],
  ];
  const digest = want(settings, setup.digests[`functions/${name}`]);
  const source = `--source=${setup.folder}/${name}`;
  const deploy = ["run", "deploy", service, source, ...settings, `--labels=${ownLabels(setup, digest)}`];
  const there = found.get("services")?.find(({ metadata }) => metadata.name === service);
  const runsAs = there?.spec.template.spec.serviceAccountName;
  const differs = there?.metadata.labels["crosstrust-want"] !== digest || runsAs !== account;
  const take: Command[] = there && isOwn(there.metadata.labels, setup) ? [remove("services", service, setup)] : [];
  return piece(`function ${service}`, there ? when(differs, "is another one") : "is not there", [[deploy], take]);
}

const remove = (kind: string, name: string, setup: Setup): Command => [
  ...["run", kind, "delete", name, inRegion(setup), inProject(setup)],
];

/** The workflows' account and no other, and above all not everybody: then nobody's token would be checked in front. */
function invokerPiece(setup: Setup, found: Found, name: FunctionName): Piece {
  const [service, role] = [nameOf(setup, name), "roles/run.invoker"];
  const members = (found.get("invokers", name)?.bindings ?? [])
    .filter((one) => one.role === role)
    .flatMap((one) => one.members);
  const flow = `serviceAccount:${setup.accounts.flow}`;
  const edit = (verb: string, member: string): Command => [
    ...["run", "services", `${verb}-iam-policy-binding`, service, inRegion(setup), inProject(setup)],
    ...[`--member=${member}`, `--role=${role}`, "--format=none"],
  ];
  const anybody = members.filter((member) => member === "allUsers" || member === "allAuthenticatedUsers");
  const absent = !members.includes(flow);
  const lacks = when(anybody.length > 0, `${anybody.join(" and ")} may call it`) ?? when(absent, "is not there");
  const make = [...anybody.map((member) => edit("remove", member)), ...(absent ? [edit("add", flow)] : [])];
  return piece(`invoker of ${service}`, lacks, [make, []]);
}

export function workflowPieces(setup: Setup, found: Found): readonly Piece[] {
  return workflowNames.map((name) => {
    const workflow = nameOf(setup, name);
    const variables = [
      `CROSSTRUST_HEALTH_URL=${urlOf(setup, "health")}`,
      `CROSSTRUST_PROVISION_URL=${urlOf(setup, "provision")}`,
    ];
    const settings = [
      ...[atLocation(setup), inProject(setup), `--service-account=${setup.accounts.flow}`],
      ...["--call-log-level=log-errors-only", `--set-env-vars=${variables.join(",")}`],
    ];
    const digest = want(settings, setup.digests[`workflows/${name}`]);
    const source = `--source=${setup.folder}/${name}.yaml`;
    const deploy = ["workflows", "deploy", workflow, source, ...settings, `--labels=${ownLabels(setup, digest)}`];
    const there = found.get("workflows")?.find((one) => one.name.endsWith(`/${workflow}`));
    const differs = there?.labels["crosstrust-want"] !== digest;
    const take: Command = ["workflows", "delete", workflow, atLocation(setup), inProject(setup)];
    const lacks = there ? when(differs, "is another one") : "is not there";
    return piece(`workflow ${workflow}`, lacks, [[deploy], there && isOwn(there.labels, setup) ? [take] : []]);
  });
}

/**
 * In an odd minute of its own, so that not all schedules of the world strike at once (serverless.md, 4.3). What is no even
 * part of an hour or a day is said in Scheduler's other language.
 */
export function cronOf(deployment: string, every: number): string {
  const spread = Number.parseInt(createHash("sha256").update(deployment).digest("hex").slice(0, 8), 16);
  if (every < 60) return every === 1 ? "* * * * *" : `${spread % every}-59/${every} * * * *`;
  if (every === 1440) return `${spread % 60} 0 * * *`;
  return every % 60 === 0 ? `${spread % 60} */${every / 60} * * *` : `every ${every} minutes`;
}

/** It starts the workflow, and is done when that is started: whether it ended well is told by its own log. */
export function schedulePiece(setup: Setup, found: Found): Piece {
  const { project, region, accounts, every, deployment } = setup;
  const job = nameOf(setup, "health");
  const workflow = `projects/${project}/locations/${region}/workflows/${nameOf(setup, "health")}`;
  const settings = [
    ...[atLocation(setup), inProject(setup), `--schedule=${cronOf(deployment, every)}`, "--time-zone=Etc/UTC"],
    ...[`--uri=https://workflowexecutions.googleapis.com/v1/${workflow}/executions`, "--http-method=post"],
    ...['--message-body={"argument":"{}"}', `--oauth-service-account-email=${accounts.clock}`],
    ...["--oauth-token-scope=https://www.googleapis.com/auth/cloud-platform", "--attempt-deadline=60s"],
    ...["--max-retry-attempts=3", "--min-backoff=5s", "--max-backoff=60s"],
  ];
  const header = "Content-Type=application/json";
  const digest = want(settings);
  const about = `--description=crosstrust ${deployment} ${digest}`;
  const there = found.get("jobs")?.find(({ name }) => name.endsWith(`/${job}`));
  const on = (verb: string, ...more: string[]): Command => ["scheduler", "jobs", verb, ...more];
  const make = [
    there
      ? on("update", "http", job, ...settings, about, `--update-headers=${header}`)
      : on("create", "http", job, ...settings, about, `--headers=${header}`),
    ...(there && there.state !== "ENABLED" ? [on("resume", job, atLocation(setup), inProject(setup))] : []),
  ];
  const mine = there?.description.startsWith(`crosstrust ${deployment} `) ?? false;
  const differs = there?.description !== `crosstrust ${deployment} ${digest}` || there.httpTarget === undefined;
  const lacks = there
    ? (when(there.state !== "ENABLED", "does not run") ?? when(differs, "is another one"))
    : "is not there";
  const take = mine ? [on("delete", job, atLocation(setup), inProject(setup))] : [];
  return piece(`schedule ${job}`, lacks, [make, take]);
}

/** Has the schedule strike once, now. */
export const strike = (names: Names): Command => [
  ...["scheduler", "jobs", "run", nameOf(names, "health"), atLocation(names), inProject(names)],
];

/** Shows the last report, as the function has stored it. */
export const showReport = ({ bucket }: Names): Command => [
  "storage",
  "cat",
  `gs://${bucket}/${storeFolder}/health-last.json`,
];

/**
 * What gcloud put aside while it deployed: images and sources of these functions, in two stores of its own. Where there is
 * nothing of anybody else in such a store, it goes, too: the next deployment from source makes it again.
 */
export function leftoverPieces(setup: Setup, found: Found): readonly Piece[] {
  const { project, region } = setup;
  const own = functionNames.map((name) => nameOf(setup, name));
  const place = [atLocation(setup), inProject(setup)];
  const packages = (found.get("packages") ?? []).map(({ name }) => name.split("/").at(-1) ?? "");
  const images = packages.filter((name) => own.includes(name));
  const one = (name: string): Command => [
    "artifacts",
    "packages",
    "delete",
    name,
    `--repository=${repository}`,
    ...place,
  ];
  const all: Command = ["artifacts", "repositories", "delete", repository, ...place];
  const kept = (found.get("sources") ?? []).map(({ url }) => url).filter((url) => !url.endsWith("/"));
  const folders = own.map((name) => `${sourcesOf(project, region)}/${name}/`);
  const isOurs = (url: string): boolean => folders.some((folder) => url.startsWith(folder));
  const store = sourcesOf(project, region).replace(/\/services$/, "");
  const some = folders.filter((folder) => kept.some((url) => url.startsWith(folder)));
  return [
    piece("images of the functions", undefined, [
      [],
      images.length < packages.length ? images.map(one) : emptied(images, all),
    ]),
    piece("sources of the functions", undefined, [
      [],
      kept.every(isOurs)
        ? emptied(some, ["storage", "rm", "--recursive", store])
        : some.map((folder) => ["storage", "rm", "--recursive", `${folder}**`]),
    ]),
  ];
}

/** The whole store, where there was something of ours in it. */
const emptied = (ours: readonly string[], command: Command): readonly Command[] => (ours.length > 0 ? [command] : []);
