import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ascii, finding, unicodeEscape, visible } from "../src/model.ts";
import { findingText } from "../src/say/findings.ts";
import { document } from "../src/say/json.ts";
import { displayed, printable } from "../src/say/visible.ts";
import { account } from "./support/bench.ts";
import { stage } from "./support/cli.ts";
import { mint } from "./support/deployed.ts";
import { Somebody } from "./support/somebody.ts";

// Text of clouds, tokens, issuers and files stands in what crosstrust prints. None of it may begin a line, end one, move
// the cursor or hide another.

/** Goes up, erases the line, and says that everything is well; then what only looks like text. */
const forged =
  "x\x1b[1A\x1b[2K\r\n  works         reports-to-s3\u009b2J\u202eevil\u200b\u2066\u2028\u00a0\ufeff\u{e0041}";
const foldedLine = `x${" ".repeat(200)}works   reports-to-s3`;

/** What a terminal would obey, or a reader would not see. */
const hidden = /[^\n\P{C}]|[\u2028\u2029\u00a0\u115f\u3164]/u;

describe("the filter", () => {
  test("writes what is hidden as an escape, and leaves letters of any language", () => {
    expect(visible("a\tb\r\n\x1b[2K\u202e\u{e0041}")).toBe("a\\tb\\r\\n\\u001b[2K\\u202e\\udb40\\udc41");
    expect(visible("Zoë 東京 🙂")).toBe("Zoë 東京 🙂");
    expect(visible("\ud800")).toBe("\\ud800");
  });

  test("a run of blanks that would wrap into a line of its own is counted instead", () => {
    expect(displayed({ says: foldedLine })).toEqual({ says: "x[200 blanks]works   reports-to-s3" });
  });

  test("two keys that look alike after it stay two, and a key named __proto__ stays a member", () => {
    const view = JSON.parse('{ "a\\n": 1, "a\\\\n": 2, "__proto__": 3 }') as object;
    expect(Object.entries(displayed(view))).toEqual([
      ["a\\n", 1],
      ["a\\n'", 2],
      ["__proto__", 3],
    ]);
  });

  test("the last door keeps line ends and our own colours, and nothing else", () => {
    expect(printable("\x1b[31merror\x1b[39m  a\nb\x1b[8mc\x1b[2Jd\r")).toBe(
      "\x1b[31merror\x1b[39m  a\nb\\u001b[8mc\\u001b[2Jd\\r",
    );
  });

  test("JSON holds the same values, in escapes", () => {
    const envelope = { tool: "1", world: "sandbox", command: "lint", exit: 0 } as const;
    const text = document(envelope, { says: forged });
    expect(text).not.toMatch(hidden);
    expect(JSON.parse(text)).toMatchObject({ says: forged });
  });

  test("what an accept is pinned to can be written into a file, and two values stay two", () => {
    expect(finding("BROAD-SUBJECT", { says: "x", of: "Zoë\u202e" }).of).toBe("Zo\\u00eb\\u202e");
    expect(ascii("\\u202e")).not.toBe(ascii("\u202e"));
  });

  test("a finding stays as many lines as it has, whatever its parts say", () => {
    const lines = (text: string): number =>
      findingText(
        finding("AWS-TRUST-REFUSES", {
          says: text,
          at: { address: `aws:role/${text}/x` },
          because: [{ key: text, wants: text, says: text, readFrom: text, ok: false }],
          fix: [text],
          of: text,
          witness: { outsider: text, path: [text, text], how: "judged" },
        }),
        { colour: false, again: "" },
      ).split("\n").length;
    expect(lines(forged)).toBe(lines("plain"));
  });
});

const role = "reports-reader";
/** IAM takes plain characters alone, and JSON's escapes for all others. */
const policy = (...statements: readonly object[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements }).replace(/[^\x20-\x7e]/g, unicodeEscape);
const trusts = (statement: object) => (somebody: Somebody) =>
  somebody.iam("UpdateAssumeRolePolicy", { RoleName: role, PolicyDocument: policy({ Effect: "Allow", ...statement }) });

/** What somebody edits, so that every reader of the role meets the sequences. */
const edits: readonly (readonly [string, (somebody: Somebody) => Promise<unknown>])[] = [
  [
    "a trust for another principal",
    trusts({
      Sid: "x",
      Principal: { AWS: "*" },
      Action: "sts:AssumeRole",
      Condition: { StringLike: { [`aws:PrincipalTag/${forged}`]: [forged, foldedLine] } },
    }),
  ],
  [
    "a trust for a subject",
    trusts({
      Principal: { Federated: "accounts.google.com" },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: { StringLike: { "accounts.google.com:sub": `*${forged}`, "accounts.google.com:aud": forged } },
    }),
  ],
  [
    "the permissions",
    (somebody) =>
      somebody.iam("PutRolePolicy", {
        RoleName: role,
        PolicyName: "extra",
        PolicyDocument: policy({
          ...{ Effect: "Allow", Action: "s3:*", Resource: "*" },
          Condition: { StringLike: { [forged]: forged } },
        }),
      }),
  ],
];

/** Runs each command, and holds what it prints against what a terminal would obey. */
async function holds({ ct }: Awaited<ReturnType<typeof stage>>, link: string, commands: readonly string[]) {
  for (const command of commands) {
    const { out, err } = await ct(command);
    expect([command, hidden.exec(out + err)?.[0]]).toEqual([command, undefined]);
    // The only lines that begin with a verdict are those that crosstrust begins.
    const forgeries = out.split("\n").filter((line) => line.trim().replace(/ +/g, " ") === `works ${link}`);
    expect([command, forgeries]).toEqual([command, []]);
  }
}

test.each(edits)("%s with escape sequences forges no line in any command", async (_, edit) => {
  const s = await stage();
  await s.ct("apply");
  await edit(new Somebody(s.b));
  expect((await s.ct("plan")).out).toMatch(/\\u001b\[1A|PutRolePolicy|extra/);
  writeFileSync(join(s.cwd, "token"), await mint(s.b));
  const arn = `arn:aws:iam::${account}:role/crosstrust/${role}`;
  await holds(s, "reports-to-s3", [
    ...["plan", "health", "lint --live", "explain reports-to-s3", `explain --token token --role ${arn}`],
    ...["token reports-to-s3", "plan --json", "health --json", "lint --live --json", "apply", "destroy"],
  ]);
});

test("a pool provider, an account and its members with escape sequences forge no line in any command", async () => {
  const s = await stage(readFileSync("examples/aws-to-google.yaml", "utf8"));
  await s.ct("apply");
  const { b } = s;
  const pool = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/partners";
  const etl = "iam/v1/projects/acme-prod/serviceAccounts/etl-sink@acme-prod.iam.gserviceaccount.com";
  const edited = [
    await b.google("PATCH", `${pool}/providers/aws-prod?updateMask=attributeCondition,displayName,description`, {
      attributeCondition: `assertion.account == ${JSON.stringify(forged)} || true`,
      displayName: "x\u202ey",
      description: forged,
    }),
    await b.google("POST", `${etl}:setIamPolicy`, {
      policy: {
        bindings: [
          {
            role: "roles/iam.workloadIdentityUser",
            members: [
              `principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/other/subject/${forged}`,
            ],
          },
        ],
      },
    }),
    await b.google("PATCH", etl, {
      serviceAccount: { displayName: forged, description: forged },
      updateMask: "description,displayName",
    }),
  ];
  expect(edited.map(({ status }) => status)).toEqual([200, 200, 200]);
  await holds(s, "ec2-to-gcs", [
    ...["plan", "health", "lint --live", "explain ec2-to-gcs", "plan --json", "health --json", "apply", "destroy"],
  ]);
});
