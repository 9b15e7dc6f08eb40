import { attributesOf, awsDefaultMapping, isUnmapped, type Mapping } from "./attributes.ts";
import { evaluate, type Outcome } from "./cel.ts";

/** What is held against everybody: a pool provider's own condition, and what it makes of a token. */
export interface Held {
  readonly condition: string;
  readonly type: "aws" | "oidc";
  /** The issuer, which every caller of the pool provider shares. */
  readonly source: string;
  readonly audiences: readonly string[];
  readonly mapping: Mapping;
}

const nobodyInParticular = "anybody";

/**
 * What a condition says of callers whom the issuer vouches for and of whom nothing else is known: each claim that is
 * asked for is there, and says nothing special (reliability-and-security.md, case 105). One that lets such a caller in
 * tells nobody apart; an empty one lets in whoever comes (google.md 6.1). AWS vouches for all accounts there are.
 */
export function ofAnybody(held: Held): readonly Outcome[] {
  const { condition, type } = held;
  if (condition.trim() === "") return [{ state: "value", value: true }];
  const mapping = Object.keys(held.mapping).length > 0 || type === "oidc" ? held.mapping : awsDefaultMapping;
  return (type === "aws" ? [awsCaller] : tokens(held)).map((assertion) => {
    const mapped = attributesOf(assertion, mapping);
    const nothing = { subject: nobodyInParticular, groups: [], custom: {} };
    const { subject, groups, custom } = isUnmapped(mapped) ? nothing : mapped;
    return evaluate(condition, { assertion, google: { subject, groups }, attribute: custom });
  });
}

export const isTrue = (outcome: Outcome): boolean => outcome.state === "value" && outcome.value === true;

/** Of the right form, so that what a mapping takes out of it is somebody too. */
const awsCaller = {
  account: "000000000000",
  arn: `arn:aws:sts::000000000000:assumed-role/${nobodyInParticular}/${nobodyInParticular}`,
  userid: `AROA:${nobodyInParticular}`,
};

/** An audience is a text or a list with it. */
function tokens({ condition, source, audiences, mapping }: Held): readonly Readonly<Record<string, unknown>>[] {
  const asked = [condition, ...Object.values(mapping)].flatMap(claimsIn);
  const said = Object.fromEntries(asked.map((claim) => [claim, nobodyInParticular]));
  const aud = audiences[0] ?? nobodyInParticular;
  return [aud, [aud]].map((one) => ({ ...said, sub: nobodyInParticular, iss: source, aud: one }));
}

/** The claims that an expression reads. */
export const claimsIn = (expression: string): readonly string[] =>
  [...expression.matchAll(/assertion\.(\w+)|assertion\[(?:'([^']+)'|"([^"]+)")\]/g)].map(
    ([, plain, single, double]) => plain ?? single ?? double ?? "",
  );
