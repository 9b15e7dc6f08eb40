import type { FakeAnswer, FakeRequest, Host } from "../../../sandbox/fake.ts";
import { checkAssertion } from "./assertion.ts";
import { answer, EntraError } from "./errors.ts";
import { claimsFor, sign } from "./issue.ts";
import { appsOf, principalOfApp, type StoredApp, type StoredPrincipal } from "./store.ts";

/** A call of a token endpoint. */
export interface TokenCall {
  readonly tenant: string;
  /** Of the endpoint; the token's own is the resource's business (entra.md, trap 1). */
  readonly version: 1 | 2;
  readonly request: FakeRequest;
  readonly host: Host;
}

type Form = Readonly<Record<string, string>>;

/** Client credentials at either endpoint (entra.md 4.1); throws what `EntraError` says. */
export function tokenEndpoint(call: TokenCall): FakeAnswer {
  const { version, host } = call;
  const form = formOf(call.request);
  if (!form.grant_type) throw missing("grant_type");
  if (form.grant_type !== "client_credentials")
    throw new EntraError(
      70003,
      "unsupported_grant_type",
      `The app requested an unsupported grant type '${form.grant_type}'.`,
    );
  if (!form.client_id) throw missing("client_id");
  const resource = version === 2 ? resourceOfScope(form) : form.resource;
  if (!resource) throw missing("resource");
  const { app, principal } = client(call, form.client_id);
  if (form.client_assertion !== undefined) checkAssertion(form.client_assertion, app, host);
  else checkSecret(form, app, host);
  const claims = claimsFor(host, { principal, resource, auth: form.client_secret ? "1" : "2", life: 3600 });
  const token = sign(host, claims);
  if (version === 2)
    return answer(200, { token_type: "Bearer", expires_in: 3599, ext_expires_in: 3599, access_token: token });
  return answer(200, {
    ...{ token_type: "Bearer", expires_in: "3599", ext_expires_in: "3599" },
    ...{ expires_on: String(claims.exp), not_before: String(claims.nbf), resource, access_token: token },
  });
}

const missing = (name: string): EntraError =>
  new EntraError(900144, "invalid_request", `The request body must contain the following parameter: '${name}'.`);

/** One resource and `/.default`; a resource that ends with a slash shows two of them (entra.md 4.1). */
function resourceOfScope({ scope, resource }: Form): string {
  if (resource !== undefined)
    throw new EntraError(901002, "invalid_request", "The 'resource' request parameter is not supported.");
  if (!scope) throw missing("scope");
  if (/\s/.test(scope))
    throw new EntraError(
      700022,
      "invalid_scope",
      `The provided value for the input parameter scope '${scope}' is not valid because it contains more than one resource.`,
    );
  if (!scope.endsWith("/.default")) {
    const must = "Client credential flows must have a scope value with /.default suffixed to the resource identifier";
    throw new EntraError(
      1002012,
      "invalid_scope",
      `The provided value for scope ${scope} is not valid. ${must} (application ID URI).`,
    );
  }
  return scope.slice(0, -"/.default".length);
}

const elsewhere =
  "This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.";

function client({ tenant, host }: TokenCall, id: string): { app: StoredApp; principal: StoredPrincipal } {
  const app = appsOf(host.propagated, tenant).find(({ appId }) => appId === id);
  if (!app) {
    const text = `Application with identifier '${id}' was not found in the directory '${tenant}'. ${elsewhere}`;
    throw new EntraError(700016, "unauthorized_client", text);
  }
  const principal = principalOfApp(host.propagated, tenant, id);
  if (!principal)
    throw new EntraError(
      7000229,
      "invalid_client",
      `The client application ${id} is missing service principal in the tenant ${tenant}.`,
    );
  if (!principal.enabled)
    throw new EntraError(7000112, "unauthorized_client", `Application '${id}'(${app.displayName}) is disabled.`);
  return { app, principal };
}

/** What an app without an assertion shows; an assertion of its own certificate is not played. */
function checkSecret(form: Form, app: StoredApp, host: Host): void {
  if (form.client_secret === undefined)
    throw new EntraError(
      7000218,
      "invalid_client",
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    );
  const digest = host.secrets.mac(`entra-secret/${form.client_secret}`);
  const known = app.secrets.find((secret) => secret.digest === digest);
  if (!known) {
    const text = `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${app.appId}'.`;
    throw new EntraError(7000215, "invalid_client", text);
  }
  if (known.until <= host.now())
    throw new EntraError(
      7000222,
      "invalid_client",
      `The provided client secret keys for app '${app.appId}' are expired.`,
    );
}

/** HTTP Basic counts where the form has no client of its own (entra.md 4.1). */
function formOf({ body, headers }: FakeRequest): Form {
  const form = Object.fromEntries(new URLSearchParams(body.toString("utf8")));
  const basic = /^Basic (.+)$/i.exec(headers.authorization ?? "")?.[1];
  if (!basic || form.client_id) return form;
  const [id = "", secret = ""] = Buffer.from(basic, "base64").toString("utf8").split(":").map(decodeURIComponent);
  return { ...form, client_id: id, client_secret: secret };
}
