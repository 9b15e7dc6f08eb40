import type { Link } from "../../src/model.ts";
import { type StoredPrincipal, savePrincipal } from "../../src/parties/entra/sandbox/store.ts";
import { cloudWorld } from "../../src/run/world.ts";
import type { Bench } from "./bench.ts";
import { federationOf } from "./bench.ts";

// A tenant with an application, and somebody who sets it up through Graph.

export const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
export const subject = "9f3c1e2a-0000-4000-8000-000000000001";
export const clientId = "935d9cd2-0000-4000-8000-000000000002";
export const appId = "166f9909-0000-4000-8000-000000000003";
export const v1 = `application: api://my-app, subject: ${subject}`;
export const v2 = `application: ${appId}, subject: ${subject}, tokenVersion: 2, clientId: ${clientId}`;

export const fileWith = (members: string): string => `crosstrust: 1
name: acme
links:
  entra-app:
    from: { entra: { tenant: ${tenant}, ${members} } }
    to:   { aws: { account: 111122223333, role: azure-app } }
    may:  [ arn:aws:iam::aws:policy/ReadOnlyAccess ]
`;

export const linkWith = (members: string): Link => federationOf(fileWith(members)).links[0] as Link;

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : {}, headers: answer.headers };
}

/** The cloud's own world, led to the sandbox; `moved` overrides where a service is. */
export const cloudLike = (b: Bench, moved: Readonly<Record<string, string>> = {}) =>
  cloudWorld({
    endpoints: new Map(
      Object.entries({
        "azure.imds": `${b.url}/azure/imds`,
        entra: `${b.url}/entra`,
        "google.metadata": `${b.url}/google/metadata`,
        ...moved,
      }),
    ),
    sources: {},
    store: b.world().store,
    progress: () => {},
    signal: new AbortController().signal,
  });

/** A machine that is none of Azure's: another cloud's metadata server answers at the address. */
export const onGoogle = (b: Bench) => ({ "azure.imds": `${b.url}/google/metadata` });

/** A managed identity, on the sandbox's machine unless said otherwise. */
export function identity(b: Bench, change: Partial<StoredPrincipal> = {}): StoredPrincipal {
  const managed = { kind: "user", attached: true, resourceId: "/subscriptions/s/resourcegroups/g/mi" } as const;
  const base = {
    tenant,
    id: subject,
    appId: clientId,
    enabled: true,
    assignmentRequired: false,
    assigned: {},
    managed,
  };
  const made = { ...base, ...change };
  savePrincipal(b.sandbox.state, made);
  return made;
}

/** One application with its service principal, and the calls of its owner. */
export class App {
  readonly b: Bench;
  readonly appId: string;
  readonly id: string;
  readonly principal: string;
  private trusted = 0;

  private constructor(b: Bench, appId: string, id: string, principal: string) {
    this.b = b;
    this.appId = appId;
    this.id = id;
    this.principal = principal;
  }

  static async graph(b: Bench, method: string, path: string, body?: unknown, prefer?: string): Promise<Answer> {
    const { secrets } = await b.world().credentials({ party: "entra", scope: tenant });
    const headers: Record<string, string> = {
      authorization: `Bearer ${secrets.accessToken}`,
      "content-type": "application/json",
    };
    if (prefer) headers.prefer = prefer;
    return ask(`${b.url}/entra/graph/v1.0/${path}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  }

  static async make(b: Bench, members: Record<string, unknown> = {}): Promise<App> {
    const { body } = await App.graph(b, "POST", "applications", { displayName: "app", ...members });
    const sp = await App.graph(b, "POST", "servicePrincipals", { appId: body.appId });
    return new App(b, String(body.appId), String(body.id), String(sp.body.id));
  }

  graph(method: string, rest: string, body?: unknown, prefer?: string): Promise<Answer> {
    return App.graph(this.b, method, `applications/${this.id}${rest}`, body, prefer);
  }

  async secret(endDateTime?: string): Promise<string> {
    const { body } = await this.graph("POST", "/addPassword", {
      passwordCredential: { ...(endDateTime ? { endDateTime } : {}) },
    });
    return String(body.secretText);
  }

  async trusts(issuer: string, sub: string, audience = "api://AzureADTokenExchange"): Promise<Answer> {
    const name = `fic-${++this.trusted}`;
    return this.graph("POST", "/federatedIdentityCredentials", { name, issuer, subject: sub, audiences: [audience] });
  }

  /** `changes` over a good request of the v2 endpoint; undefined leaves a member out. */
  token(changes: Readonly<Record<string, string | undefined>>, path = `${tenant}/oauth2/v2.0/token`): Promise<Answer> {
    const base = { client_id: this.appId, grant_type: "client_credentials" };
    const form = Object.entries({ ...base, ...changes }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return ask(`${this.b.url}/entra/${path}`, { method: "POST", body: new URLSearchParams(form) });
  }
}
