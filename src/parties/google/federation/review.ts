import { enters } from "../../../judge/google/admits.ts";
import { attributesOf, isUnmapped } from "../../../judge/google/attributes.ts";
import { evaluate, isTrue } from "../../../judge/google/cel.ts";
import { parseCondition } from "../../../judge/google/condition.ts";
import { claimsIn, conjunctsOf, literalsIn } from "../../../judge/google/expressions.ts";
import type { PoolTrust } from "../../../judge/google/judge.ts";
import { namesTenant } from "../../../judge/issuers/outsiders.ts";
import { issuerOf } from "../../../judge/issuers/table.ts";
import type { LivePresent, Remark, Resource } from "../../../model.ts";
import { remark } from "../../../model.ts";
import { trustFrom } from "../trust-from.ts";
import type { PoolProviderSpec } from "./spec.ts";

/** What all links together come to, or what is there now: limits of google.md 6.1, and whom the condition lets in. */
export function reviewPoolProvider(resource: Resource, live?: LivePresent): readonly Remark[] {
  if (!resource.address.startsWith("google:poolProvider/")) return manyGrants(resource);
  const spec = (live?.spec ?? resource.spec) as PoolProviderSpec;
  // What the file itself says is told where it stands (lint-shared.ts).
  return [...manyGrants(resource), ...limits(spec), ...names(spec), ...(live ? breadth(spec) : [])];
}

/**
 * A condition that goes by names alone, where a name that is given up can be taken by somebody else; an id cannot. What is
 * granted to is of the same issuer and goes by names, too.
 */
function names(spec: PoolProviderSpec): readonly Remark[] {
  const { condition, source, type } = trustFrom(spec, undefined, false);
  const { ids = [], namesChangeHands, lastingSubject, name } = issuerOf(type === "oidc" ? source : "");
  if (!namesChangeHands) return [];
  const alternatives = parseCondition(condition).flatMap(conjunctsOf);
  const holdsId = (conjunct: string): boolean =>
    claimsIn(conjunct).some((claim) => ids.includes(claim)) ||
    (lastingSubject !== undefined && literalsIn(conjunct).some((text) => lastingSubject.test(text)));
  const byNames = alternatives.find((conjuncts) => !conjuncts.some(holdsId));
  if (byNames === undefined) return [];
  return [
    remark("GOOGLE-MUTABLE-NAME", {
      severity: "warning",
      says: `the condition goes by names of ${name}, and whoever takes such a name over gets in: ${byNames.join(" && ")}`,
      fix: [`pin an id as well: claims: { ${ids[0]}: .. }, and assertion.${ids[0]} == '..' in a condition of your own`],
    }),
  ];
}

function limits(spec: PoolProviderSpec): readonly Remark[] {
  const { condition } = trustFrom(spec, undefined, false);
  const long = remark("GOOGLE-CONDITION-SIZE", {
    says: `together the links make a condition of ${condition.length} characters, and 4096 fit`,
    fix: ["spread the links over several pool providers"],
  });
  const many = remark("GOOGLE-AUDIENCES", {
    says: `together the links take ${spec.audiences.length} audiences, and a pool provider takes 10`,
    fix: ["spread the links over several pool providers"],
  });
  const stored = remark("GOOGLE-KEYS-UPLOADED", {
    severity: "security",
    says: "keys were stored in the pool provider: whoever has them signs in as anybody, whatever the issuer says",
    fix: ["crosstrust apply   # takes them away"],
  });
  return [
    ...(condition.length > 4096 ? [long] : []),
    ...(spec.audiences.length > 10 ? [many] : []),
    ...(spec.keys === "issuer" ? [] : [stored]),
  ];
}

/**
 * Whom the condition lets into the pool beside the workloads that it names. On a shared issuer that is anybody's account;
 * on an own issuer everybody is of the same tenant, and the bindings decide (contract, section 9).
 */
export function breadth(spec: PoolProviderSpec): readonly Remark[] {
  const trust = { ...trustFrom(spec, undefined, false), off: undefined };
  const { off: _, ...rest } = trust;
  // Without audiences the name of the pool provider is the audience, and one that is yet to be made has no name.
  const on = { ...rest, name: rest.name ?? "//iam.googleapis.com/pool" };
  const { candidates, cut } = enters(on, []);
  const shared = on.type === "oidc" && issuerOf(on.source).tenancy === "shared";
  const outsider = candidates.find(({ who }) => who === "outsider");
  const of = on.condition === "" ? "(no condition)" : on.condition;
  if (on.condition.trim() === "" && outsider) return [unconditioned(on.source, shared)];
  if (isNoTest(on.condition, on)) return [noTest(of)];
  // Of AWS a user and a session of a role are two kinds of caller, and a condition on one of them is a test.
  const all = on.type === "aws" ? callersOf(on.source).every(passes(on.condition, on)) : outsider !== undefined;
  if (!shared) return all ? [narrowsNothing(on.source, of)] : notDecided(cut, of);
  if (outsider) {
    const example = String(outsider.claims.repository ?? outsider.claims.sub);
    const alike = outsider.crafted || isNamed(outsider.claims, on);
    return [
      remark("GOOGLE-CONDITION-BROAD", {
        severity: alike ? "security" : "error",
        says: `the condition admits other customers of ${on.source}, for example ${example}: ${alike ? "a name of theirs can look like yours" : "it tests what a customer chooses"}`,
        fix: [
          "leave it out: then the workload of the link is pinned",
          "or test a claim that only your tenant has, such as an id",
        ],
        of,
      }),
    ];
  }
  const unanchored = looseTest(on);
  if (unanchored !== undefined)
    return [
      remark("GOOGLE-CONDITION-BROAD", {
        severity: "security",
        says: `the condition finds its text anywhere in the claim, so that a name of other customers of ${on.source} can hold it: ${unanchored}`,
        fix: ["begin the expression with ^ and end it with $", "or compare the whole claim with =="],
        of,
      }),
    ];
  // A pattern of subjects is told where the file says it.
  const siblings = candidates.filter(({ who, same }) => who === "sibling" && !same);
  if (siblings.length === 0) return notDecided(cut, of);
  if (/assertion\.sub\.matches\('\^/.test(on.condition)) return [];
  const sibling = siblings.find(({ crafted }) => !crafted);
  const example = String((sibling ?? siblings[0])?.claims.sub);
  if (!sibling)
    return [
      remark("GOOGLE-CONDITION-SIBLINGS", {
        severity: "warning",
        says: `the condition also admits workloads of your own whose names begin or end alike, for example ${example}`,
        fix: ["end the name with its separator, such as : or /"],
        of,
      }),
    ];
  return [
    remark("GOOGLE-CONDITION-BROAD", {
      severity: "security",
      says: `the condition admits every workload of your own tenant at ${on.source}, for example ${example}; the bindings alone tell them apart`,
      fix: ["test what tells the workloads of the links from others; or accept it in the file"],
      of,
    }),
  ];
}

/** A search that found nobody, and that could not look at everybody. */
const notDecided = (cut: string | undefined, of: string): readonly Remark[] =>
  cut === undefined
    ? []
    : [
        remark("GOOGLE-CONDITION-UNDECIDED", {
          severity: "warning",
          says: `whether the condition admits others than the workloads of the links is not known: ${cut}`,
          fix: ["ask for less in one condition: spread the links over several pool providers"],
          of,
        }),
      ];

/** What lets the outsider in does name a tenant, somewhere in a text that is not compared as a whole. */
function isNamed(outsider: Readonly<Record<string, unknown>>, trust: PoolTrust): boolean {
  const alternatives = parseCondition(trust.condition).flatMap(conjunctsOf);
  const passed = alternatives.find((conjuncts) => conjuncts.every((one) => passes(one, trust)(outsider))) ?? [];
  return passed.flatMap(literalsIn).some((text) => namesTenant(issuerOf(trust.source), text));
}

/** A test that alone keeps other tenants out, and that finds its text anywhere. */
function looseTest(trust: PoolTrust): string | undefined {
  for (const tests of parseCondition(trust.condition).flatMap(conjunctsOf)) {
    const loose = tests.find(isUnanchored);
    const rest = tests.filter((one) => !isUnanchored(one)).join(" && ");
    if (loose === undefined) continue;
    if (rest === "" || enters({ ...trust, condition: rest }, []).candidates.some(({ who }) => who === "outsider"))
      return loose;
  }
  return undefined;
}

/** RE2's `matches` and `contains` find their text anywhere (google.md, 5). */
const isUnanchored = (test: string): boolean =>
  !/^!/.test(test.trim()) && /\.matches\(\s*r?['"](?!\^|\(\?:\^)|\.contains\(/.test(test);

const anybody = "anybody";

/**
 * Whether a condition asks for nothing that tells one tenant from another: a token passes of which nothing is known but
 * its issuer and audience, each claim that is read being there and saying nothing (reliability-and-security.md, case 105).
 */
function isNoTest(condition: string, trust: PoolTrust): boolean {
  const mapped = Object.values(trust.mapping).flatMap(claimsIn);
  const said = Object.fromEntries([...claimsIn(condition), ...mapped].map((claim) => [claim, anybody]));
  const [aud = anybody] = trust.audiences;
  const token = {
    ...said,
    email_verified: true,
    exp: 4_102_444_800,
    iat: 1_767_225_600,
    sub: anybody,
    iss: trust.source,
    aud,
  };
  if (trust.type === "aws") return callersOf("000000000000").every(passes(condition, trust));
  return [token, { ...token, aud: [aud] }].some(passes(condition, trust));
}

/** A session of a role, and a user, of whom nothing is known. */
const callersOf = (account: string) =>
  [`sts::${account}:assumed-role/${anybody}/${anybody}`, `iam::${account}:user/${anybody}`].map((rest) => ({
    account,
    arn: `arn:aws:${rest}`,
    userid: `AROA:${anybody}`,
  }));

const passes =
  (condition: string, trust: PoolTrust) =>
  (assertion: Readonly<Record<string, unknown>>): boolean => {
    const made = attributesOf(assertion, trust.mapping);
    const { subject, groups, custom } = isUnmapped(made) ? { subject: anybody, groups: [], custom: {} } : made;
    return isTrue(evaluate(condition, { assertion, google: { subject, groups }, attribute: custom }));
  };

const noTest = (of: string): Remark =>
  remark("GOOGLE-CONDITION-BROAD", {
    says: "this condition is true of everybody whom the issuer vouches for",
    fix: ["leave it out: then the workload of the link is pinned", "or test a claim that tells your own from others"],
    of,
  });

const narrowsNothing = (issuer: string, of: string): Remark =>
  remark("GOOGLE-CONDITION-BROAD", {
    severity: "warning",
    says: `the condition is true of every identity of ${issuer}: each of them gets a token of the pool, and the bindings decide`,
    fix: ["leave it out: then the workload of the link is pinned"],
    of,
  });

const unconditioned = (issuer: string, shared: boolean): Remark =>
  remark("GOOGLE-OPEN-ISSUER", {
    severity: shared ? "error" : "warning",
    says: shared
      ? `${issuer} vouches for everybody who has an account there, and no condition tells yours from theirs`
      : `no condition tells the identities of ${issuer} apart: each of them gets a token of the pool, and the bindings decide`,
    fix: ["leave condition out in the file: then the workloads of its links are pinned"],
    of: "(no condition)",
  });

/** As many as a description has room for (docs/decisions/012-leftovers.md). */
const mostRemembered = 12;

function manyGrants({ covers = [] }: Resource): readonly Remark[] {
  if (covers.length <= mostRemembered) return [];
  return [
    remark("GOOGLE-MANY-GRANTS", {
      severity: "hint",
      standing: true,
      says: `crosstrust tracks at most ${mostRemembered} grants for each account or pool provider, and this one has ${covers.length}. A grant that you remove from the file may remain on a bucket that no other link uses`,
      fix: ["fewer resources for each link, or a role on the project"],
    }),
  ];
}
