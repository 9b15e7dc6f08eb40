import type { Player } from "../../../sandbox/fake.ts";
import { iam } from "./iam.ts";
import { ec2, ecs, machineKey } from "./machine.ts";
import { operatorKey } from "./principals.ts";
import { setQuotas } from "./quotas.ts";
import type { StoredRole } from "./roles.ts";
import { sts } from "./sts.ts";
import { workloadSession } from "./workload.ts";

const keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"];
// Each would win over the keys above, or make a program warn of two sources (wire.md 2.1).
const elsewhere = [
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_SESSION_TOKEN",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_ROLE_ARN",
];
// The last one makes programs ignore the endpoints above and call the real hosts (wire.md 2.1).
const container = [
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
];

/**
 * AWS as the sandbox plays it: IAM and STS, and an operator who is an administrator of every account. It
 * hosts no issuer. Without a named account the environment is that of the first role in the state.
 */
export const player: Player = {
  party: "aws",
  fakes: [iam, sts, ec2, ecs],
  issuers: [],
  operator: (account, host) => ({
    secrets: { ...operatorKey(account, host) },
    principal: `arn:aws:iam::${account}:user/operator`,
  }),
  workload: workloadSession,
  runAs(who, host) {
    if (typeof who !== "string" || !workloadSession(who, host)) throw new SyntaxError("no workload is called that");
    host.state.put(machineKey, who);
  },
  setQuotas,
  machine: (host) => ({
    variables: { AWS_EC2_METADATA_SERVICE_ENDPOINT: host.base },
    files: {},
    folders: [],
    unset: [...keys, ...elsewhere, ...container],
  }),
  environment(named, host) {
    const first = host.state.list<StoredRole>("aws.role/")[0]?.[1].account;
    const { accessKeyId, secretAccessKey } = operatorKey(named ?? first ?? "111122223333", host);
    const variables = {
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
    return { variables, files: {}, folders: [], unset: [...elsewhere, ...container] };
  },
};
