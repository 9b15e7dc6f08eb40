import { actionTruth } from "../../../judge/aws/judge.ts";
import type { Policy, Statement } from "../../../judge/aws/policy.ts";
import type { Code, Remark } from "../../../model.ts";
import { grantsOf, issuersOf, type LintContext, prefixOf, webIdentity } from "./lint-grants.ts";

const assume = "sts:assumerole";

/** Who is named: T10, T11 and T16 of aws.md 13.2. */
export function principals(policy: Policy, context: LintContext): readonly Remark[] {
  const allows = policy.statements.filter(({ effect }) => effect === "Allow");
  return [
    ...allows.flatMap(anybody),
    ...allows.flatMap(unfit),
    ...allows.flatMap((statement) => issuersOf(statement).flatMap((name) => wrongArn(name, context))),
    ...others(policy, allows),
  ];
}

const error = (code: Code, says: string, fix: string): Remark => ({
  ...{ code, severity: "error", says, because: [], fix: [fix] },
});

/** T10. `AWS: "*"` with a condition may mean an organization; without one it is everybody. */
function anybody(statement: Statement): readonly Remark[] {
  const { principal, notPrincipal, condition } = statement;
  const open =
    (principal?.AWS?.includes("*") && actionTruth(statement, assume) && !condition) ||
    principal?.Federated?.some((name) => name.includes("*"));
  if (!notPrincipal && !open) return [];
  const says = notPrincipal
    ? "a statement allows everybody but those its NotPrincipal names"
    : "a statement allows everybody: its principal is *";
  return [{ code: "AWS-PRINCIPAL-ANYBODY", severity: "security", says, because: [], fix: ["name who is meant"] }];
}

/** T10: a web identity comes with its own action, and brings no AWS principal (recorded, aws.md 2.1). */
function unfit(statement: Statement): readonly Remark[] {
  const [web, plain] = [actionTruth(statement, webIdentity), actionTruth(statement, assume)];
  const { Federated = [], ...rest } = statement.principal ?? {};
  const code = "AWS-PRINCIPAL-ACTION";
  const named = Object.entries(rest).flatMap(([type, names]) => names.map((name) => `${type} ${name}`));
  if (web && !plain && Federated.length === 0 && named.length > 0) {
    const says = `sts:AssumeRoleWithWebIdentity is allowed to ${named.join(", ")}, and a web identity is none of these: nobody passes`;
    return [error(code, says, "name the OIDC provider under Federated")];
  }
  const issuers = issuersOf(statement);
  if (!web && plain && issuers.length > 0 && named.length === 0) {
    const says = `sts:AssumeRole is allowed to ${issuers.join(", ")}, whose tokens come with sts:AssumeRoleWithWebIdentity: nobody passes`;
    return [error(code, says, "allow sts:AssumeRoleWithWebIdentity")];
  }
  return [];
}

/** T11: an OIDC provider serves its own account alone, and Google's is built in (aws.md 3, 6.1). */
export function wrongArn(name: string, { account, partition, missing }: LintContext): readonly Remark[] {
  const code = "AWS-OIDC-PROVIDER-ARN";
  const [, there, owner] = /^arn:([^:]+):iam::(\d*):oidc-provider\//.exec(name) ?? [];
  if (there === undefined) return [];
  if (/^https?:\/\//.test(prefixOf(name))) {
    return [error(code, `${name} has a scheme in it, and no OIDC provider is named so`, "leave https:// out")];
  }
  if (prefixOf(name) === "accounts.google.com") {
    return [
      error(code, `google is built into aws, and needs no OIDC provider such as ${name}`, "name accounts.google.com"),
    ];
  }
  if (account !== undefined && (there !== partition || owner !== account)) {
    const fix = `make the OIDC provider in ${account}, and name arn:${partition}:iam::${account}:oidc-provider/...`;
    return [error(code, `${name} is not of this role's account (${partition} ${account}): nobody passes`, fix)];
  }
  if (missing?.includes(name))
    return [error(code, `${name} does not exist: nobody passes`, "crosstrust apply   # makes it")];
  return [];
}

/** T16: who gets in without a token, by a statement of the same policy. Issuers side by side are what links add up to. */
function others(policy: Policy, allows: readonly Statement[]): readonly Remark[] {
  if (grantsOf(policy).length === 0) return [];
  const named = allows.flatMap((statement) => {
    const { Federated = [], ...rest } = statement.principal ?? {};
    const plain = actionTruth(statement, assume)
      ? Object.entries(rest).flatMap(([type, names]) => names.map((name) => `${type} ${name}`))
      : [];
    const saml = actionTruth(statement, "sts:assumerolewithsaml")
      ? Federated.filter((name) => name.includes(":saml-provider/"))
      : [];
    return [...plain, ...saml];
  });
  if (named.length === 0) return [];
  return [
    {
      code: "AWS-PRINCIPAL-EXTRA",
      severity: "warning",
      says: `the role also trusts ${[...new Set(named)].join(", ")}, who need no token`,
      because: [],
      fix: ["give them a role of their own"],
    },
  ];
}
