import { z } from "zod";
import type { Session } from "../../src/model.ts";
import { signedRequest, subjectToken } from "../../src/parties/aws/caller/sign.ts";
import { editBindings } from "../../src/parties/google/bindings.ts";
import { createAccount, type LiveAccount } from "../../src/parties/google/calls.ts";
import { google } from "../../src/parties/google/client.ts";
import { tokenExchange } from "../../src/parties/google/exchange.ts";
import { finished, operationSchema, poolPath, poolProviderPath } from "../../src/parties/google/federation/calls.ts";
import { mayMint, mintingRole, operatorOf } from "../../src/parties/google/grant.ts";
import { ofAccount } from "../../src/parties/google/policies.ts";
import { memberOf } from "../../src/parties/google/remedy.ts";
import { settle } from "../../src/run/retry.ts";
import { description, type Kit, OwnKeys, ownIssuer } from "./kit.ts";

const scopes = "https://www.googleapis.com/auth/";

/** A service account that nothing is granted to, and for which the operator may mint ID tokens. */
export const serviceAccount = (kit: Kit): Promise<LiveAccount> =>
  kit.once("service account", async () => {
    const account = await newAccount(kit);
    await mayMintFor(kit, account);
    return account;
  });

/** Another one: for what would spoil the shared one. */
export function newAccount(kit: Kit): Promise<LiveAccount> {
  const { project } = kit.ground;
  const id = kit.name();
  const input = { id, displayName: "crosstrust field kit", description };
  return kit.write(`create the service account ${id} in ${project}`, () => createAccount(kit.world, project, input));
}

/** Grants reach everywhere within two minutes as a rule, and seven at worst. */
async function mayMintFor(kit: Kit, { email }: LiveAccount): Promise<void> {
  const { world } = kit;
  const target = { project: kit.ground.project, account: email };
  const may = () => kit.patiently(isFresh, () => mayMint(world, target));
  if (await may()) return;
  const member = memberOf(await operatorOf(world, target.project));
  await kit.write(`let ${member} mint ID tokens of ${email}`, () =>
    editBindings(world, ofAccount(target), { role: mintingRole, add: [member] }),
  );
  await settle(world, { what: `google lets ${member} mint`, budget: 420_000, inARow: 1 }, may);
}

/** A thing that was made a moment ago may be unknown, or unknown to those who decide. */
const isFresh = ({ class: kind }: { readonly class: string }): boolean => kind === "missing" || kind === "denied";

/** An ID token of the shared service account, as IAM Credentials mints it. */
export async function idToken(kit: Kit, audience: string): Promise<string> {
  const { email } = await serviceAccount(kit);
  return kit.patiently(isFresh, () => mintFor(kit, email, audience));
}

/** One try: its refusal is the answer. */
export async function mintFor(kit: Kit, email: string, audience: string): Promise<string> {
  const answer = await google(kit.world, {
    service: "google.iamcredentials",
    operation: "GenerateIdToken",
    effect: "read",
    method: "POST",
    path: `/v1/projects/-/serviceAccounts/${email}:generateIdToken`,
    project: kit.ground.project,
    body: { audience, includeEmail: true },
    answer: z.object({ token: z.string().min(1) }),
  });
  return answer.token;
}

const pool = (kit: Kit): Promise<string> =>
  kit.once("pool", async () => {
    const { project } = kit.ground;
    const id = kit.name();
    const path = `/v1/${poolPath({ project, pool: id })}`.replace(/\/[^/]+$/, `?workloadIdentityPoolId=${id}`);
    const body = { displayName: "crosstrust field kit", description };
    await kit.write(`create the workload identity pool ${id} in ${project}`, async () => {
      const begun = await google(kit.world, {
        service: "google.iam",
        operation: "CreateWorkloadIdentityPool",
        effect: "once",
        method: "POST",
        path,
        project,
        body,
        answer: operationSchema,
      });
      await finished(kit.world, { project }, begun);
    });
    return id;
  });

/** What a pool provider trusts and makes of it; left out, `google.subject` is the `sub` or the ARN. */
export interface Trusting {
  readonly mapping?: Readonly<Record<string, string>>;
  readonly condition?: string;
  /** An AWS account instead of the kit's own issuer. */
  readonly awsAccount?: string;
}

/** Makes a pool provider and gives the full name by which tokens are exchanged there. */
export async function poolProvider(kit: Kit, trusting: Trusting = {}): Promise<string> {
  const { project, projectNumber } = kit.ground;
  const place = { project, pool: await pool(kit), id: kit.name() };
  const { jwksJson } = await ownKeys(kit);
  const { mapping, condition, awsAccount } = trusting;
  const usual = { "google.subject": awsAccount === undefined ? "assertion.sub" : "assertion.arn" };
  const source =
    awsAccount === undefined ? { oidc: { issuerUri: ownIssuer, jwksJson } } : { aws: { accountId: awsAccount } };
  const path = `/v1/${poolProviderPath(place)}`.replace(/\/[^/]+$/, `?workloadIdentityPoolProviderId=${place.id}`);
  const body = {
    ...source,
    attributeMapping: mapping ?? usual,
    ...(condition ? { attributeCondition: condition } : {}),
  };
  const trusted = awsAccount === undefined ? "the kit's own throwaway key" : `the AWS account ${awsAccount}`;
  await kit.write(
    `create the pool provider ${place.id}, which trusts ${trusted} and to which nothing is granted`,
    async () => {
      const begun = await google(kit.world, {
        service: "google.iam",
        operation: "CreateWorkloadIdentityPoolProvider",
        effect: "once",
        method: "POST",
        path,
        project,
        body,
        answer: operationSchema,
      });
      await finished(kit.world, { project }, begun);
    },
  );
  return `//iam.googleapis.com/${poolProviderPath({ ...place, project: projectNumber })}`;
}

/** The one that most probes ask. */
export const ownProvider = (kit: Kit): Promise<string> => kit.once("pool provider", () => poolProvider(kit));

export const awsProvider = (kit: Kit): Promise<string> =>
  kit.once("aws pool provider", () => poolProvider(kit, { awsAccount: kit.ground.account.account }));

export const ownKeys = (kit: Kit): Promise<OwnKeys> => kit.once("keys", async () => new OwnKeys());

/** Claims that the pool provider takes, with others over them. Times are in seconds. */
export function claimsFor(kit: Kit, name: string, over: Readonly<Record<string, unknown>> = {}) {
  const now = Math.floor(kit.world.clock.now() / 1000);
  return { iss: ownIssuer, sub: "field-kit", aud: `https:${name}`, iat: now - 10, exp: now + 600, ...over };
}

interface Exchange {
  readonly name: string;
  readonly text: string;
  readonly scope?: string;
  /** A signed request to AWS instead of a JWT. */
  readonly isSigned?: boolean;
}

/** Google's token exchange. A fresh pool provider is unknown there for a while, which is waited for. */
export async function exchanged(kit: Kit, { name, text, scope = "cloud-platform", isSigned = false }: Exchange) {
  const token = { text, header: isSigned ? { alg: "AWS4-HMAC-SHA256" } : {}, claims: {}, mintedBy: "field-kit" };
  const isLag = ({ code }: { readonly code: string }) => code === "invalid_target";
  const answer = await kit.patiently(
    isLag,
    () => tokenExchange(kit.world, { name, token, scope: scopes + scope }),
    120,
  );
  return { token: "given", seconds: answer.expires_in > 0 };
}

/** The operator's own signed GetCallerIdentity, for a pool provider; `age` in seconds. */
export async function signedBy(kit: Kit, session: Session, target: string, age = 0): Promise<string> {
  const region = kit.ground.account.access?.region ?? "us-east-1";
  return subjectToken(signedRequest({ region, target, session, now: kit.world.clock.now() - age * 1000 }));
}
