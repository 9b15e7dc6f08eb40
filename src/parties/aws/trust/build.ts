import type { Identity, Known } from "../../../model.ts";
import { googleIssuer, keyPrefix } from "../claims.ts";
import { federatedOf } from "./judge.ts";
import { isText, type Policy, type Statement } from "./policy.ts";

/** Whom a role must believe: the identity, the audience of its tokens, and where the role is. */
export interface TrustAsk {
  readonly identity: Identity;
  readonly audience: string;
  readonly account: string;
  readonly partition: string;
}

/**
 * The narrowest trust that believes exactly this identity. For Google: subject and original audience, and not
 * `aud`, which reads `azp` and differs by way of minting (aws.md 3.3). Throws a plain error for any other
 * proof than a token.
 */
export function trustFor({ identity, audience, account, partition }: TrustAsk): Policy {
  if (identity.proof !== "oidc" || !isText(identity.issuer)) throw new Error("aws believes web identities only");
  const prefix = keyPrefix(identity.issuer).toLowerCase();
  const audienceKey = identity.issuer === googleIssuer ? "oaud" : "aud";
  const sub = identity.claims.sub;
  const subjects = (Array.isArray(sub) ? sub : [sub]) as readonly Known<string>[];
  const statement: Statement = {
    effect: "Allow",
    principal: { Federated: [federatedOf(identity.issuer, account, partition)] },
    action: ["sts:assumerolewithwebidentity"],
    condition: { StringEquals: { [`${prefix}:${audienceKey}`]: [audience], [`${prefix}:sub`]: subjects } },
  };
  return { version: "2012-10-17", statements: [statement] };
}
