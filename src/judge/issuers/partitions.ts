/** The partition of a region of AWS: China and GovCloud have their own ARNs, accounts and endpoints (failures.md F20). */
export const partitionOf = (region: string): string =>
  region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";

/** Where clients go that say nothing of it, for each partition: IAM's requests are signed for this region. */
const regions: Readonly<Record<string, string>> = {
  aws: "us-east-1",
  "aws-cn": "cn-north-1",
  "aws-us-gov": "us-gov-west-1",
};

/** The region that stands for a partition; for one that is not known here, that of `aws`. */
export const regionOf = (partition: string): string => regions[partition] ?? "us-east-1";
