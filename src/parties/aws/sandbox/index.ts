import type { Player } from "../../../sandbox/fake.ts";
import { iam } from "./iam.ts";
import { operatorKey } from "./principals.ts";
import { sts } from "./sts.ts";

/** AWS as the sandbox plays it. */
export const player: Player = {
  party: "aws",
  fakes: [iam, sts],
  issuers: [],
  operator: (account, host) => ({
    secrets: { ...operatorKey(account, host) },
    principal: `arn:aws:iam::${account}:user/operator`,
  }),
  env({ scope = "111122223333" }, host) {
    const { accessKeyId, secretAccessKey } = operatorKey(scope, host);
    return {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      // Both: the aws CLI and boto3 ignore AWS_REGION, the JavaScript SDK reads it first (wire.md, trap 2).
      AWS_REGION: "us-east-1",
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_ENDPOINT_URL: host.base,
      AWS_ENDPOINT_URL_IAM: `${host.base}/aws/iam`,
      AWS_ENDPOINT_URL_STS: `${host.base}/aws/sts`,
      AWS_EC2_METADATA_DISABLED: "true",
    };
  },
};
