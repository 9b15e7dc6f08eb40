import type { JSONWebKeySet } from "jose";
import { z } from "zod";
import type { World } from "../model.ts";
import { CloudError, call } from "../run/retry.ts";
import { TokenRefused, verifyStrict } from "./strict-jwt.ts";

/** Who may call: the exact audience their token must have, and their e-mails. */
export interface Callers {
  readonly audience: string;
  readonly emails: readonly string[];
}

/** 401: no token, or not one we believe. 403: believed, and not on the list. Says no more than that. */
export class CallerRefused extends Error {
  readonly status: 401 | 403;

  constructor(status: 401 | 403, why: string) {
    super(why);
    this.status = status;
  }
}

export interface Incoming {
  /** Name, value, name, value ... as they were received. */
  readonly rawHeaders: readonly string[];
  readonly url: string;
}

/** Google's own ID tokens, which Scheduler, Workflows and people with `gcloud` send. */
const issuer = "https://accounts.google.com";

/**
 * Checks the caller's ID token behind the platform's own check (contract, section 6): Google's signature, the exact
 * audience, an allow-list of verified e-mails. Nothing of the token goes into an answer or a log.
 */
export async function checkCaller(request: Incoming, callers: Callers, world: World): Promise<string> {
  const token = bearerOf(request);
  let claims: Awaited<ReturnType<typeof verifyStrict>>;
  try {
    const keys = await fetchKeys(world);
    const ask = { issuer, audience: callers.audience, algorithms: ["RS256"], keys, now: world.clock.now() };
    claims = await verifyStrict(token, ask);
  } catch (error) {
    if (error instanceof TokenRefused) throw new CallerRefused(401, `the caller's token is refused: ${error.message}`);
    throw error;
  }
  const { email, email_verified } = claims;
  if (typeof email !== "string" || email_verified !== true)
    throw new CallerRefused(403, "the caller's token names no verified e-mail");
  if (!callers.emails.includes(email)) throw new CallerRefused(403, "the caller is not on the list");
  return email;
}

/** Exactly one Authorization header, a bearer token, and none in the URL. */
function bearerOf({ rawHeaders, url }: Incoming): string {
  const given = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === "authorization");
  const inUrl = new URL(url, "http://localhost").searchParams;
  if (["access_token", "id_token", "token"].some((name) => inUrl.has(name)))
    throw new CallerRefused(401, "a token in the URL is not read");
  const match = given.length === 1 ? /^Bearer ([\w.-]+)$/.exec(given[0] ?? "") : null;
  if (!match?.[1]) throw new CallerRefused(401, "one Authorization header with a bearer token is wanted");
  return match[1];
}

const keySet = z.object({
  keys: z
    .array(z.looseObject({ kty: z.string(), kid: z.string() }))
    .min(1)
    .max(50),
});

/** Google's keys, asked for anew on each request: a rotated key is known at once, and a function runs seldom. */
async function fetchKeys(world: World): Promise<JSONWebKeySet> {
  const spec = { service: "google.oauth2", operation: "GetCerts", effect: "read" } as const;
  return call(world, spec, async () => {
    const base = await world.locate("google.oauth2", "https://www.googleapis.com");
    const { status, body } = await world.http({
      method: "GET",
      url: `${base}/oauth2/v3/certs`,
      headers: { accept: "application/json" },
    });
    const parsed = keySet.safeParse(status === 200 ? parse(body) : undefined);
    if (parsed.success) return parsed.data as JSONWebKeySet;
    throw new CloudError({
      ...spec,
      class: status >= 500 ? "transient" : "malformed",
      code: "",
      status,
      message: "no key set",
    });
  });
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
