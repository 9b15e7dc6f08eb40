import { createHash, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { RequestListener, ServerResponse } from "node:http";
import net from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readFederation } from "../src/file/read.ts";
import type { Live, World } from "../src/model.ts";
import { shapes } from "../src/parties/index.ts";
import { type IssuerSpec, issuerKind } from "../src/parties/oidc/kind.ts";
import { opened, outsideOf, publicReach, type Reach } from "../src/run/outside.ts";
import { CloudError } from "../src/run/retry.ts";
import { account, bench, folderWith } from "./support/bench.ts";
import { fourOf, issue, tlsServer } from "./support/chain.ts";
import { crosstrust } from "./support/cli.ts";
import { signer } from "./support/signer.ts";

// Issuers as people write them and as the world serves them. Numbers are those of the list in the fact sheet on
// reliability and security, 3b.

const fileWith = (...issuers: readonly string[]) => `crosstrust: 1
name: acme
links:
${issuers
  .map(
    (one, at) => `  link-${at}:
    from: { oidc: { issuer: ${JSON.stringify(one)}, clientId: c, subject: s } }
    to:   { aws: { account: ${account}, role: role-${at} } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`,
  )
  .join("")}`;

const read = (text: string) => readFederation("federation.yaml", Buffer.from(fileWith(text)), shapes);

const canonical = /not in canonical form/;
const numbered = /named, not numbered|not in canonical form/;
const notPublic = /not a public host/;

const bad: readonly (readonly [number, string, RegExp])[] = [
  [46, "http://idp.example.com", /an issuer is an https:/],
  [46, "HTTPS://idp.example.com", /an issuer is an https:/],
  [46, "ftp://idp.example.com", /an issuer is an https:/],
  [46, "", /an issuer is an https:/],
  ...["?x", "?", "#a", "#", "/?", "/#"].map(
    (end) => [47, `https://idp.example.com${end}`, /no query and no fragment/] as const,
  ),
  [48, "https://a:b@idp.example.com", /no user in it/],
  [48, "https://@idp.example.com", /no user in it/],
  [48, "https://idp.example%2f@evil", /no user in it/],
  [51, "https://IDP.example.com", canonical],
  [51, "https://idp.example.com:443", canonical],
  [51, "https://idp.example.com:0443/a", canonical],
  [51, "https://idp.example.com/a/../b", canonical],
  [51, "https://idp.example.com/./a", canonical],
  [51, "https://idp.example.com/a/.", canonical],
  [51, "https:idp.example.com", /an issuer is an https:/],
  [51, "https:/idp.example.com", /an issuer is an https:/],
  [51, "https:\\\\idp.example.com", /an issuer is an https:/],
  [51, "https://idp.example.com\\a", canonical],
  [51, "https://idp\t.example.com", /control character/],
  [51, "https://idp.example.com\n", /control character/],
  [51, "https://idp\u00ad.example.com", /U\+00AD/],
  [51, "https://idp.example.com.", canonical],
  [51, " https://idp.example.com", /an issuer is an https:/],
  [51, "https://idp.example.com ", canonical],
  [52, "https://idp.example.com//a", canonical],
  [52, "https://idp.example.com/a%2Fb", canonical],
  [52, "https://idp.example.com/..", canonical],
  [52, "https://idp.example.com/~~a", canonical],
  [52, `https://idp.example.com/${"a/".repeat(120)}`, /at most 255/],
  [52, `https://idp.example.com/${"a".repeat(151)}`, /more than 150/],
  ...["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "169.254.169.254", "8.8.8.8", "0x08080808"].map(
    (host) => [53, `https://${host}`, numbered] as const,
  ),
  ...[
    "[::1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "[fd00:ec2::254]",
    "[2606:4700::1111]",
  ].map((host) => [53, `https://${host}`, numbered] as const),
  [53, "https://\uff11\uff12\uff17.0.0.1", /U\+FF11/],
  ...["localhost", "a.localhost", "metadata", "metadata.google.internal", "x.internal", "x.local", "idp"].map(
    (host) => [54, `https://${host}`, notPublic] as const,
  ),
  [54, "https://localhost.", canonical],
  [54, "https://a..b", /not a host name/],
  [54, "https://under_score.example.com", /not a host name/],
  [63, "https://\u0435xample.com", /this host is xn--xample-2of\.com/],
];

describe("URLs that no issuer has", () => {
  test.each(bad)("case %i: %j", (_, text, says) => {
    const { federation, findings } = read(text);
    expect(federation).toBeUndefined();
    const place = { file: "federation.yaml", line: 5, column: 29 };
    expect(findings).toMatchObject([{ severity: "error", at: { place }, says: expect.stringMatching(says) }]);
  });

  test.each([
    ...[
      "https://idp.example.com",
      "https://idp.example.com/",
      "https://t.auth0.com/",
      "https://a.example.com/realms/b",
    ],
    ...["https://login.example.com/tenant/v2.0", "https://idp.example.com/A-b_c.d~e", "https://xn--xample-2of.com"],
    `https://idp.example.com/${"a".repeat(150)}`,
  ])("%s is kept to the letter (case 50)", (text) => {
    const { federation, findings } = read(text);
    expect([findings, federation?.links[0]?.from.spec.issuer]).toEqual([[], text]);
  });

  test("the command ends with 65, tells all of them in one go, and calls nobody", async () => {
    const b = await bench();
    const cwd = folderWith(fileWith(...bad.map(([, text]) => text)));
    const env = { ...process.env, CROSSTRUST_SANDBOX: b.url };
    for (const words of ["lint", "plan", "apply", "health"]) {
      const { exit, out, err } = await crosstrust(words, { cwd, env });
      const told = new Set((out + err).match(/federation\.yaml:\d+:29/g));
      expect([words, exit, told.size]).toEqual([words, 65, bad.length]);
    }
    // A port is no error of the URL, but aws takes none (case 49).
    writeFileSync(join(cwd, "federation.yaml"), fileWith("https://idp.example.com:8443"));
    for (const words of ["lint", "plan", "apply"]) {
      const { exit, out, err } = await crosstrust(words, { cwd, env });
      expect([words, exit, out + err]).toEqual([words, 65, expect.stringContaining("ISSUER-PORT")]);
    }
    expect(b.calls).toEqual([]);
  });
});

const host = "idp.example.com";
const url = `https://${host}`;

/** A world with this door to the outside alone; its clock does not wait. */
const worldOf = (reach: Reach): World =>
  ({
    kind: "cloud",
    clock: { now: Date.now, sleep: async () => {} },
    random: () => 0.5,
    outside: outsideOf(reach),
    budget: { tokens: 500 },
    signal: new AbortController().signal,
    progress: () => {},
  }) as unknown as World;

const reachOf = (port: number, anchors: readonly string[]): Reach => ({
  connect: async (name) => opened(net.connect({ host: "127.0.0.1", port }), name),
  anchors: async () => anchors,
});

const resource = (spec: Partial<IssuerSpec> = {}) =>
  ({ address: "oidc:issuer/x", links: ["a"], hold: "use", spec: { url, privateCa: false, ...spec } }) as const;

/** What reading an issuer comes to: what is there, or the error of its page. */
async function readIssuer(reach: Reach, spec: Partial<IssuerSpec> = {}): Promise<Live<IssuerSpec> | CloudError> {
  try {
    return await issuerKind.read(resource(spec), [], worldOf(reach));
  } catch (error) {
    if (error instanceof CloudError) return error;
    throw error;
  }
}

async function outcome(reach: Reach, spec: Partial<IssuerSpec> = {}): Promise<readonly string[]> {
  const live = await readIssuer(reach, spec);
  if (live instanceof CloudError) return [live.known?.code ?? live.class, live.message];
  return live.state === "present" ? ["read", ...(live.notes ?? []).map(({ says }) => says)] : [live.state];
}

const key = signer("RS256", "r1").jwk;
const discovery = {
  issuer: url,
  jwks_uri: `${url}/keys`,
  response_types_supported: ["id_token"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256"],
};

const json = (response: ServerResponse, body: unknown) =>
  response.setHeader("content-type", "application/json").end(JSON.stringify(body));

/** An issuer that serves these documents, or answers in a way of its own. */
async function served(
  documents: { readonly discovery?: unknown; readonly keys?: unknown } = {},
  answer?: RequestListener,
) {
  const { root, a, b, leaf } = await fourOf(host);
  const asked: string[] = [];
  const port = await tlsServer(leaf.pem + b.pem + a.pem, leaf.key, (request, response) => {
    asked.push(`${request.headers.host}${request.url}`);
    if (request.url === "/keys") return void json(response, documents.keys ?? { keys: [key] });
    if (answer) return answer(request, response);
    json(response, documents.discovery ?? discovery);
  });
  return { asked, last: a, reach: reachOf(port, [root.pem]), port };
}

describe("what an issuer serves", () => {
  test("a good one is read, with the thumbprint of what it serves last", async () => {
    const { reach, last, asked } = await served();
    const live = await readIssuer(reach);
    const der = Buffer.from(last.pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
    const thumbprints = createHash("sha1").update(der).digest("hex");
    const outputs = { thumbprints, served: thumbprints, jwksUri: `${url}/keys`, kids: "r1", vouched: "true" };
    expect(live).toMatchObject({ state: "present", outputs, notes: [{ code: "THUMBPRINT-UNUSED", severity: "hint" }] });
    expect(asked).toEqual([`${host}/.well-known/openid-configuration`, `${host}/keys`]);
  });

  test.each([301, 302, 307, 308])("a redirect (%i) is not followed (case 57)", async (status) => {
    const { reach, asked } = await served({}, (_, response) => response.writeHead(status, { location: "/keys" }).end());
    expect(await outcome(reach)).toEqual(["ISSUER-DOCUMENT", expect.stringContaining(`a redirect (${status})`)]);
    expect(asked.filter((one) => one.endsWith("/keys"))).toEqual([]);
  });

  test.each([
    ["of somebody else", url, "https://www.example.com", /says https:\/\/www\.example\.com$/],
    ["with a slash more", url, `${url}/`, /the slash at the end counts$/],
    ["with a slash less", `${url}/`, url, /the slash at the end counts$/],
    ["in other letters", url, url.toUpperCase(), /says HTTPS/],
  ])("an issuer %s (case 58)", async (_, asked, says, message) => {
    const { reach } = await served({ discovery: { ...discovery, issuer: says } });
    expect(await outcome(reach, { url: asked })).toEqual(["ISSUER-MISMATCH", expect.stringMatching(message)]);
  });

  test("a slash at the end is not doubled, and belongs to the name (case 50)", async () => {
    const { reach, asked } = await served({ discovery: { ...discovery, issuer: `${url}/` } });
    expect(await outcome(reach, { url: `${url}/` })).toEqual(["read", expect.any(String)]);
    expect(asked[0]).toBe(`${host}/.well-known/openid-configuration`);
  });

  test.each([
    "http://idp.example.com/keys",
    "https://a:b@idp.example.com/keys",
    "keys",
    "file:///etc/passwd",
    42,
    null,
  ])("keys at %j (case 59)", async (jwks_uri) => {
    const { reach, asked } = await served({ discovery: { ...discovery, jwks_uri } });
    expect(await outcome(reach)).toEqual(["ISSUER-DOCUMENT", expect.any(String)]);
    expect([...new Set(asked)]).toEqual([`${host}/.well-known/openid-configuration`]);
  });

  test.each(["127.0.0.1", "169.254.169.254", "[::1]", "inside.example.com"])(
    "keys at the private %s (cases 55 and 59)",
    async (where) => {
      const { reach, asked } = await served({ discovery: { ...discovery, jwks_uri: `https://${where}/keys` } });
      const { connect } = publicReach(async () => [{ address: "10.0.0.1", family: 4 }]);
      const mixed = {
        ...reach,
        connect: (name: string, port: number) => (name === host ? reach : { connect }).connect(name, port),
      };
      expect(await outcome(mixed)).toEqual(["ISSUER-PRIVATE", expect.not.stringContaining("10.0.0.1")]);
      expect(asked).toHaveLength(1);
    },
  );

  test("a name that leads to a private address, or to both kinds (case 55)", async () => {
    for (const addresses of [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"]]) {
      const reach = publicReach(async () => addresses.map((address) => ({ address, family: 4 })));
      expect(await outcome(reach)).toEqual([
        "ISSUER-PRIVATE",
        `${host} leads to an address that is not on the public internet`,
      ]);
    }
  });

  test("keys at another public host are read, and its thumbprint is wanted too (case 59)", async () => {
    const { reach, port } = await served({ discovery: { ...discovery, jwks_uri: "https://keys.example.com/keys" } });
    const other = await issue("other");
    const [intermediate] = [await issue("B", other)];
    const leaf = await issue("leaf", intermediate, "keys.example.com");
    const second = await tlsServer(
      leaf.pem + intermediate.pem,
      leaf.key,
      (_, response) => void json(response, { keys: [key] }),
    );
    const both: Reach = {
      connect: (name, at) => reachOf(name === host ? port : second, []).connect(name, at),
      anchors: async () => [...((await reach.anchors()) ?? []), other.pem],
    };
    const live = await readIssuer(both);
    expect(live).toMatchObject({ outputs: { thumbprints: expect.stringMatching(/^[0-9a-f]{40}\+[0-9a-f]{40}$/) } });
  });

  const large = JSON.stringify({ ...discovery, pad: "x".repeat(2 * 1024 * 1024) });
  test.each<readonly [string, string, string, RequestListener]>([
    [
      "a web page",
      "ISSUER-DOCUMENT",
      "is not application/json",
      (_, response) => response.setHeader("content-type", "text/html").end("<html>"),
    ],
    [
      "JSON as text/plain",
      "ISSUER-DOCUMENT",
      "is not application/json",
      (_, response) => response.setHeader("content-type", "text/plain").end(JSON.stringify(discovery)),
    ],
    [
      "no media type",
      "ISSUER-DOCUMENT",
      "is not application/json",
      (_, response) => response.end(JSON.stringify(discovery)),
    ],
    [
      "a web page that says it is JSON",
      "ISSUER-DOCUMENT",
      "is no JSON object",
      (_, response) => response.setHeader("content-type", "application/json").end("<html>"),
    ],
    ["a list", "ISSUER-DOCUMENT", "is no JSON object", (_, response) => json(response, [discovery])],
    ["null", "ISSUER-DOCUMENT", "is no JSON object", (_, response) => json(response, null)],
    ["an empty object", "ISSUER-DOCUMENT", "names no issuer and jwks_uri", (_, response) => json(response, {})],
    [
      "2 MiB",
      "ISSUER-DOCUMENT",
      "larger than 102400 bytes",
      (_, response) => response.setHeader("content-type", "application/json").end(large),
    ],
    [
      "2 MiB in a few KiB of gzip",
      "ISSUER-DOCUMENT",
      "is no JSON object",
      (_, response) =>
        response
          .setHeader("content-type", "application/json")
          .setHeader("content-encoding", "gzip")
          .end(gzipSync(large)),
    ],
    ["404", "ISSUER-DOCUMENT", "answers 404", (_, response) => response.writeHead(404).end()],
    ["429", "throttled", "answers 429", (_, response) => response.writeHead(429).end()],
    ["503", "transient", "answers 503", (_, response) => response.writeHead(503).end()],
    [
      "half of what was promised",
      "lost",
      "",
      (_, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" }).write("{");
        setTimeout(() => response.destroy(), 20);
      },
    ],
  ])("%s (case 60)", async (_, code, says, listener) => {
    const { reach } = await served({}, listener);
    expect(await outcome(reach)).toEqual([code, expect.stringContaining(says)]);
  });

  test.each([["HS256"], ["none"], ["HS256", "none"], ["PS256", "EdDSA"]])(
    "signs with %s (case 62)",
    async (...algs) => {
      const { reach } = await served({ discovery: { ...discovery, id_token_signing_alg_values_supported: algs } });
      expect(await outcome(reach)).toEqual(["ISSUER-DOCUMENT", expect.stringContaining("no cloud can verify")]);
    },
  );

  test("one algorithm that can be verified is enough", async () => {
    const { reach } = await served({
      discovery: { ...discovery, id_token_signing_alg_values_supported: ["HS256", "ES256"] },
    });
    expect((await outcome(reach))[0]).toBe("read");
  });

  test("what aws requires and is missing is told", async () => {
    const { subject_types_supported: _, ...less } = discovery;
    const { reach } = await served({ discovery: less });
    expect((await outcome(reach)).join()).toContain("lacks subject_types_supported, which aws requires");
  });
});

describe("key sets (case 61)", () => {
  const other = signer("RS256", "r1").jwk;
  const { kid: _, ...nameless } = key;
  const [curved, curvedToo] = [signer("ES256", "e1").jwk, signer("ES256", "e1").jwk];
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
  const secret = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });

  test.each<readonly [string, unknown, RegExp]>([
    ["no key", { keys: [] }, /holds no key/],
    ["no list", { keys: "none" }, /holds no list of keys/],
    ["nothing", {}, /holds no list of keys/],
    ["a list of something else", { keys: [1] }, /holds no list of keys/],
    ["51 keys", { keys: Array.from({ length: 51 }, (_, at) => ({ ...key, kid: `k${at}` })) }, /51 keys/],
    ["a symmetric key", { keys: [{ kty: "oct", kid: "s", k: "c2VjcmV0" }] }, /symmetric key/],
    ["a private key", { keys: [{ ...secret, kid: "p" }] }, /private key/],
    ["two keys under one kid", { keys: [key, other] }, /two different keys under one kid/],
    ["two keys on a curve under one kid", { keys: [curved, curvedToo] }, /two different keys under one kid/],
  ])("%s is refused", async (_, keys, says) => {
    const { reach } = await served({ keys });
    expect(await outcome(reach)).toEqual(["ISSUER-KEYS", expect.stringMatching(says)]);
  });

  test.each<readonly [string, readonly unknown[], string | undefined]>([
    ["50 keys", Array.from({ length: 50 }, (_, at) => ({ ...key, kid: `k${at}` })), undefined],
    ["one key twice", [key, key], undefined],
    ["a key with x5u and x5c", [{ ...key, x5u: "https://www.example.com", x5c: ["AAAA"] }], undefined],
    ["a key without kid", [nameless], "a key without kid"],
    ["a key with key_ops", [{ ...key, key_ops: ["verify"] }], "a key with key_ops"],
    ["a key for encryption", [{ ...key, use: "enc" }], "not for signatures"],
    ["a short key", [key, { ...short, kid: "short" }], "less than 2048 bits"],
  ])("%s is read", async (_, keys, doubt) => {
    const { reach } = await served({ keys: { keys } });
    const [first, , ...doubts] = await outcome(reach);
    expect([first, doubts]).toEqual(["read", doubt ? [expect.stringContaining(doubt)] : []]);
  });
});

describe("certificates (case 64)", () => {
  /** Served by a chain of one's own making. */
  async function under(pem: string, privateKey: string, anchors: readonly string[]): Promise<Reach> {
    const listener: RequestListener = (request, response) =>
      void json(response, request.url === "/keys" ? { keys: [key] } : discovery);
    return reachOf(await tlsServer(pem, privateKey, listener), anchors);
  }
  const yesterday = { notAfter: new Date(Date.now() - 86_400_000) };

  test.each<readonly [string, () => Promise<Reach>]>([
    [
      "signed by itself",
      async () => {
        const own = await issue("own", undefined, host);
        return under(own.pem, own.key, []);
      },
    ],
    [
      "of a root that nobody knows",
      async () => {
        const { a, b, leaf } = await fourOf(host);
        return under(leaf.pem + b.pem + a.pem, leaf.key, []);
      },
    ],
    [
      "for another host",
      async () => {
        const { root, a, b, leaf } = await fourOf("www.example.com");
        return under(leaf.pem + b.pem + a.pem, leaf.key, [root.pem]);
      },
    ],
    [
      "that has ended",
      async () => {
        const root = await issue("root");
        const leaf = await issue("leaf", root, host, yesterday);
        return under(leaf.pem, leaf.key, [root.pem]);
      },
    ],
    [
      "signed with SHA-1",
      async () => {
        const root = await issue("root");
        const leaf = await issue("leaf", root, host, { hash: "SHA-1" });
        return under(leaf.pem, leaf.key, [root.pem]);
      },
    ],
  ])("one %s is refused, unless the file says tls: private-ca", async (_, make) => {
    const reach = await make();
    expect(await outcome(reach)).toEqual(["ISSUER-TLS", expect.stringContaining("not vouched for by a public CA")]);
    expect(await outcome(reach, { privateCa: true })).toEqual([
      "read",
      expect.stringContaining("aws knows it by its thumbprint alone"),
    ]);
  });

  test("tls: private-ca is needless where public CAs vouch", async () => {
    const { reach } = await served();
    expect((await outcome(reach, { privateCa: true })).join()).toContain("although the file says tls: private-ca");
  });
});
