import { createHash } from "node:crypto";
import type { Session } from "../../../model.ts";
import { characters, type Host } from "../../../sandbox/fake.ts";
import { hostIn } from "./partitions.ts";
import { issueSession } from "./principals.ts";
import { roleOf } from "./roles.ts";

/**
 * Credentials as a workload has them on its machine: a session of a role, which need not be one that was made here,
 * because an account exists as soon as it is named (contract, section 5), or of a user.
 */
export function workloadSession(arn: string, host: Host): Session | undefined {
  const who = partsOf(arn);
  if (!who) return undefined;
  const { account, partition, role = "", user, name = "user" } = who;
  const expires = Math.floor(host.now() / 1000) + 3600;
  const roleId =
    roleOf(hostIn(partition, host).state, account, role)?.id ??
    idFor(arn.replace(/\/[^/]+$/, ""), user ? "AIDA" : "AROA");
  const about = { account, partition, role, roleId, name, expires, ...(user ? { user } : {}) };
  const { id, secret, token } = issueSession(host, about);
  return {
    secrets: { accessKeyId: id, secretAccessKey: secret, sessionToken: token },
    principal: arn,
    expiresAt: expires * 1000,
  };
}

interface Who {
  readonly partition: string;
  readonly account: string;
  readonly role?: string;
  /** Of a session. */
  readonly name?: string;
  readonly user?: string;
}

function partsOf(arn: string): Who | undefined {
  const groups =
    /^arn:(?<partition>aws[a-z-]*):(?:sts::(?<account>\d{12}):assumed-role\/(?<role>[\w+=,.@-]{1,80})\/(?<name>[\w+=,.@-]{2,100})|iam::(?<owner>\d{12}):user\/(?<user>[\w+=,.@/-]{1,576}))$/.exec(
      arn,
    )?.groups;
  if (!groups) return undefined;
  const { partition = "aws", account, owner = "", ...rest } = groups;
  return { ...rest, partition, account: account ?? owner };
}

/** As stable as a real one's id, for somebody whom nobody made. */
const idFor = (what: string, prefix: string): string =>
  `${prefix}${characters(createHash("sha256").update(`workload/${what}`).digest(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17)}`;
