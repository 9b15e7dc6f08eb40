import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { tokenRefusal } from "../src/judge/aws/token.ts";
import { players } from "../src/parties/players.ts";
import { type Attached, attach } from "../src/sandbox/attach.ts";
import type { Sandbox } from "../src/sandbox/sandbox.ts";
import { account, Bench } from "./support/bench.ts";
import { signer, token } from "./support/signer.ts";

// Every outcome that somebody recorded of AWS's STS, replayed: code, status and text to the letter. The rows are data, so
// that a recording is compared as it was made. Catches a sandbox that admits what AWS refuses, and a rule of the judge
// that answers otherwise than the sandbox.

const fields = z.record(z.string(), z.unknown());
const row = z.strictObject({
  name: z.string(),
  claims: fields.default({}),
  payload: z.string().optional(),
  header: fields.default({}),
  keys: z.array(z.looseObject({ key: z.enum(["rsa", "wrong"]) })).optional(),
  ask: z.record(z.string(), z.string()).default({}),
  trust: z.strictObject({ Condition: z.unknown(), Principal: z.unknown() }).partial().default({}),
  answer: z.string(),
  gives: z.record(z.string(), z.string()).default({}),
});
const recorded = z
  .object({ source: z.string(), status: z.record(z.string(), z.number()), rows: z.array(row) })
  .parse(parse(readFileSync(new URL("vectors/sts-outcomes.yaml", import.meta.url), "utf8")));
type Row = (typeof recorded.rows)[number];

const issuer = "https://idp.example.com";
const provider = `arn:aws:iam::${account}:oidc-provider/idp.example.com`;
const role = `arn:aws:iam::${account}:role/recorded`;
const file = `crosstrust: 1
name: acme
links:
  one:
    from: { oidc: { issuer: ${issuer}, clientId: client-a, subject: subject-probe } }
    to:   { aws: { account: ${account}, role: recorded, path: /, maxSession: 2h } }
`;
const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];
const signers = new Map(algorithms.map((alg) => [alg, signer(alg, alg)]));
const wrong = signer("RS256", "RS256");

let attached: Attached;
let b: Bench;
let now = 0;

beforeAll(async () => {
  attached = await attach({ players });
  b = new Bench(attached.url, attached.sandbox as Sandbox);
  await b.apply(file);
  const key = `aws.oidcProvider/${account}/idp.example.com`;
  b.sandbox.state.put(key, { ...b.sandbox.state.get<object>(key), clientIds: ["client-a", "client-b"] });
  vi.useFakeTimers({ toFake: ["Date"], now: Math.ceil(Date.now() / 1000) * 1000 });
  now = Date.now() / 1000;
});
afterAll(async () => {
  vi.useRealTimers();
  await attached.close();
});

/** `now-301` as a number; anything else is no time. */
function time(text: string): number | undefined {
  const parts = /^now([+-][\d.]+)?$/.exec(text);
  return parts ? now + Number(parts[1] ?? 0) : undefined;
}

/** Names in braces, and times. */
const filled = (text: string): string =>
  text.replace(/\{([\w+-]+)\}/g, (whole, name: string) => {
    const names: Readonly<Record<string, string>> = {
      ...{ role, account, provider, ROLE: role.toUpperCase() },
      other: `arn:aws:iam::${account}:role/another-role`,
    };
    return names[name] ?? time(name)?.toString() ?? whole;
  });

/** A value of a row as it is sent. */
function sent(value: unknown): unknown {
  if (typeof value === "string")
    return value.startsWith("text ") ? String(time(value.slice(5))) : (time(value) ?? filled(value));
  if (Array.isArray(value)) return value.map(sent);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, sent(one)]));
}

const without = (members: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== "absent"));

const claimsOf = ({ claims }: Row): Readonly<Record<string, unknown>> => {
  const good = { iss: issuer, aud: "client-a", sub: "subject-probe", iat: now - 10, exp: now + 900 };
  return without({ ...good, ...(sent(claims) as object) });
};

function tokenOf(one: Row): string {
  const { alg = "RS256", ...header } = one.header;
  const by = signers.get(String(alg)) ?? wrong;
  const good = JSON.stringify(claimsOf(one)).slice(1, -1);
  const payload = one.payload?.replace("{good}", good) ?? claimsOf(one);
  return token(payload, by, header.kid === "absent" ? { ...header, kid: null } : header);
}

/** The key set as the row serves it, else all keys. */
function keysOf({ keys }: Row): readonly unknown[] {
  const rsa = signers.get("RS256")?.jwk;
  if (!keys) return [...signers.values()].map(({ jwk }) => jwk);
  return keys.map(({ key, ...members }) => without({ ...(key === "rsa" ? rsa : wrong.jwk), ...members }));
}

async function replay(one: Row) {
  const known = `aws.role/${account}/recorded`;
  const web = { Effect: "Allow", Principal: { Federated: provider } };
  const Action = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"];
  const trust = { Version: "2012-10-17", Statement: [{ ...web, Action, ...(sent(one.trust) as object) }] };
  b.sandbox.state.put(known, { ...b.sandbox.state.get<object>(known), trust: JSON.stringify(trust) });
  await fetch(`${b.url}/_sandbox/issuers`, {
    method: "PUT",
    body: JSON.stringify({ issuer, jwks: { keys: keysOf(one) } }),
  });
  const form = {
    Version: "2011-06-15",
    Action: "AssumeRoleWithWebIdentity",
    RoleArn: role,
    RoleSessionName: "oidc-probe",
  };
  const body = new URLSearchParams({ ...form, WebIdentityToken: tokenOf(one), ...one.ask });
  const answer = await fetch(`${b.url}/aws/sts`, { method: "POST", body });
  return { status: answer.status, xml: await answer.text() };
}

const plain = (text: string) => text.replaceAll("&apos;", "'").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
const within = (xml: string, tag: string) => plain(new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1] ?? "");

describe(`recorded: ${recorded.source}`, () => {
  test.each(recorded.rows.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    const { status, xml } = await replay(one);
    const said = status === 200 ? "ok" : `${within(xml, "Code")}: ${within(xml, "Message")}`;
    expect(said).toBe(filled(one.answer));
    expect(status).toBe(said === "ok" ? 200 : recorded.status[within(xml, "Code")]);
    const given = Object.keys(one.gives).map((tag) => [tag, within(xml, tag)]);
    expect(Object.fromEntries(given)).toEqual(sent(one.gives));
  });

  test("an accepted request is always told the packed size of its session", async () => {
    const accepted = recorded.rows.filter(({ answer }) => answer === "ok");
    for (const one of accepted) expect((await replay(one)).xml, one.name).toMatch(/<PackedPolicySize>\d\d<\/Packed/);
  });
});

describe("the judge's rules about a token", () => {
  // Of a row that changes the claims alone, the judge says before any exchange what AWS said after one.
  const told = recorded.rows.filter(({ keys, ask, trust, payload }) => {
    return !keys && !payload && Object.keys({ ...ask, ...trust }).length === 0;
  });
  test.each(told.map((one) => [one.name, one] as const))("%s", (_, one) => {
    const { alg = "RS256", ...more } = one.header;
    const refusal = tokenRefusal({ header: { alg, ...more }, claims: claimsOf(one) }, { now, roleArn: role });
    // Which keys and which clients an issuer has stands in no token.
    const outside = /key-id|azp-mismatch/.test(one.name);
    const said = refusal ? `${refusal.code}: ${refusal.message}` : "ok";
    expect(said).toBe(outside ? "ok" : filled(one.answer));
    if (refusal) expect([refusal.row.ok, refusal.row.key]).toEqual([false, expect.stringMatching(/./)]);
  });
});
