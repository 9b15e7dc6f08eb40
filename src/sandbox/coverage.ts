import table from "./coverage.json" with { type: "json" };

/** What the answers of an operation rest on, the strongest first; what is not known counts as inferred. */
export const evidences = ["recorded", "documented", "measured", "inferred", "not played"] as const;
export type Evidence = (typeof evidences)[number];

/** One operation of a service that the sandbox knows. */
export interface Covered {
  /** Such as `aws.iam`. */
  readonly service: string;
  readonly operation: string;
  readonly evidence: Evidence;
}

const isEvidence = (text: string): text is Evidence => evidences.some((one) => one === text);

/** The fidelity table, row by row. A test holds it against the tables of the fakes themselves. */
export const covered: readonly Covered[] = Object.entries(table).flatMap(([service, operations]) =>
  Object.entries<string>(operations).map(([operation, evidence]) => ({
    service,
    operation,
    evidence: isEvidence(evidence) ? evidence : "inferred",
  })),
);
