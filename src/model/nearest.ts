/** Returns the name that was probably meant: two letters or a third of them differ. Further off it would mislead. */
export function nearest(wrong: string, known: readonly string[]): string | undefined {
  const scored = known.map((key) => ({ key, cost: distance(wrong.toLowerCase(), key.toLowerCase()) }));
  const best = scored.sort((a, b) => a.cost - b.cost)[0];
  return best && best.cost <= Math.max(2, Math.floor(wrong.length / 3)) ? best.key : undefined;
}

/** Levenshtein distance. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
