import {
  type Fake,
  type FakeAnswer,
  type FakeRequest,
  type Host,
  json,
  type Operation,
} from "../../../sandbox/fake.ts";

/** An error of a Google REST service, with its canonical status and details. */
export class GoogleError extends Error {
  readonly status: number;
  /** Such as `NOT_FOUND`: clients look at it, gcloud prints it (wire.md 4.0). */
  readonly canonical: string;
  readonly details: readonly unknown[];

  /** `status` and canonical name, such as 404 and `NOT_FOUND`. */
  constructor([status, canonical]: readonly [number, string], message: string, details: readonly unknown[] = []) {
    super(message);
    this.status = status;
    this.canonical = canonical;
    this.details = details;
  }

  answer(): FakeAnswer {
    const details = this.details.length > 0 ? { details: this.details } : {};
    return json(this.status, {
      error: { code: this.status, message: this.message, status: this.canonical, ...details },
    });
  }
}

/** What a handler gets: the parts of the path that its pattern caught, percent-decoded. */
export interface RestCall {
  readonly parts: readonly string[];
  readonly body: Readonly<Record<string, unknown>>;
  readonly request: FakeRequest;
  readonly host: Host;
  readonly principal: Principal;
}

/** Who calls: an operator by e-mail, or a service account. */
export interface Principal {
  /** `user:operator@example.com`, `serviceAccount:...`, `principal://...` or `anonymous` */
  readonly member: string;
  readonly email: string;
  /** Whoever came through a pool is many things at once: its groups, its attributes, the whole pool. */
  readonly also?: readonly string[];
}

/** One method of a service; the first route that matches is taken. */
export interface Route {
  readonly method: string;
  /** Over the decoded path; its groups become `parts`. */
  readonly pattern: RegExp;
  /** Verb first, as in the contract: faults and `/calls` name it so. */
  readonly operation: string;
  readonly write: boolean;
  /** Gives the body of a 200, or a whole answer where it has another shape; throws `GoogleError`. */
  readonly run: (call: RestCall) => unknown;
  /** Anybody may call it. */
  readonly open?: true;
  /** Its body is stored, not read. */
  readonly media?: true;
}

/** `service` as in `/calls`; `hosts` are the real names, for requests through the proxy. */
export interface Service {
  readonly service: string;
  readonly hosts: readonly string[];
  readonly routes: readonly Route[];
}

/**
 * A REST service from its routes. Without a token of ours only an `open` route runs, all others answer 401.
 * `write` is for the record, and keeps a stale read away from a write.
 */
export function restFake(
  { service, hosts, routes }: Service,
  principalOf: (request: FakeRequest, host: Host) => Principal | undefined,
): Fake {
  const find = (request: FakeRequest) => {
    const path = decodePath(request.path);
    for (const route of routes) {
      const match = route.method === request.method ? route.pattern.exec(path) : null;
      if (match) return { route, parts: match.slice(1).map((part) => part ?? "") };
    }
    return undefined;
  };
  return {
    service,
    hosts,
    owns: (request) => find(request) !== undefined,
    open(request, host): Operation {
      const found = find(request);
      const principal = principalOf(request, host);
      const run = (): FakeAnswer | Promise<FakeAnswer> => {
        if (!found) return new GoogleError([404, "NOT_FOUND"], "Requested entity was not found.").answer();
        if (!principal && !found.route.open) return unauthenticated.answer();
        const body = () => (found.route.media ? {} : bodyOf(request));
        return settle(() => found.route.run({ ...found, request, host, body: body(), principal: principal ?? nobody }));
      };
      const { operation: name = "Unknown", write = false } = found?.route ?? {};
      return { name, write, principal: principal?.member ?? "anonymous", run };
    },
    fault: (kind) => faults[kind].answer(),
  };
}

const nobody: Principal = { member: "anonymous", email: "" };

async function settle(work: () => unknown): Promise<FakeAnswer> {
  try {
    const result = await work();
    return isAnswer(result) ? result : json(200, result);
  } catch (error) {
    if (error instanceof GoogleError) return error.answer();
    // A fault of the sandbox's own: told, and not left to look like a broken line.
    return new GoogleError([500, "INTERNAL"], `Internal error encountered. ${(error as Error).message}`).answer();
  }
}

/** Told by a number in `status`: a Scheduler job has a `status` too, an object. */
const isAnswer = (value: unknown): value is FakeAnswer =>
  typeof value === "object" &&
  value !== null &&
  "status" in value &&
  "body" in value &&
  typeof value.status === "number";

/** As many as are asked for, `size` where nothing is said, and never more than `most`; the token of a page is an offset. */
export function paged<T>({ request }: RestCall, all: readonly T[], { size, most }: { size: number; most: number }) {
  const length = Math.min(Number(request.query.get("pageSize") ?? size) || size, most);
  const from = Number(request.query.get("pageToken") ?? "0") || 0;
  const more = from + length < all.length ? { nextPageToken: String(from + length) } : {};
  return { items: all.slice(from, from + length), more };
}

/** Clients encode `@` and `%2F` once or twice (google.md, trap 30). */
function decodePath(path: string): string {
  try {
    const once = decodeURIComponent(path);
    return /%[0-9A-Fa-f]{2}/.test(once) ? decodeURIComponent(once) : once;
  } catch {
    return path;
  }
}

/** A form, or JSON. A body of `""` is an empty message of Google's generated clients (google.md 1.2). */
function bodyOf(request: FakeRequest): Readonly<Record<string, unknown>> {
  const text = request.body.toString("utf8");
  const type = request.headers["content-type"] ?? "";
  if (type.startsWith("application/x-www-form-urlencoded")) return Object.fromEntries(new URLSearchParams(text));
  if (!text || text === '""') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    throw new GoogleError([400, "INVALID_ARGUMENT"], "Invalid JSON payload received.");
  }
}

const expected = "Expected OAuth 2 access token, login cookie or other valid authentication credential.";
/** The wording of google.md 9.2. */
export const unauthenticated = new GoogleError(
  [401, "UNAUTHENTICATED"],
  `Request had invalid authentication credentials. ${expected} See https://developers.google.com/identity/sign-in/web/devconsole-project.`,
);

/** `error500` is a 503, the one server error that gcloud is known to retry (wire.md 4.0). */
export const faults = {
  throttle: new GoogleError([429, "RESOURCE_EXHAUSTED"], "Quota exceeded for quota metric."),
  error500: new GoogleError([503, "UNAVAILABLE"], "The service is currently unavailable."),
} as const;

/** The detail by which clients tell one 403 from another; `reason` decides (wire.md 4.0). */
export const errorInfo = (
  reason: string,
  metadata: Readonly<Record<string, string>>,
  domain = "iam.googleapis.com",
) => ({
  "@type": "type.googleapis.com/google.rpc.ErrorInfo",
  reason,
  domain,
  metadata,
});
