import type { Attributes } from "./attributes.ts";

/**
 * The end of a member that names identities of a pool (google.md 6.3): `subject/S`, `group/G`, `attribute.NAME/VALUE`,
 * or `*` for the whole pool. What stands in front is `principal` for one subject, else `principalSet`, and the pool.
 */
export type Tail = string;

const root = "//iam.googleapis.com/";

/** A whole member; `pool` is the full name of the pool with the project's number in it. */
export const memberOf = (pool: string, tail: Tail): string =>
  `${tail.startsWith("subject/") ? "principal" : "principalSet"}:${root}${pool}/${tail}`;

/** The pool and the end of a member; undefined for members of any other form. */
export function parseMember(member: string): { readonly pool: string; readonly tail: Tail } | undefined {
  const [, pool, tail] =
    /^principal(?:Set)?:\/\/iam\.googleapis\.com\/(projects\/\d+\/locations\/global\/workloadIdentityPools\/[^/]+)\/(.+)$/.exec(
      member,
    ) ?? [];
  return pool !== undefined && tail !== undefined && memberOf(pool, tail) === member ? { pool, tail } : undefined;
}

/** The entry of a mapping that a tail speaks of. */
export function mappedBy(tail: Tail): string {
  const head = tail.split("/")[0] ?? "";
  if (head === "group") return "google.groups";
  return head.startsWith("attribute.") ? head : "google.subject";
}

/** Whether an identity with these attributes is meant by a tail. Values are compared to the letter. */
export function isMeant(tail: Tail, { subject, groups, custom }: Attributes): boolean {
  if (tail === "*") return true;
  const at = tail.indexOf("/");
  const [head, value] = [tail.slice(0, at), tail.slice(at + 1)];
  if (head === "subject") return subject === value;
  if (head === "group") return groups.includes(value);
  const name = /^attribute\.([a-z0-9_]+)$/.exec(head)?.[1];
  return name !== undefined && Object.hasOwn(custom, name) && custom[name] === value;
}

/** Every tail that means this identity: what a policy can say of it. */
export const tailsOf = ({ subject, groups, custom }: Attributes): readonly Tail[] => [
  `subject/${subject}`,
  ...groups.map((group) => `group/${group}`),
  ...Object.entries(custom).map(([name, value]) => `attribute.${name}/${value}`),
  "*",
];
