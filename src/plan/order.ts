import type { Address, Finding, Resource } from "../model.ts";
import { dependencies } from "./refs.ts";

/** Where there is a cycle, `waves` hold what does not wait for it. */
export interface Order {
  /** Waves of addresses: what stands in one wave depends only on earlier ones. */
  readonly waves: readonly (readonly Address[])[];
  readonly findings: readonly Finding[];
}

/**
 * References -> waves. What is referred to outside of `resources` does not hold anything up. A cycle is a
 * finding that names its members and whatever waits for them; the waves before it stand.
 */
export function order(resources: readonly Resource[]): Order {
  const known = new Set(resources.map((resource) => resource.address));
  const waiting = new Map(
    resources.map((resource) => [
      resource.address,
      [...dependencies(resource.spec), ...(resource.needs ?? [])].filter((address) => known.has(address)),
    ]),
  );
  const waves: Address[][] = [];
  const placed = new Set<Address>();
  while (waiting.size > 0) {
    const wave = [...waiting]
      .filter(([, needs]) => needs.every((need) => placed.has(need)))
      .map(([address]) => address);
    if (wave.length === 0) return { waves, findings: [cycle([...waiting.keys()])] };
    for (const address of wave) {
      placed.add(address);
      waiting.delete(address);
    }
    waves.push(wave);
  }
  return { waves, findings: [] };
}

const cycle = (addresses: readonly Address[]): Finding => ({
  code: "LINKS-CYCLE",
  severity: "error",
  at: addresses[0] ? { address: addresses[0] } : {},
  says: `these need each other, so none can be made first: ${addresses.join(", ")}`,
  because: [],
  fix: ["take one of the references out"],
});
