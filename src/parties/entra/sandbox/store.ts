import type { View } from "../../../sandbox/state.ts";
import { tokenExchange } from "../claims.ts";

/** A federated identity credential: who may stand in for the app, letter by letter (entra.md 7.1). */
export interface StoredFederated {
  readonly id: string;
  readonly name: string;
  readonly issuer: string;
  readonly subject: string;
  readonly description?: string;
  readonly audiences: readonly string[];
}

/** An app registration. Kept under its client id; `id` is its object id, which no token names. */
export interface StoredApp {
  readonly tenant: string;
  readonly appId: string;
  readonly id: string;
  readonly displayName: string;
  readonly identifierUris: readonly string[];
  /** null counts as 1 (entra.md, trap 1). */
  readonly version: 1 | 2 | null;
  /** Digests alone: a secret is shown once. `until`: epoch milliseconds. */
  readonly secrets: readonly { readonly digest: string; readonly until: number }[];
  readonly federated: readonly StoredFederated[];
}

/** What an app, or a managed identity, is in a tenant: its object id is the `sub` of its tokens (entra.md, trap 5). */
export interface StoredPrincipal {
  readonly tenant: string;
  readonly id: string;
  readonly appId: string;
  readonly enabled: boolean;
  /** Whether only principals with a role get tokens for this app (entra.md, trap 8). */
  readonly assignmentRequired: boolean;
  /** Roles of this app by the principal that holds them. */
  readonly assigned: Readonly<Record<string, readonly string[]>>;
  /** A managed identity has no app registration. `attached`: the sandbox's machine has it. */
  readonly managed?: { readonly kind: "system" | "user"; readonly attached: boolean; readonly resourceId: string };
}

/** What these functions need of the state, so that a view of the past will do. */
interface Writable {
  put(key: string, value: unknown): void;
}

export const saveApp = (state: Writable, app: StoredApp): void =>
  state.put(`entra.app/${app.tenant}/${app.appId}`, app);
export const savePrincipal = (state: Writable, principal: StoredPrincipal): void =>
  state.put(`entra.principal/${principal.tenant}/${principal.id}`, principal);

export const appsOf = (view: View, tenant: string): readonly StoredApp[] =>
  view.list<StoredApp>(`entra.app/${tenant}/`).map(([, app]) => app);
export const principalsOf = (view: View, tenant: string): readonly StoredPrincipal[] =>
  view.list<StoredPrincipal>(`entra.principal/${tenant}/`).map(([, principal]) => principal);

export const principalOfApp = (view: View, tenant: string, appId: string): StoredPrincipal | undefined =>
  principalsOf(view, tenant).find((principal) => principal.appId === appId);

/** The identities of the sandbox's machine, of whatever tenant: it has one of the system at most. */
export const attached = (view: View): readonly StoredPrincipal[] =>
  view
    .list<StoredPrincipal>("entra.principal/")
    .map(([, principal]) => principal)
    .filter(({ managed }) => managed?.attached);

/** Microsoft's own app that every tenant has: v2, its audience a GUID whatever was asked for (entra.md, trap 10). */
const exchange = (tenant: string): StoredApp => ({
  ...{ tenant, appId: tokenExchange.appId, id: tokenExchange.appId, displayName: "AzureADTokenExchange" },
  ...{ identifierUris: [tokenExchange.uri], version: 2, secrets: [], federated: [] },
});

/** The app that a token is asked for, by App ID URI or client id. */
export const resourceNamed = (view: View, tenant: string, name: string): StoredApp | undefined =>
  [...appsOf(view, tenant), exchange(tenant)].find(({ appId, identifierUris }) =>
    [appId, ...identifierUris].includes(name),
  );
