import { shutOut, strangersOf } from "../../judge/aws/admits.ts";
import { hasOwnKeys } from "../../judge/aws/claims.ts";
import type { Policy } from "../../judge/aws/policy.ts";
import { claimsRefusal } from "../../judge/aws/token.ts";
import { outsiderOf } from "../../judge/issuers/outsiders.ts";
import { issuerOf } from "../../judge/issuers/table.ts";
import type {
  Finding,
  Issuer,
  Known,
  Link,
  LivePresent,
  LocalEffect,
  Party,
  RelyingParty,
  Resource,
  Stranger,
  TrustView,
  World,
} from "../../model.ts";
import { finding } from "../../model.ts";
import { inParallel } from "../../run/retry.ts";
import { audit } from "./audit.ts";
import { callerTitle, identify } from "./caller/identity.ts";
import { explainMint, mint, mintAs } from "./caller/mint.ts";
import { callerContradictions, roleContradictions } from "./contradictions.ts";
import { lacks } from "./control/lacks.ts";
import { controlResources } from "./control/resources.ts";
import { documentsOf } from "./control/services.ts";
import { callerIdentity, exchange, whoami } from "./exchange.ts";
import { explain, judge } from "./explain.ts";
import { lintPermissions } from "./lint-permissions.ts";
import { lintQuotas } from "./lint-quotas.ts";
import { managedPolicyKind } from "./managed-policy/kind.ts";
import { messages } from "./messages.ts";
import { oidcProviderKind } from "./oidc-provider/kind.ts";
import { oidcProviderAddress, oidcProviderResource } from "./oidc-provider/spec.ts";
import { outboundKind } from "./outbound/kind.ts";
import { judgePermission } from "./permissions.ts";
import { nextSteps, preflight } from "./preflight.ts";
import { roleKind } from "./role/kind.ts";
import { reviewRole } from "./role/review.ts";
import { type RoleSpec, roleResource, trustOf } from "./role/spec.ts";
import { statementKind, statementResource } from "./role/statement.ts";
import { callerOf, canaryRole, forms, from, may, roleOf, targetSideOf, to } from "./shape.ts";
import { tokenCause } from "./token-cause.ts";

/**
 * The first resource of `trust` is the role in any case, because the live trust is read from it. In a role
 * that is only used, the one statement that the link needs is a resource of its own.
 */
const relying: RelyingParty = {
  trust: (link, identity) => {
    const role = roleResource(link, identity);
    const oidcProvider = oidcProviderResource(link, identity);
    // Before the role: aws may refuse a trust in what is not there, and a token is refused until it is (aws.md 7).
    const needs = oidcProvider.map(({ address }) => address);
    const holds = role.hold === "own" ? [role] : [role, statementResource(link, identity)];
    return [...holds.map((one) => ({ ...one, ...(needs.length > 0 ? { needs } : {}) })), ...oidcProvider];
  },
  judge,
  strangers,
  outsider,
  undecided: "AWS-TRUST-UNDECIDED",
  exchange,
  whoami,
  explain,
};

/**
 * Whom the live trust admits beyond the file. Where it admits nobody of the file, a subject that the role's
 * own mark remembers is no stranger: it is the link's account as it was before it was made again. Beside an
 * admitted one it is, whatever a tag says. In a role that is only used its owner may name others; an identity that
 * nobody named is a stranger there, too.
 */
function strangers({ live, lookup, base, now, identity }: TrustView, desired: Resource): readonly Stranger[] {
  if (live.state !== "present") return [];
  const [there, wanted] = [trustOf(live.spec as RoleSpec), trustOf(desired.spec as RoleSpec)];
  const found = strangersOf(there, wanted, {
    base,
    now,
    also: alsoOf(identity, lookup),
    missing: missingIn(live),
  }).filter(
    ({ code, claims, of }) =>
      code !== "AWS-AUDIENCE-OPEN" || isTaken(of, wanted, { iss: claims?.iss, lookup, desired }),
  );
  if (desired.hold === "use") return found.filter(({ unnamed }) => unnamed);
  if (!shutOut(there, wanted)) return found;
  // The mark holds `project/account=uniqueId` pairs with blanks between them.
  const former = (live.mark?.subjects ?? "").split(" ").map((entry) => entry.split("=").at(-1));
  return found.filter(({ code, claims }) => code !== "AWS-SUB-EXTRA" || !former.includes(String(claims?.sub)));
}

/** What tokens of the workload say beside its subject. */
function alsoOf(identity: TrustView["identity"], lookup: TrustView["lookup"]) {
  if (identity?.proof !== "oidc" || identity.also === undefined) return undefined;
  const { issuer: of, claims, also } = identity;
  const told = (value: Known<string>) => (typeof value === "string" ? value : lookup(value));
  return { ...also, iss: told(of), sub: [claims.sub ?? []].flat().map(told)[0] };
}

/** OIDC providers that the live trust names and the account does not have. */
const missingIn = ({ seen = [] }: LivePresent): readonly string[] =>
  seen.flatMap(({ missing }) => (typeof missing === "string" ? [missing] : []));

/** Somebody else of the link's issuer, with the audience of the link. */
function outsider({ link, identity, lookup, base }: TrustView): Readonly<Record<string, unknown>> | undefined {
  if (identity?.proof !== "oidc") return undefined;
  const iss = typeof identity.issuer === "string" ? identity.issuer : lookup(identity.issuer);
  if (iss === undefined) return undefined;
  const audience = typeof base?.aud === "string" ? base.aud : link.audience;
  return outsiderOf({ issuer: issuerOf(iss), iss, inside: [], audiences: [audience], base });
}

interface Whose {
  readonly iss: unknown;
  readonly lookup: TrustView["lookup"];
  readonly desired: Resource;
}

/**
 * Whether the OIDC provider lets a token for another audience through: its client ids are asked first, so a trust is no
 * wider than they are (aws.md 2.1). Without an audience any of them that is not the file's counts.
 */
function isTaken(audience: string | undefined, wanted: Policy, { iss, lookup, desired }: Whose): boolean {
  const issuer = String(iss ?? "");
  const address = oidcProviderAddress(String(desired.spec.account), issuer);
  const known = lookup({ $ref: address, field: "clientIds" })?.split(" ");
  if (known === undefined) return true;
  if (audience !== undefined) return known.includes(audience);
  const key = `${issuer.replace("https://", "").toLowerCase()}:aud`;
  const ours = wanted.statements.flatMap(({ condition }) => condition?.StringEquals?.[key] ?? []);
  return !known.every((id) => ours.includes(id));
}

/** Nobody is given a right here: whoever may speak as a workload is said by AWS. */
const issuer: Issuer = {
  identify,
  mint,
  mintAs,
  explainMint,
  grantMint: async () => undefined,
  recallGrant: async () => [],
};

/** AWS as a party: it issues by what a workload signs, and relies by its roles. `kinds` is in the order of making; removal goes through it backwards. */
export const aws: Party = {
  name: "aws",
  messages,
  issuer,
  relying,
  kinds: [outboundKind, oidcProviderKind, managedPolicyKind, roleKind, statementKind],
  control: controlResources,
  readControl: documentsOf,
  audit,
  title: (link, side) => (side === "from" ? callerTitle(link) : `role ${roleOf(link).name}`),
  identityName,
  lint,
  lintAll: lintQuotas,
  review: (resource, live, absent = []) =>
    resource.address.startsWith("aws:role/") ? reviewRole(resource, live, absent) : [],
  reach,
  preflight,
  nextSteps: (link) => (link.to.party === "aws" ? nextSteps(link) : []),
  effects: accessEffects,
  lacks,
};

/** A profile may hold a program that gives credentials; both ways act as somebody whom the file chooses. */
function accessEffects(link: Link, side: "from" | "to"): readonly Omit<LocalEffect, "link">[] {
  const { profile, assumeRole, account } = side === "to" ? targetSideOf(link) : callerOf(link);
  const to = `plan, too, signs requests to aws ${account} with it`;
  return [
    ...(profile === undefined ? [] : [{ verb: "use", what: `the profile ${profile} of ~/.aws/config`, to } as const]),
    ...(assumeRole === undefined ? [] : [{ verb: "use", what: `the role ${assumeRole}`, to } as const]),
  ];
}

/** A role, whether it is let in or lets in; a user or one session is no role that a link leads to. */
function identityName(link: Link, side: "from" | "to"): string | undefined {
  const { account, name } =
    side === "to" ? roleOf(link) : { account: callerOf(link).account, name: callerOf(link).role };
  return name === undefined ? undefined : `role ${name} of ${account}`;
}

/**
 * The account of the file must be the account of the credentials, before anything is read or written there: a
 * role of the same name may well exist in the wrong one. One finding for each account and way to reach it;
 * what GetCallerIdentity throws is left to the caller.
 */
async function reach(resources: readonly Resource[], world: World): Promise<readonly Finding[]> {
  const accounts = new Map(
    resources.map((resource) => [`${resource.spec.account} ${JSON.stringify(resource.access)}`, resource]),
  );
  const found = await inParallel([...accounts.values()], 4, async ({ spec, access }): Promise<readonly Finding[]> => {
    const account = { account: String(spec.account), ...(access ? { access } : {}) };
    const session = await world.credentials({ party: "aws", scope: account.account, ...(access ? { access } : {}) });
    const who = await callerIdentity(world, account, session);
    if (who.Account === account.account) return [];
    const says = `the file names the aws account ${account.account}, and these credentials belong to ${who.Account} (${who.Arn})`;
    const fix = [
      `aws sts get-caller-identity   # with the credentials of ${account.account}; or name a profile: to.aws.profile`,
    ];
    return [{ code: "AWS-WRONG-ACCOUNT", severity: "error", asks: "denied", at: {}, says, because: [], fix }];
  });
  return found.flat();
}

/** AWS's part of the federation file: what stands under `from.aws` and `to.aws`, and what `may` may hold. */
export const shape = { party: "aws", from, forms: { from: forms }, to, may, canary: { to: canaryRole } };

/** Findings that need no cloud. Consent to `AWS-PRIVILEGED` is for the caller to look for. */
function lint(link: Link): readonly Finding[] {
  return [...(link.from.party === "aws" ? lintCaller(link) : []), ...(link.to.party === "aws" ? lintRole(link) : [])];
}

/** Inside one cloud there is nothing to federate: its own trust policies name roles and users directly. */
function lintCaller(link: Link): readonly Finding[] {
  const { proof, role } = callerOf(link);
  const base = { severity: "error", links: [link.name], because: [] } as const;
  const whose: Finding = {
    ...{ ...base, code: "AWS-OUTBOUND-ROLE", at: { place: link.at("from.aws.proof") } },
    says: "a JWT of aws names a role: neither an instance nor a session stands in it",
    fix: ["role: NAME", "or proof: signed-request, which names sessions"],
  };
  const { account, arn } = callerOf(link);
  const elsewhere: Finding = {
    ...{ ...base, code: "AWS-WRONG-ACCOUNT", at: { place: link.at("from.aws.arn") } },
    says: `the arn is of the account ${arn?.split(":")[4]}, and the link of ${account}: nobody fits both`,
    fix: ["name the account of the arn"],
  };
  const outbound = [
    ...callerContradictions(link),
    ...(proof === "outbound-jwt" && role === undefined ? [whose] : []),
    ...(arn !== undefined && arn.split(":")[4] !== account ? [elsewhere] : []),
  ];
  if (link.to.party !== "aws") return outbound;
  return [
    {
      ...{ code: "SAME-CLOUD", severity: "error", at: { place: link.at("from.aws") }, links: [link.name], because: [] },
      says: "both sides are aws: a role there trusts another role by its ARN, without any token",
      fix: ["name the other role in the trust policy of this one, in aws itself"],
    },
  ];
}

function lintRole(link: Link): readonly Finding[] {
  const used = finding("USED-KEEPS-ITS-OWN", {
    links: [link.name],
    at: { place: link.at("may") },
    says: "a role named by its ARN is only used, so nothing can be granted to it",
    fix: ["leave may out"],
  });
  const privileges = link.may.flatMap((permission, at) =>
    judgePermission(permission).map(
      (remark): Finding => ({ ...remark, links: [link.name], at: { place: link.at(`may.${at}`) } }),
    ),
  );
  const held = roleOf(link).hold === "use" && link.may.length > 0 ? [used] : [];
  return [
    ...held,
    ...privileges,
    ...lintPermissions(link),
    ...roleContradictions(link),
    ...unlistedAmr(link),
    ...refusedTags(link),
  ];
}

/** Tags that the file declares: what AWS refuses a token for whatever the trust says. */
function refusedTags(link: Link): readonly Finding[] {
  const { tags } = link.from.spec;
  if (typeof tags !== "object" || tags === null) return [];
  const each = Object.entries(tags).map(([tag, values]) => [tag, [[values].flat()[0]]]);
  const claims = { "https://aws.amazon.com/tags": { principal_tags: Object.fromEntries(each) } };
  const refusal = claimsRefusal(claims, {});
  if (!refusal) return [];
  const { code, says, fix } = tokenCause(refusal, claims);
  return [finding(code, { links: [link.name], at: { place: link.at(`from.${link.from.party}.tags`) }, says, fix })];
}

/** AWS reads `amr` of any token, and issuers whose keys it lists put no such claim into theirs (aws.md 2.2). */
function unlistedAmr(link: Link): readonly Finding[] {
  const { issuer, claims } = link.from.spec;
  const named = typeof claims === "object" && claims !== null && Object.keys(claims).find((one) => /^amr$/i.test(one));
  if (!named || typeof issuer !== "string" || !hasOwnKeys(issuer)) return [];
  return [
    finding("AWS-KEY-NEVER-THERE", {
      links: [link.name],
      at: { place: link.at(`from.${link.from.party}.claims.${named}`) },
      says: `tokens of ${issuer} carry no amr, so this never matches, and nobody passes`,
      fix: ["pin a claim that aws lists for this issuer, such as an id of its tenant"],
    }),
  ];
}
