import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { stage } from "./support/cli.ts";

// Hints that every run gives hide what is new. They are counted, and shown to whoever asks.

const hints = /ISSUER-SEEN|THUMBPRINT-UNUSED/;
const words = /answers: \d+ keys?, certificates for|stores the thumbprint and does not use it/;

test("plan and health count what every run says, --all and explain show it, JSON holds it", async () => {
  const { ct } = await stage(readFileSync("examples/oidc-to-aws.yaml", "utf8"));
  await ct("apply");
  for (const command of ["plan", "health"]) {
    const { out, exit } = await ct(command);
    expect([command, exit, hints.test(out)]).toEqual([command, 0, false]);
    const count = new RegExp(`^\\d hints? of every run not shown: (crosstrust ${command} --all .*)$`, "m").exec(out);
    const shown = await ct(`${command} --all`);
    expect(shown.out).toMatch(hints);
    expect(shown.out).not.toContain("not shown");
    expect((await ct(count?.[1]?.split(" ").slice(1) ?? [])).out).toMatch(hints);
    expect((await ct(`${command} --json`)).out).toMatch(hints);
  }
  const { out } = await ct("explain okta-engineers");
  expect(out).toMatch(words);
});
