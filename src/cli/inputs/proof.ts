import { isMap } from "../../judge/aws/policy.ts";
import { tokenOf } from "../../run/minting.ts";
import { isClaims, notAToken } from "../../run/token-text.ts";
import { UsageError } from "../exit.ts";
import { isCallerIdentity, whatIs } from "./documents.ts";
import { type SignedCaller, signedCaller } from "./signed-caller.ts";
import { type Given, given, structureIn } from "./text.ts";

type Claims = Readonly<Record<string, unknown>>;

/** What somebody proves who they are with, as far as a text says it. */
export type Proof =
  /** A token, decoded and not verified. Of bare claims the header is not known. */
  | { readonly kind: "token"; readonly claims: Claims; readonly header?: Claims }
  /** What AWS says of a caller: `account`, `arn` and `userid`, all that Google has (google.md 6.5). */
  | { readonly kind: "caller"; readonly claims: Claims }
  /** A signed GetCallerIdentity: who has signed it, only AWS can say. */
  | { readonly kind: "signed"; readonly signed: SignedCaller };

/** What the caller of `proofIn` was asked for: a token, or bare claims. */
export type Asked = { readonly token: string } | { readonly claims: string };

/**
 * Reads a proof: a JSON web token, bare claims, a signed GetCallerIdentity, or the output of `aws sts get-caller-identity`.
 * Throws a `UsageError` that says what any other text is.
 */
export function proofIn(asked: Asked): Proof {
  return "token" in asked ? tokenIn(given(asked.token)) : claimsIn(given(asked.claims));
}

function tokenIn({ text, name }: Given): Proof {
  const plain = text.replace(/^\ufeff/, "").trim();
  const signed = signedCaller(plain);
  if (signed) return { kind: "signed", signed };
  const value = structureIn(plain);
  const caller = callerIn(value);
  if (caller) return caller;
  if (isClaims(value)) return { kind: "token", claims: value };
  try {
    const { claims, header } = tokenOf(text, "tokenFile", { service: "explain" }, name);
    return { kind: "token", claims, header };
  } catch (error) {
    throw new UsageError(refusal(text, { text, name }, error));
  }
}

/** Of a document that is known its name says more than that it is JSON without a token. */
function refusal(text: string, { name }: Given, error: unknown): string {
  const { what, fix } = notAToken(text);
  const large = /is larger than/.exec((error as Error).message);
  if (large) return (error as Error).message;
  if (!/^is JSON without|^holds no JSON web token/.test(what)) return `${name} ${what}: ${fix}`;
  return `${name} holds no token: it ${whatIs(text)}. crosstrust takes a JSON web token, its claims, or for a pool provider of aws the output of aws sts get-caller-identity`;
}

function claimsIn({ text, name }: Given): Proof {
  const value = structureIn(text);
  const caller = callerIn(value);
  if (caller) return caller;
  // Claims of a debugger may be few, and any JSON object can be claims; other documents are known by what they hold.
  if (isClaims(value)) return { kind: "token", claims: value };
  const what = whatIs(text);
  if (what === "is a token") throw new UsageError(`${name} holds a token and not its claims: say --token ${name}`);
  throw new UsageError(
    `${name} holds no claims: it ${what}. Claims are a JSON object such as {"iss": "https://..", "sub": "..", "aud": ".."}`,
  );
}

/** As AWS writes the names, or as Google's expressions call them. */
function callerIn(value: unknown): Proof | undefined {
  if (!isMap(value)) return undefined;
  if (isCallerIdentity(value))
    return { kind: "caller", claims: { account: value.Account, arn: value.Arn, userid: value.UserId } };
  if (typeof value.account !== "string" || typeof value.arn !== "string" || "iss" in value) return undefined;
  return { kind: "caller", claims: { account: value.account, arn: value.arn, userid: value.userid } };
}
