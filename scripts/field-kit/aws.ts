import { z } from "zod";
import type { Session } from "../../src/model.ts";
import { assumeRole } from "../../src/parties/aws/exchange.ts";
import { type Inputs, send } from "../../src/parties/aws/iam-call.ts";
import { idToken, serviceAccount } from "./google.ts";
import { awsPath, type Kit } from "./kit.ts";

/** What the tokens for AWS are made for. */
export const audience = "crosstrust-field-kit";

const policy = (statement: object): string => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });

/** Admits who signs in with Google under these conditions. */
export const googleTrust = (conditions: Readonly<Record<string, unknown>>): string =>
  policy({
    Effect: "Allow",
    Principal: { Federated: "accounts.google.com" },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: conditions },
  });

/** Admits who comes through an OIDC provider of the account under these conditions. */
export const providerTrust = (kit: Kit, host: string, conditions: Readonly<Record<string, unknown>>): string =>
  policy({
    Effect: "Allow",
    Principal: { Federated: providerArn(kit, host) },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: conditions },
  });

export const providerArn = ({ ground }: Kit, host: string): string =>
  `arn:${ground.partition}:iam::${ground.account.account}:oidc-provider/${host}`;

/** A document about nothing that exists, as long as it has to be: nothing is granted by it. */
export function longPolicy(characters: number): string {
  const [start, end] = [
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::',
    '"}]}',
  ];
  return `${start}${"x".repeat(Math.max(0, characters - start.length - end.length))}${end}`;
}

/** Makes a role and gives its ARN. No role of the kit is granted anything. */
export function role(
  kit: Kit,
  AssumeRolePolicyDocument: string,
  what = "a role",
): Promise<{ name: string; arn: string }> {
  const name = kit.name();
  const input = { RoleName: name, Path: awsPath, AssumeRolePolicyDocument, Description: "crosstrust field kit" };
  return kit.write(`create the role ${awsPath}${name}, ${what}, with no permission`, async () => {
    const answer = await iamCall(kit, "CreateRole", input, z.object({ Role: z.object({ Arn: z.string().min(1) }) }));
    return { name, arn: answer.Role.Arn };
  });
}

/** One call of IAM that is sent once: its refusal is the answer. */
export const iamCall = <K extends keyof Inputs, O>(kit: Kit, operation: K, input: Inputs[K], answer: z.ZodType<O>) =>
  send(kit.world, kit.ground.account, { operation, effect: "once", input, answer });

/** The one that admits the shared service account by the three keys that crosstrust pins. */
export const googleRole = (kit: Kit) =>
  kit.once("role", async () => {
    const { uniqueId, email } = await serviceAccount(kit);
    const trust = googleTrust({
      "accounts.google.com:sub": uniqueId,
      "accounts.google.com:aud": [uniqueId, email],
      "accounts.google.com:oaud": audience,
    });
    return role(kit, trust, "which admits the kit's service account");
  });

/** What is asked of STS besides who and for which role. */
export interface Assuming {
  readonly roleArn: string;
  readonly token?: string;
  readonly policy?: string;
  readonly seconds?: number;
}

/** A session of the role, or STS's refusal at the first try. */
export async function assumed(
  kit: Kit,
  { roleArn, token, policy: narrowing, seconds = 900 }: Assuming,
): Promise<Session> {
  return assumeRole(kit.world, kit.ground.account, {
    RoleArn: roleArn,
    RoleSessionName: "crosstrust-field-kit",
    WebIdentityToken: token ?? (await idToken(kit, audience)),
    DurationSeconds: seconds,
    ...(narrowing === undefined ? {} : { Policy: narrowing }),
  });
}

/** A fresh role is refused like a wrong one for about ten seconds, so a role that should admit is asked for longer. */
export const admitted = (kit: Kit, assuming: Assuming): Promise<Session> =>
  kit.patiently(
    ({ code }) => code === "AccessDenied",
    () => assumed(kit, assuming),
  );

/** A role that is known to admit: without it a refusal would say nothing. */
export const workingRole = (kit: Kit) =>
  kit.once("working role", async () => {
    const made = await googleRole(kit);
    await admitted(kit, { roleArn: made.arn });
    return made;
  });
