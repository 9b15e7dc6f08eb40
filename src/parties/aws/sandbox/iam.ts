import type { Fake, Host } from "../../../sandbox/fake.ts";
import type { IamAction } from "./action.ts";
import { oidcProviderActions } from "./oidc-provider-actions.ts";
import { outboundActions } from "./outbound.ts";
import { hostIn } from "./partitions.ts";
import { managedPolicyActions } from "./policy-actions.ts";
import { authorize, type Principal, principalOf } from "./principals.ts";
import { AwsError, failure, type Params, paramsOf, type Result, success } from "./query.ts";
import { isCallOf } from "./query-call.ts";
import { quotaActions } from "./quotas.ts";
import { actionsOf, contextOf } from "./request-context.ts";
import { roleActions } from "./role-actions.ts";
import { policyActions } from "./role-policies.ts";
import { simulateActions } from "./simulate.ts";
import { unplayedAction } from "./unplayed-action.ts";
import { validate } from "./validate.ts";

const actions: Readonly<Record<string, IamAction>> = {
  ...roleActions,
  ...policyActions,
  ...managedPolicyActions,
  ...oidcProviderActions,
  ...simulateActions,
  ...outboundActions,
  ...quotaActions,
};

/**
 * IAM, Query protocol: every call is signed, and a session is held to its policies. Who calls is worked out
 * before the call is played, so that the record of calls names the caller of a refused one too.
 */
export const iam: Fake = {
  service: "aws.iam",
  hosts: ["iam.amazonaws.com", "iam.us-gov.amazonaws.com", "iam.cn-north-1.amazonaws.com.cn"],
  owns: (request) => isCallOf("iam", request),
  open(request, host) {
    const params = paramsOf(request);
    const name = params.get("Action") ?? "";
    const action = actions[name];
    const who = attempt(() => principalOf(request, host));
    const run = async () => {
      if (who instanceof AwsError) return failure("iam", who);
      const warnings: string[] = [];
      const warn = (says: string) => void warnings.push(says);
      const done = await attempted(async () => perform({ name, action, params, warn }, who, host));
      const warning = warnings.length > 0 ? { warning: warnings.join("; ") } : {};
      return done instanceof AwsError ? failure("iam", done) : { ...success("iam", name, done), ...warning };
    };
    return {
      name: name || "Unknown",
      write: action?.write ?? false,
      principal: who instanceof AwsError ? "anonymous" : who.arn,
      run,
    };
  },
  fault: (kind) => failure("iam", faults[kind]),
};

/** Rate exceeded answers 400 with the Query protocol; the 500's text is unverified (aws.md 5.2). */
export const faults = {
  throttle: new AwsError("Throttling", 400, "Rate exceeded"),
  error500: new AwsError(
    "InternalFailure",
    500,
    "The request processing has failed because of an unknown error, exception or failure.",
  ),
} as const;

/** `action` is undefined for a name that the sandbox does not play. */
interface Named {
  readonly name: string;
  readonly action: IamAction | undefined;
  readonly params: Params;
  readonly warn: (says: string) => void;
}

/**
 * Permission comes before existence: who may not ask does not learn whether a thing is there. It comes before what the
 * sandbox does not play, too: IAM has more actions than that, and a session must not get at them either. What is no call
 * at all by the service model is refused before that; the order of these two is not recorded.
 */
function perform({ name, action, params, warn }: Named, who: Principal, whole: Host): Result | Promise<Result> {
  validate("iam", name, params);
  const host = hostIn(who.partition, whole);
  const about = { ...contextOf(params, who, host), host };
  for (const one of actionsOf(name, params)) authorize(who, one, about);
  if (!action) throw unplayedAction("iam", name);
  return action.run({ params, account: who.account, partition: who.partition, host, warn });
}

/** The same for what may have to wait. */
export async function attempted<T>(work: () => Promise<T>): Promise<T | AwsError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

/** An AwsError is an answer; anything else is a bug of the sandbox and stays one. */
export function attempt<T>(work: () => T): T | AwsError {
  try {
    return work();
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}
