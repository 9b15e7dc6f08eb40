import type { v1beta } from "@google-cloud/iam";
import type { World } from "../../../model.ts";
import { type Call, CloudError } from "../../../run/retry.ts";
import { google } from "../client.ts";
import { finished, type Operation, operationSchema } from "./calls.ts";

type Client = v1beta.WorkloadIdentityPoolsClient;
type Begun = readonly [{ readonly latestResponse: unknown }, ...unknown[]];

/** One write: its name and effect for the retry layer, and the call of Google's client. */
export interface Write extends Pick<Call, "operation" | "effect"> {
  readonly project: string;
  readonly send: (client: Client) => Promise<unknown>;
}

/**
 * A write to pools and pool providers by Google's own client (v1beta over REST, google.md 1.1), waited for until it is
 * done. The client only makes the request and reads the answer: it is sent through the one retry layer, with our
 * deadlines and credentials, because two layers that retry multiply. Loaded here, since reading needs none of it.
 */
export async function write(world: World, { project, send, ...call }: Write): Promise<void> {
  let failed: CloudError | undefined;
  const fetch = async (url: string | URL, init: RequestInit): Promise<Response> => {
    const { pathname, search } = new URL(url);
    const text = typeof init.body === "string" && init.body !== "" ? { text: init.body } : {};
    const method = init.method as "POST" | "PATCH" | "DELETE";
    const headers = Object.fromEntries(new Headers(init.headers));
    const ask = { ...call, service: "google.iam", method, project, path: pathname + search, headers } as const;
    try {
      return Response.json(await google(world, { ...ask, ...text, answer: operationSchema }));
    } catch (error) {
      if (error instanceof CloudError) failed = error;
      throw error;
    }
  };
  try {
    const [operation] = (await send(await clientFor(fetch))) as Begun;
    await finished(world, project, operationSchema.parse(plain(operation.latestResponse)));
  } catch (error) {
    // Whatever the client makes of it on its way, what went wrong is what our own layer says.
    throw failed ?? error;
  }
}

/** The client has null where a field is not there. */
const plain = (operation: unknown): Operation => {
  const { name, done, error } = operation as Partial<Operation>;
  return { name: name ?? "", done: done === true, ...(error ? { error } : {}) };
};

async function clientFor(fetch: (url: string | URL, init: RequestInit) => Promise<Response>): Promise<Client> {
  const { WorkloadIdentityPoolsClient } = await import("@google-cloud/iam/build/src/v1beta/index.js");
  // As much of google-auth-library's client as the REST transport asks for.
  const auth = { fetch, universeDomain: "googleapis.com", getRequestHeaders: async () => new Headers() };
  return new WorkloadIdentityPoolsClient({ fallback: true, authClient: auth as never, projectId: "unused" });
}

/** No retries of the client's own. */
export const once = { retry: null, maxRetries: 0 } as const;
