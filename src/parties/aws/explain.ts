import type { Claims } from "../../judge/aws/claims.ts";
import { federatedOf, judgeTrust } from "../../judge/aws/judge.ts";
import { completed } from "../../judge/issuers/outsiders.ts";
import { issuerOf } from "../../judge/issuers/table.ts";
import type { Evidence, Failed, Finding, Judgement, Link, TrustView } from "../../model.ts";
import { CloudError } from "../../run/retry.ts";
import { type Cause, type Refused, tokenCause } from "./explain-issuer.ts";
import { messages } from "./messages.ts";
import { type RoleSpec, trustOf } from "./role/spec.ts";
import { roleArnOf, roleOf } from "./shape.ts";

/**
 * The judge over the live role of a link. Conditions on the session name stay unknown, and what the file does not declare
 * where the claims are those of the file.
 */
export function judge(given: Claims, { link, live, now, declared }: TrustView): Judgement {
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
  return judgeTrust({ claims, federated, request }, trustOf(live.spec as RoleSpec));
}

/**
 * AWS names no condition in its refusals; the judge over the live trust does (failures.md F1). Undefined for
 * every class but `denied` and `refused`: of a throttle or a cut connection nothing more is known. That AWS
 * could not fetch the issuer's keys is known, although it passes as a rule. The rows
 * are those of the trust as it was read before the exchange.
 */
export function explain({ view, error, claims, header }: Failed): Finding | undefined {
  if (!(error instanceof CloudError)) return undefined;
  const { account, ...role } = roleOf(view.link);
  const refused = { error, claims, header, account, roleArn: roleArnOf({ account, ...role }), view };
  const ofToken = tokenCause(refused);
  if (!ofToken && error.class !== "denied" && error.class !== "refused") return undefined;
  const judgement = judge(claims, view);
  const cause = ofToken ?? (view.live.state === "present" ? causeOf(refused, judgement) : roleMissing(view.link));
  return {
    code: cause.code,
    severity: "error",
    asks: cause.asks ?? "broken",
    at: { place: view.link.at(`to.${view.link.to.party}`) },
    links: [view.link.name],
    says: cause.says,
    because: judgement.rows,
    fix: cause.fix,
  };
}

/** STS answers for a missing role as for a refusing one (inferred, aws.md 5.2): only reading it tells. */
const roleMissing = (link: Link): Cause => ({
  code: "AWS-ROLE-MISSING",
  says: `the role ${roleArnOf(roleOf(link))} does not exist; aws answers as if its trust refused`,
  fix: ["crosstrust apply"],
});

/** What AWS itself says, where that is no AccessDenied; then the judge, then the one condition that explains it. */
function causeOf({ error, claims, view }: Refused, judgement: Judgement): Cause {
  const said = /^AccessDenied/.test(error.code) ? undefined : saidCause(error);
  if (said) return said;
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
  return audIsAzp(wrong, claims) ?? subjectChanged(wrong, view) ?? literalWildcard(wrong) ?? refuses(wrong, view.link);
}

/** The same of a token and a trust that belong to no link: what can be said without a file. */
export function causeOfRows(rows: readonly Evidence[], claims: Claims): Cause {
  const wrong = rows.filter((row) => row.ok === false);
  const keys = wrong.map(({ key }) => key).join(", ") || "no statement admits it";
  const plain: Cause = { code: "AWS-TRUST-REFUSES", says: `this trust policy refuses the token: ${keys}`, fix: [] };
  return audIsAzp(wrong, claims) ?? literalWildcard(wrong) ?? plain;
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
