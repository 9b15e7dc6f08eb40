import { attributesOf, awsDefaultMapping, isUnmapped, type Mapping } from "./attributes.ts";
import { evaluate, isTrue, type Outcome } from "./cel.ts";

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

type Claims = Readonly<Record<string, unknown>>;

/**
 * Whether a condition tells nobody apart: callers whom the issuer vouches for and of whom nothing else is known get in,
 * each claim that is asked for being there and saying nothing special (reliability-and-security.md, case 105). An empty
 * one lets in whoever comes (google.md 6.1). The account of an AWS pool provider is its own: all its callers share it.
 */
export function admitsAnybody(held: Held): boolean {
  if (held.condition.trim() === "") return true;
  if (held.type === "aws") return callers(held).every((assertion) => isTrue(outcomeOf(held, assertion)));
  return tokens(held).some((assertion) => isTrue(outcomeOf(held, assertion)));
}

/** A condition that is no question, whatever kind of value a claim has: Google takes true and nothing else. */
export function isNoQuestion(held: Held): boolean {
  const others = claimsIn(held.condition).filter((claim) => !["sub", "iss", "aud"].includes(claim));
  const flags = Object.fromEntries(others.map((claim) => [claim, true]));
  const tried = held.type === "aws" ? callers(held) : [...tokens(held), { ...tokens(held)[0], ...flags }];
  const values = tried.map((assertion) => outcomeOf(held, assertion)).filter(({ state }) => state === "value");
  return values.length > 0 && values.every((one) => one.state === "value" && typeof one.value !== "boolean");
}

function outcomeOf(held: Held, assertion: Claims): Outcome {
  const mapping = Object.keys(held.mapping).length > 0 || held.type === "oidc" ? held.mapping : awsDefaultMapping;
  const mapped = attributesOf(assertion, mapping);
  const nothing = { subject: nobodyInParticular, groups: [], custom: {} };
  const { subject, groups, custom } = isUnmapped(mapped) ? nothing : mapped;
  return evaluate(held.condition, { assertion, google: { subject, groups }, attribute: custom });
}

/** A session of a role, and a user, of the right form: what a mapping takes out of it is somebody too. */
const callers = ({ source }: Held): readonly Claims[] =>
  [
    `sts::${source}:assumed-role/${nobodyInParticular}/${nobodyInParticular}`,
    `iam::${source}:user/${nobodyInParticular}`,
  ].map((rest) => ({ account: source, arn: `arn:aws:${rest}`, userid: `AROA:${nobodyInParticular}` }));

/** Claims that are no texts, and say as little. */
const plain = { email_verified: true, exp: 4_102_444_800, iat: 1_767_225_600, nbf: 1_767_225_600 };

/** Whoever has an account at an issuer that vouches for all the world gets tokens of this form (aws.md 2.2; issuers' docs). */
const strangers: readonly (readonly [RegExp, Claims])[] = [
  [
    /^https:\/\/token\.actions\.githubusercontent\.com/,
    {
      ...{ sub: "repo:stranger/stranger:ref:refs/heads/main", repository: "stranger/stranger" },
      ...{
        repository_owner: "stranger",
        repository_id: "1",
        repository_owner_id: "1",
        actor: "stranger",
        actor_id: "1",
      },
      ...{ ref: "refs/heads/main", ref_type: "branch", environment: "production", event_name: "push" },
      ...{ workflow: "deploy", repository_visibility: "public", runner_environment: "github-hosted" },
    },
  ],
  [
    /^https:\/\/gitlab\.com/,
    {
      ...{ sub: "project_path:stranger/stranger:ref_type:branch:ref:main", project_path: "stranger/stranger" },
      ...{ namespace_path: "stranger", namespace_id: "1", project_id: "1", user_login: "stranger", user_id: "1" },
      ...{ ref: "main", ref_type: "branch", ref_protected: "true", environment: "production" },
    },
  ],
  [
    /^https:\/\/app\.terraform\.io/,
    {
      sub: "organization:stranger:project:stranger:workspace:stranger:run_phase:apply",
      ...{ terraform_organization_name: "stranger", terraform_project_name: "stranger" },
      ...{ terraform_workspace_name: "stranger", terraform_run_phase: "apply" },
    },
  ],
];

/** An audience is a text or a list with it. */
function tokens({ condition, source, audiences, mapping }: Held): readonly Claims[] {
  const asked = [condition, ...Object.values(mapping)].flatMap(claimsIn);
  const said = Object.fromEntries(asked.map((claim) => [claim, nobodyInParticular]));
  const anybody = { ...said, ...plain, sub: nobodyInParticular, iss: source };
  const [, known] = strangers.find(([issuer]) => issuer.test(source)) ?? [];
  const aud = audiences[0] ?? nobodyInParticular;
  return [{ ...anybody, aud }, { ...anybody, aud: [aud] }, ...(known ? [{ ...anybody, aud, ...known }] : [])];
}

/** The claims that an expression reads. */
export const claimsIn = (expression: string): readonly string[] =>
  [...expression.matchAll(/assertion\.(\w+)|assertion\[(?:'([^']+)'|"([^"]+)")\]/g)].map(
    ([, plain, single, double]) => plain ?? single ?? double ?? "",
  );
