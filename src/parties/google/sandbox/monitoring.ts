import { principalOf, require_, requireApi } from "./access.ts";
import { metricKey } from "./log-metrics.ts";
import { GoogleError, type RestCall, type Route, restFake } from "./rest.ts";
import { projectOf } from "./store.ts";

/** An alert policy or a notification channel, kept as it was sent with its name. */
interface Stored {
  readonly name: string;
  readonly displayName?: string;
  readonly userLabels?: Readonly<Record<string, string>>;
}

/** The part of an alert policy that is looked at. */
interface Policy extends Stored {
  readonly combiner?: string;
  readonly conditions?: readonly Condition[];
  readonly notificationChannels?: readonly string[];
}

interface Condition {
  readonly name?: string;
  readonly displayName?: string;
  readonly conditionThreshold?: { readonly filter?: string };
  readonly conditionAbsent?: { readonly filter?: string };
}

const base = "^/v3/projects/([^/]+)";
const path = (rest: string): RegExp => new RegExp(`${base}${rest}$`);
const routes: readonly Route[] = [
  { method: "POST", pattern: path("/alertPolicies"), operation: "CreateAlertPolicy", write: true, run: create },
  {
    ...{ method: "GET", pattern: path("/alertPolicies"), operation: "ListAlertPolicies", write: false },
    run: (call) => list(call, "alertPolicies"),
  },
  {
    ...{ method: "GET", pattern: path("/alertPolicies/([^/]+)"), operation: "GetAlertPolicy", write: false },
    run: (call) => held(call, "alertPolicies", "get"),
  },
  { method: "PATCH", pattern: path("/alertPolicies/([^/]+)"), operation: "UpdateAlertPolicy", write: true, run: patch },
  {
    ...{ method: "DELETE", pattern: path("/alertPolicies/([^/]+)"), operation: "DeleteAlertPolicy", write: true },
    run: (call) => remove(call, "alertPolicies"),
  },
  {
    ...{ method: "POST", pattern: path("/notificationChannels"), operation: "CreateNotificationChannel", write: true },
    run: (call) => {
      checked(call, "notificationChannels", "create");
      return save(call, "notificationChannels", call.body as unknown as Stored);
    },
  },
  {
    ...{ method: "GET", pattern: path("/notificationChannels"), operation: "ListNotificationChannels", write: false },
    run: (call) => list(call, "notificationChannels"),
  },
  {
    ...{ method: "DELETE", pattern: path("/notificationChannels/([^/]+)"), operation: "DeleteNotificationChannel" },
    ...{ write: true, run: (call) => remove(call, "notificationChannels") },
  },
];

/** Cloud Monitoring v3: alert policies and the channels they name. Nothing is measured, so none ever fires. */
export const monitoring = restFake(
  { service: "google.monitoring", hosts: ["monitoring.googleapis.com"], routes },
  principalOf,
);

type Collection = "alertPolicies" | "notificationChannels";

const invalid = (says: string): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], says);
const keyOf = (name: string): string => `google.monitoring/${name}`;
const stamp = ({ host, principal }: RestCall) => ({
  mutateTime: new Date(host.now()).toISOString(),
  mutatedBy: principal.email,
});

function checked({ parts, host, principal }: RestCall, collection: Collection, verb: string): string {
  const { id } = projectOf(host, parts[0] ?? "");
  requireApi(host, id, "monitoring.googleapis.com");
  require_(principal, { permission: `monitoring.${collection}.${verb}`, project: id }, host);
  return id;
}

function held<T extends Stored>(call: RestCall, collection: Collection, verb: string): T {
  const project = checked(call, collection, verb);
  const name = `projects/${project}/${collection}/${call.parts[1]}`;
  const found = call.host.state.get<T>(keyOf(name));
  if (!found) throw new GoogleError([404, "NOT_FOUND"], `Could not find "${name}".`);
  return found;
}

/** Under an id of its own, whatever name it came with. */
function save(call: RestCall, collection: Collection, given: Stored): Stored {
  const project = projectOf(call.host, call.parts[0] ?? "").id;
  const id = `1${String(call.host.state.next("google.monitoring")).padStart(18, "0")}`;
  const name = `projects/${project}/${collection}/${id}`;
  const record = { creationRecord: stamp(call), mutationRecord: stamp(call) };
  const stored = { enabled: true, ...given, ...record, ...named({ ...given, name }) };
  call.host.state.put(keyOf(name), stored);
  return stored;
}

/** Every condition has a name below its policy's. */
const named = ({ name, conditions }: Policy) => ({
  name,
  ...(conditions
    ? { conditions: conditions.map((one, at) => ({ ...one, name: `${name}/conditions/${at + 1}` })) }
    : {}),
});

/** Documented: a name, a combiner, and conditions that each say what they look at. */
function check(call: RestCall, project: string, policy: Policy): void {
  const { displayName = "", combiner, conditions = [], notificationChannels = [] } = policy;
  if (displayName === "" || displayName.length > 512) throw invalid("An alert policy needs a display name.");
  if (combiner === undefined || conditions.length === 0 || conditions.length > 6)
    throw invalid("An alert policy needs a combiner and one to six conditions.");
  for (const condition of conditions) checkCondition(call, project, condition);
  const lost = notificationChannels.find((name) => !call.host.state.get(keyOf(name)));
  if (lost !== undefined) throw new GoogleError([404, "NOT_FOUND"], `Could not find notification channel "${lost}".`);
}

/** A log-based metric must have reached Monitoring first; the two texts are recorded in public issues. */
function checkCondition({ host }: RestCall, project: string, condition: Condition): void {
  const { conditionThreshold, conditionAbsent } = condition;
  const kinds = Object.keys(condition).filter((key) => /^condition[A-Z]/.test(key));
  if (kinds.length !== 1) throw invalid("A condition has exactly one of its subtypes.");
  const filter = (conditionThreshold ?? conditionAbsent)?.filter;
  if (conditionThreshold === undefined && conditionAbsent === undefined) return;
  const type = /metric\.type\s*=\s*"([^"]+)"/.exec(filter ?? "")?.[1];
  if (type === undefined || !/resource\.type\s*=/.test(filter ?? ""))
    throw invalid('The filter must specify a restriction on "metric.type" and on "resource.type".');
  const own = /^logging\.googleapis\.com\/user\/(.+)$/.exec(type)?.[1];
  if (own === undefined || host.propagated.get(metricKey(project, own))) return;
  const says = `Cannot find metric(s) that match type = "${type}". If a metric was created recently, it could take up to 10 minutes to become available. Please try again soon.`;
  throw new GoogleError([404, "NOT_FOUND"], says);
}

function create(call: RestCall) {
  const project = checked(call, "alertPolicies", "create");
  const policy = call.body as unknown as Policy;
  check(call, project, policy);
  return save(call, "alertPolicies", policy);
}

/** Without a mask the whole policy is replaced. */
function patch(call: RestCall) {
  const { host, request } = call;
  const before = held<Policy & { creationRecord?: unknown }>(call, "alertPolicies", "update");
  const given = call.body as unknown as Policy;
  const mask = request.query
    .get("updateMask")
    ?.split(",")
    .map((field) => camel(field.split(".")[0] ?? ""));
  const changed = mask
    ? { ...before, ...Object.fromEntries(mask.map((key) => [key, given[key as keyof Policy]])) }
    : given;
  const policy = { enabled: true, ...changed, name: before.name };
  check(call, projectOf(host, call.parts[0] ?? "").id, policy);
  const record = { creationRecord: before.creationRecord, mutationRecord: stamp(call) };
  const stored = { ...policy, ...record, ...named(policy) };
  host.state.put(keyOf(before.name), stored);
  return stored;
}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The filter is one comparison of a label or of the name; any other filter is refused. */
function list(call: RestCall, collection: Collection) {
  const project = checked(call, collection, "list");
  const fits = filterOf(call.request.query.get("filter") ?? "");
  const all = call.host.view.list<Stored>(keyOf(`projects/${project}/${collection}/`)).map(([, one]) => one);
  const found = all.filter(fits);
  return found.length > 0 ? { [collection]: found } : {};
}

function filterOf(text: string): (one: Stored) => boolean {
  if (text === "") return () => true;
  const [, label, value] = /^\s*(?:user_labels\.([\w-]+)|display_name)\s*=\s*["']([^"']*)["']\s*$/.exec(text) ?? [];
  if (value === undefined) throw invalid(`Unparseable filter here: ${text.slice(0, 80)}`);
  return ({ userLabels, displayName }) => (label === undefined ? displayName : userLabels?.[label]) === value;
}

function remove(call: RestCall, collection: Collection) {
  call.host.state.delete(keyOf(held(call, collection, "delete").name));
  return {};
}
