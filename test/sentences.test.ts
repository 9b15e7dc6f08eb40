import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { World } from "../src/model.ts";
import { CloudError } from "../src/run/cloud-error.ts";
import { type Example, Faulted, reassuring, textOf, variantOf } from "./support/faulted.ts";

// What a command says where it could not look: never a conclusion that nobody saw the premises of. Catches a program whose
// "nothing to do" is the else branch of "something differs".

let faulted: Faulted;
beforeAll(async () => {
  faulted = await Faulted.open();
});
afterAll(() => faulted.end());

const commands = ["plan", "apply", "destroy", "health", "explain"] as const;
const linkOf: Readonly<Partial<Record<Example, string>>> = {
  "google-to-aws": "reports-to-s3",
  "aws-to-google": "ec2-to-gcs",
  "oidc-to-aws": "okta-engineers",
};
const examples = ["google-to-aws", "aws-to-google", "oidc-to-aws"] as const;

const withoutCredentials = (world: World): World => ({
  ...world,
  credentials: async ({ party, scope }) => {
    const message = `there are no ${party} credentials for ${scope}`;
    throw new CloudError({ class: "credentials", service: party, operation: "", code: "", status: 0, message });
  },
});

const withoutNetwork = (world: World): World => ({
  ...world,
  http: async ({ url }) => {
    const message = `${new URL(url).host}: no connection within 3000 ms`;
    throw new CloudError({ class: "unsent", service: "", operation: "", code: "", status: 0, message });
  },
});

/** Interrupted by the user when the nth call begins. */
const interruptedAt =
  (nth: number) =>
  (world: World): World => {
    const stop = new AbortController();
    let calls = 0;
    const http: World["http"] = (request) => {
      calls++;
      if (calls === nth) stop.abort();
      return world.http(request);
    };
    return { ...world, http, signal: stop.signal };
  };

const nowhere = [
  ["without credentials", withoutCredentials, 77],
  ["without a network", withoutNetwork, 75],
] as const;
const states = ["file", undefined] as const;

describe.each(examples)("%s", (example) => {
  const what = linkOf[example] ?? "";

  test.each(
    nowhere.flatMap(([how, change, exit]) =>
      commands.flatMap((command) => states.map((before) => ({ how, change, exit, command, before }))),
    ),
  )("$command $how over what is $before: says what could not be read", async ({ change, exit, command, before }) => {
    await faulted.prepare(example, before === undefined ? {} : { before });
    const said = await faulted.run(command, textOf(example), { change, what });
    expect(said.text).not.toMatch(reassuring);
    expect(said.text).toMatch(/could not be read|could not be told/);
    expect(said.text).not.toMatch(/does not exist|undefined|\b(broken|drifted|absent|OPEN)\b/);
    expect(said.exit).toBe(exit);
  });

  test.each([1, 2, 3, 5, 8])("interrupted at call %i: no conclusion, and no line of the file to blame", async (nth) => {
    for (const command of commands) {
      await faulted.prepare(example, { before: "file" });
      const said = await faulted.run(command, textOf(example), { change: interruptedAt(nth), what });
      const of = `${command}: ${said.text}`;
      expect(said.failed, of).toBe(false);
      expect(said.text, of).not.toMatch(/undefined|\b(broken|drifted|absent|OPEN)\b/);
      expect(said.text, of).not.toMatch(/INTERRUPTED\][^\n]*\n {2}--> /);
      if (/INTERRUPTED/.test(said.text)) expect(said.exit, of).toBe(130);
    }
  });

  test("never made: health and explain call it absent", async () => {
    await faulted.prepare(example, {});
    const [health, explain] = [
      await faulted.run("health", textOf(example)),
      await faulted.run("explain", textOf(example), { what }),
    ];
    expect([health.exit, explain.exit]).toEqual([2, 2]);
    expect(health.text).toMatch(/^ +absent +/m);
  });

  test("one of two links never made: it alone is absent", async () => {
    await faulted.prepare(example, { before: "file" });
    const { exit, text } = await faulted.run("health", variantOf(example, "more"));
    expect(exit).toBe(2);
    // Both share an OIDC provider, which the file now wants with one more client id.
    const first = example === "oidc-to-aws" ? "drifted" : "works";
    expect(text).toMatch(new RegExp(`^ +${first} +${what} `, "m"));
    expect(text).toMatch(new RegExp(`^ +absent +${what}-2 `, "m"));
  });

  test.each(["plan", "apply", "destroy", "health"] as const)(
    "%s where all is there and was seen concludes",
    async (command) => {
      await faulted.prepare(example, command === "destroy" ? {} : { before: "file" });
      const { exit, text } = await faulted.run(command, textOf(example));
      expect(exit).toBe(0);
      expect(text).toMatch(reassuring);
    },
  );
});
