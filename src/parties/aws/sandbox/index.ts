import { regionOf } from "../../../judge/issuers/partitions.ts";
import type { Player } from "../../../sandbox/fake.ts";
import { iam } from "./iam.ts";
import { ec2, ecs, machineKey } from "./machine.ts";
import { partitionIn } from "./partitions.ts";
import { operatorKey } from "./principals.ts";
import { setQuotas } from "./quotas.ts";
import type { StoredRole } from "./roles.ts";
import { sts } from "./sts.ts";
import { unplayed } from "./unplayed.ts";
import { workloadSession } from "./workload.ts";

const keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"];
// Each would win over the keys above, or make a program warn of two sources (wire.md 2.1).
const elsewhere = [
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_SESSION_TOKEN",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_ROLE_ARN",
  "AWS_ROLE_SESSION_NAME",
  "AWS_SECURITY_TOKEN",
  "AWS_CREDENTIAL_EXPIRATION",
  "AWS_ACCOUNT_ID",
  "AWS_LOGIN_CACHE_DIRECTORY",
  "AWS_USE_FIPS_ENDPOINT",
  "AWS_USE_DUALSTACK_ENDPOINT",
];
// The last one makes programs ignore the endpoints above and call the real hosts (wire.md 2.1).
const container = [
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
];

/** What a user has set up for real accounts; a profile that crosstrust has installed stays. */
const apart = {
  files: { AWS_SHARED_CREDENTIALS_FILE: "# no keys of real accounts in the sandbox\n" },
  excerpts: { AWS_CONFIG_FILE: ".aws/config" },
  // One for each service, before the one for all of them.
  families: ["AWS_ENDPOINT_URL"],
  homes: [".aws", ".boto"],
} as const;

/**
 * AWS as the sandbox plays it: IAM and STS, and an operator who is an administrator of every account. It
 * hosts no issuer. Without a named account the environment is that of the first role in the state, its Region one of that
 * role's partition.
 */
export const player: Player = {
  party: "aws",
  fakes: [iam, sts, ec2, ecs],
  unplayed,
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
  machine(host) {
    const partition = partitionIn(host.state.get<string>(machineKey) ?? "arn:aws");
    const region = regionOf(partition);
    // Clients ask STS of the partition aws where no Region is set, and no session of another one is worth anything there.
    const elsewhereThanAws = partition === "aws" ? {} : { AWS_REGION: region, AWS_DEFAULT_REGION: region };
    return {
      variables: { AWS_EC2_METADATA_SERVICE_ENDPOINT: host.base, ...elsewhereThanAws },
      ...apart,
      folders: [],
      unset: [...keys, ...elsewhere, ...container].filter((name) => !(name in elsewhereThanAws)),
    };
  },
  environment(named, host) {
    const roles = host.state.list<StoredRole>("aws.role/").map(([, role]) => role);
    const first = roles.find(({ account }) => named === undefined || account === named);
    const { accessKeyId, secretAccessKey } = operatorKey(named ?? first?.account ?? "111122223333", host);
    const region = regionOf(first?.partition ?? "aws");
    const variables = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      // Both: the aws CLI and boto3 ignore AWS_REGION, the JavaScript SDK reads it first (wire.md, trap 2).
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ENDPOINT_URL: host.base,
      AWS_ENDPOINT_URL_IAM: `${host.base}/aws/iam`,
      AWS_ENDPOINT_URL_STS: `${host.base}/aws/sts`,
      AWS_EC2_METADATA_DISABLED: "true",
    };
    const unset = [...elsewhere, ...container, "AWS_EC2_METADATA_SERVICE_ENDPOINT"];
    return { variables, ...apart, folders: [], unset };
  },
};
