import type { Issuer, Template } from "./table.ts";

/**
 * Returns the parts of a subject that the wildcards of a pattern stand for, where none of them tells one workload from
 * another: they differ from run to run, or the rest of the subject names the workload without them. Undefined for a
 * pattern without wildcards, and for one that fits several workloads.
 */
export function varyingParts({ claims, parts }: Issuer, pattern: string): readonly string[] | undefined {
  const spellings = [claims.sub ?? []].flat().filter((one): one is string => typeof one === "string");
  const found = spellings.map((spelling) => wildParts(spelling, pattern)).find((names) => names !== undefined);
  if (found === undefined || found.length === 0) return undefined;
  return found.every((name) => parts[name]?.holds === "run" || parts[name]?.needless) ? found : undefined;
}

const holes = /\{(\w+)\}/g;

/** The parts that hold a wildcard; undefined where the pattern is not of this spelling. */
function wildParts(spelling: Template & string, pattern: string): readonly string[] | undefined {
  const names = [...spelling.matchAll(holes)].map(([, name]) => name ?? "");
  const expression = spelling
    .split(/\{\w+\}/)
    .map((text) => text.replace(/[.+^$()|[\]\\]/g, "\\$&"))
    .join("([^:]+)");
  const values = new RegExp(`^${expression}$`).exec(pattern)?.slice(1);
  return values && names.filter((_, at) => /[*?]/.test(values[at] ?? ""));
}
