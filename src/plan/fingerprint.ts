import { createHash } from "node:crypto";

/**
 * One text for one meaning: object keys sorted, absent members left out, arrays as sets (sorted, no duplicates), and
 * whatever stands under `action` without regard to case (the two conventions of a spec). Equal texts mean equal specs.
 */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) {
    const members = [...new Set(value.map(canonical))].sort();
    return `[${members.join(",")}]`;
  }
  if (value !== null && typeof value === "object") {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonical(key === "action" ? lowerCase(member) : member)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

const lowerCase = (value: unknown): unknown => JSON.parse(JSON.stringify(value).toLowerCase());

/** SHA-256 over the canonical text: 64 hex. */
export const fingerprint = (value: unknown): string => createHash("sha256").update(canonical(value)).digest("hex");

/** The 16 hex that marks and people use. */
export const short = (hash: string): string => hash.slice(0, 16);

/** What a mark remembers of an address: 6 hex, because a description has room for few letters. */
export const brief = (address: string): string => fingerprint(address).slice(0, 6);

/** Equality by meaning, the same that fingerprints go by; an unresolved reference equals only itself. */
export const equal = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);
