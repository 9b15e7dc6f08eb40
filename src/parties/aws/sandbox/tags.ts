import { AwsError, listParam, members, type Params, textsParam } from "./query.ts";

/** As IAM keeps them of a role, an OIDC provider or a policy: value by key, in the order they came. */
export type Tags = Readonly<Record<string, string>>;

/** Whatever carries them. */
interface Tagged {
  readonly tags: Tags;
}

/** Whether `Key` and `key` are one tag: so it is with roles, and not with policies and OIDC providers (recorded). */
export type KeyCase = "sensitive" | "insensitive";

const mostTags = 50;

/** The tags of a call, which the service model has checked. Throws InvalidInput for a key that comes twice or is reserved. */
export function tagsIn(params: Params, keyCase: KeyCase): Tags {
  const sent = listParam(params, "Tags").map((member) => [member.get("Key") ?? "", member.get("Value") ?? ""] as const);
  const keys = sent.map(([key]) => same(key, keyCase));
  if (new Set(keys).size < keys.length) throw new AwsError("InvalidInput", 400, duplicate[keyCase]);
  // The code is approximate; the words are those of other services of AWS.
  if (sent.some(([key]) => /^aws:/i.test(key)))
    throw new AwsError("InvalidInput", 400, "aws: prefixed tag key names are not allowed for external use.");
  return Object.fromEntries(sent);
}

/** Recorded (localstack's snapshots of IAM, 2026-02). */
const duplicate: Readonly<Record<KeyCase, string>> = {
  sensitive: "Duplicate tag keys found.",
  insensitive: "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
};

const same = (key: string, keyCase: KeyCase): string => (keyCase === "sensitive" ? key : key.toLowerCase());

type Pair = readonly [key: string, value: string];

/** Tags as a list, in their order. */
export const listed = (tags: readonly Pair[]): unknown => members(tags.map(([Key, Value]) => ({ Key, Value })));

/** In the order they were sent, as the answer to a Create call has them (recorded). */
export const tagList = (tags: Tags): unknown => listed(Object.entries(tags));

/** Sorted by key, as every other answer has them (recorded; service model, ListRoleTags). */
export const sortedTags = (tags: Tags): readonly Pair[] => Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));

/** The same as a list. */
export const sortedTagList = (tags: Tags): unknown => listed(sortedTags(tags));

/** The edit of a Tag action: other keys stay, and the key is written as it came last. */
export const tagged =
  (params: Params, keyCase: KeyCase) =>
  ({ tags }: Tagged): Tagged => {
    const given = tagsIn(params, keyCase);
    const keys = Object.keys(given).map((key) => same(key, keyCase));
    const kept = Object.entries(tags).filter(([key]) => !keys.includes(same(key, keyCase)));
    const all = Object.fromEntries([...kept, ...Object.entries(given)]);
    if (Object.keys(all).length > mostTags)
      throw new AwsError("LimitExceeded", 409, `The number of tags has reached the maximum limit: ${mostTags}`);
    return { tags: all };
  };

/** The edit of an Untag action; a key that is not there is no error. */
export const untagged =
  (params: Params, keyCase: KeyCase) =>
  ({ tags }: Tagged): Tagged => {
    const gone = textsParam(params, "TagKeys").map((key) => same(key, keyCase));
    return { tags: Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.includes(same(key, keyCase)))) };
  };
