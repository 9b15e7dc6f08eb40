/**
 * In which order IAM looks at a policy. The text of the first stage that finds something is what IAM answers (recorded by
 * moto's verified table of refusals; the stages of trust policies are inferred).
 */
export const stages = [
  "characters",
  "json",
  "syntax",
  "version",
  "principal-prohibited",
  "legacy",
  "resource-legacy",
  "sid",
  "actions",
  "resource-form",
  "action-form",
  "resources",
  "principal",
  "trust-actions",
] as const;
export type Stage = (typeof stages)[number];

/** What is wrong at one place of a policy. */
export interface Fault {
  readonly stage: Stage;
  /** What IAM answers, with the code MalformedPolicyDocument. */
  readonly says: string;
  /** What is wrong in plain words, where IAM's own sentence does not tell. */
  readonly because?: string;
  /** Where in the text of the document, in UTF-16 units from its start. */
  readonly at: number;
}

export const syntax = (at: number, because: string): Fault => ({
  stage: "syntax",
  says: "Syntax errors in policy.",
  because,
  at,
});

export const legacy = (at: number, because: string): Fault => ({
  stage: "legacy",
  says: "The policy failed legacy parsing",
  because,
  at,
});
