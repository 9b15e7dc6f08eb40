import { describe, expect, test } from "vitest";
import { problemsOf } from "./support/workflow.ts";

// What cannot be deployed: the demands of SchemaStore's schema, and what it lets through (serverless.md 6.1).

const step = (text: string): string => `main:\n  steps:\n    - s:\n${text.replace(/^/gm, "        ")}`;
const call = (args: string, target = "http.get"): string => step(`call: ${target}\nargs: ${args}`);
const many = (count: number, text: string): string => `[${Array.from({ length: count }, () => text).join(", ")}]`;

const refused: readonly (readonly [string, string, RegExp])[] = [
  ["no main", "other:\n  steps:\n    - s:\n        return: 1", /with main/],
  ["a text", "hello", /a workflow is a list/],
  ["nothing", "", /empty/],
  ["no YAML", "main: [", /main.yaml:\d/],
  ["a key twice", "main:\n  steps: []\n  steps: []", /unique|Map keys/],
  ["an alias", "main:\n  steps:\n    - s: &a\n        return: 1", /anchors/],
  ["another field of main", "main:\n  vars: 1\n  steps:\n    - s:\n        return: 1", /no field "vars"/],
  ["main without steps", "main:\n  params: [a]", /no steps/],
  ["two parameters of main", "main:\n  params: [a, b]\n  steps:\n    - s:\n        return: 1", /at most 1/],
  [
    "the same parameter twice",
    `${step("return: 1")}\nsub:\n  params: [a, a]\n  steps:\n    - s:\n        return: 1`,
    /share a name/,
  ],
  ["an empty list of steps", "main:\n  steps: []", /at least one entry/],
  ["a step with two names", "main:\n  steps:\n    - a:\n        return: 1\n      b:\n        return: 2", /one key/],
  ["the same name twice", "- a:\n    next: end\n- a:\n    return: 1", /two steps are called a/],
  ["an unknown field of a step", step("return: 1\ncolour: red"), /no field "colour"/],
  ["two kinds in one step", step("return: 1\nraise: x"), /one thing/],
  ["an empty step", step("{}"), /does nothing/],
  ["args without call", step("return: 1\nargs: {a: 1}"), /args needs call/],
  ["result without call", step("return: 1\nresult: x"), /result needs call/],
  ["retry without try", step("return: 1\nretry: ${http.default_retry}"), /retry needs try/],
  ["except without try", step("return: 1\nexcept: {steps: [{a: {return: 1}}]}"), /except needs try/],
  ["51 assignments", step(`assign: ${many(51, "{x: 1}")}`), /at most 50/],
  ["an assignment of two names", step("assign: [{x: 1, y: 2}]"), /one key/],
  ["an assignment to a call", step("assign: [{'f(x)': 1}]"), /cannot be assigned to/],
  ["51 entries of a switch", step(`switch: ${many(51, "{condition: true, next: end}")}`), /1 to 50/],
  ["an entry without a condition", step("switch: [{next: end}]"), /condition/],
  ["a condition that is a text", step("switch: [{condition: maybe, next: end}]"), /condition/],
  ["for without value", step("for: {in: [1], steps: [{a: {next: continue}}]}"), /needs value and steps/],
  [
    "for over both",
    step("for: {value: v, in: [1], range: [1, 2], steps: [{a: {next: continue}}]}"),
    /either in or range/,
  ],
  ["for over neither", step("for: {value: v, steps: [{a: {next: continue}}]}"), /either in or range/],
  ["for over a map", step("for: {value: v, in: {a: 1}, steps: [{a: {next: continue}}]}"), /list or an expression/],
  [
    "a range of expressions",
    step("assign: [{a: 1}]\nnext: t").concat(
      "\n    - t:\n        for: {value: v, range: ['${a}', 2], steps: [{a: {next: continue}}]}",
    ),
    /range is two numbers/,
  ],
  ["one branch", step("parallel: {branches: [{a: {steps: [{x: {assign: [{q: 1}]}}]}}]}"), /2 to 10/],
  [
    "11 branches",
    step(
      `parallel: {branches: [${Array.from({ length: 11 }, (_, at) => `{b${at}: {steps: [{x: {assign: [{q: 1}]}}]}}`).join(", ")}]}`,
    ),
    /2 to 10/,
  ],
  [
    "another exception policy",
    step("parallel: {exception_policy: stop, for: {value: v, in: [1], steps: [{a: {next: continue}}]}}"),
    /continueAll/,
  ],
  ["parallel without branches and for", step("parallel: {shared: [x]}"), /either branches or for/],
  [
    "shared names that are not there",
    step("parallel: {shared: [x], for: {value: v, in: [1], steps: [{a: {next: continue}}]}}"),
    /x is shared/,
  ],
  [
    "return in a branch",
    step("parallel: {for: {value: v, in: [1], steps: [{a: {return: 1}}]}}"),
    /return does not stand/,
  ],
  [
    "break in a parallel loop",
    step("parallel: {for: {value: v, in: [1], steps: [{a: {next: break}}]}}"),
    /not parallel/,
  ],
  ["try without retry and except", step("try: {raise: x}"), /retry or except/],
  [
    "another field of except",
    step("try: {raise: x}\nexcept: {as: e, when: 1, steps: [{a: {return: 1}}]}"),
    /no field "when"/,
  ],
  [
    "a retry without a count",
    step("try: {raise: x}\nretry: {predicate: '${retry.always}', backoff: '${retry.default_backoff}'}"),
    /max_retries/,
  ],
  [
    "a backoff in words",
    step(
      "try: {raise: x}\nretry: {predicate: '${retry.always}', max_retries: 1, backoff: {initial_delay: soon, max_delay: 1, multiplier: 1}}",
    ),
    /a number/,
  ],
  [
    "an unknown predicate",
    step("try: {raise: x}\nretry: {predicate: '${mine}', max_retries: 1, backoff: '${retry.default_backoff}'}"),
    /predicate mine is not known/,
  ],
  ["raise of a number", step("raise: 7"), /a text, a map/],
  ["raise of a list", step("raise: [7]"), /a text, a map/],
  ["a call of no text", step("call: true"), /call is a text/],
  ["a url of another scheme", call("{url: 'ftp://x.example'}"), /url is an http URL/],
  ["an unknown function", step("call: nobody"), /nobody is no function/],
  ["an unknown connector", step("call: googleapis.iam.v1.projects.list"), /connector .* is not played/],
  ["events", step("call: events.await_callback\nargs: {callback: 1}"), /no function/],
  ["an unknown function in an expression", step("return: ${nobody(1)}"), /function nobody is not known/],
  ["a call that waits in an expression", step('return: ${http.get("https://x.example")}'), /waits/],
  ["too few arguments", step('return: ${text.split("a")}'), /takes 2 arguments/],
  [
    "an unknown argument of a subworkflow",
    `${step("call: sub\nargs: {b: 1}")}\nsub:\n  params: [a: 1]\n  steps:\n    - s:\n        return: 1`,
    /no argument b/,
  ],
  [
    "a missing argument of a subworkflow",
    `${step("call: sub")}\nsub:\n  params: [a]\n  steps:\n    - s:\n        return: 1`,
    /needs the argument a/,
  ],
  ["an unknown next", step("next: nowhere"), /no step nowhere/],
  [
    "a next out of a loop",
    step("for: {value: v, in: [1], steps: [{a: {next: t}}]}").concat("\n    - t:\n        return: 1"),
    /no step t/,
  ],
  [
    "a next into a loop",
    step("for: {value: v, in: [1], steps: [{a: {next: continue}}]}").concat("\n    - t:\n        next: a"),
    /no step a/,
  ],
  ["continue outside a loop", step("next: continue"), /continue stands in a loop/],
  ["a reserved name of a step", "main:\n  steps:\n    - end:\n        return: 1", /cannot be called end/],
  ["no url", call("{timeout: 1}"), /needs the argument url/],
  ["a url that is none", call("{url: somewhere}"), /url is an http URL/],
  ["a computed method", call("{url: 'https://x.example', method: '${\"GET\"}'}", "http.request"), /literal method/],
  ["an unknown method", call("{url: 'https://x.example', method: LOOK}", "http.request"), /literal method/],
  ["no headers in headers", call("{url: 'https://x.example', headers: {}}"), /headers is/],
  [
    "computed headers",
    step("assign: [{h: {}}]").concat(
      "\n    - t:\n        call: http.get\n        args: {url: 'https://x.example', headers: '${h}'}",
    ),
    /headers is/,
  ],
  ["a list as a body", call("{url: 'https://x.example', body: [1]}", "http.post"), /body is/],
  ["a number as a body", call("{url: 'https://x.example', body: 7}", "http.post"), /body is/],
  ["a query that is a text", call("{url: 'https://x.example', query: a=1}"), /query is/],
  ["a timeout in words", call("{url: 'https://x.example', timeout: long}"), /timeout is/],
  ["another auth", call("{url: 'https://x.example', auth: {type: Basic}}"), /auth is/],
  ["a computed auth", call("{url: 'https://x.example', auth: '${1}'}"), /auth is/],
  [
    "11 parameters",
    `${step("return: 1")}\nsub:\n  params: [${Array.from({ length: 11 }, (_, at) => `p${at}`).join(", ")}]\n  steps:\n    - s:\n        return: 1`,
    /at most 10/,
  ],
  ["a text as params", "main:\n  params: args\n  steps:\n    - s:\n        return: 1", /params is a list/],
  ["another field of auth", call("{url: 'https://x.example', auth: {type: OIDC, key: 1}}"), /auth is/],
  [
    "an argument that is not played",
    call("{url: 'https://x.example', private_service_name: 1}"),
    /no argument private_service_name/,
  ],
  ["sys.log without anything", step("call: sys.log\nargs: {severity: INFO}"), /needs data/],
  ["an expression of 401 characters", step(`return: \${1${"0".repeat(400)}}`), /at most 400/],
  ["text mixed with an expression", step('return: "hello ${1}"'), /mixed/],
  ["two expressions in one scalar", step('return: "${1} ${2}"'), /not expected/],
  ["single quotes", step("return: \"${'a'}\""), /double quotes/],
  ["not in", step("return: '${1 not in [1]}'"), /write not\(a in b\)/],
  ["an expression that is cut off", step("return: '${1 +}'"), /cut off/],
  ["a source of 129 KB", step(`return: "${"x".repeat(129 * 1024)}"`), /128 KB/],
];

describe("cannot be deployed", () => {
  test.each(refused)("%s", (_, source, says) => {
    expect(problemsOf(source).join("\n")).toMatch(says);
  });

  test.each(["no", "Yes", "on", "OFF", "true"])("a step called %s, unless in quotes", (name) => {
    expect(problemsOf(`- ${name}:\n    return: 1`).join()).toContain("boolean under YAML 1.1");
    expect(problemsOf(`- "${name}":\n    return: 1`)).toEqual([]);
  });
});

test("what the schema is stricter about than the service is taken", () => {
  const retry =
    "{predicate: '${retry.always}', max_retries: '${1 + 1}', backoff: {initial_delay: 0.5, max_delay: 2.5, multiplier: 1.25}}";
  expect(problemsOf(step(`try: {raise: x}\nretry: ${retry}`))).toEqual([]);
  expect(
    problemsOf(
      step("parallel: {concurrency_limit: '${1 + 1}', for: {value: v, in: [1], steps: [{a: {next: continue}}]}}"),
    ),
  ).toEqual([]);
  expect(problemsOf(step("call: sys.sleep\nargs: {seconds: '${1 + 1}'}"))).toEqual([]);
});
