import type { Hop, Past, Report, Sides, Verdict } from "../../src/model.ts";

// Reports to be shown: one in which everything happens, and one that is well.

const hop = (step: Hop["step"], ms: number, saw: string, more: Partial<Hop> = {}): Hop => ({
  step,
  result: "ok",
  ...(more.result === "skipped" ? {} : { how: "proved" as const }),
  ms,
  saw,
  ...more,
});
const arn = (role: string): string => `arn:aws:sts::111122223333:assumed-role/${role}/crosstrust-health`;
const others = "a wrong audience and a wrong subject were turned away";

const sides = (link: string, from: [string, string], issuer: string, to: string, may: readonly string[]): Sides => ({
  link,
  from: { party: from[0], title: from[1] },
  to: { party: "aws", title: to, scope: "111122223333" },
  issuer,
  audience: `crosstrust/acme/${link}`,
  may,
});

const all: readonly Sides[] = [
  sides("reports-to-s3", ["google", "reports@acme-prod"], "accounts.google.com", "role reports-reader", [
    "AmazonS3ReadOnlyAccess",
  ]),
  sides("etl-to-s3", ["google", "etl@acme-prod"], "accounts.google.com", "role etl-writer", [
    "s3:PutObject on arn:aws:s3:::acme-etl/*",
    "s3:GetObject on arn:aws:s3:::acme-etl/*",
  ]),
  sides("billing-to-s3", ["google", "billing@acme-prod"], "accounts.google.com", "role reports-reader", [
    "AmazonS3ReadOnlyAccess",
  ]),
  sides("okta-engineers", ["oidc", "user-123"], "idp.example.com", "role engineers", ["ReadOnlyAccess"]),
  sides(
    "entra-app",
    ["entra", "9f3c1e2a-0000-4000-8000-000000000001"],
    "sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
    "role azure-app",
    ["ReadOnlyAccess"],
  ),
];

const hopsOf = (role: string, ms: readonly [number, number, number, number]): readonly Hop[] => [
  hop("mint", ms[0], "iamcredentials"),
  hop("exchange", ms[1], arn(role)),
  hop("whoami", ms[2], arn(role)),
  hop("refuse", ms[3], others),
];

const at = "2026-11-21T23:20:00.000Z";
const skipped = { result: "skipped" as const };

/** Every verdict but one, findings with evidence, a difference, and a link that has left the file. */
export const troubled: Report = {
  again: " --sandbox",
  sides: all,
  document: {
    tool: "0.1.0",
    world: "sandbox",
    deployment: "acme",
    at,
    verdict: "open",
    ms: 1840,
    links: [
      { link: "billing-to-s3", verdict: "works", hops: hopsOf("reports-reader", [84, 212, 95, 88]), changes: [] },
      {
        link: "reports-to-s3",
        verdict: "open",
        hops: [
          ...hopsOf("reports-reader", [79, 198, 91, 0]).slice(0, 3),
          hop("refuse", 102, "another subject of accounts.google.com got a session", {
            result: "no",
            finding: "AWS-SUB-MISSING",
          }),
        ],
        changes: [
          {
            address: "aws:role/111122223333/reports-reader",
            verb: "update",
            cause: "drifted",
            differences: [{ path: "trust.accounts.google.com:sub", desired: "107826859272070640966" }],
          },
        ],
      },
      {
        link: "okta-engineers",
        verdict: "broken",
        hops: [
          hop("mint", 310, "command"),
          hop("exchange", 140, "AccessDenied", { result: "no", finding: "AWS-TRUST-REFUSES" }),
          hop("whoami", 0, "", skipped),
          hop("refuse", 0, "judged over the live trust", { how: "judged" }),
        ],
        changes: [],
      },
      { link: "etl-to-s3", verdict: "works", hops: hopsOf("etl-writer", [81, 205, 99, 92]), changes: [] },
      {
        link: "entra-app",
        verdict: "unproved",
        hops: [
          hop("mint", 0, "", skipped),
          hop("exchange", 0, "the judge lets the declared claims in", { how: "judged" }),
          hop("whoami", 0, "", skipped),
          hop("refuse", 0, "the judge turns two strangers away", { how: "judged" }),
        ],
        changes: [],
      },
    ],
    findings: [
      {
        code: "AWS-TRUST-REFUSES",
        severity: "error",
        at: {
          address: "aws:role/111122223333/engineers",
          place: { file: "federation.yaml", line: 12, column: 11 },
        },
        says: "the token is for another audience than the trust policy names",
        because: [
          {
            key: "idp.example.com:aud",
            wants: "aws-access-client",
            says: "aws-access-client-2",
            readFrom: "aud",
            ok: false,
          },
          { key: "idp.example.com:sub", wants: "user-123", says: "user-123", readFrom: "sub", ok: true },
          { key: "aws:SourceIp", wants: "203.0.113.0/24", says: "(not in the token)", readFrom: "-", ok: "unknown" },
        ],
        fix: ["aws iam get-role --role-name engineers", "ask okta for a token of aws-access-client"],
        links: ["okta-engineers"],
      },
      {
        code: "ISSUER-CERTIFICATE-ENDS",
        severity: "warning",
        at: { address: "oidc:issuer/https/idp.example.com" },
        says: "the certificate of idp.example.com ends in 12 days",
        because: [],
        fix: ["have it renewed by whoever runs the issuer"],
      },
      {
        code: "AWS-SUB-MISSING",
        severity: "security",
        at: {
          address: "aws:role/111122223333/reports-reader",
          place: { file: "federation.yaml", line: 5, column: 11 },
        },
        says: "aws accepted every service account and user of accounts.google.com; the file names only 107826859272070640966",
        because: [
          {
            key: "accounts.google.com:oaud",
            wants: "aws-trust-1",
            says: "aws-trust-1",
            readFrom: "aud",
            ok: true,
          },
          {
            key: "accounts.google.com:sub",
            wants: "(no condition)",
            says: "118200000000000000001",
            readFrom: "sub",
            ok: true,
          },
        ],
        fix: ["crosstrust apply --sandbox"],
        links: ["reports-to-s3"],
      },
    ],
  },
};

const runs = (text: string): readonly Verdict[] =>
  [...text].map((letter) =>
    letter === "." ? "works" : letter === "!" ? "open" : letter === "x" ? "broken" : "drifted",
  );

/** What the checks before this one left behind. */
export const past: Past = {
  links: {
    "reports-to-s3": {
      since: "2026-11-21T20:05:00.000Z",
      lastGood: "2026-11-21T19:50:00.000Z",
      runs: runs(".................~~......!!!"),
    },
    "okta-engineers": {
      since: "2026-11-19T08:00:00.000Z",
      lastGood: "2026-11-19T07:45:00.000Z",
      runs: runs("...xxxxxxxxxxxxxxxxxxxxxxxxx"),
    },
    "etl-to-s3": { since: "2026-10-02T11:00:00.000Z", runs: runs("............................") },
  },
  alerts: [
    { link: "reports-to-s3", says: "somebody gets in whom the file does not name", since: "2026-11-21T20:05:00.000Z" },
  ],
};

/** Nothing to say but that it works. */
export const well: Report = {
  again: "",
  sides: all.slice(0, 2),
  document: {
    ...troubled.document,
    world: "cloud",
    verdict: "works",
    ms: 620,
    links: troubled.document.links
      .filter(({ link }) => link === "reports-to-s3" || link === "etl-to-s3")
      .map((link) => ({ ...link, verdict: "works", changes: [], hops: hopsOf("reports-reader", [84, 212, 95, 88]) })),
    findings: [],
  },
};
