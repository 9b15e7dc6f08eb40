import { describe, expect, test } from "vitest";
import { Found, leftovers, readings, roleId } from "../src/deploy/found.ts";
import { pieces, smallFiles, toMake, toTake } from "../src/deploy/plan.ts";
import { cronOf } from "../src/deploy/running.ts";
import { type Command, defaultControl, nameOf, type Setup, setupOf, urlOf } from "../src/deploy/setup.ts";
import { example, federationOf } from "./support/bench.ts";

// What deploy finds and what it makes of it, without a cloud: each thing that can be wrong with a deployment is seen, and
// nothing else is touched.

const text = `${example}control: ${JSON.stringify(defaultControl("acme", "acme-prod"))}\n`;
const digests = {
  ...{ "functions/health": "a", "functions/provision": "b", "workflows/health": "c", "workflows/onboard": "d" },
};
const here = { number: "143306796165", folder: "/stage", digests, notify: [] as string[] };
const setup = setupOf(federationOf(text), here);

const empty = new Found(new Map());
const word = (command: Command, flag: string): string =>
  command.find((one) => one.startsWith(`${flag}=`))?.slice(flag.length + 1) ?? "";
const labels = (command: Command) =>
  Object.fromEntries(
    word(command, "--labels")
      .split(",")
      .map((one) => one.split("=")),
  );
/** The one command of a piece that begins with these words. */
function made(of: Setup, words: string): Command {
  const all = pieces(of, empty).flatMap(({ make }) => make);
  const found = all.find((command) => command.join(" ").startsWith(words));
  if (!found) throw new Error(`no ${words}`);
  return found;
}

/** Everything as deploy leaves it: labels and descriptions as its own commands write them. */
function complete(of: Setup = setup): Map<string, unknown> {
  const bindings = (pairs: readonly (readonly [string, string])[]) => ({
    bindings: pairs.map(([role, email]) => ({ role, members: [`serviceAccount:${email}`] })),
  });
  const { checker, provisioner, flow, clock } = of.accounts;
  const service = (name: string, serviceAccountName: string) => ({
    metadata: { name: nameOf(of, name), labels: labels(made(of, `run deploy ${nameOf(of, name)}`)) },
    spec: { template: { spec: { serviceAccountName } } },
  });
  const role = (who: string) => ({
    includedPermissions: word(made(of, `iam roles create ${roleId(of, who)}`), "--permissions").split(","),
  });
  const workflow = (name: string) => ({
    name: `projects/acme-prod/locations/us-central1/workflows/${nameOf(of, name)}`,
    labels: labels(made(of, `workflows deploy ${nameOf(of, name)}`)),
  });
  const job = made(of, "scheduler jobs create");
  const files = smallFiles(of) as Record<string, { userLabels: object; displayName: string; description: string }>;
  const alerts = Object.entries(files).filter(([name]) => name.startsWith("alert-"));
  return new Map<string, unknown>([
    [
      "apis",
      word(["x"], "") ||
        made(of, "services enable")
          .slice(2, -1)
          .map((name) => ({ config: { name } })),
    ],
    ["accounts", [checker, provisioner, flow, clock].map((email) => ({ email }))],
    [
      "policy acme-prod",
      bindings([
        [`projects/acme-prod/roles/${roleId(of, "checker")}`, checker],
        [`projects/acme-prod/roles/${roleId(of, "provisioner")}`, provisioner],
        ["roles/logging.logWriter", flow],
        ["roles/workflows.invoker", clock],
      ]),
    ],
    ["role acme-prod checker", role("checker")],
    ["role acme-prod provisioner", role("provisioner")],
    ["bucket", { name: of.bucket, labels: { crosstrust: "acme" } }],
    [
      "bucketPolicy",
      bindings([
        ["roles/storage.objectUser", checker],
        ["roles/storage.objectUser", provisioner],
      ]),
    ],
    ["services", [service("health", checker), service("provision", provisioner)]],
    ["invokers health", bindings([["roles/run.invoker", flow]])],
    ["invokers provision", bindings([["roles/run.invoker", flow]])],
    ["workflows", [workflow("health"), workflow("onboard")]],
    [
      "jobs",
      [
        {
          name: `projects/acme-prod/locations/us-central1/jobs/${nameOf(of, "health")}`,
          ...{ schedule: word(job, "--schedule"), state: "ENABLED", description: word(job, "--description") },
          httpTarget: { uri: word(job, "--uri") },
        },
      ],
    ],
    ["metrics", [{ name: "crosstrust-acme-runs", description: files["metric.json"]?.description }]],
    ["policies", alerts.map(([name, policy]) => ({ name: `projects/acme-prod/alertPolicies/${name}`, ...policy }))],
  ]);
}

const todo = (found: Map<string, unknown>, of = setup) =>
  toMake(pieces(of, new Found(found))).map(({ name, lacks, make }) => ({ name, lacks, make }));

describe("deploy", () => {
  test("from nothing it makes everything, in an order in which what is used stands first", () => {
    const all = toMake(pieces(setup, empty));
    expect(all.length).toBe(pieces(setup, empty).length);
    const at = (start: string) => all.findIndex(({ name }) => name.startsWith(start));
    const order = ["apis", "service account", "role", "grant of cross", "bucket", "function", "workflow", "schedule"];
    const places = order.map(at);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  test("of what is as it left it, it changes nothing", () => {
    expect(todo(complete())).toEqual([]);
  });

  type Edit = (found: Map<string, unknown>) => void;
  const edited =
    (key: string, change: (value: never) => unknown): Edit =>
    (found) =>
      void found.set(key, change(structuredClone(found.get(key)) as never) as never);
  type Any = Record<string, never> & { [key: string]: never };
  const first = (change: (one: Any) => void) => (list: Any[]) => {
    change(list[0] as Any);
    return list;
  };
  const drop = (at: number) => (list: unknown[]) => list.toSpliced(at, 1);
  const put = (path: string, value: unknown) => (one: Any) => {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    const inner = keys.reduce((object, key) => object[key] as never, one as Any);
    inner[last] = value as never;
  };

  // Each line is a deployment that somebody has changed by hand, and the one thing that deploy is to do about it.
  test.each<[string, Edit, string, string, string]>([
    ["an API was switched off", edited("apis", drop(6)), "apis", "1 are off", "services enable run"],
    [
      "an account is gone",
      edited("accounts", drop(2)),
      "service account ct-acme-flow",
      "is not there",
      "iam service-accounts create ct-acme-flow",
    ],
    [
      "an account is disabled",
      edited("accounts", first(put("disabled", true))),
      "service account ct-acme-check",
      "is disabled",
      "iam service-accounts enable",
    ],
    [
      "a role has one permission more",
      edited("role acme-prod checker", (role: Any) => ({
        includedPermissions: [...(role.includedPermissions as never as string[]), "iam.serviceAccounts.delete"],
      })),
      "role crosstrust.acme.checker in acme-prod",
      "has other permissions",
      "iam roles update",
    ],
    [
      "a role was deleted",
      edited("role acme-prod checker", (role: Any) => ({ ...(role as object), deleted: true })),
      "role crosstrust.acme.checker in acme-prod",
      "is deleted",
      "iam roles undelete",
    ],
    [
      "a grant is gone",
      edited("policy acme-prod", (policy: Any) => ({ bindings: drop(3)(policy.bindings as never) })),
      "grant of workflows.invoker in acme-prod to ct-acme-clock",
      "is not there",
      "projects add-iam-policy-binding",
    ],
    [
      "a grant holds under a condition alone",
      edited("policy acme-prod", (policy: Any) => {
        put("condition", { expression: "false" })((policy.bindings as never as Any[])[3] as Any);
        return policy;
      }),
      "grant of workflows.invoker in acme-prod to ct-acme-clock",
      "is not there",
      "projects add-iam-policy-binding",
    ],
    [
      "the bucket was made and not finished",
      edited("bucket", (bucket: Any) => ({ ...(bucket as object), labels: {} })),
      "bucket acme-prod-crosstrust-acme",
      "was not finished",
      "storage buckets update",
    ],
    [
      "the bucket is closed to one function",
      edited("bucketPolicy", (policy: Any) => ({ bindings: drop(1)(policy.bindings as never) })),
      "grant of the bucket to provisioner",
      "is not there",
      "storage buckets add-iam-policy-binding",
    ],
    [
      "a function runs as somebody else",
      edited("services", first(put("spec.template.spec.serviceAccountName", "x@y"))),
      "function crosstrust-acme-health",
      "is another one",
      "run deploy crosstrust-acme-health",
    ],
    [
      "a function is of another source",
      edited("services", first(put("metadata.labels.crosstrust-want", "0"))),
      "function crosstrust-acme-health",
      "is another one",
      "run deploy crosstrust-acme-health",
    ],
    [
      "everybody may call a function",
      edited("invokers health", (policy: Any) => {
        ((policy.bindings as never as { members: string[] }[])[0] as { members: string[] }).members.push("allUsers");
        return policy;
      }),
      "invoker of crosstrust-acme-health",
      "allUsers may call it",
      "run services remove-iam-policy-binding",
    ],
    [
      "the workflows may not call a function",
      edited("invokers provision", () => ({ bindings: [] })),
      "invoker of crosstrust-acme-provision",
      "is not there",
      "run services add-iam-policy-binding",
    ],
    [
      "a workflow is another one",
      edited("workflows", first(put("labels", {}))),
      "workflow crosstrust-acme-health",
      "is another one",
      "workflows deploy crosstrust-acme-health",
    ],
    [
      "the schedule is paused",
      edited("jobs", first(put("state", "PAUSED"))),
      "schedule crosstrust-acme-health",
      "does not run",
      "scheduler jobs update http",
    ],
    [
      "the schedule is another one",
      edited("jobs", first(put("description", "crosstrust acme 0"))),
      "schedule crosstrust-acme-health",
      "is another one",
      "scheduler jobs update http",
    ],
    [
      "the metric is another one",
      edited("metrics", first(put("description", "x"))),
      "metric crosstrust-acme-runs",
      "is another one",
      "logging metrics update",
    ],
    [
      "an alert is switched off",
      edited("policies", first(put("enabled", false))),
      "alert links",
      "is switched off",
      "alpha monitoring policies update",
    ],
    [
      "an alert is gone",
      edited("policies", drop(1)),
      "alert silence",
      "is not there",
      "alpha monitoring policies create",
    ],
    [
      "an alert is there twice",
      edited("policies", (list: Any[]) => [...list, { ...(list[0] as object), name: "twin" }] as never),
      "alert links",
      "is another one",
      "alpha monitoring policies delete twin",
    ],
  ])("%s", (_, edit, name, lacks, command) => {
    const found = complete();
    edit(found);
    const steps = todo(found);
    expect(steps.map((one) => [one.name, one.lacks])).toEqual([[name, lacks]]);
    expect(steps[0]?.make[0]?.join(" ")).toMatch(new RegExp(`^${command}`));
  });

  test("another source, schedule, region or channel changes what hangs on it, and nothing else", () => {
    const names = (more: Partial<typeof here>, file = text) =>
      todo(complete(), setupOf(federationOf(file), { ...here, ...more })).map(({ name }) => name);
    expect(names({ digests: { ...digests, "functions/health": "x" } })).toEqual(["function crosstrust-acme-health"]);
    expect(names({ digests: { ...digests, "workflows/onboard": "x" } })).toEqual(["workflow crosstrust-acme-onboard"]);
    expect(names({ folder: "/elsewhere" })).toEqual([]);
    const hourly = names({}, `${text}schedule: 60\n`);
    expect(hourly).toContain("schedule crosstrust-acme-health");
    expect(hourly).toContain("alert silence");
    expect(hourly.some((name) => name.startsWith("workflow") || name.startsWith("service account"))).toBe(false);
    const told = names({ notify: ["projects/acme-prod/notificationChannels/1"] as string[] });
    expect(told).toEqual(["alert links", "alert silence", "alert schedule", "alert workflow"]);
  });

  // Catches a tool that goes on with half an answer, and deploys a second one of everything.
  test("an answer that lacks what it must hold is an error, and no absence", () => {
    for (const [key, value] of [
      ["services", [{ metadata: {} }]],
      ["accounts", {}],
      ["jobs", [{}]],
    ] as const)
      expect(() => todo(new Map([...complete(), [key, value]]))).toThrow(`what gcloud tells of ${key}`);
  });

  test("nothing secret and nobody's own address is in a command, and each names its project", () => {
    for (const { make } of toMake(pieces(setup, empty)))
      for (const command of make) {
        const said = command.join(" ");
        expect(said).not.toMatch(/ya29|eyJ|BEGIN|SECRET/);
        if (!said.startsWith("storage buckets") && !said.startsWith("projects")) expect(said).toContain("acme-prod");
      }
  });

  test("names stay within what Google takes, for the longest name of a deployment", () => {
    const long = "a".repeat(20);
    const control = defaultControl(long, "p".repeat(30));
    const file = text
      .replace("name: acme", `name: ${long}`)
      .replace(/control: .*/, `control: ${JSON.stringify(control)}`);
    const of = setupOf(federationOf(file), here);
    for (const email of Object.values(of.accounts)) expect(email.split("@")[0]?.length).toBeLessThanOrEqual(30);
    expect(nameOf(of, "provision").length).toBeLessThanOrEqual(49);
    expect(of.bucket.length).toBeLessThanOrEqual(63);
    expect(roleId(of, "provisioner").length).toBeLessThanOrEqual(64);
    expect(urlOf(of, "provision")).toMatch(/^https:\/\/[a-z0-9-]+\.us-central1\.run\.app$/);
  });

  test.each([
    [1, /^\* \* \* \* \*$/],
    [5, /^[0-4]-59\/5 \* \* \* \*$/],
    [60, /^\d{1,2} \*\/1 \* \* \*$/],
    [180, /^\d{1,2} \*\/3 \* \* \*$/],
    [1440, /^\d{1,2} 0 \* \* \*$/],
    [90, /^every 90 minutes$/],
  ])("every %i minutes is a schedule, in a minute of its own", (every, cron) => {
    expect(cronOf("acme", every)).toMatch(cron);
    expect(new Set(["acme", "beta", "gamma", "delta"].map((name) => cronOf(name, every))).size).toBeGreaterThanOrEqual(
      every === 5 || every === 60 ? 2 : 1,
    );
  });
});

describe("offboard", () => {
  const there = new Map([
    ...complete(),
    ["packages", ["health", "provision"].map((name) => ({ name: `x/packages/${nameOf(setup, name)}` }))],
    ["sources", [{ url: `gs://run-sources-acme-prod-us-central1/services/${nameOf(setup, "health")}/1.zip#1` }]],
  ] as [string, unknown][]);

  test("takes everything away backwards, and the stores of gcloud where only ours is in them", () => {
    const steps = toTake(setup, new Found(there));
    expect(steps[0]?.name).toBe("alert workflow");
    expect(steps.at(-3)?.name).toBe("service account ct-acme-check");
    const said = steps.slice(-2).map(({ take }) => take.map((command) => command.slice(0, 4).join(" ")));
    expect(said).toEqual([
      ["artifacts repositories delete cloud-run-source-deploy"],
      ["storage rm --recursive gs://run-sources-acme-prod-us-central1"],
    ]);
  });

  test("of nothing it takes nothing", () => {
    expect(toTake(setup, empty)).toEqual([]);
  });

  // Catches an offboarding that goes by names: somebody else's service may well be called like ours.
  test("what does not carry our labels is left alone, and so are images and sources of others", () => {
    const found = new Map(there);
    for (const key of ["services", "workflows"]) {
      const list = structuredClone(found.get(key)) as { labels?: object; metadata?: { labels: object } }[];
      for (const one of list) {
        if (one.metadata) one.metadata.labels = {};
        else one.labels = {};
      }
      found.set(key, list);
    }
    found.set("bucket", { name: setup.bucket, labels: {} });
    found.set("jobs", [{ ...(found.get("jobs") as object[])[0], description: "theirs" }]);
    found.set("metrics", [{ name: "crosstrust-acme-runs", description: "theirs" }]);
    found.set("policies", [{ name: "theirs", displayName: "x", userLabels: {} }]);
    found.set("packages", [...(found.get("packages") as object[]), { name: "x/packages/theirs" }]);
    found.set("sources", [
      ...(found.get("sources") as object[]),
      { url: "gs://run-sources-acme-prod-us-central1/services/theirs/1.zip" },
    ]);
    const said = toTake(setup, new Found(found)).flatMap(({ take }) => take.map((command) => command.join(" ")));
    expect(
      said.filter((one) => /^(run|workflows|scheduler|logging|alpha|storage rm --recursive gs:\/\/acme)/.test(one)),
    ).toEqual([]);
    expect(
      said.filter((one) =>
        /theirs|repositories delete|rm --recursive gs:\/\/run-sources-acme-prod-us-central1 /.test(one),
      ),
    ).toEqual([]);
    expect(said.filter((one) => one.startsWith("artifacts packages delete crosstrust-acme-")).length).toBe(2);
  });
});

test("every reading and every command is asked of the project, in JSON", () => {
  for (const { command } of [...readings(setup), ...leftovers(setup)]) {
    const said = command.join(" ");
    expect(said).toContain("acme-prod");
    expect(said).toMatch(/--format=json|--json/);
  }
});
