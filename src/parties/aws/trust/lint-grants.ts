import { actionTruth } from "../../../judge/aws/judge.ts";
import type { Policy, Statement } from "../../../judge/aws/policy.ts";
import { exposes } from "./exposes.ts";
import { type Clause, clausesOf } from "./lint-clauses.ts";

/** Where the role is, where that is known, and what else is known about it. */
export interface LintContext {
  readonly account?: string;
  readonly partition?: string;
  /** Characters of the policy as AWS counts them; absent where it is not written yet. */
  readonly length?: number;
  /** Seconds; absent where it is not known. */
  readonly maxSession?: number;
  /** ARNs of OIDC providers that are known not to exist. Of all others nothing is said. */
  readonly missing?: readonly string[];
  /** Principals that the file names, so that a fix leads to them. */
  readonly named?: readonly string[];
}

/** One Allow for web identities, as one issuer's tokens meet it. */
export interface Grant {
  readonly statement: Statement;
  /** The principal as the policy names it. */
  readonly federated: string;
  /** The condition key prefix of the issuer, in lower case as all keys of a canonical policy. */
  readonly prefix: string;
  readonly clauses: readonly Clause[];
  /** A condition wants what no token of this issuer has: nobody passes. */
  readonly shut: boolean;
}

export const webIdentity = "sts:assumerolewithwebidentity";

/** What follows the first `/` of an ARN is the key prefix (aws.md 6.1); a built-in issuer is its own. */
export const prefixOf = (federated: string): string =>
  federated.slice(federated.startsWith("arn:") ? federated.indexOf("/") + 1 : 0).toLowerCase();

/** Neither SAML metadata nor a pattern: something that issues tokens. */
const issues = (name: string): boolean => !/:saml-provider\//.test(name) && !name.includes("*");

export const issuersOf = ({ principal }: Statement): readonly string[] => (principal?.Federated ?? []).filter(issues);

/** Statement by statement, issuer by issuer. */
export function grantsOf(policy: Policy): readonly Grant[] {
  return policy.statements
    .filter((statement) => statement.effect === "Allow" && actionTruth(statement, webIdentity))
    .flatMap((statement) => {
      const clauses = clausesOf(statement, policy);
      return issuersOf(statement).map((federated) => {
        const prefix = prefixOf(federated);
        const shut = clauses.some(({ demands, key }) => demands && !exposes(prefix, key));
        return { statement, federated, prefix, clauses, shut };
      });
    });
}
