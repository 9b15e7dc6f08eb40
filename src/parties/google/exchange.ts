import { z } from "zod";
import type { ExchangeAsk, Session, Token, World } from "../../model.ts";
import { type Call, CloudError, call, type ErrorClass, jsonOf, located } from "../../run/retry.ts";
import { getProject } from "./calls.ts";
import { parentOf } from "./federation/calls.ts";
import { poolProviderName } from "./federation/spec.ts";
import { judge } from "./judge.ts";
import { decode } from "./mint.ts";
import { sinkOf, targetOf } from "./shape.ts";

/** Whoever has read nothing asks for the project's number, which is all that is missing. */
export async function nameOf({ link, lookup }: Pick<ExchangeAsk, "link" | "lookup">, world: World): Promise<string> {
  const known = lookup && poolProviderName(link, lookup);
  if (known) return known;
  const { project, pool, poolProvider } = targetOf(link);
  const { projectNumber } = await getProject(world, project);
  return `//iam.googleapis.com/${parentOf(projectNumber)}/workloadIdentityPools/${pool}/providers/${poolProvider}`;
}

const scopes = "https://www.googleapis.com/auth/";
/** Whose token it is, and nothing else: what a proof asks for. That Google gives so little is documented nowhere. */
const powerless = `${scopes}userinfo.email`;

const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.number().default(900) });
const impersonatedSchema = z.object({ accessToken: z.string().min(1), expireTime: z.iso.datetime() });

/**
 * Google's token exchange, then the service account's own token where the link ends at one. A refusal is tried on the
 * whole way: whoever gets a token of the pool, and nothing with it, has not reached what the link grants. A proof asks for the narrowest scope, and for the
 * account's token the shortest life. Throws a `CloudError`: `denied` and `refused` are a definite no.
 */
export async function exchange(ask: ExchangeAsk, token: Token, world: World): Promise<Session> {
  const name = await nameOf(ask, world);
  const sink = sinkOf(ask.link);
  const broad = `${scopes}cloud-platform`;
  const own = ask.purpose === "use" ? broad : powerless;
  const federated = await tokenExchange(world, { name, token, scope: sink ? `${scopes}iam` : own });
  const pool = name.replace("//iam.googleapis.com/", "").replace(/\/providers\/[^/]+$/, "");
  const about = { pool };
  if (!sink) {
    if (ask.purpose === "refuse" && ask.proof) heldBack(ask.proof);
    const expiresAt = world.clock.now() + federated.expires_in * 1000;
    return {
      secrets: { accessToken: federated.access_token },
      principal: `the pool ${pool.split("/").at(-1)}`,
      about,
      expiresAt,
    };
  }
  const lifetime = `${ask.purpose === "use" ? (ask.duration ?? 3600) : 300}s`;
  const body = { scope: [own], lifetime };
  const made = await asFederated(world, federated.access_token, {
    ...{ operation: "GenerateAccessToken", answer: impersonatedSchema, body },
    path: `/v1/projects/-/serviceAccounts/${sink.email}:generateAccessToken`,
  });
  const expiresAt = Date.parse(made.expireTime);
  return { secrets: { accessToken: made.accessToken }, principal: sink.email, about, expiresAt };
}

/** Without an account a token of the pool is worth what the bindings give to its principal: the judge knows them. */
function heldBack({ claims, view }: NonNullable<ExchangeAsk["proof"]>): void {
  if (judge(claims, view).allow === true) return;
  const message = "the pool gives a token, and nothing is granted to it";
  throw new CloudError({
    class: "denied",
    service: "google.sts",
    operation: "ExchangeToken",
    code: "",
    status: 200,
    message,
  });
}

/**
 * A Google ID token for a service of one's own, such as one on Cloud Run: of the link's account, since a pool's token
 * alone is none. Custom audiences of a service are audiences like its URL.
 */
export async function idToken(ask: ExchangeAsk & { readonly audience: string }, token: Token, world: World) {
  const sink = sinkOf(ask.link);
  if (!sink) return undefined;
  const name = await nameOf(ask, world);
  const federated = await tokenExchange(world, { name, token, scope: `${scopes}iam` });
  const made = await asFederated(world, federated.access_token, {
    ...{ operation: "GenerateIdToken", answer: z.object({ token: z.string().min(1) }) },
    ...{ path: `/v1/projects/-/serviceAccounts/${sink.email}:generateIdToken` },
    body: { audience: ask.audience, includeEmail: true },
  });
  return decode(made.token, "iamcredentials");
}

export interface Exchanging {
  readonly name: string;
  readonly token: Token;
  readonly scope: string;
}

/** As a form and without authorization, which can make it fail (google.md, trap 29). */
export function tokenExchange(world: World, { name, token, scope }: Exchanging): Promise<z.infer<typeof tokenSchema>> {
  const signed = token.header.alg === "AWS4-HMAC-SHA256";
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    ...{ audience: name, scope },
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token: token.text,
    subject_token_type: signed ? "urn:ietf:params:aws:token-type:aws4_request" : "urn:ietf:params:oauth:token-type:jwt",
  });
  const spec = { service: "google.sts", operation: "ExchangeToken", effect: "read" } as const;
  return posted(world, spec, { url: "https://sts.googleapis.com", path: "/v1/token", form, answer: tokenSchema });
}

interface Posted<O> {
  readonly url: string;
  readonly path: string;
  readonly form: URLSearchParams;
  readonly answer: z.ZodType<O>;
}

const oauthError = z.object({ error: z.string(), error_description: z.string().default("") });

/** A form to one of Google's token endpoints, whose errors have OAuth's shape. */
function posted<O>(world: World, spec: Call, { url, path, form, answer: schema }: Posted<O>): Promise<O> {
  return call(world, spec, async () => {
    const base = await world.locate(spec.service, url);
    const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
    const request = { method: "POST", url: `${base}${path}`, headers, body: form.toString() };
    const answer = await world.http(request).catch((error: unknown) => {
      throw error instanceof CloudError ? located(error, spec) : error;
    });
    const body = jsonOf(answer.body);
    const parsed = schema.safeParse(body);
    if (answer.status === 200 && parsed.success) return parsed.data;
    const { error = "", error_description: says = "" } = oauthError.safeParse(body).data ?? {};
    const kind = classOf(answer.status, error, says);
    const message = says || error || `answered ${answer.status}`;
    throw new CloudError({ ...spec, class: kind, code: error, status: answer.status, message });
  });
}

/**
 * What STS says (google.md 9.2). A condition, and a pool provider that is off, may be lag of our own write, so they are
 * `denied`, which a fresh proof waits for; what is wrong with the token itself is `refused`.
 */
function classOf(status: number, error: string, says: string): ErrorClass {
  if (status === 429 || error === "quota_exceeded") return "throttled";
  if (status >= 500) return "transient";
  if (status === 200 || error === "") return "malformed";
  // Its keys could not be fetched: often it passes, and nothing is known of the token.
  if (/Error connecting to the given credential's issuer/.test(says)) return "transient";
  return error === "unauthorized_client" || error === "invalid_target" ? "denied" : "refused";
}

interface Federated<O> {
  readonly operation: string;
  readonly path: string;
  readonly body: unknown;
  readonly answer: z.ZodType<O>;
}

const iamError = z.object({
  error: z.object({
    status: z.string().default(""),
    message: z.string().default(""),
    details: z
      .array(z.looseObject({ reason: z.string().optional(), metadata: z.record(z.string(), z.string()).optional() }))
      .default([]),
  }),
});

/** IAM Credentials with the pool's token, which belongs to the workload and is nobody's operator. */
function asFederated<O>(world: World, token: string, { operation, path, body, answer: schema }: Federated<O>) {
  const spec = { service: "google.iamcredentials", operation, effect: "read" } as const;
  return call(world, spec, async () => {
    const base = await world.locate(spec.service, "https://iamcredentials.googleapis.com");
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const request = { method: "POST", url: `${base}${path}`, headers, body: JSON.stringify(body) };
    const answer = await world.http(request).catch((error: unknown) => {
      throw error instanceof CloudError ? located(error, spec) : error;
    });
    const parsed = schema.safeParse(jsonOf(answer.body));
    if (answer.status === 200 && parsed.success) return parsed.data;
    const { status = "", message = "", details = [] } = iamError.safeParse(jsonOf(answer.body)).data?.error ?? {};
    const off = details.find(({ reason }) => reason === "SERVICE_DISABLED");
    if (off) throw switchedOff(off.metadata?.service, message);
    const kind = iamClass(answer.status);
    const said = { status: answer.status, message: message || `answered ${answer.status}` };
    throw new CloudError({ ...spec, class: kind, code: status, ...said });
  });
}

/** Nobody is missing a binding, and no waiting helps (wire.md 4.0). The message names the project that is meant. */
function switchedOff(api = "iamcredentials.googleapis.com", message: string): CloudError {
  const project = /in project (\S+)/.exec(message)?.[1] ?? "PROJECT";
  return new CloudError({
    ...{ class: "invalid", service: "google.iamcredentials", operation: "GenerateAccessToken" },
    ...{ code: "SERVICE_DISABLED", status: 403, detail: api, message: `${api} is not enabled in ${project}` },
    known: { code: "GOOGLE-API-DISABLED", asks: "denied" },
    fix: [`gcloud services enable ${api} --project ${project}`],
  });
}

/** Of the calls that a workload makes itself: whom Google does not know, and whom it does not permit, is one no. */
function iamClass(status: number): ErrorClass {
  if (status === 401 || status === 403) return "denied";
  if (status === 429) return "throttled";
  return status >= 500 ? "transient" : status === 200 ? "malformed" : "invalid";
}

const infoSchema = z.object({ email: z.string().includes("@") });
const introspectSchema = z.object({ active: z.boolean(), username: z.string().default("") });

/**
 * Whose token came out: by Google's introspection for the pool's own, by `tokeninfo` for a service account's. A token
 * of somebody else is no proof (failures.md F21). Whether introspection asks for a client of its own is unverified.
 */
export async function whoami(session: Session, ask: ExchangeAsk, world: World): Promise<string> {
  const { link } = ask;
  const token = session.secrets.accessToken ?? "";
  const sink = sinkOf(link);
  if (sink) {
    const spec = { service: "google.oauth2", operation: "TokenInfo", effect: "read" } as const;
    const form = new URLSearchParams({ access_token: token });
    const asked = { url: "https://oauth2.googleapis.com", path: "/tokeninfo", form, answer: infoSchema };
    const { email } = await posted(world, spec, asked);
    return meant(email, email === sink.email, sink.email);
  }
  const spec = { service: "google.sts", operation: "IntrospectToken", effect: "read" } as const;
  const form = new URLSearchParams({ token, token_type_hint: "urn:ietf:params:oauth:token-type:access_token" });
  const asked = { url: "https://sts.googleapis.com", path: "/v1/introspect", form, answer: introspectSchema };
  const { active, username } = await posted(world, spec, asked);
  const pool = `principal://iam.googleapis.com/${session.about?.pool ?? ""}`;
  const who = meant(username, active && username.startsWith(`${pool}/subject/`), pool);
  return granted(who, ask);
}

/**
 * Whom the mapping makes of the workload: where that is nobody whom the link grants to, the session is good for nothing.
 * The answer speaks of the subject alone, and whether it escapes its letters is unverified; so the live mapping is asked.
 */
function granted(who: string, { link, proof }: ExchangeAsk): string {
  const row = proof && judge(proof.claims, proof.view).rows.find(({ key, ok }) => key === "principal" && ok === false);
  if (!row) return who;
  throw new CloudError({
    ...{ class: "refused", service: "google.sts", operation: "IntrospectToken", code: "", status: 200 },
    known: { code: "GOOGLE-MAPPING-MISFIT", asks: "broken" },
    message: `${link.name} gives to ${row.wants}, and the mapping makes of this workload ${row.says}`,
    fix: ["crosstrust plan   # shows what differs", "crosstrust apply   # repairs it"],
  });
}

function meant(who: string, right: boolean, wanted: string): string {
  if (right) return who;
  const about = {
    class: "refused",
    service: "google.sts",
    operation: "IntrospectToken",
    code: "",
    status: 200,
  } as const;
  throw new CloudError({ ...about, message: `the session is ${who || "nobody's"}, not of ${wanted}` });
}
