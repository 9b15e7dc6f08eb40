/**
 * Returns the text of a policy document with one statement added at the end or taken out, and every other letter as it
 * was: whoever wrote the document finds it again. Undefined where the change is another one, or the text does not allow it.
 */
export function editText(text: string, before: readonly unknown[], after: readonly unknown[]): string | undefined {
  const same = (some: readonly unknown[], others: readonly unknown[]) =>
    JSON.stringify(some) === JSON.stringify(others);
  const added = after.at(-1);
  if (added !== undefined && before.length > 0 && same(before, after.slice(0, -1)))
    return candidates(text, JSON.stringify(added)).find((one) => same(statementsIn(one), after));
  const gone = before.find((_, at) => same(after, before.toSpliced(at, 1)));
  if (gone === undefined) return undefined;
  const cut = text.replace(`,${JSON.stringify(gone)}`, () => "");
  return same(statementsIn(cut), after) ? cut : undefined;
}

/** The text with a further element at the end of any of its lists. */
const candidates = (text: string, element: string): readonly string[] =>
  [...text.matchAll(/\s*\]/g)].map(({ index }) => `${text.slice(0, index)},${element}${text.slice(index)}`);

function statementsIn(text: string): readonly unknown[] {
  try {
    const { Statement } = JSON.parse(text) as { readonly Statement?: unknown };
    return Array.isArray(Statement) ? Statement : [];
  } catch {
    return [];
  }
}
