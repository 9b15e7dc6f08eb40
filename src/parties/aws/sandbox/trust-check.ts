import { isMap, parsePolicy, type Statement } from "../trust/policy.ts";
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
  if (!["2012-10-17", "2008-10-17"].includes(policy.version)) throw malformed("The policy must contain a valid version string");
  for (const statement of policy.statements) check(statement, text);
  const size = text.replace(/\s/g, "").length;
  if (size > quota) throw new AwsError("LimitExceeded", 409, `Cannot exceed quota for ACLSizePerRole: ${quota}`);
  return text;
}

function check(statement: Statement, text: string): void {
  if (statement.effect !== "Allow" && statement.effect !== "Deny") throw malformed("Invalid effect in policy.");
  if (!statement.principal && !statement.notPrincipal) throw malformed("Missing required field Principal");
  if (statement.resource || statement.notResource) throw malformed("Has prohibited field Resource");
  if (!statement.action && !statement.notAction) throw malformed("Missing required field Action");
  if (!(statement.action ?? statement.notAction ?? []).every((action) => /^(\*|sts:.*)$/.test(action))) {
    throw malformed("AssumeRole policy may only specify STS AssumeRole actions.");
  }
  const raw: unknown = JSON.parse(text);
  if (isMap(raw) && /[^\t\n\r\x20-\xff]/.test(text)) throw malformed("The policy contains characters outside of the allowed set.");
  for (const name of statement.principal?.["Federated"] ?? []) {
    const domain = /^[a-z0-9.-]+\.[a-z]{2,}$/i.test(name);
    const provider = /^arn:aws[a-z-]*:iam::\d{12}:(oidc-provider|saml-provider)\/.+/.test(name);
    if (!domain && !provider) throw malformed("Federated principals must be valid domain names or SAML metadata ARNs");
  }
}
