import { describe, expect, test } from "vitest";
import type { Address, Change } from "../src/model.ts";
import { parties } from "../src/parties/index.ts";
import { account, type Bench, bench } from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

// The AWS OIDC provider as a resource that links, deployments and strangers share (aws.md 6; house.md, "live is the
// truth"). Each test names the wrong program it catches.

const issuer = "https://idp.example.com";
const arn = `arn:aws:iam::${account}:oidc-provider/idp.example.com`;
const address: Address = `aws:oidcProvider/${account}/idp.example.com`;

const file = (options: { name?: string; role?: string; clientId?: string; more?: string } = {}) => {
  const { name = "acme", role = "engineers", clientId = "app-1", more = "" } = options;
  return `crosstrust: 1
name: ${name}
links:
  ${role}:
    from: { oidc: { issuer: ${issuer}, clientId: ${clientId}, subject: user-123${more} } }
    to:   { aws: { account: ${account}, role: ${role} } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`;
};

interface LiveOidcProvider {
  readonly ClientIDList?: readonly string[];
  readonly ThumbprintList?: readonly string[];
  readonly Tags?: readonly { readonly Key: string }[];
}

async function there(b: Bench): Promise<LiveOidcProvider | undefined> {
  const who = new Somebody(b);
  return who.iam("GetOpenIDConnectProvider", { OpenIDConnectProviderArn: arn }).catch(() => undefined);
}

const issuers = (b: Bench, body: Record<string, unknown>) =>
  fetch(`${b.url}/_sandbox/issuers`, { method: "PUT", body: JSON.stringify({ issuer, ...body }) });

const changeOf = (changes: readonly Change[]): Change | undefined => changes.find((one) => one.address === address);
const seen = async (b: Bench, text: string) => changeOf((await b.plan(text)).plan.changes);

describe("made", () => {
  test("in one create call with its claim, before the role; again, nothing is written", async () => {
    const b = await bench();
    const calls = await b.callsOf(() => b.apply(file()));
    const writes = calls.filter(({ write }) => write).map(({ operation }) => operation);
    expect(writes).toEqual(["CreateOpenIDConnectProvider", "CreateRole", "AttachRolePolicy", "TagRole"]);
    expect(await there(b)).toMatchObject({ ClientIDList: ["app-1"], Tags: [{ Key: "crosstrust:claim:acme" }] });
    const again = await b.callsOf(() => b.apply(file()));
    expect(again.filter(({ write }) => write)).toEqual([]);
    expect((await b.health(file())).verdict).toBe("works");
  });

  // Catches a program that fingerprints the leaf, or a root that only it knows: AWS's is the last one served.
  test("its thumbprint is the last certificate that is served", async () => {
    const b = await bench();
    await b.apply(file());
    const { certificates } = await b.world().outside.chain("idp.example.com");
    const { createHash } = await import("node:crypto");
    const last = createHash("sha1")
      .update(certificates.at(-1)?.raw ?? "")
      .digest("hex");
    expect(certificates.length).toBeGreaterThan(1);
    expect((await there(b))?.ThumbprintList).toEqual([last]);
  });

  test("client ids of several links combine, and go with their link", async () => {
    const b = await bench();
    const second = file({ role: "others", clientId: "app-2" }).split("links:\n")[1] ?? "";
    await b.apply(file() + second);
    expect((await there(b))?.ClientIDList).toEqual(["app-1", "app-2"]);
    await b.apply(file());
    expect((await there(b))?.ClientIDList).toEqual(["app-1"]);
  });

  test("a list of thumbprints in the file is what counts, in any case and order", async () => {
    const b = await bench();
    const [one, two] = ["A".repeat(40), "b".repeat(40)];
    await b.apply(file({ more: `, thumbprints: [${one}, ${two}]` }));
    expect((await there(b))?.ThumbprintList).toEqual([one.toLowerCase(), two]);
    expect(await seen(b, file({ more: `, thumbprints: [${two}, ${one}]` }))).toMatchObject({ verb: "keep" });
  });
});

describe("hand edits are drift, with their weight", () => {
  const edits: readonly (readonly [string, string, Record<string, unknown>, Record<string, unknown>])[] = [
    [
      "a client id more",
      "AddClientIDToOpenIDConnectProvider",
      { ClientID: "evil" },
      { path: "clientIds", weight: "loosens" },
    ],
    [
      "a client id less",
      "RemoveClientIDFromOpenIDConnectProvider",
      { ClientID: "app-1" },
      { path: "clientIds", weight: "narrows" },
    ],
    [
      "another thumbprint",
      "UpdateOpenIDConnectProviderThumbprint",
      { ThumbprintList: ["c".repeat(40)] },
      { path: "thumbprints", weight: "loosens" },
    ],
  ];

  test.each(edits)("%s", async (_, operation, input, difference) => {
    const b = await bench();
    await b.apply(file());
    const before = await there(b);
    await new Somebody(b).iam(operation, { OpenIDConnectProviderArn: arn, ...input });
    expect(await seen(b, file())).toMatchObject({ verb: "update", cause: "drifted", differences: [difference] });
    await b.apply(file());
    expect(await there(b)).toEqual({ ...before, $metadata: expect.anything() });
    expect(await seen(b, file())).toMatchObject({ verb: "keep" });
  });

  test("a thumbprint that nobody wrote is one, too", async () => {
    const b = await bench();
    await b.apply(file());
    const [mine = ""] = (await there(b))?.ThumbprintList ?? [];
    const input = { OpenIDConnectProviderArn: arn, ThumbprintList: [mine, "c".repeat(40)] };
    await new Somebody(b).iam("UpdateOpenIDConnectProviderThumbprint", input);
    const { findings } = (await b.plan(file())).plan;
    expect(findings).toContainEqual(expect.objectContaining({ code: "AWS-THUMBPRINT-EXTRA", severity: "security" }));
  });

  // Catches an explanation that blames the trust policy for what aws decides before it reads one.
  test("a client id that is gone is what explains the refusal", async () => {
    const b = await bench();
    await b.apply(file());
    const input = { OpenIDConnectProviderArn: arn, ClientID: "app-1" };
    await new Somebody(b).iam("RemoveClientIDFromOpenIDConnectProvider", input);
    const { findings } = await b.health(file());
    expect(findings.find(({ code }) => code === "AWS-CLIENT-ID-MISSING")?.says).toContain("app-1 (read from aud)");
  });

  test("a client id that no link names is a security finding while it is ours alone", async () => {
    const b = await bench();
    await b.apply(file());
    await new Somebody(b).iam("AddClientIDToOpenIDConnectProvider", {
      OpenIDConnectProviderArn: arn,
      ClientID: "evil",
    });
    const { findings } = (await b.plan(file())).plan;
    expect(findings).toContainEqual(expect.objectContaining({ code: "AWS-CLIENT-ID-EXTRA", severity: "security" }));
  });

  // Catches a health check that goes on saying "works" when the whole of it is gone.
  test("deleted by hand: the link is broken, plan makes it anew and leaves the role alone", async () => {
    const b = await bench();
    await b.apply(file());
    await new Somebody(b).iam("DeleteOpenIDConnectProvider", { OpenIDConnectProviderArn: arn });
    const health = await b.health(file());
    expect([health.verdict, health.findings.map(({ code }) => code)]).toEqual([
      "broken",
      expect.arrayContaining(["AWS-OIDC-PROVIDER-MISSING"]),
    ]);
    const { changes } = (await b.plan(file())).plan;
    expect(changes.filter(({ verb }) => verb !== "keep").map(({ address: of, verb }) => [of, verb])).toEqual([
      [address, "create"],
    ]);
    await b.apply(file());
    expect((await b.health(file())).verdict).toBe("works");
  });
});

describe("shared", () => {
  // Catches a program whose second deployment takes the first one's client ids for drift.
  test("two deployments: both keep their client ids, neither sees the other's as drift, the last one deletes it", async () => {
    const b = await bench();
    const [one, two] = [file(), file({ name: "other", role: "others", clientId: "app-2" })];
    await b.apply(one);
    await b.apply(two);
    expect((await there(b))?.ClientIDList).toEqual(["app-1", "app-2"]);
    expect([await seen(b, one), await seen(b, two)]).toMatchObject([{ verb: "keep" }, { verb: "keep" }]);
    expect((await b.callsOf(() => b.apply(one))).filter(({ write }) => write)).toEqual([]);
    await b.apply(one, { destroy: true });
    expect(await there(b)).toMatchObject({ ClientIDList: ["app-2"], Tags: [{ Key: "crosstrust:claim:other" }] });
    expect((await b.health(two)).verdict).toBe("works");
    await b.apply(two, { destroy: true });
    expect(await there(b)).toBeUndefined();
  });

  test("two deployments with one client id: it stays for the one that stays", async () => {
    const b = await bench();
    const [one, two] = [file(), file({ name: "other", role: "others" })];
    await b.apply(one);
    await b.apply(two);
    await b.apply(one, { destroy: true });
    expect((await there(b))?.ClientIDList).toEqual(["app-1"]);
    expect((await b.health(two)).verdict).toBe("works");
  });

  // Catches a program that deletes what it did not make, or cleans away a stranger's client ids.
  test("a stranger's: needs consent, keeps its client ids, and is given back", async () => {
    const b = await bench();
    const stranger = new Somebody(b);
    const thumbprint = "d".repeat(40);
    await stranger.iam("CreateOpenIDConnectProvider", {
      ...{ Url: issuer, ClientIDList: ["theirs"], ThumbprintList: [thumbprint] },
    });
    const refused = (await b.plan(file())).plan.findings;
    expect(refused).toContainEqual(expect.objectContaining({ code: "NOT-OURS", asks: "conflict" }));
    await b.apply(file(), { consents: { adopt: ["engineers"] } });
    const adopted = await there(b);
    expect(adopted?.ClientIDList).toEqual(["theirs", "app-1"]);
    expect(adopted?.ThumbprintList).toContain(thumbprint);
    expect(await seen(b, file())).toMatchObject({ verb: "keep" });
    await b.apply(file(), { destroy: true });
    expect(await there(b)).toMatchObject({ ClientIDList: ["theirs"], ThumbprintList: [thumbprint] });
    expect((await there(b))?.Tags ?? []).toEqual([]);
  });

  test("it stays while a role that is not ours names it, and destroy says which", async () => {
    const b = await bench();
    await b.apply(file());
    const Statement = [{ Effect: "Allow", Principal: { Federated: arn }, Action: "sts:AssumeRoleWithWebIdentity" }];
    const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await new Somebody(b).iam("CreateRole", { RoleName: "theirs", AssumeRolePolicyDocument });
    const { applied } = await b.apply(file(), { destroy: true });
    expect(applied.findings).toContainEqual(
      expect.objectContaining({ code: "AWS-OIDC-PROVIDER-IN-USE", says: expect.stringContaining("role/theirs") }),
    );
    expect(await there(b)).toMatchObject({ ClientIDList: ["app-1"] });
    await new Somebody(b).iam("DeleteRole", { RoleName: "theirs" });
    expect((await b.plan(file(), { destroy: true })).plan.changes.filter(({ verb }) => verb === "delete")).toEqual([]);
  });

  test("a link that leaves the file leaves no OIDC provider behind", async () => {
    const b = await bench();
    const elsewhere =
      file({ role: "others" }).split("links:\n")[1]?.replaceAll("idp.example.com", "two.example.com") ?? "";
    await b.apply(file() + elsewhere);
    await b.prune(`${file().split("links:\n")[0]}links:\n${elsewhere}`);
    expect(await there(b)).toBeUndefined();
  });
});

describe("the issuer is watched", () => {
  const codes = async (b: Bench, text: string) => (await b.health(text)).findings.map(({ code }) => code);

  test("keys that come and go are told once", async () => {
    const b = await bench();
    await b.apply(file());
    expect(await codes(b, file())).not.toContain("ISSUER-KEYS-CHANGED");
    await issuers(b, { rotate: "key", keep: true });
    const { findings } = await b.health(file());
    const told = findings.find(({ code }) => code === "ISSUER-KEYS-CHANGED");
    expect([told?.severity, told?.says]).toEqual(["hint", expect.stringMatching(/: keys added \w+/)]);
    expect(await codes(b, file())).not.toContain("ISSUER-KEYS-CHANGED");
    await issuers(b, { rotate: "key" });
    const all = (await b.health(file())).findings.find(({ code }) => code === "ISSUER-KEYS-CHANGED");
    expect(all).toMatchObject({ severity: "warning", says: expect.stringContaining("none of the old ones is left") });
  });

  // Catches a program that pages people because a public CA renewed something that AWS never looks at.
  test("a public certificate that is renewed is told, and is no drift", async () => {
    const b = await bench();
    await b.apply(file());
    await b.health(file());
    await issuers(b, { rotate: "certificate" });
    const health = await b.health(file());
    expect([health.verdict, health.findings.map(({ code }) => code)]).toEqual([
      "works",
      expect.arrayContaining(["ISSUER-CERTIFICATE-CHANGED", "THUMBPRINT-STALE", "THUMBPRINT-UNUSED"]),
    ]);
    expect(await seen(b, file())).toMatchObject({ verb: "keep" });
  });

  // Catches a program that believes the stored thumbprint for ever: with a private CA the link is down by now.
  test("a private certificate that is renewed breaks the link, is called moved, and is mended", async () => {
    const b = await bench();
    const text = file({ more: ", tls: private-ca" });
    await b.apply(text);
    expect((await b.health(text)).verdict).toBe("works");
    await issuers(b, { rotate: "certificate", privateCa: true });
    const broken = await b.health(text);
    expect([broken.verdict, broken.findings.map(({ code }) => code)]).toEqual([
      "broken",
      expect.arrayContaining(["AWS-THUMBPRINT-WRONG", "ISSUER-CERTIFICATE-CHANGED"]),
    ]);
    expect(await seen(b, text)).toMatchObject({ verb: "update", cause: "moved" });
    await b.apply(text);
    expect((await b.health(text)).verdict).toBe("works");
  });

  test("a private CA that the file does not speak of is an error that names the remedy", async () => {
    const b = await bench();
    await issuers(b, { privateCa: true });
    const world = b.world();
    const kind = parties.flatMap(({ kinds }) => kinds).find(({ name }) => name === "oidc:issuer");
    const resource = { address: "oidc:issuer/https/idp.example.com", links: [], hold: "use" } as const;
    const { sandbox: _, ...cloudlike } = world;
    const reading = kind?.read({ ...resource, spec: { url: issuer, privateCa: false } }, [], cloudlike);
    await expect(reading).rejects.toMatchObject({
      known: { code: "ISSUER-TLS" },
      fix: [expect.stringContaining("private-ca")],
    });
  });

  // Catches a role that trusts what is not there, made because its own call would have worked.
  test("an issuer that cannot be read from the start: neither the OIDC provider nor the role is made", async () => {
    const b = await bench();
    await issuers(b, { discovery: { issuer: `${issuer}/`, jwks_uri: `${issuer}/keys` } });
    const { planned } = await b.apply(file());
    expect(b.sandbox.state.list("aws.")).toEqual([]);
    expect(planned.plan.changes).toEqual([]);
    expect(planned.plan.unread.map(({ address }) => address.split("/")[0])).toEqual([
      "oidc:issuer",
      "aws:role",
      "aws:oidcProvider",
    ]);
  });

  // Catches a program that takes "cannot read the issuer" for "the thumbprint must go".
  test("an issuer that cannot be read: could not tell, and nothing of aws is changed", async () => {
    const b = await bench();
    await b.apply(file());
    await issuers(b, { discovery: { issuer: `${issuer}/`, jwks_uri: `${issuer}/keys` } });
    const { plan } = await b.plan(file());
    expect(plan.changes.filter(({ verb }) => verb !== "keep")).toEqual([]);
    expect(plan.findings).toContainEqual(
      expect.objectContaining({
        code: "ISSUER-MISMATCH",
        says: expect.stringContaining("the slash at the end counts"),
      }),
    );
  });
});

// Recorded: what was sent comes back as it was sent, and is sorted only when it is read (aws.md 6.1).
test("the answer to its creation lists tags in the order they came, and none where there are none", async () => {
  const b = await bench();
  const somebody = new Somebody(b);
  const pair = (Key: string) => ({ Key, Value: Key.toUpperCase() });
  const made = { ThumbprintList: ["a".repeat(40)] };
  const sent = [pair("key"), pair("Key")];
  const created = await somebody.iam("CreateOpenIDConnectProvider", { Url: issuer, ...made, Tags: sent });
  expect(created.Tags).toEqual(sent);
  expect((await there(b))?.Tags).toEqual([pair("Key"), pair("key")]);
  const bare = await somebody.iam("CreateOpenIDConnectProvider", { Url: `${issuer}/path`, ...made });
  expect(bare.Tags).toBeUndefined();
});
