import type { CelEnv, CelResult, CelValue } from "@bufbuild/cel";
import type { Meter } from "./budget.ts";
import { checkResult, spendCall, spendList, spendRange } from "./costs.ts";
import { extract } from "./extract.ts";
import { type Cel, library } from "./library.ts";
import { rangeFunction, stepFunction } from "./measure.ts";

/** Both parts of the library, with the environment that Google's expressions are evaluated in. */
export interface Engine extends Pick<Cel, "parse" | "plan" | "isCelError" | "isCelList"> {
  /** The environment, with each function counted by a meter. */
  envFor(meter: Meter): CelEnv;
}

let loaded: Engine | undefined;

/**
 * The CEL library, at its first use and not at the start: it takes longer to load than most commands run, and judging
 * is no matter of promises. `matches` is RE2 as at Google; the string functions beyond `split`, `join` and `extract` are
 * not documented there (google.md 11.1, unverified).
 */
export function engine(): Engine {
  if (loaded) return loaded;
  const cel = library();
  const text = cel.CelScalar.STRING;
  const own = cel.celMethod("extract", text, [text], text, function (this: string, template: string) {
    return extract(this, template);
  });
  const env = cel.celEnv({ funcs: [...cel.strings, own] });
  const { parse, plan, isCelError, isCelList } = cel;
  loaded = { parse, plan, isCelError, isCelList, envFor: (meter) => metered(env, meter, cel) };
  return loaded;
}

/** What the planner of the library asks of a function. */
type Call = (id: number, target: CelValue | undefined, args: CelValue[]) => CelResult | undefined;

/**
 * An environment like another, in which each call of a function is counted before it is made. An exception of the meter
 * ends the whole evaluation: the library catches what a function throws, but not what stands around the function.
 */
function metered(env: CelEnv, meter: Meter, cel: Cel): CelEnv {
  const find = (name: string) => {
    if (name === stepFunction || name === rangeFunction) return { name, call: counter(name, meter, cel) };
    const group = env.funcs.find(name);
    if (!group) return undefined;
    const add = name === "_+_" ? adding(meter, cel) : undefined;
    const call: Call = (id, target, args) => {
      const joined = add?.(args);
      if (joined) return joined;
      spendCall({ name, values: target === undefined ? args : [target, ...args] }, meter, cel);
      const result = group.call(id, target, args);
      checkResult(result, meter);
      return result;
    };
    return Object.create(group, { call: { value: call } });
  };
  return Object.create(env, { funcs: { value: Object.create(env.funcs, { find: { value: find } }) } });
}

/** The two functions that measure.ts puts into loops: both hand on their first argument. */
function counter(name: string, meter: Meter, cel: Cel): Call {
  return (_, __, [value, steps]) => {
    if (value === undefined) return undefined;
    if (name === stepFunction) meter.spend(Number(steps));
    else spendRange(value, meter, cel);
    return value;
  };
}

/**
 * Two lists as one that is flat. The library's own remembers its two parts, and of a list that `map` made, one element
 * after the other, each reading would go through all of them.
 */
function adding(meter: Meter, { celList, isCelList }: Cel): (args: readonly CelValue[]) => CelValue | undefined {
  const known = new WeakMap<CelValue & object, readonly CelValue[]>();
  return ([one, other]) => {
    if (!isCelList(one) || !isCelList(other)) return undefined;
    spendList(one, other, meter);
    const all = [...(known.get(one) ?? one), ...(known.get(other) ?? other)];
    const list = celList(all);
    known.set(list, all);
    return list;
  };
}
