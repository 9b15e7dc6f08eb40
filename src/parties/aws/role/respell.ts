/** Actions as the file spells them: parsing lower-cases them, and people read plans. */
export function respell(policy: unknown, like: unknown): unknown {
  const spelled = new Map(
    JSON.stringify(like ?? "")
      .match(/"[\w-]+:[\w*?]+"/g)
      ?.map((text) => [text.toLowerCase(), text]),
  );
  return JSON.parse(
    JSON.stringify(policy).replace(/"[\w-]+:[\w*?]+"/g, (text) => spelled.get(text.toLowerCase()) ?? text),
  );
}
