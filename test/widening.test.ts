import { describe, expect, test } from "vitest";
import { type Policy, parsePolicy } from "../src/judge/aws/policy.ts";
import { compareTrusts } from "../src/judge/aws/widens.ts";
import type { PoolTrust } from "../src/judge/google/judge.ts";
import { comparePools, type Granted } from "../src/judge/google/widens.ts";
import type { Widening } from "../src/model.ts";
import { account, type Bench, bench, type Options } from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

// Whether a change lets somebody in who did not get in before. A wrong answer in one direction asks people for a consent to
// make a link safer, and in the other it opens a link without a word.

type Direction = Widening["direction"];

// ---- Trust policies of AWS

const policy = (...Statement: readonly object[]): Policy => {
  const parsed = parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement }));
  if (!parsed) throw new Error("no policy");
  return parsed;
};

const github = "token.actions.githubusercontent.com";
const idp = "idp.example.com";

type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

const allow = (host: string, Condition?: Conditions) => ({
  Effect: "Allow",
  Principal: {
    Federated: host === "accounts.google.com" ? host : `arn:aws:iam::${account}:oidc-provider/${host}`,
  },
  Action: "sts:AssumeRoleWithWebIdentity",
  ...(Condition ? { Condition } : {}),
});

const sub = (host: string, value: string | readonly string[]) => ({ [`${host}:sub`]: value });
const aud = { [`${github}:aud`]: "sts.amazonaws.com" };
const main = "repo:acme/app:ref:refs/heads/main";
const onMain = allow(github, { StringEquals: { ...aud, ...sub(github, main) } });
const anyRepository = allow(github, { StringEquals: aud, StringLike: sub(github, "repo:acme/*") });
const anyOwner = allow(github, { StringEquals: aud });
const user = allow(idp, { StringEquals: { [`${idp}:aud`]: "app", ...sub(idp, "user-1") } });
const google = "accounts.google.com";
const [one, other] = ["107517467455664443765", "107517467455664443766"];
const addressed = (range: string) =>
  allow(github, { StringEquals: { ...aud, ...sub(github, main) }, IpAddress: { "aws:SourceIp": range } });

const trusts: readonly (readonly [change: string, before: Policy, after: Policy, Direction])[] = [
  ["nothing", policy(onMain), policy(onMain), "neutral"],
  ["the same in two statements", policy(onMain), policy(onMain, onMain), "neutral"],
  ["every repository of the owner becomes one branch", policy(anyRepository), policy(onMain), "narrows"],
  ["one branch becomes every repository of the owner", policy(onMain), policy(anyRepository), "widens"],
  ["everybody becomes every repository of the owner", policy(anyOwner), policy(anyRepository), "narrows"],
  ["every repository of the owner becomes everybody", policy(anyRepository), policy(anyOwner), "widens"],
  [
    "another key is asked for beside a pattern",
    policy(anyRepository),
    policy(
      allow(github, {
        StringEquals: { ...aud, [`${github}:environment`]: "production" },
        StringLike: sub(github, "repo:acme/*"),
      }),
    ),
    "narrows",
  ],
  [
    "a pattern becomes a narrower one that is still broad",
    policy(allow(github, { StringEquals: aud, StringLike: sub(github, "repo:*") })),
    policy(anyRepository),
    "narrows",
  ],
  [
    "a second branch is named",
    policy(onMain),
    policy(allow(github, { StringEquals: { ...aud, ...sub(github, [main, main.replace("main", "dev")]) } })),
    "widens",
  ],
  [
    "one of two branches is taken out",
    policy(allow(github, { StringEquals: { ...aud, ...sub(github, [main, main.replace("main", "dev")]) } })),
    policy(onMain),
    "narrows",
  ],
  ["an address is asked for", policy(onMain), policy(addressed("198.51.100.7/32")), "narrows"],
  ["an address is no longer asked for", policy(addressed("198.51.100.7/32")), policy(onMain), "widens"],
  ["an address becomes another one", policy(addressed("198.51.100.7/32")), policy(addressed("192.0.2.7/32")), "widens"],
  ["every address becomes no condition", policy(addressed("0.0.0.0/0")), policy(onMain), "neutral"],
  [
    "a session's name is no longer asked for, which every caller chose",
    policy(allow(github, { StringEquals: { ...aud, ...sub(github, main), "sts:RoleSessionName": "nightly" } })),
    policy(onMain),
    "neutral",
  ],
  [
    "the subject is replaced",
    policy(user),
    policy(allow(idp, { StringEquals: { [`${idp}:aud`]: "app", ...sub(idp, "user-2") } })),
    "widens",
  ],
  [
    "the audience is replaced",
    policy(user),
    policy(allow(idp, { StringEquals: { [`${idp}:aud`]: "web", ...sub(idp, "user-1") } })),
    "narrows",
  ],
  [
    "the audience is no longer asked for",
    policy(user),
    policy(allow(idp, { StringEquals: sub(idp, "user-1") })),
    "widens",
  ],
  ["another issuer is trusted", policy(user), policy(user, onMain), "widens"],
  ["an issuer is no longer trusted", policy(user, onMain), policy(user), "narrows"],
  [
    "another account of Google is named",
    policy(allow(google, { StringEquals: sub(google, one) })),
    policy(allow(google, { StringEquals: sub(google, [one, other]) })),
    "widens",
  ],
  [
    "another account of AWS is named",
    policy(user),
    policy(user, { Effect: "Allow", Principal: { AWS: "999988887777" }, Action: "sts:AssumeRole" }),
    "widens",
  ],
  [
    "a condition on the external id is added for another account",
    policy({ Effect: "Allow", Principal: { AWS: "999988887777" }, Action: "sts:AssumeRole" }),
    policy({
      Effect: "Allow",
      Principal: { AWS: "999988887777" },
      Action: "sts:AssumeRole",
      Condition: { StringEquals: { "sts:ExternalId": "x" } },
    }),
    "narrows",
  ],
  ["a Deny is added", policy(anyRepository), policy(anyRepository, { ...onMain, Effect: "Deny" }), "narrows"],
  ["a Deny is taken away", policy(anyRepository, { ...onMain, Effect: "Deny" }), policy(anyRepository), "widens"],
  [
    "a condition with a variable is added",
    policy(onMain),
    policy(allow(github, { StringEquals: { ...aud, ...sub(github, main), "aws:PrincipalTag/x": "${aws:username}" } })),
    "narrows",
  ],
  [
    "a pattern is replaced by one with a variable",
    policy(onMain),
    policy(allow(github, { StringEquals: aud, StringLike: sub(github, "repo:${aws:PrincipalTag/x}/app:*") })),
    "undecided",
  ],
];

describe("a change of a trust policy", () => {
  test.each(trusts)("%s", (_, before, after, direction) => {
    expect(compareTrusts(before, after)).toMatchObject({ direction });
  });

  test("that widens names somebody who gets in", () => {
    expect(compareTrusts(policy(user), policy(user, onMain)).who).toBe(`the subject ${main} of ${github}`);
  });

  // Catches a comparison that only looks at those who get in after, of whom the first found got in before.
  test("that lets one in whom a negation kept out is found", () => {
    const but = (name: string) =>
      policy(allow(idp, { StringEquals: { [`${idp}:aud`]: "app" }, StringNotEquals: sub(idp, name) }));
    expect(compareTrusts(but("eve"), but("mallory"))).toEqual({
      direction: "widens",
      who: `the subject eve of ${idp}`,
    });
  });

  test("to an identity that is yet to be made widens", () => {
    const unborn = { $ref: "google:serviceAccount/acme-prod/more" as const, field: "uniqueId" };
    const [statement] = policy(allow(google, { StringEquals: sub(google, one) })).statements;
    const after: Policy = {
      version: "2012-10-17",
      statements: statement ? [{ ...statement, condition: { StringEquals: { [`${google}:sub`]: [unborn] } } }] : [],
    };
    expect(compareTrusts(policy(allow(google, { StringEquals: sub(google, one) })), after).direction).toBe("widens");
  });
});

// ---- Pool providers of Google

const mapping = { "google.subject": "assertion.sub" };
const fromGithub = (condition: string, more: Partial<PoolTrust> = {}): PoolTrust => ({
  type: "oidc",
  source: `https://${github}`,
  audiences: ["gcp"],
  name: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/github",
  mapping,
  condition,
  ...more,
});
const fromIdp = (condition: string, more: Partial<PoolTrust> = {}) =>
  fromGithub(condition, { source: `https://${idp}`, ...more });
const fromAws = (condition: string, more: Partial<PoolTrust> = {}) =>
  fromGithub(condition, {
    type: "aws",
    source: "123456789000",
    audiences: [],
    mapping: {
      "google.subject": "assertion.arn",
      "attribute.aws_role": "assertion.arn.extract('assumed-role/{role_name}/')",
    },
    ...more,
  });

const owner = "assertion.repository_owner_id == '4242'";
const app = "assertion.repository == 'acme/app'";
const session = (role: string) => `assertion.arn.startsWith('arn:aws:sts::123456789000:assumed-role/${role}/')`;
const withAttribute = (text: string) => ({ mapping: { ...mapping, "attribute.environment": text } });
const hard = "assertion.sub.frobnicate() == 'x'";

type Pool = readonly [PoolTrust, ...Granted[]];
const speaks = (tail: string): Granted => ({ what: "speaks as deployer", tail });
const reads = (tail: string): Granted => ({ what: "reads the bucket", tail });

const pools: readonly (readonly [change: string, before: Pool, after: Pool, Direction])[] = [
  ["nothing", [fromGithub(owner)], [fromGithub(owner)], "neutral"],
  ["a test is added", [fromGithub(owner)], [fromGithub(`${owner} && ${app}`)], "narrows"],
  [
    "a test is added around alternatives",
    [fromGithub(`${owner} || ${app}`)],
    [fromGithub(`(${owner} || ${app}) && assertion.ref == 'refs/heads/main'`)],
    "narrows",
  ],
  ["a test that cannot be judged is added", [fromGithub(owner)], [fromGithub(`${owner} && ${hard}`)], "narrows"],
  ["a test is taken away", [fromGithub(`${owner} && ${app}`)], [fromGithub(owner)], "widens"],
  ["a test that cannot be judged is all there is", [fromGithub(owner)], [fromGithub(hard)], "undecided"],
  ["the condition is taken away", [fromGithub(owner)], [fromGithub("")], "widens"],
  ["a condition is added", [fromGithub("")], [fromGithub(owner)], "narrows"],
  [
    "an alternative is added",
    [fromGithub(app)],
    [fromGithub(`(${app}) || (assertion.repository == 'acme/web')`)],
    "widens",
  ],
  [
    "an alternative is taken out",
    [fromGithub(`(${app}) || (assertion.repository == 'acme/web')`)],
    [fromGithub(app)],
    "narrows",
  ],
  ["the tests change places", [fromGithub(`${owner} && ${app}`)], [fromGithub(`${app} && ${owner}`)], "neutral"],
  [
    "a list holds the one text that was asked for",
    [fromGithub(app)],
    [fromGithub("assertion.repository in ['acme/app']")],
    "neutral",
  ],
  [
    "a name that only begins so becomes the name",
    [fromGithub("assertion.repository_owner.startsWith('acme')")],
    [fromGithub("assertion.repository_owner == 'acme'")],
    "narrows",
  ],
  [
    "a pattern loses its anchor",
    [fromGithub("assertion.repository.matches('^acme/app$')")],
    [fromGithub("assertion.repository.matches('acme/app')")],
    "widens",
  ],
  [
    "the other subject is shut out",
    [fromIdp("assertion.sub != 'eve'")],
    [fromIdp("assertion.sub != 'mallory'")],
    "widens",
  ],
  [
    "an unused attribute is dropped",
    [fromGithub(owner, withAttribute("assertion.environment"))],
    [fromGithub(owner)],
    "neutral",
  ],
  [
    "an unused attribute is added",
    [fromGithub(owner)],
    [fromGithub(owner, withAttribute("assertion.environment"))],
    "neutral",
  ],
  [
    "an attribute that is granted to is added with the grant in place of the subject",
    [fromGithub(owner), speaks("subject/repo:acme/app:environment:production")],
    [fromGithub(owner, withAttribute("assertion.environment")), speaks("attribute.environment/production")],
    "widens",
  ],
  [
    "a granted attribute becomes one text for everybody",
    [fromGithub(owner, withAttribute("assertion.environment")), speaks("attribute.environment/production")],
    [fromGithub(owner, withAttribute("'production'")), speaks("attribute.environment/production")],
    "widens",
  ],
  [
    "the subject becomes one text for everybody",
    [fromIdp("assertion.sub != ''")],
    [fromIdp("assertion.sub != ''", { mapping: { "google.subject": "'deployer'" } })],
    "widens",
  ],
  [
    "the mapping is spelt in another way",
    [fromIdp("assertion.sub != ''")],
    [fromIdp("assertion.sub != ''", { mapping: { "google.subject": "assertion['sub']" } })],
    "neutral",
  ],
  [
    "the whole pool gives way to one subject",
    [fromGithub(owner), speaks("*")],
    [fromGithub(owner), speaks(`subject/${main}`)],
    "narrows",
  ],
  [
    "one subject gives way to the whole pool",
    [fromGithub(owner), speaks(`subject/${main}`)],
    [fromGithub(owner), speaks("*")],
    "widens",
  ],
  [
    "something else is granted for the first time",
    [fromGithub(app), speaks(`subject/${main}`)],
    [fromGithub(app), speaks(`subject/${main}`), reads(`subject/${main}`)],
    "neutral",
  ],
  [
    "another issuer is believed",
    [fromIdp("assertion.sub == 'a'")],
    [fromIdp("assertion.sub == 'a'", { source: "https://idp.other.example" })],
    "widens",
  ],
  [
    "the issuer loses the slash at its end",
    [fromIdp("assertion.sub == 'a'", { source: `https://${idp}/` })],
    [fromIdp("assertion.sub == 'a'")],
    "neutral",
  ],
  [
    "another audience is taken",
    [fromIdp("assertion.sub == 'a'")],
    [fromIdp("assertion.sub == 'a'", { audiences: ["gcp", "web"] })],
    "neutral",
  ],
  ["another subject is asked for", [fromIdp("assertion.sub == 'a'")], [fromIdp("assertion.sub == 'b'")], "widens"],
  ["another account of AWS is believed", [fromAws("")], [fromAws("", { source: "999999999999" })], "widens"],
  ["another role is asked for", [fromAws(session("one"))], [fromAws(session("two"))], "widens"],
  ["one role in place of all", [fromAws("")], [fromAws(session("one"))], "narrows"],
  [
    "a role's name is no longer ended",
    [fromAws(session("one"))],
    [fromAws("assertion.arn.startsWith('arn:aws:sts::123456789000:assumed-role/one')")],
    "widens",
  ],
];

describe("a change of a pool provider and its grants", () => {
  test.each(pools)("%s", (_, [before, ...had], [after, ...has], direction) => {
    expect(comparePools({ trust: before, granted: had }, { trust: after, granted: has })).toMatchObject({ direction });
  });

  test("that widens names somebody who gets in", () => {
    const widening = comparePools(
      { trust: fromIdp("assertion.sub == 'a'"), granted: [] },
      { trust: fromIdp("assertion.sub in ['a', 'b']"), granted: [] },
    );
    expect(widening).toEqual({ direction: "widens", who: `b of https://${idp}` });
  });
});

test("at least thirty pairs of each cloud are compared", () => {
  expect([trusts.length + pools.length >= 30, trusts.length >= 15, pools.length >= 15]).toEqual([true, true, true]);
});

// ---- From the file to the clouds

const githubFile = (condition: string, grant = "attribute: { environment: production }") => `crosstrust: 1
name: acme
links:
  release:
    from:
      oidc:
        issuer: https://${github}
        clientId: gcp
        subject: "repo:acme/app:environment:production"
        claims: { repository_owner_id: "4242", repository: acme/app, environment: production }
    to:
      google:
        project: acme-prod
        pool: partners
        poolProvider: github
        serviceAccount: releaser
        mapping: { google.subject: assertion.sub, attribute.environment: assertion.environment }
        condition: ${JSON.stringify(condition)}
        grant: ${grant.includes(":") ? `{ ${grant} }` : grant}
    may: [ { role: roles/storage.objectViewer, resources: [ //storage.googleapis.com/projects/_/buckets/acme-releases ] } ]
`;
const providerPath = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/partners/providers/github";
const asked = async (b: Bench, file: string, consents: Options["consents"] = {}) =>
  (await b.plan(file, { consents })).plan.findings
    .map(({ code }) => code)
    .filter((code) => code === "TRUST-WIDENED" || code === "WIDENING-UNDECIDED");

describe("an edit of a condition that is applied", () => {
  test("adds a test: it is applied without a consent", async () => {
    const b = await bench();
    await b.apply(githubFile(owner));
    const narrower = githubFile(`${owner} && ${app}`);
    expect(await asked(b, narrower)).toEqual([]);
    await b.apply(narrower);
    expect((await b.google("GET", providerPath)).body.attributeCondition).toBe(`${owner} && ${app}`);
    expect((await b.health(narrower)).verdict).toBe("works");
  });

  test("takes a test away: it asks, and names somebody", async () => {
    const b = await bench();
    await b.apply(githubFile(`${owner} && ${app}`));
    const { plan } = await b.plan(githubFile(owner));
    const [found] = plan.findings.filter(({ code }) => code === "TRUST-WIDENED");
    expect(found?.says).toMatch(/for example repo:\S+ of https:\/\/token\.actions\.githubusercontent\.com$/);
    expect(await asked(b, githubFile(owner), { allowWiden: ["release"] })).toEqual([]);
  });

  test("cannot be judged: it says so, and asks", async () => {
    const b = await bench();
    await b.apply(githubFile(owner));
    const unknown = githubFile(`${app} && assertion.sub.frobnicate() == 'x'`);
    expect(await asked(b, unknown)).toEqual(["WIDENING-UNDECIDED"]);
    expect(await asked(b, unknown, { allowWiden: ["release"] })).toEqual([]);
  });

  test("narrows what somebody opened by hand: the open link is repaired without a consent", async () => {
    const b = await bench();
    await b.apply(githubFile(owner));
    await b.google("PATCH", `${providerPath}?updateMask=attributeCondition`, {
      attributeCondition: "assertion.sub != ''",
    });
    const narrower = githubFile(`${owner} && ${app}`);
    expect((await b.health(narrower)).verdict).toBe("open");
    expect(await asked(b, narrower)).toEqual([]);
    await b.apply(narrower);
    expect((await b.health(narrower)).verdict).toBe("works");
  });

  test("puts an attribute in place of the subject: the member that is made asks", async () => {
    const b = await bench();
    await b.apply(githubFile(owner, "subject"));
    expect(await asked(b, githubFile(owner))).toEqual(["TRUST-WIDENED"]);
    expect(await asked(b, githubFile(owner, "subject"))).toEqual([]);
  });
});

describe("an edit of a role's trust that is applied", () => {
  const branches = (like: string, more = "") => `crosstrust: 1
name: acme
links:
  deploy:
    from: { oidc: { issuer: "https://${github}", clientId: sts.amazonaws.com, subjectLike: ${JSON.stringify(like)}${more} } }
    to:   { aws: { account: ${account}, role: deploy } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`;
  const agreed = { allowBroadSubject: ["deploy"] };

  test("asks for another claim, or for less that fits: it is applied without a consent to widen", async () => {
    const b = await bench();
    await b.apply(branches("repo:acme/*"), { consents: agreed });
    expect(await asked(b, branches("repo:acme/app:*"), agreed)).toEqual([]);
    expect(await asked(b, branches("repo:acme/*", ', claims: { environment: "production" }'), agreed)).toEqual([]);
  });

  test("lets more fit: it asks", async () => {
    const b = await bench();
    await b.apply(branches("repo:acme/app:*"), { consents: agreed });
    expect(await asked(b, branches("repo:acme/*"), agreed)).toEqual(["TRUST-WIDENED"]);
  });

  // Case aws/09: the file cannot say from which addresses, so the statement beside takes the restriction away.
  test("is a statement beside a stricter one of the same issuer: it asks, besides the consent to write it", async () => {
    const b = await bench();
    const somebody = new Somebody(b);
    const used = branches("repo:acme/app:*")
      .replace("role: deploy", `role: "arn:aws:iam::${account}:role/theirs"`)
      .replace(/ {4}may:.*\n/, "");
    const stricter = allow(github, {
      StringEquals: aud,
      StringLike: sub(github, "repo:acme/app:*"),
      IpAddress: { "aws:SourceIp": "198.51.100.7" },
    });
    const document = (...Statement: readonly object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
    const ec2 = { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };
    await somebody.iam("CreateRole", { RoleName: "theirs", AssumeRolePolicyDocument: document(ec2) });
    // Whom the statement lets in is what the consent to write it is about.
    expect(await asked(b, used, agreed)).toEqual([]);
    await somebody.iam("UpdateAssumeRolePolicy", { RoleName: "theirs", PolicyDocument: document(ec2, stricter) });
    expect(await asked(b, used, { ...agreed, adopt: ["deploy"] })).toEqual(["TRUST-WIDENED"]);
    expect(await asked(b, used, { ...agreed, adopt: ["deploy"], allowWiden: ["deploy"] })).toEqual([]);
  });

  test("takes over a role that trusts less of the same issuer: it asks, besides the consent to take it over", async () => {
    const b = await bench();
    const narrow = allow(github, { StringEquals: { ...aud, ...sub(github, main) } });
    const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [narrow] });
    await new Somebody(b).iam("CreateRole", { RoleName: "deploy", Path: "/crosstrust/", AssumeRolePolicyDocument });
    const file = branches("repo:acme/app:*");
    expect(await asked(b, file, { ...agreed, adopt: ["deploy"] })).toEqual(["TRUST-WIDENED"]);
  });
});
