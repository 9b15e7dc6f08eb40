import { describe, expect, test } from "vitest";
import { lintFile } from "../src/file/lint.ts";
import { readFederation } from "../src/file/read.ts";
import { causeOfRows } from "../src/parties/google/explain-exchange.ts";
import { parties, shapes } from "../src/parties/index.ts";
import { manyLinks } from "./support/bench.ts";

// Bad input of links to Google Cloud (fact sheet reliability-and-security, 3a 27-42 and 3d 105-108): told before
// anything is contacted. Each of them stands beside a good neighbour, so that a rule that refuses everything fails here.

const role = "{ aws: { account: 123456789000, role: r1 } }";
const oidcWith = (more: string) => `{ oidc: { issuer: https://idp.example.com, clientId: app, ${more} } }`;
const oidc = oidcWith("subject: alice");
const github = (more: string) =>
  `{ oidc: { issuer: https://token.actions.githubusercontent.com, clientId: sts, ${more} } }`;
const google = (more = "", names = "project: acme-prod, pool: partners, poolProvider: prov") =>
  `{ google: { ${names}${more && `, ${more}`} } }`;
const aws = (name: string) => `{ aws: { account: 111122223333, role: ${name} } }`;

const file = (...links: readonly (readonly [from: string, to: string, may?: string])[]): string =>
  `crosstrust: 1\nname: acme\nlinks:\n${links
    .map(([from, to, may], at) => `  l${at}:\n    from: ${from}\n    to: ${to}\n${may ? `    may: ${may}\n` : ""}`)
    .join("")}`;

/** Codes that end a command, and those about security. */
function told(text: string): readonly string[] {
  const { federation, findings } = readFederation("f.yaml", Buffer.from(text), shapes);
  const all = federation ? lintFile({ federation, parties, allowPrivileged: [], maxLinks: 1000 }) : findings;
  return all.map(({ code, severity }) => (severity === "error" ? code : `${severity} ${code}`));
}

const from = (side: string) => file([side, google()]);
const named = (names: string) => file([role, google("", names)]);
const target = (more: string, side = oidc) => file([side, google(more)]);
const mapping = (text: string, side = oidc) => target(`mapping: { ${text} }`, side);
const condition = (text: string, side = oidc) => target(`condition: "${text}"`, side);
const attributes = (count: number) =>
  mapping(
    ["google.subject", ...Array.from({ length: count }, (_, at) => `attribute.a${at}`)]
      .map((key) => `${key}: assertion.sub`)
      .join(", "),
  );
const subject = (text: string) => from(oidcWith(`subject: ${text}`));

const ids = (id: string) => [
  named(`project: acme-prod, pool: ${id}, poolProvider: prov`),
  named(`project: acme-prod, pool: partners, poolProvider: ${id}`),
];
const byId = "//iam.googleapis.com/projects/acme-prod/locations/global/workloadIdentityPools/partners/providers/prov";
const bad: readonly (readonly [number, string, string, string])[] = [
  ...["foo", "gcp-x", "Upper", "a".repeat(33), "a/bcd"].flatMap((id) =>
    ids(id).map((text, at) => [27, `${id} as id of a ${at ? "pool provider" : "pool"}`, text, "BAD-VALUE"] as const),
  ),
  ...["abcde", "a".repeat(31), "1abcdef", "abcdef-"].map(
    (id) => [28, `${id} as service account`, target(`serviceAccount: ${id}`), "BAD-VALUE"] as const,
  ),
  ...["r".repeat(65), "a/b", "'a b'"].map(
    (name) => [29, `${name} as role`, from(`{ aws: { account: 123456789000, role: ${name} } }`), "BAD-VALUE"] as const,
  ),
  ...["p\u0430rtners", "part\u200bners", "part\u202eners", "part\u00adners"].flatMap((name) => [
    [
      33,
      "a pool that looks like another",
      named(`project: acme-prod, pool: ${name}, poolProvider: prov`),
      "CONFUSABLE",
    ] as const,
    [33, "a condition with it", condition(`assertion.sub == '${name}'`), "CONFUSABLE"] as const,
  ]),
  [34, "no google.subject for a token", mapping("attribute.a: assertion.sub"), "BAD-VALUE"],
  [34, "no google.subject for aws", mapping("attribute.a: assertion.arn", role), "BAD-VALUE"],
  [35, "51 attributes", attributes(51), "BAD-VALUE"],
  [
    35,
    "a key of 101",
    mapping(`google.subject: assertion.sub, attribute.${"a".repeat(101)}: assertion.sub`),
    "BAD-VALUE",
  ],
  [35, "an expression of 2,049", mapping(`google.subject: "'${"a".repeat(2047)}'"`), "BAD-VALUE"],
  [35, "a condition of 4,097", condition(`assertion.sub == '${"a".repeat(4079)}'`), "BAD-VALUE"],
  [36, "a subject of 128 bytes", subject("a".repeat(128)), "GOOGLE-SUBJECT-SIZE"],
  [
    36,
    "one that the mapping makes longer",
    target(`mapping: { google.subject: "'x' + assertion.sub" }`, oidcWith(`subject: ${"a".repeat(127)}`)),
    "GOOGLE-SUBJECT-SIZE",
  ],
  [
    36,
    "8 KB of attributes",
    file([
      oidcWith(`subject: ${"a".repeat(250)}`),
      google(
        `mapping: { google.subject: "'x'", ${Array.from({ length: 50 }, (_, at) => `attribute.a${at}: assertion.sub`).join(", ")} }`,
      ),
    ]),
    "GOOGLE-SUBJECT-SIZE",
  ],
  [
    36,
    "a long role, whose sessions fit no more",
    from(`{ aws: { account: 123456789000, role: ${"r".repeat(64)} } }`),
    "warning GOOGLE-SUBJECT-SIZE",
  ],
  [
    36,
    "8 KB of attributes with a long session",
    mapping(
      `google.subject: assertion.userid, attribute.aws_role: "assertion.arn.extract('assumed-role/{r}/')", ${Array.from({ length: 49 }, (_, at) => `attribute.a${at}: assertion.arn`).join(", ")}`,
      `{ aws: { account: 123456789000, role: ${"r".repeat(64)} } }`,
    ),
    "warning GOOGLE-SUBJECT-SIZE",
  ],
  [
    36,
    "a pattern that fits long subjects",
    target(
      "grant: { attribute: { a: x } }, mapping: { google.subject: assertion.sub, attribute.a: assertion.a }",
      oidcWith("subjectLike: 'team-*'"),
    ),
    "warning GOOGLE-SUBJECT-SIZE",
  ],
  [
    37,
    "11 audiences",
    target(`audiences: [${Array.from({ length: 11 }, (_, at) => `a${at}`).join(", ")}]`),
    "BAD-VALUE",
  ],
  [37, "an audience of 257", target(`audiences: [${"a".repeat(257)}]`), "BAD-VALUE"],
  [38, "an issuer by name", from("okta"), "BAD-VALUE"],
  [
    39,
    "two links in a ring",
    file(
      ["{ google: { project: acme-prod, serviceAccount: sa-one } }", aws("role-one")],
      ["{ aws: { account: 111122223333, role: role-one } }", google("serviceAccount: sa-one")],
    ),
    "LINKS-CYCLE",
  ],
  [40, "a subject twice in a list", subject("[alice, bob, alice]"), "BAD-VALUE"],
  [
    40,
    "a subject twice to one role",
    file([oidc, aws("r")], [oidcWith("subject: [bob, alice]"), aws("r")]),
    "LINKS-TWICE",
  ],
  [
    40,
    "a role twice to one account",
    file([role, google("serviceAccount: etl-sink")], [role, google("serviceAccount: etl-sink")]),
    "LINKS-TWICE",
  ],
  [
    36,
    "google's own mapping, whose aws_role is a whole ARN, and the bare name granted (trap 19)",
    target(
      `grant: { attribute: { aws_role: r1 } }, mapping: { google.subject: assertion.arn, attribute.aws_role: "assertion.arn.extract('{a}assumed-role/') + 'assumed-role/' + assertion.arn.extract('assumed-role/{r}/')" }`,
      role,
    ),
    "GOOGLE-MAPPING-MISFIT",
  ],
  [
    36,
    "another role granted than the one that is meant",
    target("grant: { attribute: { aws_role: r2 } }", role),
    "GOOGLE-MAPPING-MISFIT",
  ],
  [42, "a project by its number", named("project: 123456789012, pool: partners, poolProvider: prov"), "BAD-VALUE"],
  [42, "an audience with the project's id", target(`audiences: ['${byId}']`), "GOOGLE-AUDIENCE"],
  [42, "the same with https:", target(`audiences: ['https:${byId}']`), "GOOGLE-AUDIENCE"],
  [
    42,
    "the same as clientId",
    from(`{ oidc: { issuer: https://idp.example.com, clientId: '${byId}', subject: alice } }`),
    "GOOGLE-AUDIENCE",
  ],
  ...[
    "true",
    "1==1",
    "assertion.sub != ''",
    "true || assertion.sub == 'x'",
    "has(assertion.sub)",
    "assertion.sub.matches('.*')",
    "assertion.sub.startsWith('')",
    "assertion.sub != 'mallory'",
    "assertion.email != ''",
    "google.subject != ''",
    "assertion.iss == 'https://idp.example.com'",
    "assertion.aud == 'app'",
    "'app' in assertion.aud",
  ].map((text) => [105, text, condition(text), "GOOGLE-CONDITION-BROAD"] as const),
  ...["true", "assertion.arn != ''", "assertion.account.size() == 12"].map(
    (text) => [105, `${text}, of aws`, condition(text, role), "GOOGLE-CONDITION-BROAD"] as const,
  ),
  ...["", "   "].map((text) => [105, `${JSON.stringify(text)} as condition`, condition(text), "BAD-VALUE"] as const),
  [
    105,
    "any branch of GitHub",
    condition("assertion.ref == 'refs/heads/main'", github("subject: 'repo:acme/x:ref:refs/heads/main'")),
    "GOOGLE-CONDITION-BROAD",
  ],
  [
    105,
    "any repository of GitHub",
    condition("assertion.sub.startsWith('repo:')", github("subject: 'repo:acme/x:ref:refs/heads/main'")),
    "GOOGLE-CONDITION-BROAD",
  ],
  [
    105,
    "any that has a slash in it",
    condition("assertion.repository.matches('.*/.*')", github("subject: 'repo:acme/x:ref:refs/heads/main'")),
    "GOOGLE-CONDITION-BROAD",
  ],
  [105, "whoever has a mail that was verified", condition("assertion.email_verified"), "GOOGLE-CONDITION-BROAD"],
  [
    106,
    "a mapping that makes the same of everybody",
    target("grant: { attribute: { a: all } }, mapping: { google.subject: assertion.sub, attribute.a: \"'all'\" }"),
    "security BROAD-SUBJECT",
  ],
  [
    103,
    "whoever may speak as any account of the project",
    file([
      oidc,
      google(),
      "[ { role: roles/iam.workloadIdentityUser, resources: [ //cloudresourcemanager.googleapis.com/projects/acme-prod ] } ]",
    ]),
    "GOOGLE-PRIVILEGED",
  ],
  [37, "audiences of a pool provider for aws", target("audiences: [x]", role), "GOOGLE-AUDIENCE"],
  [
    29,
    "an arn of another account",
    from("{ aws: { account: 123456789000, arn: 'arn:aws:iam::999999999999:user/x' } }"),
    "AWS-WRONG-ACCOUNT",
  ],
  [
    107,
    "one subject of two issuers in one pool",
    file(
      [oidc, google()],
      [
        oidc.replace("idp.example", "two.example"),
        google("", "project: acme-prod, pool: partners, poolProvider: other"),
      ],
    ),
    "security GOOGLE-SHARED-PRINCIPAL",
  ],
  [
    107,
    "one role's name in two accounts, in one pool",
    file(
      [role, google()],
      [
        role.replace("123456789000", "210987654321"),
        google("", "project: acme-prod, pool: partners, poolProvider: other"),
      ],
    ),
    "security GOOGLE-SHARED-PRINCIPAL",
  ],
  [
    105,
    "every caller of the account",
    condition("assertion.account == '123456789000'", role),
    "warning GOOGLE-CONDITION-BROAD",
  ],
  [
    105,
    "every repository of one's own organization at GitHub",
    condition("assertion.repository_owner_id == '777'", github("subject: 'repo:acme/x:ref:refs/heads/main'")),
    "security GOOGLE-CONDITION-BROAD",
  ],
  [105, "a condition that is no question", condition("assertion.sub"), "GOOGLE-EXPRESSION"],
  [
    105,
    "all of GitHub",
    condition("assertion.aud == 'sts'", github("subject: 'repo:acme/x:ref:refs/heads/main'")),
    "GOOGLE-CONDITION-BROAD",
  ],
  [105, "a condition that turns the workload away", condition("assertion.sub == 'bob'"), "GOOGLE-CONDITION-FALSE"],
  [105, "a condition on what is not mapped", condition("attribute.team == 'a'"), "GOOGLE-MAPPING-MISFIT"],
  [105, "a mapping to no text", mapping(`google.subject: "assertion.sub == 'x'"`), "GOOGLE-MAPPING-FAILS"],
  [106, "a whole pool", target("grant: pool"), "security BROAD-SUBJECT"],
  [
    106,
    "a whole pool as a group",
    target("grant: { group: '*' }, mapping: { google.subject: assertion.sub, google.groups: assertion.groups }"),
    "BAD-VALUE",
  ],
  [
    106,
    "a whole pool as an attribute",
    target("grant: { attribute: { a: '*' } }, mapping: { google.subject: assertion.sub, attribute.a: assertion.a }"),
    "BAD-VALUE",
  ],
  [107, "blanks and quotes", subject(`"x' || true || '"`), "BAD-VALUE"],
  [
    108,
    "allUsers as a resource",
    file([oidc, google(), "[ { role: roles/storage.objectViewer, resources: [ allUsers ] } ]"]),
    "BAD-VALUE",
  ],
  [108, "allUsers as a subject", subject("allUsers"), "GOOGLE-PUBLIC"],
  [
    108,
    "allAuthenticatedUsers as a group",
    target(
      "grant: { group: allAuthenticatedUsers }, mapping: { google.subject: assertion.sub, google.groups: assertion.groups }",
    ),
    "GOOGLE-PUBLIC",
  ],
  [108, "allUsers as an account", target("serviceAccount: allUsers"), "BAD-VALUE"],
];

describe("bad input of links to google", () => {
  test.each(bad)("%i %s", (_, __, text, code) => {
    expect(told(text)).toContain(code);
  });
});

describe("its good neighbours", () => {
  test.each([
    ["ids of 4 and of 32", named(`project: acme-prod, pool: abcd, poolProvider: ${"a".repeat(32)}`)],
    ["50 attributes", attributes(50)],
    ["a subject of 127 bytes", subject("a".repeat(127))],
    ["quotes in a subject, which stay in it", subject(`"x'||true||'"`)],
    [
      "one instance of a role, by the session that it has",
      target("grant: { attribute: { aws_ec2_instance: i-0123456789abcdef0 } }", role),
    ],
    [
      "a claim that the file says nothing of",
      target(
        "grant: { attribute: { team: a } }, mapping: { google.subject: assertion.sub, attribute.team: assertion.team }",
      ),
    ],
    ["ten audiences", target(`audiences: [${Array.from({ length: 10 }, (_, at) => `a${at}`).join(", ")}]`)],
    ["an audience with the number", target(`audiences: ['${byId.replace("acme-prod", "123456789012")}']`)],
    [
      "google's own example for aws",
      condition("assertion.arn.startsWith('arn:aws:sts::123456789000:assumed-role/')", role),
    ],
    ["a condition on one's own flag", condition("assertion.is_admin")],
    [
      "one's own repository at GitHub",
      condition("assertion.repository_id == '777'", github("subject: 'repo:acme/x:ref:refs/heads/main'")),
    ],
    [
      "one subject of two issuers in two pools",
      file(
        [oidc, google()],
        [
          oidc.replace("idp.example", "two.example"),
          google("", "project: acme-prod, pool: others, poolProvider: other"),
        ],
      ),
    ],
    ["a group in a condition", condition("'platform' in assertion.groups")],
    [
      "an attribute in a condition",
      target(
        "mapping: { google.subject: assertion.sub, attribute.repo: assertion.repository }, condition: \"attribute.repo == 'acme/x'\"",
      ),
    ],
    [
      "an attribute that need not be there",
      condition("has(attribute.team) && attribute.team == 'a' || assertion.sub == 'alice'"),
    ],
    ["one subject to two roles", file([oidc, aws("aa")], [oidc, aws("bb")])],
    ["two subjects to one role", file([oidc, aws("aa")], [oidcWith("subject: bob"), aws("aa")])],
    ["one subject for two clients", file([oidc, aws("aa")], [oidc.replace("app", "other"), aws("aa")])],
    [
      "one way and another way back",
      file(
        ["{ google: { project: acme-prod, serviceAccount: sa-one } }", aws("role-one")],
        ["{ aws: { account: 111122223333, role: role-two } }", google("serviceAccount: sa-one")],
      ),
    ],
  ])("%s", (_, text) => {
    expect(told(text)).toEqual([]);
  });

  // Catches a search for rings that starts anew at each of many links.
  test("a ring of five is told once, with the way around; a thousand links beside it cost little", () => {
    const way = Array.from({ length: 3 }, (_, at): readonly [string, string] => [
      `{ google: { project: acme-prod, serviceAccount: step-${at} } }`,
      aws(`step-${at}`),
    ]);
    const back = [0, 1].map((at): readonly [string, string] => [
      `{ aws: { account: 111122223333, role: step-${at} } }`,
      google(`serviceAccount: step-${at + 1}`),
    ]);
    const [open, closed] = [
      file(...way, ...back),
      file(...way, ...back, [`{ aws: { account: 111122223333, role: step-2 } }`, google("serviceAccount: step-0")]),
    ];
    expect(told(open)).not.toContain("LINKS-CYCLE");
    expect(told(closed).filter((code) => code === "LINKS-CYCLE")).toHaveLength(1);
    expect(told(manyLinks(1000))).not.toContain("LINKS-CYCLE");
  });
});

describe("a token of the wrong issuer", () => {
  const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
  const [v1, v2] = [`https://sts.windows.net/${tenant}/`, `https://login.microsoftonline.com/${tenant}/v2.0`];
  const other = v2.replace("72f988bf", "00000000");
  test.each([
    ["85 version 2 where 1 is believed", v1, v2, /^the token is of version 2: tokenVersion: 2/],
    ["85 version 1 where 2 is believed", v2, v1, /^the token is of version 1: tokenVersion: 1/],
    ["another tenant", v1, other, /^crosstrust plan/],
    ["another issuer", "https://idp.example.com", v1, /^crosstrust plan/],
  ])("%s names both, and says what to do", (_, wants, says, fix) => {
    const cause = causeOfRows([{ key: "iss", wants, says, readFrom: "iss", ok: false }], "azure");
    expect(cause).toMatchObject({ code: "GOOGLE-ISSUER", says: expect.stringContaining(wants) });
    expect(cause.says).toContain(says);
    expect(cause.fix[0]).toMatch(fix);
  });
});
