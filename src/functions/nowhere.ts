import { generateKeyPairSync, sign } from "node:crypto";
import { tmpdir } from "node:os";
import type { HttpAnswer, HttpRequest, World } from "../model.ts";
import { directoryStore } from "../run/store.ts";
import { cloudWorld } from "../run/world.ts";

/** Whom the prepared check is asked by, and for what audience: nobody that a deployed function would let in. */
export const asked = { audience: "https://prepare.invalid", email: "nobody@prepare.invalid" };

/**
 * A world for running code once, so that V8 has compiled it: credentials are had at once, accounts and projects are those
 * that the file names, what stands in them is somebody else's. No name is looked up and no connection opened.
 */
export function nowhere(): { readonly world: World; readonly token: string } {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const keys = [{ ...publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256", use: "sig" }];
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const mint = (claims: object): string => {
    const now = Math.floor(Date.now() / 1000);
    const life = { iss: "https://accounts.google.com", sub: "1", azp: "1", iat: now, exp: now + 600 };
    const signed = `${encode({ alg: "RS256", kid: "1", typ: "JWT" })}.${encode({ ...life, ...claims })}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
  };
  const common = { store: directoryStore(tmpdir()), progress: () => {}, signal: new AbortController().signal };
  const world: World = {
    ...cloudWorld({ ...common, endpoints: new Map(), sources: {} }),
    clock: { now: () => Date.now(), sleep: async () => {} },
    // The account goes along as the key's name, so that whoever asks later who this is can be told.
    credentials: async ({ scope }) => ({
      ...{ secrets: { accessToken: "none", accessKeyId: scope, secretAccessKey: "none" }, principal: "none" },
      expiresAt: Date.now() + 3_600_000,
    }),
    http: async (request) => answer(request, { keys, mint }),
  };
  const { audience: aud, email } = asked;
  return { world, token: mint({ aud, email, email_verified: true }) };
}

interface Own {
  readonly keys: readonly object[];
  readonly mint: (claims: object) => string;
}

function answer({ url, headers = {}, body }: HttpRequest, { keys, mint }: Own): HttpAnswer {
  const { hostname, pathname } = new URL(url);
  if (hostname.endsWith(".amazonaws.com")) return aws(new URLSearchParams(String(body)), headers.authorization ?? "");
  if (pathname.endsWith("/certs")) return json(200, { keys });
  if (pathname.endsWith(":generateIdToken")) return json(200, { token: mint(JSON.parse(String(body))) });
  const project = /^\/v1\/projects\/([^/:]+)$/.exec(pathname)?.[1];
  const email = /^\/v1\/projects\/[^/]+\/serviceAccounts\/([^/:]+)$/.exec(decodeURIComponent(pathname))?.[1];
  if (email)
    return json(200, { name: pathname.slice(4), email, uniqueId: "1", projectId: "none", description: "theirs" });
  if (project) return json(200, { projectId: project, projectNumber: "1", lifecycleState: "ACTIVE" });
  return json(404, { error: { code: 404, message: "not found", status: "NOT_FOUND" } });
}

const json = (status: number, value: object): HttpAnswer => ({
  ...{ status, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(value)) },
});

const response = (action: string, result: string): string =>
  `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`;

/** Nobody's, and trusting nobody. */
const role = (name: string): string => {
  const trust = encodeURIComponent(JSON.stringify({ Version: "2012-10-17", Statement: [] }));
  const arn = `arn:aws:iam::000000000000:role/${name}`;
  const tags = "<Tags><member><Key>k</Key><Value>v</Value></member></Tags>";
  return `<Role><Path>/</Path><RoleName>${name}</RoleName><RoleId>AROA</RoleId><Arn>${arn}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>${trust}</AssumeRolePolicyDocument><MaxSessionDuration>3600</MaxSessionDuration>${tags}</Role>`;
};

/** The session that was asked for; who it is goes along as its key's name, too. */
function assumed(form: URLSearchParams): string {
  const [, account = "", name = ""] =
    /^arn:[\w-]+:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(form.get("RoleArn") ?? "") ?? [];
  const keys = `<AccessKeyId>${account}.${name}</AccessKeyId><SecretAccessKey>none</SecretAccessKey><SessionToken>none</SessionToken>`;
  const until = `<Expiration>${new Date(Date.now() + 900_000).toISOString()}</Expiration>`;
  return `<Credentials>${keys}${until}</Credentials><AssumedRoleUser><Arn>arn:aws:sts::${account}:assumed-role/${name}/none</Arn><AssumedRoleId>AROA:none</AssumedRoleId></AssumedRoleUser>`;
}

/** Lists end at once, roles are there and somebody else's, the caller is whose key it was, and the rest is not there. */
function aws(form: URLSearchParams, authorization: string): HttpAnswer {
  const action = form.get("Action") ?? "";
  const [, account = "000000000000", name] = /Credential=(\d{12})(?:\.([^/]+))?\//.exec(authorization) ?? [];
  const arn = name ? `arn:aws:sts::${account}:assumed-role/${name}/none` : `arn:aws:iam::${account}:user/none`;
  const results: Readonly<Record<string, () => string>> = {
    GetCallerIdentity: () => `<Arn>${arn}</Arn><UserId>none</UserId><Account>${account}</Account>`,
    GetRole: () => role(form.get("RoleName") ?? ""),
    AssumeRoleWithWebIdentity: () => assumed(form),
  };
  const result = results[action] ?? (action.startsWith("List") ? () => "<IsTruncated>false</IsTruncated>" : undefined);
  const stranger = form.get("RoleSessionName")?.startsWith("crosstrust-refuse") ?? false;
  const code = stranger ? "AccessDenied" : "NoSuchEntity";
  const bad = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>none</Message></Error></ErrorResponse>`;
  const fine = result !== undefined && !stranger;
  const body = Buffer.from(fine ? response(action, result()) : bad);
  return { status: fine ? 200 : stranger ? 403 : 404, headers: { "content-type": "text/xml" }, body };
}
