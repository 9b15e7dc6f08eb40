import type { Claims } from "../../judge/aws/claims.ts";
import type { Policy } from "../../judge/aws/policy.ts";
import { type Evidence, type Remark, remark } from "../../model.ts";
import { causeOfRows } from "./explain.ts";
import { nearMisses } from "./near-misses.ts";
import { type LintContext, lintTrust } from "./trust/lint.ts";

/** A token and the trust that it was judged against. */
export interface Judged {
  readonly policy: Policy;
  readonly claims: Claims;
  readonly rows: readonly Evidence[];
  /** Where the role is, as far as that is known. */
  readonly context: LintContext;
}

/** Why a trust refuses a token, the surest first, and what lint has to say of it besides. */
export interface Explained {
  readonly causes: readonly Remark[];
  readonly besides: readonly Remark[];
}

/** Rules of lint that are about a principal or an action, whose rows have no condition key. */
const byRow: Readonly<Record<string, readonly string[]>> = {
  Principal: ["AWS-OIDC-PROVIDER-ARN", "AWS-PRINCIPAL-ACTION"],
  Action: ["AWS-PRINCIPAL-ACTION", "AWS-TAGS-NOT-ALLOWED"],
};

/**
 * Explains a refusal with the words, codes and fixes of lint where a rule of lint is about a row that fails, and says of the
 * other rows how near the token comes. So one mistake has one diagnosis, whoever is asked.
 */
export function explainRefusal({ policy, claims, rows, context }: Judged): Explained {
  const wrong = rows.filter(({ ok }) => ok === false);
  const linted = lintTrust(policy, context);
  const ofRows = linted.filter((one) => one.severity === "error" && wrong.some((row) => concerns(one, row)));
  const told = ofRows.flatMap(({ because }) => because.map(({ key }) => key));
  const left = wrong.filter(({ key }) => !told.includes(key) && !isToldByCode(key, ofRows));
  const near = nearMisses({ policy, claims, wrong: left });
  const known = causeOfRows(rows, claims, placeOf(context));
  const general = remark(known.code, { says: known.says, fix: [...known.fix], because: [] });
  const plain = known.code === "AWS-TRUST-REFUSES";
  const causes = distinct([
    // What is known of this very token comes before what is wrong with the policy for every token.
    ...(plain || ofRows.some(({ code }) => code === known.code) ? [] : [general]),
    ...ofRows,
    ...near.filter(({ code }) => plain || code !== known.code),
  ]);
  const all = causes.length > 0 ? causes : [withFix(general, wrong)];
  return { causes: all, besides: grave(linted).filter((one) => !all.includes(one)) };
}

/** What lint says of a trust that lets a token in. */
export const besidesOf = (policy: Policy, context: LintContext): readonly Remark[] => grave(lintTrust(policy, context));

const grave = (remarks: readonly Remark[]): readonly Remark[] =>
  remarks.filter(({ severity }) => severity === "error" || severity === "security");

const placeOf = ({ account, partition }: LintContext) =>
  account === undefined || partition === undefined ? undefined : { account, partition };

const concerns = ({ code, because }: Remark, row: Evidence): boolean =>
  because.some(({ key }) => key === row.key) || (byRow[row.key] ?? []).includes(code);

const isToldByCode = (key: string, remarks: readonly Remark[]): boolean =>
  remarks.some(({ code }) => (byRow[key] ?? []).includes(code));

const distinct = (remarks: readonly Remark[]): readonly Remark[] => [
  ...new Map(remarks.map((one) => [`${one.code} ${one.says}`, one])).values(),
];

/** Nothing is near: what the policy would have to say, for whoever knows that the token is the right one. */
function withFix(general: Remark, wrong: readonly Evidence[]): Remark {
  const asked = wrong.filter(({ key, says }) => key.includes(":") && !says.startsWith("("));
  const principal = wrong.find(({ key }) => key === "Principal");
  const action = wrong.find(({ key }) => key === "Action");
  const fix = [
    ...(principal ? [`if this issuer is meant, add a statement whose Principal is ${principal.says}`] : []),
    ...(action ? [`allow ${action.says} in the statement`] : []),
    ...asked.map(
      ({ key, says }) =>
        `if this workload is meant, let ${key} allow ${says}; else use the token of the one that is meant`,
    ),
  ];
  const none =
    wrong.length === 0 ? ["add a statement that allows sts:AssumeRoleWithWebIdentity to the token's issuer"] : [];
  return { ...general, fix: [...general.fix, ...fix, ...none] };
}
