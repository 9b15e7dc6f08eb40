import type { Policy } from "../../../judge/aws/policy.ts";
import type { ControlAsk, Json, Resource } from "../../../model.ts";
import { type ManagedPolicySpec, managedPolicyAddress } from "../managed-policy/spec.ts";
import { type OidcProviderSpec, oidcProviderArn } from "../oidc-provider/spec.ts";
import { type RoleSpec, roleAddress } from "../role/spec.ts";
import { boundaryArnOf, controlPath, controlRoleOf } from "../shape.ts";
import { trustFor } from "../trust/build.ts";
import { boundaryPolicy, checkerPolicy, provisionerPolicy, type Reach } from "./policies.ts";

/**
 * In each account that the file names: the boundary, and a role for each function, trusted for the function's own
 * service account by the builder of every other trust (fact sheet reliability-and-security, 4.4 and 4.5).
 */
export function controlResources(ask: ControlAsk): readonly Resource[] {
  const mine = ask.resources.filter(({ address }) => /^aws:(role|oidcProvider)\//.test(address));
  const accounts = Map.groupBy(mine, ({ spec }) => String(spec.account));
  return [...accounts.values()].flatMap((resources) => ofAccount(resources, ask));
}

function ofAccount(resources: readonly Resource[], ask: ControlAsk): readonly Resource[] {
  const reach = reachOf(resources, ask.deployment);
  const { account, partition, deployment } = reach;
  const access = resources[0]?.access;
  const common = { hold: "own" as const, ...(access ? { access } : {}) };
  const boundary: ManagedPolicySpec = {
    ...{ account, partition, name: `${deployment}-boundary`, path: controlPath },
    document: boundaryPolicy(reach) as unknown as Json,
  };
  const role = (who: "checker" | "provisioner", policy: Policy): Resource<RoleSpec> => {
    const spec = { account, partition, name: controlRoleOf(deployment, who), path: controlPath, maxSession: 3600 };
    const trust = trustFor({ identity: ask.identities[who], audience: ask.audience, account, partition });
    return {
      ...common,
      address: roleAddress(spec),
      links: [who],
      spec: { ...spec, boundary: null, trust: trust as unknown as Json, managed: [], inline: inlineOf(policy) },
    };
  };
  return [
    { ...common, address: managedPolicyAddress(boundary), links: ["provisioner"], spec: boundary },
    role("checker", checkerPolicy(reach)),
    role("provisioner", provisionerPolicy(reach)),
  ];
}

const inlineOf = (policy: Policy): RoleSpec["inline"] => ({ crosstrust: policy as unknown as Json });

/** From what the file wants: nothing is asked of a cloud, so the policies can be read before anything is made. */
function reachOf(resources: readonly Resource[], deployment: string): Reach {
  const of = (kind: string) => resources.filter(({ address }) => address.startsWith(`aws:${kind}/`));
  const roles = of("role") as unknown as readonly Resource<RoleSpec>[];
  const own = roles.filter(({ hold }) => hold === "own");
  const { account, partition } = (resources[0] as Resource<RoleSpec>).spec;
  const named = own.flatMap(({ spec }) => spec.boundary ?? []);
  return {
    ...{ account, partition, deployment },
    made: unique(own.map(({ spec }) => patternOf(spec))),
    oidcProviders: unique(of("oidcProvider").map(({ spec }) => oidcProviderArn(spec as OidcProviderSpec))),
    attachable: unique(own.flatMap(({ spec }) => spec.managed)),
    boundaries: unique([boundaryArnOf({ account, partition, deployment }), ...named]),
    services: servicesOf(own.map(({ spec }) => spec)),
  };
}

const arnOf = ({ partition, account, path, name }: RoleSpec): string =>
  `arn:${partition}:iam::${account}:role${path}${name}`;

/** All below a path, so that a new link needs no new policy; where roles have none it is each role by name. */
const patternOf = (spec: RoleSpec): string => arnOf(spec.path === "/" ? spec : { ...spec, name: "*" });

/** Undefined where not all of them are known: a managed policy is read by nobody here. */
function servicesOf(specs: readonly RoleSpec[]): readonly string[] | undefined {
  const actions = specs.flatMap(({ inline }) =>
    Object.values(inline).flatMap((one) => (one as unknown as Policy).statements.flatMap(({ action = [] }) => action)),
  );
  const services = unique(actions.map((action) => action.split(":")[0]?.toLowerCase() ?? ""));
  const open = specs.some(({ managed }) => managed.length > 0) || services.some((one) => /[*?]/.test(one));
  return open || services.length === 0 ? undefined : services;
}

const unique = (list: readonly string[]): readonly string[] => [...new Set(list)].sort();
