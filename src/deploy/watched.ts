import type { Found } from "./found.ts";
import { inProject, type Piece, piece, want, when } from "./piece.ts";
import { type Command, nameOf, type Setup } from "./setup.ts";

// What tells people: a counter of heartbeats, and the policies of docs/alerts.md.

const revision = (setup: Setup): string =>
  `resource.type="cloud_run_revision" resource.labels.service_name="${nameOf(setup, "health")}"`;

/** One heartbeat a run, whatever came of it. */
const metricName = (setup: Setup): string => `crosstrust-${setup.deployment}-runs`;
const metric = (setup: Setup) => ({
  filter: `${revision(setup)} jsonPayload.event="crosstrust.watch"`,
  metricDescriptor: { metricKind: "DELTA", valueType: "INT64", unit: "1" },
});

export function metricPiece(setup: Setup, found: Found): Piece {
  const [name, digest] = [metricName(setup), want(metric(setup))];
  const there = found.get("metrics")?.find((one) => one.name === name);
  const about = `crosstrust ${setup.deployment} ${digest}`;
  const verb = there ? "update" : "create";
  const config = `--config-from-file=${setup.folder}/metric.json`;
  const lacks = there ? when(there.description !== about, "is another one") : "is not there";
  const mine = there?.description.startsWith(`crosstrust ${setup.deployment} `);
  return piece(`metric ${name}`, lacks, [
    [["logging", "metrics", verb, name, config, inProject(setup)]],
    mine ? [["logging", "metrics", "delete", name, inProject(setup)]] : [],
  ]);
}

interface AlertPolicy {
  readonly file: string;
  readonly says: string;
  readonly condition: Readonly<Record<string, unknown>>;
}

/** A log line is told at most every five minutes, and the incident closes by itself: what mends is said by the next line. */
const strategy = { notificationRateLimit: { period: "300s" }, autoClose: "1800s" };
const matched = (filter: string) => ({ conditionMatchedLog: { filter } });

/** Monitoring waits at most 23.5 hours for something that does not come (its documentation, metric-absence policies). */
const patience = (every: number): string => `${Math.min(84_600, Math.max(3 * every, 5) * 60)}s`;

function policiesOf(setup: Setup): readonly AlertPolicy[] {
  const { deployment, every, project, region } = setup;
  const job = `resource.type="cloud_scheduler_job" resource.labels.job_id="${nameOf(setup, "health")}"`;
  const flow = `resource.type="workflows.googleapis.com/Workflow" resource.labels.workflow_id="${nameOf(setup, "health")}"`;
  const opened = `${revision(setup)} jsonPayload.event="crosstrust.alert" jsonPayload.alert.state=("opened" OR "grew")`;
  const absent = {
    filter: `metric.type="logging.googleapis.com/user/${metricName(setup)}" resource.type="cloud_run_revision"`,
    duration: patience(every),
    aggregations: [{ alignmentPeriod: "300s", perSeriesAligner: "ALIGN_COUNT", crossSeriesReducer: "REDUCE_SUM" }],
  };
  return [
    { file: "alert-links", says: `crosstrust ${deployment}: a link fares badly`, condition: matched(opened) },
    {
      file: "alert-silence",
      says: `crosstrust ${deployment}: no check has run`,
      condition: { conditionAbsent: absent },
    },
    {
      file: "alert-schedule",
      says: `crosstrust ${deployment}: the schedule fails`,
      condition: matched(`${job} severity>=ERROR`),
    },
    {
      file: "alert-workflow",
      says: `crosstrust ${deployment}: the health workflow gives no verdict in ${project} ${region}`,
      condition: matched(`${flow} severity>=ERROR`),
    },
  ];
}

const documentOf = ({ says, condition }: AlertPolicy, setup: Setup) => ({
  displayName: says,
  combiner: "OR",
  conditions: [{ displayName: says, ...condition }],
  ...("conditionMatchedLog" in condition ? { alertStrategy: strategy } : {}),
  documentation: {
    mimeType: "text/markdown",
    content: `${says}. What to do: \`crosstrust health\`, \`crosstrust plan\`.`,
  },
  ...(setup.notify.length > 0 ? { notificationChannels: [...setup.notify] } : {}),
});

export function alertPieces(setup: Setup, found: Found): readonly Piece[] {
  return policiesOf(setup).map((policy) => {
    const digest = want(documentOf(policy, setup));
    const mine = (found.get("policies") ?? []).filter(
      ({ userLabels }) => userLabels.crosstrust === setup.deployment && userLabels["crosstrust-piece"] === policy.file,
    );
    const [there, ...twins] = mine;
    const file = `--policy-from-file=${setup.folder}/${policy.file}.json`;
    const on = (verb: string, ...more: string[]): Command => ["alpha", "monitoring", "policies", verb, ...more];
    const make = [
      ...twins.map(({ name }) => on("delete", name, inProject(setup))),
      there ? on("update", there.name, file, inProject(setup)) : on("create", file, inProject(setup)),
    ];
    const differs = there?.userLabels["crosstrust-want"] !== digest || twins.length > 0;
    const lacks = there ? (when(!there.enabled, "is switched off") ?? when(differs, "is another one")) : "is not there";
    return piece(`alert ${policy.file.replace("alert-", "")}`, lacks, [
      make,
      mine.map(({ name }) => on("delete", name, inProject(setup))),
    ]);
  });
}

/** The files that the commands above name, by their names. */
export function files(setup: Setup): Readonly<Record<string, unknown>> {
  const policies = policiesOf(setup).map((policy) => {
    const document = documentOf(policy, setup);
    const labels = {
      crosstrust: setup.deployment,
      "crosstrust-piece": policy.file,
      "crosstrust-want": want(document),
    };
    return [`${policy.file}.json`, { ...document, enabled: true, userLabels: labels }] as const;
  });
  const description = `crosstrust ${setup.deployment} ${want(metric(setup))}`;
  return { ...Object.fromEntries(policies), "metric.json": { description, ...metric(setup) } };
}
