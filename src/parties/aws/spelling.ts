import { keyPrefix } from "../../judge/aws/claims.ts";
import { isMap } from "../../judge/aws/policy.ts";
import type { Evidence } from "../../model.ts";

/** Gives texts about a policy back the letters that its author wrote: a canonical policy has keys and actions in lower case. */
export interface Spelling {
  (text: string): string;
  row(row: Evidence): Evidence;
}

/** Of a policy's text, and the issuer of the token that it was judged with. Values are as they were, and are left alone. */
export function spellingOf(document: unknown, issuer: string): Spelling {
  const statements = isMap(document) ? listOf(document.Statement).filter(isMap) : [];
  const keys = statements.flatMap(({ Condition }) =>
    isMap(Condition) ? Object.values(Condition).flatMap((keys) => (isMap(keys) ? Object.keys(keys) : [])) : [],
  );
  const principals = statements.flatMap(({ Principal }) =>
    isMap(Principal) ? listOf(Principal.Federated).map((name) => String(name).replace(/^arn:[^/]*\//, "")) : [],
  );
  const actions = statements.flatMap(({ Action, NotAction }) => [...listOf(Action), ...listOf(NotAction)].map(String));
  const names = new Map([...keys, ...principals, keyPrefix(issuer)].flatMap(entry));
  const verbs = new Map(actions.flatMap(entry));
  const spell = (text: string): string => respelled(text, names);
  return Object.assign(spell, {
    row: (row: Evidence): Evidence => ({
      ...row,
      key: spell(row.key),
      ...(row.key === "Action" ? { wants: respelled(row.wants, verbs) } : {}),
    }),
  });
}

const listOf = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** Only what has letters of both cases has a spelling to lose; a short word could stand anywhere. */
const entry = (text: string): readonly (readonly [string, string])[] =>
  text !== text.toLowerCase() && text.length > 3 ? [[text.toLowerCase(), text]] : [];

/** Longer names first: one can be the beginning of another. */
function respelled(text: string, names: ReadonlyMap<string, string>): string {
  const sorted = [...names].sort(([a], [b]) => b.length - a.length);
  return sorted.reduce((rest, [lower, written]) => rest.replaceAll(lower, written), text);
}
