import { keyPrefix } from "../../../judge/aws/claims.ts";
import { federatedOf } from "../../../judge/aws/judge.ts";
import { isText, type Policy, type Statement } from "../../../judge/aws/policy.ts";
import type { Identity, Known } from "../../../model.ts";

/** Whom a role must believe: the identity, the audience of its tokens, and where the role is. */
export interface TrustAsk {
  readonly identity: Identity;
  readonly audience: string;
  readonly account: string;
  readonly partition: string;
}

/**
 * The narrowest trust that believes exactly this identity. Throws a plain error for any other proof than a token.
 */
export function trustFor({ identity, audience, account, partition }: TrustAsk): Policy {
  if (identity.proof !== "oidc" || !isText(identity.issuer)) throw new Error("aws believes web identities only");
  const prefix = keyPrefix(identity.issuer).toLowerCase();
  const { sub, aud, azp, ...others } = identity.claims;
  const exact = {
    ...audienceKeys(prefix, { sub, aud, azp, audience }),
    ...(sub === undefined ? {} : { [`${prefix}:sub`]: listOf(sub) }),
    // Whether aws exposes such a claim of this issuer is for lint to say (aws.md 2.2).
    ...Object.fromEntries(Object.entries(others).map(([claim, value]) => [`${prefix}:${claim}`, listOf(value)])),
    ...Object.fromEntries(
      Object.entries(identity.tags ?? {}).map(([tag, values]) => [`aws:requesttag/${tag}`, values]),
    ),
  };
  const statement: Statement = {
    effect: "Allow",
    principal: { Federated: [federatedOf(identity.issuer, account, partition)] },
    // A token that tags its session is refused without the second action (aws.md 2.4).
    action: ["sts:assumerolewithwebidentity", ...(identity.tags ? ["sts:tagsession"] : [])],
    condition: {
      StringEquals: sorted(exact),
      ...(identity.like ? { StringLike: { [`${prefix}:sub`]: identity.like } } : {}),
    },
  };
  return { version: "2012-10-17", statements: [statement] };
}

/** What a token of the identity says of audience and authorized party. */
interface Audience {
  readonly sub: Values | undefined;
  readonly aud: Values | undefined;
  readonly azp: Values | undefined;
  readonly audience: string;
}
type Values = Known<string> | readonly Known<string>[];

/**
 * AWS's `aud` reads `azp` where the token has one, and `oaud` its `aud` (aws.md 2.1). An authorized party that is the
 * subject itself says nothing more, and differs by way of minting, as Google's does (aws.md 3.3): then only the
 * original audience is pinned. The two lists are the alternatives that the policy allows.
 */
function audienceKeys(prefix: string, { sub, aud, azp, audience }: Audience): Record<string, readonly Known<string>[]> {
  const original = listOf(aud ?? audience);
  if (azp === undefined) return { [`${prefix}:aud`]: original };
  if (JSON.stringify(azp) === JSON.stringify(sub)) return { [`${prefix}:oaud`]: original };
  const own = { [`${prefix}:aud`]: listOf(azp) };
  return JSON.stringify(listOf(azp)) === JSON.stringify(original) ? own : { ...own, [`${prefix}:oaud`]: original };
}

const listOf = (value: Values): readonly Known<string>[] => (Array.isArray(value) ? value : [value as Known<string>]);

/** By key, as a policy that was read is: people compare the two. */
const sorted = <T>(keys: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1)));
