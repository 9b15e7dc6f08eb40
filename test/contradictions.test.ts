import { describe, expect, test } from "vitest";
import { lintFile } from "../src/file/lint.ts";
import { readFederation } from "../src/file/read.ts";
import { parties, shapes } from "../src/parties/index.ts";

// A field means what it says: no field overrides or contradicts another one in silence.

const account = "111122223333";
const file = (from: string, to: string, may = "[]"): string =>
  `crosstrust: 1\nname: acme\nlinks:\n  x:\n    from: ${from}\n    to: ${to}\n    may: ${may}\n`;
const told = (text: string): readonly string[] => {
  const { federation, findings } = readFederation("f.yaml", Buffer.from(text), shapes);
  const all = federation ? lintFile({ federation, parties, allowPrivileged: [], maxLinks: 9 }) : findings;
  return all
    .filter(({ severity }) => severity === "error")
    .map(({ code, at, fix }) => {
      const line = text.split("\n")[(at.place?.line ?? 1) - 1] ?? "";
      const where = line
        .slice((at.place?.column ?? 1) - 1)
        .replace(/^"/, "")
        .split(/[ ,}\]"]/)[0];
      return `${code} ${where} ${fix[0] === undefined ? "" : "->"}`;
    });
};

const issuer = "https://idp.example.com";
const oidc = (more: string, url = issuer) => `{ oidc: { issuer: "${url}", clientId: app, subject: alice, ${more} } }`;
const aws = (more = "") => `{ aws: { account: ${account}, role: engineers${more && `, ${more}`} } }`;
const google = (more = "") =>
  `{ google: { project: acme-prod, pool: partners, poolProvider: prov${more && `, ${more}`} } }`;
const github = "https://token.actions.githubusercontent.com";
const keycloak = "https://sso.acme.example/realms/acme";

describe("claims that another field sets", () => {
  test.each(["sub", "aud", "oaud", "iss", "exp", "iat", "nbf"])("%s is refused with the field to use", (claim) => {
    expect(told(file(oidc(`claims: { ${claim}: other-1 }`), aws()))).toEqual(["CLAIM-RESERVED other-1 ->"]);
    expect(told(file(oidc(`claims: { ${claim}: other-1 }`), google()))).toContain("CLAIM-RESERVED other-1 ->");
  });

  test("azp is refused where the link goes to aws, and where the client id sets it", () => {
    expect(told(file(oidc("claims: { azp: other-1 }"), aws()))).toEqual(["CLAIM-RESERVED other-1 ->"]);
    expect(told(file(oidc("claims: { azp: other-1 }", keycloak), google()))).toEqual(["CLAIM-RESERVED other-1 ->"]);
    expect(told(file(oidc("claims: { azp: other-1 }"), google()))).toEqual([]);
  });

  test("another spelling is the same claim to aws, and another one to google", () => {
    expect(told(file(oidc("claims: { Sub: other-1 }"), aws()))).toContain("CLAIM-RESERVED other-1 ->");
    expect(told(file(oidc("claims: { Sub: other-1 }"), google()))).toEqual([]);
  });

  test("amr is refused where aws lists the keys of the issuer without it", () => {
    expect(told(file(oidc("claims: { amr: mfa }", github), aws()))).toEqual(["AWS-KEY-NEVER-THERE mfa ->"]);
    expect(told(file(oidc("claims: { amr: mfa }"), aws()))).toEqual([]);
  });

  test("other claims are pinned", () => {
    expect(told(file(oidc("claims: { email: a@b.example }"), aws()))).toEqual([]);
    expect(told(file(oidc("claims: { repository_id: 7 }", github), aws()))).toEqual([]);
  });
});

const theirs = "999999999999";
const roleOf = (arn: string, more = "") => `{ aws: { account: ${account}, role: "${arn}"${more && `, ${more}`} } }`;
const caller = (more: string) => `{ aws: { account: ${account}, ${more} } }`;
const on = (project: string) => `//cloudresourcemanager.googleapis.com/projects/${project}`;
const entra =
  "tenant: 72f988bf-86f1-41af-91ab-2d7cd011db47, application: api://my-app, subject: 9f3c1e2a-0000-4000-8000-000000000001";
const client = (digit: number) => `${String(digit).repeat(8)}-0000-4000-8000-000000000001`;

describe("fields that contradict each other", () => {
  test.each<readonly [string, string, string]>([
    ["a used role of another account", file(oidc(""), roleOf(`arn:aws:iam::${theirs}:role/x`)), "arn"],
    ["a used role at another path", file(oidc(""), roleOf(`arn:aws:iam::${account}:role/a/x`, "path: /b/")), "/b/"],
    [
      "a used role at another path than the default, stated",
      file(oidc(""), roleOf(`arn:aws:iam::${account}:role/x`, "path: /crosstrust/")),
      "/crosstrust/",
    ],
    ["a used role of another partition", file(oidc(""), roleOf(`arn:aws-cn:iam::${account}:role/x`)), "arn"],
    [
      "a boundary for a used role",
      file(oidc(""), roleOf(`arn:aws:iam::${account}:role/x`, `boundary: arn:aws:iam::${account}:policy/b`)),
      "arn",
    ],
    ["a boundary of another account", file(oidc(""), aws(`boundary: arn:aws:iam::${theirs}:policy/b`)), "arn"],
    ["a boundary of another partition", file(oidc(""), aws(`boundary: arn:aws-cn:iam::${account}:policy/b`)), "arn"],
    ["a policy of another account", file(oidc(""), aws(), `[ arn:aws:iam::${theirs}:policy/b ]`), "arn"],
    ["a policy of another partition", file(oidc(""), aws(), "[ arn:aws-cn:iam::aws:policy/ReadOnlyAccess ]"), "arn"],
    [
      "resources of another partition",
      file(oidc(""), aws("region: cn-north-1"), '[ { allow: [ "s3:GetObject" ], resources: [ "arn:aws:s3:::b/*" ] } ]'),
      "arn:aws:s3",
    ],
    [
      "one resource of another partition",
      file(
        oidc(""),
        aws(),
        '[ { allow: [ "s3:GetObject" ], resources: [ "arn:aws:s3:::a", "arn:aws-us-gov:s3:::b" ] } ]',
      ),
      "arn:aws-us-gov",
    ],
    ["an operator's role of another account", file(oidc(""), aws(`assumeRole: arn:aws:iam::${theirs}:role/op`)), "arn"],
    ["a session of another partition", file(caller(`arn: "arn:aws-cn:iam::${account}:user/x"`), google()), "arn"],
    [
      "a workload's role of another account",
      file(caller(`role: w, assumeRole: arn:aws:iam::${theirs}:role/w`), google()),
      "arn",
    ],
    [
      "another role to speak for the workload",
      file(caller(`role: w, assumeRole: arn:aws:iam::${account}:role/v`), google()),
      "arn",
    ],
    [
      "audiences that a jwt of aws does not have",
      file(caller("role: w, proof: outbound-jwt"), google("audiences: [ other ]")),
      "[",
    ],
    [
      "an account of another project",
      file("{ google: { project: acme-prod, serviceAccount: a-bc@other-prod.iam.gserviceaccount.com } }", aws()),
      "a-bc@other-prod.iam.gserviceaccount.com",
    ],
    [
      "the default account of another project",
      file("{ google: { project: acme-prod, serviceAccount: other-prod@appspot.gserviceaccount.com } }", aws()),
      "other-prod@appspot.gserviceaccount.com",
    ],
    [
      "an audience that the issuer's tokens cannot have beside the client id",
      file(oidc("", github), aws("audience: other")),
      "app",
    ],
    [
      "a client that mints and another that is named",
      file(oidc("mint: { clientCredentials: { clientId: other, assertion: google } }", keycloak), aws()),
      "{",
    ],
    [
      "a client of entra that mints and another that is named",
      file(
        `{ entra: { ${entra}, clientId: ${client(1)}, mint: { clientCredentials: { clientId: ${client(2)}, assertion: google } } } }`,
        aws(),
      ),
      client(1),
    ],
    [
      "a custom role of another project",
      file(oidc(""), google(), `[ { role: projects/other-prod/roles/r, resources: [ "${on("acme-prod")}" ] } ]`),
      "{",
    ],
  ])("%s is an error at its place", (_, text, where) => {
    const found = told(text);
    expect(found.length).toBeGreaterThan(0);
    for (const one of found) expect(one).toMatch(/ ->$/);
    for (const one of found)
      expect(one.slice(0, `FIELDS-CONTRADICT ${where}`.length)).toBe(`FIELDS-CONTRADICT ${where}`);
  });

  test("audiences without the application of entra are an error", () => {
    expect(told(file(`{ entra: { ${entra} } }`, google("audiences: [ other ]"))).join()).toContain("ENTRA-AUDIENCE");
    expect(told(file(`{ entra: { ${entra} } }`, google("audiences: [ 'api://my-app', other ]")))).toEqual([]);
  });

  test.each<readonly [string, string]>([
    ["a used role that says nothing twice", file(oidc(""), roleOf(`arn:aws:iam::${account}:role/a/x`))],
    ["a used role with its own path", file(oidc(""), roleOf(`arn:aws:iam::${account}:role/a/x`, "path: /a/"))],
    ["a used role of china", file(oidc(""), roleOf(`arn:aws-cn:iam::${account}:role/x`, "region: cn-north-1"))],
    [
      "resources of any partition, and of other accounts",
      file(
        oidc(""),
        aws("region: us-gov-west-1"),
        `[ { allow: [ "s3:GetObject", "sqs:SendMessage" ], resources: [ "arn:aws*:s3:::b/*", "arn:*:s3:::c", "arn:aws-us-gov:sqs:us-gov-west-1:${theirs}:q", "*" ] } ]`,
      ),
    ],
    ["a boundary of aws", file(oidc(""), aws("boundary: arn:aws:iam::aws:policy/PowerUserAccess"))],
    ["its own role to speak for it", file(caller(`role: w, assumeRole: arn:aws:iam::${account}:role/p/w`), google())],
    [
      "an account of another project at the end of a link",
      file(oidc(""), google("serviceAccount: a-bc@other-prod.iam.gserviceaccount.com")),
    ],
    [
      "the default account of a project by its number",
      file("{ google: { project: acme-prod, serviceAccount: 12345-compute@developer.gserviceaccount.com } }", aws()),
    ],
    ["an audience beside the client id where nothing is known of the issuer", file(oidc(""), aws("audience: other"))],
    ["an audience beside the client id where tokens have both", file(oidc("", keycloak), aws("audience: other"))],
  ])("%s is none", (_, text) => {
    expect(told(text)).toEqual([]);
  });
});
