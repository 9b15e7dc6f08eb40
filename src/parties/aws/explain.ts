import { type Claims, keyPrefix } from "../../judge/aws/claims.ts";
import { federatedOf, judgeTrust } from "../../judge/aws/judge.ts";
import { claimsRefusal, type TokenRefusal, type TokenRule, tokenRefusal } from "../../judge/aws/token.ts";
import { completed } from "../../judge/issuers/outsiders.ts";
import { issuerOf } from "../../judge/issuers/table.ts";
import type { Evidence, Failed, Finding, Judgement, Link, TrustView } from "../../model.ts";
import { CloudError } from "../../run/retry.ts";
import { type Cause, sentenceCause } from "./explain-issuer.ts";
import { messages } from "./messages.ts";
import { type RoleSpec, roleAddress, trustOf } from "./role/spec.ts";
import { roleArnOf, roleOf } from "./shape.ts";
import { saysSo, tokenCause } from "./token-cause.ts";
import type { LintContext } from "./trust/lint-grants.ts";
import { wrongArn } from "./trust/lint-principals.ts";

/**
 * The judge over the live role of a link, and what AWS checks of the claims before. Conditions on the session name stay
 * unknown, and what the file does not declare where the claims are those of the file.
 */
export function judge(given: Claims, { link, live, lookup, now, declared }: TrustView): Judgement {
  const role = roleOf(link);
  if (live.state !== "present") {
    return {
      allow: false,
      rows: [{ key: "role", wants: roleArnOf(role), says: "(absent)", readFrom: "iam", ok: false }],
    };
  }
  const iss = String(given.iss);
  const claims = declared ? completed(issuerOf(iss), iss, given).known : given;
  const federated = federatedOf(iss, role.account, role.partition);
  const request = { ...(now === undefined ? {} : { now }), ...(declared ? { declared } : {}) };
  const judged = judgeTrust({ claims, federated, request }, trustOf(live.spec as RoleSpec));
  const before = claimsRefusal(claims, { roleArn: arnOf({ link, lookup }) });
  return before ? { allow: false, rows: [before.row, ...judged.rows] } : judged;
}

/** The ARN of a link's role as it was read: one that was adopted may have another path than the file's. */
const arnOf = ({ link, lookup }: Pick<TrustView, "link" | "lookup">): string =>
  lookup({ $ref: roleAddress(roleOf(link)), field: "arn" }) ?? roleArnOf(roleOf(link));

/**
 * AWS names no condition in its refusals; the judge over the live trust does (failures.md F1). Undefined for
 * every class but `denied` and `refused`: of a throttle or a cut connection nothing more is known. That AWS
 * could not fetch the issuer's keys is known, although it passes as a rule. The rows
 * are those of the trust as it was read before the exchange.
 */
export function explain({ view, error, claims, header }: Failed): Finding | undefined {
  if (!(error instanceof CloudError)) return undefined;
  const broken = brokenRule(error, { view, claims, ...(header ? { header } : {}) });
  const ofToken = tokenRefused(error, { view, claims, broken, ...(header ? { header } : {}) });
  if (!ofToken && error.class !== "denied" && error.class !== "refused") return undefined;
  const judgement = judge(claims, view);
  const known = { view, claims };
  const cause = ofToken ?? (view.live.state === "present" ? causeOf(error, judgement, known) : roleMissing(view.link));
  return {
    code: cause.code,
    severity: "error",
    asks: cause.asks ?? "broken",
    at: { place: view.link.at(`to.${view.link.to.party}`) },
    links: [view.link.name],
    says: cause.says,
    because: withRow(judgement.rows, broken?.row),
    fix: cause.fix,
  };
}

/** The judge has told the claims' own row already; of the header and of the clock it knows nothing. */
const withRow = (rows: readonly Evidence[], row: Evidence | undefined): readonly Evidence[] =>
  row === undefined || rows.some(({ key, wants }) => key === row.key && wants === row.wants) ? rows : [row, ...rows];

/**
 * The rule that the token breaks, where AWS refused the token itself. An AccessDenied means that AWS has read the trust
 * policy, and so that the token kept them all.
 */
function brokenRule(
  error: CloudError,
  { view, claims, header }: Pick<Failed, "view" | "claims" | "header">,
): TokenRefusal | undefined {
  const now = view.now === undefined ? {} : { now: Math.floor(view.now / 1000) };
  const broken = tokenRefusal({ claims, ...(header ? { header } : {}) }, { ...now, roleArn: arnOf(view) });
  if (broken?.rule === "subject") return error.code === broken.code ? broken : undefined;
  return error.class === "refused" ? broken : undefined;
}

/** STS answers for a missing role as for a refusing one (inferred, aws.md 5.2): only reading it tells. */
const roleMissing = (link: Link): Cause => ({
  code: "AWS-ROLE-MISSING",
  says: `the role ${roleArnOf(roleOf(link))} does not exist; aws answers as if its trust refused`,
  fix: ["crosstrust apply"],
});

/** A refused exchange, and the rule of AWS's that its token breaks. */
type Known = Omit<Failed, "error"> & { readonly broken: TokenRefusal | undefined };

/** Rules that are judged by a clock. */
const ofTime: readonly TokenRule[] = ["expired", "ahead", "not-yet"];

/**
 * Why AWS refused the token itself. Where AWS's sentence is that of the broken rule, the rule says more; else AWS's
 * sentence decides, because a token may break two rules and AWS names one. The sentence is always told.
 */
function tokenRefused(error: CloudError, { view, claims, broken, header }: Known): Cause | undefined {
  const quoted = `aws says "${error.message}"`;
  const ruled = broken && tokenCause(broken, claims);
  const { account } = roleOf(view.link);
  const refused = { error, claims, account, roleArn: arnOf(view), view, ...(header ? { header } : {}) };
  const said = sentenceCause(refused);
  const says = broken !== undefined && saysSo(broken, error.message);
  // AWS has a sentence for each rule about time: without it only this machine's clock says that the rule is broken.
  if (broken && !says && ofTime.includes(broken.rule)) return said;
  // What the users of this issuer can do stands with the sentence.
  const fix = said !== undefined && said.code === ruled?.code ? { fix: said.fix } : {};
  const byRule = ruled && { ...ruled, ...fix, says: `${ruled.says}; ${quoted}` };
  if (says) return byRule;
  return said?.code === "AWS-TOKEN-REFUSED" ? (byRule ?? said) : said;
}

/** What AWS itself says, where that is no AccessDenied; then the judge, then the one condition that explains it. */
function causeOf(
  error: CloudError,
  judgement: Judgement,
  { view, claims }: { view: TrustView; claims: Claims },
): Cause {
  const said = /^AccessDenied/.test(error.code) ? undefined : saidCause(error);
  if (said) return said;
  const { account, partition } = roleOf(view.link);
  if (judgement.allow === true) return refusedAnyway(error);
  if (judgement.allow === "unknown") {
    const what = judgement.unknown?.join(", ") ?? "";
    return {
      code: "AWS-TRUST-UNDECIDED",
      says: `aws refuses, and these parts of the trust policy cannot be judged from here: ${what}`,
      fix: ["read the trust policy"],
    };
  }
  const wrong = judgement.rows.filter((row) => row.ok === false);
  return (
    wrongPrincipal(wrong, claims, { account, partition }) ??
    audIsAzp(wrong, claims) ??
    subjectChanged(wrong, view) ??
    literalWildcard(wrong) ??
    refuses(wrong, view.link)
  );
}

/** A definite answer with a code of its own, such as a region that is switched off: no trust policy was reached. */
function saidCause({ code, message }: CloudError): Cause {
  const known = messages.find(({ text, layer }) => layer === "cause" && text.test(message.replace(/\s+/g, " ")));
  const [cause] = known?.causes ?? [];
  const sentence = `aws says ${code} "${message}"`;
  const fix = ["read what aws says: the trust policy was not reached"];
  return cause
    ? { code: cause.code, says: `${sentence}: ${cause.means}`, fix }
    : { code: "REFUSED", says: sentence, fix };
}

/** Where a role is. */
type Where = Pick<LintContext, "account" | "partition">;

/**
 * The principal names the token's issuer as AWS has it nowhere: Google by an OIDC provider, or one of another account. Of a
 * role that stands nowhere yet the account is not known, and only the form can be wrong.
 */
function wrongPrincipal(wrong: readonly Evidence[], claims: Claims, where?: Where): Cause | undefined {
  const row = wrong.find(({ key }) => key === "Principal");
  const mine = `:oidc-provider/${keyPrefix(String(claims.iss))}`;
  const named = (row?.wants.match(/arn:[^\s,;]+/g) ?? []).filter((name) => name.endsWith(mine));
  const [first] = named.flatMap((name) => {
    const [, partition = "", , , account = ""] = name.split(":");
    return wrongArn(name, where ?? { account, partition });
  });
  return first && { code: first.code, says: first.says, fix: first.fix };
}

/** The same of a token and a trust that belong to no link: what can be said without a file. */
export function causeOfRows(rows: readonly Evidence[], claims: Claims, where?: Where): Cause {
  const wrong = rows.filter((row) => row.ok === false);
  const keys = wrong.map(({ key }) => key).join(", ") || "no statement admits it";
  const plain: Cause = { code: "AWS-TRUST-REFUSES", says: `this trust policy refuses the token: ${keys}`, fix: [] };
  return wrongPrincipal(wrong, claims, where) ?? audIsAzp(wrong, claims) ?? literalWildcard(wrong) ?? plain;
}

/** The judge sees no policy of the organization, nor whether a role has propagated (aws.md 7). */
const refusedAnyway = (error: CloudError): Cause => ({
  code: "AWS-REFUSED-ANYWAY",
  says: `its trust policy, as read now, allows this token, and aws refuses it: ${error.code} "${error.message}"`,
  fix: [
    "if the role was changed within the last minute: wait and try again, aws needs 8 to 12 seconds as a rule",
    "else look for a service control policy or resource control policy of the organization",
  ],
});

/** The policy wants the token's `aud` where AWS reads `azp` (aws.md 2.1, failures.md F2). */
function audIsAzp(wrong: readonly Evidence[], claims: Claims): Cause | undefined {
  const row = wrong.find(({ key, readFrom }) => key.endsWith(":aud") && readFrom === "azp");
  const audience = String(claims.aud);
  if (!row?.wants.split(" or ").includes(audience)) return undefined;
  return {
    code: "AWS-AUD-IS-AZP",
    says: "this trust policy refuses the token: aws reads google's azp as the audience",
    fix: [`match ${audience} with ${row.key.replace(/:aud$/, ":oaud")} instead`],
  };
}

/** A role that still trusts an old unique id: the account was deleted and made again under its old e-mail. */
function subjectChanged(wrong: readonly Evidence[], { link, live }: TrustView): Cause | undefined {
  const row = wrong.find(({ key }) => key === "accounts.google.com:sub");
  const remembered = live.state === "present" ? (live.mark?.subjects ?? "") : "";
  if (!row || !remembered.includes(row.wants)) return undefined;
  return {
    code: "GOOGLE-UNIQUE-ID-CHANGED",
    says: `the unique id of the service account changed from ${row.wants} to ${row.says}: it was deleted and made again, and the role trusts the old one`,
    fix: [`crosstrust apply --adopt ${link.name}   # takes the new account over and lets the role trust it`],
  };
}

/** Under StringEquals `*` and `?` stand for themselves (aws.md 2.3): a trust meant for many admits nobody. */
function literalWildcard(wrong: readonly Evidence[]): Cause | undefined {
  // A key with a colon is a condition key; a row that names no operator is one of StringEquals.
  const row = wrong.find(({ key, wants }) => key.includes(":") && /[*?]/.test(wants) && !namesOperator.test(wants));
  if (!row) return undefined;
  return {
    code: "AWS-WILDCARD-LITERAL",
    says: `${row.key} is compared with ${row.wants} to the letter: StringEquals knows no wildcards`,
    fix: ["name the subject in full"],
  };
}

const namesOperator = /^(?:For(?:Any|All)Values?:)?(?:String|Arn|Numeric|Date|Bool|Null|Binary|Ip|NotIp)[A-Za-z]* /;

/** Nothing in particular: the rows show each condition that fails. */
const refuses = (wrong: readonly Evidence[], link: Link): Cause => ({
  code: "AWS-TRUST-REFUSES",
  says: `the trust policy refuses this token: ${wrong.map(({ key }) => key).join(", ") || "no statement admits it"}`,
  fix: [`crosstrust plan ${link.name}   # shows what differs from the file`, "crosstrust apply   # repairs it"],
});
