import { z } from "zod";
import type { HttpAnswer, World } from "../../model.ts";
import { assertionType, type ClientCredentials, googleAssertion, secretOf } from "../../run/minting.ts";
import { type Call, CloudError, call, type ErrorClass, jsonOf } from "../../run/retry.ts";
import { tokenExchange } from "./claims.ts";
import type { Source } from "./shape.ts";

const spec = { service: "entra", operation: "GetToken", effect: "read" } as const satisfies Call;

/** A token for the link's application from Entra's v2 token endpoint (entra.md 4.1). Throws a `CloudError`. */
export async function byClientCredentials(source: Source, given: ClientCredentials, world: World): Promise<string> {
  const proof =
    given.assertion === "google"
      ? { client_assertion_type: assertionType, client_assertion: await googleAssertion(tokenExchange.uri, world) }
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
    const body = bodySchema.safeParse(jsonOf(answer.body)).data;
    if (answer.status === 200 && body?.access_token) return body.access_token;
    throw refusal(answer, body);
  });
}

const bodySchema = z.object({
  access_token: z.string().min(1).optional(),
  error: z.string().optional(),
  error_codes: z.array(z.number()).optional(),
});
type Body = z.infer<typeof bodySchema>;

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
