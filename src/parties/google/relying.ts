import { strangersOf } from "../../judge/google/admits.ts";
import type { Identity, Link, Live, RelyingParty, Resource } from "../../model.ts";
import { serviceAccountAddress } from "./claims.ts";
import { exchange, whoami } from "./exchange.ts";
import { explain } from "./explain-exchange.ts";
import { bindingResources } from "./federation/binding-spec.ts";
import { poolProviderName, poolProviderResource, poolResource } from "./federation/spec.ts";
import { guardResource } from "./guard.ts";
import { judge, trustOf } from "./judge.ts";
import type { AccountSpec } from "./kind.ts";
import { sinkOf, targetOf } from "./shape.ts";

/** The pool provider holds the trust, so it comes first; what a link may do stands in bindings of their own. */
function trust(link: Link, identity: Identity): readonly Resource[] {
  const sink = sinkOf(link);
  const spec: AccountSpec | undefined = sink && {
    ...{ project: sink.project, id: sink.id, email: sink.email, disabled: false },
  };
  const bindings = bindingResources(link, identity);
  // An account of ours carries what it was granted itself; one that is only used has no mark to carry anything.
  const own = sink?.hold === "own" ? bindings.filter(({ spec }) => spec.pool === "") : [];
  const addresses = (some: readonly Resource[]) => some.map(({ address }) => address);
  const carried = own.length > 0 ? { covers: addresses(own) } : {};
  const account: readonly Resource[] =
    sink && spec
      ? [{ address: serviceAccountAddress(sink), links: [link.name], hold: sink.hold, spec, ...carried }]
      : [];
  const covers = addresses(bindings.filter((one) => !own.includes(one)));
  const poolProvider = { ...poolProviderResource(link, identity), covers };
  const guard = guardResource(link, targetOf(link).project);
  const pool = { ...poolResource(link), ...(guard.length > 0 ? { covers: addresses(guard) } : {}) };
  return [poolProvider, pool, ...account, ...bindings, ...guard];
}

export const relying: RelyingParty = {
  trust,
  judge,
  strangers: (view, desired) => {
    const there = trustOf(view);
    const wanted: Live = { state: "present", owner: "ours", spec: desired.spec, outputs: {} };
    const should = trustOf({ ...view, live: wanted });
    return there && should && desired.hold === "own" ? strangersOf(there, should) : [];
  },
  exchange,
  whoami,
  explain,
  audience: poolProviderName,
  // Bindings take two minutes as a rule, and seven at worst (google.md, trap 17).
  visibleAfter: 420_000,
};
