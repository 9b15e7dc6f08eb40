import { fault, isList, isMap, type Value } from "../values.ts";
import { type Builtin, list, map, of, text } from "./signature.ts";

/** By a key or a path of keys; null for what is not there (serverless.md 6.4). */
function lookUp(from: Value | undefined, path: Value | undefined): Value {
  let at: Value = map(from);
  for (const key of path !== undefined && isList(path) ? path : [text(path)]) {
    if (!isMap(at)) return null;
    const found: Value | undefined = at.get(text(key));
    if (found === undefined) return null;
    at = found;
  }
  return at;
}

const without = (from: ReadonlyMap<string, Value>, key: string): Value => {
  const copy = new Map(from);
  copy.delete(key);
  return copy;
};

function mergeNested(
  first: ReadonlyMap<string, Value>,
  second: ReadonlyMap<string, Value>,
): ReadonlyMap<string, Value> {
  const merged = new Map(first);
  for (const [key, value] of second) {
    const there = merged.get(key);
    merged.set(key, there !== undefined && isMap(there) && isMap(value) ? mergeNested(there, value) : value);
  }
  return merged;
}

const lengthOf = (value: Value | undefined): Value => {
  if (typeof value === "string") return BigInt(value.length);
  if (value !== undefined && value !== null && isMap(value)) return BigInt(value.size);
  if (value !== undefined && value !== null && isList(value)) return BigInt(value.length);
  throw fault("TypeError", "len wants a string, a list or a map");
};

/** `map.*`, `list.*`, `len` and `keys`: they give new values and change none (serverless.md 6.4). */
export const collectionFunctions: Readonly<Record<string, Builtin>> = {
  len: of("value", ([value]) => lengthOf(value)),
  keys: of("map", ([of_]) => [...map(of_).keys()]),
  "map.get": of("map keys", ([from, path]) => lookUp(from, path)),
  "map.delete": of("map key", ([from, key]) => without(map(from), text(key))),
  "map.merge": of("first second", ([first, second]) => new Map([...map(first), ...map(second)])),
  "map.merge_nested": of("first second", ([first, second]) => mergeNested(map(first), map(second))),
  "list.concat": of("objs val", ([items, value]) => [...list(items), value ?? null]),
  "list.prepend": of("objs val", ([items, value]) => [value ?? null, ...list(items)]),
};
