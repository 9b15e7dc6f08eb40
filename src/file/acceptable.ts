import type { Code } from "../model.ts";

/** A code that an `accept` of the file may name: breadth, privilege and known keys (contract, section 9). */
export interface Acceptable {
  readonly code: Code;
  readonly kind: "breadth" | "privilege" | "key";
  /** Where it is found: `file` by lint, without a cloud; `live` only over what is there. */
  readonly seen: "file" | "live";
  /** What `of` holds. */
  readonly of: string;
}

/**
 * Every code that can be accepted. Each of them carries an `of`, so that a decision is about one value and not about
 * whatever comes later. Mistakes, drift and proved outsiders are not among them: those are to be repaired.
 */
export const acceptable: readonly Acceptable[] = [
  { code: "BROAD-SUBJECT", kind: "breadth", seen: "file", of: "the pattern, the pool or the mapping" },
  { code: "AWS-SUB-WILDCARD", kind: "breadth", seen: "file", of: "the pattern" },
  { code: "AWS-SUB-MISSING", kind: "breadth", seen: "file", of: "the conditions of the statement" },
  { code: "AWS-CLAIM-CHOSEN", kind: "breadth", seen: "file", of: "the conditions of the statement" },
  { code: "ENTRA-SHARED-AUDIENCE", kind: "breadth", seen: "file", of: "the application" },
  { code: "GOOGLE-CONDITION-BROAD", kind: "breadth", seen: "file", of: "the condition" },
  { code: "GOOGLE-OPEN-ISSUER", kind: "breadth", seen: "file", of: "the issuer or the account" },
  { code: "GOOGLE-SHARED-ACCOUNT", kind: "breadth", seen: "file", of: "the e-mail of the account" },
  { code: "AWS-PRIVILEGED", kind: "privilege", seen: "file", of: "the policy, or the action with its resource" },
  { code: "AWS-ROLE-CHAIN", kind: "privilege", seen: "file", of: "the action with its resource" },
  { code: "AWS-MANAGED-POLICY", kind: "privilege", seen: "file", of: "the ARN of the policy" },
  { code: "AWS-SELF-ESCALATION", kind: "privilege", seen: "live", of: "the policy or the action" },
  { code: "GOOGLE-PRIVILEGED", kind: "privilege", seen: "file", of: "the role with its resource" },
  { code: "GOOGLE-BASIC-ROLE", kind: "privilege", seen: "file", of: "the role with its resource" },
  { code: "PRIVILEGE-NOT-JUDGED", kind: "privilege", seen: "file", of: "the policy, or the role with its resource" },
];
