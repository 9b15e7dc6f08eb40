import { type PolicyKind, policyFaults } from "../../../judge/aws/grammar/check.ts";
import { AwsError } from "./query.ts";

/** Returns a policy document that the grammar allows, or throws MalformedPolicyDocument with the sentence that IAM answers. */
export function checkedPolicy(text: string, kind: PolicyKind): string {
  const fault = policyFaults(text, kind)[0];
  if (fault) throw new AwsError("MalformedPolicyDocument", 400, fault.says);
  return text;
}
