import { UsageError } from "../exit.ts";
import type { Command } from "../run.ts";
import { explainedError } from "./explain-error.ts";
import { explainAtPool } from "./explain-pool.ts";
import { explainToken } from "./explain-token.ts";
import { explain } from "./health.ts";

/** What is to be explained: exactly one of a link or code, a token, a message. */
export interface ExplainAsk {
  readonly what: string | undefined;
  readonly token?: string;
  readonly role?: string;
  readonly trustPolicy?: string;
  readonly poolProvider?: string;
  readonly error?: string;
}

/** One command for whoever stands before a refusal, whatever he has in hand (contract, section 2). */
export const explainAny: Command<ExplainAsk> = async (context, { what, token, error, ...trusts }) => {
  const given = [what, token, error].filter((one) => one !== undefined);
  if (given.length !== 1)
    throw new UsageError("explain takes a link, a code, --token FILE or --error TEXT: one of them");
  const { role, trustPolicy, poolProvider } = trusts;
  if (token === undefined && (role ?? trustPolicy ?? poolProvider) !== undefined)
    throw new UsageError("--role, --trust-policy and --pool-provider are about a --token FILE");
  if (error !== undefined) return explainedError(context, error);
  if (what !== undefined) return explain(context, { what });
  if (poolProvider !== undefined) return explainAtPool(context, { token: token ?? "", poolProvider });
  const trust = { ...(role === undefined ? {} : { role }), ...(trustPolicy === undefined ? {} : { trustPolicy }) };
  return explainToken(context, { token: token ?? "", ...trust });
};
