import { AwsError, listParam, members, type Params } from "./query.ts";

/** As IAM keeps them of a role, an OIDC provider or a policy: value by key, in the order they came. */
export type Tags = Readonly<Record<string, string>>;

/** Whatever carries them. */
interface Tagged {
  readonly tags: Tags;
}

/** What IAM takes in a key and in a value (service model of IAM: `tagKeyType`, `tagValueType`). */
const [key, value] = [/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u, /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u];
const mostTags = 50;

/** The tags of a call. Keys are kept as sent; one that comes twice keeps the last value. The texts are approximate. */
export function tagsIn(params: Params): Tags {
  const sent = listParam(params, "Tags").map((member) => [member.get("Key") ?? "", member.get("Value") ?? ""] as const);
  const wrong = sent.find((one) => !key.test(one[0]) || !value.test(one[1]));
  if (wrong)
    throw new AwsError(
      "ValidationError",
      400,
      `1 validation error detected: Value at 'tags' failed to satisfy constraint: ${JSON.stringify(wrong[0])}`,
    );
  return limited(Object.fromEntries(sent));
}

function limited(tags: Tags): Tags {
  if (Object.keys(tags).length > mostTags)
    throw new AwsError("LimitExceeded", 409, `The number of tags has reached the maximum limit: ${mostTags}`);
  return tags;
}

const listed = (tags: readonly (readonly [string, string])[]): unknown =>
  members(tags.map(([Key, Value]) => ({ Key, Value })));

/** As an answer lists them. */
export const tagList = (tags: Tags): unknown => listed(Object.entries(tags));

/** As those of an OIDC provider are listed: keys are case-sensitive there, and come back sorted. */
export const sortedTagList = (tags: Tags): unknown => listed(Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The edit of a Tag action: other keys stay. */
export const tagged =
  (params: Params) =>
  ({ tags }: Tagged): Tagged => ({ tags: limited({ ...tags, ...tagsIn(params) }) });

/** The edit of an Untag action; a key that is not there is no error. */
export const untagged =
  (params: Params) =>
  ({ tags }: Tagged): Tagged => {
    const gone = listParam(params, "TagKeys").map((member) => member.get(""));
    return { tags: Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.includes(key))) };
  };
