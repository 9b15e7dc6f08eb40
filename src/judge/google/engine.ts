import { extract } from "./extract.ts";
import { type Cel, library } from "./library.ts";

/** Both parts of the library, with the environment that Google's expressions are evaluated in. */
interface Engine extends Pick<Cel, "parse" | "plan" | "isCelError" | "isCelList"> {
  readonly env: ReturnType<Cel["celEnv"]>;
}

let loaded: Engine | undefined;

/**
 * The CEL library, at its first use and not at the start: it takes longer to load than most commands run, and judging
 * is no matter of promises. `matches` is RE2 as at Google; the string functions beyond `split`, `join` and `extract` are
 * not documented there (google.md 11.1, unverified).
 */
export function engine(): Engine {
  if (loaded) return loaded;
  const { celEnv, celMethod, CelScalar, parse, plan, isCelError, isCelList, strings } = library();
  const text = CelScalar.STRING;
  const own = celMethod("extract", text, [text], text, function (this: string, template: string) {
    return extract(this, template);
  });
  loaded = { parse, plan, isCelError, isCelList, env: celEnv({ funcs: [...strings, own] }) };
  return loaded;
}
