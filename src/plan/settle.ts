import type { Address, Json, Live, Resource } from "../model.ts";

/**
 * Returns what the file wants, with the live value wherever a thing is taken over, or was, and the file states nothing:
 * adopting changes trust, permissions and marks only (contract, section 9).
 */
export const settle = (resources: readonly Resource[], live: ReadonlyMap<Address, Live>): readonly Resource[] =>
  resources.map((resource) => settled(resource, live.get(resource.address)));

function settled(resource: Resource, live: Live | undefined): Resource {
  const { defaults = [], hold, spec } = resource;
  if (hold === "use" || live?.state !== "present" || live.owner === "ours") return resource;
  const kept = defaults.flatMap((member): readonly (readonly [string, Json])[] => {
    const value = live.spec[member];
    return value === undefined ? [] : [[member, value]];
  });
  return kept.length === 0 ? resource : { ...resource, spec: { ...spec, ...Object.fromEntries(kept) } };
}
