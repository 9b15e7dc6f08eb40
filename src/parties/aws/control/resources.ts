import { countedLength } from "../../../judge/aws/grammar/check.ts";
import { type Policy, renderPolicy } from "../../../judge/aws/policy.ts";
import {
  type Address,
  type ControlAsk,
  type ControlWanted,
  type Finding,
  finding,
  type Json,
  type Resource,
} from "../../../model.ts";
import { type ManagedPolicySpec, managedPolicyAddress } from "../managed-policy/spec.ts";
import { type OidcProviderSpec, oidcProviderArn } from "../oidc-provider/spec.ts";
import { type RoleSpec, roleAddress } from "../role/spec.ts";
import { boundaryArnOf, controlPath, controlRoleOf } from "../shape.ts";
import { trustFor } from "../trust/build.ts";
import { boundaryPolicy, checkerPolicy, provisionerPolicy, type Reach } from "./policies.ts";
import { type Services, servicesOf } from "./services.ts";

/**
 * In each account that the file names: the boundary, and a role for each function, trusted for the function's own
 * service account by the builder of every other trust (fact sheet reliability-and-security, 4.4 and 4.5).
 */
export function controlResources(ask: ControlAsk): ControlWanted {
  const mine = ask.resources.filter(({ address }) => /^aws:(role|oidcProvider)\//.test(address));
  const accounts = Map.groupBy(mine, ({ spec }) => String(spec.account));
  const each = [...accounts.values()].map((resources) => ofAccount(resources, ask));
  return { resources: each.flatMap((one) => one.resources), findings: each.flatMap((one) => one.findings) };
}

function ofAccount(resources: readonly Resource[], ask: ControlAsk): ControlWanted {
  const reach = reachOf(resources, ask);
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
  const address = managedPolicyAddress(boundary);
  return {
    resources: [
      { ...common, address, links: ["provisioner"], spec: boundary },
      role("checker", checkerPolicy(reach)),
      role("provisioner", provisionerPolicy(reach)),
    ],
    findings: openness(reach, address),
  };
}

/** Says which links leave the boundary open, each with its reason. */
function openness({ services, account }: Reach, address: Address): readonly Finding[] {
  if ("known" in services) return [];
  const reasons = services.openedBy.map(({ links, why }) => `${links.join(", ")}: ${why}`);
  return [
    finding("CONTROL-BOUNDARY-OPEN", {
      severity: "warning",
      at: { address },
      links: ["provisioner"],
      says: `the boundary in ${account} lets every service through, because it is not known which ones the roles need (${[...new Set(reasons)].join("; ")})`,
      fix: [
        "name policies of single services below may, or write allow and resources; then crosstrust onboard --control",
      ],
    }),
  ];
}

const inlineOf = (policy: Policy): RoleSpec["inline"] => ({ crosstrust: policy as unknown as Json });

/** From what the file wants and what its managed policies say, so that the policies can be read before anything is made. */
function reachOf(resources: readonly Resource[], { deployment, documents }: ControlAsk): Reach {
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
    services: fitting(servicesOf(own, documents)),
  };
}

const arnOf = ({ partition, account, path, name }: RoleSpec): string =>
  `arn:${partition}:iam::${account}:role${path}${name}`;

/** All below a path, so that a new link needs no new policy; where roles have none it is each role by name. */
const patternOf = (spec: RoleSpec): string => arnOf(spec.path === "/" ? spec : { ...spec, name: "*" });

/** A managed policy holds 6,144 characters (IAM quotas). */
const longest = 6144;

/** Services that one policy has room for. */
function fitting(services: Services): Services {
  if ("known" in services && services.known.length === 0)
    return { openedBy: [{ links: [], why: "no role that is made here is allowed anything" }] };
  const length = countedLength(renderPolicy(boundaryPolicy({ services })));
  if (length <= longest) return services;
  const many = "known" in services ? services.known.length : 0;
  return { openedBy: [{ links: [], why: `${many} services are more than one policy holds` }] };
}

const unique = (list: readonly string[]): readonly string[] => [...new Set(list)].sort();
