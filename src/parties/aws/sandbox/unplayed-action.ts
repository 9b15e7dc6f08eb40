import { AwsError } from "./query.ts";
import { hasOperation, type ServiceName, serviceModels } from "./service-model.ts";

/** The code of every refusal that is the sandbox's own: AWS has no such code, so nobody takes it for AWS's word. */
export const notPlayedCode = "NotPlayed";

/** One line for whoever called; no client tries again for it. */
export const notPlayedText = (service: string, operation: string): string =>
  `${service} ${operation} is not played here: of AWS the sandbox plays parts of IAM and STS, and nothing was done.`;

/** The refusal of an action of IAM or STS that the sandbox does not play, or that AWS does not have either. */
export const unplayedAction = (service: ServiceName, name: string): AwsError =>
  hasOperation(service, name)
    ? new AwsError(notPlayedCode, 400, notPlayedText(service.toUpperCase(), name))
    : new AwsError(
        "InvalidAction",
        400,
        `Could not find operation ${name} for version ${serviceModels[service].version}`,
      );
