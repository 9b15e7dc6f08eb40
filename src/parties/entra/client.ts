import { z } from "zod";
import type { HttpAnswer, World } from "../../model.ts";
import { type ClientCredentials, secretOf } from "../../run/minting.ts";
import { type Call, CloudError, call, type ErrorClass } from "../../run/retry.ts";
import { tokenExchange } from "./claims.ts";
import type { Source } from "./shape.ts";

const spec = { service: "entra", operation: "GetToken", effect: "read" } as const satisfies Call;

/** A token for the link's application from Entra's v2 token endpoint (entra.md 4.1). Throws a `CloudError`. */
export async function byClientCredentials(source: Source, given: ClientCredentials, world: World): Promise<string> {
  const proof =
    given.assertion === "google"
      ? { client_assertion_type: assertionType, client_assertion: await googleAssertion(world) }
      : { client_secret: secretOf(given.secretFrom ?? "", spec) };
  const form = { client_id: given.clientId, scope: `${source.application}/.default`, grant_type: "client_credentials" };
  return call(world, spec, async () => {
    const base = await world.locate("entra", "https://login.microsoftonline.com");
    const answer = await world.http({
      method: "POST",
      url: `${base}/${source.tenant}/oauth2/v2.0/token`,
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: new URLSearchParams({ ...form, ...proof }).toString(),
    });
    const body = bodySchema.safeParse(parse(answer)).data;
    if (answer.status === 200 && body?.access_token) return body.access_token;
    throw refusal(answer, body);
  });
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const bodySchema = z.object({
  access_token: z.string().min(1).optional(),
  error: z.string().optional(),
  error_codes: z.array(z.number()).optional(),
});
type Body = z.infer<typeof bodySchema>;

function parse({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Of all that Entra says only two members are stable enough to read: `error`, and the first number (entra.md, trap 13). */
function refusal({ status, headers }: HttpAnswer, body: Body | undefined): CloudError {
  const number = body?.error_codes?.[0];
  const code = number === undefined ? (body?.error ?? "") : `AADSTS${number}`;
  const seconds = Number(headers["retry-after"]);
  return new CloudError({
    ...spec,
    ...{ class: classOf(status, body), code, status },
    message: body?.error ? `entra gives no token: ${body.error} (${code})` : `answered ${status}`,
    ...(body?.error ? { detail: body.error } : {}),
    ...(headers["retry-after"] && Number.isFinite(seconds) ? { retryAfter: seconds } : {}),
  });
}

/** 90055 and 50196 ask for patience in the body; `temporarily_unavailable` is what its name says (entra.md 4.2). */
function classOf(status: number, body: Body | undefined): ErrorClass {
  if (status === 429 || [90055, 50196].includes(body?.error_codes?.[0] ?? 0)) return "throttled";
  if (status >= 500 || body?.error === "temporarily_unavailable") return "transient";
  return body?.error === undefined ? "malformed" : "denied";
}

/**
 * Google's word for this machine: an ID token for Entra's exchange, which a federated credential of the application
 * has to name (entra.md 7.2). The audience is percent-encoded, which Google's own clients leave out.
 */
function googleAssertion(world: World): Promise<string> {
  const identity = { service: "google.metadata", operation: "GetIdentity", effect: "read" } as const;
  return call(world, identity, async () => {
    const base = await world.locate("google.metadata", "http://metadata.google.internal");
    const query = new URLSearchParams({ audience: tokenExchange.uri });
    const url = `${base}/computeMetadata/v1/instance/service-accounts/default/identity?${query}`;
    const { status, headers, body } = await world.http({
      method: "GET",
      url,
      headers: { "metadata-flavor": "Google" },
    });
    const token = body.toString("utf8").trim();
    if (status === 200 && headers["metadata-flavor"] === "Google" && token.split(".").length === 3) return token;
    const kind = status >= 500 ? "transient" : "credentials";
    const message = "the metadata server gave no identity token to present to entra";
    throw new CloudError({ ...identity, class: kind, code: "", status, message });
  });
}
