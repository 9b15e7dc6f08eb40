import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { evaluated, problemsOf, runWorkflow } from "./support/workflow.ts";

// The conformance table of the fact sheet (serverless.md 6.4), row by row; `*` is our own reading there.

const steps = (text: string): string => `main:\n  steps:\n${text.replace(/^/gm, "    ")}`;
const results = async (text: string) => {
  const { result, error, state } = await runWorkflow(text);
  return state === "SUCCEEDED" ? result : { raised: error };
};

describe("expressions", () => {
  test.each<readonly [string, Record<string, unknown>, unknown]>([
    ["-7 // 2", {}, -4],
    ["10 / 4", {}, 2.5],
    ["7 % 4", {}, 3],
    ["-7 % 4", {}, 1],
    ["7.5 // 2", {}, 3],
    ["1 + 2 * 3 - 4", {}, 3],
    ["2 * (3 + 4)", {}, 14],
    ["1 / 0", {}, "ZeroDivisionError"],
    ["9223372036854775807 + 1", {}, "ValueError"],
    ["string(9007199254740993)", {}, "9007199254740993"],
    ['"a" + "b"', {}, "ab"],
    ['"a" + 1', {}, "TypeError"],
    ['"a" < 1', {}, "TypeError"],
    ['"a" < "b"', {}, true],
    ["1 == 1.0", {}, true],
    ['[1, {"a": 2}] == [1.0, {"a": 2}]', {}, true],
    ["[1, 2] == [1, 3]", {}, false],
    ["[1, 2] == [1]", {}, false],
    ['{"a": 1} == {"b": 1}', {}, false],
    ["m.zz", { m: {} }, "KeyError"],
    ["l[2]", { l: [1, 2] }, "IndexError"],
    ["l[-1]", { l: [1, 2] }, "IndexError"],
    ["m.a.b[1]", { m: { a: { b: [1, 2] } } }, 2],
    ['"a" in {"a":1}', {}, true],
    ["2 in [1,2]", {}, true],
    ['not("b" in m)', { m: { a: 1 } }, true],
    // Trap 14: not binds tighter, so this is `(not "b") in m`.
    ['not "b" in m', { m: { a: 1 } }, "TypeError"],
    ["not false and (true or false)", {}, true],
    ["NOT False AND (TRUE OR false)", {}, true],
    ["true or m.zz", { m: {} }, true],
    ["1 and true", {}, "TypeError"],
    ["Null == null", {}, true],
    ["-x", { x: 3 }, -3],
    ['{"a": [1, 1.5], "b": null}', {}, { a: [1, 1.5], b: null }],
  ])("%s", async (expression, given, wants) => {
    expect(await evaluated(expression, given)).toEqual(wants);
  });

  test.each<readonly [string, Record<string, unknown>, unknown]>([
    ["default(null, 5)", {}, 5],
    ["default(0, 5)", {}, 0],
    ['map.get(m, "b")', { m: { a: 1 } }, null],
    ['map.get(m, ["a", "b"])', { m: { a: { b: 7 } } }, 7],
    ['map.get(m, ["a", "b", "c"])', { m: { a: { b: 7 } } }, null],
    ['map.merge(m, {"b": 2})', { m: { a: 1, b: 1 } }, { a: 1, b: 2 }],
    ['map.merge_nested(m, {"a": {"y": 2}})', { m: { a: { x: 1 } } }, { a: { x: 1, y: 2 } }],
    ['map.merge_nested(m, {"a": 2})', { m: { a: { x: 1 } } }, { a: 2 }],
    ['map.merge_nested(m, {"a": {"x": 1}})', { m: { a: 2 } }, { a: { x: 1 } }],
    ['map.delete(m, "a")', { m: { a: 1, b: 2 } }, { b: 2 }],
    ["list.concat([1], 2)", {}, [1, 2]],
    ["list.prepend([1], 2)", {}, [2, 1]],
    ['text.split("a,b", ",")', {}, ["a", "b"]],
    ['text.substring("hello", 1, 3)', {}, "el"],
    ['text.substring("hello", 3, 9)', {}, "IndexError"],
    ['text.substring("hello", 0, 5)', {}, "hello"],
    ['text.encode("a") == text.encode("a")', {}, true],
    ['text.encode("a") == "a"', {}, false],
    ['text.replace_all("aXb","X","-")', {}, "a-b"],
    ['text.replace_all("aXb","X","$&")', {}, "a$&b"],
    ['text.replace_all_regex("a1b2","[0-9]","-")', {}, "a-b-"],
    ['text.match_regex("arn:aws:iam::1:role/x", "^arn:aws:iam::[0-9]+:role/")', {}, true],
    ['text.match_regex("x", "(")', {}, "ValueError"],
    [
      'text.find_all("abab","b")',
      {},
      [
        { index: 1, match: "b" },
        { index: 3, match: "b" },
      ],
    ],
    ['text.to_upper("a") + text.to_lower("B")', {}, "Ab"],
    ['text.url_encode("a b/c") + text.url_encode_plus("a b")', {}, "a%20b%2Fca+b"],
    ['text.url_decode("a%20b")', {}, "a b"],
    ['if(1 < 2, "y", "n")', {}, "y"],
    ["if(true, 1, m.zz)", { m: {} }, 1],
    ["if(1, 1, 2)", {}, "TypeError"],
    ['list.concat("a", "b")', {}, "TypeError"],
    ['map.get([1], "a")', {}, "TypeError"],
    ["text.to_upper(1)", {}, "TypeError"],
    ['text.substring("abc", "0", 1)', {}, "TypeError"],
    ['math.abs("1")', {}, "TypeError"],
    ['text.decode("abc")', {}, "TypeError"],
    ["len(1)", {}, "TypeError"],
    ["get_type(1)", {}, "integer"],
    ["get_type(1.0)", {}, "double"],
    ["get_type(m)", { m: {} }, "map"],
    ['json.decode("{\\"a\\": [1, 1.0]}")', {}, { a: [1, 1.0] }],
    ['get_type(json.decode("[1.0]")[0])', {}, "double"],
    ['json.decode("{")', {}, "ValueError"],
    ['get_type(json.decode("9223372036854775807"))', {}, "integer"],
    ['get_type(json.decode("9223372036854775808"))', {}, "double"],
    ['json.encode_to_string({"a":1})', {}, '{"a":1}'],
    ['base64.encode(text.encode("hi"))', {}, "aGk="],
    ['text.decode(base64.decode("aGk="))', {}, "hi"],
    ['base64.encode(json.encode({"a":1}))', {}, Buffer.from('{"a":1}').toString("base64")],
    ['int("3")', {}, 3],
    ['int("x")', {}, "ValueError"],
    ['double("1.5")', {}, 1.5],
    ["string(4)", {}, "4"],
    ["string(m)", { m: {} }, "TypeError"],
    ["time.format(0)", {}, "1970-01-01T00:00:00Z"],
    ['time.parse("1970-01-01T00:00:10Z")', {}, 10],
    ["len(uuid.generate())", {}, 36],
    ["len(keys(m))", { m: { a: 1, b: 2 } }, 2],
    ['len("abc") + len([1])', {}, 4],
    ["math.max(1, 2.5) + math.min(1, 2) + math.abs(-3) + math.floor(1.9)", {}, 7.5],
    [
      'base64.encode(hash.compute_checksum(text.encode("x"), "SHA256"))',
      {},
      "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=",
    ],
    [
      'base64.encode(hash.compute_hmac(text.encode("k"), text.encode("x"), "SHA256"))',
      {},
      createHmac("sha256", "k").update("x").digest("base64"),
    ],
    ['sys.get_env("NO_SUCH", "d")', {}, "d"],
    ['sys.get_env("NO_SUCH")', {}, "KeyError"],
    ["sys.now()", {}, 0],
  ])("%s", async (expression, given, wants) => {
    expect(await evaluated(expression, given)).toEqual(wants);
  });
});

describe("assign", () => {
  test.each<readonly [string, string, unknown]>([
    ["x, then x + 1", "[{x: 1}, {y: '${x+1}'}, {out: '${y}'}]", 2],
    ["m.a", "[{out: {}}, {out.a: 1}]", { a: 1 }],
    ['m["k"]', "[{out: {}}, {'out[\"k\"]': 1}]", { k: 1 }],
    ["m[k]", '[{out: {}}, {k: z}, {"out[k]": 1}]', { z: 1 }],
    ["m.a.b makes m.a *", "[{out: {}}, {out.a.b: 1}]", { a: { b: 1 } }],
    ["l[0]", '[{out: [1, 2]}, {"out[0]": 9}]', [9, 2]],
    ["a map's key may be an expression", '[{k: z}, {out: {"${k}": "${1 + 1}"}}]', { z: 2 }],
    ["a name has its own value *", "[{a: {x: 1}}, {out: '${a}'}, {a.x: 2}]", { x: 1 }],
    ["l[2] of two", '[{out: [1, 2]}, {"out[2]": 9}]', { raised: expect.objectContaining({ tags: ["IndexError"] }) }],
  ])("%s", async (_, list, wants) => {
    expect(await results(steps(`- a:\n    assign: ${list}\n- b:\n    return: \${out}`))).toEqual(wants);
  });
});

describe("control", () => {
  test("switch without a match goes to the step's own next", async () => {
    const text = steps(`- a:
    switch:
      - condition: \${1 > 2}
        next: y
    next: z
- y:
    return: y
- z:
    return: z`);
    expect(await results(text)).toBe("z");
  });

  test("an entry of a switch may hold steps, assign, call, return, raise or next", async () => {
    const text = (entry: string) =>
      steps(`- init:
    assign: [{x: 0}]
- a:
    switch:
      - condition: true
${entry.replace(/^/gm, "        ")}
- b:
    return: \${x}
- c:
    return: jumped`);
    expect(await results(text("steps:\n  - s:\n      assign: [{x: 1}]"))).toBe(1);
    expect(await results(text("assign: [{x: 2}]"))).toBe(2);
    expect(await results(text("return: 3"))).toBe(3);
    expect(await results(text("next: c"))).toBe("jumped");
    expect(await results(text("call: text.to_upper\nargs: {source: a}\nresult: x"))).toBe("A");
    expect(await results(text("raise: boom"))).toEqual({ raised: "boom" });
  });

  test("for over a range, inclusive, computed", async () => {
    const text = steps(`- init:
    assign: [{n: 3}, {sum: 0}]
- l:
    for:
      value: v
      range: \${[1, n]}
      steps:
        - add:
            assign: [{sum: "\${sum + v}"}]
- out:
    return: \${sum}`);
    expect(await results(text)).toBe(6);
  });

  test("for over a range of doubles, in steps of one", async () => {
    const text = steps(`- init:
    assign: [{seen: []}]
- l:
    for:
      value: v
      range: [-1.5, 0.8]
      steps:
        - add:
            assign: [{seen: "\${list.concat(seen, v)}"}]
- out:
    return: \${seen}`);
    expect(await results(text)).toEqual([-1.5, -0.5, 0.5]);
    expect(await results(text.replace("[-1.5, 0.8]", "[2, 1]"))).toEqual([]);
  });

  test("for over keys with continue and break", async () => {
    const text = steps(`- init:
    assign: [{m: {a: 1, b: 2, c: 3}}, {seen: []}]
- l:
    for:
      value: k
      index: i
      in: \${keys(m)}
      steps:
        - which:
            switch:
              - condition: \${k == "a"}
                next: continue
              - condition: \${k == "c"}
                next: break
        - note:
            assign: [{seen: "\${list.concat(seen, k + string(i))}"}]
- out:
    return: \${seen}`);
    expect(await results(text)).toEqual(["b1"]);
  });

  test("a name first set inside a loop is not seen after it", () => {
    const text = steps(`- l:
    for:
      value: v
      in: [1]
      steps:
        - a:
            assign: [{x: 1}]
- out:
    return: \${x}`);
    expect(problemsOf(text)).toEqual([
      "main.yaml:10: parse error: in workflow 'main', step 'out': x is given no value where it can be seen",
    ]);
  });

  test("a name that is read before it has a value is a KeyError", async () => {
    const text = steps("- a:\n    return: ${x}\n- b:\n    assign: [{x: 1}]");
    expect(await results(text)).toEqual({ raised: { message: "variable not found: x", tags: ["KeyError"] } });
  });

  test("a step may call what expressions call, with the names of its arguments", async () => {
    const text = (args: string) =>
      steps(`- a:\n    call: if\n    args: ${args}\n    result: r\n- b:\n    return: \${r}`);
    expect(await results(text("{condition: true, if_true: 1, if_false: 2}"))).toBe(1);
    expect(await results(text("{condition: false, if_true: 1, if_false: 2}"))).toBe(2);
  });

  test("keys of maps are texts, whatever they look like", async () => {
    const text = steps('- a:\n    assign: [{m: {1: 10, "x y": 20, true: 30}}]\n- b:\n    return: ${keys(m)}');
    expect(await results(text)).toEqual(["1", "x y", "true"]);
  });

  test("a range of something else than two numbers", async () => {
    for (const range of ['["a", 2]', '[1, "b"]', "[1]", "7"]) {
      const text = steps(`- l:\n    for: {value: v, range: '\${${range}}', steps: [{a: {next: continue}}]}`);
      expect([range, await results(text)]).toEqual([
        range,
        { raised: expect.objectContaining({ tags: ["TypeError"] }) },
      ]);
    }
  });

  test("call with next, and next: end", async () => {
    const text = steps(`- a:
    call: sub
    next: c
- b:
    return: b
- c:
    next: end
- d:
    return: d`);
    expect(await results(`${text}\nsub:\n  steps:\n    - s:\n        return: 1`)).toBe(null);
  });

  test("a bare list of steps, and JSON", async () => {
    expect(await results("- a:\n    return: 1")).toBe(1);
    expect(await results('{"main": {"steps": [{"a": {"return": 2}}]}}')).toBe(2);
  });
});

describe("errors", () => {
  const caught = (what: string) =>
    steps(`- t:
    try:
      ${what}
    except:
      as: e
      steps:
        - out:
            return: \${e}`);

  test("what is raised is what except sees, with nothing added", async () => {
    expect(await results(caught("raise: {code: 7, message: seven}"))).toEqual({ code: 7, message: "seven" });
    expect(await results(caught("raise: boom"))).toBe("boom");
    expect(await results(caught("steps: [{a: {raise: '${1/0}'}}]"))).toMatchObject({ tags: ["ZeroDivisionError"] });
  });

  test("a name first set inside except is local to it", () => {
    const text = steps(`- t:
    try:
      raise: x
    except:
      as: e
      steps:
        - a:
            assign: [{seen: 1}]
- out:
    return: \${seen}`);
    expect(problemsOf(text).join()).toContain("seen is given no value");
  });

  test("an unhandled error is the payload, with the steps it came from", async () => {
    const text = `main:
  steps:
    - outer:
        call: sub
sub:
  steps:
    - inner:
        raise: {code: 424, message: not yet}`;
    const { state, error, context } = await runWorkflow(text);
    expect([state, error]).toEqual(["FAILED", { code: 424, message: "not yet" }]);
    expect(context).toBe('not yet\nin step "inner", routine "sub", line: 7\nin step "outer", routine "main", line: 3');
  });

  const retrying = (policy: string) =>
    steps(`- init:
    assign: [{tries: 0}]
- t:
    try:
      steps:
        - count:
            assign: [{tries: "\${tries + 1}"}]
        - fail:
            raise: {code: 404, tags: [HttpError]}
    retry: ${policy}
    except:
      as: e
      steps:
        - out:
            return: ["\${tries}", "\${e.code}"]`);

  test("the default policy does not retry a 404", async () => {
    expect(await results(retrying("${http.default_retry}"))).toEqual([1, 404]);
  });

  test("the default policies: five more attempts, waits that grow by a quarter", async () => {
    const of = async (raise: string, policy: string) => {
      const text = retrying(policy).replace("{code: 404, tags: [HttpError]}", raise);
      const { result, waited } = await runWorkflow(text);
      return [result[0], waited];
    };
    const waits = 1 + 1.25 + 1.25 ** 2 + 1.25 ** 3 + 1.25 ** 4;
    for (const code of [429, 502, 503, 504])
      expect(await of(`{code: ${code}, tags: [HttpError]}`, "${http.default_retry}")).toEqual([6, waits]);
    expect((await of("{code: 500, tags: [HttpError]}", "${http.default_retry}"))[0]).toBe(1);
    expect((await of("{code: 502, tags: [HttpError]}", "${http.default_retry_non_idempotent}"))[0]).toBe(1);
    expect((await of("{code: 503, tags: [HttpError]}", "${http.default_retry_non_idempotent}"))[0]).toBe(6);
  });

  test("a predicate of one's own, a count that leaves the first attempt out, a longest wait", async () => {
    const policy = "{predicate: '${mine}', max_retries: 3, backoff: {initial_delay: 2, max_delay: 5, multiplier: 2}}";
    const text = `${retrying(policy)}
mine:
  params: [e]
  steps:
    - a:
        return: \${e.code == 404}`;
    const { result, waited, trace } = await runWorkflow(text);
    expect([result, waited]).toEqual([[4, 404], 2 + 4 + 5]);
    expect(trace.filter(({ step }) => step === "fail").map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    // What is no boolean is an error of its own, in place of the first one.
    const wrong = text.replace("e.code == 404", "e.code").replace('"${e.code}"', '"${e.tags}"');
    expect((await runWorkflow(wrong)).result).toEqual([1, ["TypeError"]]);
  });
});

describe("subworkflows", () => {
  const sub = `
sub:
  params: [a, b: 5]
  steps:
    - out:
        return: \${a + b}`;

  test("by name with a default, and in an expression by position", async () => {
    expect(
      await results(steps("- a:\n    call: sub\n    args: {a: 1}\n    result: r\n- b:\n    return: ${r}") + sub),
    ).toBe(6);
    expect(await results(steps("- a:\n    return: ${sub(1, 2)}") + sub)).toBe(3);
    expect(await results(steps("- a:\n    return: ${sub(1)}") + sub)).toBe(6);
  });

  test("deeper than 20 is a RecursionError", async () => {
    const text = `main:
  steps:
    - a:
        return: \${down(N)}
down:
  params: [n]
  steps:
    - stop:
        switch:
          - condition: \${n <= 1}
            return: ok
    - further:
        return: \${down(n - 1)}`;
    expect(await results(text.replace("N", "19"))).toBe("ok");
    expect(await results(text.replace("N", "20"))).toBe("ok");
    expect(await results(text.replace("N", "21"))).toMatchObject({ raised: { tags: ["RecursionError"] } });
  });
});

describe("parallel", () => {
  const branches = (first: string, second: string, shared = "[x, y]") =>
    steps(`- init:
    assign: [{x: 0}, {y: 0}]
- t:
    try:
      steps:
        - p:
            parallel:
              shared: ${shared}
              branches:
                - one:
                    steps: ${first}
                - two:
                    steps: ${second}
    except:
      as: e
      steps:
        - out:
            return: ["\${x}", "\${y}", "\${e}"]
- done:
    return: ["\${x}", "\${y}"]`);

  test("branches write what is shared", async () => {
    expect(await results(branches("[{a: {assign: [{x: 1}]}}]", "[{b: {assign: [{y: 2}]}}]"))).toEqual([1, 2]);
  });

  test("a loop with concurrency_limit 1 keeps its order", async () => {
    const text = (limit: number) =>
      steps(`- init:
    assign: [{seen: []}]
- p:
    parallel:
      shared: [seen]
      concurrency_limit: ${limit}
      for:
        value: v
        in: [3, 2, 1]
        steps:
          - wait:
              call: sys.sleep
              args: {seconds: "\${v}"}
          - note:
              assign: [{seen: "\${list.concat(seen, v)}"}]
- out:
    return: \${seen}`);
    const [one, three] = [await runWorkflow(text(1)), await runWorkflow(text(3))];
    expect([one.result, one.waited]).toEqual([[3, 2, 1], 6]);
    // Side by side the shortest wait ends first, and all of it takes as long as the longest.
    expect([three.result, three.waited]).toEqual([[1, 2, 3], 3]);
  });

  test("a limit is an integer from 1 on", async () => {
    const text = (limit: string) =>
      steps(
        `- p:\n    parallel: {concurrency_limit: ${limit}, for: {value: v, in: [1], steps: [{a: {next: continue}}]}}`,
      );
    for (const limit of ["0", '"${-1}"', '"${1.5}"'])
      expect(await results(text(limit))).toEqual({ raised: expect.objectContaining({ tags: ["ValueError"] }) });
    expect(await results(text("1"))).toBe(null);
  });

  test("writing a parent variable that is not shared cannot be deployed, reading it can", () => {
    expect(problemsOf(branches("[{a: {assign: [{x: 1}]}}]", "[{b: {assign: [{z: '${x}'}]}}]", "[y]"))).toEqual([
      "main.yaml:13: parse error: in workflow 'main', step 'a': x belongs to the parent of a parallel step, and is not shared",
    ]);
    expect(problemsOf(branches("[{a: {assign: [{x: 1}]}}]", "[{b: {assign: [{x: 1}]}}]", "[x]"))).toEqual([]);
  });

  test("what one branch makes is not seen in another", () => {
    const [first, second] = ["[{a: {assign: [{z: 1}]}}]", "[{b: {assign: [{y: '${z}'}]}}]"];
    expect(problemsOf(branches(first, second)).join()).toContain("z is given no value");
  });

  test("one branch raises: the other goes on to its end, then UnhandledBranchError", async () => {
    const later = "[{w: {call: sys.sleep, args: {seconds: 9}}}, {b: {assign: [{x: 2}]}}]";
    const [x, y, error] = await results(branches("[{a: {raise: boom}}]", later));
    expect([x, y]).toEqual([2, 0]);
    expect(error).toMatchObject({ tags: ["UnhandledBranchError"], branches: [{ id: "one", error: "boom" }] });
  });

  test("nested three deep is refused: in one text at deployment, through a subworkflow in the run", async () => {
    const nest = (inner: string) => `[{p: {parallel: {for: {value: v, in: [1], steps: ${inner}}}}}]`;
    const three = steps(`- a:\n    steps: ${nest(nest(nest("[{x: {assign: [{q: 1}]}}]")))}`);
    expect(problemsOf(three).join()).toContain("at most 2 deep");
    const calls = `${steps(`- a:\n    steps: ${nest(nest("[{x: {call: sub}}]"))}`)}\nsub:\n  steps: ${nest("[{x: {assign: [{q: 1}]}}]")}`;
    const { error } = await runWorkflow(calls);
    expect(JSON.stringify(error)).toContain("ParallelNestingError");
  });
});

describe("limits in the run", () => {
  test("variables take 512 KB together, a string 256 KB", async () => {
    const grow = (turns: number) =>
      steps(`- init:
    assign: [{s: "0123456789abcdef"}, {all: []}]
- double:
    for:
      value: v
      range: [1, ${turns}]
      steps:
        - d:
            assign: [{s: "\${s + s}"}]
- keep:
    for:
      value: v
      range: [1, 5]
      steps:
        - k:
            assign: [{all: "\${list.concat(all, s)}"}]
- out:
    return: \${len(all)}`);
    expect(await results(grow(5))).toBe(5);
    expect(await results(grow(13))).toMatchObject({
      raised: { tags: ["ResourceLimitError"], message: expect.stringContaining("512 KB") },
    });
    expect(await results(grow(15))).toMatchObject({
      raised: { tags: ["ResourceLimitError"], message: expect.stringContaining("256 KB") },
    });
  });

  test("a loop without end ends after 100,000 steps", async () => {
    const { error } = await runWorkflow(steps("- a:\n    next: b\n- b:\n    next: a"));
    expect(error.tags).toEqual(["ResourceLimitError"]);
  });

  test("main gives back what JSON can hold", async () => {
    expect(await results(steps('- a:\n    return: ${text.encode("x")}'))).toMatchObject({
      raised: { tags: ["TypeError"] },
    });
  });
});
