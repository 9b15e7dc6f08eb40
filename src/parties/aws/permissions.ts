import type { Policy } from "../../judge/aws/policy.ts";
import { judgeActions, judgeManagedPolicy } from "../../judge/aws/privilege.ts";
import type { Json, Link, Permission, Remark } from "../../model.ts";

/** As IAM holds it: managed policies by ARN, inline ones by name as canonical documents. */
export interface Granted {
  readonly managed: readonly string[];
  readonly inline: { readonly [policy: string]: Json };
}

/** The one inline policy that crosstrust writes; any other on a role of ours is drift. */
export const inlineName = "crosstrust";

/** `may` -> policies. Statements are a set: several links add theirs. */
export function granted(link: Link): Granted {
  const managed = link.may.filter((permission): permission is string => typeof permission === "string");
  const statements = link.may.flatMap((permission) => allowedBy(permission) ?? []).map(statement);
  return { managed, inline: statements.length === 0 ? {} : { [inlineName]: document(statements) } };
}

/** An entry of `may` that names actions and resources. */
export interface Allowed {
  readonly allow: readonly string[];
  readonly resources: readonly string[];
}

/** Returns an entry of `may` as the shape of this party has read it; undefined for a policy by name. */
export const allowedBy = (permission: Permission): Allowed | undefined =>
  // The model knows entries of any party: that this one has these two members is what the shape has checked.
  typeof permission === "string" ? undefined : (permission as unknown as Allowed);

/** Actions keep the file's spelling, because people read policies; two spellings of one action are one. */
const statement = ({ allow, resources }: Allowed): Json => {
  const spelled = new Map(allow.map((action) => [action.toLowerCase(), action]));
  return { effect: "Allow", action: [...spelled.values()], resource: [...resources] };
};

const document = (statements: readonly Json[]): Json => ({ version: "2012-10-17", statements });

/** The ARNs, or patterns of them, that one entry of `may` is about; a policy by name is about its own. */
export const resourcesOf = (permission: Permission): readonly string[] => allowedBy(permission)?.resources ?? [];

/** What is to be said of the privilege of one entry of `may`. */
export function judgePermission(permission: Permission): readonly Remark[] {
  if (typeof permission === "string") return judgeManagedPolicy(permission);
  const allowed = allowedBy(permission);
  return allowed ? judgeActions(allowed.allow, allowed.resources) : [];
}

/** The statements of inline policies, which `granted` and the reading of a role have made canonical. */
export const statementsOf = (inline: Granted["inline"]): Policy["statements"] =>
  Object.values(inline).flatMap((one) => (one as unknown as Policy).statements);

/** The privileges that policies hold, as the `of` of each finding; statements with exceptions are not looked into. */
export function privilegesOf({ managed, inline }: Granted): readonly string[] {
  const remarks = [
    ...managed.flatMap(judgeManagedPolicy),
    ...statementsOf(inline)
      .filter(({ effect }) => effect === "Allow")
      .flatMap(({ action = [], resource = [] }) => judgeActions(action, resource)),
  ];
  return remarks.flatMap(({ of }) => of ?? []);
}
