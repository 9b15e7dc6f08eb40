import { evaluateAll } from "./cel.ts";

/** What a mapping made of a token: what principals, conditions and policies speak of. */
export interface Attributes {
  readonly subject: string;
  readonly groups: readonly string[];
  /** Custom ones by their bare names. */
  readonly custom: Readonly<Record<string, string>>;
  /**
   * Entries of the mapping that these claims give no value, each with the reason: `attribute.NAME` or `google.groups`.
   * Google either leaves such an attribute out or refuses the token; only of `google.subject` a refusal is known
   * (google.md, trap 20 as corrected). Absent where there is none.
   */
  readonly undecided?: Readonly<Record<string, string>>;
}

/** `google.subject`, `google.groups` or `attribute.NAME`, each with its expression. */
export type Mapping = Readonly<Record<string, string>>;

/** What Google gives an AWS pool provider without a mapping: the role as its whole ARN (google.md 6.5, model). */
export const awsDefaultMapping: Mapping = {
  "google.subject": "assertion.arn",
  "attribute.aws_role":
    "assertion.arn.contains('assumed-role') ? assertion.arn.extract('{account_arn}assumed-role/') + 'assumed-role/' + assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn",
};

/** A mapping that Google refuses for these claims, or that cannot be judged, by the attribute where it fails. */
export interface Unmapped {
  readonly key: string;
  readonly why: string;
  /** `size` has an error text of its own (google.md 9.2); `undecided` says nothing about Google. */
  readonly state: "failed" | "size" | "undecided";
}

/** Bytes (google.md 6.1). */
export const longestSubject = 127;
export const mostMapped = 8192;

type Assertion = Readonly<Record<string, unknown>>;

/** One attribute after the other; each must come to a text, and groups to a list of texts (google.md 6.1). */
export function attributesOf(assertion: Assertion, mapping: Mapping): Attributes | Unmapped {
  const texts: Record<string, string> = {};
  const undecided: Record<string, string> = {};
  let groups: readonly string[] = [];
  const outcomes = evaluateAll(Object.values(mapping), { assertion });
  for (const [at, key] of Object.keys(mapping).entries()) {
    const outcome = outcomes[at];
    if (!outcome) continue;
    if (outcome.state === "failed" && key !== "google.subject") {
      undecided[key] = outcome.why;
      continue;
    }
    if (outcome.state !== "value") return { key, state: outcome.state, why: outcome.why };
    const { value } = outcome;
    if (key === "google.groups" && isTexts(value)) groups = value;
    else if (key !== "google.groups" && typeof value === "string") texts[key] = value;
    else
      return {
        key,
        state: "failed",
        why: `it does not come to a ${key === "google.groups" ? "list of texts" : "text"}`,
      };
  }
  const { "google.subject": subject = "", ...others } = texts;
  const custom = Object.fromEntries(
    Object.entries(others).map(([key, text]) => [key.replace(/^attribute\./, ""), text]),
  );
  const attributes: Attributes = { subject, groups, custom };
  return checked(Object.keys(undecided).length === 0 ? attributes : { ...attributes, undecided });
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

/** An empty subject names nobody; limits count bytes. */
function checked(attributes: Attributes): Attributes | Unmapped {
  const { subject, groups, custom } = attributes;
  const key = "google.subject";
  if (subject === "") return { key, state: "failed", why: "it comes to nothing" };
  const bytes = Buffer.byteLength(subject);
  if (bytes > longestSubject) return { key, state: "size", why: `it has ${bytes} bytes, and ${longestSubject} fit` };
  const all = [subject, ...groups, ...Object.values(custom)].reduce((sum, one) => sum + Buffer.byteLength(one), 0);
  if (all > mostMapped) return { key: "all together", state: "size", why: `${all} bytes, and ${mostMapped} fit` };
  return attributes;
}

export const isUnmapped = (value: Attributes | Unmapped): value is Unmapped => "why" in value;
