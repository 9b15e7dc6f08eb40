import type { FakeAnswer } from "../../../sandbox/fake.ts";
import { answer, guidFrom } from "./errors.ts";
import { appOf, type GraphCall, GraphError, principalOf } from "./graph-call.ts";
import { appsOf, principalOfApp, type StoredApp, type StoredPrincipal, saveApp, savePrincipal } from "./store.ts";

/** Made from names and a counter, so that output can be reproduced. */
const newId = ({ host, tenant }: GraphCall, what: string): string =>
  guidFrom(`${tenant}/${what}/${host.state.next(`entra-${what}`)}`);

const shown = ({ id, appId, displayName, identifierUris, version }: StoredApp) => ({
  ...{ id, appId, displayName, identifierUris, signInAudience: "AzureADMyOrg" },
  api: { requestedAccessTokenVersion: version },
});

const versionIn = (body: GraphCall["body"]): StoredApp["version"] | undefined =>
  (body.api as { readonly requestedAccessTokenVersion?: 1 | 2 | null } | undefined)?.requestedAccessTokenVersion;

/** Made without a version it gives tokens of version 1 (entra.md, trap 1). */
export function createApp(call: GraphCall): FakeAnswer {
  const { body, tenant, host } = call;
  const [appId, id] = [newId(call, "app"), newId(call, "object")];
  const identifierUris = urisIn(call, appId) ?? [];
  const displayName = String(body.displayName ?? "");
  const app: StoredApp = {
    tenant,
    appId,
    id,
    displayName,
    identifierUris,
    version: versionIn(body) ?? null,
    secrets: [],
    federated: [],
  };
  saveApp(host.state, app);
  return answer(201, shown(app));
}

export const getApp = (call: GraphCall): FakeAnswer => answer(200, shown(appOf(call)));

export function updateApp(call: GraphCall): FakeAnswer {
  const app = appOf(call);
  const version = versionIn(call.body);
  const identifierUris = urisIn(call, app.appId) ?? app.identifierUris;
  saveApp(call.host.state, { ...app, identifierUris, ...(version === undefined ? {} : { version }) });
  return { status: 204, body: "" };
}

/** Unique in the tenant, and without a slash at the end (entra.md 8.1). */
function urisIn({ body, host, tenant }: GraphCall, appId: string): readonly string[] | undefined {
  if (!Array.isArray(body.identifierUris)) return undefined;
  const uris = body.identifierUris.map(String);
  const others = appsOf(host.view, tenant).filter((one) => one.appId !== appId);
  const taken = uris.find((uri) => others.some(({ identifierUris }) => identifierUris.includes(uri)));
  if (taken)
    throw new GraphError(
      400,
      "Request_BadRequest",
      "Another object with the same value for property identifierUris already exists.",
    );
  const wrong = uris.find((uri) => uri.endsWith("/"));
  if (wrong) throw new GraphError(400, "HostNameNotOnVerifiedDomain", `Failed to add identifier URI ${wrong}.`);
  return uris;
}

/** Shown once; what is kept is a digest. */
export function addPassword(call: GraphCall): FakeAnswer {
  const { host, body } = call;
  const app = appOf(call);
  const asked = (body.passwordCredential as { readonly endDateTime?: string } | undefined)?.endDateTime;
  const until = asked === undefined ? host.now() + 63_072_000_000 : Date.parse(asked);
  const keyId = newId(call, "secret");
  const secretText = host.secrets.issue(`sb~${host.secrets.mac(`entra-new-secret/${keyId}`).slice(0, 37)}`);
  const digest = host.secrets.mac(`entra-secret/${secretText}`);
  saveApp(host.state, { ...app, secrets: [...app.secrets, { digest, until }] });
  return answer(200, { keyId, secretText, hint: secretText.slice(0, 3), endDateTime: new Date(until).toISOString() });
}

const shownPrincipal = ({ id, appId, enabled, assignmentRequired }: StoredPrincipal) => ({
  ...{ id, appId, accountEnabled: enabled, appRoleAssignmentRequired: assignmentRequired },
});

export function createPrincipal(call: GraphCall): FakeAnswer {
  const { body, tenant, host } = call;
  const appId = String(body.appId ?? "");
  if (!appsOf(host.view, tenant).some((app) => app.appId === appId))
    throw new GraphError(
      400,
      "Request_BadRequest",
      `The appId '${appId}' of the service principal does not reference a valid application object.`,
    );
  if (principalOfApp(host.view, tenant, appId))
    throw new GraphError(
      409,
      "Request_MultipleObjectsWithSameKeyValue",
      `The service principal cannot be created, updated, or restored because the service principal name ${appId} is already in use.`,
    );
  const id = newId(call, "principal");
  const principal: StoredPrincipal = { tenant, id, appId, enabled: true, assignmentRequired: false, assigned: {} };
  savePrincipal(host.state, principal);
  return answer(201, shownPrincipal(principal));
}

export function updatePrincipal(call: GraphCall): FakeAnswer {
  const { body, host, parts } = call;
  const principal = principalOf(call, parts[0] ?? "");
  const enabled = typeof body.accountEnabled === "boolean" ? body.accountEnabled : principal.enabled;
  const required = body.appRoleAssignmentRequired;
  const assignmentRequired = typeof required === "boolean" ? required : principal.assignmentRequired;
  savePrincipal(host.state, { ...principal, enabled, assignmentRequired });
  return { status: 204, body: "" };
}

/** Roles go by their id here, which real tokens show by their value: none is declared in the sandbox. */
export function assign(call: GraphCall): FakeAnswer {
  const { body, host } = call;
  const [principalId, appRoleId] = [String(body.principalId ?? ""), String(body.appRoleId ?? "")];
  principalOf(call, principalId);
  const resource = principalOf(call, String(body.resourceId ?? ""));
  const roles = [...(resource.assigned[principalId] ?? []), appRoleId];
  savePrincipal(host.state, { ...resource, assigned: { ...resource.assigned, [principalId]: roles } });
  return answer(201, { id: newId(call, "assignment"), principalId, resourceId: resource.id, appRoleId });
}
