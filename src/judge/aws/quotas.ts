/**
 * AWS's quotas of IAM where nobody had them raised (aws.md 7; botocore's example of GetAccountSummary). Names as in the
 * account's summary, which has no name for the last two.
 */
export const quotaDefaults = {
  RolesQuota: 1000,
  AssumeRolePolicySizeQuota: 2048,
  RolePolicySizeQuota: 10_240,
  AttachedPoliciesPerRoleQuota: 10,
  PoliciesQuota: 1500,
  PolicySizeQuota: 6144,
  VersionsPerPolicyQuota: 5,
  ProvidersQuota: 100,
  ClientIdsPerProviderQuota: 100,
};

export type QuotaName = keyof typeof quotaDefaults;
