import { UsageError } from "../exit.ts";
import type { Command } from "../run.ts";
import { explainedError } from "./explain-error.ts";
import { explainAtPool } from "./explain-pool.ts";
import { explainToken } from "./explain-token.ts";
import { explain } from "./health.ts";

/** What is to be explained: exactly one of a link or code, a token, claims, a message. */
export interface ExplainAsk {
  readonly what: string | undefined;
  readonly token?: string;
  readonly claims?: string;
  readonly role?: string;
  readonly trustPolicy?: string;
  readonly poolProvider?: string;
  readonly serviceAccount?: string;
  readonly iamPolicy?: string;
  readonly error?: string;
}

/** One command for whoever stands before a refusal, whatever he has in hand (contract, section 2). */
export const explainAny: Command<ExplainAsk> = async (context, ask) => {
  const { what, token, claims, error, ...trusts } = ask;
  const given = [what, token, claims, error].filter((one) => one !== undefined);
  if (given.length !== 1)
    throw new UsageError("explain takes a link, a code, --token FILE, --claims FILE or --error TEXT: one of them");
  const { role, trustPolicy, poolProvider, serviceAccount, iamPolicy } = trusts;
  const proof = token !== undefined ? { token } : claims !== undefined ? { claims } : undefined;
  if (proof === undefined) checkNoTrust(trusts);
  if (error !== undefined) return explainedError(context, error);
  if (what !== undefined) return explain(context, { what });
  if (proof === undefined) throw new UsageError("explain wants a --token FILE or --claims FILE");
  if (poolProvider === undefined && (serviceAccount ?? iamPolicy) !== undefined)
    throw new UsageError("--service-account and --iam-policy are about a --pool-provider");
  if (poolProvider !== undefined) {
    if ((role ?? trustPolicy) !== undefined)
      throw new UsageError("--role and --trust-policy are of aws, and --pool-provider of google: say one of them");
    return explainAtPool(context, {
      proof,
      poolProvider,
      ...(serviceAccount === undefined ? {} : { serviceAccount }),
      ...(iamPolicy === undefined ? {} : { iamPolicy }),
    });
  }
  const trust = { ...(role === undefined ? {} : { role }), ...(trustPolicy === undefined ? {} : { trustPolicy }) };
  return explainToken(context, { proof, ...trust });
};

function checkNoTrust({ role, trustPolicy, poolProvider, serviceAccount, iamPolicy }: Omit<ExplainAsk, "what">): void {
  if ((role ?? trustPolicy ?? poolProvider ?? serviceAccount ?? iamPolicy) !== undefined)
    throw new UsageError(
      "--role, --trust-policy, --pool-provider, --service-account and --iam-policy are about a --token FILE or --claims FILE",
    );
}
