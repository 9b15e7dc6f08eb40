import type { Asks, Change, Finding } from "../model.ts";

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

const order: readonly number[] = Object.values(codes);

/** The exit code that a finding asks for by name. */
export const exitFor: Readonly<Record<Asks, number>> = {
  broken: codes.broken,
  denied: codes.denied,
  conflict: codes.conflict,
  untold: codes.untold,
  usage: codes.usage,
  file: codes.badFile,
};

/** Returns the first of the given exit codes in the contract's order, and 0 where none is given. */
export const firstOf = (applying: readonly number[]): number =>
  order.find((code) => applying.includes(code)) ?? codes.fine;

/** Returns the exit code of a run that was cut off, or of a file whose links contradict each other. */
export const exitOfCode = ({ code }: Finding): number | undefined => {
  if (code === "INTERRUPTED") return codes.interrupted;
  return code === "LINKS-CONFLICT" || code === "LINKS-CYCLE" ? codes.badFile : undefined;
};

/** What a command found that plans or writes and proves nothing. A check has `conclude` instead. */
export interface Outcome {
  readonly findings?: readonly Finding[];
  /** What is still different from the file. */
  readonly changes?: readonly Change[];
}

/** Returns the exit code of a command that has no verdicts. A finding that the file accepts asks for none. */
export function exitOf({ findings = [], changes = [] }: Outcome): number {
  const asked = findings
    .filter(({ accepted }) => accepted === undefined)
    .map((finding) => exitOfCode(finding) ?? (finding.asks ? exitFor[finding.asks] : codes.fine));
  const differs = changes.some(({ verb }) => verb !== "keep");
  return firstOf(differs ? [...asked, codes.differs] : asked);
}
