import type { Evidence } from "../../model.ts";
import type { Attributes } from "./attributes.ts";
import { evaluateAll, isTrue, type Outcome } from "./cel.ts";
import { conjunctsOf } from "./expressions.ts";

type Claims = Readonly<Record<string, unknown>>;

/**
 * Takes each failing row of an attribute condition apart at its `&&` and `||`, and gives each part a row with the values that it
 * reads. The verdict stays that of the whole condition: the parts only show where it fails.
 */
export function conditionParts(rows: readonly Evidence[], claims: Claims, attributes: Attributes): readonly Evidence[] {
  return rows.flatMap((row) => {
    if (row.key !== "condition" || row.ok === true) return [row];
    const alternatives = conjunctsOf(row.wants);
    const parts = alternatives.flatMap((conjuncts, at) =>
      conjuncts.map((part) => ({
        part,
        key: alternatives.length > 1 ? `condition, alternative ${at + 1}` : "condition",
      })),
    );
    const { subject, groups, custom } = attributes;
    const bindings = { assertion: claims, google: { subject, groups }, attribute: custom };
    const outcomes = evaluateAll(
      parts.map(({ part }) => part),
      bindings,
    );
    const read = parts.map(({ part, key }, at): Evidence => {
      const outcome = outcomes[at];
      return {
        key,
        wants: part,
        says: [resultOf(outcome), ...valuesIn(part, claims, attributes)].join("; "),
        readFrom: row.readFrom,
        ok: outcome === undefined || outcome.state === "undecided" ? "unknown" : isTrue(outcome),
      };
    });
    // Parts that all hold explain no failure: then the whole says what is known.
    return read.some(({ ok }) => ok !== true) ? read : [row];
  });
}

const resultOf = (outcome: Outcome | undefined): string =>
  outcome === undefined ? "not evaluated" : outcome.state === "value" ? String(outcome.value) : outcome.why;

const reference = /(?:assertion|attribute|google)(?:\.\w+|\[(?:'[^']+'|"[^"]+")\])/g;

/** What an expression reads, each with its value for this token: `assertion.ref is "refs/heads/main"`. */
function valuesIn(expression: string, claims: Claims, { subject, groups, custom }: Attributes): readonly string[] {
  const outside = expression.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, (text, at: number) =>
    expression[at - 1] === "[" ? text : '""',
  );
  return [...new Set(outside.match(reference) ?? [])].map((name) => {
    const [, root = "", member = ""] = /^(\w+)(?:\.|\[['"])(\w[^'"\]]*)/.exec(name) ?? [];
    const known: Claims = root === "assertion" ? claims : root === "attribute" ? custom : { subject, groups };
    return Object.hasOwn(known, member) ? `${name} is ${shown(known[member])}` : `${name} is not there`;
  });
}

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 300) ?? "(absent)";
