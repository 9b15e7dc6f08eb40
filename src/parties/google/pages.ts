import { z } from "zod";
import type { World } from "../../model.ts";
import { CloudError } from "../../run/retry.ts";
import { type Ask, google } from "./client.ts";

/** A list of one of Google's services, as it comes in pages. */
interface Listing<T> extends Pick<Ask<unknown>, "service" | "operation" | "project"> {
  /** With a query: the token of each page is added to it. */
  readonly path: string;
  /** Where the things stand in an answer; left out of it where there is none. */
  readonly member: string;
  readonly item: z.ZodType<T>;
}

/**
 * All of it. A page that fails or a token that comes twice fails the whole list: half a list would read as "the rest is
 * gone" (fact sheet, 2.1, PG).
 */
export async function everyPage<T>(world: World, listing: Listing<T>): Promise<readonly T[]> {
  const { service, operation, project, path, member, item } = listing;
  const answer = z.object({ [member]: z.array(item).default([]), nextPageToken: z.string().optional() });
  const call = { service, operation, project, effect: "read", method: "GET" } as const;
  const all: T[] = [];
  const seen = new Set<string>();
  for (let token = ""; ; seen.add(token)) {
    const at = path + (token && `&pageToken=${encodeURIComponent(token)}`);
    const page: Readonly<Record<string, unknown>> = await google(world, { ...call, path: at, answer });
    all.push(...(page[member] as T[]));
    token = String(page.nextPageToken ?? "");
    if (!token) return all;
    if (seen.has(token)) throw endless(service, operation);
  }
}

const endless = (service: string, operation: string): CloudError =>
  new CloudError({
    ...{ class: "malformed", service, operation, code: "", status: 200 },
    message: `a paged answer of ${service.replace("google.", "")} does not end`,
  });
