import { createHash } from "node:crypto";
import { z } from "zod";
import { isMap } from "../../../judge/aws/policy.ts";
import type { Former } from "../../../model.ts";
import { packed, unpacked } from "../../../run/packed.ts";
import type { Write } from "../iam-call.ts";
import type { LiveRole } from "./calls.ts";

/** What a role is, byte for byte: the parts that taking it over may change. */
export interface RawRole {
  readonly role: LiveRole;
  /** Inline policies by name, percent-decoded. */
  readonly inline: readonly (readonly [name: string, document: string])[];
  /** ARNs of the attached policies. */
  readonly managed: readonly string[];
}

const recordSchema = z.object({
  trust: z.string(),
  managed: z.array(z.string()),
  inline: z.record(z.string(), z.string()),
  maxSession: z.number(),
  boundary: z.string().nullable(),
  /** Tags that begin with `crosstrust:`, of a role that another deployment had. */
  tags: z.record(z.string(), z.string()),
});
type Record = z.infer<typeof recordSchema>;

/** The tags that hold the record, numbered from 0. A tag value has at most 256 characters, a role at most 50 tags. */
const wasTag = "crosstrust:was:";
const [longest, mostTags] = [256, 50];
/** The tags of a mark beside the record: owner, want, put, subject and adopted. */
const markSize = 5;

/** Returns the tags that hold a packed record. */
export const wasTags = (was: string): readonly { readonly Key: string; readonly Value: string }[] =>
  (was.match(/.{1,256}/g) ?? []).map((Value, at) => ({ Key: `${wasTag}${at}`, Value }));

/** Returns the packed record that tags hold; undefined where there is none, or a piece of it is missing. */
export function wasIn(list: readonly { Key: string; Value: string }[]): string | undefined {
  const pieces = list.filter(({ Key }) => Key.startsWith(wasTag));
  const ordered = pieces.map((_, at) => pieces.find(({ Key }) => Key === `${wasTag}${at}`)?.Value);
  return pieces.length > 0 && ordered.every((piece) => piece !== undefined) ? ordered.join("") : undefined;
}

const textOf = ({ role }: RawRole): string => decodeURIComponent(role.AssumeRolePolicyDocument);

const recordOf = (raw: RawRole): Record => ({
  trust: textOf(raw),
  managed: [...raw.managed],
  inline: Object.fromEntries(raw.inline),
  maxSession: raw.role.MaxSessionDuration,
  boundary: raw.role.PermissionsBoundary?.PermissionsBoundaryArn ?? null,
  tags: Object.fromEntries(
    (raw.role.Tags ?? []).filter(({ Key }) => Key.startsWith("crosstrust:")).map(({ Key, Value }) => [Key, Value]),
  ),
});

/**
 * Returns what has to be remembered of a role that is taken over: everything, so that no later edit of the file needs to
 * add to it. What does not fit beside the role's own tags is left out, the largest inline policies first.
 */
export function formerOf(raw: RawRole): Former {
  const theirs = (raw.role.Tags ?? []).filter(({ Key }) => !Key.startsWith("crosstrust:")).length;
  const room = mostTags - theirs - markSize;
  if (room < 0)
    return {
      lost: [],
      blocked: `it has ${theirs} tags, and crosstrust needs ${markSize} of the 50 that a role can have`,
    };
  let record = recordOf(raw);
  const lost: string[] = [];
  const fits = () => packed(record).length <= room * longest;
  const largest = [...raw.inline].sort(([, one], [, other]) => other.length - one.length);
  for (const [name] of largest) {
    if (fits()) break;
    const { [name]: _, ...inline } = record.inline;
    record = { ...record, inline };
    lost.push(`its inline policy ${name}`);
  }
  if (fits()) return { was: packed(record), lost };
  return { lost: [...lost, "its trust policy, its attached policies and its limits"] };
}

/** The beginning of the Sid that vouches for a record. */
const sidHead = "CrosstrustWas";

/** Returns the Sid that vouches for a packed record. Letters and digits only, as a Sid must be. */
export const sidFor = (was: string): string =>
  `${sidHead}${createHash("sha256").update(was).digest("hex").slice(0, 16)}`;

/** Returns the Sid in a trust policy that vouches for a record; undefined where there is none. */
export function sidIn(trust: string): string | undefined {
  const document: unknown = JSON.parse(trust);
  const statements = isMap(document) ? [document.Statement].flat() : [];
  const sids = statements.map((one) => (isMap(one) ? one.Sid : undefined));
  return sids.find((sid): sid is string => typeof sid === "string" && sid.startsWith(sidHead));
}

/** Returns a trust policy with a Sid in its first statement, and otherwise unchanged in its meaning. */
export function withSid(trust: string, Sid: string): string {
  const document: unknown = JSON.parse(trust);
  if (!isMap(document)) return trust;
  const [first, ...others] = [document.Statement].flat();
  return JSON.stringify({ ...document, Statement: [isMap(first) ? { ...first, Sid } : first, ...others] });
}

/**
 * Whether the trust policy vouches for the record in the tags. Whoever may only tag a role must not decide what its trust
 * becomes, so a record counts only where the trust policy holds its digest: to write that takes the right to write the trust.
 */
export function isVouched({ role }: Pick<RawRole, "role">): boolean {
  const was = wasIn(role.Tags ?? []);
  return was !== undefined && sidIn(decodeURIComponent(role.AssumeRolePolicyDocument)) === sidFor(was);
}

/** What is to be written to give a role back, and what it does not bring back; or why the role is left as it is. */
export type Return = { readonly writes: readonly Write[]; readonly lost?: string } | { readonly stays: string };

/**
 * Returns the writes that give a role back as it was. What crosstrust granted is taken away before the former trust comes
 * back, and what the role had comes back after it. Until then the trust vouches for the record, so that a run that is cut
 * off can be repeated. The tags, which alone remember all this, go last.
 */
export function returnOf(raw: RawRole): Return {
  const tags = raw.role.Tags ?? [];
  const ours = tags.filter(({ Key }) => Key.startsWith("crosstrust:")).map(({ Key }) => Key);
  const untag = (keys: readonly string[]): readonly Write[] =>
    keys.length > 0 ? [{ operation: "UntagRole", input: { TagKeys: keys } }] : [];
  const was = wasIn(tags);
  const begun = tags.some(({ Key }) => Key.startsWith(wasTag));
  // Taken over by a version that kept no record, or there was no room for one.
  if (!begun)
    return {
      writes: untag(ours),
      lost: "what it was before is not recorded: its trust and permissions stay as they are",
    };
  const record = recordSchema.safeParse(was === undefined ? undefined : unpacked(was)).data;
  if (!record) return { stays: "the record of what it was, in its crosstrust:was tags, cannot be read" };
  const parts = backTo(record, raw);
  if (parts.length > 0 && !isVouched(raw))
    return {
      stays: "its trust policy does not vouch for the record of what it was: one of the two was changed by hand",
    };
  const former = Object.entries(record.tags).map(([Key, Value]) => ({ Key, Value }));
  const back: readonly Write[] = former.length > 0 ? [{ operation: "TagRole", input: { Tags: former } }] : [];
  return { writes: [...parts, ...untag(ours.filter((key) => record.tags[key] === undefined)), ...back] };
}

/** Returns why a role that was adopted could not be given back as it was; undefined where it could. */
export function staysBecause(raw: RawRole): string | undefined {
  const back = returnOf(raw);
  return "stays" in back ? back.stays : undefined;
}

/** Returns what leads on where a record cannot be used: it is put back, or it is given up. */
export const recordFixes = (name: string, tags: readonly { readonly Key: string }[]): readonly string[] => [
  "put the crosstrust:was tags and the Sid in the trust policy back as they were, where that is known",
  `aws iam untag-role --role-name ${name} --tag-keys ${tags
    .map(({ Key }) => Key)
    .filter((key) => key.startsWith(wasTag))
    .join(" ")}   # or give the record up: destroy then takes the marks away, and nothing else`,
];

function backTo(record: Record, raw: RawRole): readonly Write[] {
  const { role } = raw;
  const inline = new Map(raw.inline);
  const detach = raw.managed
    .filter((arn) => !record.managed.includes(arn))
    .map((PolicyArn) => ({ operation: "DetachRolePolicy", input: { PolicyArn } }));
  const strip = [...inline.keys()]
    .filter((name) => record.inline[name] === undefined)
    .map((PolicyName) => ({ operation: "DeleteRolePolicy", input: { PolicyName } }));
  const put = Object.entries(record.inline)
    .filter(([name, document]) => inline.get(name) !== document)
    .map(([PolicyName, PolicyDocument]) => ({ operation: "PutRolePolicy", input: { PolicyName, PolicyDocument } }));
  const attach = record.managed
    .filter((arn) => !raw.managed.includes(arn))
    .map((PolicyArn) => ({ operation: "AttachRolePolicy", input: { PolicyArn } }));
  const trust = (PolicyDocument: string): Write => ({ operation: "UpdateAssumeRolePolicy", input: { PolicyDocument } });
  const whole = textOf(raw) === record.trust ? [] : [trust(record.trust)];
  const after = [...limitsBack(record, role), ...put, ...attach];
  const sid = sidIn(textOf(raw));
  const vouching = sid === undefined ? undefined : withSid(record.trust, sid);
  const first = after.length > 0 && vouching !== undefined && vouching !== textOf(raw) ? [trust(vouching)] : [];
  return [...detach, ...strip, ...first, ...after, ...whole];
}

function limitsBack({ boundary, maxSession }: Record, role: LiveRole): readonly Write[] {
  const now = role.PermissionsBoundary?.PermissionsBoundaryArn ?? null;
  const session =
    maxSession === role.MaxSessionDuration
      ? []
      : [{ operation: "UpdateRole", input: { MaxSessionDuration: maxSession } }];
  if (boundary === now) return session;
  const bound =
    boundary === null
      ? { operation: "DeleteRolePermissionsBoundary", input: {} }
      : { operation: "PutRolePermissionsBoundary", input: { PermissionsBoundary: boundary } };
  return [bound, ...session];
}
