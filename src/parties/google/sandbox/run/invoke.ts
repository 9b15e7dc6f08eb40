import { createLocalJWKSet, decodeJwt, jwtVerify } from "jose";
import { type Fake, type FakeAnswer, type FakeRequest, type Host, ProgramGone } from "../../../../sandbox/fake.ts";
import { may } from "../access.ts";
import { googleIssuer } from "../iamcredentials.ts";
import { noteLog } from "../logging.ts";
import { accountOf, operator } from "../store.ts";
import { revisionResource } from "./lines.ts";
import { programOf } from "./program.ts";
import { regions } from "./regions.ts";
import { type StoredService, urlsOf } from "./store.ts";

/**
 * What is deployed, under its own URLs. Cloud Run's check stands in front: a Google ID token for one of the
 * service's URLs or custom audiences, of somebody who may invoke it. Then the program answers.
 */
export const invoked: Fake = {
  service: "google.run.app",
  hosts: ["*.a.run.app", ...regions.map((region) => `*.${region}.run.app`)],
  maxBody: 32 * 1024 * 1024,
  owns: () => false,
  open: (request, host) => {
    const service = serviceAt(request, host);
    const checked = service && check(request, host, service);
    return {
      name: "InvokeService",
      write: false,
      principal: named(request),
      run: async () => (service && checked ? answer(await checked, { request, host, service }) : page(404, request)),
    };
  },
  fault: (kind) => ({ status: kind === "throttle" ? 429 : 503, headers: html, body: "" }),
};

/** Whom the token names, believed or not: for the record alone. */
function named({ headers }: FakeRequest): string {
  const token = headers["x-serverless-authorization"] ?? headers.authorization ?? "";
  try {
    return String(decodeJwt(token.replace(/^Bearer /i, "")).email ?? "anonymous");
  } catch {
    return "anonymous";
  }
}

const html = { "content-type": "text/html; charset=UTF-8" };

function serviceAt(request: FakeRequest, host: Host): StoredService | undefined {
  const url = `https://${request.host.replace(/:\d+$/, "").toLowerCase()}`;
  const all = host.state.list<StoredService>("google.run/").map(([, service]) => service);
  return all.find((service) => service.trouble === undefined && urlsOf(host, service).includes(url));
}

/** Let in, or refused with a status and the words that Cloud Run puts into its log. */
type Checked = { readonly through: FakeRequest } | { readonly status: 401 | 403; readonly says: string };

const words = {
  anonymous:
    "The request was not authenticated. Either allow unauthenticated invocations or set the proper Authorization header.",
  token: "The request was not authorized to invoke this service: the token is not valid for it.",
  grant: "The request was not authorized to invoke this service: the caller lacks run.routes.invoke.",
} as const;

/**
 * Where both headers are there, only `X-Serverless-Authorization` is looked at. The token that was checked goes on
 * without its signature, so that nobody in the service can use it elsewhere (Cloud Run's documentation, "signature
 * removed"); anything else goes on as it came.
 */
async function check(request: FakeRequest, host: Host, service: StoredService): Promise<Checked> {
  const header = "x-serverless-authorization" in request.headers ? "x-serverless-authorization" : "authorization";
  const token = /^Bearer (.+)$/i.exec(request.headers[header] ?? "")?.[1];
  const wanted = { permission: "run.routes.invoke", project: service.project, on: service };
  const anybody = may({ member: "anonymous", email: "" }, wanted, host);
  if (token === undefined) return anybody ? { through: request } : { status: 403, says: words.anonymous };
  const email = await holderOf(token, host, service);
  if (anybody) return { through: request };
  if (email === undefined) return { status: 401, says: words.token };
  const member = email === operator.email ? operator.member : `serviceAccount:${email}`;
  if (!may({ member, email }, wanted, host)) return { status: 403, says: words.grant };
  const unsigned = `Bearer ${token.split(".").slice(0, 2).join(".")}.SIGNATURE_REMOVED_BY_GOOGLE`;
  return { through: { ...request, headers: { ...request.headers, [header]: unsigned } } };
}

/** The e-mail of a good token's account; undefined where it is none for this service. */
async function holderOf(token: string, host: Host, service: StoredService): Promise<string | undefined> {
  try {
    const keys = createLocalJWKSet({ keys: [...(host.issuers.keys(googleIssuer) ?? [])] });
    const custom = service.annotations["run.googleapis.com/custom-audiences"];
    const audience = [...urlsOf(host, service), ...(custom ? (JSON.parse(custom) as string[]) : [])];
    const ask = { issuer: googleIssuer, audience, algorithms: ["RS256"], currentDate: new Date(host.now()) };
    const { payload } = await jwtVerify(token, keys, ask);
    const account = accountOf(host.state, String(payload.sub));
    if (account) return account.disabled ? undefined : account.email;
    return payload.email === operator.email ? operator.email : undefined;
  } catch {
    return undefined;
  }
}

interface Invocation {
  readonly request: FakeRequest;
  readonly host: Host;
  readonly service: StoredService;
}

async function answer(checked: Checked, { request, host, service }: Invocation): Promise<FakeAnswer> {
  const log = (severity: string, textPayload: string) =>
    noteLog(host, {
      ...{ project: service.project, log: "run.googleapis.com%2Frequests", severity, textPayload },
      ...{ resource: revisionResource(service), timestamp: new Date(host.now()).toISOString() },
    });
  if ("status" in checked) {
    log("WARNING", checked.says);
    return page(checked.status, request);
  }
  try {
    return await host.programs.request(programOf(host, service), checked.through);
  } catch (error) {
    if (!(error instanceof ProgramGone)) throw error;
    const late = error.why === "deadline";
    log("ERROR", late ? "The request has been terminated because it has reached the maximum request timeout." : gone);
    return late
      ? { status: 504, headers: { "content-type": "text/plain" }, body: "upstream request timeout" }
      : page(503, request);
  }
}

const gone =
  "The request failed because either the HTTP response was malformed or connection to the instance had an error.";

/** Google's front end answers with pages; their exact text is approximate. */
function page(status: number, { path }: FakeRequest): FakeAnswer {
  const titles: Readonly<Record<number, readonly [string, string]>> = {
    401: ["401 Unauthorized", "Your client does not have permission to the requested URL"],
    403: ["403 Forbidden", "Your client does not have permission to get URL"],
    404: ["404 Page not found", "The requested URL was not found on this server:"],
  };
  if (status === 503) return { status, headers: { "content-type": "text/plain" }, body: "Service Unavailable" };
  const [title, says] = titles[status] ?? ["", ""];
  const safe = path.replace(/[&<>"]/g, "");
  const body = `<html><head><title>${title}</title></head><body><h1>Error: ${title.slice(4)}</h1><h2>${says} <code>${safe}</code>.</h2></body></html>`;
  const asks = status === 401 ? { "www-authenticate": 'Bearer error="invalid_token"' } : {};
  return { status, headers: { ...html, ...asks }, body };
}
