import { describe, expect, test } from "vitest";
import { example } from "./support/bench.ts";
import { stage } from "./support/cli.ts";

const links = Array.from(
  { length: 30 },
  (_, at) =>
    `  link-${at}: { from: { google: { project: acme-prod, serviceAccount: reports-${at} } }, to: { aws: { account: 111122223333, role: reader-${at}, audience: aws-trust-1 } } }`,
);
const many = `${example.slice(0, example.indexOf("links:"))}links:\n${links.join("\n")}\n`;

describe("health on a terminal", () => {
  test("thirty good links are one line, and each has its own with --all", async () => {
    const { ct } = await stage(many);
    expect((await ct("apply --quiet")).exit).toBe(0);
    const short = await ct("health --quiet");
    expect(short.out.split("\n").filter((line) => line.startsWith("  works"))).toEqual([
      expect.stringMatching(/^ {2}works {5}30 links {3}each: crosstrust health --all/),
    ]);
    const all = await ct("health --quiet --all");
    expect(all.out.split("\n").filter((line) => line.startsWith("  works"))).toHaveLength(30);
  });

  test("problems come first, the worst at the top, and good links after them", async () => {
    const { ct, b } = await stage(many);
    await ct("apply --quiet");
    const edit = (name: string, change: (trust: string) => string) => {
      const key = `aws.role/111122223333/${name}`;
      const role = b.sandbox.state.get<{ trust: string }>(key);
      b.sandbox.state.put(key, { ...role, trust: change(role?.trust ?? "") });
    };
    edit("reader-20", (trust) => trust.replaceAll("aws-trust-1", "somebody-else"));
    edit("reader-25", (trust) =>
      trust.replace(/"accounts\.google\.com:sub"\s*:\s*"\d+"/, '"accounts.google.com:oaud":"aws-trust-1"'),
    );
    const { exit, out } = await ct("health --quiet");
    expect(exit).toBe(3);
    const heads = out.split("\n").filter((line) => /^ {2}\S/.test(line));
    expect(heads.map((line) => line.trim().split(/ +/).slice(0, 2))).toEqual([
      ["OPEN", "link-25"],
      ["broken", "link-20"],
      ["works", "28"],
    ]);
  });
});
