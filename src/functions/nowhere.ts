import { generateKeyPairSync, sign } from "node:crypto";
import { tmpdir } from "node:os";
import type { HttpAnswer, HttpRequest, World } from "../model.ts";
import { directoryStore } from "../run/store.ts";
import { cloudWorld } from "../run/world.ts";

/** Whom the prepared check is asked by, and for what audience: nobody that a deployed function would let in. */
export const asked = { audience: "https://prepare.invalid", email: "nobody@prepare.invalid" };

/**
 * A world for running code once, so that V8 has compiled it: credentials are had at once, accounts and projects are those
 * that the file names, nothing stands in them, and every token is refused. No name is looked up and no connection opened.
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
  if (project) return json(200, { projectId: project, projectNumber: "1", lifecycleState: "ACTIVE" });
  return json(404, { error: { code: 404, message: "not found", status: "NOT_FOUND" } });
}

const json = (status: number, value: object): HttpAnswer => ({
  ...{ status, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(value)) },
});

/** Lists end at once, the caller is whose key it was, and the rest is not there. */
function aws(form: URLSearchParams, authorization: string): HttpAnswer {
  const action = form.get("Action") ?? "";
  const account = /Credential=(\d{12})\//.exec(authorization)?.[1] ?? "000000000000";
  const who = `<Arn>arn:aws:iam::${account}:user/none</Arn><UserId>none</UserId><Account>${account}</Account>`;
  const result = action === "GetCallerIdentity" ? who : "<IsTruncated>false</IsTruncated>";
  const good = `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`;
  const code = action.startsWith("Assume") ? "AccessDenied" : "NoSuchEntity";
  const bad = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>none</Message></Error></ErrorResponse>`;
  const found = action === "GetCallerIdentity" || action.startsWith("List");
  return { status: found ? 200 : 404, headers: { "content-type": "text/xml" }, body: Buffer.from(found ? good : bad) };
}
