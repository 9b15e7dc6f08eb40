import type { Evidence } from "../../model.ts";
import { type Claims, completed } from "../issuers/outsiders.ts";
import { issuerOf } from "../issuers/table.ts";
import { claimsIn } from "./expressions.ts";
import { judgePool, type PoolJudgement, type PoolTrust } from "./judge.ts";

/**
 * Judges a workload by the claims that the file declares. A real token has more: what is not declared is not known to be
 * missing, so a refusal that rests on such a claim is unknown (contract, section 9).
 */
export function judgeDeclared(declared: Claims, trust: PoolTrust): PoolJudgement {
  if (trust.type === "aws") return judgePool(declared, trust);
  const { known, guessed } = completed(issuerOf(trust.source), String(declared.iss ?? trust.source), declared);
  const asked = [trust.condition, ...Object.values(trust.mapping)].flatMap(claimsIn);
  // Groups are a list of texts, so a claim that only they are made of is one.
  const groups = claimsIn(trust.mapping["google.groups"] ?? "");
  const blank = Object.fromEntries(
    asked
      .filter((claim) => !(claim in guessed))
      .map((claim) => [claim, groups.includes(claim) ? [undeclared] : undeclared]),
  );
  const judged = judgePool({ ...blank, ...guessed }, trust);
  const unsure = (expression: string): boolean => readsOf(expression, trust).some((claim) => !(claim in known));
  const rows = judged.rows.map((row): Evidence => {
    const open =
      row.ok !== true && (row.key === "condition" ? unsure(row.wants) : unsure(trust.mapping[row.key] ?? ""));
    return open
      ? { ...row, ok: "unknown", says: `${row.says} (it reads a claim that the file does not declare)` }
      : row;
  });
  const attributes = Object.entries(trust.mapping).flatMap(([key, text]) => (unsure(text) ? [key] : []));
  const refused = rows.some(({ ok }) => ok === false);
  const open = rows.filter(({ ok }) => ok === "unknown").map(({ key, wants }) => `${key}: ${wants}`);
  const allow = refused ? false : open.length > 0 ? "unknown" : judged.allow;
  const { refusal, ...rest } = judged;
  return {
    ...rest,
    ...(allow === false && refusal ? { refusal } : {}),
    rows,
    allow,
    ...(open.length > 0 ? { unknown: open } : {}),
    guessed: attributes,
  };
}

/** What stands for a claim of which nothing is known but that a token may have it. */
const undeclared = "crosstrust-undeclared";

function readsOf(expression: string, { mapping }: PoolTrust): readonly string[] {
  const mapped = Object.entries(mapping).flatMap(([key, text]) => (expression.includes(key) ? claimsIn(text) : []));
  return [...claimsIn(expression), ...mapped];
}
