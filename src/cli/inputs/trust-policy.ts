import { trustDocument } from "../../judge/aws/grammar/trust-document.ts";
import { isMap, type Policy, parsePolicy } from "../../judge/aws/policy.ts";
import { UsageError } from "../exit.ts";
import { whatIs } from "./documents.ts";
import { given, structureIn } from "./text.ts";

/** A trust policy as it was found, and the ARN of its role where the text says it. */
export interface FoundTrust {
  readonly policy: Policy;
  /** The document alone, with keys and actions as its author spelled them. */
  readonly text: string;
  readonly arn?: string;
}

/**
 * Reads a trust policy: a document, percent-encoded or not, or the answer of `aws iam get-role` as JSON or YAML. Throws a
 * `UsageError` that says what any other text is: a policy without a statement would refuse everybody, which nobody has asked.
 */
export function trustPolicyIn(path: string): FoundTrust {
  const { text, name } = given(path);
  const found = trustIn(text);
  if (typeof found !== "string") return found;
  throw new UsageError(
    `${name} holds no trust policy: it ${found}. crosstrust takes a trust policy, or what aws iam get-role --role-name NAME prints`,
  );
}

/** The trust, or what the text is instead. */
export function trustIn(source: string): FoundTrust | string {
  const value = structureIn(source.trim());
  // The reader of documents knows JSON: what came as YAML is handed on as that.
  const single = Array.isArray(value) && value.length === 1 ? value[0] : value;
  const role = isMap(single) && isMap(single.RoleDetail) ? single.RoleDetail : single;
  const document = trustDocument(isMap(role) ? JSON.stringify(role) : source.replace(/^\ufeff/, "").trim());
  const raw = structureIn(document.text);
  if (!isMap(raw)) return whatIs(source);
  const statements = [raw.Statement ?? []].flat();
  if (!Object.hasOwn(raw, "Statement") || statements.length === 0 || !statements.every(isMap))
    return Object.hasOwn(raw, "Statement") ? "is a policy without a statement" : whatIs(source);
  if (!statements.some((one) => Object.hasOwn(one, "Principal") || Object.hasOwn(one, "NotPrincipal")))
    return "is a policy of permissions, which names no Principal";
  const policy = parsePolicy(JSON.stringify(raw));
  if (!policy) return whatIs(source);
  return { policy, text: document.text, ...(document.arn === undefined ? {} : { arn: document.arn }) };
}
