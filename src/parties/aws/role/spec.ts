import type {
  Address,
  Conflict,
  Difference,
  Equal,
  Identity,
  Json,
  Link,
  Mark,
  Resource,
  Spec,
} from "../../../model.ts";
import { granted } from "../permissions.ts";
import { accessOf, type RoleTarget, roleOf } from "../shape.ts";
import { trustFor } from "../trust/build.ts";
import type { Policy, Statement } from "../trust/policy.ts";
import { loosens, shutOut, strangersOf } from "../trust/strangers.ts";

/** A role as desired and as live: the same members on both sides, so that equal means equal. */
export interface RoleSpec extends Spec {
  readonly account: string;
  readonly partition: string;
  readonly name: string;
  readonly path: string;
  /** Seconds. */
  readonly maxSession: number;
  readonly boundary: string | null;
  readonly trust: Json;
  readonly managed: readonly string[];
  readonly inline: { readonly [policy: string]: Json };
}

export const roleAddress = (role: { account: string; name: string }): Address =>
  `aws:role/${role.account}/${role.name}`;

export const trustOf = (spec: RoleSpec): Policy => spec.trust as unknown as Policy;

/** The role of a link, as the file wants it. */
export function roleResource(link: Link, identity: Identity): Resource<RoleSpec> {
  const role = roleOf(link);
  const trust = trustFor({ identity, audience: link.audience, account: role.account, partition: role.partition });
  const { managed, inline } = granted(link);
  const spec: RoleSpec = { ...identityOf(role), trust: trust as unknown as Json, managed, inline };
  return { address: roleAddress(role), links: [link.name], hold: role.hold, spec, access: accessOf(link) };
}

const identityOf = ({ account, partition, name, path, maxSession, boundary }: RoleTarget) => ({
  account,
  partition,
  name,
  path,
  maxSession,
  boundary,
});

/** Two links on one role: trust statements and permissions add up, everything else must be the same. */
export function combineRoles(a: RoleSpec, b: RoleSpec): RoleSpec | Conflict {
  for (const path of ["account", "partition", "path", "maxSession", "boundary"] as const) {
    if (a[path] !== b[path]) return { path, conflict: `one wants ${a[path]}, the other ${b[path]}` };
  }
  const trust: Policy = { version: "2012-10-17", statements: [...trustOf(a).statements, ...trustOf(b).statements] };
  const inline = { ...a.inline };
  for (const [name, document] of Object.entries(b.inline)) {
    const both = [inline[name], document].filter((one) => one !== undefined) as unknown as Policy[];
    inline[name] = { version: "2012-10-17", statements: both.flatMap((one) => one.statements) } as unknown as Json;
  }
  return { ...a, trust: unique(trust) as unknown as Json, managed: [...new Set([...a.managed, ...b.managed])], inline };
}

const unique = (policy: Policy): Policy => {
  const byText = new Map(policy.statements.map((statement) => [JSON.stringify(statement), statement]));
  return { ...policy, statements: [...byText.values()] };
};

/** Where two roles differ, and what the live one does that the desired one does not. */
export function differRoles(desired: RoleSpec, live: RoleSpec, equal: Equal): readonly Difference[] {
  const plain = (["path", "maxSession"] as const)
    .filter((path) => desired[path] !== live[path])
    .map((path) => ({ path, desired: desired[path], live: live[path] }));
  const trust = equal(desired.trust, live.trust) ? [] : trustDifferences(desired, live, equal);
  return [...trust, ...plain, ...boundary(desired, live), ...permissions(desired, live, equal)];
}

function boundary(desired: RoleSpec, live: RoleSpec): readonly Difference[] {
  if (desired.boundary === live.boundary) return [];
  const weight = desired.boundary === null ? {} : { weight: "grants" as const };
  return [{ path: "boundary", desired: desired.boundary, live: live.boundary, ...weight }];
}

function permissions(desired: RoleSpec, live: RoleSpec, equal: Equal): readonly Difference[] {
  const managed = [...new Set([...desired.managed, ...live.managed])].sort().flatMap((arn): readonly Difference[] => {
    const [wanted, there] = [desired.managed.includes(arn), live.managed.includes(arn)];
    if (wanted === there) return [];
    return [{ path: `may.${arn}`, desired: wanted, live: there, weight: there ? "grants" : "narrows" }];
  });
  const names = [...new Set([...Object.keys(desired.inline), ...Object.keys(live.inline)])].sort();
  const statementsOf = (spec: RoleSpec, name: string) => (spec.inline[name] as Policy | undefined)?.statements ?? [];
  const inline = names.flatMap((name) => {
    if (equal(desired.inline[name], live.inline[name])) return [];
    const found = byStatement({ path: `may.${name}`, equal }, statementsOf(desired, name), statementsOf(live, name));
    // A policy with no statement of its own differs too, if only by being there.
    const whole = [
      { path: `may.${name}`, desired: desired.inline[name] !== undefined, live: live.inline[name] !== undefined },
    ];
    return (found.length > 0 ? found : whole).map(
      (one): Difference => ({ ...one, weight: one.live ? "grants" : "narrows" }),
    );
  });
  return [...managed, ...inline];
}

function trustDifferences(desired: RoleSpec, live: RoleSpec, equal: Equal): readonly Difference[] {
  const [want, there] = [trustOf(desired), trustOf(live)];
  const weighed = weigh(there, want);
  const [one, other] = [want.statements[0], there.statements[0]];
  const single = want.statements.length === 1 && there.statements.length === 1 && one && other;
  if (single && equal({ ...one, condition: undefined }, { ...other, condition: undefined })) {
    const version =
      want.version === there.version ? [] : [{ path: "trust.version", desired: want.version, live: there.version }];
    return [...version, ...byKey(one, other, equal)].map((difference) => ({ ...difference, ...weighed }));
  }
  return byStatement({ path: "trust", equal }, want.statements, there.statements).map((difference) => ({
    ...difference,
    ...weighed,
  }));
}

interface Lists {
  readonly path: string;
  readonly equal: Equal;
}

/** Several statements: those that only one side has. */
function byStatement(
  { path, equal }: Lists,
  desired: readonly unknown[],
  live: readonly unknown[],
): readonly Difference[] {
  const only = (here: readonly unknown[], there: readonly unknown[]) =>
    here.filter((one) => !there.some((other) => equal(one, other)));
  return [
    ...only(live, desired).map((statement) => ({ path, desired: undefined, live: statement as Json })),
    ...only(desired, live).map((statement) => ({ path, desired: statement as Json, live: undefined })),
  ];
}

function weigh(live: Policy, desired: Policy): Pick<Difference, "weight"> {
  if (strangersOf(live, desired).length > 0) return { weight: "opens" };
  if (loosens(live, desired)) return { weight: "loosens" };
  return shutOut(live, desired) ? { weight: "narrows" } : {};
}

/** One statement on each side: condition by condition, which is how people read it. */
function byKey(desired: Statement, live: Statement, equal: Equal): readonly Difference[] {
  const [want, there] = [flat(desired), flat(live)];
  return [...new Set([...Object.keys(want), ...Object.keys(there)])]
    .sort()
    .filter((key) => !equal(want[key], there[key]))
    .map((key) => ({ path: `trust.${key}`, desired: want[key], live: there[key] }));
}

function flat(statement: Statement): Record<string, Json> {
  const result: Record<string, Json> = {};
  for (const [operator, keys] of Object.entries(statement.condition ?? {})) {
    for (const [key, values] of Object.entries(keys)) {
      const shown = values.length === 1 ? (values[0] as Json) : (values as readonly Json[]);
      result[key] = operator === "StringEquals" ? shown : { [operator]: shown };
    }
  }
  return result;
}

const tags = { owner: "crosstrust:owner", want: "crosstrust:want", put: "crosstrust:put" } as const;
const [subjectTag, adoptedTag] = ["crosstrust:subject", "crosstrust:adopted"];

/** Marks are tags, written in the create call (contract, section 8). */
export function tagsOf(mark: Mark): readonly { Key: string; Value: string }[] {
  const plain = Object.entries(tags).map(([member, Key]) => ({ Key, Value: mark[member as keyof typeof tags] }));
  const subject = mark.subjects ? [{ Key: subjectTag as string, Value: mark.subjects }] : [];
  return [...plain, ...subject, ...(mark.adopted ? [{ Key: adoptedTag as string, Value: "true" }] : [])];
}

export const markTags: readonly string[] = [...Object.values(tags), subjectTag as string, adoptedTag as string];

export function markOf(list: readonly { Key: string; Value: string }[]): Mark | undefined {
  const value = (key: string | undefined) => list.find((tag) => tag.Key === key)?.Value;
  const owner = value(tags.owner);
  if (owner === undefined) return undefined;
  const subjects = value(subjectTag);
  return {
    owner,
    want: value(tags.want) ?? "-",
    put: value(tags.put) ?? "-",
    ...(value(adoptedTag) === "true" ? { adopted: true } : {}),
    ...(subjects === undefined ? {} : { subjects }),
  };
}
