import http from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { deliverOf } from "../src/sandbox/deliver.ts";
import { listener, type Says } from "./support/listener.ts";
import { runWorkflow } from "./support/workflow.ts";

// The scenario that every harness of Workflows must get right (serverless.md 6.2), over real servers.

const scenario = `main:
  params: [args]
  steps:
    - init:
        assign:
          - fine: []
          - failed: []
    - all:
        parallel:
          shared: [fine, failed]
          concurrency_limit: 2
          exception_policy: continueAll
          for:
            value: target
            in: \${args.targets}
            steps:
              - ask:
                  try:
                    call: asked
                    args:
                      url: \${target}
                    result: answer
                  except:
                    as: e
                    steps:
                      - note:
                          assign:
                            - failed: \${list.concat(failed, {"tags":e.tags, "code":default(map.get(e, "code"), "none")})}
                      - on_we_go:
                          next: continue
              - keep:
                  assign:
                    - fine: \${list.concat(fine, answer)}
    - judge:
        switch:
          - condition: \${len(failed) > args.allowed}
            raise:
              code: 424
              message: too many failed
              failed: \${failed}
    - out:
        return:
          fine: \${fine}
          failed: \${failed}
asked:
  params: [url]
  steps:
    - init:
        assign:
          - tries: 0
    - go:
        try:
          steps:
            - count:
                assign:
                  - tries: \${tries + 1}
            - post:
                call: http.post
                args:
                  url: \${url}
                  timeout: 900
                  auth:
                    type: OIDC
                    audience: https://target.example
                  body:
                    tries: \${tries}
                result: answer
        retry:
          predicate: \${busy}
          max_retries: 3
          backoff:
            initial_delay: 1
            max_delay: 10
            multiplier: 2
    - out:
        return:
          tries: \${tries}
          says: \${answer.body.says}
busy:
  params: [e]
  steps:
    - which:
        switch:
          - condition: \${not("HttpError" in e.tags)}
            return: false
    - code:
        return: \${e.code in [429, 503]}
`;

async function nobody(): Promise<string> {
  const server = http.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

async function stage() {
  const script = new Map<string, Says[]>([
    ["/busy", [{ status: 503 }, { status: 503 }, { status: 200, body: { says: "at last" } }]],
    ["/fine", [{ status: 200, body: { says: "hello" } }]],
    ["/closed", [{ status: 403, body: { error: "no" } }]],
  ]);
  const { url, heard } = await listener(({ path }) => script.get(path)?.shift() ?? { status: 500 });
  const send = deliverOf("http://127.0.0.1:1", async () => []);
  const targets = [`${url}/busy`, `${url}/closed`, await nobody(), `${url}/fine`];
  const run = (allowed: number) => runWorkflow(scenario, { argument: { targets, allowed }, send });
  return { run, heard };
}

test("503, 503, 200 is tried three times; 403 and a refused connection are caught", async () => {
  const { run, heard } = await stage();
  const { result, asked, waited } = await run(2);
  expect(result.fine).toEqual(
    expect.arrayContaining([
      { tries: 3, says: "at last" },
      { tries: 1, says: "hello" },
    ]),
  );
  expect(result.failed).toEqual(
    expect.arrayContaining([
      { tags: ["HttpError"], code: 403 },
      { tags: ["ConnectionFailedError"], code: "none" },
    ]),
  );
  expect([result.fine.length, result.failed.length]).toEqual([2, 2]);
  expect(heard.filter(({ path }) => path === "/busy").map(({ body }) => JSON.parse(body).tries)).toEqual([1, 2, 3]);
  expect(heard.map(({ headers }) => headers["content-type"])).toContain("application/json; charset=utf-8");
  // One token for each call, for the audience that is named; 1 s and 2 s between the three.
  expect([asked.length, new Set(asked.map((auth) => JSON.stringify(auth))).size]).toEqual([6, 1]);
  expect(asked[0]).toEqual({ type: "OIDC", audience: "https://target.example" });
  expect(waited).toBe(3);
});

test("the final raise fails the execution with its code", async () => {
  const { run } = await stage();
  const { state, error } = await run(1);
  expect([state, error.code, error.failed.length]).toEqual(["FAILED", 424, 2]);
});
