import { actionFault, resourceFault } from "../../judge/aws/grammar/names.ts";
import { listedPolicy, notListed } from "../../judge/aws/managed-policies.ts";
import type { Finding, Link } from "../../model.ts";
import { finding } from "../../model.ts";
import { type Allowed, allowedBy } from "./permissions.ts";
import { targetSideOf } from "./shape.ts";

/** What AWS would refuse of `may` and `boundary`, at the place of the action, resource or ARN that is wrong. */
export function lintPermissions(link: Link): readonly Finding[] {
  const { boundary } = targetSideOf(link);
  const entries = link.may.flatMap((permission, at) => {
    if (typeof permission === "string") return managed(link, `may.${at}`, permission);
    const entry = allowedBy(permission);
    return entry ? allowed(link, `may.${at}`, entry) : [];
  });
  return [...entries, ...(boundary === undefined ? [] : managed(link, "to.aws.boundary", boundary, "boundary"))];
}

function allowed(link: Link, field: string, { allow, resources }: Allowed): readonly Finding[] {
  const told = (where: string, says: string, fix: string): Finding =>
    finding("AWS-POLICY-GRAMMAR", {
      links: [link.name],
      at: { place: link.at(`${field}.${where}`) },
      says: says.replace(/\.$/, ""),
      fix: [fix],
    });
  const actions = allow.flatMap((action, at) => {
    const fault = actionFault(action);
    const fix = "write it as SERVICE:ACTION, such as s3:GetObject";
    return fault ? [told(`allow.${at}`, `aws refuses the action ${action}: ${fault.says}`, fix)] : [];
  });
  const arns = resources.flatMap((resource, at) => {
    const says = resourceSays(resource);
    const fix = "write it as arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, such as arn:aws:s3:::BUCKET/*, or *";
    return says === undefined ? [] : [told(`resources.${at}`, says, fix)];
  });
  return [...actions, ...arns];
}

/** IAM keeps some ARNs without all of their parts, and they match nothing (policy check reference, "Missing ARN field"). */
function resourceSays(resource: string): string | undefined {
  if (resource !== "*" && resource.split(":").length < 6) {
    return `${resource} is no ARN: it has fewer than six parts, so aws refuses it or it matches nothing`;
  }
  const fault = resourceFault(resource);
  return fault && `aws refuses the resource ${resource}: ${fault.says}`;
}

/** One of AWS's own policies by the dated list; of an account's own nothing is known without a cloud. */
function managed(link: Link, field: string, arn: string, as: "policy" | "boundary" = "policy"): readonly Finding[] {
  const listed = listedPolicy(arn);
  if (!listed || listed.state === "listed" || (listed.state === "service-linked" && as === "boundary")) return [];
  const base = { links: [link.name], at: { place: link.at(field) }, of: arn };
  if (listed.state === "service-linked") {
    const says = `${arn} belongs to a service-linked role, and aws attaches it to no other role`;
    const fix = ["name a policy for customers' roles, or write the statements into may"];
    return [finding("AWS-MANAGED-POLICY", { ...base, says, fix })];
  }
  const question = listed.meant === undefined ? "" : `; did you mean ${listed.meant}?`;
  const says = `${notListed(arn)}${question}`;
  const fix = listed.meant === undefined ? [] : [`name ${listed.meant}`];
  if (listed.state === "misspelled") return [finding("AWS-MANAGED-POLICY", { ...base, says, fix })];
  const look = `aws iam get-policy --policy-arn ${arn}   # a policy that is newer than the list is there`;
  return [
    finding("AWS-MANAGED-POLICY", {
      ...base,
      severity: "warning",
      says,
      fix: [look, ...fix.map((one) => `or ${one}`)],
    }),
  ];
}
