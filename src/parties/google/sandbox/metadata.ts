import type { Fake, FakeAnswer, FakeRequest, Host } from "../../../sandbox/fake.ts";
import { issueAccessToken } from "./access.ts";
import { computeClaims, signIdToken } from "./iamcredentials.ts";
import { accountOf, projectOf, type StoredAccount, type StoredProject } from "./store.ts";

/** Every answer says who it is: Node's client refuses one that does not (google.md 10). */
const flavor = { "metadata-flavor": "Google", server: "Metadata Server for VM", "content-type": "application/text" };
const text = (status: number, body: string): FakeAnswer => ({ status, headers: flavor, body });
const asJson = (body: unknown): FakeAnswer => ({
  status: 200,
  headers: { ...flavor, "content-type": "application/json" },
  body: JSON.stringify(body),
});

/**
 * The metadata server of a virtual machine (google.md 10, wire.md 5.1), speaking as one service account. Its
 * name in `/calls` is that of the account, since whoever asks needs no credentials.
 */
export const metadata: Fake = {
  service: "google.metadata",
  hosts: ["metadata.google.internal", "metadata", "169.254.169.254"],
  owns: (request) => isPing(request) || request.path.startsWith("/computeMetadata/"),
  open: (request, host) => ({
    name: request.path.includes("/identity")
      ? "GetIdentity"
      : request.path.endsWith("/token")
        ? "GetToken"
        : "GetMetadata",
    write: false,
    principal: current(host)?.email ?? "anonymous",
    run: () => answer(request, host),
  }),
  fault: (kind) => text(kind === "throttle" ? 429 : 503, ""),
};

/** Clients look at the root to see where they run; a call of another cloud at the root has a body, a query or a signature. */
const isPing = ({ method, path, query, headers }: FakeRequest): boolean =>
  path === "/" && (method === "GET" || method === "HEAD") && query.size === 0 && headers.authorization === undefined;

/** The account it was told to speak as, else the first one that was made. */
function current(host: Host): StoredAccount | undefined {
  const named = host.actsAs();
  if (named !== undefined) return accountOf(host.state, named);
  const alive = host.state.list<StoredAccount>("google.account/").map(([, account]) => account);
  return alive.find((account) => account.deletedAt === undefined);
}

/**
 * Without the header nothing but the root is shown; the wording of the 403 is that of google.md 10, of which
 * wire.md 5.1 has another. The account can be named `default` or by its e-mail.
 */
function answer(request: FakeRequest, host: Host): FakeAnswer {
  if (request.path === "/") return text(200, "computeMetadata/\n");
  if (request.headers["metadata-flavor"] !== "Google")
    return text(403, `Missing required header "Metadata-Flavor": "Google"`);
  const account = current(host);
  const project = account ? projectOf(host, account.project) : undefined;
  const path = decodeURIComponent(request.path).replace(/^\/computeMetadata\/v1/, "");
  const own = /^\/instance\/service-accounts\/([^/]+)(\/.*)?$/.exec(path);
  if (own && account && (own[1] === "default" || own[1] === account.email))
    return ofAccount(own[2] ?? "/", account, { request, host });
  return ofMachine(path, account, project);
}

interface Asked {
  readonly request: FakeRequest;
  readonly host: Host;
}

/** How the real server refuses a disabled account is not known; 404 here is a guess. */
function ofAccount(what: string, account: StoredAccount, { request, host }: Asked): FakeAnswer {
  const scopes = ["https://www.googleapis.com/auth/cloud-platform"];
  switch (what) {
    case "/":
      return request.query.get("recursive") === "true"
        ? asJson({ aliases: ["default"], email: account.email, scopes })
        : text(200, "aliases\nemail\nidentity\nscopes\ntoken\n");
    case "/email":
      return text(200, account.email);
    case "/aliases":
      return text(200, "default\n");
    case "/scopes":
      return text(200, `${scopes.join("\n")}\n`);
    case "/token": {
      if (account.disabled) return text(404, "");
      const { token: access_token, expiresIn } = issueAccessToken(host, account.email);
      return asJson({ access_token, expires_in: expiresIn - 1, token_type: "Bearer" });
    }
    case "/identity":
      return identity(account, { request, host });
    default:
      return text(404, "");
  }
}

/**
 * `azp` is the unique id; the e-mail and the machine's claims come only with `format=full` (google.md 4, rows
 * 1-2).
 */
function identity(account: StoredAccount, { request, host }: Asked): FakeAnswer {
  const audience = request.query.get("audience") ?? "";
  if (audience === "") return text(400, "non-empty audience parameter required");
  if (account.disabled) return text(404, "");
  const full = request.query.get("format")?.toLowerCase() === "full";
  const more = full ? computeClaims(host, account) : {};
  return text(200, signIdToken(host, account, { audience, azp: account.uniqueId, email: full, more }));
}

/**
 * Clients find out from these that they run on a machine of Google: Node asks for `/instance` without a
 * slash, gcloud for the project's number (wire.md 5.1).
 */
function ofMachine(path: string, account: StoredAccount | undefined, project: StoredProject | undefined): FakeAnswer {
  const known: Readonly<Record<string, string | undefined>> = {
    "/": "instance/\noslogin/\nproject/\n",
    "/instance": "sandbox-1",
    "/instance/": "attributes/\nid\nname\nservice-accounts/\nzone\n",
    "/instance/id": "4570452845155348778",
    "/instance/name": "sandbox-1",
    "/instance/zone": project && `projects/${project.number}/zones/us-central1-a`,
    "/instance/region": project && `projects/${project.number}/regions/us-central1`,
    "/instance/service-accounts/": account ? `default/\n${account.email}/\n` : "",
    "/project/project-id": project?.id,
    "/project/numeric-project-id": project?.number,
    "/universe/universe-domain": "googleapis.com",
  };
  const found = known[path] ?? known[`${path}/`];
  return found === undefined ? text(404, "") : text(200, found);
}
