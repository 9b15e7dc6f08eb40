import { JsonFault, memberOf, type Node, readJson } from "./json.ts";

/** A trust policy as it was found in a text. */
export interface TrustDocument {
  /** The policy alone, percent-decoded. */
  readonly text: string;
  /** Turns a place in the policy into one in the text that it was found in; the policy's beginning where it was encoded. */
  readonly placed: (at: number) => number;
  /** The ARN of the role, where the text was the answer of `aws iam get-role`. */
  readonly arn?: string;
}

/**
 * Finds the trust policy in a text: the document itself, percent-encoded or not, or the answer of `aws iam get-role`, whole
 * or with `--query Role`. A text that is none of these comes back as it is, so that the grammar says what is wrong with it.
 */
export function trustDocument(source: string): TrustDocument {
  const whole: TrustDocument = { text: source, placed: (at) => at };
  const encoded = decoded(source.trim());
  if (encoded !== undefined) return { text: encoded, placed: () => source.search(/\S/) };
  const node = nodeOf(source);
  if (!node) return whole;
  if (node.kind === "text") return { text: decoded(node.value) ?? node.value, placed: () => node.at };
  const role = memberOf(node, "Role")?.value ?? node;
  const document = memberOf(role, "AssumeRolePolicyDocument")?.value;
  if (!document) return whole;
  const name = memberOf(role, "Arn")?.value;
  const arn = name?.kind === "text" ? { arn: name.value } : {};
  if (document.kind === "text") {
    return { text: decoded(document.value) ?? document.value, placed: () => document.at, ...arn };
  }
  return { text: source.slice(document.at, document.end), placed: (at) => document.at + at, ...arn };
}

/** Undefined for what is not percent-encoded JSON. */
function decoded(text: string): string | undefined {
  if (!/^%7b/i.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function nodeOf(source: string): Node | undefined {
  try {
    return readJson(source);
  } catch (error) {
    if (error instanceof JsonFault) return undefined;
    throw error;
  }
}
