import { type Applicable, kinds, noConsents } from "../crosstrust.ts";
import type {
  Control,
  ControlAsk,
  ControlWanted,
  Federation,
  Finding,
  Identity,
  Link,
  Resource,
  World,
} from "../model.ts";
import { parties } from "../parties/index.ts";
import { lookupOf } from "../plan/compare.ts";
import { expand, partyOf } from "../plan/expand.ts";
import { brief } from "../plan/fingerprint.ts";
import { order } from "../plan/order.ts";
import { planOf } from "../plan/plan.ts";
import { refsOf, resolve } from "../plan/refs.ts";
import { type Observed, observe } from "../run/observe.ts";
import { version } from "../version.ts";

/** What tokens of the functions are asked for when they go to a cloud: no link's, so that none lets them in. */
export const controlAudience = (deployment: string): string => `crosstrust-control/${deployment}`;

/**
 * Whose the control plane's things are. No deployment can be called that, so the plan of the links never takes them for
 * leftovers of its own, and the provisioner, which may tag things for its deployment only, cannot pass for it.
 */
export const controlOwner = (deployment: string): string => `control:${deployment}`;

/** One account for each function, and the file they serve. */
export interface ControlWork {
  readonly federation: Federation;
  readonly control: Control;
  /** Nothing of it is wanted any more. */
  readonly destroy?: boolean;
  /** How many things that it no longer needs may be deleted. */
  readonly prune?: number | undefined;
}

/** What the parties read for a control plane, one answer for each of them in their order. */
type Read = readonly ControlAsk["documents"][];

/** Reads what the control plane depends on and the file does not say. Nothing of it matters where it is taken away. */
async function readControl({ federation, destroy }: ControlWork, world: World): Promise<Read> {
  const { resources } = expand(federation.links, parties);
  return Promise.all(
    parties.map(({ readControl: read }) => (read && !destroy ? read(resources, world) : new Map<string, undefined>())),
  );
}

/** Everything the control plane is made of, its functions' own accounts (which are only used) first. */
export function controlResources({ federation, control }: ControlWork, read: Read = []): ControlWanted {
  const { name: deployment, links } = federation;
  const [checker, provisioner] = [speaker("checker", federation, control), speaker("provisioner", federation, control)];
  const wanted = parties.flatMap(
    (party, at) =>
      party.control?.({
        ...{ deployment, control, audience: controlAudience(deployment) },
        identities: { checker: checker.identity, provisioner: provisioner.identity },
        resources: expand(links, parties).resources,
        judged: links.filter(({ prove }) => prove !== "exchange").map(({ name }) => name),
        documents: read[at] ?? new Map(),
      }) ?? [],
  );
  return {
    resources: [...checker.resources, ...provisioner.resources, ...wanted.flatMap(({ resources }) => resources)],
    findings: wanted.flatMap(({ findings }) => findings),
  };
}

/** A function's account, identified as a link's would be: by its unique id, whatever becomes of its e-mail. */
function speaker(
  who: "checker" | "provisioner",
  { name: deployment, file }: Federation,
  control: Control,
): { readonly identity: Identity; readonly resources: readonly Resource[] } {
  const email = control[who];
  const project = email.slice(email.indexOf("@") + 1).split(".")[0] ?? "";
  const place = { file, line: 1, column: 1 };
  const link: Link = {
    ...{ name: who, deployment, may: [], prove: "exchange", place, at: () => place },
    from: { party: "google", spec: { project, serviceAccount: email } },
    to: { party: "aws", spec: {} },
    audience: controlAudience(deployment),
  };
  const { issuer } = partyOf(parties, "google");
  if (!issuer) throw new Error("google issues nothing");
  return issuer.identify(link);
}

/** A plan of the control plane: `applyPlan` makes it so. */
export type ControlPlanned = Applicable;

/**
 * Expand, observe, compare, as for links, with the operator's own credentials. A grant on an account that is not there
 * yet waits: `apply` makes the accounts, and may need the boundary first.
 */
export async function planControl(work: ControlWork, world: World): Promise<ControlPlanned> {
  const { federation, destroy } = work;
  const { resources: all, findings } = controlResources(work, destroy ? [] : await readControl(work, world));
  // Removing needs nothing that is only used: the functions' own accounts may be gone, and their project with them.
  const named = destroy ? all.filter(({ hold }) => hold === "own") : all;
  const known = new Set(named.map(({ address }) => address));
  const watched = expand(federation.links, parties).resources.filter(
    ({ address }) => address.startsWith("google:serviceAccount/") && !known.has(address),
  );
  const resources = destroy ? named : [...named, ...watched];
  const question = {
    ...{ resources, waves: order(resources).waves, owner: controlOwner(federation.name), parties },
    refs: ({ spec }: Resource) => refsOf(spec),
    resolve: (resource: Resource, live: Observed["live"]) => ({
      ...resource,
      spec: resolve(resource.spec, lookupOf(live)),
    }),
    hash: brief,
    leftovers: "named",
  } as const;
  const observed = await observe(question, world);
  const missing = (destroy ? [] : watched).filter(({ address }) => observed.live.get(address)?.state !== "present");
  const early = named.filter(({ spec }) => missing.some((account) => account.spec.email === spec.account));
  const wanted = named.filter((one) => !observed.failed.has(one.address) && !early.includes(one));
  const plan = planOf({
    ...{ deployment: controlOwner(federation.name), links: [], kinds, only: [], tool: version, observed },
    ...{ swept: false, takes: false, command: "onboard --control" },
    // Nobody is asked: nothing of it can be adopted, and none of its trust comes from a file's text.
    consents: work.prune === undefined ? noConsents : { ...noConsents, prune: work.prune },
    desired: destroy ? [] : wanted,
    named,
    findings: [
      ...new Set([...observed.failed.values(), ...observed.findings.filter(({ severity }) => severity !== "hint")]),
      ...(destroy ? [] : [...early.map(waits), ...findings]),
    ],
  });
  return { plan: { ...plan, findings: plan.findings.map(creatable) }, observed, expansion: { resources: named } };
}

/** Nothing here makes the functions' own accounts: whoever deploys them does, and this says how. */
function creatable(finding: Finding): Finding {
  const [, project, id] = /^google:serviceAccount\/([^/]+)\/([^/@]+)$/.exec(finding.at.address ?? "") ?? [];
  if (finding.code !== "USED-MISSING" || !project) return finding;
  return { ...finding, fix: [`gcloud iam service-accounts create ${id} --project ${project}   # then run it again`] };
}

const waits = ({ address, spec, links }: Resource): Finding => ({
  ...{ code: "CONTROL-WAITS", severity: "warning", at: { address }, links, because: [] },
  says: `${spec.account} is not there yet, so nobody can be let mint for it`,
  fix: ["crosstrust apply", "crosstrust onboard --control"],
});
