import { loosens } from "../../../judge/aws/admits.ts";
import type { Policy, Statement } from "../../../judge/aws/policy.ts";
import { compareTrusts } from "../../../judge/aws/widens.ts";
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
import { accessOf, type RoleTarget, roleOf, targetSideOf } from "../shape.ts";
import { trustFor } from "../trust/build.ts";
import { broadSubjects, privilegeDecisions } from "./decisions.ts";
import { wasIn, wasTags } from "./former.ts";

/** A role as desired and as live: the same members on both sides, so that equal means equal. */
export interface RoleSpec extends Spec {
  readonly account: string;
  /** Taken from the ARN when read. */
  readonly partition: string;
  readonly name: string;
  readonly path: string;
  /** Seconds. */
  readonly maxSession: number;
  /** The ARN of a managed policy, or null. */
  readonly boundary: string | null;
  /** A canonical `Policy`; as desired it may hold references, such as a unique id not known yet. */
  readonly trust: Json;
  /** ARNs. */
  readonly managed: readonly string[];
  /** Canonical documents by policy name, those that others put there included. */
  readonly inline: { readonly [policy: string]: Json };
}

/** Without the path: a role's name is unique in its account, and a moved path must stay the same resource. */
export const roleAddress = (role: { account: string; name: string }): Address =>
  `aws:role/${role.account}/${role.name}`;

/** A spec is plain JSON; its `trust` is always a canonical policy, read from the file or from IAM. */
export const trustOf = (spec: RoleSpec): Policy => spec.trust as unknown as Policy;

/** The role of a link; a used one too, so that its live trust is read and judged. */
export function roleResource(link: Link, identity: Identity): Resource<RoleSpec> {
  const role = roleOf(link);
  const trust = trustFor({ identity, audience: link.audience, account: role.account, partition: role.partition });
  const { managed, inline } = granted(link);
  const stated = targetSideOf(link);
  const defaults = [
    ...(stated.path === undefined ? ["path"] : []),
    ...(stated.maxSession === undefined ? ["maxSession"] : []),
    ...(role.boundary === null ? ["boundary"] : []),
  ];
  const spec: RoleSpec = { ...identityOf(role), trust: trust as unknown as Json, managed, inline };
  return {
    address: roleAddress(role),
    links: [link.name],
    hold: role.hold,
    spec,
    access: accessOf(link),
    decisions: [...broadSubjects(link, identity), ...privilegeDecisions(link)],
    ...(role.hold === "own" ? { defaults } : {}),
  };
}

/** Only what IAM keeps of a role: how it is held, reached or called is not compared. */
const identityOf = ({ account, partition, name, path, maxSession, boundary }: RoleTarget) => ({
  account,
  partition,
  name,
  path,
  maxSession,
  boundary,
});

/** Two links on one role: trust and permissions add up (arrays are sets), all else must be the same. */
export function combineRoles(a: RoleSpec, b: RoleSpec): RoleSpec | Conflict {
  for (const path of ["account", "partition", "path", "maxSession", "boundary"] as const) {
    if (a[path] !== b[path]) return { path, conflict: `one wants ${a[path]}, the other ${b[path]}` };
  }
  const trust: Policy = { version: "2012-10-17", statements: [...trustOf(a).statements, ...trustOf(b).statements] };
  const inline = { ...a.inline };
  for (const [name, document] of Object.entries(b.inline)) {
    const both = [inline[name], document].filter((one) => one !== undefined) as unknown as Policy[];
    const statements = both.flatMap((one) => one.statements);
    inline[name] = unique({ version: "2012-10-17", statements }) as unknown as Json;
  }
  return { ...a, trust: unique(trust) as unknown as Json, managed: [...new Set([...a.managed, ...b.managed])], inline };
}

/** A statement that both links bring is one: documents have a quota (aws.md 7). */
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

/** Another boundary or none may allow more; where none is desired, a live one only takes away. */
function boundary(desired: RoleSpec, live: RoleSpec): readonly Difference[] {
  if (desired.boundary === live.boundary) return [];
  const weight = desired.boundary === null ? {} : { weight: "grants" as const };
  return [{ path: "boundary", desired: desired.boundary, live: live.boundary, ...weight }];
}

/** What stands there unasked grants; what is missing narrows. */
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

/**
 * One statement on each side, alike but for its conditions, is told key by key. All differences carry the
 * weight of the whole trust, because conditions act together.
 */
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

/** Worst first, found by trying tokens on both trusts. What is not known to keep everybody out counts as open. */
function weigh(live: Policy, desired: Policy): Pick<Difference, "weight"> {
  const { direction } = compareTrusts(desired, live);
  if (direction === "widens" || direction === "undecided") return { weight: "opens" };
  if (loosens(live, desired)) return { weight: "loosens" };
  return direction === "narrows" ? { weight: "narrows" } : {};
}

/** One statement on each side: condition by condition, which is how people read it. */
function byKey(desired: Statement, live: Statement, equal: Equal): readonly Difference[] {
  const [want, there] = [flat(desired), flat(live)];
  return [...new Set([...Object.keys(want), ...Object.keys(there)])]
    .sort()
    .filter((key) => !equal(want[key], there[key]))
    .map((key) => ({ path: `trust.${key}`, desired: want[key], live: there[key] }));
}

/** A statement's conditions by key, as they are told; StringEquals, the usual operator, is left out. */
function flat(statement: Statement): Record<string, Json> {
  const result: Record<string, Record<string, Json>> = {};
  for (const [operator, keys] of Object.entries(statement.condition ?? {})) {
    for (const [key, values] of Object.entries(keys)) {
      const shown = values.length === 1 ? (values[0] as Json) : (values as readonly Json[]);
      result[key] = { ...result[key], [operator]: shown };
    }
  }
  const plain = ({ StringEquals, ...others }: Record<string, Json>) =>
    StringEquals !== undefined && Object.keys(others).length === 0 ? StringEquals : undefined;
  return Object.fromEntries(Object.entries(result).map(([key, operators]) => [key, plain(operators) ?? operators]));
}

/** The names are the contract's (section 8): roles made earlier are found by them. */
const tags = { owner: "crosstrust:owner", want: "crosstrust:want", put: "crosstrust:put" } as const;
const [subjectTag, adoptedTag] = ["crosstrust:subject", "crosstrust:adopted"];

/**
 * Marks are tags, written in the create call (contract, section 8): a role is never there without its owner,
 * so a cut off run finds it again as its own (fact sheet reliability-and-security, 2.3).
 */
export function tagsOf(mark: Mark): readonly { Key: string; Value: string }[] {
  const plain = Object.entries(tags).map(([member, Key]) => ({ Key, Value: mark[member as keyof typeof tags] }));
  const subject = mark.subjects ? [{ Key: subjectTag as string, Value: mark.subjects }] : [];
  const adopted = mark.adopted ? [{ Key: adoptedTag as string, Value: "true" }] : [];
  return [...plain, ...subject, ...adopted, ...(mark.was === undefined ? [] : wasTags(mark.was))];
}

/** The tags of a mark without a record: what giving back a thing that is not a role takes off. */
export const markTags: readonly string[] = [...Object.values(tags), subjectTag as string, adoptedTag as string];

/** Returns the description of a role that is made here. It tells a made role from one that was taken over. */
export const descriptionOf = (links: readonly string[]): string =>
  `Keyless access for ${links.join(", ")}`.slice(0, 1000 - madeHere.length) + madeHere;

const madeHere = ", made by crosstrust";

/** Whether a role's description is one that `descriptionOf` writes. */
export const isMadeHere = (description: string): boolean => description.endsWith(madeHere);

/** Undefined without an owner: not ours. A `put` that was taken away reads as `-`, as of a run cut off. */
export function markOf(list: readonly { Key: string; Value: string }[]): Mark | undefined {
  const value = (key: string | undefined) => list.find((tag) => tag.Key === key)?.Value;
  const owner = value(tags.owner);
  if (owner === undefined) return undefined;
  const subjects = value(subjectTag);
  const was = wasIn(list);
  return {
    owner,
    want: value(tags.want) ?? "-",
    put: value(tags.put) ?? "-",
    ...(value(adoptedTag) === "true" ? { adopted: true } : {}),
    ...(was === undefined ? {} : { was }),
    ...(subjects === undefined ? {} : { subjects }),
  };
}
