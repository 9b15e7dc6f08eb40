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
  const statements = link.may.filter((permission) => typeof permission !== "string").map(statement);
  return { managed, inline: statements.length === 0 ? {} : { [inlineName]: document(statements) } };
}

/** An entry of `may` that names actions and resources. */
export interface Allowed {
  readonly allow: readonly string[];
  readonly resources: readonly string[];
}

/** Actions keep the file's spelling, because people read policies; two spellings of one action are one. */
const statement = (permission: Permission): Json => {
  const { allow, resources } = permission as unknown as Allowed;
  const spelled = new Map(allow.map((action) => [action.toLowerCase(), action]));
  return { effect: "Allow", action: [...spelled.values()], resource: [...resources] };
};

const document = (statements: readonly Json[]): Json => ({ version: "2012-10-17", statements });

/** The ARNs, or patterns of them, that one entry of `may` is about; a policy by name is about its own. */
export const resourcesOf = (permission: Permission): readonly string[] =>
  typeof permission === "string" ? [] : (permission as unknown as Allowed).resources;

/** What is to be said of the privilege of one entry of `may`. */
export function judgePermission(permission: Permission): readonly Remark[] {
  if (typeof permission === "string") return judgeManagedPolicy(permission);
  const { allow, resources } = permission as unknown as Allowed;
  return judgeActions(allow, resources);
}

/** The privileges that policies hold, as the `of` of each finding; statements with exceptions are not looked into. */
export function privilegesOf({ managed, inline }: Granted): readonly string[] {
  const statements = Object.values(inline).flatMap((one) => (one as unknown as Policy).statements);
  const remarks = [
    ...managed.flatMap(judgeManagedPolicy),
    ...statements
      .filter(({ effect }) => effect === "Allow")
      .flatMap(({ action = [], resource = [] }) => judgeActions(action, resource)),
  ];
  return remarks.flatMap(({ of }) => of ?? []);
}
