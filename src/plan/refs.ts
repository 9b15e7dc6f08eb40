import type { Address, Json, Lookup, Ref, Resource } from "../model.ts";

/** Told by its two members: a spec is plain JSON, and nothing else could mark it. */
export const isRef = (value: unknown): value is Ref =>
  typeof value === "object" && value !== null && "$ref" in value && "field" in value;

/** Every reference inside a value, with duplicates. */
export function refsOf(value: unknown): readonly Ref[] {
  if (isRef(value)) return [value];
  if (value === null || typeof value !== "object") return [];
  return Object.values(value).flatMap(refsOf);
}

/** The addresses a value depends on. */
export const dependencies = (value: unknown): readonly Address[] => [...new Set(refsOf(value).map((ref) => ref.$ref))];

/** What the named links need, and whatever that refers to or waits for, whoever else needs it. */
export function neededBy(links: readonly string[], resources: readonly Resource[]): readonly Resource[] {
  const known = new Map(resources.map((resource) => [resource.address, resource] as const));
  const found = new Set<Resource>();
  const take = (resource: Resource | undefined): void => {
    if (!resource || found.has(resource)) return;
    found.add(resource);
    for (const address of [...dependencies(resource.spec), ...(resource.needs ?? [])]) take(known.get(address));
  };
  for (const resource of resources) if (resource.links.some((link) => links.includes(link))) take(resource);
  return resources.filter((resource) => found.has(resource));
}

/** A copy with every known reference replaced; an unknown one stays, and equals nothing that is live. */
export function resolve<T>(value: T, lookup: Lookup): T {
  if (isRef(value)) return (lookup(value) ?? value) as T;
  if (Array.isArray(value)) return value.map((item) => resolve(item, lookup)) as T;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, lookup)])) as T;
}

/** How a value is shown while it holds references: `{ knownAfter, field }` in place of each (contract, section 4). */
export function knownAfter(value: unknown): Json {
  if (isRef(value)) return { knownAfter: value.$ref, field: value.field };
  if (Array.isArray(value)) return value.map(knownAfter);
  if (value === null || typeof value !== "object") return (value ?? null) as Json;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, knownAfter(item)]));
}
