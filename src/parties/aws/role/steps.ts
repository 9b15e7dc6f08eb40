import { type Policy, renderPolicy, textOf } from "../../../judge/aws/policy.ts";
import type { LivePresent, Mark } from "../../../model.ts";
import { sidFor } from "./former.ts";
import { type RoleSpec, tagsOf, trustOf } from "./spec.ts";

/** One write to a role: an IAM operation and its input beside the role's name. */
export interface Step {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * The writes from what is there to what is wanted, in an order in which every crash point is safe: limits
 * before trust, trust in one atomic replace, permissions taken away before others are given, the mark last
 * (fact sheet reliability-and-security, 2.4). Where more than one part changes, the mark says `-` first, so
 * that a run cut off half way is told from a hand edit. Empty where there is nothing to write.
 */
export function steps(desired: RoleSpec, live: LivePresent<RoleSpec>, mark: Mark): readonly Step[] {
  const bounds = limits(desired, live.spec);
  const isNew = mark.was !== undefined && live.mark?.was !== mark.was;
  // What vouches for another record than the one in the tags is left as it is: it says that one of the two was changed.
  const sid = mark.was === undefined ? undefined : ((isNew ? undefined : live.outputs.vouches) ?? sidFor(mark.was));
  const isUnvouched = sid !== live.outputs.vouches;
  // Nothing of a role that is taken over changes before its trust vouches for the record of what it was.
  const vouch = isUnvouched && bounds.length > 0 ? [writeTrust(trustOf(live.spec), sid)] : [];
  // A role that crosstrust made for somebody else looks like one of ours until its trust vouches for the record.
  const early =
    isNew && live.mark !== undefined && live.mark.owner !== mark.owner ? [writeTrust(trustOf(live.spec), sid)] : [];
  const parts = [
    ...vouch,
    ...bounds,
    ...trust(desired, live.spec, { sid, isUnvouched }),
    ...permissions(desired, live.spec),
  ];
  const tag = (value: Mark): Step => ({ operation: "TagRole", input: { Tags: tagsOf(value) } });
  const open = live.mark?.put === "-" && live.mark.owner === mark.owner;
  const first = (parts.length > 1 || (parts.length > 0 && isNew)) && !open ? [tag({ ...mark, put: "-" })] : [];
  const stale = parts.length > 0 || !sameMark(live.mark, mark);
  return [...early, ...first, ...parts, ...(stale ? [tag(mark)] : [])];
}

/** Compared as the tags they become, for only those can be stale. */
const sameMark = (live: Mark | undefined, mark: Mark): boolean =>
  JSON.stringify(tagsOf(mark)) === (live ? JSON.stringify(tagsOf(live)) : "");

/** The boundary first: it limits all that follows. */
function limits(desired: RoleSpec, live: RoleSpec): readonly Step[] {
  const session =
    desired.maxSession === live.maxSession
      ? []
      : [{ operation: "UpdateRole", input: { MaxSessionDuration: desired.maxSession } }];
  if (desired.boundary === live.boundary) return session;
  const boundary: Step =
    desired.boundary === null
      ? { operation: "DeleteRolePermissionsBoundary", input: {} }
      : { operation: "PutRolePermissionsBoundary", input: { PermissionsBoundary: desired.boundary } };
  return [boundary, ...session];
}

interface Vouching {
  readonly sid: string | undefined;
  readonly isUnvouched: boolean;
}

/** Compared with its members sorted, written as it is: order alone is no reason to write. */
function trust(desired: RoleSpec, live: RoleSpec, { sid, isUnvouched }: Vouching): readonly Step[] {
  if (!isUnvouched && textOf(trustOf(desired)) === textOf(trustOf(live))) return [];
  return [writeTrust(trustOf(desired), sid)];
}

const writeTrust = (policy: Policy, sid: string | undefined): Step => ({
  operation: "UpdateAssumeRolePolicy",
  input: { PolicyDocument: renderPolicy(policy, [sid]) },
});

/** Detach, strip, put, attach: what the role loses is gone before it gains anything. */
function permissions(desired: RoleSpec, live: RoleSpec): readonly Step[] {
  const detach = live.managed
    .filter((arn) => !desired.managed.includes(arn))
    .map((PolicyArn) => ({ operation: "DetachRolePolicy", input: { PolicyArn } }));
  const strip = Object.keys(live.inline)
    .filter((name) => desired.inline[name] === undefined)
    .map((PolicyName) => ({ operation: "DeleteRolePolicy", input: { PolicyName } }));
  const put = Object.entries(desired.inline)
    .filter(([name, document]) => text(document) !== text(live.inline[name]))
    .map(([PolicyName, document]) => ({
      operation: "PutRolePolicy",
      input: { PolicyName, PolicyDocument: renderPolicy(document as unknown as Policy) },
    }));
  const attach = desired.managed
    .filter((arn) => !live.managed.includes(arn))
    .map((PolicyArn) => ({ operation: "AttachRolePolicy", input: { PolicyArn } }));
  return [...detach, ...strip, ...put, ...attach];
}

const text = (document: unknown): string => (document === undefined ? "" : textOf(document as Policy));
