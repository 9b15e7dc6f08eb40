import type { Finding } from "../model.ts";

/** A wrong command line, or a question nobody is there to answer: says what to type instead, exit 64. */
export class UsageError extends Error {}

/** A file that cannot be used: its findings, exit 65. */
export class BadFile extends Error {
  readonly findings: readonly Finding[];

  constructor(findings: readonly Finding[]) {
    super("the file has errors");
    this.findings = findings;
  }
}

/** A failure that is a finding already. */
export class Explained extends Error {
  readonly finding: Finding;

  constructor(finding: Finding) {
    super(finding.says);
    this.finding = finding;
  }
}
