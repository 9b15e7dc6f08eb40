import { describe, expect, test } from "vitest";
import type { Delivered } from "../src/sandbox/fake.ts";
import { runWorkflow } from "./support/workflow.ts";

// What a call sends and what it makes of the answer (serverless.md 5.2, 5.3).

const answer = (body: string | Uint8Array, type = "application/json", status = 200): Delivered => ({
  status,
  headers: type ? { "content-type": type, "x-some": "thing" } : {},
  body: typeof body === "string" ? Buffer.from(body) : body,
});

async function called(args: object, { target = "http.post", says = answer("{}"), give = "${a.body}" } = {}) {
  const steps = [
    { bytes: { assign: [{ raw: '${text.encode("hi")}' }] } },
    { a: { call: target, args: { url: "https://x.example/p?a=1", ...args }, result: "a" } },
    { out: { return: give } },
  ];
  return runWorkflow(JSON.stringify({ main: { steps } }), { send: () => says });
}

describe("sends", () => {
  test.each<readonly [string, object, string | undefined, string | undefined]>([
    ["a map as JSON", { body: { a: 1 } }, "application/json; charset=utf-8", '{"a":1}'],
    ["a text as JSON too", { body: "hi" }, "application/json; charset=utf-8", '"hi"'],
    ["bytes as octets", { body: "${raw}" }, "application/octet-stream", "hi"],
    [
      "a text under a type of its own as it is",
      { body: "hi", headers: { "Content-Type": "text/plain" } },
      "text/plain",
      "hi",
    ],
    [
      "a map under a type of JSON",
      { body: { a: 1 }, headers: { "Content-Type": "application/scim+json" } },
      "application/scim+json",
      '{"a":1}',
    ],
    ["nothing", {}, undefined, undefined],
  ])("%s", async (_, args, type, body) => {
    const { sent } = await called(args);
    expect([sent[0]?.headers["content-type"], sent[0]?.body && Buffer.from(sent[0].body).toString()]).toEqual([
      type,
      body,
    ]);
  });

  test("headers in lower case, a suffix behind the user agent, a query beside the URL's own", async () => {
    const { sent } = await called({
      headers: { "X-A": "1", "User-Agent": "mine" },
      query: { s: "a b", n: 2, b: true, l: [1, "x"] },
    });
    expect(sent[0]).toMatchObject({
      method: "POST",
      url: "https://x.example/p?a=1&s=a+b&n=2&b=true&l=1&l=x",
      headers: { "x-a": "1", "user-agent": expect.stringMatching(/^mine GoogleWorkflows/) },
      timeout: 300_000,
    });
  });

  test("the method, and a timeout in seconds up to half an hour", async () => {
    const { sent } = await called({ method: "DELETE", timeout: 1800 }, { target: "http.request" });
    expect(sent[0]).toMatchObject({ method: "DELETE", timeout: 1_800_000 });
    expect((await called({ timeout: 1801 })).error.tags).toEqual(["ValueError"]);
    expect((await called({ timeout: '${"9"}' })).error.tags).toEqual(["TypeError"]);
  });

  test.each<readonly [string, object, string]>([
    ["a URL that is none", { url: '${"nowhere"}' }, "ValueError"],
    ["another scheme", { url: '${"ftp://x.example"}' }, "ValueError"],
    ["a URL that is no text", { url: "${7}" }, "TypeError"],
    ["a header that is no text", { headers: { a: 1 } }, "TypeError"],
    ["a query of maps", { query: { a: { b: 1 } } }, "TypeError"],
    ["a body with bytes in it", { body: { a: "${raw}" } }, "TypeError"],
  ])("%s is an error before anything is sent", async (_, args, tag) => {
    const { error, sent } = await called(args);
    expect([error.tags, sent]).toEqual([[tag], []]);
  });

  test.each<readonly [object, object]>([
    [{ type: "OIDC" }, { type: "OIDC", audience: "https://x.example/p?a=1" }],
    [
      { type: "OIDC", audience: "https://aud.example" },
      { type: "OIDC", audience: "https://aud.example" },
    ],
    [{ type: "OAuth2" }, { type: "OAuth2", scopes: ["https://www.googleapis.com/auth/cloud-platform"] }],
    [
      { type: "OAuth2", scope: "a b" },
      { type: "OAuth2", scopes: ["a", "b"] },
    ],
    [
      { type: "OAuth2", scopes: ["a", "b"] },
      { type: "OAuth2", scopes: ["a", "b"] },
    ],
  ])("a token for %j", async (auth, asks) => {
    const { asked, sent } = await called({ auth });
    expect([asked, sent[0]?.headers.authorization]).toEqual([[asks], "Bearer a-token"]);
  });
});

describe("makes of an answer", () => {
  test.each<readonly [string, Delivered, unknown]>([
    ["JSON", answer('{"a": [1, 2.5]}'), { a: [1, 2.5] }],
    ["a kind of JSON", answer('{"a": 1}', "application/problem+json; charset=utf-8"), { a: 1 }],
    ["JSON that is none", answer('{"a'), '{"a'],
    ["nothing under JSON", answer(""), ""],
    ["text", answer("hi", "text/html"), "hi"],
    ["text without a type", answer("hi", ""), "hi"],
  ])("%s", async (_, says, wants) => {
    expect((await called({}, { says })).result).toEqual(wants);
  });

  test("bytes, of whatever else", async () => {
    const { result } = await called(
      {},
      { says: answer(new Uint8Array([104, 105]), "image/png"), give: "${[get_type(a.body), text.decode(a.body)]}" },
    );
    expect(result).toEqual(["bytes", "hi"]);
  });

  test("code and headers", async () => {
    const { result } = await called(
      {},
      { says: answer("{}", "application/json", 302), give: '${[a.code, a.headers["x-some"]]}' },
    );
    expect(result).toEqual([302, "thing"]);
  });

  test.each([400, 409, 503])("%i: an HttpError with the parsed body", async (status) => {
    const { error } = await called({}, { says: answer('{"verdict": "broken"}', "application/json", status) });
    expect(error).toEqual({
      ...{ tags: ["HttpError"], code: status, body: { verdict: "broken" }, message: expect.any(String) },
      headers: { "content-type": "application/json", "x-some": "thing" },
    });
    expect((await called({}, { says: answer("{}", "application/json", 399) })).state).toBe("SUCCEEDED");
  });

  test.each<readonly [Extract<Delivered, { failure: string }>["failure"], string]>([
    ["refused", "ConnectionFailedError"],
    ["reset", "ConnectionError"],
    ["timeout", "TimeoutError"],
    ["too-large", "ResourceLimitError"],
  ])("%s: %s, without a code", async (failure, tag) => {
    expect((await called({}, { says: { failure, says: "why" } })).error).toEqual({ tags: [tag], message: "why" });
  });
});

describe("sys", () => {
  const log = (args: string) => runWorkflow(`- a:\n    call: sys.log\n    args: ${args}`);

  test("log takes json, text or data, and the severities there are", async () => {
    expect((await log("{json: {a: 1}, severity: NOTICE}")).logs).toEqual([
      { severity: "NOTICE", data: new Map([["a", 1n]]) },
    ]);
    expect((await log("{text: hi}")).logs).toEqual([{ severity: "DEFAULT", data: "hi" }]);
    expect((await log("{data: [1]}")).logs).toEqual([{ severity: "DEFAULT", data: [1n] }]);
    expect((await log("{text: hi, severity: LOUD}")).error.tags).toEqual(["ValueError"]);
  });

  test("sleep by seconds and until a time", async () => {
    const text = `- a:\n    call: sys.sleep\n    args: {seconds: 1.5}
- b:\n    call: sys.sleep_until\n    args: {time: "1970-01-01T00:00:10Z"}
- c:\n    call: sys.sleep_until\n    args: {time: "1970-01-01T00:00:05Z"}
- d:\n    return: \${sys.now()}`;
    expect((await runWorkflow(text)).result).toBe(10);
    expect((await runWorkflow("- a:\n    call: sys.sleep\n    args: {seconds: soon}")).error.tags).toEqual([
      "TypeError",
    ]);
  });
});
