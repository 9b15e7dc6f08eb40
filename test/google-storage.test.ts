import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { crc32c } from "../src/parties/google/sandbox/hashes.ts";
import { bench } from "./support/bench.ts";

// Cloud Storage's objects, by the calls that Google's own client libraries make.

async function stage() {
  const b = await bench();
  const { secrets } = await b.world().credentials({ party: "google", scope: "acme-prod" });
  const call = (method: string, path: string, init: { body?: string | Uint8Array; headers?: object } = {}) =>
    fetch(`${b.url}/google/storage/${path}`, {
      method,
      headers: { authorization: `Bearer ${secrets.accessToken}`, ...init.headers },
      ...(init.body === undefined ? {} : { body: init.body as string }),
    });
  const put = async (name: string, body: string | Uint8Array, headers: object = {}) =>
    call("POST", `upload/storage/v1/b/things/o?uploadType=media&name=${encodeURIComponent(name)}`, { body, headers });
  return { call, put };
}

const md5 = (text: string | Uint8Array) => createHash("md5").update(text).digest("base64");

describe("the hashes of an object", () => {
  test.each([
    // RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
    [Buffer.alloc(32), "aa36918a"],
    [Buffer.alloc(32, 0xff), "43aba862"],
    [Buffer.from(Array.from({ length: 32 }, (_, at) => at)), "4e79dd46"],
    [Buffer.from("123456789"), "839206e3"],
    [Buffer.alloc(0), "00000000"],
  ])("crc32c of the published vectors", (content, hex) => {
    // The RFC writes the bytes as they go over the wire, the lowest first; the API shows the highest first.
    expect(Buffer.from(crc32c(content), "base64").reverse().toString("hex")).toBe(hex);
  });

  test("are shown in the resource and in the header of a download, both of them", async () => {
    const { call, put } = await stage();
    const shown = (await (await put("a.txt", "123456789")).json()) as Record<string, string>;
    expect(shown).toMatchObject({ crc32c: "4waSgw==", md5Hash: md5("123456789") });
    const got = await call("GET", "storage/v1/b/things/o/a.txt?alt=media");
    expect(got.headers.get("x-goog-hash")).toBe(`crc32c=4waSgw==,md5=${md5("123456789")}`);
    expect(got.headers.get("x-goog-stored-content-length")).toBe("9");
    expect(await got.text()).toBe("123456789");
  });

  test.each([
    ["crc32c=AAAAAA==", 400],
    [`md5=${md5("other")}`, 400],
    [`crc32c=4waSgw==,md5=${md5("123456789")}`, 200],
  ])("an upload that says %s answers %i, and a wrong one stores nothing", async (hash, status) => {
    const { call, put } = await stage();
    expect((await put("a.txt", "123456789", { "x-goog-hash": hash })).status).toBe(status);
    expect((await call("GET", "storage/v1/b/things/o/a.txt")).status).toBe(status === 200 ? 200 : 404);
  });

  test("a resumable upload in parts is checked when its last part has come", async () => {
    const { call } = await stage();
    const upload = async (crc: string) => {
      const body = JSON.stringify({ crc32c: crc });
      const headers = { "content-type": "application/json" };
      const opened = await call("POST", "upload/storage/v1/b/things/o?uploadType=resumable&name=big", {
        body,
        headers,
      });
      const path = new URL(opened.headers.get("location") ?? "").pathname.replace(/^\/google\/storage\//, "");
      const at = `${path}${new URL(opened.headers.get("location") ?? "").search}`;
      const first = await call("PUT", at, { body: "12345", headers: { "content-range": "bytes 0-4/*" } });
      expect([first.status, first.headers.get("range")]).toEqual([308, "bytes=0-4"]);
      return call("PUT", at, { body: "6789", headers: { "content-range": "bytes 5-8/9" } });
    };
    expect((await upload("AAAAAA==")).status).toBe(400);
    expect((await upload("4waSgw==")).status).toBe(200);
  });
});

describe("a listing", () => {
  const names = async (call: Awaited<ReturnType<typeof stage>>["call"], query: string) => {
    type Page = { items?: { name: string }[]; prefixes?: string[]; nextPageToken?: string };
    const pages: (readonly string[])[] = [];
    for (let token = ""; ; ) {
      const page = (await (await call("GET", `storage/v1/b/things/o?${query}&pageToken=${token}`)).json()) as Page;
      pages.push([...(page.items ?? []).map(({ name }) => name), ...(page.prefixes ?? [])]);
      if (!page.nextPageToken) return pages;
      token = page.nextPageToken;
    }
  };

  test("comes in pages, and what lies deeper counts once", async () => {
    const { call, put } = await stage();
    for (const name of ["d", "b", "a/2", "c/1", "a/1"]) await put(name, "x");
    expect(await names(call, "maxResults=2")).toEqual([["a/1", "a/2"], ["b", "c/1"], ["d"]]);
    expect(await names(call, "maxResults=2&delimiter=/")).toEqual([
      ["b", "a/"],
      ["d", "c/"],
    ]);
    expect(await names(call, "prefix=a/")).toEqual([["a/1", "a/2"]]);
    expect(await names(call, "startOffset=b&endOffset=d")).toEqual([["b", "c/1"]]);
  });
});

test("metadata is merged, null takes an entry away, and the metageneration grows while the generation stays", async () => {
  const { call, put } = await stage();
  const { generation } = (await (await put("a", "x")).json()) as { generation: string };
  const headers = { "content-type": "application/json" };
  const change = async (body: object) =>
    (await call("PATCH", "storage/v1/b/things/o/a", { body: JSON.stringify(body), headers })).json();
  expect(await change({ metadata: { one: "1", two: "2" } })).toMatchObject({ generation, metageneration: "2" });
  const last = await change({ metadata: { one: null }, contentType: "text/plain" });
  expect(last).toMatchObject({ metadata: { two: "2" }, contentType: "text/plain", metageneration: "3" });
  expect((last as { metadata: object }).metadata).toEqual({ two: "2" });
});

test("a range beyond the end is refused with 416, one that ends late is cut", async () => {
  const { call, put } = await stage();
  await put("a", "12345");
  const range = (text: string) => call("GET", "storage/v1/b/things/o/a?alt=media", { headers: { range: text } });
  expect((await range("bytes=5-")).status).toBe(416);
  const cut = await range("bytes=3-99");
  expect([cut.status, cut.headers.get("content-range"), await cut.text()]).toEqual([206, "bytes 3-4/5", "45"]);
});
