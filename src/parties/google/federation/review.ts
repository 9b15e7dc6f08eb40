import { admitsAnybody } from "../../../judge/google/anybody.ts";
import { renderCondition } from "../../../judge/google/condition.ts";
import type { LivePresent, Remark, Resource } from "../../../model.ts";
import type { PoolProviderSpec } from "./spec.ts";

/** Issuers that vouch for everybody who has an account there (GitHub, GitLab, HCP Terraform, CircleCI, Vercel ...). */
const multiTenant =
  /^https:\/\/(?:token\.actions\.githubusercontent\.com|gitlab\.com|app\.terraform\.io|oidc\.circleci\.com|oidc\.vercel\.com|agent\.buildkite\.com|api\.pulumi\.com\/oidc|login\.microsoftonline\.com\/common|accounts\.google\.com)/;

/** What all links together come to, or what is there now: limits of google.md 6.1, and conditions that hold nobody back. */
export function reviewPoolProvider(resource: Resource, live?: LivePresent): readonly Remark[] {
  if (!resource.address.startsWith("google:poolProvider/")) return manyGrants(resource);
  const { conditions, audiences, source, type, keys, mapping } = (live?.spec ??
    resource.spec) as unknown as PoolProviderSpec;
  const condition = renderCondition(conditions);
  const base = { because: [], severity: "error" } as const;
  const long: Remark = {
    ...{ ...base, code: "GOOGLE-CONDITION-SIZE", fix: ["spread the links over several pool providers"] },
    says: `together the links make a condition of ${condition.length} characters, and 4096 fit`,
  };
  const many: Remark = {
    ...{ ...base, code: "GOOGLE-AUDIENCES", fix: ["spread the links over several pool providers"] },
    says: `together the links take ${audiences.length} audiences, and a pool provider takes 10`,
  };
  const stored: Remark = {
    ...{ ...base, severity: "security", code: "GOOGLE-KEYS-UPLOADED", fix: ["crosstrust apply takes them away"] },
    says: "keys were stored in the pool provider: whoever has them signs in as anybody, whatever the issuer says",
  };
  const kind = type === "aws" ? ("aws" as const) : ("oidc" as const);
  const open = admitsAnybody({ ...{ condition, audiences, mapping, type: kind }, source: String(source) });
  const shared = typeof source === "string" && multiTenant.test(source);
  return [
    ...manyGrants(resource),
    ...(condition.length > 4096 ? [long] : []),
    ...(audiences.length > 10 ? [many] : []),
    ...(keys === "uploaded" ? [stored] : []),
    ...(open ? [nobodyHeldBack(String(source), shared)] : []),
  ];
}

/** As many as a description has room for (docs/decisions/012-leftovers.md). */
const mostRemembered = 12;

function manyGrants({ covers = [] }: Resource): readonly Remark[] {
  if (covers.length <= mostRemembered) return [];
  return [
    {
      ...{ code: "GOOGLE-MANY-GRANTS", severity: "hint", because: [] },
      says: `${covers.length} grants ride on it, and its mark remembers ${mostRemembered}: take one out of the file, and on a bucket that no other link names it may stay`,
      fix: ["fewer resources for each link, or a role on the project"],
    },
  ];
}

const nobodyHeldBack = (issuer: string, shared: boolean): Remark => ({
  code: "GOOGLE-OPEN-ISSUER",
  severity: shared ? "error" : "security",
  because: [],
  of: issuer,
  says: shared
    ? `${issuer} vouches for everybody who has an account there, and no condition tells yours from theirs`
    : `no condition tells the identities of ${issuer} apart: whoever it vouches for gets a token of the pool`,
  fix: ["leave condition out in the file: then the workloads of its links are pinned"],
});
