import { require_, requireApi } from "./access.ts";
import { GoogleError, type RestCall, type Route } from "./rest.ts";
import { projectOf } from "./store.ts";

/** A log-based metric, kept as `google.metric/PROJECT/NAME`. */
interface StoredMetric {
  readonly name: string;
  readonly filter: string;
  readonly metricDescriptor: Descriptor;
  readonly labelExtractors?: Readonly<Record<string, string>>;
  readonly createTime: string;
  readonly updateTime: string;
}

/** What is counted, and by which labels. */
interface Descriptor {
  readonly metricKind?: string;
  readonly valueType?: string;
  readonly labels?: readonly { readonly key: string }[];
}

const all = /^\/v2\/projects\/([^/]+)\/metrics$/;
const one = /^\/v2\/projects\/([^/]+)\/metrics\/(.+)$/;

/** Log-based metrics, a part of Cloud Logging v2: kept and checked; nothing is counted. */
export const metricRoutes: readonly Route[] = [
  { method: "POST", pattern: all, operation: "CreateLogMetric", write: true, run: create },
  { method: "GET", pattern: all, operation: "ListLogMetrics", write: false, run: list },
  { method: "GET", pattern: one, operation: "GetLogMetric", write: false, run: (call) => held(call, "get") },
  { method: "PUT", pattern: one, operation: "UpdateLogMetric", write: true, run: update },
  { method: "DELETE", pattern: one, operation: "DeleteLogMetric", write: true, run: remove },
];

const invalid = (says: string): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], says);

export const metricKey = (project: string, name: string): string => `google.metric/${project}/${name}`;

function checked({ parts, host, principal }: RestCall, verb: string): string {
  const { id } = projectOf(host, parts[0] ?? "");
  requireApi(host, id, "logging.googleapis.com");
  require_(principal, { permission: `logging.logMetrics.${verb}`, project: id }, host);
  return id;
}

function held(call: RestCall, verb: string): StoredMetric {
  const project = checked(call, verb);
  const found = call.host.state.get<StoredMetric>(metricKey(project, call.parts[1] ?? ""));
  if (!found) throw new GoogleError([404, "NOT_FOUND"], `Metric ${call.parts[1]} does not exist`);
  return found;
}

/** The metric as it is stored: a counter unless it says otherwise, and a label for every extractor. */
function made(call: RestCall, project: string): Omit<StoredMetric, "createTime" | "updateTime"> {
  const given = call.body as Partial<StoredMetric> & { readonly description?: string };
  const { name = "", filter = "", metricDescriptor = {}, labelExtractors = {} } = given;
  if (!/^[\w.,+!*',()%/-]{1,100}$/.test(name) || name.startsWith("/"))
    throw invalid(`The metric name ${name} is not valid.`);
  if (filter === "" || filter.length > 20_000) throw invalid("A metric needs a filter of at most 20000 characters.");
  const labels = (metricDescriptor.labels ?? []).map(({ key }) => key).sort();
  if (labels.join() !== Object.keys(labelExtractors).sort().join())
    throw invalid("Every label of the descriptor needs an extractor, and every extractor a label.");
  const type = `logging.googleapis.com/user/${name}`;
  return {
    ...given,
    ...{ name, filter },
    metricDescriptor: {
      ...{ metricKind: "DELTA", valueType: "INT64", unit: "1" },
      ...metricDescriptor,
      ...{ type, name: `projects/${project}/metricDescriptors/${type}`, description: given.description ?? "" },
    } as Descriptor,
  };
}

function create(call: RestCall) {
  const project = checked(call, "create");
  const metric = made(call, project);
  if (call.host.state.get(metricKey(project, metric.name)))
    throw new GoogleError([409, "ALREADY_EXISTS"], `Metric ${metric.name} already exists`);
  const at = new Date(call.host.now()).toISOString();
  const stored = { ...metric, createTime: at, updateTime: at };
  call.host.state.put(metricKey(project, metric.name), stored);
  return stored;
}

function list(call: RestCall) {
  const metrics = call.host.view.list<StoredMetric>(metricKey(checked(call, "list"), "")).map(([, metric]) => metric);
  return metrics.length > 0 ? { metrics } : {};
}

/** Makes it where it is not there; what is counted can never be changed (serverless.md, 7). */
function update(call: RestCall) {
  const project = checked(call, "update");
  const before = call.host.state.get<StoredMetric>(metricKey(project, call.parts[1] ?? ""));
  if (!before) return create(call);
  const metric = made(call, project);
  const kind = ({ metricDescriptor: { metricKind, valueType } }: Pick<StoredMetric, "metricDescriptor">) =>
    `${metricKind} ${valueType}`;
  if (metric.name !== before.name || kind(metric) !== kind(before))
    throw invalid("The name, kind and value type of a metric can not be changed.");
  const updateTime = new Date(call.host.now()).toISOString();
  const stored = { ...metric, createTime: before.createTime, updateTime };
  call.host.state.put(metricKey(project, metric.name), stored);
  return stored;
}

function remove(call: RestCall) {
  const { name } = held(call, "delete");
  call.host.state.delete(metricKey(projectOf(call.host, call.parts[0] ?? "").id, name));
  return {};
}
