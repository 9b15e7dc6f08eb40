import { evaluate, indexIn, type Reach } from "./evaluate.ts";
import type { Target } from "./program.ts";
import { fault, isList, isMap, typeOf, type Value } from "./values.ts";

/** Writes a name, or a place inside its value; maps on the way that are missing are made (our reading, 6.4). */
export async function assign({ name, path }: Target, value: Value, reach: Reach): Promise<void> {
  const keys: Value[] = [];
  for (const key of path) keys.push(await evaluate(key, reach));
  reach.scope.set(name, keys.length === 0 ? value : placed(reach.scope.get(name), keys, value));
}

/** A copy of `into` with `value` at the end of the way. */
function placed(into: Value, [key = null, ...rest]: readonly Value[], value: Value): Value {
  const inner = (there: Value): Value => (rest.length === 0 ? value : placed(there, rest, value));
  if (isList(into)) {
    const at = indexIn(into, key);
    return into.map((item, index) => (index === at ? inner(item) : item));
  }
  if (!isMap(into)) throw fault("TypeError", `${typeOf(into)} has no members to assign to`);
  if (typeof key !== "string") throw fault("TypeError", `a map key is a string, not ${typeOf(key)}`);
  return new Map([...into, [key, inner(into.get(key) ?? new Map())]]);
}
