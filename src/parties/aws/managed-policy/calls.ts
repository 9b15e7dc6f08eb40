import { z } from "zod";
import type { World } from "../../../model.ts";
import type { Account } from "../client.ts";
import { allPages, type Inputs, paged, send, type Write, write } from "../iam-call.ts";

const schema = z.object({
  Arn: z.string().min(1),
  PolicyId: z.string().min(1),
  DefaultVersionId: z.string().min(1),
  Tags: z.array(z.object({ Key: z.string(), Value: z.string() })).default([]),
});

/** Its document is the one of its default version, which is a call of its own. */
export type LivePolicy = z.infer<typeof schema>;

/** Which policy of which account. */
export interface Target {
  readonly account: Account;
  readonly arn: string;
}

/** Throws class `missing` where there is none. */
export const getPolicy = async (world: World, { account, arn }: Target): Promise<LivePolicy> => {
  const answer = await send(world, account, {
    operation: "GetPolicy",
    effect: "read",
    answer: z.object({ Policy: schema }),
    input: { PolicyArn: arn },
  });
  return answer.Policy;
};

/** Percent-decoded once (aws.md 9.1). */
export const getDocument = async (world: World, { account, arn }: Target, version: string): Promise<string> => {
  const answer = await send(world, account, {
    operation: "GetPolicyVersion",
    effect: "read",
    answer: z.object({ PolicyVersion: z.object({ Document: z.string() }) }),
    input: { PolicyArn: arn, VersionId: version },
  });
  return decodeURIComponent(answer.PolicyVersion.Document);
};

const versionSchema = z.object({ VersionId: z.string().min(1), IsDefaultVersion: z.boolean() });

/** In no order that is promised. */
export const listVersions = async (world: World, { account, arn }: Target) => {
  const pages = await allPages((Marker) =>
    send(world, account, {
      operation: "ListPolicyVersions",
      effect: "read",
      answer: z.object({ Versions: z.array(versionSchema), ...paged }),
      input: { PolicyArn: arn, ...(Marker ? { Marker } : {}) },
    }),
  );
  return pages.flatMap(({ Versions }) => Versions);
};

/** ARNs of the account's own below a path; tags do not come with them. */
export const listPolicies = async (world: World, account: Account, PathPrefix: string): Promise<readonly string[]> => {
  const pages = await allPages((Marker) =>
    send(world, account, {
      operation: "ListPolicies",
      effect: "read",
      answer: z.object({ Policies: z.array(z.object({ Arn: z.string() })).default([]), ...paged }),
      input: { Scope: "Local", PathPrefix, ...(Marker ? { Marker } : {}) },
    }),
  );
  return pages.flatMap(({ Policies }) => Policies.map(({ Arn }) => Arn));
};

type CreateInput = Inputs["CreatePolicy"];

/** With its marks in the one call. Sent once: the rest is `createOnce`'s. */
export const createPolicy = async (world: World, account: Account, input: CreateInput): Promise<LivePolicy> => {
  const answer = await send(world, account, {
    operation: "CreatePolicy",
    effect: "once",
    answer: z.object({ Policy: schema }),
    input: input,
  });
  return answer.Policy;
};

/** One write to a policy, whose ARN is added to it. */
export const writePolicy = (world: World, { account, arn }: Target, { input, ...rest }: Write): Promise<void> =>
  write(world, account, { ...rest, input: { PolicyArn: arn, ...input } });
