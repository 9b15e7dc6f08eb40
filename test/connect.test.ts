import { readFileSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { join } from "node:path";
import tls from "node:tls";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { describe, expect, onTestFinished, test } from "vitest";
import { players } from "../src/parties/players.ts";
import { proxyReach } from "../src/run/proxy.ts";
import { attach } from "../src/sandbox/attach.ts";
import { type Bench, bench, example, folderWith } from "./support/bench.ts";
import { fourOf, issue, stolen, tlsServer } from "./support/chain.ts";
import { crosstrust, environmentOf, run, start } from "./support/cli.ts";
import { guard } from "./support/guard.ts";
import { witnessed } from "./support/witness.ts";

const issuer = "https://login.example.com/tenant";

async function put(b: Bench, body: unknown): Promise<number> {
  const answer = await fetch(`${b.url}/_sandbox/issuers`, { method: "PUT", body: JSON.stringify(body) });
  return answer.status;
}

const anchorsOf = async (url: string): Promise<readonly string[]> =>
  ((await (await fetch(`${url}/_sandbox/authority`)).json()) as { anchors: string[] }).anchors;

/** What a CONNECT is answered with. */
function connected(url: string, target: string): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = http.request({ host: hostname, port, method: "CONNECT", path: target, agent: false });
    request.once("connect", (answer, socket) => {
      socket.destroy();
      resolve(answer.statusCode ?? 0);
    });
    request.once("error", reject);
    request.end();
  });
}

/** One raw request over the TLS of a host. */
async function over(b: Bench, host: string, request: string): Promise<string> {
  const socket = await proxyReach({ url: b.url, connect: guard }, host, 443);
  const secure = tls.connect({ socket, servername: host, ca: [...(await anchorsOf(b.url))] });
  let text = "";
  secure.on("data", (chunk: Buffer) => void (text += chunk.toString()));
  secure.end(request);
  await new Promise((resolve, reject) => secure.once("close", resolve).once("error", reject));
  return text;
}

/** The programs of this machine, led to the sandbox by proxy and CA alone: no endpoint is moved. */
async function realNames(b: Bench, folder: string): Promise<NodeJS.ProcessEnv> {
  const env = await environmentOf(b.url, folder);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/ENDPOINT|CLOUDSDK_API/.test(name)));
}

describe("real names through CONNECT", () => {
  witnessed("curl")("curl believes the sandbox's STS, and nobody else's bundle does", async () => {
    const b = await bench();
    const env = await realNames(b, folderWith(example));
    const url = "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15";
    const { exit, out } = await run("curl", ["-sS", "-i", url], { env });
    expect([exit, out]).toEqual([0, expect.stringContaining("MissingAuthenticationToken")]);
    const stranger = await run("curl", ["-sS", "--cacert", "/dev/null", url], { env });
    expect(stranger.exit).not.toBe(0);
  });

  witnessed("openssl")("openssl sees leaf and intermediate, and not the root", async () => {
    const b = await bench();
    const folder = folderWith(example);
    const bundle = join(folder, "anchors.pem");
    writeFileSync(bundle, (await anchorsOf(b.url)).join(""));
    const host = "iam.googleapis.com";
    const words = ["s_client", "-proxy", new URL(b.url).host, "-connect", `${host}:443`, "-servername", host];
    const { out } = await run("openssl", [...words, "-showcerts", "-CAfile", bundle, "-verify_hostname", host]);
    expect(out).toContain("Verify return code: 0 (ok)");
    expect(out.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  witnessed("aws")("the aws CLI, with no endpoint moved, is the operator of the account", async () => {
    const b = await bench();
    const folder = folderWith(example);
    const env = await realNames(b, folder);
    const sts = await run("aws", ["sts", "get-caller-identity"], { env, cwd: folder });
    expect([sts.exit, sts.err]).toEqual([0, ""]);
    const roles = await run("aws", ["iam", "list-roles"], { env, cwd: folder });
    expect([roles.exit, JSON.parse(roles.out)]).toEqual([0, { Roles: [] }]);
    const wrong = await run("aws", ["iam", "list-roles"], { env: { ...env, AWS_SECRET_ACCESS_KEY: "x".repeat(40) } });
    expect(wrong.err).toContain("(SignatureDoesNotMatch)");
  });

  witnessed("gcloud")("gcloud, with no endpoint moved, lists the accounts", async () => {
    const b = await bench();
    await b.apply(example);
    const folder = folderWith(example);
    const words = ["iam", "service-accounts", "list", "--format=value(email)"];
    const { exit, out } = await run("gcloud", words, { env: await realNames(b, folder), cwd: folder });
    expect([exit, out.trim()]).toEqual([0, "reports@acme-prod.iam.gserviceaccount.com"]);
  });
});

describe("what CONNECT refuses", () => {
  test("hosts that are not played, other ports, addresses, and this machine", async () => {
    const b = await bench();
    // Something does listen there, and must not be reached.
    const { port } = new URL(b.url);
    const targets = ["example.com:443", "sts.amazonaws.com:80", "sts.amazonaws.com:22", `127.0.0.1:${port}`];
    const more = ["localhost:443", "127.0.0.1:443", "[::1]:443", "amazonaws.com:443", "", "sts.amazonaws.com"];
    for (const target of [...targets, ...more]) expect([target, await connected(b.url, target)]).toEqual([target, 502]);
    expect(await connected(b.url, "STS.amazonaws.com:443")).toBe(200);
  });

  test("control calls never come through it, whatever the Host header says", async () => {
    const b = await bench();
    const ask = (host: string, path = "/_sandbox/issued") =>
      over(b, "sts.amazonaws.com", `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await ask("sts.amazonaws.com")).toMatch(/^HTTP\/1.1 403 /);
    for (const host of ["127.0.0.1", new URL(b.url).host, "localhost", "iam.amazonaws.com"])
      expect([host, await ask(host)]).toEqual([host, expect.stringMatching(/^HTTP\/1.1 421 /)]);
    expect(await ask("sts.amazonaws.com", `http://127.0.0.1/_sandbox/issued`)).toMatch(/^HTTP\/1.1 421 /);
  });

  test("a host that is mapped to the sandbox's own port", async () => {
    const port = await freePort();
    const mapping = { hosts: new Map([["loop.example.com", port]]), anchors: [] };
    const attached = await attach({ players, port, mapping });
    onTestFinished(() => attached.close());
    expect(await connected(attached.url, "loop.example.com:443")).toBe(502);
  });
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

describe("the authority", () => {
  test("is one file that only its owner reads, and the same for whoever takes the state over", async () => {
    const folder = join(folderWith(example), "s");
    const first = await attach({ folder, players });
    const put = { method: "PUT", body: JSON.stringify({ issuer, jwks: { keys: [] } }) };
    await fetch(`${first.url}/_sandbox/issuers`, put);
    const before = await anchorsOf(first.url);
    const sha1s = await first.sandbox?.host(undefined).outside.chain("login.example.com");
    await first.close();
    expect(statSync(join(folder, "authority.json")).mode & 0o777).toBe(0o600);
    const second = await attach({ folder, players });
    onTestFinished(() => second.close());
    expect(await anchorsOf(second.url)).toEqual(before);
    expect(before).toHaveLength(2);
    const outside = second.sandbox?.host(undefined).outside;
    expect(await outside?.chain("login.example.com")).toEqual(sha1s);
    expect((await outside?.get(`${issuer}/.well-known/jwks.json`))?.body).toBe('{"keys":[]}');
  });

  test("two clients of a new host are given one root", async () => {
    const b = await bench();
    const [first, second] = await Promise.all([anchorsOf(b.url), anchorsOf(b.url)]);
    expect(first).toEqual(second);
  });

  test("a root's name constraints refuse any other host, and any address", async () => {
    const folder = join(folderWith(example), "s");
    const attached = await attach({ folder, players });
    onTestFinished(() => attached.close());
    const ca = [...(await anchorsOf(attached.url))];
    type Kept = Record<string, { intermediate: { cert: string; key: string } }>;
    const kept = JSON.parse(readFileSync(join(folder, "authority.json"), "utf8")) as Kept;
    const { intermediate } = kept.clouds!;
    const thief = await stolen(intermediate);
    const verdict = async (host: string) => {
      const leaf = await issue("leaf", thief, host);
      const port = await tlsServer(leaf.pem + intermediate.cert, leaf.key, () => {});
      return new Promise<string>((resolve) => {
        const name = net.isIP(host) ? {} : { servername: host };
        const socket = tls.connect({ port, host: "127.0.0.1", ca, ...name });
        socket.once("secureConnect", () => resolve("believed"));
        socket.once("error", (error) => resolve(error.message));
      });
    };
    expect(await verdict("sts.amazonaws.com")).toBe("believed");
    expect(await verdict("iam.googleapis.com")).toBe("believed");
    for (const host of ["www.example.com", "amazonaws.com.example.com", "googleapis.org"])
      expect([host, await verdict(host)]).toEqual([host, "permitted subtree violation"]);
    expect(await verdict("127.0.0.1")).toBe("excluded subtree violation");
  });
});

describe("hosted issuers", () => {
  test("discovery and keys verify what is minted", async () => {
    const b = await bench();
    const { outside, sandbox } = b.world();
    const token = (await sandbox?.mint(issuer, { sub: "user-1", aud: "x" })) ?? "";
    const discovery = JSON.parse((await outside.get(`${issuer}/.well-known/openid-configuration`)).body.toString());
    expect(discovery.issuer).toBe(issuer);
    const answer = await outside.get(discovery.jwks_uri);
    expect(answer.headers["content-type"]).toBe("application/json");
    const jwks = JSON.parse(answer.body.toString()) as JSONWebKeySet;
    expect(Object.keys(jwks.keys[0] ?? {}).sort()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
    const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), { issuer, audience: "x" });
    expect(payload.sub).toBe("user-1");
    expect(b.calls.map(({ service, operation }) => `${service} ${operation}`)).toEqual([
      "oidc GetDiscovery",
      "oidc GetKeys",
    ]);
  });

  test("a slash at the end of an issuer is part of its name, and is not doubled", async () => {
    const b = await bench();
    const { outside, sandbox } = b.world();
    await sandbox?.host("https://acme.example.com/");
    const url = "https://acme.example.com/.well-known/openid-configuration";
    const discovery = JSON.parse((await outside.get(url)).body.toString());
    expect(discovery).toMatchObject({
      issuer: "https://acme.example.com/",
      jwks_uri: "https://acme.example.com/.well-known/jwks.json",
    });
    expect((await outside.get("https://acme.example.com/elsewhere")).status).toBe(404);
  });

  test("a private CA is not vouched for, and readable all the same", async () => {
    const b = await bench();
    const { outside, sandbox } = b.world();
    await sandbox?.host(issuer, { privateCa: true });
    const url = `${issuer}/.well-known/openid-configuration`;
    await expect(outside.get(url)).rejects.toMatchObject({ class: "refused" });
    expect((await outside.get(url, { vouched: false })).status).toBe(200);
    expect((await outside.chain("login.example.com")).untrusted).toBeDefined();
    const inner = b.sandbox.host(undefined).outside;
    await expect(inner.get(url)).rejects.toThrow();
    expect((await inner.get(url, { vouched: false })).status).toBe(200);
    expect((await inner.chain("login.example.com")).untrusted).toBeDefined();
    expect(await anchorsOf(b.url)).toHaveLength(1);
  });

  test("a rotated key replaces the old one, or stands beside it", async () => {
    const b = await bench();
    const { outside, sandbox } = b.world();
    await sandbox?.host(issuer);
    const kids = async () => {
      const { body } = await outside.get(`${issuer}/.well-known/jwks.json`);
      return (JSON.parse(body.toString()) as JSONWebKeySet).keys.map(({ kid }) => kid);
    };
    const [first] = await kids();
    expect(await put(b, { issuer, rotate: "key", keep: true })).toBe(200);
    const [second, ...more] = await kids();
    expect([second === first, more]).toEqual([false, [first]]);
    expect(await put(b, { issuer, rotate: "key" })).toBe(200);
    expect(await kids()).toHaveLength(1);
  });

  test("a rotated certificate has another chain below the same root", async () => {
    const b = await bench();
    const { outside } = b.sandbox.host(undefined);
    await put(b, { issuer });
    const before = await outside.chain("login.example.com");
    const roots = await anchorsOf(b.url);
    await put(b, { issuer, rotate: "certificate" });
    const after = await outside.chain("login.example.com");
    expect([after.sha1s.length, after.untrusted]).toEqual([2, undefined]);
    expect(after.sha1s.filter((one) => before.sha1s.includes(one))).toEqual([]);
    expect(await anchorsOf(b.url)).toEqual(roots);
  });

  test("documents are replaced, and given back; keys may stand on another host", async () => {
    const b = await bench();
    const { outside } = b.sandbox.host(undefined);
    const jwks_uri = "https://keys.example.net/k";
    await put(b, { issuer, discovery: { issuer, jwks_uri }, jwks: { keys: ["odd"] } });
    const url = `${issuer}/.well-known/openid-configuration`;
    expect(JSON.parse((await outside.get(url)).body)).toEqual({ issuer, jwks_uri });
    expect((await outside.get(jwks_uri)).body).toBe('{"keys":["odd"]}');
    await put(b, { issuer, discovery: null, jwks: null });
    expect(JSON.parse((await outside.get(url)).body).jwks_uri).toBe(`${issuer}/.well-known/jwks.json`);
    await expect(outside.get(jwks_uri)).rejects.toThrow("does not play");
  });

  test("what cannot be hosted is refused; what a party plays stays with it", async () => {
    const b = await bench();
    for (const bad of ["http://a.example.com", "https://127.0.0.1", "https://a.example.com:8443", "https://a", "x"])
      expect([bad, await put(b, { issuer: bad })]).toEqual([bad, 400]);
    expect(await put(b, { issuer, more: 1 })).toBe(400);
    const google = "https://accounts.google.com";
    await put(b, { issuer: google, privateCa: true, discovery: { issuer: "mine" } });
    const { outside } = b.sandbox.host(undefined);
    expect((await outside.chain("accounts.google.com")).untrusted).toBeUndefined();
    expect((await outside.get(`${google}/.well-known/openid-configuration`)).body).not.toContain("mine");
    expect(b.calls.map(({ service }) => service)).toEqual(["google.oauth2"]);
  });
});

describe("--host-map and --ca", () => {
  test("a server of the user's own is reached, with its own chain", async () => {
    const host = "idp.example.org";
    const { root, a, b: second, leaf } = await fourOf(host);
    const port = await tlsServer(leaf.pem + second.pem + a.pem, leaf.key, (_, response) => response.end("mine"));
    const hosts = new Map([[host, port]]);
    const open = await bench({ hosts, anchors: [root.pem] });
    await open.world().sandbox?.host(`https://${host}`);
    expect((await open.world().outside.get(`https://${host}/`)).body.toString()).toBe("mine");
    const { certificates, untrusted } = await open.world().outside.chain(host);
    expect([certificates.map(({ subject }) => subject), untrusted]).toEqual([["CN=leaf", "CN=B", "CN=A"], undefined]);
    expect((await open.sandbox.host(undefined).outside.chain(host)).sha1s).toHaveLength(3);
    const closed = await bench({ hosts, anchors: [] });
    await expect(closed.world().outside.get(`https://${host}/`)).rejects.toMatchObject({ class: "refused" });
    expect((await closed.world().outside.get(`https://${host}/`, { vouched: false })).body.toString()).toBe("mine");
  });

  test("the command checks them, and hands them on", async () => {
    const cwd = folderWith(example);
    const refusals = [
      ["--host-map", "idp.example.org=10.0.0.1:443"],
      ["--host-map", "idp.example.org=localhost:443"],
      ["--host-map", "127.0.0.1=127.0.0.1:443"],
      ["--host-map", "idp.example.org=127.0.0.1:0"],
      ["--ca", "missing.pem"],
      ["--ca", "federation.yaml"],
    ];
    for (const words of refusals) {
      const { exit, err } = await crosstrust(["sandbox", "--port", "0", ...words], { cwd });
      expect([words, exit, err]).toEqual([words, 64, expect.stringContaining(`${words[0]} takes`)]);
    }
    const { root, b, a, leaf } = await fourOf("idp.example.org");
    writeFileSync(join(cwd, "ca.pem"), root.pem);
    const port = await tlsServer(leaf.pem + b.pem + a.pem, leaf.key, (_, response) => response.end("mine"));
    const words = ["sandbox", "--port", "0", "--host-map", `idp.example.org=127.0.0.1:${port}`, "--ca", "ca.pem"];
    const { match } = await start(words, { cwd, until: /http:\/\/127\.0\.0\.1:\d+/ });
    expect(await anchorsOf(match[0])).toHaveLength(2);
    expect(await connected(match[0], "idp.example.org:443")).toBe(200);
  });
});

test("exec sets proxy and CA whatever the machine has set, for the owner's eyes alone", async () => {
  const cwd = folderWith(example);
  const names = ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];
  const all = [...names, "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE"];
  const env = { ...process.env, ...Object.fromEntries(all.map((name) => [name, "/elsewhere"])), NO_PROXY: "*" };
  const { out } = await crosstrust(["sandbox", "exec", "--", "env"], { cwd, env });
  const set = new Map(out.split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
  const files = new Set(all.map((name) => set.get(name) ?? ""));
  expect(files.size).toBe(1);
  const [bundle = ""] = files;
  expect(readFileSync(bundle, "utf8")).toContain("BEGIN CERTIFICATE");
  expect(statSync(bundle).mode & 0o777).toBe(0o600);
  for (const name of ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"])
    expect(set.get(name)).toBe(set.get("CROSSTRUST_SANDBOX"));
  expect(set.get("NO_PROXY")).toBe("127.0.0.1,localhost");
});
