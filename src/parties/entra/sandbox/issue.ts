import type { Host } from "../../../sandbox/fake.ts";
import { issuerOf, tokenExchange } from "../claims.ts";
import { EntraError } from "./errors.ts";
import { principalOfApp, resourceNamed, type StoredApp, type StoredPrincipal } from "./store.ts";

/** Signs for every tenant; never the issuer of a token. */
export const signing = "https://login.microsoftonline.com/";
/** Served beside it and not yet used: there is always more than one key (entra.md 3.2). */
export const nextKey = "https://login.microsoftonline.com/next";

/** Whose token, for what. */
export interface IssueAsk {
  readonly principal: StoredPrincipal;
  /** App ID URI or client id, as it was asked for. */
  readonly resource: string;
  /** `1` a secret, `2` a certificate; managed identities show `2` (entra.md 2.5). */
  readonly auth: "1" | "2";
  /** Seconds from now: an hour, for managed identities a day (entra.md 2.7). */
  readonly life: number;
}

export type Claims = Readonly<Record<string, unknown>>;

/** v1 repeats its issuer under this name. */
const homeClaim = "idp";

/**
 * The claims of an app-only token, in the order of the captured ones (entra.md 2.2 to 2.4). The resource decides the
 * version and the form of `aud`, whoever asks at whichever endpoint (entra.md, traps 1 and 3).
 */
export function claimsFor(host: Host, ask: IssueAsk): Claims {
  const { principal, resource, auth, life } = ask;
  const { tenant, id } = principal;
  const app = admitted(host, ask);
  const v2 = app.version === 2;
  const iss = issuerOf(tenant, v2 ? "2" : "1");
  const now = Math.floor(host.now() / 1000);
  const unique = host.secrets.mac(`entra-token/${host.state.next("entra-token")}`);
  const roles = principalOfApp(host.view, tenant, app.appId)?.assigned[id] ?? [];
  const client = v2
    ? { azp: principal.appId, azpacr: auth, ...(app.appId === tokenExchange.appId ? { idtyp: "app" } : {}) }
    : { appid: principal.appId, appidacr: auth, [homeClaim]: iss };
  return {
    ...{ aud: v2 ? app.appId : resource, iss, iat: now - 300, nbf: now - 300, exp: now + life },
    ...{ aio: unique.slice(0, 32), ...client, oid: id, rh: `0.${unique.slice(8, 28)}` },
    ...(roles.length > 0 ? { roles } : {}),
    ...{ sub: id, tid: tenant, uti: unique.slice(0, 22), ver: v2 ? "2.0" : "1.0" },
  };
}

/** v1 has the thumbprint twice in its header (entra.md 2.1). */
export function sign(host: Host, claims: Claims): string {
  const kid = host.issuers.keys(signing)?.[0]?.kid;
  return host.issuers.sign(String(claims.iss), claims, claims.ver === "1.0" ? { x5t: kid } : {});
}

const elsewhere =
  "This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.";

/** The resource, if it is in the tenant and gives this principal a token: by default it gives one to anybody. */
function admitted(host: Host, { principal, resource }: IssueAsk): StoredApp {
  const { tenant } = principal;
  const app = resourceNamed(host.view, tenant, resource);
  const own = app && principalOfApp(host.view, tenant, app.appId);
  if (!app || (!own && app.appId !== tokenExchange.appId)) {
    const text = `The resource principal named ${resource} was not found in the tenant named ${tenant}. ${elsewhere}`;
    throw new EntraError(500011, "invalid_resource", text);
  }
  if (own?.assignmentRequired && !own.assigned[principal.id] && own.id !== principal.id) {
    const text = `Application '${principal.appId}'(workload) is not assigned to a role for the application '${resource}'(${app.displayName}).`;
    throw new EntraError(501051, "invalid_grant", text);
  }
  return app;
}
