import type { LookupAddress } from "node:dns";
import type { RequestListener } from "node:http";
import net from "node:net";
import { describe, expect, test, vi } from "vitest";
import { guardedLookup, isPublic } from "../src/run/addresses.ts";
import { opened, outsideLimits, outsideOf, publicReach, type Reach } from "../src/run/outside.ts";
import { ders, fourOf, issue, tlsServer } from "./support/chain.ts";
import { run } from "./support/cli.ts";
import { guard } from "./support/guard.ts";
import { witnessed } from "./support/witness.ts";

// The door to hosts that users name. Cases are those of the list in the fact sheet on reliability and security, 3b.

const host = "login.example.com";

/** The host, wherever a test's server listens, under these roots alone. */
const reachOf = (port: number, anchors: readonly string[]): Reach => ({
  connect: async (name) => opened(net.connect({ host: "127.0.0.1", port }), name),
  anchors: async () => anchors,
});

/** A server with a whole chain, and the door to it. */
async function served(listener: RequestListener) {
  const { root, a, b, leaf } = await fourOf(host);
  const port = await tlsServer(leaf.pem + b.pem + a.pem, leaf.key, listener);
  return { port, root, outside: outsideOf(reachOf(port, [root.pem])) };
}

const found = (...addresses: readonly string[]): readonly LookupAddress[] =>
  addresses.map((address) => ({ address, family: net.isIP(address) }));

/** What a socket would be told. */
const told = (lookup: net.LookupFunction, all: boolean) =>
  new Promise<unknown>((resolve) => {
    lookup(host, { all }, (error, address) => resolve(error ? (error as { code?: string }).code : address));
  });

describe("addresses (cases 53 and 55)", () => {
  const reserved = [
    ...["127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    ...["100.64.0.1", "100.127.255.255", "169.254.169.254", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1"],
    ...["203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1"],
    ...["::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "100::1", "fec0::1"],
  ];
  const disguised = [
    ...["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:8.8.8.8", "::7f00:1", "::127.0.0.1"],
    ...["64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001::1"],
  ];
  test.each([...reserved, ...disguised])("%s is not public", (address) => expect(isPublic(address)).toBe(false));
  test.each(["example.com", "", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "[2606:4700::1111]"])(
    "%s is no address",
    (text) => expect(isPublic(text)).toBe(false),
  );
  test.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "11.0.0.1", "2606:4700::1111", "2a00:1450::1"])(
    "%s is public",
    (address) => expect(isPublic(address)).toBe(true),
  );
});

describe("names", () => {
  test.each([
    ["one private address", found("10.0.0.1")],
    ["a mix, the public one first", found("8.8.8.8", "127.0.0.1")],
    ["a mix of families", found("8.8.8.8", "fd00::1")],
    ["no address at all", []],
  ])("%s is refused (case 55)", async (_, addresses) => {
    const lookup = guardedLookup(async () => addresses);
    expect([await told(lookup, true), await told(lookup, false)]).toEqual(["ISSUER-PRIVATE", "ISSUER-PRIVATE"]);
  });

  test("a public answer is handed on as it was checked", async () => {
    const lookup = guardedLookup(async () => found("8.8.8.8", "2606:4700::1111"));
    expect(await told(lookup, true)).toEqual(found("8.8.8.8", "2606:4700::1111"));
    expect(await told(lookup, false)).toBe("8.8.8.8");
  });

  test("a name that leads elsewhere the second time gains nothing (case 56)", async () => {
    const answers = [found("8.8.8.8"), found("127.0.0.1")];
    const asked: string[] = [];
    const reach = publicReach(async (name) => {
      asked.push(name);
      return answers[asked.length - 1] ?? [];
    });
    // The socket is played, because a test connects to nobody outside: it asks for an address as a real one does.
    const connected: unknown[] = [];
    const spy = vi.spyOn(net, "connect").mockImplementation(((options: net.TcpNetConnectOpts) => {
      const socket = new net.Socket();
      options.lookup?.(String(options.host), { all: true }, (error, address) => {
        connected.push(error ? error.message : address);
        if (error) socket.destroy(error);
        else socket.emit("connect");
      });
      return socket;
    }) as unknown as typeof net.connect);
    try {
      (await reach.connect(host, 443)).destroy();
      expect([asked, connected]).toEqual([[host], [found("8.8.8.8")]]);
      await expect(reach.connect(host, 443)).rejects.toMatchObject({ class: "refused", code: "ISSUER-PRIVATE" });
      expect(asked).toEqual([host, host]);
    } finally {
      spy.mockRestore();
    }
  });

  test.each([
    ...["https://127.0.0.1/", "https://127.1/", "https://0x7f.1/", "https://2130706433/", "https://0177.0.0.1/"],
    ...["https://[::1]/", "https://[::ffff:7f00:1]/", "https://[64:ff9b::a9fe:a9fe]/", "https://169.254.169.254/"],
    ...["https://8.8.8.8/", "https://localhost/", "https://１２７.０.０.１/"],
  ])("%s is refused before anything is sent (cases 53 and 54)", async (url) => {
    await expect(outsideOf(publicReach()).get(url)).rejects.toMatchObject({
      class: "refused",
      code: "ISSUER-PRIVATE",
    });
  });

  test.each(["http://example.com/", "https://a@example.com/", "https://a:b@example.com/", "ftp://example.com/", "x"])(
    "%s is refused",
    async (url) => {
      await expect(outsideOf(publicReach()).get(url)).rejects.toMatchObject({ class: "refused", code: "NOT-HTTPS" });
    },
  );
});

describe("answers", () => {
  test.each([301, 302, 307, 308])("a redirect (%i) is refused, and nobody follows it (case 57)", async (status) => {
    const asked: (string | undefined)[] = [];
    const { outside } = await served((request, response) => {
      asked.push(request.url);
      response.writeHead(status, { location: "/elsewhere" }).end();
    });
    await expect(outside.get(`https://${host}/here`)).rejects.toMatchObject({ class: "malformed" });
    expect(asked).toEqual(["/here"]);
  });

  test("100 KiB are read, and not a byte more (case 60)", async () => {
    const { outside } = await served((request, response) =>
      response.end("x".repeat(100 * 1024 + (request.url === "/more" ? 1 : 0))),
    );
    expect((await outside.get(`https://${host}/`)).body.length).toBe(100 * 1024);
    await expect(outside.get(`https://${host}/more`)).rejects.toMatchObject({ class: "malformed" });
  });

  test("a slow drip is cut after the whole time, which is five seconds (case 60)", async () => {
    const { port, root } = await served((_, response) => {
      const timer = setInterval(() => response.write("x"), 20);
      response.once("close", () => clearInterval(timer));
    });
    const limits = { connect: guard, firstByte: guard, idle: guard, whole: 500, bytes: outsideLimits.bytes };
    const outside = outsideOf({ ...reachOf(port, [root.pem]), limits });
    await expect(outside.get(`https://${host}/`)).rejects.toMatchObject({ class: "lost" });
    expect(outsideLimits).toMatchObject({ firstByte: 5000, whole: 5000 });
  });
});

describe("who is believed (case 64)", () => {
  test("an unknown root is refused, unless its chain is looked at apart", async () => {
    const { port } = await served((_, response) => response.end("hello"));
    const other = await issue("root");
    const outside = outsideOf(reachOf(port, [other.pem]));
    await expect(outside.get(`https://${host}/`)).rejects.toMatchObject({ class: "refused" });
    expect((await outside.get(`https://${host}/`, { vouched: false })).body.toString()).toBe("hello");
    expect((await outside.chain(host)).untrusted).toBeDefined();
  });

  test("a certificate for another host is refused", async () => {
    const { port, root } = await served((_, response) => response.end("hello"));
    const outside = outsideOf(reachOf(port, [root.pem]));
    await expect(outside.get("https://www.example.com/")).rejects.toMatchObject({
      class: "refused",
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
    expect((await outside.chain("www.example.com")).untrusted).toBeDefined();
    expect((await outside.chain(host)).untrusted).toBeUndefined();
  });
});

type Four = Awaited<ReturnType<typeof fourOf>>;

/** The table of the fact sheet on AWS, 8: what is served, and whom the client knows. */
const table: readonly (readonly [string, (four: Four) => readonly { pem: string }[], (four: Four) => string[]])[] = [
  ["leaf, B, A", ({ leaf, a, b }) => [leaf, b, a], ({ root }) => [root.pem]],
  ["leaf, B, A, nobody known", ({ leaf, a, b }) => [leaf, b, a], () => []],
  ["leaf, B, and A is missing", ({ leaf, b }) => [leaf, b], ({ root, a }) => [root.pem, a.pem]],
  ["the leaf alone", ({ leaf }) => [leaf], ({ root, a, b }) => [root.pem, a.pem, b.pem]],
  ["leaf, B, A and the root", ({ leaf, a, b, root }) => [leaf, b, a, root], ({ root }) => [root.pem]],
  ["misordered: leaf, A, B", ({ leaf, a, b }) => [leaf, a, b], ({ root }) => [root.pem]],
];

describe("chains as served, held against openssl", () => {
  for (const [name, chain, anchors] of table) {
    witnessed("openssl")(name, async () => {
      const four = await fourOf(host);
      const shown = chain(four).map(({ pem }) => pem);
      const port = await tlsServer(shown.join(""), four.leaf.key, () => {});
      const { certificates } = await outsideOf(reachOf(port, anchors(four))).chain(host);
      const ours = certificates.map(({ raw }) => raw.toString("base64"));
      const words = ["s_client", "-showcerts", "-connect", `127.0.0.1:${port}`, "-servername", host];
      const { out } = await run("openssl", words, { input: "" });
      // s_client shows the server's own certificate a second time, below the chain.
      const theirs = ders(out.split("Server certificate")[0] ?? "");
      expect(ours).toEqual(theirs);
      expect(ours).toEqual(ders(shown.join("")));
    });
  }
});
