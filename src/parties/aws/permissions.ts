import { like } from "../../judge/aws/conditions.ts";
import type { Json, Link, Permission } from "../../model.ts";

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

interface Allowed {
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

const assumes = ["assumerole", "assumerolewithwebidentity", "assumerolewithsaml", "assumeroot"];

/** Actions and policies that amount to owning the account (fact sheet reliability-and-security, case 103). */
export function privileged(permission: Permission): string | undefined {
  if (typeof permission === "string") {
    const name = permission.split("/").at(-1) ?? "";
    return /^(AdministratorAccess|IAMFullAccess|PowerUserAccess)$/.test(name) ? name : undefined;
  }
  return (permission as unknown as Allowed).allow.find((action) => {
    const [service = "", name] = action.toLowerCase().split(":");
    if (name === undefined || /[*?]/.test(service)) return true;
    if (service === "organizations") return name === "*";
    return service === "iam" || (service === "sts" && assumes.some((one) => like(name, one)));
  });
}
