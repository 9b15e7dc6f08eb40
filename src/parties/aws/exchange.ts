import { createHash } from "node:crypto";
import type { AssumeRoleWithWebIdentityCommandInput } from "@aws-sdk/client-sts";
import { z } from "zod";
import type { ExchangeAsk, Session, Token, World } from "../../model.ts";
import { CloudError } from "../../run/retry.ts";
import { type Account, sts } from "./client.ts";
import { roleAddress } from "./role/spec.ts";
import { accessOf, roleArnOf, roleOf, targetSideOf } from "./shape.ts";

// What an answer must hold before it means anything: the SDK takes an empty 200 for success (fact sheet
// reliability-and-security, trap 1).
const text = z.string().min(1);
const credentials = z.object({ AccessKeyId: text, SecretAccessKey: text, SessionToken: text, Expiration: z.date() });
const assumed = z.object({ Credentials: credentials, AssumedRoleUser: z.object({ Arn: text }) });
const identity = z.object({ Arn: text, Account: z.string().regex(/^\d{12}$/) });

/** A session that can do nothing; GetCallerIdentity works even when it is denied (fact sheet, threat T16). */
const denyAll = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }],
});

const accountOf = ({ link }: ExchangeAsk): Account => ({ account: roleOf(link).account, access: accessOf(link) });

/**
 * AssumeRoleWithWebIdentity, unsigned. A proof gets the shortest session STS gives (900 s, aws.md 11.2) under
 * a deny-all session policy; only `use` gets what the role may do, for `ask.duration` seconds. Throws a
 * `CloudError`: `denied` where the trust says no, `refused` where the token itself is turned down.
 */
export async function exchange(ask: ExchangeAsk, token: Token, world: World): Promise<Session> {
  const role = roleOf(ask.link);
  const powerless = ask.purpose !== "use";
  const input = {
    RoleSessionName:
      ask.sessionName ??
      (ask.purpose === "refuse" ? refuseName(ask.link.name) : (role.sessionName ?? sessionName(token.claims))),
    WebIdentityToken: token.text,
    DurationSeconds: powerless ? 900 : (ask.duration ?? 3600),
    ...(powerless ? { Policy: denyAll } : {}),
  };
  const [arn, ...others] = arnsFor(ask);
  try {
    return await assumeRole(world, accountOf(ask), { ...input, RoleArn: arn });
  } catch (error) {
    const isDenied = error instanceof CloudError && error.class === "denied";
    for (const RoleArn of isDenied ? others : []) {
      const session = await assumeRole(world, accountOf(ask), { ...input, RoleArn }).catch(() => undefined);
      if (session) return session;
    }
    throw error;
  }
}

/**
 * The ARN of the role as it was read: one that was adopted may have another path than the one at which roles are made.
 * Whoever has read nothing goes by the file, and where that states no path tries `/` as well, where people make roles. AWS
 * answers for a role that is not there as for one whose trust refuses.
 */
function arnsFor({ link, lookup }: ExchangeAsk): readonly [string, ...string[]] {
  const role = roleOf(link);
  const known = lookup?.({ $ref: roleAddress(role), field: "arn" });
  if (known !== undefined) return [known];
  const isStated = role.hold === "use" || targetSideOf(link).path !== undefined || lookup !== undefined;
  return isStated ? [roleArnOf(role)] : [roleArnOf(role), roleArnOf({ ...role, path: "/" })];
}

/** A session for a token. Unsigned: what is believed is the token alone (wire.md, trap 5). */
export async function assumeRole(
  world: World,
  account: Account,
  input: AssumeRoleWithWebIdentityCommandInput,
): Promise<Session> {
  // A read: it leaves no state behind and may be sent again (fact sheet reliability-and-security, 2.3).
  const call = { service: "aws.sts", operation: "AssumeRoleWithWebIdentity", effect: "read" } as const;
  const answer = await sts(world, { ...call, account, input, answer: assumed });
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials;
  return {
    secrets: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
    principal: answer.AssumedRoleUser.Arn,
    expiresAt: Expiration.getTime(),
  };
}

/**
 * GetCallerIdentity with the session; it must be the role of the link, in the account of the file, or the
 * right code has run as the wrong identity (failures.md F21): a `CloudError` of class `refused`. The path is
 * not compared, because the ARN of a session has none.
 */
export async function whoami(session: Session, ask: ExchangeAsk, world: World): Promise<string> {
  const role = roleOf(ask.link);
  const answer = await callerIdentity(world, accountOf(ask), session);
  const wanted = `arn:${role.partition}:sts::${role.account}:assumed-role/${role.name}/`;
  if (!answer.Arn.startsWith(wanted)) {
    const message = `the session is ${answer.Arn}, not the role ${role.name} of ${role.account}`;
    throw new CloudError({
      class: "refused",
      service: "aws.sts",
      operation: "GetCallerIdentity",
      code: "",
      status: 200,
      message,
    });
  }
  return answer.Arn;
}

/** Whose credentials these are. No policy can deny it (fact sheet reliability-and-security, 2.2). */
export function callerIdentity(world: World, account: Account, session: Session): Promise<z.infer<typeof identity>> {
  const call = { service: "aws.sts", operation: "GetCallerIdentity", effect: "read" } as const;
  return sts(world, { ...call, account, session, input: {}, answer: identity });
}

/**
 * The token's `sub`, cleaned to what STS allows (2-64 of `\w+=,.@-`, aws.md 11.2) so that CloudTrail names
 * the workload. What had to be cleaned or cut ends with a hash, so that two subjects do not become one name.
 * An e-mail is hashed: the name is logged for good (fact sheet reliability-and-security, case 93).
 */
export function sessionName(claims: Readonly<Record<string, unknown>>): string {
  const sub = String(claims.sub ?? "");
  const digest = createHash("sha256").update(sub).digest("hex");
  if (sub.includes("@") || sub.length < 2) return `sub-${digest.slice(0, 24)}`;
  const clean = sub.replace(/[^\w+=,.@-]/g, "-");
  return clean === sub && clean.length <= 64 ? clean : `${clean.slice(0, 47)}-${digest.slice(0, 16)}`;
}

/** Told from real use in the audit logs by its name (contract, section 7). */
const refuseName = (link: string): string => `crosstrust-refuse-${link}`.slice(0, 64);
