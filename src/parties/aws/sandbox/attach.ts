import { listedPolicy, notListed } from "../../../judge/aws/managed-policies.ts";
import type { IamCall } from "./action.ts";
import { partitionIn } from "./partitions.ts";
import { policyOf } from "./policies.ts";
import { AwsError } from "./query.ts";

/**
 * Returns the ARN of a policy that can be attached to a role. Of AWS's own policies the dated list tells; one that is not
 * listed is taken with a warning, because AWS adds policies every week.
 */
export function attachable({ account, partition, host, warn }: IamCall, arn: string): string {
  const [, owner] = /^arn:aws[a-z-]*:iam::(aws|\d{12}):policy\/[\w+=,.@/-]+$/.exec(arn) ?? [];
  // Recorded, with its two blanks (localstack's snapshots).
  if (!/^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+/.test(arn)) {
    throw new AwsError("ValidationError", 400, "Invalid ARN:  Could not be parsed!");
  }
  const gone = new AwsError("NoSuchEntity", 404, `Policy ${arn} does not exist or is not attachable.`);
  if (owner === undefined || partitionIn(arn) !== partition) throw gone;
  if (owner !== "aws") {
    if (!policyOf(host.state, account, arn)) throw gone;
    return arn;
  }
  const listed = listedPolicy(arn);
  // Recorded (aws-cdk#6131).
  if (listed?.state === "service-linked") {
    throw new AwsError("PolicyNotAttachable", 400, "Cannot attach a Service Role Policy to a Customer Role.");
  }
  // A name is unique among AWS's policies, so a listed one under another path is not there.
  if (listed?.state === "misspelled" && listed.because === "path") throw gone;
  if (listed?.state !== "listed") warn(`${notListed(arn)}; the sandbox attached it, and aws may not have it`);
  return arn;
}
