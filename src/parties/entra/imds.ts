import { z } from "zod";
import type { HttpAnswer, World } from "../../model.ts";
import { type Call, CloudError, call, deadline, type ErrorClass, jsonOf } from "../../run/retry.ts";

const spec = { service: "azure.imds", operation: "GetToken", effect: "read" } as const satisfies Call;

/** Asked once for each world: a machine does not become one of Azure's meanwhile. */
const answers = new WeakMap<World, Promise<boolean>>();

/**
 * Whether this machine is one of Azure's: a request without the header is refused there at once (entra.md 4.3).
 * The clouds share the address, so an answer of another one counts as none: Google's has its own header, and theirs
 * and Amazon's know no such path.
 */
export function onAzure(world: World): Promise<boolean> {
  const known = answers.get(world) ?? probe(world);
  answers.set(world, known);
  return known;
}

async function probe(world: World): Promise<boolean> {
  try {
    const asked = world.http({ method: "GET", url: await urlOf(world, { resource: "probe" }), headers: {} });
    const { status, headers } = await deadline(asked, 1000);
    return (
      headers["metadata-flavor"] === undefined && (status === 400 || status === 410 || status === 429 || status >= 500)
    );
  } catch {
    return false;
  }
}

async function urlOf(world: World, ask: Readonly<Record<string, string>>): Promise<string> {
  const base = await world.locate("azure.imds", "http://169.254.169.254");
  return `${base}/metadata/identity/oauth2/token?${new URLSearchParams({ "api-version": "2018-02-01", ...ask })}`;
}

/** What is asked for, and as whom where the machine has several identities. */
export interface ImdsAsk {
  readonly resource: string;
  /** The object id of the wanted identity. */
  readonly object_id?: string;
}

/** A token of this machine's managed identity. Throws a `CloudError`. */
export function fromImds(world: World, ask: ImdsAsk): Promise<string> {
  return call(world, spec, async () => {
    const answer = await world.http({
      method: "GET",
      url: await urlOf(world, { ...ask }),
      headers: { metadata: "true" },
    });
    const body = answerSchema.safeParse(jsonOf(answer.body)).data;
    if (answer.status === 200 && body?.access_token) return body.access_token;
    throw refusal(answer, body);
  });
}

const answerSchema = z.object({ access_token: z.string().min(1).optional(), error: z.string().optional() });

/** 404 and 410 mean that the service is being updated, and 410 that it is back within 70 s (entra.md 4.3). */
function refusal({ status }: HttpAnswer, body: z.infer<typeof answerSchema> | undefined): CloudError {
  const updating = status === 404 || status === 410;
  const kind: ErrorClass =
    status === 200 ? "malformed" : status === 429 ? "throttled" : updating || status >= 500 ? "transient" : "denied";
  const message = `the metadata service of this machine gives no token (${body?.error ?? status})`;
  const wait = status === 410 ? { retryAfter: 10 } : {};
  return new CloudError({ ...spec, class: kind, code: body?.error ?? "", status, message, ...wait });
}
