import { isIP } from "node:net";
import { type Fake, type FakeAnswer, type FakeRequest, type Host, json } from "./fake.ts";
import type { Keys } from "./keys.ts";
import type { View } from "./state.ts";

/** JSON as an issuer serves it. */
export type Document = Readonly<Record<string, unknown>>;

/** An issuer under its real name, as the state keeps it under `issuer/<url>`. */
export interface HostedIssuer {
  readonly issuer: string;
  /** Under a root that is no anchor. */
  readonly privateCa: boolean;
  /** Served instead of our own. */
  readonly discovery?: Document;
  readonly jwks?: Document;
}

/** The host of an https URL that can be played under its name: a DNS name, at port 443. */
export function hostOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  const host = parsed?.hostname ?? "";
  const plain = parsed?.protocol === "https:" && !parsed.port && !parsed.username && !parsed.search && !parsed.hash;
  return plain && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host) && isIP(host) === 0 ? host : undefined;
}

/** A slash at its end belongs to the issuer's name, and is not doubled in its addresses. */
const below = (issuer: string, path: string): string => `${issuer.replace(/\/$/, "")}/.well-known/${path}`;

/** Where the keys are said to be, by our own document or the one that replaces it. */
export const keysUrl = ({ issuer, discovery }: HostedIssuer): string =>
  typeof discovery?.jwks_uri === "string" ? discovery.jwks_uri : below(issuer, "jwks.json");

/** What stands at an address, and which call that is. */
export interface Found {
  readonly name: "GetDiscovery" | "GetKeys";
  readonly body: unknown;
}

/** The document at an address, of whichever issuer. */
export function documentAt({ host, path }: FakeRequest, view: View, keys: Keys): Found | undefined {
  const url = `https://${host}${path}`;
  for (const [, one] of view.list<HostedIssuer>("issuer/")) {
    if (url === below(one.issuer, "openid-configuration"))
      return { name: "GetDiscovery", body: one.discovery ?? discoveryOf(one) };
    if (url === keysUrl(one)) return { name: "GetKeys", body: one.jwks ?? { keys: keys.served(one.issuer) } };
  }
  return undefined;
}

/** What AWS needs of it (aws.md 6.3); there is no token endpoint, because nobody signs in here. */
const discoveryOf = (one: HostedIssuer): Document => ({
  issuer: one.issuer,
  jwks_uri: keysUrl(one),
  response_types_supported: ["id_token"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256"],
  claims_supported: ["iss", "sub", "aud", "exp", "iat"],
});

/** Looks a document up. */
export type Find = (request: FakeRequest, view: View) => Found | undefined;

const plain = { "content-type": "application/json" };

/** The service `oidc`, but for its hosts, which come and go. */
export const oidc = (find: Find): Omit<Fake, "hosts"> => ({
  service: "oidc",
  owns: () => false,
  open(request: FakeRequest, host: Host) {
    const found = find(request, host.view);
    const run = (): FakeAnswer => {
      if (!found) return json(404, { error: "not_found" }, plain);
      const read = request.method === "GET" || request.method === "HEAD";
      return read ? json(200, found.body, plain) : json(405, { error: "method_not_allowed" }, plain);
    };
    return { name: found?.name ?? "Unknown", write: false, principal: "anonymous", run };
  },
  fault: (kind) => (kind === "throttle" ? json(429, { error: "slow_down" }, plain) : json(500, {}, plain)),
});
