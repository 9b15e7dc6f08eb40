import type { v1beta, v2 } from "@google-cloud/iam";
import type { World } from "../../../model.ts";
import { type Call, CloudError } from "../../../run/retry.ts";
import { google } from "../client.ts";
import { finished, type Operation, operationSchema } from "./calls.ts";

type Pools = v1beta.WorkloadIdentityPoolsClient;
type Policies = v2.PoliciesClient;
type Begun = readonly [{ readonly latestResponse: unknown }, ...unknown[]];

/** One write: its name and effect for the retry layer, and the call of Google's client. */
export interface Write<C> extends Pick<Call, "operation" | "effect"> {
  readonly project: string;
  readonly send: (client: C) => Promise<unknown>;
}

type Fetch = (url: string | URL, init: RequestInit) => Promise<Response>;

/** A write to pools and pool providers (v1beta over REST, google.md 1.1). */
export const write = (world: World, asked: Write<Pools>): Promise<void> =>
  by(world, asked, { make: pools, version: "v1" });

/** A write to deny policies (v2, google.md 3.1). */
export const writePolicy = (world: World, asked: Write<Policies>): Promise<void> =>
  by(world, asked, { make: policies, version: "v2" });

interface Means<C> {
  readonly make: (options: Options) => Promise<C>;
  readonly version: "v1" | "v2";
}

const pools = async (options: Options): Promise<Pools> => {
  const { WorkloadIdentityPoolsClient } = await import("@google-cloud/iam/build/src/v1beta/index.js");
  return new WorkloadIdentityPoolsClient(options);
};

const policies = async (options: Options): Promise<Policies> => {
  const { PoliciesClient } = await import("@google-cloud/iam/build/src/v2/index.js");
  return new PoliciesClient(options);
};

/**
 * A write by Google's own client, waited for until it is done. The client only makes the request and reads the answer: it is sent through the one retry layer, with our
 * deadlines and credentials, because two layers that retry multiply. Loaded here, since reading needs none of it.
 */
async function by<C>(world: World, { project, send, ...call }: Write<C>, { make, version }: Means<C>): Promise<void> {
  let failed: CloudError | undefined;
  const fetch: Fetch = async (url, init) => {
    const { pathname, search } = new URL(url);
    const text = typeof init.body === "string" && init.body !== "" ? { text: init.body } : {};
    const method = init.method as "POST" | "PATCH" | "PUT" | "DELETE";
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
    const [operation] = (await send(await make(optionsFor(fetch)))) as Begun;
    await finished(world, { project, version }, operationSchema.parse(plain(operation.latestResponse)));
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

type Options = NonNullable<ConstructorParameters<typeof v2.PoliciesClient>[0]>;

function optionsFor(fetch: Fetch): Options {
  // As much of google-auth-library's client as the REST transport asks for.
  const authClient = { fetch, universeDomain: "googleapis.com", getRequestHeaders: async () => new Headers() };
  return { fallback: true, authClient: authClient as never, projectId: "unused" };
}
