import { createHash } from "node:crypto";
import { regionOf } from "../../../judge/issuers/partitions.ts";
import type { Host } from "../../../sandbox/fake.ts";
import type { IamAction } from "./action.ts";
import type { Principal } from "./principals.ts";
import { AwsError, type Params, required, textsParam, timestamp } from "./query.ts";
import { roleOf } from "./roles.ts";
import { notPlayedCode } from "./unplayed-action.ts";

interface StoredOutbound {
  readonly issuer: string;
  readonly enabled: boolean;
}

const key = (account: string): string => `aws.outbound/${account}`;

/** One for each account, and the same when it is switched on again; its name is made from the account here. */
function issuerOf(account: string): string {
  const hex = createHash("sha256").update(`outbound/${account}`).digest("hex");
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)];
  return `https://${uuid.join("-")}.tokens.sts.global.api.aws`;
}

const off = new AwsError("FeatureDisabledException", 404, "Outbound web identity federation is disabled.");

/** Outbound identity federation of an account (aws.md 10); codes from the model, statuses and texts approximate. */
export const outboundActions: Readonly<Record<string, IamAction>> = {
  EnableOutboundWebIdentityFederation: {
    write: true,
    run: ({ account, host }) => {
      if (host.state.get<StoredOutbound>(key(account))?.enabled)
        throw new AwsError("FeatureEnabledException", 409, "Outbound web identity federation is already enabled.");
      const issuer = issuerOf(account);
      host.state.put(key(account), { issuer, enabled: true });
      // Whoever relies on it fetches its keys under its real name.
      host.state.put(`issuer/${issuer}`, { issuer, privateCa: false });
      return { IssuerIdentifier: issuer };
    },
  },
  DisableOutboundWebIdentityFederation: {
    write: true,
    run: ({ account, host }) => {
      const known = host.state.get<StoredOutbound>(key(account));
      if (!known?.enabled) throw off;
      host.state.put(key(account), { ...known, enabled: false });
      return undefined;
    },
  },
  GetOutboundWebIdentityFederationInfo: {
    write: false,
    run: ({ account, host }) => {
      const known = host.view.get<StoredOutbound>(key(account));
      if (!known?.enabled) throw off;
      return { IssuerIdentifier: known.issuer, JwtVendingEnabled: true };
    },
  },
};

/** The JWT of a role's session: its subject is the role, with its path, whatever the session is called (aws.md 10). */
export function webIdentityToken(params: Params, who: Principal, host: Host) {
  const { account, session } = who;
  if (!session || session.user) throw new AwsError("AccessDenied", 403, "Only a session of a role gets such a token.");
  const known = host.propagated.get<StoredOutbound>(key(account));
  if (!known?.enabled)
    throw new AwsError(
      "OutboundWebIdentityFederationDisabledException",
      403,
      "Outbound web identity federation is disabled for this account.",
    );
  const audience = textsParam(params, "Audience");
  const algorithm = required(params, "SigningAlgorithm");
  const seconds = Number(params.get("DurationSeconds") ?? "300");
  // AWS signs with ES384 too; the issuers that are played here do not.
  if (algorithm !== "RS256")
    throw new AwsError(notPlayedCode, 400, `SigningAlgorithm ${algorithm} is not played here.`);
  const now = Math.floor(host.now() / 1000);
  if (now + seconds > session.expires)
    throw new AwsError("SessionDurationEscalationException", 403, "The token would outlive its session.");
  const path = roleOf(host.state, account, session.role)?.path ?? "/";
  const claims = {
    ...{ aud: audience.length === 1 ? audience[0] : audience, iss: known.issuer, iat: now, exp: now + seconds },
    sub: `arn:${session.partition}:iam::${account}:role${path}${session.role}`,
    jti: host.secrets.mac(`outbound/${host.state.next("aws-outbound")}`).slice(0, 36),
    "https://sts.amazonaws.com/": { aws_account: account, source_region: regionOf(session.partition) },
  };
  return { WebIdentityToken: host.issuers.sign(known.issuer, claims), Expiration: timestamp((now + seconds) * 1000) };
}
