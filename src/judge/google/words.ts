import type { PoolTrust, Refusal } from "./judge.ts";

/** Google's answer to a token exchange, by the code and the description of RFC 6749. */
export interface RefusalWords {
  readonly error: "invalid_grant" | "invalid_request" | "invalid_target" | "unauthorized_client";
  readonly message: string;
}

/** What was refused, as the judge says it. */
export interface Turned {
  readonly refusal: Refusal;
  /** The first row that failed. */
  readonly key: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly trust: Pick<PoolTrust, "source">;
}

/** Google's words for each reason (google.md 9.2); those for an account and for a mapping are approximate. */
export function refusalWords({ refusal, key, claims, trust }: Turned): RefusalWords {
  switch (refusal) {
    case "off":
      return {
        error: "invalid_target",
        message: `The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.`,
      };
    case "issuer":
      return {
        error: "invalid_grant",
        message: `The issuer in ID Token ${claims.iss} does not match the expected ones: ${trust.source}`,
      };
    case "audience":
      return {
        error: "invalid_grant",
        message: `The audience in ID Token [${claims.aud}] does not match the expected audience.`,
      };
    case "account":
      return {
        error: "invalid_grant",
        message: `The AWS account ${claims.account} does not match the expected account.`,
      };
    case "size":
      return {
        error: "invalid_request",
        message: key.includes(".")
          ? `The size of mapped attribute ${key} exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.`
          : "The size of all mapped attributes exceeds the 8192 bytes limit.",
      };
    case "mapping":
      return {
        error: "invalid_request",
        message: `The mapped attribute ${key} must be of type STRING and cannot be empty.`,
      };
    default:
      return {
        error: "unauthorized_client",
        message: "The given credential is rejected by the attribute condition.",
      };
  }
}
