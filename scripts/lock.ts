/** One package of a lock file of npm, version 3. */
interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly [member: string]: unknown;
}

/** A lock file of npm, version 3: packages by the folder in which each is installed; `""` is the manifest's own. */
export interface Lock {
  readonly packages: Readonly<Record<string, Locked>>;
}

/** What a lock says of the manifest that it belongs to. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * Returns the lock of a smaller manifest, cut out of the lock of a larger one: the packages that `manifest` reaches, in the
 * versions and with the digests of `lock`. Throws where `lock` does not hold a package that is asked for.
 */
export function lockFor({ name, version, dependencies }: Manifest, { packages }: Lock): object {
  const reached = new Map<string, Locked>();
  const reach = (folder: string, wanted: Locked): void => {
    const asked = { ...wanted.peerDependencies, ...wanted.optionalDependencies };
    for (const one of new Set([...Object.keys(asked), ...Object.keys(wanted.dependencies ?? {})])) {
      const found = installedFor(folder, one, packages);
      if (found === undefined && wanted.dependencies?.[one] !== undefined)
        throw new Error(`the lock does not hold ${one}, which ${folder || name} asks for`);
      const locked = found === undefined ? undefined : packages[found];
      if (found === undefined || locked === undefined || reached.has(found)) continue;
      const { dev: _dev, optional: _optional, devOptional: _either, peer: _peer, ...said } = locked;
      reached.set(found, said);
      reach(found, locked);
    }
  };
  reach("", { dependencies });
  const sorted = [...reached].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    name,
    version,
    lockfileVersion: 3,
    requires: true,
    packages: { "": { name, version, dependencies }, ...Object.fromEntries(sorted) },
  };
}

/** Where Node finds a package for a module in `folder`: in the nearest `node_modules` above it; undefined where it does not. */
function installedFor(folder: string, name: string, packages: Lock["packages"]): string | undefined {
  const places: string[] = [];
  for (let above = folder; above !== ""; above = above.slice(0, Math.max(0, above.lastIndexOf("/node_modules/"))))
    places.push(`${above}/node_modules/${name}`);
  return [...places, `node_modules/${name}`].find((place) => packages[place] !== undefined);
}
