import { GoogleError } from "./rest.ts";

/** `allowed`: the fields that a caller may change. */
export interface Mask {
  readonly mask: string | null;
  readonly allowed: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

const object = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/**
 * A resource after a PATCH: only what the mask names changes, whatever else the body carries, and what it names and the
 * body lacks is cleared (wire.md, trap 11). Paths are dotted, in camel or snake case; without a mask it is what the body
 * carries. Throws 400 for a path outside `allowed`.
 */
export function patched<T extends object>(before: T, given: Fields, { mask, allowed }: Mask): T {
  const named =
    mask ??
    Object.keys(given)
      .filter((name) => allowed.includes(name))
      .join(",");
  const camel = (path: string) => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const paths = named
    .split(",")
    .filter(Boolean)
    .map((path) => camel(path).split("."));
  const wrong = paths.find(([first = ""]) => !allowed.includes(first));
  if (wrong) throw new GoogleError([400, "INVALID_ARGUMENT"], `Invalid field in update mask: ${wrong.join(".")}`);
  return paths.reduce<Fields>((to, path) => placed(to, given, path), before as Fields) as T;
}

function placed(to: Fields, from: Fields, [name = "", ...rest]: readonly string[]): Fields {
  const { [name]: there, ...others } = to;
  const value = rest.length === 0 ? from[name] : placed(object(there), object(from[name]), rest);
  return value === undefined || value === null ? others : { ...others, [name]: value };
}
