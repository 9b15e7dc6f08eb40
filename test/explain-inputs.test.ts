import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { World } from "../src/model.ts";
import { mintBy } from "../src/run/minting.ts";
import { notAToken } from "../src/run/token-text.ts";
import { troubleOf } from "../src/run/trouble.ts";
import { account } from "./support/bench.ts";
import { stage } from "./support/cli.ts";

// Whoever asks why a token is refused has files that are nearly the right ones. A file that is taken for something it is not
// would end in a verdict about nothing.

const oidc = readFileSync(new URL("../examples/oidc-to-aws.yaml", import.meta.url), "utf8");
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = `${part({ alg: "RS256", kid: "k" })}.${part({ sub: "x" })}.c2ln`;

describe("notAToken", () => {
  test.each([
    ["nothing", " \n", "is empty"],
    ["a path", "/var/run/secrets/token\n", "holds a path"],
    ["a path of this folder", "./token", "holds a path"],
    ["a path of Windows", "C:\\tokens\\token", "holds a path"],
    ["text behind it", `${jwt} 11:11:49 v3.go:79] EOF\n`, "has text after the token"],
    ["text in front", `token ${jwt}`, "has text before the token"],
    ["the value of a header", `Bearer ${jwt}`, "starts with Bearer"],
    ["a whole header", `Authorization: bearer ${jwt}`, "starts with Bearer"],
    ["a variable", `export TOKEN="${jwt}"`, "holds a variable"],
    ["a variable's name", "$TOKEN", "holds the name of a variable"],
    ["an answer of an issuer", JSON.stringify({ access_token: jwt, expires_in: 1 }), "the token is its access_token"],
    ["an answer of GitHub", JSON.stringify({ count: 1, value: jwt }), "the token is its value"],
    ["an answer of kubectl", JSON.stringify({ status: { token: jwt } }), "the token is its status.token"],
    ["a text of JSON", JSON.stringify(jwt), "has quotes around the token"],
    ["claims", JSON.stringify({ iss: "https://a", sub: "b" }), "holds claims"],
    ["an encrypted token", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aXY.Y2lwaA.dGFn", "is an encrypted token"],
    ["two tokens", `${jwt}\n${jwt}`, "holds several tokens"],
    ["lines within it", `${jwt.slice(0, 30)}\n${jwt.slice(30)}`, "has line ends or blanks"],
    ["no signature", `${jwt.split(".").slice(0, 2).join(".")}.`, "without a signature"],
    ["base64 of it", Buffer.from(jwt).toString("base64"), "encoded in base64 once more"],
    ["a token of Google", "ya29.a0AfH6SMB", "access token of google"],
    ["a key", "-----BEGIN PRIVATE KEY-----\nMII", "is PEM"],
    ["a web page", "<!DOCTYPE html><html></html>", "is a web page"],
  ])("%s", (_, text, what) => {
    expect(notAToken(text).what).toContain(what);
  });
});

const provider = `arn:aws:iam::${account}:oidc-provider/idp.example.com`;
const policy = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Federated: provider },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: { StringEquals: { "idp.example.com:sub": "job-7", "idp.example.com:aud": "aws-batch" } },
    },
  ],
};
const claims = { iss: "https://idp.example.com", sub: "job-7", aud: "aws-batch" };

async function scene(files: Readonly<Record<string, string | object>>) {
  const { b, cwd, ct } = await stage(oidc);
  for (const [name, held] of Object.entries(files))
    writeFileSync(join(cwd, name), typeof held === "string" ? held : JSON.stringify(held));
  return { b, ct };
}

describe("a trust policy", () => {
  const role = { Role: { RoleName: "x", AssumeRolePolicyDocument: policy } };
  test.each([
    ["the document", policy],
    ["an answer of get-role", role],
    [
      "that with an encoded document",
      { Role: { AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(policy)) } },
    ],
    ["an encoded document", encodeURIComponent(JSON.stringify(policy))],
    ["an answer of get-role as YAML", stringify(role)],
  ])("%s is judged", async (_, held) => {
    const { b, ct } = await scene({ claims, policy: held });
    const before = b.calls.length;
    const { exit, out } = await ct("explain --claims claims --trust-policy policy");
    expect([exit, out]).toEqual([0, expect.stringContaining("lets the token in")]);
    expect(b.calls.length).toBe(before);
  });

  test.each([
    ["an empty object", {}, "is an empty JSON object"],
    ["a policy of permissions", { Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] }, "permissions"],
    ["a policy without statements", { Version: "2012-10-17", Statement: [] }, "without a statement"],
    ["an answer of get-policy", { Policy: { PolicyName: "x" } }, "get-policy"],
    ["claims", claims, "claims of a token"],
    ["a federation file", oidc, "a federation file"],
    ["a token", jwt, "is a token"],
    ["a pool provider", { name: "x", attributeMapping: {} }, "a pool provider of google"],
  ])("%s is refused with what it is", async (_, held, what) => {
    const { ct } = await scene({ claims, policy: held });
    const { exit, err } = await ct("explain --claims claims --trust-policy policy");
    expect([exit, err]).toEqual([64, expect.stringContaining(what)]);
  });
});

describe("a refusal has the code and the fix of lint", () => {
  const eks = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF";
  const github = "token.actions.githubusercontent.com";
  const trusting = (prefix: string, condition: object) => ({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/${prefix}` },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: { StringEquals: condition },
      },
    ],
  });
  const of = (prefix: string, sub: string) => ({ iss: `https://${prefix}`, aud: "a", sub });
  test.each([
    [
      "ARN in the key",
      of(eks, "s"),
      trusting(eks, { [`arn:aws:iam::1:oidc-provider/${eks}:sub`]: "s" }),
      ["AWS-KEY-PREFIX", "the ARN of the OIDC provider stands in the place of its URL", `fix   write ${eks}:sub`],
    ],
    [
      "a slash",
      of("a.example.com", "s"),
      trusting("a.example.com/", { "a.example.com/:sub": "s" }),
      ["a slash at the end"],
    ],
    ["a path", of(`${github}/acme`, "s"), trusting(github, { [`${github}:sub`]: "s" }), ["an enterprise's own issuer"]],
    [
      "letter case",
      of(github, "repo:A/b:ref:x"),
      trusting(github, { [`${github}:sub`]: "repo:a/b:ref:x" }),
      ["letter case alone"],
    ],
    [
      "a missing end",
      of(github, "repo:a/b:ref:x"),
      trusting(github, { [`${github}:sub`]: "repo:a/b" }),
      ["repo:a/b:* as a pattern"],
    ],
    ["a surplus end", of(github, "repo:a/b"), trusting(github, { [`${github}:sub`]: "repo:a/b:x" }), ["has too much"]],
    [
      "ids",
      of(github, "repo:a@1/b@2:x"),
      trusting(github, { [`${github}:sub`]: "repo:a/b:x" }),
      ["write repo:a@1/b@2:x"],
    ],
    [
      "renamed",
      of(github, "repo:a@1/c@2:x"),
      trusting(github, { [`${github}:sub`]: "repo:a@1/b@2:x" }),
      ["was renamed"],
    ],
    [
      "transferred",
      of(github, "repo:z@9/b@2:x"),
      trusting(github, { [`${github}:sub`]: "repo:a@1/b@2:x" }),
      ["was transferred"],
    ],
    [
      "nothing near",
      of(github, "zzz"),
      trusting(github, { [`${github}:sub`]: "repo:a/b:x" }),
      ["fix   if this workload is meant"],
    ],
  ] as const)("%s", async (_, given, trust, said) => {
    const { ct } = await scene({ claims: given, policy: trust });
    const { exit, out } = await ct("explain --claims claims --trust-policy policy");
    expect(exit).toBe(3);
    for (const one of [...said, "AccessDenied: Not authorized to perform"]) expect(out).toContain(one);
  });
});

describe("a pool provider", () => {
  const pool = "projects/123456789012/locations/global/workloadIdentityPools/p";
  const found = {
    name: `${pool}/providers/x`,
    oidc: { issuerUri: "https://idp.example.com" },
    attributeMapping: { "google.subject": "assertion.sub", "attribute.repo": "assertion.repo" },
    attributeCondition: "assertion.sub == 'job-7' && assertion.repo == 'acme/app'",
  };
  const own = { ...claims, aud: `https://iam.googleapis.com/${pool}/providers/x`, repo: "acme/app" };
  const member = `principalSet://iam.googleapis.com/${pool}/attribute.repo/acme/app`;
  const bound = (one: string) => ({ bindings: [{ role: "roles/iam.workloadIdentityUser", members: [one] }] });

  test.each(["", "https:"])("without audiences its own name is taken as %s//", async (scheme) => {
    const { ct } = await scene({
      claims: { ...own, aud: `${scheme}//iam.googleapis.com/${pool}/providers/x` },
      x: stringify(found),
    });
    const { exit, out } = await ct("explain --claims claims --pool-provider x");
    expect([exit, out]).toEqual([0, expect.stringContaining(member)]);
  });

  test("one spelling in the list is not the other one, and the list alone counts", async () => {
    const listed = {
      ...found,
      oidc: { ...found.oidc, allowedAudiences: [`//iam.googleapis.com/${pool}/providers/x`] },
    };
    const { exit, out } = await (await scene({ claims: own, x: listed })).ct(
      "explain --claims claims --pool-provider x",
    );
    expect([exit, out]).toEqual([3, expect.stringContaining("the two spellings of the pool provider's own name")]);
  });

  test("a condition is told part by part, with values", async () => {
    const { ct } = await scene({ claims: { ...own, repo: "acme/other" }, x: found });
    const { exit, out } = await ct("explain --claims claims --pool-provider x");
    expect(exit).toBe(3);
    expect(out).toMatch(/ok +condition +assertion\.sub == 'job-7'/);
    expect(out).toMatch(/x +condition +assertion\.repo == 'acme\/app' +false; assertion\.repo is "acme\/other"/);
    expect(out).toContain("unauthorized_client: The given credential is rejected by the attribute condition.");
  });

  test.each([
    ["the right one", member, 0, "its own policy lets it speak"],
    ["principal for a set", member.replace("principalSet", "principal"), 3, "written principalSet://"],
    ["the project's id", member.replace("123456789012", "acme-prod"), 3, "the project by its id"],
    ["another pool", member.replace("Pools/p/", "Pools/q/"), 3, "another pool"],
    ["two attributes", `${member}/attribute.ref/x`, 3, "two attributes in one"],
    ["a pattern", member.replace("app", "*"), 3, "a pattern"],
    ["attribute.subject", member.replace("attribute.repo/acme/app", "attribute.subject/job-7"), 3, "/subject/job-7"],
    ["letter case", member.replace("acme/app", "Acme/app"), 3, "letter case alone"],
  ])("a member of an account: %s", async (_, one, exit, said) => {
    const { ct } = await scene({ claims: own, x: found, policy: stringify(bound(one)) });
    const ran = await ct("explain --claims claims --pool-provider x --iam-policy policy");
    expect([ran.exit, ran.out]).toEqual([exit, expect.stringContaining(said)]);
  });

  test.each([
    ["claims", claims],
    ["an IAM policy of google", bound(member)],
    ["a trust policy", policy],
  ])("%s in its place is refused", async (_, held) => {
    const { ct } = await scene({ claims: own, x: held });
    expect((await ct("explain --claims claims --pool-provider x")).exit).toBe(64);
  });

  test("of aws: a caller is judged, a token is not taken", async () => {
    const aws = {
      name: `${pool}/providers/aws`,
      aws: { accountId: "123456789012" },
      attributeMapping: { "google.subject": "assertion.arn" },
      attributeCondition: "assertion.arn.contains('/report-writer/')",
    };
    const caller = {
      UserId: "AROA:s",
      Account: "123456789012",
      Arn: "arn:aws:sts::123456789012:assumed-role/report-writer/s",
    };
    const { ct } = await scene({ caller, claims, aws });
    const judged = await ct("explain --token caller --pool-provider aws");
    expect([judged.exit, judged.out]).toEqual([0, expect.stringContaining("lets the caller in")]);
    expect((await ct("explain --token claims --pool-provider aws")).exit).toBe(3);
    expect((await ct("explain --token caller --trust-policy aws")).exit).toBe(64);
  });
});

describe("standard input", () => {
  test("holds the token, or the trust, and not both", async () => {
    const { ct } = await scene({ claims, policy });
    const { exit, out } = await ct("explain --claims - --trust-policy policy", { input: JSON.stringify(claims) });
    expect([exit, out]).toEqual([0, expect.stringContaining("lets the token in")]);
    const trust = await ct("explain --claims claims --trust-policy -", { input: JSON.stringify(policy) });
    expect(trust.exit).toBe(0);
    expect((await ct("explain --claims - --trust-policy -", { input: "{}" })).exit).toBe(64);
  });
});

describe("mint: { tokenFile }", () => {
  test("a file that is no token says what it is, and no fix says to run it again", async () => {
    const minting = (path: string) =>
      mintBy({ tokenFile: path }, { service: "oidc", clientCredentials: async () => "" }, {} as World);
    const { cwd } = await stage(oidc);
    const path = join(cwd, "token");
    writeFileSync(path, `Bearer ${jwt}`);
    const error = await minting(path).catch((failed: unknown) => failed);
    const { code, says, fix, asks } = troubleOf(error, {});
    expect([code, asks]).toEqual(["TOKEN-UNREADABLE", "untold"]);
    expect(says).toContain("starts with Bearer");
    expect(fix.join()).toContain("the token is what follows it");
    expect(says).not.toContain(jwt.slice(0, 20));
  });
});

test("lint warns of a grant that names two attributes in one member", async () => {
  const text = `crosstrust: 1
name: acme
links:
  gh-deploy:
    from: { oidc: { issuer: https://token.actions.githubusercontent.com, clientId: gcp, subject: "repo:acme/app:ref:refs/heads/main", claims: { repository_id: 123 } } }
    to:
      google:
        project: acme-prod
        pool: gh-pool
        poolProvider: github
        serviceAccount: deployer
        mapping: { google.subject: assertion.sub, attribute.repository: assertion.repository, attribute.ref: assertion.ref }
        grant: { attribute: { repository: acme/app/attribute.ref/refs/heads/main } }
    may:
      - { role: roles/storage.objectAdmin, resources: [ //storage.googleapis.com/projects/_/buckets/acme-state ] }
    prove: judge
`;
  const { ct } = await stage(text);
  const { exit, out } = await ct("lint");
  expect([exit, out]).toEqual([0, expect.stringContaining("a member names one attribute")]);
});
