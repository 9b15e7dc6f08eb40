import { memberOf } from "../../../judge/google/principals.ts";
import type { FakeRequest, Host } from "../../../sandbox/fake.ts";
import { isDenied } from "./deny-rules.ts";
import { lineOf, lineOfProject } from "./hierarchy.ts";
import { deniedAs, membersFor } from "./identities.ts";
import { poolOf } from "./pool-store.ts";
import { roleHolds } from "./predefined-roles.ts";
import { errorInfo, GoogleError, type Principal } from "./rest.ts";
import {
  accountOf,
  type Binding,
  operator,
  projectOf,
  type StoredAccount,
  type StoredPolicy,
  type StoredRole,
} from "./store.ts";

/**
 * A permission on a project, or on one account of it, whose own policy then counts beside the project's; or on a folder or
 * an organization.
 */
export interface Wanted {
  readonly permission: string;
  readonly project?: string;
  /** `folders/ID` or `organizations/ID`, where no project is meant. */
  readonly above?: string;
  readonly account?: StoredAccount | undefined;
  /** The same for any other thing that has a policy. */
  readonly on?: { readonly policy: StoredPolicy } | undefined;
}

/**
 * Whether a binding on the thing itself, its project, its folders or its organization gives a permission, and no deny
 * policy of the project withholds it. A role that is not known gives none, and so does a binding with a condition:
 * conditions are not evaluated here.
 */
export function may(principal: Principal, { permission, project, above, account, on }: Wanted, host: Host): boolean {
  const line = project === undefined ? lineOf(host, above) : lineOfProject(host, projectOf(host, project));
  const bindings: readonly Binding[] = [
    ...line.flatMap(({ policy }) => policy.bindings),
    ...(account?.policy.bindings ?? []),
    ...(on?.policy.bindings ?? []),
  ];
  const names = membersFor(principal, host);
  const given = bindings.some(
    ({ role, members, condition }) =>
      condition === undefined && members.some((one) => names.has(one)) && gives(role, permission, host),
  );
  if (!given || project === undefined) return given;
  return !isDenied({ project: projectOf(host, project).id, permission, names: deniedAs(principal, host) }, host);
}

/** A custom role that was deleted gives nothing, although bindings may still name it. */
function gives(role: string, permission: string, host: Host): boolean {
  const own = host.state.get<StoredRole>(`google.role/${role}`);
  if (own) return own.deletedAt === undefined && own.stage !== "DISABLED" && own.permissions.includes(permission);
  return roleHolds(role, permission);
}

/** Throws the 403 that a missing account and a missing permission have in common (google.md, trap 4). */
export function require_(principal: Principal, wanted: Wanted, host: Host): void {
  if (!may(principal, wanted, host)) throw denied(wanted.permission);
}

/**
 * The account that somebody wants a job or a workflow to run as. A missing account gets the answer of a missing
 * permission (google.md, trap 4).
 */
export function requireActAs(principal: Principal, email: string, host: Host): StoredAccount {
  const account = accountOf(host.state, email);
  const permission = "iam.serviceAccounts.actAs";
  if (!account || !may(principal, { permission, project: account.project, account }, host)) throw denied(permission);
  return account;
}

export const denied = (permission: string): GoogleError =>
  new GoogleError([403, "PERMISSION_DENIED"], `Permission '${permission}' denied on resource (or it may not exist).`, [
    errorInfo("IAM_PERMISSION_DENIED", { permission }),
  ]);

/** APIs by the names that Google's refusals give them; one that is not here goes by its host. */
const titles: Readonly<Record<string, string>> = {
  "artifactregistry.googleapis.com": "Artifact Registry API",
  "cloudbuild.googleapis.com": "Cloud Build API",
  "iam.googleapis.com": "Identity and Access Management (IAM) API",
  "run.googleapis.com": "Cloud Run Admin API",
};

/** An API that was switched off answers nothing else (wire.md 4.0). */
export function requireApi(host: Host, projectName: string, api: string): void {
  const project = projectOf(host, projectName);
  if (!project.disabled.includes(api)) return;
  const says = `${titles[api] ?? `${api} API`} has not been used in project ${project.number} before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/${api}/overview?project=${project.number} then retry.`;
  throw new GoogleError([403, "PERMISSION_DENIED"], says, [
    errorInfo("SERVICE_DISABLED", { service: api, consumer: `projects/${project.number}` }, "googleapis.com"),
  ]);
}

/** What an access token holds: it is sealed, so the sandbox keeps no list of them. */
interface AccessToken {
  readonly email: string;
  readonly kind: "user" | "serviceAccount" | "federated";
  /** Of a federated one: which pool gave it, and every end of a member that means its holder, the subject's first. */
  readonly of?: Federated;
  /** Epoch seconds. */
  readonly expires: number;
  readonly scopes: readonly string[];
}

/** What a token is for where nobody asked for anything narrower. */
export const cloudPlatform: readonly string[] = ["https://www.googleapis.com/auth/cloud-platform"];

/** How long a token is to live, in seconds, and what it is for. */
export interface TokenAsk {
  readonly expiresIn?: number;
  readonly scopes?: readonly string[];
}

/** Whom a token of a pool stands for. */
export interface Federated {
  readonly project: string;
  readonly pool: string;
  /** With the project's number. */
  readonly name: string;
  readonly tails: readonly string[];
}
/** As real ones begin: what hides or looks for tokens in a text finds these too. */
const prefix = "ya29.sandbox-";

/** An hour long where nothing else is asked. Whoever calls has checked that the bearer may have it. */
export function issueAccessToken(
  host: Host,
  email: string,
  { expiresIn = 3600, scopes = cloudPlatform }: TokenAsk = {},
): { readonly token: string; readonly expiresIn: number } {
  const kind = email === operator.email ? "user" : "serviceAccount";
  const payload: AccessToken = { email, kind, expires: Math.floor(host.now() / 1000) + expiresIn, scopes };
  return { token: host.secrets.seal(prefix, payload), expiresIn };
}

/** A token of a pool itself, for whoever came through one of its pool providers. */
export function issueFederatedToken(host: Host, of: Federated, ask: Required<TokenAsk>): string {
  const { expiresIn, scopes } = ask;
  const expires = Math.floor(host.now() / 1000) + expiresIn;
  return host.secrets.seal(prefix, { email: "", kind: "federated", of, expires, scopes } satisfies AccessToken);
}

/** A disabled or deleted pool kills the tokens that it gave, a pool provider does not (google.md 6.1). */
function federated({ project, pool, name, tails }: Federated, host: Host): Principal | undefined {
  if (poolOf(host, project, pool)?.usable !== true) return undefined;
  const [first = "", ...others] = tails.map((tail) => memberOf(name, tail));
  return { member: first, email: "", also: others };
}

/** Whose bearer token this is; undefined where it is none of ours, has expired, or its account is gone. */
export function principalOf(request: FakeRequest, host: Host): Principal | undefined {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  return bearer === undefined ? undefined : holderOf(bearer, host);
}

/** Whose token it is, what it is for, and when it ends in epoch seconds; undefined where it is worth nothing. */
export function tokenDetails(
  token: string,
  host: Host,
): { readonly holder: Principal; readonly scopes: readonly string[]; readonly expires: number } | undefined {
  const holder = holderOf(token, host);
  const payload = host.secrets.open<AccessToken>(prefix, token);
  return holder && payload && { holder, scopes: payload.scopes, expires: payload.expires };
}

/** The same for a token in hand. A token of a disabled or deleted account is dead at once. */
export function holderOf(token: string, host: Host): Principal | undefined {
  const payload = host.secrets.open<AccessToken>(prefix, token);
  if (!payload || payload.expires * 1000 <= host.now()) return undefined;
  if (payload.kind === "user") return operator;
  if (payload.of) return federated(payload.of, host);
  const account = accountOf(host.state, payload.email);
  return account && !account.disabled ? { member: `serviceAccount:${account.email}`, email: account.email } : undefined;
}
