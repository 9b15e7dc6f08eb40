import type { Issuer, Token } from "./issuers.ts";

// AWS trust statements as trees, with a truth of their own. Nothing of the product is imported here.

/** One operator over one key. The key is that of the statement's issuer (`:sub`) or a whole one (`sts:RoleSessionName`). */
export interface Test {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** Whom a statement speaks of: an issuer's tokens, or an IAM principal. */
export type Principal =
  | { readonly is: "issuer"; readonly issuer: Issuer }
  | { readonly is: "aws"; readonly name: string }
  | { readonly is: "service"; readonly name: string };

export interface Statement {
  readonly effect: "Allow" | "Deny";
  readonly principal: Principal;
  readonly tests: readonly Test[];
}

/** What a caller brings: a token, and what the caller chooses of the request. */
export interface Request {
  readonly issuer: Issuer;
  readonly token: Token;
  readonly audience: string;
  readonly session: string;
  /** From where the caller calls. */
  readonly address: string;
}

const host = (issuer: Issuer): string => issuer.url.replace("https://", "");
export const keyOf = (issuer: Issuer, claim: string): string => `${host(issuer)}:${claim}`;

// ---- As JSON

function principalJson(principal: Principal, account: string): Record<string, string> {
  if (principal.is === "aws") return { AWS: principal.name };
  if (principal.is === "service") return { Service: principal.name };
  const { issuer } = principal;
  return {
    Federated: issuer.name === "google" ? host(issuer) : `arn:aws:iam::${account}:oidc-provider/${host(issuer)}`,
  };
}

export function policyJson(statements: readonly Statement[], account: string): object {
  return {
    Version: "2012-10-17",
    Statement: statements.map(({ effect, principal, tests }) => {
      const Condition: Record<string, Record<string, readonly string[]>> = {};
      for (const { operator, key, values } of tests) Condition[operator] = { ...Condition[operator], [key]: values };
      return {
        Effect: effect,
        Principal: principalJson(principal, account),
        Action: principal.is === "issuer" ? "sts:AssumeRoleWithWebIdentity" : "sts:AssumeRole",
        ...(tests.length > 0 ? { Condition } : {}),
      };
    }),
  };
}

// ---- As truth

/** The values of a condition key: none where the request does not have it. */
function valuesOf(key: string, { issuer, token, audience, session, address }: Request): readonly string[] {
  if (key === "sts:RoleSessionName") return [session];
  if (key === "aws:SourceIp") return [address];
  const prefix = `${host(issuer)}:`.toLowerCase();
  if (!key.toLowerCase().startsWith(prefix)) return [];
  const name = key.slice(prefix.length);
  // AWS reads the authorized party as the audience where the token has one; the token's own audience is `oaud` then.
  if (name === "aud") return [token.azp ?? audience];
  if (name === "oaud") return [audience];
  if (!["sub", "amr", "email", ...issuer.keys].includes(name)) return [];
  const value = token[name];
  return value === undefined ? [] : [value];
}

/** `*` is any run of characters, `?` one. */
function like(pattern: string, value: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[\\s\\S]*")
    .replaceAll("?", "[\\s\\S]");
  return new RegExp(`^${source}$`).test(value);
}

const compare: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  StringEquals: (value, wanted) => value === wanted,
  StringEqualsIgnoreCase: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
  StringLike: (value, wanted) => like(wanted, value),
  IpAddress: (value, wanted) => wanted === "0.0.0.0/0" || wanted === value,
};

/** By AWS's rules for keys that the request lacks: a plain operator fails, a negated one and `IfExists` hold. */
export function holds({ operator, key, values: wanted }: Test, request: Request): boolean {
  const values = valuesOf(key, request);
  const [, set = "", base = "", ifExists] = /^(?:(ForAnyValue|ForAllValues):)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  if (base === "Null") return wanted.includes(String(values.length === 0));
  const negated = base.includes("Not");
  const positive = compare[base.replace("Not", "")];
  if (!positive) throw new Error(`no operator ${operator}`);
  if (values.length === 0) {
    if (set === "ForAllValues") return true;
    if (set === "ForAnyValue") return ifExists !== undefined;
    return ifExists !== undefined || negated;
  }
  const one = (value: string) => wanted.some((candidate) => positive(value, candidate)) !== negated;
  return set === "ForAnyValue" ? values.some(one) : values.every(one);
}

/** Whether one statement speaks of a request with a token. */
export const speaksOf = ({ principal, tests }: Statement, request: Request): boolean =>
  principal.is === "issuer" &&
  principal.issuer.url === request.issuer.url &&
  tests.every((test) => holds(test, request));

/** Whether a trust policy lets a token in: an Allow, and no Deny. */
export const admits = (statements: readonly Statement[], request: Request): boolean =>
  statements.some((statement) => statement.effect === "Allow" && speaksOf(statement, request)) &&
  !statements.some((statement) => statement.effect === "Deny" && speaksOf(statement, request));
