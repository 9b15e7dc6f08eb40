import type { Host } from "../../../sandbox/fake.ts";

/** A deny policy of a project, kept under the project's id. */
export interface StoredDenyPolicy {
  readonly id: string;
  /** The project's number. */
  readonly number: string;
  readonly etag: string;
  readonly displayName?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly rules?: readonly { readonly denyRule?: DenyRule }[];
}

interface DenyRule {
  readonly deniedPrincipals?: readonly string[];
  readonly exceptionPrincipals?: readonly string[];
  readonly deniedPermissions?: readonly string[];
  readonly exceptionPermissions?: readonly string[];
}

export const denyPolicyKey = (project: string, id = ""): string => `google.denyPolicy/${project}/${id}`;

interface Denying {
  readonly project: string;
  readonly permission: string;
  /** Every name that a deny policy has for whoever asks. */
  readonly names: ReadonlySet<string>;
}

/**
 * Whether a deny policy of the project withholds a permission, whatever grants it (google.md 3.1). Its permissions are
 * written with the host of their service. A condition is not evaluated, and the rule then denies.
 */
export function isDenied({ project, permission, names }: Denying, host: Host): boolean {
  const at = permission.indexOf(".");
  const qualified = `${permission.slice(0, at)}.googleapis.com/${permission.slice(at + 1)}`;
  const someone = (principals: readonly string[] = []) => principals.some((one) => names.has(one));
  return host.state
    .list<StoredDenyPolicy>(denyPolicyKey(project))
    .flatMap(([, { rules = [] }]) => rules.flatMap(({ denyRule }) => denyRule ?? []))
    .some(
      ({ deniedPrincipals, exceptionPrincipals, deniedPermissions = [], exceptionPermissions = [] }) =>
        deniedPermissions.includes(qualified) &&
        !exceptionPermissions.includes(qualified) &&
        someone(deniedPrincipals) &&
        !someone(exceptionPrincipals),
    );
}
