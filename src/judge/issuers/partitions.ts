/** The partition of a region of AWS: China and GovCloud have their own ARNs, accounts and endpoints (failures.md F20). */
export const partitionOf = (region: string): string =>
  region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
