import { describe, expect, test } from "vitest";
import { parties } from "../src/parties/index.ts";
import { CloudError } from "../src/run/retry.ts";
import { account, type Bench, bench, federationOf } from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

// What a file can say of a custom issuer, each held against the sandbox's STS: whom it lets in, and whom it must not.

const file = (from: string, more = "") => `crosstrust: 1
name: acme
links:
  link:
    from: { ${from} }
    to:   { aws: { account: ${account}, role: engineers } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
${more}`;

/** `accepted`, or the code that STS refuses with. */
async function tried(b: Bench, text: string, claims: Record<string, unknown>): Promise<string> {
  const [link] = federationOf(text).links;
  const relying = parties.find(({ name }) => name === "aws")?.relying;
  if (!link || !relying) throw new Error("no link");
  const world = b.world();
  const minted = (await world.sandbox?.mint(String(claims.iss), claims)) ?? "";
  try {
    await relying.exchange(
      { link, purpose: "prove" },
      { text: minted, claims, header: {}, mintedBy: "sandbox" },
      world,
    );
    return "accepted";
  } catch (error) {
    if (error instanceof CloudError) return error.code;
    throw error;
  }
}

const iss = "https://idp.example.com";
const tags = (department: string) => ({
  "https://aws.amazon.com/tags": { principal_tags: { department: [department] } },
});
const github = "https://token.actions.githubusercontent.com";

interface Story {
  readonly from: string;
  readonly consent?: boolean;
  readonly good: readonly Record<string, unknown>[];
  /** With the code that STS gives. */
  readonly bad: readonly (readonly [string, Record<string, unknown>])[];
}

const stories: Readonly<Record<string, Story>> = {
  "one subject": {
    from: `oidc: { issuer: ${iss}, clientId: app, subject: u-1 }`,
    good: [
      { iss, sub: "u-1", aud: "app" },
      { iss, sub: "u-1", aud: ["app"] },
      { iss, sub: "u-1", aud: "x", azp: "app" },
    ],
    bad: [
      ["AccessDenied", { iss, sub: "u-2", aud: "app" }],
      ["AccessDenied", { iss, sub: "U-1", aud: "app" }],
      // Catches a program that lets \`aud\` count where the token has an authorized party.
      ["InvalidIdentityToken", { iss, sub: "u-1", aud: "app", azp: "other" }],
      ["InvalidIdentityToken", { iss, sub: "u-1", aud: "other" }],
      ["InvalidIdentityToken", { iss: `${iss}/`, sub: "u-1", aud: "app" }],
    ],
  },
  "a list of subjects": {
    from: `oidc: { issuer: ${iss}, clientId: app, subject: [u-1, u-2] }`,
    good: [
      { iss, sub: "u-1", aud: "app" },
      { iss, sub: "u-2", aud: "app" },
    ],
    bad: [["AccessDenied", { iss, sub: "u-3", aud: "app" }]],
  },
  "a pattern of subjects, by consent": {
    from: `oidc: { issuer: ${iss}, clientId: app, subjectLike: "team:a:*" }`,
    consent: true,
    good: [{ iss, sub: "team:a:x", aud: "app" }],
    bad: [
      ["AccessDenied", { iss, sub: "team:b:x", aud: "app" }],
      ["AccessDenied", { iss, sub: "x-team:a:x", aud: "app" }],
    ],
  },
  // Catches a program that writes a condition on a claim which AWS never gives the policy.
  "session tags": {
    from: `oidc: { issuer: ${iss}, clientId: app, subject: u-1, tags: { department: [engineering, research] } }`,
    good: [
      { iss, sub: "u-1", aud: "app", ...tags("engineering") },
      { iss, sub: "u-1", aud: "app", "https://aws.amazon.com/tags/principal_tags/department": "research" },
    ],
    bad: [
      ["AccessDenied", { iss, sub: "u-1", aud: "app" }],
      ["AccessDenied", { iss, sub: "u-1", aud: "app", ...tags("sales") }],
      ["AccessDenied", { iss, sub: "u-1", aud: "app", department: "engineering" }],
    ],
  },
  "an issuer's own claims": {
    from: `oidc: { issuer: ${github}, clientId: sts.amazonaws.com, subject: "repo:acme/app:ref:refs/heads/main", claims: { repository_id: "7" } }`,
    good: [{ iss: github, sub: "repo:acme/app:ref:refs/heads/main", aud: "sts.amazonaws.com", repository_id: "7" }],
    bad: [
      ["AccessDenied", { iss: github, sub: "repo:acme/app:ref:refs/heads/main", aud: "sts.amazonaws.com" }],
      [
        "AccessDenied",
        { iss: github, sub: "repo:acme/app:ref:refs/heads/main", aud: "sts.amazonaws.com", repository_id: "8" },
      ],
    ],
  },
  "a sign-in with Google": {
    from: "google: { clientId: 12-ab.apps.googleusercontent.com, subject: 107517467455664443765 }",
    good: [
      {
        iss: "https://accounts.google.com",
        sub: "107517467455664443765",
        aud: "12-ab.apps.googleusercontent.com",
        azp: "12-ab.apps.googleusercontent.com",
      },
    ],
    bad: [
      [
        "AccessDenied",
        {
          iss: "https://accounts.google.com",
          sub: "107517467455664443765",
          aud: "12-ab.apps.googleusercontent.com",
          azp: "99-zz.apps.googleusercontent.com",
        },
      ],
      [
        "AccessDenied",
        {
          iss: "https://accounts.google.com",
          sub: "199999999999999999999",
          aud: "12-ab.apps.googleusercontent.com",
          azp: "12-ab.apps.googleusercontent.com",
        },
      ],
    ],
  },
};

describe.each(Object.entries(stories))("%s", (_, { from, consent = false, good, bad }) => {
  const text = file(from);
  const consents = consent ? { allowBroadSubject: ["link"] } : {};

  test("lets in whom the file names, and nobody else", async () => {
    const b = await bench();
    await b.apply(text, { consents });
    expect(await Promise.all(good.map((claims) => tried(b, text, claims)))).toEqual(good.map(() => "accepted"));
    expect(await Promise.all(bad.map(([, claims]) => tried(b, text, claims)))).toEqual(bad.map(([code]) => code));
  });

  test("is proved, planned twice to nothing, and taken down without a trace", async () => {
    const b = await bench();
    await b.apply(text, { consents });
    expect((await b.health(text)).verdict).toBe("works");
    expect((await b.plan(text)).plan.changes.filter(({ verb }) => verb !== "keep")).toEqual([]);
    await b.apply(text, { destroy: true });
    const left = b.sandbox.state.list("aws.").map(([key]) => key);
    expect(left).toEqual([]);
  });
});

test("a pattern without its consent: nothing is written, and the flag is named", async () => {
  const b = await bench();
  const { findings } = (await b.plan(file(`oidc: { issuer: ${iss}, clientId: app, subjectLike: "team:*" }`))).plan;
  const asked = findings.find(({ code, asks }) => code === "BROAD-SUBJECT" && asks === "usage");
  expect(asked?.fix.join()).toContain("--allow-broad-subject link");
});

test("where only people sign in, prove: judge is unproved and says so; a hand edit is still open", async () => {
  const b = await bench();
  const text = file(`oidc: { issuer: ${iss}, clientId: app, subject: u-1 }`, "    prove: judge\n");
  await b.apply(text);
  expect((await b.health(text)).verdict).toBe("unproved");
  const arn = `arn:aws:iam::${account}:oidc-provider/idp.example.com`;
  const Condition = { StringEquals: { "idp.example.com:aud": "app" } };
  const Statement = [
    { Effect: "Allow", Principal: { Federated: arn }, Action: "sts:AssumeRoleWithWebIdentity", Condition },
  ];
  await new Somebody(b).document({ Version: "2012-10-17", Statement }, "engineers");
  const health = await b.health(text);
  expect([health.verdict, health.findings.map(({ code }) => code)]).toEqual([
    "open",
    expect.arrayContaining(["AWS-SUB-MISSING"]),
  ]);
});

test("two links into one role: each of them gets in, and neither as the other", async () => {
  const b = await bench();
  const two = `${file(`oidc: { issuer: ${iss}, clientId: app, subject: u-1 }`)}  other:
    from: { oidc: { issuer: ${iss}, clientId: app-2, subject: u-2 } }
    to:   { aws: { account: ${account}, role: engineers } }
`;
  await b.apply(two);
  const outcomes = [
    await tried(b, two, { iss, sub: "u-1", aud: "app" }),
    await tried(b, two, { iss, sub: "u-2", aud: "app-2" }),
    await tried(b, two, { iss, sub: "u-1", aud: "app-2" }),
  ];
  expect(outcomes).toEqual(["accepted", "accepted", "AccessDenied"]);
  expect((await b.health(two)).verdict).toBe("works");
});
