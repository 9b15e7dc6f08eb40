import type { IAMClient } from "@aws-sdk/client-iam";
import { z } from "zod";
import type { World } from "../../model.ts";
import { type Call, CloudError } from "../../run/retry.ts";
import { type Account, iam } from "./client.ts";

export type Commands = typeof import("@aws-sdk/client-iam");

/** One call: the command is built only when the SDK is loaded, so that commands without a cloud stay quick. */
export async function send<O>(world: World, account: Account, job: Job<O>): Promise<O> {
  const commands = await import("@aws-sdk/client-iam");
  const { operation, effect } = job;
  return iam(world, { service: "aws.iam", operation, effect, account, answer: job.answer }, (client) =>
    job.run(client, commands),
  );
}
/** One call, told by its operation; `run` gets the client and the commands, which are both loaded late. */
interface Job<O> extends Omit<Call, "service"> {
  readonly answer: z.ZodType<O>;
  readonly run: (client: IAMClient, commands: Commands) => Promise<unknown>;
}

/**
 * One write, as data, so that what a plan does can be a list. `operation` names the SDK's command. Full replaces and
 * documented idempotent calls may be sent again, which is the default (fact sheet reliability-and-security, 2.3).
 */
export interface Write {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly effect?: Call["effect"];
}

/** The answer of a write holds nothing we need; that it is whole and of this action was seen before it was parsed. */
export async function write(world: World, account: Account, { operation, input, effect }: Write): Promise<void> {
  await send(world, account, {
    operation,
    effect: effect ?? "repeatable",
    answer: z.unknown(),
    run: (client, commands) => {
      const Command = (commands as unknown as Record<string, new (input: unknown) => never>)[`${operation}Command`];
      if (!Command) throw new Error(`the IAM client has no ${operation}`);
      return client.send(new Command(input));
    },
  });
}

/** Only `IsTruncated` says whether more follows: a page may be short (aws.md 9.1). */
export const paged = { IsTruncated: z.boolean(), Marker: z.string().optional() };

const endless = (): CloudError =>
  new CloudError({
    ...{ class: "malformed", service: "aws.iam", operation: "List", code: "", status: 200 },
    message: "a paged answer of iam does not end",
  });

/** All pages or none: a partial list never counts as complete, and a repeated marker is refused. */
export async function allPages<P extends { IsTruncated: boolean; Marker?: string | undefined }>(
  page: (marker: string | undefined) => Promise<P>,
): Promise<readonly P[]> {
  const pages: P[] = [];
  const seen = new Set<string>();
  for (let marker: string | undefined; ; ) {
    const next = await page(marker);
    pages.push(next);
    if (!next.IsTruncated) return pages;
    marker = next.Marker;
    if (!marker || seen.has(marker) || pages.length > 1000) throw endless();
    seen.add(marker);
  }
}
