import { z } from "zod";
import type { World } from "../../model.ts";
import { type Call, CloudError } from "../../run/retry.ts";
import { type Account, iam } from "./client.ts";

type Commands = typeof import("@aws-sdk/client-iam");
type OperationOf<K> = K extends `${infer Name}Command` ? Name : never;
/** Every operation of IAM by its name, with the input that AWS's types give it. */
export type Inputs = {
  [K in keyof Commands as OperationOf<K>]: Commands[K] extends new (
    ...given: infer G
  ) => unknown
    ? NonNullable<G[0 & keyof G]>
    : never;
};

/** One call, told by its operation. */
interface Job<K extends keyof Inputs, O> extends Omit<Call, "service"> {
  readonly operation: K;
  readonly input: Inputs[K];
  readonly answer: z.ZodType<O>;
}

export const send = <K extends keyof Inputs, O>(world: World, account: Account, job: Job<K, O>): Promise<O> =>
  iam(world, { service: "aws.iam", account, ...job, input: job.input as object });

/**
 * One write, as data, so that what a plan does can be a list. `operation` names one of IAM's. Full replaces and
 * documented idempotent calls may be sent again, which is the default (fact sheet reliability-and-security, 2.3).
 */
export interface Write {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly effect?: Call["effect"];
}

/** Operations whose second try finds nothing where the first one landed. */
const takesAway = /^(Detach|Delete|Remove|Untag)/;

/**
 * The answer of a write holds nothing we need; that it is whole and of this action was seen before it was parsed. What our
 * own earlier try may have taken away is gone, and not missing.
 */
export async function write(world: World, account: Account, { operation, input, effect }: Write): Promise<void> {
  const answer = z.unknown();
  try {
    await iam(world, { service: "aws.iam", account, operation, input, answer, effect: effect ?? "repeatable" });
  } catch (error) {
    const gone = error instanceof CloudError && error.class === "missing" && error.resent && takesAway.test(operation);
    if (!gone) throw error;
  }
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
