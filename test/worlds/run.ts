import { applyPlan, checkHealth, makePlan } from "../../src/crosstrust.ts";
import type { Federation, Session, World as Surroundings, Verdict } from "../../src/model.ts";
import { signedRequest, subjectToken } from "../../src/parties/aws/caller/sign.ts";
import { type Bench, federationOf, noConsents } from "../support/bench.ts";
import { Somebody } from "../support/somebody.ts";
import { type AwsWorld, account, awsWorld, role } from "./aws.ts";
import { conditionText } from "./cel.ts";
import { Dice } from "./dice.ts";
import { audienceOf, clientId } from "./file.ts";
import { bucket, type GoogleWorld, googleWorld, mappingTexts, pool, project, sink } from "./google.ts";
import type { Issuer, Token } from "./issuers.ts";
import { policyJson } from "./policy.ts";
import type { Grant, Member, Provider, Truth, Witness } from "./truth.ts";

export type World = GoogleWorld | AwsWorld;

/** The same world for the same number. */
export const worldOf = (to: World["to"], seed: number): World =>
  to === "google" ? googleWorld(new Dice(seed)) : awsWorld(new Dice(seed));

/** What a verdict is held against the truth for; the first three are what the contract forbids outright. */
export const faults = [
  "an outsider gets in and health says works",
  "a right link is called open",
  "a right link is called broken",
  "an outsider gets in and health does not say open",
  "the workload is put out and health does not say so",
  "somebody of the same tenant gets in beyond the file and health says works",
  "undecided",
] as const;
export type Fault = (typeof faults)[number];

/** What came of a world. */
export interface Played {
  readonly world: World;
  readonly verdict: Verdict;
  readonly fault: Fault | undefined;
  /** Whether the sandbox gave the outsider what the truth says; undefined where it cannot be asked. */
  readonly replayed: boolean | undefined;
}

/**
 * Applies the world's file, makes its edits as somebody else would, and checks its health. `surroundings` serves many
 * worlds: to make its clients anew costs more than all the rest.
 */
export async function play(b: Bench, world: World, surroundings: Surroundings): Promise<Played> {
  b.sandbox.reset();
  const federation = federationOf(world.file);
  await apply(b, { world, federation, surroundings });
  if (world.to === "google") await editGoogle(b, world);
  else await editAws(b, world);
  const { links } = await checkHealth({ federation, only: [], consents: noConsents }, surroundings);
  const verdict = links.find(({ link }) => link === "target")?.verdict ?? "unknown";
  const { outsider } = world.truth;
  const replayed = outsider ? await replay(b, world, outsider) : undefined;
  return { world, verdict, fault: faultOf(world.truth, verdict), replayed };
}

interface Applying {
  readonly world: World;
  readonly federation: Federation;
  readonly surroundings: Surroundings;
}

/** Without a proof: the health check afterwards proves. */
async function apply(b: Bench, { world, federation, surroundings }: Applying): Promise<void> {
  const planned = await makePlan({ federation, only: [], consents: noConsents }, surroundings);
  const { findings } = await applyPlan(planned, false, surroundings);
  const wrong = [...planned.plan.findings, ...findings].filter(({ severity }) => severity === "error");
  if (wrong.length > 0)
    throw new Error(`${world.file}\n${wrong.map(({ code, says }) => `${code} ${says}`).join("\n")}`);
  const { to, issuer } = world;
  if (to === "aws" && issuer.name === "google" && !b.sandbox.state.get(`google.account/${issuer.own.sub}`))
    throw new Error("the sandbox gives the account another number than issuers.ts says");
}

function faultOf({ outsider, wider, own }: Truth, verdict: Verdict): Fault | undefined {
  const works = verdict === "works" || verdict === "unproved";
  if (outsider) {
    if (verdict === "open") return undefined;
    if (works) return "an outsider gets in and health says works";
    return verdict === "unknown" ? "undecided" : "an outsider gets in and health does not say open";
  }
  if (verdict === "unknown") return "undecided";
  // Whether a workload of the same tenant makes a link open or only drifted is not decided here.
  if (wider) return works ? "somebody of the same tenant gets in beyond the file and health says works" : undefined;
  if (verdict === "open") return "a right link is called open";
  if (!own) return verdict === "broken" ? undefined : "the workload is put out and health does not say so";
  return verdict === "broken" ? "a right link is called broken" : undefined;
}

// ---- Edits

/** An answer that is no success ends the test: an edit that was not made would prove nothing. */
async function google(b: Bench, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await b.google(method, path, body);
  if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

const poolPath = (where: string, id: string): string =>
  `iam/v1/projects/${where}/locations/global/workloadIdentityPools/${id}`;
const accountPath = `iam/v1/projects/${project}/serviceAccounts/${sink}@${project}.iam.gserviceaccount.com`;
const bucketPath = `storage/storage/v1/b/${bucket}/iam`;

const sourceOf = ({ name, url, strangers }: Issuer): object => {
  if (url !== "") return { oidc: { issuerUri: url, allowedAudiences: [clientId] } };
  const accountId = strangers(() => [])[0]?.account;
  if (accountId === undefined) throw new Error(`${name} has no account`);
  return { aws: { accountId } };
};

const settingsOf = ({ mapping, condition, disabled }: Provider): object => ({
  attributeMapping: mappingTexts(mapping),
  attributeCondition: condition ? conditionText(condition) : "",
  disabled,
});

async function editGoogle(b: Bench, { base, live }: GoogleWorld): Promise<void> {
  if (live.main !== base.main) {
    const mask = "attributeMapping,attributeCondition,disabled";
    const path = `${poolPath(project, pool)}/providers/${live.main.id}?updateMask=${mask}`;
    await google(b, "PATCH", path, settingsOf(live.main));
  }
  for (const provider of live.others) {
    const at = poolPath(provider.project, provider.pool);
    if (provider.project !== project)
      await google(b, "POST", `${at.replace(/\/[^/]+$/, "")}?workloadIdentityPoolId=${provider.pool}`, {});
    const body = { ...sourceOf(provider.issuer), ...settingsOf(provider) };
    await google(b, "POST", `${at}/providers?workloadIdentityPoolProviderId=${provider.id}`, body);
  }
  for (const on of ["account", "bucket"] as const) {
    const of = (grants: readonly Grant[]) => grants.filter((grant) => grant.on === on);
    const added = of(live.grants).filter((grant) => !base.grants.includes(grant));
    const removed = of(base.grants).filter((grant) => !live.grants.includes(grant));
    if (added.length + removed.length > 0) await editPolicy(b, on, { added, removed });
  }
}

interface Bindings {
  readonly bindings?: readonly { readonly role: string; readonly members: readonly string[] }[];
}

interface PolicyEdit {
  readonly added: readonly Grant[];
  readonly removed: readonly Grant[];
}

async function editPolicy(b: Bench, on: Grant["on"], { added, removed }: PolicyEdit): Promise<void> {
  const path = on === "account" ? accountPath : bucketPath;
  const policy: Bindings = await (on === "account"
    ? google(b, "POST", `${path}:getIamPolicy`, {})
    : google(b, "GET", path));
  const gone = await Promise.all(removed.map(({ member }) => memberText(b, member)));
  const kept = (policy.bindings ?? [])
    .map((one) => ({ ...one, members: one.members.filter((member) => !gone.includes(member)) }))
    .filter(({ members }) => members.length > 0);
  const more = await Promise.all(
    added.map(async ({ role: name, member }) => ({ role: name, members: [await memberText(b, member)] })),
  );
  const whole = { ...policy, bindings: [...kept, ...more] };
  if (on === "account") await google(b, "POST", `${path}:setIamPolicy`, { policy: whole });
  else await google(b, "PUT", path, whole);
}

async function poolName(b: Bench, where: string, id: string): Promise<string> {
  const { projectNumber } = await google(b, "GET", `cloudresourcemanager/v1/projects/${where}`);
  return `//iam.googleapis.com/projects/${projectNumber}/locations/global/workloadIdentityPools/${id}`;
}

async function memberText(b: Bench, member: Member): Promise<string> {
  if (typeof member === "string") return member;
  const kind = member.tail.startsWith("subject/") ? "principal" : "principalSet";
  return `${kind}:${await poolName(b, member.project, member.pool)}/${member.tail}`;
}

async function editAws(b: Bench, { base, live }: AwsWorld): Promise<void> {
  const somebody = new Somebody(b);
  for (const [url, ClientIDList] of live.clients) {
    if (base.clients.has(url)) continue;
    const ThumbprintList = ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"];
    await somebody.iam("CreateOpenIDConnectProvider", { Url: url, ClientIDList, ThumbprintList });
  }
  if (live.statements !== base.statements) await somebody.document(policyJson(live.statements, account), role);
}

// ---- The outsider's way, walked for real

async function replay(b: Bench, world: World, witness: Witness): Promise<boolean | undefined> {
  switch (witness.by) {
    case "principal":
      // The sandbox has no AssumeRole.
      return undefined;
    case "token": {
      const { issuer, token, audience, session } = witness.request;
      return assume(b, await minted(b, issuer, { ...token, aud: audience }), session);
    }
    case "public": {
      const { secrets } = await b.world().credentials({ party: "google", scope: project });
      return impersonates(b, secrets.accessToken ?? "");
    }
    case "provider": {
      const name = `${await poolName(b, witness.provider.project, witness.provider.pool)}/providers/${witness.provider.id}`;
      const federated = await exchanged(b, name, await proofOf(b, world, witness, name));
      if (federated === undefined) return false;
      return witness.on === "account" ? impersonates(b, federated) : listsBucket(b, federated);
    }
  }
}

async function minted(b: Bench, { url }: Issuer, claims: Token): Promise<string> {
  const body = JSON.stringify({ issuer: url, claims });
  const answer = await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body });
  return ((await answer.json()) as { token: string }).token;
}

async function assume(b: Bench, token: string, session: string): Promise<boolean> {
  const form = new URLSearchParams({
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: `arn:aws:iam::${account}:role/crosstrust/${role}`,
    RoleSessionName: session,
    WebIdentityToken: token,
  });
  return (await fetch(`${b.url}/aws/sts/`, { method: "POST", body: form })).status === 200;
}

/** A signed request of an AWS caller, or a token. */
async function proofOf(
  b: Bench,
  { issuer: linkIssuer }: World,
  { provider, token }: Extract<Witness, { by: "provider" }>,
  target: string,
): Promise<string> {
  const { issuer } = provider;
  if (issuer.url !== "") {
    // The link's own pool provider has the audience of its issuer, any other the one that the runner gave it.
    const aud = issuer.name === linkIssuer.name ? (issuer.own.azp ?? audienceOf(issuer)) : clientId;
    return minted(b, issuer, { ...token, aud });
  }
  const query = new URLSearchParams({ party: "aws", workload: token.arn ?? "" });
  const session = (await (await fetch(`${b.url}/_sandbox/credentials?${query}`)).json()) as Session;
  return subjectToken(signedRequest({ region: "us-east-1", target, session, now: Date.now() }));
}

async function exchanged(b: Bench, audience: string, token: string): Promise<string | undefined> {
  const signed = token.startsWith("%7B");
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience,
    scope: "https://www.googleapis.com/auth/cloud-platform",
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token: token,
    subject_token_type: signed ? "urn:ietf:params:aws:token-type:aws4_request" : "urn:ietf:params:oauth:token-type:jwt",
  });
  const answer = await fetch(`${b.url}/google/sts/v1/token`, { method: "POST", body: form });
  return answer.status === 200 ? ((await answer.json()) as { access_token: string }).access_token : undefined;
}

async function impersonates(b: Bench, accessToken: string): Promise<boolean> {
  const path = `v1/projects/-/serviceAccounts/${sink}@${project}.iam.gserviceaccount.com:generateAccessToken`;
  const answer = await fetch(`${b.url}/google/iamcredentials/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
    body: JSON.stringify({ scope: ["https://www.googleapis.com/auth/cloud-platform"] }),
  });
  return answer.status === 200;
}

async function listsBucket(b: Bench, accessToken: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${accessToken}` };
  return (await fetch(`${b.url}/google/storage/storage/v1/b/${bucket}/o`, { headers })).status === 200;
}
