import { expect, test } from "vitest";
import type { HttpAnswer } from "../src/model.ts";
import { noted, noting } from "../src/run/answered.ts";

const answer = (requestId: string): HttpAnswer => ({
  status: 200,
  headers: { "x-amzn-requestid": requestId },
  body: Buffer.alloc(0),
});

/** What is told of one try that sends these requests, one after the other; a text is the name that the answer gives. */
async function told(answers: readonly (string | Error)[]) {
  const left = [...answers];
  const send = noting(async () => {
    const next = left.shift();
    if (next instanceof Error || next === undefined) throw next;
    return answer(next);
  });
  const seen: unknown[] = [];
  const attempt = async () => {
    for (const _ of answers) await send({ method: "GET", url: "http://127.0.0.1/", headers: {} });
  };
  await noted(attempt, (one) => void seen.push(one)).catch(() => undefined);
  return seen;
}

test("of several answers the last one names the request", async () => {
  expect(await told(["a-1", "b-2"])).toEqual([{ status: 200, requestId: "b-2" }]);
});

test("a request without an answer does not get the name of the one before it", async () => {
  expect(await told(["a-1", new Error("reset")])).toEqual([{}]);
});

test("a name that could rewrite a screen is left out", async () => {
  expect(await told(["a\u001b[2Jb"])).toEqual([{ status: 200 }]);
});

test("two tries at once keep their answers apart", async () => {
  expect(await Promise.all([told(["a-1"]), told(["b-2"])])).toEqual([
    [{ status: 200, requestId: "a-1" }],
    [{ status: 200, requestId: "b-2" }],
  ]);
});
