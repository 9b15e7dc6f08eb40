import { type KnownMessage, layers } from "../model.ts";
import { unwrap } from "./unwrap.ts";

/** A known text that was found in another. */
export interface Recognised {
  /** As it stands in the text, from its first word to the end of its sentence. */
  readonly sentence: string;
  readonly layer: KnownMessage["layer"];
  readonly causes: KnownMessage["causes"];
}

/** What a text says, and what else stands in it that has another page. */
export interface Recognition {
  readonly first: Recognised;
  readonly others: readonly Recognised[];
}

/**
 * Finds what a text means, whatever it is wrapped in: of all known texts in it those of the layer nearest to the cause
 * count, and of these the first of the list. Undefined where nothing is known.
 */
export function recognise(output: string, known: readonly KnownMessage[]): Recognition | undefined {
  const text = unwrap(output);
  const found = known.flatMap(({ text: pattern, near, layer, causes }): readonly Recognised[] => {
    const match = near === undefined || near.test(text) ? pattern.exec(text) : null;
    return match ? [{ sentence: sentenceAt(text, match), layer, causes }] : [];
  });
  const nearest = layers.map((layer) => found.filter((one) => one.layer === layer)).find(({ length }) => length > 0);
  const [first, ...rest] = nearest ?? [];
  if (!first) return undefined;
  const told = new Set(first.causes.map(({ code }) => code));
  const others = rest.filter(({ causes: [{ code }] }) => !told.has(code) && told.add(code));
  return { first, others };
}

/** Longer sentences say no more, and may hold what was pasted by mistake. */
const longest = 240;

function sentenceAt(text: string, { index, 0: match }: RegExpExecArray): string {
  const rest = text.slice(index + match.length, index + longest);
  const end = /["<]|[.:;!)](?= |$)| [-{[(]/.exec(rest)?.index ?? rest.length;
  return (match + rest.slice(0, end)).slice(0, longest).trim();
}

/** A page that an unknown text may be about. */
export interface NearPage {
  readonly code: string;
  /** What the page says first. */
  readonly title: string;
}

/** Fewer words than this in common say nothing. */
const enough = 2;

/** Returns the pages that share the most telling words with a text, at most three: a guess, and told as one. */
export function nearestPages(output: string, pages: ReadonlyMap<string, string>): readonly NearPage[] {
  const asked = wordsOf(unwrap(output));
  const words = new Map([...pages].map(([code, page]) => [code, wordsOf(page)] as const));
  const pagesWith = (word: string): number => [...words.values()].filter((of) => of.has(word)).length;
  const weights = new Map([...asked].map((word) => [word, Math.log(pages.size / Math.max(1, pagesWith(word)))]));
  const scored = [...words].map(([code, of]) => {
    const common = [...asked].filter((word) => of.has(word));
    return { code, common: common.length, score: common.reduce((sum, word) => sum + (weights.get(word) ?? 0), 0) };
  });
  return scored
    .filter(({ common }) => common >= enough)
    .sort((a, b) => b.score - a.score)
    .slice(0, 3)
    .map(({ code }) => ({ code, title: titleOf(pages.get(code) ?? "") }));
}

/** Words of four letters and more; what every page has weighs nothing by itself. */
const wordsOf = (text: string): ReadonlySet<string> => new Set(text.toLowerCase().match(/[a-z]{4,}/g) ?? []);

/** The sentence under the code. */
const titleOf = (page: string): string => page.split("\n").find((line, at) => at > 0 && line.trim() !== "") ?? "";
