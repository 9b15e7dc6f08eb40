import { z } from "zod";
import { TooManyRuns } from "./calendar.ts";
import { trustPart } from "./environment.ts";
import { type FakeAnswer, type FakeRequest, json, type Player } from "./fake.ts";
import { faultSchema } from "./faults.ts";
import { hostOf } from "./oidc.ts";
import type { Sandbox } from "./sandbox.ts";

/** Gives the body of a 200, or a promise of it. A body that does not fit its schema is a 400. */
type Handler = (sandbox: Sandbox, body: unknown, query: URLSearchParams) => unknown;

const seconds = z.number().min(-1e9).max(1e9);

/** The control endpoints (contract, section 5), and those that the tool itself uses to attach. */
const handlers: Readonly<Record<string, Handler>> = {
  "GET /_sandbox/status": (sandbox) => ({ pid: process.pid, ...sandbox.settings }),
  "GET /_sandbox/state": (sandbox) =>
    Object.fromEntries(sandbox.state.list("").filter(([key]) => !key.startsWith("counter/"))),
  "GET /_sandbox/calls": (sandbox) => sandbox.calls,
  "GET /_sandbox/issued": (sandbox) => sandbox.keys.issued,
  "PUT /_sandbox/clock": async (sandbox, body) => {
    const { offsetSeconds, jobs } = clockSchema.parse(body);
    if (jobs === "run") return { offsetSeconds, runs: await sandbox.calendar.move(offsetSeconds) };
    sandbox.set({ offsetSeconds });
    return { offsetSeconds, runs: 0 };
  },
  "PUT /_sandbox/propagation": (sandbox, body) => {
    const { seconds: propagationSeconds } = z.strictObject({ seconds: z.number().min(0).max(600) }).parse(body);
    sandbox.set({ propagationSeconds });
    return { seconds: propagationSeconds };
  },
  "PUT /_sandbox/metadata": (sandbox, body) => {
    const { serviceAccount, ...workloads } = machineSchema.parse(body);
    if (serviceAccount !== undefined) sandbox.set({ actsAs: serviceAccount });
    for (const one of sandbox.players) {
      const who = workloads[one.party as keyof typeof workloads];
      if (who !== undefined) one.runAs?.(who, sandbox.host(undefined));
    }
    return body;
  },
  "PUT /_sandbox/quotas": (sandbox, body) => {
    for (const [party, quotas] of Object.entries(quotaSchema.parse(body))) {
      const one = sandbox.players.find((candidate) => candidate.party === party);
      if (!one?.setQuotas) throw new SyntaxError(`the sandbox plays no quotas of ${party}`);
      one.setQuotas(quotas, sandbox.host(undefined));
    }
    return body;
  },
  "PUT /_sandbox/faults": (sandbox, body) => {
    sandbox.faults.set(faultSchema.parse(body));
    return sandbox.faults.all;
  },
  "POST /_sandbox/mint": mint,
  "PUT /_sandbox/issuers": (sandbox, body) => sandbox.hosting.change(issuerSchema.parse(body)),
  "GET /_sandbox/authority": async (sandbox) => ({ anchors: await sandbox.hosting.anchors() }),
  "GET /_sandbox/environment": async (sandbox, _body, query) => [
    ...sandbox.players.map((one) => {
      const host = sandbox.host(undefined);
      // On a machine of its own a program has what that machine gives it, and no operator's keys.
      const own = query.get("machine") === one.party ? one.machine?.(host) : undefined;
      return own ?? one.environment(query.get(one.party) ?? undefined, host);
    }),
    trustPart(await sandbox.hosting.anchors()),
  ],
  "GET /_sandbox/credentials": (sandbox, _body, query) => {
    const one = player(sandbox, query);
    const workload = query.get("workload");
    if (workload === null) return one.operator(query.get("scope") ?? "", sandbox.host(undefined));
    const session = one.workload?.(workload, sandbox.host(undefined));
    if (!session) throw new SyntaxError(`no workload is called ${workload}`);
    return session;
  },
  "POST /_sandbox/reset": (sandbox) => {
    sandbox.reset();
    return {};
  },
};

/** `jobs: "skip"` leaves out what is due on the way. */
const clockSchema = z.strictObject({ offsetSeconds: seconds, jobs: z.enum(["run", "skip"]).default("run") });
/** By party and by the cloud's own name of the quota; what is left out stays as it is. */
const quotaSchema = z.record(z.string(), z.record(z.string(), z.int().min(0).max(1e9)));

/** As whom the machine speaks, in each cloud that it could be one of; what is left out stays as it is. */
const machineSchema = z.strictObject({
  serviceAccount: z.string().includes("@").optional(),
  aws: z.string().optional(),
  entra: z.record(z.string(), z.string()).optional(),
});

const mintSchema = z.strictObject({
  issuer: z.url(),
  claims: z.record(z.string(), z.unknown()),
  header: z.record(z.string(), z.unknown()).optional(),
  sign: z.enum(["wrong-key", "none"]).optional(),
});

const document = z.record(z.string(), z.unknown()).nullable().optional();

/** What is left out stays as it is; a document stands in for the one that would be served, null takes it away. */
const issuerSchema = z.strictObject({
  issuer: z.url().refine((url) => hostOf(url), "an issuer is hosted at https, a DNS name and port 443"),
  privateCa: z.boolean().optional(),
  rotate: z.enum(["key", "certificate"]).optional(),
  /** With `rotate: key`: the old key is served on. */
  keep: z.boolean().optional(),
  discovery: document,
  jwks: document,
});

/**
 * Any token of a played issuer, which is hosted from then on: what an issuer would never mint is what the refusals are proved with. The
 * given claims win over the issuer, the time of issue and the hour of life that are filled in.
 */
function mint(sandbox: Sandbox, body: unknown): { token: string } | { token: null; mapped: true } {
  const { issuer, claims, header, sign } = mintSchema.parse(body);
  // Signed with a key of ours it would be refused for that alone, and would look like a proof of the trust.
  if (sandbox.hosting.mapped(issuer)) return { token: null, mapped: true };
  sandbox.hosting.mention(issuer);
  const now = Math.floor(sandbox.now() / 1000);
  const whole = { iss: issuer, iat: now, exp: now + 3600, ...claims };
  return { token: sandbox.keys.mint(issuer, { claims: whole, header: header ?? {}, sign }) };
}

function player(sandbox: Sandbox, query: URLSearchParams): Player {
  const found = sandbox.players.find((candidate) => candidate.party === query.get("party"));
  if (!found) throw new SyntaxError("no such party");
  return found;
}

/** The answer to a control call; the listener has checked that it comes from this machine and no web page. */
export async function control(sandbox: Sandbox, request: FakeRequest): Promise<FakeAnswer> {
  const handler = handlers[`${request.method} ${request.path}`];
  if (!handler) return json(404, { error: `the sandbox has no ${request.method} ${request.path}` });
  try {
    const body = request.body.length > 0 ? JSON.parse(request.body.toString("utf8")) : undefined;
    return json(200, await handler(sandbox, body, request.query));
  } catch (error) {
    if (error instanceof z.ZodError) return json(400, { error: z.prettifyError(error) });
    if (error instanceof SyntaxError || error instanceof TooManyRuns) return json(400, { error: error.message });
    throw error;
  }
}
