import type { Change, Finding, Verdict } from "../model.ts";

/** Exit codes, the first that applies (contract, section 2). */
export const codes = {
  interrupted: 130,
  failed: 1,
  usage: 64,
  badFile: 65,
  broken: 3,
  denied: 77,
  conflict: 73,
  untold: 75,
  differs: 2,
  fine: 0,
} as const;

/** Whatever a command found that an exit code may depend on. */
export interface Outcome {
  readonly findings?: readonly Finding[];
  readonly verdicts?: readonly Verdict[];
  /** What is still different from the file. */
  readonly changes?: readonly Change[];
}

/**
 * The order of the questions is the contract's order of precedence: a definite no outranks a "could not
 * tell", and both outrank a difference. Links that contradict each other are the file's fault, so 65.
 */
export function exitOf({ findings = [], verdicts = [], changes = [] }: Outcome): number {
  const asks = new Set(findings.map((finding) => finding.asks));
  if (findings.some(({ code }) => code === "INTERRUPTED")) return codes.interrupted;
  if (asks.has("usage")) return codes.usage;
  if (asks.has("file") || findings.some(({ code }) => code === "LINKS-CONFLICT" || code === "LINKS-CYCLE"))
    return codes.badFile;
  if (asks.has("broken") || verdicts.includes("open") || verdicts.includes("broken")) return codes.broken;
  if (asks.has("denied")) return codes.denied;
  if (asks.has("conflict")) return codes.conflict;
  if (asks.has("untold") || verdicts.includes("unknown")) return codes.untold;
  if (verdicts.includes("drifted") || changes.some(({ verb }) => verb !== "keep")) return codes.differs;
  return codes.fine;
}

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
