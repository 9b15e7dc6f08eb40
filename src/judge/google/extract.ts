/**
 * Google's own addition to CEL: `text.extract("prefix{name}suffix")` (google.md 11.1, all eight documented cases). It
 * never fails: what is not found is the empty text, and a template without a name in braces finds nothing.
 */
export function extract(text: string, template: string): string {
  const [, prefix, suffix] = /^([\s\S]*?)\{[A-Za-z0-9_]+\}([\s\S]*)$/.exec(template) ?? [];
  if (prefix === undefined || suffix === undefined) return "";
  const at = text.indexOf(prefix);
  if (at < 0) return "";
  const rest = text.slice(at + prefix.length);
  if (suffix === "") return rest;
  const end = rest.indexOf(suffix);
  return end < 0 ? "" : rest.slice(0, end);
}
