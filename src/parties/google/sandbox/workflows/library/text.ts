import { fault, type Value } from "../values.ts";
import { type Builtin, bytes, int, of, text } from "./signature.ts";

/** RE2 on the real service: what only one of the two engines knows is not told apart here (approximate). */
function pattern(source: Value | undefined, flags = "u"): RegExp {
  try {
    return new RegExp(text(source), flags);
  } catch {
    throw fault("ValueError", `not a regular expression: ${text(source)}`);
  }
}

const matches = (found: Iterable<RegExpExecArray>): Value =>
  [...found].map(
    (match) =>
      new Map<string, Value>([
        ["index", BigInt(match.index)],
        ["match", match[0]],
      ]),
  );

const literally = (value: Value | undefined): string => text(value).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** From `start` up to and without `end`, as far as there is text. */
const substring = (source: string, start: number, end: number): string => {
  if (start < 0 || end < start || end > source.length) throw fault("IndexError", "substring out of range");
  return source.slice(start, end);
};

const charset = (name: Value | undefined): void => {
  if (name !== undefined && text(name).toUpperCase() !== "UTF-8") throw fault("ValueError", "only UTF-8 is played");
};

const percent = (source: string): string =>
  encodeURIComponent(source).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

/** `text.*` (serverless.md 5.4). */
export const textFunctions: Readonly<Record<string, Builtin>> = {
  "text.decode": of("data charset?", ([data, name]) => {
    charset(name);
    return new TextDecoder().decode(bytes(data));
  }),
  "text.encode": of("text charset?", ([source, name]) => {
    charset(name);
    return new TextEncoder().encode(text(source));
  }),
  "text.find_all": of("source substr", ([source, part]) =>
    matches(text(source).matchAll(new RegExp(literally(part), "g"))),
  ),
  "text.find_all_regex": of("source regexp", ([source, part]) => matches(text(source).matchAll(pattern(part, "gu")))),
  // A match anywhere, not of the whole text: our reading (serverless.md 6.4).
  "text.match_regex": of("source regexp", ([source, part]) => pattern(part).test(text(source))),
  "text.replace_all": of("source substr repl", ([source, part, by]) =>
    text(source).replaceAll(text(part), () => text(by)),
  ),
  "text.replace_all_regex": of("source regexp repl", ([source, part, by]) =>
    text(source).replace(pattern(part, "gu"), () => text(by)),
  ),
  "text.split": of("source separator", ([source, separator]) => text(source).split(text(separator))),
  "text.substring": of("source start end", ([source, start, end]) => substring(text(source), int(start), int(end))),
  "text.to_lower": of("source", ([source]) => text(source).toLowerCase()),
  "text.to_upper": of("source", ([source]) => text(source).toUpperCase()),
  "text.url_encode": of("source", ([source]) => percent(text(source))),
  "text.url_encode_plus": of("source", ([source]) => percent(text(source)).replaceAll("%20", "+")),
  "text.url_decode": of("source", ([source]) => {
    try {
      return decodeURIComponent(text(source));
    } catch {
      throw fault("ValueError", "not percent-encoded text");
    }
  }),
};
