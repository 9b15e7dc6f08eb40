import type { FakeAnswer } from "../../../sandbox/fake.ts";
import { answer, guidFrom } from "./errors.ts";
import { appOf, type GraphCall, GraphError } from "./graph-call.ts";
import { type StoredApp, type StoredFederated, saveApp } from "./store.ts";

const context = "https://graph.microsoft.com/v1.0/$metadata#applications";
const bad = (message: string): GraphError => new GraphError(400, "Request_BadRequest", message);

const shown = (app: StoredApp, credential: StoredFederated) => ({
  "@odata.context": `${context}('${app.id}')/federatedIdentityCredentials/$entity`,
  ...credential,
});

/**
 * The rules of entra.md 7.1. A wrong issuer, subject or audience is taken here and fails at the exchange (trap 9);
 * the texts are ours where none is published.
 */
function checked(app: StoredApp, { body }: GraphCall, name: string): StoredFederated {
  const text = (field: string): string => (typeof body[field] === "string" ? body[field] : "");
  const audiences = Array.isArray(body.audiences) ? body.audiences.map(String) : [];
  const [issuer, subject] = [text("issuer"), text("subject")];
  if (!/^[A-Za-z0-9][\w-]{2,119}$/.test(name)) throw bad(`Federated Identity Credential name '${name}' is invalid.`);
  if (!issuer || !subject) throw bad("Federated Identity Credential from HTTP body has empty properties");
  if (audiences.length !== 1) throw bad("Federated identity credentials must have exactly one audience.");
  if ([issuer, subject, ...audiences].some((value) => value.length > 600))
    throw bad("A property of the federated identity credential is longer than 600 characters.");
  const others = app.federated.filter((one) => one.name !== name);
  if (others.some((one) => one.issuer === issuer && one.subject === subject))
    throw bad("Issuer and subject combination already exists for this application.");
  if (others.length >= 20) throw bad("An application can have 20 federated identity credentials at most.");
  const known = app.federated.find((one) => one.name === name);
  const described = text("description") ? { description: text("description") } : {};
  return { id: known?.id ?? guidFrom(`${app.id}/${name}`), name, issuer, subject, ...described, audiences };
}

function save(call: GraphCall, app: StoredApp, credential: StoredFederated): void {
  const others = app.federated.filter(({ name }) => name !== credential.name);
  saveApp(call.host.state, { ...app, federated: [...others, credential] });
}

export function create(call: GraphCall): FakeAnswer {
  const app = appOf(call);
  const name = String(call.body.name ?? "");
  if (app.federated.some((one) => one.name === name))
    throw new GraphError(
      409,
      "Request_MultipleObjectsWithSameKeyValue",
      `FederatedIdentityCredential with name ${name} already exists.`,
    );
  const credential = checked(app, call, name);
  save(call, app, credential);
  return answer(201, shown(app, credential));
}

/** By name, and made where it is not there if the header asks for it: the form that may be repeated. */
export function ensure(call: GraphCall): FakeAnswer {
  const app = appOf(call);
  const name = call.parts[1] ?? "";
  const known = app.federated.find((one) => one.name === name);
  if (!known && call.request.headers.prefer !== "create-if-missing") throw missing(name);
  const credential = checked(app, { ...call, body: { ...known, ...call.body } }, name);
  save(call, app, credential);
  return known ? { status: 204, body: "" } : answer(201, shown(app, credential));
}

export function list(call: GraphCall): FakeAnswer {
  const app = appOf(call);
  return answer(200, {
    "@odata.context": `${context}('${app.id}')/federatedIdentityCredentials`,
    value: app.federated,
  });
}

export function get(call: GraphCall): FakeAnswer {
  const app = appOf(call);
  return answer(200, shown(app, named(app, call.parts[1] ?? "")));
}

export function remove(call: GraphCall): FakeAnswer {
  const app = appOf(call);
  const gone = named(app, call.parts[1] ?? "");
  saveApp(call.host.state, { ...app, federated: app.federated.filter(({ id }) => id !== gone.id) });
  return { status: 204, body: "" };
}

const missing = (name: string): GraphError =>
  new GraphError(404, "Request_ResourceNotFound", `Resource '${name}' does not exist.`);

/** By id or by name. */
function named(app: StoredApp, name: string): StoredFederated {
  const found = app.federated.find((one) => one.id === name || one.name === name);
  if (!found) throw missing(name);
  return found;
}
