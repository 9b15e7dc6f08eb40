import { createSign } from "node:crypto";
import type { Host } from "../../../sandbox/fake.ts";
import { denied, issueAccessToken, principalOf, require_, requireApi } from "./access.ts";
import { systemKeyOf, systemPrivateKey } from "./key-store.ts";
import { allows } from "./org-policy.ts";
import { GoogleError, type Principal, type RestCall, type Route, restFake } from "./rest.ts";
import { accountOf, projectOf, type StoredAccount } from "./store.ts";

/** What signs every Google ID token of the sandbox; its keys are those that `certs` shows. */
export const googleIssuer = "https://accounts.google.com";

const path = (verb: string): RegExp => new RegExp(`^/v1/projects/-/serviceAccounts/([^/:]+):${verb}$`);

const routes: readonly Route[] = [
  { method: "POST", pattern: path("generateIdToken"), operation: "GenerateIdToken", write: false, run: idToken },
  {
    method: "POST",
    pattern: path("generateAccessToken"),
    operation: "GenerateAccessToken",
    write: false,
    run: accessToken,
  },
  { method: "POST", pattern: path("signJwt"), operation: "SignJwt", write: false, run: signJwt },
  { method: "POST", pattern: path("signBlob"), operation: "SignBlob", write: false, run: signBlob },
];

/** IAM Credentials v1; the project wildcard is mandatory (google.md 2). */
export const iamcredentials = restFake(
  { service: "google.iamcredentials", hosts: ["iamcredentials.googleapis.com"], routes },
  principalOf,
);

/**
 * Returns the account a token is asked of. A missing account, a disabled one and a missing permission get one answer
 * (google.md, trap 4). The account and its policy are seen as far as they have propagated, so a fresh grant is refused
 * (trap 17). In a chain of `delegates` the caller speaks as the last of them.
 */
function held(call: RestCall, permission: string): StoredAccount {
  const { delegates } = call.body;
  const chain = (Array.isArray(delegates) ? delegates : []).map((one) => String(one).split("/").at(-1) ?? "");
  const caller = chain.reduce<Principal>((from, name) => {
    const { email } = speaker({ name, from, permission: "iam.serviceAccounts.implicitDelegation" }, call.host);
    return { member: `serviceAccount:${email}`, email };
  }, call.principal);
  return speaker({ name: call.parts[0] ?? "", from: caller, permission }, call.host);
}

interface Speaking {
  readonly name: string;
  readonly from: Principal;
  readonly permission: string;
}

function speaker({ name, from, permission }: Speaking, host: Host): StoredAccount {
  const account = accountOf(host.propagated, name);
  if (account) requireApi(host, account.project, "iamcredentials.googleapis.com");
  if (!account || account.disabled) throw denied(permission);
  require_(from, { permission, project: account.project, account }, host);
  return account;
}

/**
 * `azp` is the unique id, or the e-mail where the undocumented `useEmailAzp` is sent (google.md 4, rows 5-9).
 */
function idToken(call: RestCall) {
  const account = held(call, "iam.serviceAccounts.getOpenIdToken");
  const { audience, includeEmail, useEmailAzp, organizationNumberIncluded } = call.body;
  if (typeof audience !== "string" || audience === "")
    throw new GoogleError([400, "INVALID_ARGUMENT"], "Request contains an invalid argument.");
  const azp = isTrue(useEmailAzp) ? account.email : account.uniqueId;
  const { noOrganization } = projectOf(call.host, account.project);
  const organization_number = noOrganization ? null : 111111111111;
  const more = isTrue(organizationNumberIncluded) ? { google: { organization_number } } : {};
  return { token: signIdToken(call.host, account, { audience, azp, email: isTrue(includeEmail), more }) };
}

const isTrue = (value: unknown): boolean => value === true || value === "true";

/**
 * What varies between the tokens of one account (google.md 4); `sub`, issuer and life never do. `more` goes
 * between `exp` and `iat`, where the recorded tokens have it.
 */
export interface IdTokenAsk {
  readonly audience: string;
  readonly azp: string;
  readonly email: boolean;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Claims in the order of a real token (google.md 4, recorded); an hour long. */
export function signIdToken(
  host: Host,
  account: StoredAccount,
  { audience, azp, email, more = {} }: IdTokenAsk,
): string {
  const now = Math.floor(host.now() / 1000);
  const mail = email ? { email: account.email, email_verified: true } : {};
  const claims = {
    aud: audience,
    azp,
    ...mail,
    exp: now + 3600,
    ...more,
    iat: now,
    iss: googleIssuer,
    sub: account.uniqueId,
  };
  return host.issuers.sign(googleIssuer, claims);
}

/** The claims that only a virtual machine's token carries. */
export const computeClaims = (host: Host, account: StoredAccount): Record<string, unknown> => {
  const project = projectOf(host, account.project);
  const compute_engine = {
    instance_confidentiality: 0,
    instance_creation_timestamp: 1767225600,
    instance_id: "4570452845155348778",
    instance_name: "sandbox-1",
    project_id: project.id,
    project_number: Number(project.number),
    zone: "us-central1-a",
  };
  return { google: { compute_engine } };
};

/** Accounts whose tokens may live up to twelve hours; without such a policy none may (google.md 5). */
function mayBeLong({ host }: RestCall, { project, email }: StoredAccount): boolean {
  const policy = projectOf(host, project).lists?.["constraints/iam.allowServiceAccountCredentialLifetimeExtension"];
  return policy !== undefined && allows({ ...policy, allowedValues: policy.allowedValues ?? ["(none)"] }, email);
}

/** Limit and wording of google.md 9.2. A shorter `lifetime` is told back; the token lives an hour. */
function accessToken(call: RestCall) {
  const account = held(call, "iam.serviceAccounts.getAccessToken");
  const scope = call.body.scope;
  if (!Array.isArray(scope) || scope.length === 0)
    throw new GoogleError([400, "INVALID_ARGUMENT"], "Request contains an invalid argument.");
  const [, digits] = /^(\d+)(?:\.\d+)?s$/.exec(String(call.body.lifetime ?? "3600s")) ?? [];
  const seconds = Number(digits ?? 0);
  if (seconds <= 0) throw new GoogleError([400, "INVALID_ARGUMENT"], "Request contains an invalid argument.");
  if (seconds > 43_200 || (seconds > 3600 && !mayBeLong(call, account)))
    throw new GoogleError([400, "INVALID_ARGUMENT"], "The access token lifetime cannot exceed 3600 seconds.");
  const { token } = issueAccessToken(call.host, account.email, {
    expiresIn: seconds,
    scopes: scope.map(String),
  });
  // Whole seconds: milliseconds break Python's impersonated credentials (google.md, trap 23).
  const expireTime = new Date(call.host.now() + seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  return { accessToken: token, expireTime };
}

/** Seconds from now to the latest `exp` that is signed (reference of signJwt). */
const longestJwt = 12 * 3600;

/** Signs claims with the account's own key: whoever may, can exchange the result for any token of the account. */
function signJwt(call: RestCall) {
  const account = held(call, "iam.serviceAccounts.signJwt");
  const claims = claimsIn(call.body.payload);
  const now = Math.floor(call.host.now() / 1000);
  const late = claims?.exp !== undefined && !(Number(claims.exp) > now && Number(claims.exp) <= now + longestJwt);
  if (!claims || late) throw new GoogleError([400, "INVALID_ARGUMENT"], "Request contains an invalid argument.");
  const { id } = systemKeyOf(account, call.host.now());
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${part({ alg: "RS256", kid: id, typ: "JWT" })}.${part(claims)}`;
  const signature = signed(call.host, account, Buffer.from(input)).toString("base64url");
  return { keyId: id, signedJwt: call.host.secrets.issue(`${input}.${signature}`) };
}

/** The claims arrive as the text of a JSON object. */
function claimsIn(payload: unknown): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(String(payload));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function signBlob(call: RestCall) {
  const account = held(call, "iam.serviceAccounts.signBlob");
  const payload = Buffer.from(String(call.body.payload ?? ""), "base64");
  const { id } = systemKeyOf(account, call.host.now());
  return { keyId: id, signedBlob: call.host.secrets.issue(signed(call.host, account, payload).toString("base64")) };
}

const signed = (host: Host, account: StoredAccount, input: Buffer): Buffer =>
  createSign("RSA-SHA256").update(input).sign(systemPrivateKey(host, account));
