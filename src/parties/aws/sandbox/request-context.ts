import type { Host } from "../../../sandbox/fake.ts";
import { oidcProviderOf } from "./oidc-providers.ts";
import { policyOf } from "./policies.ts";
import { listParam, type Params } from "./query.ts";
import { roleOf } from "./roles.ts";

/** A call as its permissions see it. */
export interface CallContext {
  readonly resource: string;
  readonly context: Readonly<Record<string, string>>;
}

/** Who calls, as far as a resource's ARN takes it. */
export interface Caller {
  readonly account: string;
  readonly arn: string;
}

/**
 * What a call is about. Role ARNs have their path: policies are given by path. What is to be made brings its own path,
 * what is there has the one it was made with.
 */
export function contextOf(params: Params, caller: Caller, host: Host): CallContext {
  return { resource: resourceOf(params, caller, host), context: keysOf(params, caller, host) };
}

function resourceOf(params: Params, { account, arn }: Caller, host: Host): string {
  const own = (text: string) => `arn:${arn.split(":")[1]}:iam::${account}:${text}`;
  const url = params.get("Url")?.replace(/^https:\/\//, "");
  if (url) return own(`oidc-provider/${url}`);
  const named = params.get("OpenIDConnectProviderArn");
  if (named) return named;
  const user = params.get("UserName");
  if (user) return own(`user${params.get("Path") ?? "/"}${user}`);
  const name = params.get("RoleName");
  if (name) {
    const stored = roleOf(host.state, account, name);
    return own(`role${stored?.path ?? params.get("Path") ?? "/"}${stored?.name ?? name}`);
  }
  const policy = params.get("PolicyName");
  return params.get("PolicyArn") ?? (policy ? own(`policy${params.get("Path") ?? "/"}${policy}`) : "*");
}

/**
 * Condition keys (service authorization reference, IAM; fact sheet reliability-and-security, 4.4): the boundary is the
 * one that a call gives, else the one that the role has.
 */
function keysOf(params: Params, { account }: Caller, host: Host): Record<string, string> {
  const name = params.get("RoleName");
  const role = name === undefined ? undefined : roleOf(host.state, account, name);
  const oidc = oidcProviderOf(host.state, account, params.get("OpenIDConnectProviderArn") ?? "");
  const policyArn = params.get("PolicyArn");
  const policy = name === undefined && policyArn ? policyOf(host.state, account, policyArn) : undefined;
  const boundary = params.get("PermissionsBoundary") ?? role?.boundary;
  const given = listParam(params, "Tags").map((tag) => [tag.get("Key") ?? "", tag.get("Value") ?? ""] as const);
  const there = Object.entries({ ...role?.tags, ...oidc?.tags, ...policy?.tags });
  return Object.fromEntries([
    ...(boundary ? [["iam:permissionsboundary", boundary]] : []),
    ...(name !== undefined && policyArn ? [["iam:policyarn", policyArn]] : []),
    ...given.map(([key, value]) => [`aws:requesttag/${key.toLowerCase()}`, value]),
    ...there.flatMap(([key, value]) =>
      ["aws", "iam"].map((prefix) => [`${prefix}:resourcetag/${key.toLowerCase()}`, value]),
    ),
  ]);
}

/**
 * Whoever makes a thing with tags needs the permission to tag it, too (IAM user guide, "tagging IAM resources").
 */
export function actionsOf(operation: string, params: Params): readonly string[] {
  const tagged = /^Create(Role|Policy|OpenIDConnectProvider)$/.exec(operation)?.[1];
  const tags = tagged !== undefined && listParam(params, "Tags").length > 0;
  return [`iam:${operation}`, ...(tags ? [`iam:Tag${tagged}`] : [])];
}
