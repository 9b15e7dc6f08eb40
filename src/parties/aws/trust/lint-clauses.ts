import { isText, type Operator, operatorOf, type Policy, type Statement } from "../../../judge/aws/policy.ts";
import type { Evidence } from "../../../model.ts";

/** One operator on one key, with what lint asks of it answered. */
export interface Clause {
  readonly operator: string;
  readonly base: Operator["base"];
  readonly key: string;
  readonly values: readonly string[];
  /** The values without escaped wildcards: what is a wildcard here would be one in the policy. */
  readonly patterns: readonly string[];
  /** It fails where the key is absent, and holds for the values it names: all a condition can do to keep people out. */
  readonly demands: boolean;
  /** It holds where the key is absent, and says something else (aws.md 2.3). */
  readonly lenient: boolean;
}

/** `Null: "false"` beside it takes the leniency from a condition (aws.md 13.2, T06). */
export function clausesOf(statement: Statement, { version }: Policy): readonly Clause[] {
  const all = Object.entries(statement.condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => ({ operator, key, values })),
  );
  const there = new Set(
    all.flatMap(({ operator, key, values }) => (operator === "Null" && `${values}` === "false" ? [key] : [])),
  );
  return all.map(({ operator, key, values }) => {
    const { set, base, ifExists } = operatorOf(operator);
    const loose = (ifExists || set === "ForAllValues") && !there.has(key);
    const texts = values.map((value) => (isText(value) ? value : `<${value.field} of ${value.$ref}>`));
    return {
      ...{ operator, base, key, values: texts },
      patterns: texts.map((text) => (version === "2012-10-17" ? text.replace(/\$\{[*?$]\}/g, "_") : text)),
      demands: base !== undefined && base !== "Null" && !/Not/.test(base) && !loose,
      lenient: base !== "Null" && loose,
    };
  });
}

export const hasWildcard = (pattern: string): boolean => /[*?]/.test(pattern);
/** It says no more than that there is something. */
export const onlyWildcards = (pattern: string): boolean => /^[*?]+$/.test(pattern);

/** A comparison that reads `*` and `?` as wildcards; under any other they are letters (aws.md 2.3). */
export const readsWildcards = ({ base }: Clause): boolean => /Like$|^Arn/.test(base ?? "");
/** A comparison of texts to the letter. */
export const isLiteral = ({ base }: Clause): boolean => /^String(?:Not)?Equals/.test(base ?? "");

/** The condition as a row of evidence: nothing is known of a token here. */
export const rowOf = ({ operator, key, values }: Clause): Evidence => ({
  key,
  wants: `${operator} ${values.join(" or ")}`,
  says: "(any)",
  readFrom: key.slice(key.lastIndexOf(":") + 1),
  ok: false,
});
