/** A source of random numbers that a seed decides (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const lists = [
  "assertion.groups",
  "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]",
  "assertion.long.split('')",
  "assertion.sub.split(':')",
];
const texts = ["assertion.sub", "assertion.long", "'a'", "assertion.missing"];
const patterns = ["(a+)+$", "(a|aa)*b", "[a-z]{2,60}:", "(.*?,){11}P", "(a{30}){30}", "^repo:", "a?a?a?a?aaaa"];

/**
 * A random condition of roughly at most so many characters. It is of one type throughout, so that an evaluation goes
 * into its macros: lists in loops, texts that grow, patterns.
 */
export function randomCondition(seed: number, characters: number): string {
  const below = numbers(seed);
  const pick = (some: readonly string[]): string => some[below(some.length)] ?? "";
  let left = characters;
  const spend = (text: string): string => {
    left -= text.length;
    return text;
  };
  const names: string[] = [];
  /** What is inside of a macro, where its variable may be named. */
  const inside = (make: () => string): string => {
    const name = `v${names.length}`;
    names.push(name);
    const text = `${name}, ${make()}`;
    names.pop();
    return text;
  };
  const deep = (): boolean => left > 0 && names.length < 12;
  function list(): string {
    if (!deep()) return spend(pick(lists));
    const way = below(6);
    if (way < 2) return spend(pick(lists));
    if (way === 2) return spend(`${list()}.map(${inside(text)})`);
    if (way === 3) return spend(`${list()}.filter(${inside(truth)})`);
    if (way === 4) return spend(`(${list()} + ${list()})`);
    return spend(`[${text()}, ${text()}]`);
  }
  function text(): string {
    if (!deep()) return names.length > 0 && below(2) === 0 ? `string(${pick(names)})` : spend(pick(texts));
    const way = below(8);
    if (way < 2) return names.length > 0 ? `string(${pick(names)})` : spend(pick(texts));
    if (way === 2) return spend(`(${text()} + ${text()})`);
    if (way === 3) return spend(`${text()}.replace('a', ${text()})`);
    if (way === 4) return spend(`${list()}.join(${text()})`);
    if (way === 5) return spend(`'%s'.format([${list()}])`);
    if (way === 6) return spend(`${text()}.extract('{x}a')`);
    return spend(`(${truth()} ? ${text()} : ${text()})`);
  }
  function truth(): string {
    if (!deep()) return spend(`${text()} == ${text()}`);
    const way = below(9);
    if (way < 3) return spend(`${list()}.${pick(["all", "exists", "exists_one"])}(${inside(truth)})`);
    if (way === 3) return spend(`(${truth()} && ${truth()})`);
    if (way === 4) return spend(`(${truth()} || ${truth()})`);
    if (way === 5) return spend(`${text()}.contains(${text()})`);
    if (way === 6) return spend(`${text()}.matches('${pick(patterns)}')`);
    if (way === 7) return spend(`(${list()} == ${list()})`);
    return spend(`!(${text()} in ${list()})`);
  }
  return truth();
}
