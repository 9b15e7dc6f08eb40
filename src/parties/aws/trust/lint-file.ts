import { countedLength, policyFaults } from "../../../judge/aws/grammar/check.ts";
import type { Fault } from "../../../judge/aws/grammar/faults.ts";
import { JsonFault, type Node, readJson } from "../../../judge/aws/grammar/json.ts";
import { trustDocument } from "../../../judge/aws/grammar/trust-document.ts";
import { isMap, type Policy, parsePolicy, renderPolicy } from "../../../judge/aws/policy.ts";
import { type Remark, remark } from "../../../model.ts";
import { lintTrust } from "./lint.ts";

/** A remark, and where in the text it is about, in UTF-16 units from the start. */
export interface PlacedRemark {
  readonly remark: Remark;
  readonly at: number;
}

/**
 * Lints a trust policy by its text alone: what IAM would refuse to keep, and what is wrong with what it would keep. The text may
 * be an answer of `aws iam get-role`, which says the account as well.
 */
export function lintTrustText(source: string): readonly PlacedRemark[] {
  const { text, placed, arn = "" } = trustDocument(source);
  const faults = policyFaults(text, "trust");
  const refused = faults.map((fault) => ({ remark: refusal(fault), at: placed(fault.at) }));
  // Of a text that is no policy at all nothing more can be said.
  const policy = faults.some(({ stage }) => ["characters", "json", "syntax"].includes(stage))
    ? undefined
    : parsePolicy(text);
  if (!policy) return refused;
  const [, partition, account] = /^arn:([^:]+):iam::(\d{12}):role\//.exec(arn) ?? [];
  const where = partition !== undefined && account !== undefined ? { partition, account } : {};
  const remarks = lintTrust(policy, { ...where, length: countedLength(text) });
  return [...refused, ...remarks.map((one) => ({ remark: one, at: placed(placeOf(one, text)) }))];
}

/** What IAM would refuse of a trust that is only desired; a reference to what is not known yet counts as a text. */
export function lintDesiredTrust(policy: Policy): readonly Remark[] {
  const known = JSON.stringify(policy, (_, value) => (isMap(value) && "$ref" in value ? "reference" : value));
  const plain: Policy = JSON.parse(known);
  return policyFaults(renderPolicy(plain), "trust").map(refusal);
}

const refusal = ({ stage, says, because }: Fault): Remark =>
  remark("AWS-POLICY-GRAMMAR", {
    says: `aws refuses the policy: ${says.replace(/\.$/, "")}${because === undefined ? "" : ` (${because})`}`,
    fix: [fixes[stage] ?? "crosstrust explain AWS-POLICY-GRAMMAR"],
  });

const fixes: Partial<Record<Fault["stage"], string>> = {
  json: "repair the JSON at this place",
  principal: "name who is trusted under Principal, by type: AWS, Federated or Service; and leave Resource out",
  "trust-actions":
    "allow sts:AssumeRoleWithWebIdentity, sts:AssumeRole or sts:AssumeRoleWithSAML, and with it at most sts:TagSession, sts:SetSourceIdentity and sts:SetContext",
};

/** Where a remark is about: its condition key, else the longest text of the policy that its sentence names. */
function placeOf({ because, says }: Remark, text: string): number {
  const all = textsIn(text);
  const keys = because.map(({ key }) => key.toLowerCase());
  const key = all.find(({ value }) => keys.includes(value.toLowerCase()));
  const named = all
    .filter(({ value }) => value.length > 1 && says.toLowerCase().includes(value.toLowerCase()))
    .sort((a, b) => b.value.length - a.value.length);
  return (key ?? named[0])?.at ?? text.search(/\S/);
}

interface Text {
  readonly value: string;
  readonly at: number;
}

function textsIn(source: string): readonly Text[] {
  const walk = (node: Node): readonly Text[] => {
    if (node.kind === "text") return [{ value: node.value, at: node.at }];
    if (node.kind === "list") return node.items.flatMap(walk);
    if (node.kind !== "object") return [];
    return node.members.flatMap(({ name, at, value }) => [{ value: name, at }, ...walk(value)]);
  };
  try {
    return walk(readJson(source));
  } catch (error) {
    if (error instanceof JsonFault) return [];
    throw error;
  }
}
