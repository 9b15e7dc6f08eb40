import type { Conclusion, Finding, LinkHealth, Verdict } from "../model.ts";
import { codes, exitFor, exitOfCode, firstOf } from "./exit.ts";
import { ratings, worst } from "./table.ts";

/** What a run found: of each link, beside the links, and whether things are left over that no link names. */
export interface Run {
  readonly links: readonly LinkHealth[];
  readonly findings: readonly Finding[];
  readonly leftovers: boolean;
}

/**
 * Returns what a run comes to. Exit code, log severity, the answer to `?strict` and the last line all stand here, so that
 * none of them can say something else than the verdict.
 */
export function conclude({ links, findings, leftovers }: Run): Conclusion {
  const beside = findings.filter(isBeside);
  const verdict = worst([
    ...links.map((link) => link.verdict),
    ...(leftovers ? (["drifted"] as const) : []),
    ...(beside.length > 0 ? (["unknown"] as const) : []),
  ]);
  const asked = [...links.flatMap(({ missing }) => missing), ...beside].flatMap(({ asks }) =>
    asks === undefined || asks === "broken" || asks === "usage" ? [] : [exitFor[asks]],
  );
  const verdictExits = [verdict, ...links.map((link) => link.verdict)].map((one) => ratings[one].exit);
  const exit = firstOf([...findings.map((finding) => exitOfCode(finding) ?? codes.fine), ...asked, ...verdictExits]);
  const undecided = undecidedOf(findings).length;
  const { log, standing } = ratings[verdict];
  return {
    verdict,
    exit,
    healthy: standing === "well",
    log: log === "INFO" && undecided > 0 ? "NOTICE" : log,
    undecided,
    says: saysOf(verdict, undecided),
  };
}

/** A finding of no link that keeps the run from being sure: it decides no link's verdict, and the run's. */
const isBeside = ({ links, asks, accepted }: Finding): boolean =>
  links?.length === 0 && asks !== undefined && asks !== "usage" && accepted === undefined;

/**
 * Returns the security findings that somebody has to decide about. A finding that decides a link's verdict, by its witness
 * or as a refusal that failed, is none of them, and neither is one that the file accepts.
 */
export const undecidedOf = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ severity, witness, accepted, asks, links }) => {
    const decides = links?.length !== 0 && (witness !== undefined || asks === "broken");
    return severity === "security" && accepted === undefined && !decides;
  });

/** Returns what a verdict means, for the last line and the page. Others are said to be turned away only where nothing is left to decide. */
export function saysOf(verdict: Verdict, undecided: number): string {
  if (undecided === 0) return ratings[verdict].says;
  const fares = verdict === "works" ? "every link works" : ratings[verdict].says;
  return `${fares}; ${toDecide(undecided)}`;
}

export const toDecide = (undecided: number): string =>
  `${undecided} security ${undecided === 1 ? "finding" : "findings"} to decide`;
