import { judgePool, type PoolTrust } from "../../../judge/google/judge.ts";
import { tailsOf } from "../../../judge/google/principals.ts";
import { refusalWords, type Turned } from "../../../judge/google/words.ts";
import {
  type Fake,
  type FakeAnswer,
  type FakeRequest,
  type Host,
  json,
  type Operation,
} from "../../../sandbox/fake.ts";
import { type Federated, holderOf, issueFederatedToken } from "./access.ts";
import { callerFrom } from "./aws-caller.ts";
import { claimsFrom } from "./jwt.ts";
import { poolNameOf, poolOf, poolProviderOf, type StoredPoolProvider } from "./pool-store.ts";
import { badRequest, StsError } from "./sts-error.ts";

/** Google's token exchange and its introspection, regional names too (google.md 9, wire.md 4.6). */
export const sts: Fake = {
  service: "google.sts",
  hosts: ["sts.googleapis.com", "sts.*.rep.googleapis.com"],
  owns: ({ path }) => path === "/v1/token" || path === "/v1/introspect",
  open(request, host): Operation {
    const introspects = request.path === "/v1/introspect";
    const run = async (): Promise<FakeAnswer> => {
      if (request.method !== "POST" || !(introspects || request.path === "/v1/token"))
        return json(404, { error: { code: 404, message: "Requested entity was not found.", status: "NOT_FOUND" } });
      try {
        const fields = fieldsOf(request);
        return json(200, introspects ? introspect(fields, host) : await exchange(fields, host));
      } catch (error) {
        if (error instanceof StsError) return error.answer();
        throw error;
      }
    };
    // Whoever comes with a token is nobody yet: an authorization header is no part of it (google.md, trap 29).
    return { name: introspects ? "IntrospectToken" : "ExchangeToken", write: false, principal: "anonymous", run };
  },
  fault: (kind) =>
    kind === "throttle"
      ? new StsError(
          "quota_exceeded",
          "The request was throttled due to rate limit: sts.googleapis.com/requests. Please retry after a few seconds.",
          429,
        ).answer()
      : json(503, { error: { code: 503, message: "The service is currently unavailable.", status: "UNAVAILABLE" } }),
};

type Fields = Readonly<Record<string, string>>;

/** A form in snake case or JSON in camel case, by what is sent and not by what it is called (google.md 9.1). */
function fieldsOf({ body }: FakeRequest): Fields {
  const text = body.toString("utf8");
  if (!text.trimStart().startsWith("{")) return Object.fromEntries(new URLSearchParams(text));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest("Invalid JSON payload received.");
  }
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value as object).map(([name, one]) => [snake(name), String(one)]));
}

const grantType = "urn:ietf:params:oauth:grant-type:token-exchange";
const accessToken = "urn:ietf:params:oauth:token-type:access_token";
const aws = "urn:ietf:params:aws:token-type:aws4_request";
const jwts = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

/** The order of the checks is ours: request, pool provider, proof, mapping, condition. */
async function exchange(fields: Fields, host: Host) {
  const { audience = "", subject_token: token = "", subject_token_type: type = "", scope = "" } = fields;
  if (fields.grant_type !== grantType) throw badRequest('Invalid value for "grant_type".', "unsupported_grant_type");
  if (token === "") throw badRequest("Missing required parameter: subject_token");
  if (scope === "") throw badRequest("Missing required parameter: scope");
  const found = targetOf(audience, host);
  const proof = found.stored.aws ? "aws" : "jwt";
  if (type !== aws && !jwts.includes(type)) throw badRequest('Invalid value for "subject_token_type".');
  if ((type === aws) !== (proof === "aws"))
    throw badRequest("The subject_token_type does not fit the type of the identity provider.");
  const { claims, life } =
    proof === "aws"
      ? { claims: await callerFrom(token, audience, host), life: 900 }
      : await claimsFrom(token, found.stored.oidc ?? { issuerUri: "" }, host);
  const { of, expires } = admitted(claims, found, { audience, life: found.session ?? Math.min(life, 3600) });
  const access = issueFederatedToken(host, of, { expiresIn: expires, scopes: scope.trim().split(/\s+/) });
  return { access_token: access, issued_token_type: accessToken, token_type: "Bearer", expires_in: expires };
}

interface Found {
  readonly stored: StoredPoolProvider;
  readonly name: string;
  /** Seconds, where the pool says how long its sessions live. */
  readonly session?: number;
}

/** By the project's number alone, without `https:` (google.md 9.2). What is off or gone has one answer. */
function targetOf(audience: string, host: Host): Found {
  const [, number = "", pool = "", id = ""] =
    /^\/\/iam\.googleapis\.com\/projects\/(\d+)\/locations\/global\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/.exec(
      audience,
    ) ?? [];
  if (!number)
    throw badRequest(
      `Invalid value for "audience". This value should be the full resource name of the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.`,
    );
  // Whoever comes is nobody yet, and makes no project by naming one.
  const project = host.state.get<string>(`google.number/${number}`) ?? "";
  const around = poolOf(host, project, pool);
  const stored = poolProviderOf(host, { project, pool, id });
  const off = !around?.usable || !stored || stored.deletedAt !== undefined || stored.disabled === true;
  if (off) throw refused({ refusal: "off", key: "", claims: {}, trust: { source: "" } });
  const { sessionDuration } = around.pool;
  const session = sessionDuration === undefined ? {} : { session: Number.parseInt(sessionDuration, 10) };
  return { stored, name: poolNameOf(host, { project, id: pool }), ...session };
}

interface Asked {
  readonly audience: string;
  /** Seconds that the token may live. */
  readonly life: number;
}

/** By the one judge (house.md): whoever it admits is every member that the mapping makes of him. */
function admitted(claims: Readonly<Record<string, unknown>>, { stored, name }: Found, { audience, life }: Asked) {
  const trust: PoolTrust = {
    type: stored.aws ? "aws" : "oidc",
    source: stored.aws?.accountId ?? stored.oidc?.issuerUri ?? "",
    audiences: stored.oidc?.allowedAudiences ?? [],
    name: audience,
    mapping: stored.attributeMapping ?? {},
    condition: stored.attributeCondition ?? "",
  };
  const { allow, refusal, attributes, rows } = judgePool(claims, trust);
  if (allow !== true || !attributes)
    throw refused({
      refusal: refusal ?? "condition",
      key: rows.find(({ ok }) => ok !== true)?.key ?? "",
      claims,
      trust,
    });
  const of: Federated = { project: stored.project, pool: stored.pool, name, tails: tailsOf(attributes) };
  return { of, expires: Math.max(1, life) };
}

/** In Google's words, which `explain` quotes too. */
function refused(turned: Turned): StsError {
  const { error, message } = refusalWords(turned);
  return new StsError(error, message);
}

/** RFC 7662; `username` is the principal, from which gcloud takes the account's name (wire.md 4.6). */
function introspect({ token = "" }: Fields, host: Host) {
  const holder = holderOf(token, host);
  if (!holder) return { active: false };
  return { active: true, client_id: "", username: holder.member, token_type: "Bearer" };
}
