import { z } from "zod";
import type { World } from "../../../model.ts";
import type { Account } from "../client.ts";
import { allPages, type Inputs, paged, send, type Write, write } from "../iam-call.ts";

const tags = z.array(z.object({ Key: z.string(), Value: z.string() })).default([]);

/** Lists that are empty are left out of the answer. */
const schema = z.object({
  Url: z.string().min(1),
  ClientIDList: z.array(z.string()).default([]),
  ThumbprintList: z.array(z.string()).default([]),
  Tags: tags,
});

/** `Url` comes without its scheme (aws.md 6.1). */
export type LiveOidcProvider = z.infer<typeof schema>;

/** Throws class `missing` where there is none. */
export const getOidcProvider = (world: World, account: Account, arn: string): Promise<LiveOidcProvider> =>
  send(world, account, {
    operation: "GetOpenIDConnectProvider",
    effect: "read",
    answer: schema,
    input: { OpenIDConnectProviderArn: arn },
  });

/** ARNs of all of an account; the call has no pages (aws.md 9.1). */
export const listOidcProviders = async (world: World, account: Account): Promise<readonly string[]> => {
  const answer = await send(world, account, {
    operation: "ListOpenIDConnectProviders",
    effect: "read",
    answer: z.object({ OpenIDConnectProviderList: z.array(z.object({ Arn: z.string() })).default([]) }),
    input: {},
  });
  return answer.OpenIDConnectProviderList.map(({ Arn }) => Arn);
};

type CreateInput = Inputs["CreateOpenIDConnectProvider"];

/** Everything in one call, its claim included. Sent once: the rest is `createOnce`'s. */
export const createOidcProvider = (world: World, account: Account, input: CreateInput): Promise<unknown> =>
  send(world, account, {
    operation: "CreateOpenIDConnectProvider",
    effect: "once",
    answer: z.object({ OpenIDConnectProviderArn: z.string().min(1) }),
    input: input,
  });

/** One write: adding and removing a client id is idempotent, a list of thumbprints is replaced whole (aws.md 6.1). */
export const writeOidcProvider = (
  world: World,
  { account, arn }: { readonly account: Account; readonly arn: string },
  { input, ...rest }: Write,
): Promise<void> => write(world, account, { ...rest, input: { OpenIDConnectProviderArn: arn, ...input } });

const trusting = z.object({ Arn: z.string(), AssumeRolePolicyDocument: z.string() });

/** ARNs of the roles whose trust names it, by text: whoever quotes an ARN means it. */
export async function rolesThatName(world: World, account: Account, arn: string): Promise<readonly string[]> {
  const pages = await allPages((Marker) =>
    send(world, account, {
      operation: "ListRoles",
      effect: "read",
      answer: z.object({ Roles: z.array(trusting).default([]), ...paged }),
      input: Marker ? { Marker } : {},
    }),
  );
  return pages
    .flatMap(({ Roles }) => Roles)
    .filter(({ AssumeRolePolicyDocument }) => decodeURIComponent(AssumeRolePolicyDocument).includes(`"${arn}"`))
    .map(({ Arn }) => Arn);
}
