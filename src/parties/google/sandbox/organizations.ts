import { denied, may, require_ } from "./access.ts";
import { organizationOf, ownOrganization, type StoredOrganization, saveOrganization } from "./hierarchy.ts";
import { policyRoutes } from "./policy-routes.ts";
import type { RestCall, Route } from "./rest.ts";
import { checkedPolicy, type StoredPolicy } from "./store.ts";

const base = /^\/(v[13])\/organizations/.source;
const path = (rest: string): RegExp => new RegExp(`${base}${rest}$`);
const one = "/(\\d+)";

/** The organization, in Resource Manager v1 and v3. */
export const organizationRoutes: readonly Route[] = [
  {
    method: "GET",
    pattern: path(one),
    operation: "GetOrganization",
    write: false,
    run: (call) => shown(held(call, "get"), call),
  },
  { method: "POST", pattern: path(":search"), operation: "SearchOrganizations", write: false, run: search },
  { method: "GET", pattern: path(":search"), operation: "SearchOrganizations", write: false, run: search },
  ...policyRoutes((rest) => path(`${one}${rest}`), {
    get: (call) => held(call, "getIamPolicy").policy,
    set: setPolicy,
    test,
  }),
];

/** An organization that is not there and one that the caller may not see have the same answer. */
function held({ parts, host, principal }: RestCall, verb: string): StoredOrganization {
  const id = parts[1] ?? "";
  const permission = `resourcemanager.organizations.${verb}`;
  const organization = organizationOf(host, id);
  if (!organization) throw denied(permission);
  require_(principal, { permission, above: `organizations/${id}` }, host);
  return organization;
}

const customer = "C00000000";

const shown = ({ id, domain }: StoredOrganization, { parts }: Pick<RestCall, "parts">) => {
  const name = `organizations/${id}`;
  const time = "2026-01-01T00:00:00Z";
  return parts[0] === "v1"
    ? {
        name,
        displayName: domain,
        owner: { directoryCustomerId: customer },
        creationTime: time,
        lifecycleState: "ACTIVE",
      }
    : { name, displayName: domain, directoryCustomerId: customer, state: "ACTIVE", createTime: time };
};

/** Only what the caller may see; `domain:NAME` narrows it. */
function search(call: RestCall) {
  const { host, principal, request, body } = call;
  const filter = String(body.filter ?? request.query.get("query") ?? "");
  const wanted = /^domain:"?([^"]+)"?$/.exec(filter)?.[1];
  const found = organizationOf(host, ownOrganization);
  const permission = "resourcemanager.organizations.get";
  const seen = may(principal, { permission, above: `organizations/${ownOrganization}` }, host);
  if (!found || !seen || (wanted !== undefined && wanted !== found.domain)) return {};
  return { organizations: [shown(found, call)] };
}

function setPolicy(call: RestCall) {
  const organization = held(call, "setIamPolicy");
  const policy = checkedPolicy(call.host, organization.policy, (call.body.policy ?? {}) as Partial<StoredPolicy>);
  saveOrganization(call.host, { ...organization, policy });
  return policy;
}

function test({ parts, body, host, principal }: RestCall) {
  const above = `organizations/${parts[1]}`;
  const asked = Array.isArray(body.permissions) ? body.permissions.map(String) : [];
  const permissions = asked.filter((permission) => may(principal, { permission, above }, host));
  return permissions.length > 0 ? { permissions } : {};
}
