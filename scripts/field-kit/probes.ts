import { awsPolicies } from "./aws-policies.ts";
import { awsTokens } from "./aws-tokens.ts";
import { googleAccounts, googleCallers } from "./google-accounts.ts";
import { googleTokens } from "./google-tokens.ts";
import type { Probe } from "./probe.ts";

/** Every probe, in the order in which they are asked: first those on which others rest. */
export const probes: readonly Probe[] = [
  ...googleTokens,
  ...googleCallers,
  ...googleAccounts,
  ...awsTokens,
  ...awsPolicies,
];
