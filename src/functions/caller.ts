import { z } from "zod";
import type { World } from "../model.ts";
import { CloudError, call, jsonOf } from "../run/retry.ts";
import { CallerRefused } from "./bearer.ts";
import { type PublicKey, TokenRefused, verifyStrict } from "./strict-jwt.ts";

/** Who may call: the exact audience their token must have, and their e-mails. */
export interface Callers {
  readonly audience: string;
  readonly emails: readonly string[];
  /** Nobody reaches this function whose token the platform has not checked (docs/functions.md). */
  readonly checkedInFront?: boolean;
}

/** Google's own ID tokens, which Scheduler, Workflows and people with `gcloud` send. */
const issuer = "https://accounts.google.com";

/**
 * Checks the caller's ID token behind the platform's own check (contract, section 6): Google's signature, the
 * exact audience, an allow-list of verified e-mails. Nothing of the token goes into an answer or a log.
 *
 * Gives the e-mail. Throws `CallerRefused`, or `CloudError` where Google's keys cannot be had.
 */
export async function checkCaller(token: string, callers: Callers, world: World): Promise<string> {
  let claims: Awaited<ReturnType<typeof verifyStrict>>;
  try {
    const keys = (kid: string) => keysFor(kid, world);
    const { audience, checkedInFront = false } = callers;
    const ask = { issuer, audience, keys, now: world.clock.now(), checkedInFront };
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

const keySet = z.object({
  keys: z
    .array(z.looseObject({ kty: z.string(), kid: z.string() }))
    .min(1)
    .max(50),
});

/** Milliseconds: how long keys are believed, and how soon an unknown one may make us ask again (case 70). */
const keyLife = { believed: 600_000, pause: 60_000 } as const;
/** By where they were fetched. */
const known = new Map<string, { readonly keys: readonly PublicKey[]; readonly at: number }>();

/**
 * Google's keys, kept for a while: a caller without a good token must not be able to make us fetch at will. A
 * key that is not among them is looked for again, because keys rotate, but not at once (case 70).
 */
async function keysFor(kid: string, world: World): Promise<readonly PublicKey[]> {
  const base = await world.locate("google.oauth2", "https://www.googleapis.com");
  const held = known.get(base);
  const age = held ? Date.now() - held.at : Number.POSITIVE_INFINITY;
  const has = held?.keys.some((key) => key.kid === kid);
  if (held && (has ? age < keyLife.believed : age < keyLife.pause)) return held.keys;
  const keys = await fetchKeys(base, world);
  known.set(base, { keys, at: Date.now() });
  return keys;
}

async function fetchKeys(base: string, world: World): Promise<readonly PublicKey[]> {
  const spec = { service: "google.oauth2", operation: "GetCerts", effect: "read" } as const;
  return call(world, spec, async () => {
    const { status, body } = await world.http({
      method: "GET",
      url: `${base}/oauth2/v3/certs`,
      headers: { accept: "application/json" },
    });
    const parsed = keySet.safeParse(status === 200 ? jsonOf(body) : undefined);
    if (parsed.success) return parsed.data.keys as readonly PublicKey[];
    throw new CloudError({
      ...spec,
      class: status >= 500 ? "transient" : "malformed",
      code: "",
      status,
      message: "no key set",
    });
  });
}
