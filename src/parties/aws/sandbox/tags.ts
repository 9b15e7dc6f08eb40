import { listParam, members, type Params } from "./query.ts";

/** As IAM keeps them of a role, an OIDC provider or a policy: value by key, in the order they came. */
export type Tags = Readonly<Record<string, string>>;

/** Whatever carries them. */
interface Tagged {
  readonly tags: Tags;
}

/** The tags of a call. Keys are kept as sent; one that comes twice keeps the last value. */
export const tagsIn = (params: Params): Tags =>
  Object.fromEntries(listParam(params, "Tags").map((member) => [member.get("Key") ?? "", member.get("Value") ?? ""]));

const listed = (tags: readonly (readonly [string, string])[]): unknown =>
  members(tags.map(([Key, Value]) => ({ Key, Value })));

/** As an answer lists them. */
export const tagList = (tags: Tags): unknown => listed(Object.entries(tags));

/** As those of an OIDC provider are listed: keys are case-sensitive there, and come back sorted. */
export const sortedTagList = (tags: Tags): unknown => listed(Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The edit of a Tag action: other keys stay. */
export const tagged =
  (params: Params) =>
  ({ tags }: Tagged): Tagged => ({ tags: { ...tags, ...tagsIn(params) } });

/** The edit of an Untag action; a key that is not there is no error. */
export const untagged =
  (params: Params) =>
  ({ tags }: Tagged): Tagged => {
    const gone = listParam(params, "TagKeys").map((member) => member.get(""));
    return { tags: Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.includes(key))) };
  };
