import { parsePolicy, type Statement } from "../../../judge/aws/policy.ts";
import { AwsError } from "./query.ts";

const malformed = (says: string): AwsError => new AwsError("MalformedPolicyDocument", 400, says);

/** Non-whitespace characters, AWS's default quota (aws.md 7). */
const quota = 2048;

/**
 * What IAM refuses in a role's trust policy before it keeps it. Only the text about federated principals is a
 * recorded one (failures.md F22); the others are IAM's style and marked so in docs/sandbox.md.
 */
export function checkTrust(text: string): string {
  const policy = parsePolicy(text);
  if (!policy || policy.statements.length === 0) throw malformed("Syntax errors in policy.");
  if (!["2012-10-17", "2008-10-17"].includes(policy.version))
    throw malformed("The policy must contain a valid version string");
  // The character set of policies ends with Latin-1 (fact sheet reliability-and-security, case 95).
  if (/[^\t\n\r\x20-\xff]/.test(text)) throw malformed("The policy contains characters outside of the allowed set.");
  const broken = policy.statements.flatMap((statement) => rules.filter(([test]) => test(statement)))[0];
  if (broken) throw malformed(broken[1]);
  const size = text.replace(/\s/g, "").length;
  if (size > quota) throw new AwsError("LimitExceeded", 409, `Cannot exceed quota for ACLSizePerRole: ${quota}`);
  return text;
}

type Rule = readonly [broken: (statement: Statement) => boolean, says: string];

const rules: readonly Rule[] = [
  [({ effect }) => effect !== "Allow" && effect !== "Deny", "Invalid effect in policy."],
  [({ principal, notPrincipal }) => !principal && !notPrincipal, "Missing required field Principal"],
  [({ resource, notResource }) => resource !== undefined || notResource !== undefined, "Has prohibited field Resource"],
  [({ action, notAction }) => !action && !notAction, "Missing required field Action"],
  [
    ({ action, notAction }) => !(action ?? notAction ?? []).every(isSts),
    "AssumeRole policy may only specify STS AssumeRole actions.",
  ],
  [
    ({ principal }) => !(principal?.Federated ?? []).every(isFederated),
    "Federated principals must be valid domain names or SAML metadata ARNs",
  ],
];

const isSts = (action: string): boolean => /^(\*|sts:.*)$/.test(action);

/** A domain name, or the ARN of an OIDC provider or of SAML metadata (failures.md F22). */
const isFederated = (name: string): boolean =>
  /^[a-z0-9.-]+\.[a-z]{2,}$/i.test(name) || /^arn:aws[a-z-]*:iam::\d{12}:(oidc|saml)-provider\/.+/.test(name);
