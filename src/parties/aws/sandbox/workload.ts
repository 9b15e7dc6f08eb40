import { createHash } from "node:crypto";
import type { Session } from "../../../model.ts";
import { characters, type Host } from "../../../sandbox/fake.ts";
import { issueSession, operatorKey } from "./principals.ts";
import { roleOf } from "./roles.ts";

/**
 * Credentials as a workload has them on its machine: a session of a role, which need not be one that was made here,
 * because an account exists as soon as it is named (contract, section 5). A user's are not kept: the one user of an
 * account is its operator.
 */
export function workloadSession(arn: string, host: Host): Session | undefined {
  const [, partition = "aws", account = "", role = "", name = ""] =
    /^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role\/([\w+=,.@-]{1,64})\/([\w+=,.@-]{2,64})$/.exec(arn) ?? [];
  if (!account) return userSession(arn, host);
  const expires = Math.floor(host.now() / 1000) + 3600;
  const roleId = roleOf(host.state, account, role)?.id ?? idFor(`${account}/${role}`);
  const { id, secret, token } = issueSession(host, { account, partition, role, roleId, name, expires });
  return {
    secrets: { accessKeyId: id, secretAccessKey: secret, sessionToken: token },
    principal: arn,
    expiresAt: expires * 1000,
  };
}

function userSession(arn: string, host: Host): Session | undefined {
  const account = /^arn:aws[a-z-]*:iam::(\d{12}):user\/operator$/.exec(arn)?.[1];
  return account === undefined ? undefined : { secrets: { ...operatorKey(account, host) }, principal: arn };
}

/** As stable as a real role's id, for a role that nobody made. */
const idFor = (what: string): string =>
  `AROA${characters(createHash("sha256").update(`workload/${what}`).digest(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17)}`;
