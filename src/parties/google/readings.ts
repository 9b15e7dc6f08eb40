import { attributesOf, isUnmapped } from "../../judge/google/attributes.ts";
import type { Identity, Link } from "../../model.ts";
import { mappingOf } from "./federation/spec.ts";
import { targetOf } from "./shape.ts";

/** One attribute as the mapping of the file makes it, and of what. */
export interface AttributeReading {
  readonly key: string;
  readonly value: string;
  readonly readFrom: string;
}

/** What Google will know of a workload with these claims, attribute by attribute; one row says why where it is nothing. */
export function readings(
  claims: Readonly<Record<string, unknown>>,
  link: Link,
  identity: Identity,
): readonly AttributeReading[] {
  const mapping = mappingOf(targetOf(link), identity);
  const mapped = attributesOf(claims, mapping);
  if (isUnmapped(mapped)) return [{ key: mapped.key, value: `(fails: ${mapped.why})`, readFrom: "" }];
  const made = (key: string): string => {
    if (key === "google.subject") return mapped.subject;
    const why = mapped.undecided?.[key];
    if (why !== undefined) return `(left out or refused: ${why})`;
    return key === "google.groups" ? mapped.groups.join(", ") : (mapped.custom[key.replace("attribute.", "")] ?? "");
  };
  return Object.entries(mapping).map(([key, readFrom]) => ({ key, value: made(key) || "(empty)", readFrom }));
}
