/** The claims that an expression reads. Of a nested claim the outermost name. */
export const claimsIn = (expression: string): readonly string[] =>
  [...expression.matchAll(/assertion\.(\w+)|assertion\[(?:'([^']+)'|"([^"]+)")\]/g)].map(
    ([, plain, single, double]) => plain ?? single ?? double ?? "",
  );

const member = String.raw`assertion(?:\.(\w+)|\[(?:'([^']+)'|"([^"]+)")\])`;
const listed = new RegExp(String.raw`\bin\s+${member}|${member}(?:\.(?:exists|exists_one|all|filter|map)\(|\[\d)`, "g");

/** The claims that an expression reads as lists: `'x' in assertion.groups`, `assertion.groups.exists(...)`. */
export const listsIn = (expression: string): readonly string[] =>
  [...expression.matchAll(listed)].flatMap(([, ...names]) => names.filter((name) => name !== undefined));

const quoted = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g;

/**
 * The texts in quotes that an expression holds. Of a regular expression also a text that it finds: `repo:acme/.*` finds
 * `repo:acme/x`. Of a comparison of a length also a text of that length.
 */
export function literalsIn(expression: string): readonly string[] {
  const texts = [...expression.matchAll(quoted)].map(([, one, other]) => (one ?? other ?? "").replace(/\\(.)/g, "$1"));
  const samples = /\.matches\(/.test(expression) ? texts.map(sampleOf) : [];
  const lengths = /\bsize\(/.test(expression) ? [...expression.matchAll(/\b\d{1,2}\b/g)].map(Number) : [];
  const long = lengths
    .flatMap((length) => [length - 1, length, length + 1])
    .map((length) => "x".repeat(Math.max(0, length)));
  return [...new Set([...texts, ...samples, ...long])].filter((text) => text !== "");
}

/** Something that a simple regular expression finds: wildcards filled, anchors and escapes taken off. */
const sampleOf = (pattern: string): string =>
  pattern
    .replace(/^\^|\$$/g, "")
    .replace(/\\(.)/g, "$1")
    .replace(/\[[^\]]*\][*+?]?/g, "x")
    .replace(/\(\?:|[()]/g, "")
    .replace(/\.[*+]?/g, (wild) => (wild.length > 1 ? "x" : "."))
    .split("|")[0] ?? "";

/**
 * An expression as alternatives, each a list of what must all hold. Only operators outside of brackets and quotes are
 * taken apart, so each piece means what it meant before.
 */
export const conjunctsOf = (expression: string): readonly (readonly string[])[] =>
  splitAt(expression, "||").map((alternative) => splitAt(alternative, "&&").flatMap(unbracketed));

/** `(a && b)` is taken apart further; what holds alternatives stays one piece. */
function unbracketed(piece: string): readonly string[] {
  const inner = /^\((.*)\)$/s.exec(piece)?.[1];
  if (inner === undefined || !isWhole(inner) || splitAt(inner, "||").length > 1) return [piece];
  return splitAt(inner, "&&").flatMap(unbracketed);
}

/** Whether the brackets of a text close within it. */
function isWhole(text: string): boolean {
  let depth = 0;
  for (const [token] of text.matchAll(tokens)) {
    if (/^[([{]$/.test(token)) depth++;
    if (/^[)\]}]$/.test(token) && --depth < 0) return false;
  }
  return depth === 0;
}

const tokens = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|&&|\|\||\?|[()[\]{}]/g;

function splitAt(text: string, operator: "&&" | "||"): readonly string[] {
  const pieces: string[] = [];
  let depth = 0;
  let from = 0;
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (/^[([{]$/.test(token)) depth++;
    if (/^[)\]}]$/.test(token)) depth--;
    // A conditional binds weaker than both operators, so nothing around it may be taken apart.
    if (token === "?" && depth === 0) return [text.trim()];
    if (token !== operator || depth > 0) continue;
    pieces.push(text.slice(from, index).trim());
    from = index + operator.length;
  }
  return [...pieces, text.slice(from).trim()];
}

const claim = String.raw`assertion(?:\.(\w+)|\['([^']+)'\]|\["([^"]+)"\])`;
const text = String.raw`(?:'[^'\\]*'|"[^"\\]*")`;
const plainClaim = new RegExp(`^${claim}$`);
const comparison = new RegExp(
  String.raw`^${claim}\s*(?:==\s*(${text})|in\s*\[\s*(${text}(?:\s*,\s*${text})*)\s*\]|\.(startsWith|endsWith|contains)\(\s*(${text})\s*\))$`,
);

/** The claim that an expression is, and nothing else. */
export function claimOf(expression: string): string | undefined {
  const [, one, two, three] = plainClaim.exec(expression.trim()) ?? [];
  return one ?? two ?? three;
}

/** One claim compared with texts: the form of nearly every condition. */
interface Comparison {
  readonly claim: string;
  readonly how: "is" | "startsWith" | "endsWith" | "contains";
  readonly texts: readonly string[];
}

const comparisons = new Map<string, Comparison | undefined>();
/** A run has few expressions; a fuzzer has many. */
const mostKept = 2000;

function comparisonOf(expression: string): Comparison | undefined {
  if (comparisons.has(expression)) return comparisons.get(expression);
  const [, one, two, three, single, several, how, part] = comparison.exec(expression.trim()) ?? [];
  const name = one ?? two ?? three;
  const found: Comparison | undefined =
    name === undefined
      ? undefined
      : {
          claim: name,
          how: (how as Comparison["how"] | undefined) ?? "is",
          texts: textsIn(single ?? several ?? part ?? ""),
        };
  if (comparisons.size >= mostKept) comparisons.clear();
  comparisons.set(expression, found);
  return found;
}

const textsIn = (list: string): readonly string[] =>
  [...list.matchAll(quoted)].map(([, one, other]) => one ?? other ?? "");

/** What the claim of a comparison must fit, `*` standing for anything; undefined for any other expression. */
export function likeOf(
  expression: string,
): { readonly claim: string; readonly patterns: readonly string[] } | undefined {
  const alternatives = splitAt(inner(expression), "||");
  if (alternatives.length > 1) return likeOfAll(alternatives);
  const found = comparisonOf(expression);
  if (found === undefined || found.texts.some((one) => /[*?]/.test(one))) return undefined;
  if (found.how !== "is" && found.how !== "startsWith") return undefined;
  return { claim: found.claim, patterns: found.how === "is" ? found.texts : found.texts.map((one) => `${one}*`) };
}

/** Alternatives that all compare the same claim: `(assertion.repository == 'a' || assertion.repository == 'b')`. */
function likeOfAll(alternatives: readonly string[]): ReturnType<typeof likeOf> {
  const each = alternatives.map(likeOf);
  const [first] = each;
  if (first === undefined || each.some((one) => one?.claim !== first.claim)) return undefined;
  return { claim: first.claim, patterns: each.flatMap((one) => one?.patterns ?? []) };
}

/** What stands in the brackets around a whole expression. */
function inner(expression: string): string {
  const text = /^\((.*)\)$/s.exec(expression.trim())?.[1];
  return text === undefined || !isWhole(text) ? expression.trim() : inner(text);
}

/**
 * A comparison of one claim without CEL, for the thousands of tokens that a search looks at; whoever passes is shown to the
 * judge, which evaluates the expression itself. Undefined where the claim is no text, or the expression no comparison.
 */
export function plainTest(
  expression: string,
): ((claims: Readonly<Record<string, unknown>>) => boolean | undefined) | undefined {
  const found = comparisonOf(expression);
  if (found === undefined) return undefined;
  return (claims) => {
    const value = claims[found.claim];
    if (typeof value !== "string") return undefined;
    if (found.how === "is") return found.texts.includes(value);
    const [part = ""] = found.texts;
    if (found.how === "contains") return value.includes(part);
    return found.how === "startsWith" ? value.startsWith(part) : value.endsWith(part);
  };
}
