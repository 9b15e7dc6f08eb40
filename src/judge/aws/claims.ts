import { issuerOf } from "../issuers/table.ts";

/** What a condition key holds for one token: its values and the claim they were read from. */
export type Reading =
  | { readonly state: "present"; readonly values: readonly string[]; readonly readFrom: string }
  | { readonly state: "absent"; readonly readFrom: string }
  /** It depends on more than the token: the caller's address, an organization ... */
  | { readonly state: "unknown"; readonly readFrom: string };

/** A token's payload as JSON gave it. Whether its signature holds is not a question of this file. */
export type Claims = Readonly<Record<string, unknown>>;

/** What the request adds to the token. */
export interface Request {
  /** Chosen by the caller; while it is not known, conditions on `sts:RoleSessionName` are unknown. */
  readonly sessionName?: string;
  /** Epoch milliseconds. */
  readonly now?: number;
  /** The caller's address; while it is not known, conditions on `aws:SourceIp` are unknown. */
  readonly sourceIp?: string;
  /** Further keys that the caller chooses, in lower case, with their values. */
  readonly chosen?: Readonly<Record<string, string>>;
  /** The claims are those that somebody declared: what is not among them is not known to be missing. */
  readonly declared?: boolean;
  /** What AWS names as the principal of the token's issuer; without it, conditions on who that is are unknown. */
  readonly federated?: string;
  /** The caller is outside of the networks and organizations that a policy can name, and calls directly. */
  readonly outside?: boolean;
}

/** The condition key prefix of an issuer: its URL without the scheme, path and trailing slash kept (aws.md 2.1). */
export const keyPrefix = (issuer: string): string => issuer.replace(/^https:\/\//, "");

/** Google's issuer is built into AWS: no OIDC provider, principal `accounts.google.com` (aws.md 3). */
export const googleIssuer = "https://accounts.google.com";

/**
 * AWS's table of condition keys for web identity (aws.md 2.1). `aud` reads `azp` where the token has one: the
 * trap behind most refusals of Google tokens.
 */
export function readKey(key: string, claims: Claims, request: Request = {}): Reading {
  const name = key.toLowerCase();
  const prefix = `${keyPrefix(String(claims.iss ?? "")).toLowerCase()}:`;
  if (name.startsWith(prefix)) {
    const claim = name.slice(prefix.length);
    const reading = readClaim(claim, claims, prefix);
    const untold = reading.state === "absent" && reading.readFrom === claim && !["sub", "aud", "oaud"].includes(claim);
    return untold && request.declared ? unknown(`${claim}, which the file does not declare`) : reading;
  }
  if (name === "sts:rolesessionname") {
    const value = request.sessionName;
    return value === undefined ? unknown("the caller") : { state: "present", values: [value], readFrom: "the caller" };
  }
  if (name === "aws:currenttime" || name === "aws:epochtime") return readTime(name, request.now);
  const principal = readPrincipal(name, request.federated);
  if (principal) return principal;
  const chosen = request.chosen?.[name];
  if (chosen !== undefined) return { state: "present", values: [chosen], readFrom: "the caller" };
  if (name === "aws:sourceip" && request.sourceIp !== undefined)
    return { state: "present", values: [request.sourceIp], readFrom: "the request" };
  if (request.outside) {
    if (name === "aws:securetransport") return { state: "present", values: ["true"], readFrom: "the request" };
    if (name === "aws:viaawsservice") return { state: "present", values: ["false"], readFrom: "the request" };
    // A call from the internet comes through no endpoint of a network, and a web identity belongs to no organization.
    if (/^aws:(?:sourcevpc|sourcevpce|vpcsourceip|principalorgid|principalorgpaths|principaltag\/.*)$/.test(name))
      return absent("the request");
  }
  if (/^(?:aws|sts|iam):/.test(name)) return readGlobal(name, claims);
  // Any other key belongs to another issuer's prefix, or to a claim that AWS never exposes (aws.md 2.3).
  return absent("no claim that aws reads");
}

/**
 * Who a web identity is to AWS: a user without an ARN, its account that of the OIDC provider, its id that provider's ARN
 * (recorded for custom issuers, aws.md 2.1). The first two are taken to hold for Google's tokens too; what account and id
 * are for those, which have no OIDC provider, is not recorded. Undefined for any other key.
 */
function readPrincipal(name: string, federated: string | undefined): Reading | undefined {
  if (name === "aws:principaltype") return { state: "present", values: ["User"], readFrom: "aws" };
  if (name === "aws:principalarn") return absent("aws");
  if (name !== "aws:principalaccount" && name !== "aws:userid") return undefined;
  const account = /^arn:[^:]+:iam::(\d{12}):oidc-provider\//.exec(federated ?? "")?.[1];
  if (federated === undefined || account === undefined) return unknown("aws");
  return { state: "present", values: [name === "aws:userid" ? federated : account], readFrom: "the OIDC provider" };
}

/** The keys that AWS has for any issuer (aws.md 2.1), then those it has for this one. */
function readClaim(name: string, claims: Claims, prefix: string): Reading {
  switch (name) {
    case "aud":
      return present(claims, (claims.azp ?? undefined) === undefined ? "aud" : "azp");
    case "oaud":
      return present(claims, "aud");
    case "sub":
    case "amr":
    case "email":
      return present(claims, name);
    default:
      return readOwn(name, claims, prefix);
  }
}

/**
 * Keys that AWS has for single issuers since 2026 (aws.md 2.2, in the issuer table). Under which name it reads Google's
 * organization number is undocumented, so that one is unknown.
 */
/** Whether AWS lists the keys of an issuer one by one; all other issuers have the default keys alone. */
export const hasOwnKeys = (issuer: string): boolean => issuerOf(issuer).awsKeys !== undefined;

function readOwn(name: string, claims: Claims, prefix: string): Reading {
  if (prefix === "accounts.google.com:" && name === "google/organization_number") return unknown("google");
  const own = issuerOf(prefix.slice(0, -1)).awsKeys?.includes(name);
  return own ? present(claims, name) : absent("no claim that aws reads");
}

function present(claims: Claims, claim: string): Reading {
  const value = claims[claim];
  if (value === undefined || value === null) return absent(claim);
  const values = Array.isArray(value) ? value.map(String) : [String(value)];
  return { state: "present", values, readFrom: claim };
}

/** What AWS reads of a token beyond its issuer's own keys (aws.md 2.4): absent members set nothing. */
export interface SessionClaims {
  /** Values by tag key, as the token spells it. */
  readonly tags: Readonly<Record<string, readonly unknown[]>>;
  readonly transitive: readonly string[];
  readonly sourceIdentity?: string;
  /** ARNs, trimmed; none where the claim names no role. */
  readonly roles?: readonly string[];
}

const own = "https://aws.amazon.com/";

/** Tags nested in one claim, or flat, a claim each: both are accepted (recorded, aws.md 2.4). */
export function sessionClaims(claims: Claims): SessionClaims {
  const nested = claims[`${own}tags`] as { principal_tags?: object; transitive_tag_keys?: unknown } | undefined;
  const flat = Object.entries(claims).flatMap(([claim, value]) =>
    claim.startsWith(`${own}tags/principal_tags/`) ? [[claim.slice(own.length + 20), value] as const] : [],
  );
  const tags = [...Object.entries(nested?.principal_tags ?? {}), ...flat].map(
    ([key, value]) => [key, Array.isArray(value) ? value : [value]] as const,
  );
  const transitive = nested?.transitive_tag_keys ?? claims[`${own}tags/transitive_tag_keys`];
  const source = claims[`${own}source_identity`];
  const roles = rolesClaim(claims);
  return {
    tags: Object.fromEntries(tags),
    transitive: Array.isArray(transitive) ? transitive.map(String) : [],
    ...(source === undefined || source === null ? {} : { sourceIdentity: String(source) }),
    // A claim of another form names no role, and so none is allowed.
    ...(roles === undefined ? {} : { roles: roles === "unsupported" ? [] : roles }),
  };
}

/** The claim that names the roles a token is for (aws.md 2.4). */
export const rolesClaimName = `${own}roles`;

/** A colon in what follows `role/` is none of a role's: so a list with commas is no ARN (recorded). */
const roleArn = /^arn:[a-z-]+:iam::\d{12}:role\/(?:[!-)+-9;<=>@-~]+\/)?[\w+=,.@-]{1,64}$/;

/**
 * The ARNs that the roles claim names, exact and trimmed: a list of texts, or one text with semicolons (recorded). What is
 * no ARN of a role is left out; null is as good as absent.
 */
export function rolesClaim(claims: Claims): readonly string[] | "unsupported" | undefined {
  const value = claims[rolesClaimName];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" && !Array.isArray(value)) return "unsupported";
  const given: readonly unknown[] = typeof value === "string" ? value.split(";") : value;
  return given.flatMap((one) => (typeof one === "string" && roleArn.test(one.trim()) ? [one.trim()] : []));
}

/** A token without AWS's own namespaced claims sets no tags and no source identity, and names no roles (aws.md 2.4). */
function readGlobal(name: string, claims: Claims): Reading {
  const { tags, transitive, sourceIdentity, roles } = sessionClaims(claims);
  const many = (values: readonly unknown[], readFrom: string): Reading =>
    values.length > 0 ? { state: "present", values: values.map(String), readFrom } : absent(readFrom);
  if (name.startsWith("aws:requesttag/")) {
    const [, values = []] = Object.entries(tags).find(([key]) => `aws:requesttag/${key.toLowerCase()}` === name) ?? [];
    return many(values, `${own}tags`);
  }
  if (name === "aws:tagkeys") return many(Object.keys(tags), `${own}tags`);
  if (name === "sts:transitivetagkeys") return many(transitive, `${own}tags`);
  if (name === "sts:sourceidentity")
    return many(sourceIdentity === undefined ? [] : [sourceIdentity], `${own}source_identity`);
  // False where the claim is absent; a token whose roles do not name the target never gets this far.
  if (name === "sts:roleauthorizedbyidp") return many([String(roles !== undefined)], `${own}roles`);
  return unknown("the request");
}

function readTime(name: string, now: number | undefined): Reading {
  if (now === undefined) return unknown("the clock");
  const value = name === "aws:epochtime" ? String(Math.floor(now / 1000)) : new Date(now).toISOString();
  return { state: "present", values: [value], readFrom: "the clock" };
}

const absent = (readFrom: string): Reading => ({ state: "absent", readFrom });
const unknown = (readFrom: string): Reading => ({ state: "unknown", readFrom });
