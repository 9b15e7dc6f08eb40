import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { controlResources } from "../src/crosstrust/control.ts";
import { kinds } from "../src/crosstrust.ts";
import type { Control, Federation, Kind, Live, LivePresent, Mark, Resource } from "../src/model.ts";
import { parties } from "../src/parties/index.ts";
import { lookupOf, putOf, wantOf } from "../src/plan/compare.ts";
import { expand } from "../src/plan/expand.ts";
import { canonical } from "../src/plan/fingerprint.ts";
import { order } from "../src/plan/order.ts";
import { resolve } from "../src/plan/refs.ts";
import { CloudError } from "../src/run/retry.ts";
import { account, type Bench, bench, example, federationOf, reports } from "./support/bench.ts";
import { controlled } from "./support/control.ts";
import { Somebody } from "./support/somebody.ts";

// One suite for every party, told as a path of states: a new kind of resource adds its line to `stories`, and a kind
// without one fails.

interface Story {
  /** A file whose plan holds exactly one resource of the kind. */
  readonly file: string;
  /** Where it is none of the links' things: all there is, of a deployment of that file. */
  readonly resources?: (federation: Federation) => readonly Resource[];
  /** What must be there first, made by somebody else. */
  readonly before?: (b: Bench) => Promise<void>;
  /** There is nothing about it to edit: it is there or it is not. */
  readonly vanishes?: true;
  /** Once deleted it can come back, and nobody else gets its name meanwhile. */
  readonly comesBack?: true;
  /** One switch for everybody, which is never thrown back. */
  readonly stays?: true;
  /** What makes the file name another thing of the kind, at the same place. */
  readonly rename?: readonly [string, string];
  /** What is not looked at all the time is looked at again. */
  readonly forget?: (b: Bench) => Promise<void>;
  /** A hand edit of the thing. */
  readonly edit: (b: Bench) => Promise<void>;
}

const used = example
  .replace("role: reports-reader", `role: "arn:aws:iam::${account}:role/theirs"`)
  .replace(/ {4}may:.*\n/, "");
const theirs = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
};

const oidc = readFileSync(new URL("../examples/oidc-to-aws.yaml", import.meta.url), "utf8");
const entra = readFileSync(new URL("../examples/entra-to-aws.yaml", import.meta.url), "utf8");
const idp = `arn:aws:iam::${account}:oidc-provider/idp.example.com`;

const toGoogle = readFileSync(new URL("../examples/aws-to-google.yaml", import.meta.url), "utf8");
const speaks = toGoogle.replace(/ {4}may:\n.*\n/, "");
const sink = "etl-sink@acme-prod.iam.gserviceaccount.com";
const pools = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/partners";

/** The control plane's things of one kind. Two deployments' differ by name, as two links do by their roles. */
const controlOf = (kind: string) => (federation: Federation) => {
  const other = federation.links.some(({ to }) => String(to.spec.role).startsWith("other"));
  return controlResources({ federation, control: federation.control as Control })
    .resources.filter(({ address }) => address.startsWith(`${kind}/`))
    .map((one) =>
      other ? { ...one, address: `${one.address}-2` as const, spec: { ...one.spec, name: "other" } } : one,
    );
};

const stories: Readonly<Record<string, Story>> = {
  "aws:oidcProvider": {
    file: oidc,
    edit: async (b) => {
      const input = { OpenIDConnectProviderArn: idp, ClientID: "somebody-else" };
      await new Somebody(b).iam("AddClientIDToOpenIDConnectProvider", input);
    },
  },
  "aws:managedPolicy": {
    file: controlled,
    resources: controlOf("aws:managedPolicy"),
    edit: async (b) => {
      const PolicyArn = `arn:aws:iam::${account}:policy/crosstrust-control/acme-boundary`;
      const Statement = [{ Effect: "Allow", Action: "*", Resource: "*" }];
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
      await new Somebody(b).iam("CreatePolicyVersion", { PolicyArn, PolicyDocument, SetAsDefault: true });
    },
  },
  "google:tokenCreator": {
    file: controlled,
    resources: controlOf("google:tokenCreator"),
    vanishes: true,
    before: async (b) => {
      await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", { accountId: "reports" });
      await b.google("POST", "iam/v1/projects/acme-ops/serviceAccounts", { accountId: "health" });
    },
    edit: async (b) => {
      await b.google("POST", `iam/v1/projects/acme-prod/serviceAccounts/${reports}:setIamPolicy`, { policy: {} });
    },
  },
  "aws:outboundFederation": {
    file: toGoogle
      .replace("role: ec2-my-role", "role: ec2-my-role, proof: outbound-jwt")
      .replace("123456789000", account),
    vanishes: true,
    stays: true,
    edit: async (b) => void (await new Somebody(b).iam("DisableOutboundWebIdentityFederation", {})),
  },
  "google:pool": {
    file: toGoogle,
    comesBack: true,
    rename: ["pool: partners", "pool: others"],
    edit: async (b) => void (await b.google("PATCH", `${pools}?updateMask=disabled`, { disabled: true })),
  },
  "google:poolProvider": {
    file: toGoogle,
    comesBack: true,
    rename: ["poolProvider: aws-prod", "poolProvider: aws-other"],
    edit: async (b) => {
      const body = { attributeCondition: "true" };
      await b.google("PATCH", `${pools}/providers/aws-prod?updateMask=attributeCondition`, body);
    },
  },
  "google:binding": {
    file: speaks,
    vanishes: true,
    edit: async (b) => {
      await b.google("POST", `iam/v1/projects/acme-prod/serviceAccounts/${sink}:setIamPolicy`, { policy: {} });
    },
  },
  "google:bindingOnUsed": {
    file: speaks.replace("serviceAccount: etl-sink", `serviceAccount: ${sink}`),
    vanishes: true,
    before: async (b) => {
      await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", { accountId: "etl-sink" });
    },
    edit: async (b) => {
      await b.google("POST", `iam/v1/projects/acme-prod/serviceAccounts/${sink}:setIamPolicy`, { policy: {} });
    },
  },
  "google:denyPolicy": {
    file: example.replace(
      "links:",
      "guard: { denyServiceAccountKeys: true, breakGlass: break-glass@example.com }\nlinks:",
    ),
    edit: async (b) => {
      const number = (await b.google("GET", "cloudresourcemanager/v1/projects/acme-prod")).body.projectNumber;
      const name = `iam/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2F${number}/denypolicies`;
      await b.google("PUT", `${name}/crosstrust-no-keys`, { annotations: { "crosstrust-owner": "acme" }, rules: [] });
      await b.world().store.remove("deny-policy-acme-prod-acme");
    },
    forget: (b) => b.world().store.remove("deny-policy-acme-prod-acme"),
  },
  "google:serviceAccount": {
    file: example,
    edit: async (b) => {
      await b.google("POST", `iam/v1/projects/acme-prod/serviceAccounts/${reports}:disable`, {});
    },
  },
  "aws:role": {
    file: example,
    edit: (b) => new Somebody(b).trust({ StringLike: { "accounts.google.com:sub": "*" } }),
  },
  "aws:trustStatement": {
    file: used,
    before: async (b) => {
      await new Somebody(b).iam("CreateRole", { RoleName: "theirs", AssumeRolePolicyDocument: JSON.stringify(theirs) });
    },
    edit: async (b) => {
      const somebody = new Somebody(b);
      const document = decodeURIComponent(String((await somebody.role("theirs")).AssumeRolePolicyDocument));
      await somebody.document(JSON.parse(document.replace("aws-trust-1", "aws-trust-2")), "theirs");
    },
  },
};

/** An issuer is read and never made; test/issuers.test.ts tells its story. */
const made = kinds.filter(({ name }) => name !== "oidc:issuer");

test("every kind of every party has its story here", () => {
  expect(Object.keys(stories).sort()).toEqual(made.map(({ name }) => name).sort());
});

/** One thing of a kind in a sandbox, and the verbs of its kind over it. */
class Thing {
  readonly b: Bench;
  readonly kind: Kind;
  readonly desired: Resource;
  readonly mark: Mark;

  private constructor(b: Bench, kind: Kind, desired: Resource) {
    this.b = b;
    this.kind = kind;
    this.desired = desired;
    this.mark = { owner: "acme", want: wantOf(desired), put: putOf(desired.spec) };
  }

  static async of(kind: Kind, { file, before, resources: all }: Story): Promise<Thing> {
    const b = await bench();
    await before?.(b);
    const resources = all?.(federationOf(file)) ?? expand(federationOf(file).links, parties).resources;
    const others = new Map<Resource["address"], Live>();
    // What it refers to must be there for its spec to be known.
    const { waves } = order(resources);
    const inOrder = waves.flat().flatMap((address) => resources.filter((one) => one.address === address));
    for (const one of inOrder.filter(({ address }) => !address.startsWith(`${kind.name}/`))) {
      // A pool without its pool provider is all that a pool's story needs.
      const early = ["google:pool", "aws:outboundFederation"].includes(kind.name);
      if (early && one.address.startsWith("google:poolProvider/")) continue;
      const its = kinds.find(({ name }) => one.address.startsWith(`${name}/`)) as Kind;
      // Bindings refer to all of it, and nothing to them.
      if (its.name.startsWith("google:binding")) continue;
      if (its.name === "oidc:issuer") others.set(one.address, await its.read(one, [], b.world()));
      if (one.hold === "use" || its.name === "aws:role") continue;
      const mark = { owner: "acme", want: wantOf(one), put: putOf(one.spec) };
      others.set(one.address, await its.put({ desired: one, live: { state: "absent" }, mark }, b.world()));
    }
    const found = resources.find(({ address }) => address.startsWith(`${kind.name}/`)) as Resource;
    return new Thing(b, kind, { ...found, spec: resolve(found.spec, lookupOf(others)) });
  }

  read = (): Promise<Live> => this.kind.read(this.desired, [], this.b.world());
  put = (live: Live, mark = this.mark): Promise<LivePresent> =>
    this.kind.put({ desired: this.desired, live, mark }, this.b.world());

  async present(): Promise<LivePresent> {
    const live = await this.read();
    if (live.state !== "present") throw new Error(`it is ${live.state}`);
    return live;
  }

  async remove(how: "delete" | "release"): Promise<void> {
    const { address } = this.desired;
    await this.kind.remove({ address, live: await this.present(), how }, this.b.world());
  }

  async writes(work: () => Promise<unknown>): Promise<readonly string[]> {
    return (await this.b.callsOf(work)).filter(({ write }) => write).map(({ operation }) => operation);
  }

  same(live: LivePresent): boolean {
    return canonical(live.spec) === canonical(this.desired.spec);
  }
}

describe.each(made.map((kind) => [kind.name, kind, stories[kind.name] as Story] as const))("%s", (_, kind, story) => {
  const marked = !kind.unmarked;

  test("absent, made, as desired, and putting it again writes nothing", async () => {
    const thing = await Thing.of(kind, story);
    expect((await thing.read()).state).toBe("absent");
    const put = await thing.put({ state: "absent" });
    const live = await thing.present();
    const whose = story.stays ? "adopted" : "ours";
    expect([put.owner, live.owner]).toEqual([whose, whose]);
    expect(thing.same(live)).toBe(true);
    if (marked) {
      expect(live.mark).toMatchObject({ owner: "acme", want: thing.mark.want, put: thing.mark.put });
      expect(live.mark?.put).toBe(putOf(live.spec));
      expect(await thing.writes(() => thing.put(live))).toEqual([]);
    }
  });

  test("reading writes nothing, whatever is there", async () => {
    const thing = await Thing.of(kind, story);
    expect(await thing.writes(thing.read)).toEqual([]);
    await thing.put({ state: "absent" });
    expect(await thing.writes(thing.read)).toEqual([]);
  });

  test("a hand edit is seen, told and mended", async () => {
    const thing = await Thing.of(kind, story);
    await thing.put({ state: "absent" });
    await story.edit(thing.b);
    if (story.vanishes) {
      expect((await thing.read()).state).toBe("absent");
      await thing.put({ state: "absent" });
      return expect(thing.same(await thing.present())).toBe(true);
    }
    const edited = await thing.present();
    expect(thing.same(edited)).toBe(false);
    if (marked) expect(edited.mark?.put).not.toBe(putOf(edited.spec));
    const told = kind.differ?.(thing.desired.spec, edited.spec, (a, b) => canonical(a) === canonical(b));
    if (told) expect(told.length).toBeGreaterThan(0);
    await thing.put(edited);
    expect(thing.same(await thing.present())).toBe(true);
  });

  test("made by another run of ours meanwhile: a race, not a failure", async () => {
    const thing = await Thing.of(kind, story);
    await thing.put({ state: "absent" });
    await thing.put({ state: "absent" });
    expect(thing.same(await thing.present())).toBe(true);
  });

  test("what we do not read cannot be taken for absent", async () => {
    const thing = await Thing.of(kind, story);
    await thing.put({ state: "absent" });
    await story.forget?.(thing.b);
    thing.b.sandbox.faults.set([{ service: "*", operation: "*", fault: "empty" }]);
    thing.b.haste = 1000;
    await expect(thing.read()).rejects.toThrow(CloudError);
  });

  test("deleted, and deleting it again is no failure", async () => {
    const thing = await Thing.of(kind, story);
    await thing.put({ state: "absent" });
    const live = await thing.present();
    await thing.remove("delete");
    const left = story.stays ? "present" : story.comesBack ? "deleted" : "absent";
    expect((await thing.read()).state).toBe(left);
    await thing.kind.remove({ address: thing.desired.address, live, how: "delete" }, thing.b.world());
  });

  test.skipIf(!marked)("given back it stays, without a mark; adopted it is ours and remembered as theirs", async () => {
    const thing = await Thing.of(kind, story);
    await thing.put({ state: "absent" });
    await thing.remove("release");
    const released = await thing.present();
    expect([released.owner, released.mark]).toEqual(["foreign", undefined]);
    await expect(thing.put({ state: "absent" })).rejects.toMatchObject({ class: "exists" });
    const was = released.former?.("acme").was;
    await thing.put(released, { ...thing.mark, adopted: true, ...(was === undefined ? {} : { was }) });
    const adopted = await thing.present();
    expect([adopted.owner, thing.same(adopted)]).toEqual(["adopted", true]);
  });

  test.skipIf(!story.comesBack)("brought back it is as desired, whatever it was when it went", async () => {
    const thing = await Thing.of(kind, story);
    await thing.put({ state: "absent" });
    await story.edit(thing.b);
    await thing.remove("delete");
    const gone = await thing.read();
    const put = await thing.put(gone);
    expect([put.owner, thing.same(await thing.present())]).toEqual(["ours", true]);
  });

  test.skipIf(!marked)("left over: its own deployment finds it, another does not", async () => {
    const thing = await Thing.of(kind, story);
    await thing.put({ state: "absent" });
    // A file that names another thing at the same place.
    const [named = "", another = ""] = story.rename ?? [];
    const renamed = story.file
      .replace(named, another)
      .replace("serviceAccount: reports", "serviceAccount: elsewhere")
      .replace("idp.example.com", "two.example.com")
      .replace(/role: \w+/, "role: other");
    const resources =
      story.resources?.(federationOf(renamed)) ?? expand(federationOf(renamed).links, parties).resources;
    const other = resources.find(({ address }) => address.startsWith(`${kind.name}/`)) as Resource;
    const look = (one: Resource, owner: string) => {
      const remembered = { unnamed: 0, has: () => false };
      return kind.list({ named: [one], beside: resources, owner, remembered }, thing.b.world());
    };
    const mine = await look(other, "acme");
    expect(mine.found.map(({ address }) => address)).toEqual([thing.desired.address]);
    expect((await look(other, "somebody")).found).toEqual([]);
    expect((await look(thing.desired, "acme")).found).toEqual([]);
  });
});

describe("issuers", () => {
  test.each([
    ["google", example],
    ["oidc", oidc],
    ["entra", entra],
  ])("%s: what is identified is what is minted, and identifying needs no world", async (_, file) => {
    const b = await bench();
    const { federation, live } = await appliedExample(b, file);
    for (const link of federation.links) {
      const issuer = parties.find(({ name }) => name === link.from.party)?.issuer;
      if (!issuer) throw new Error("no issuer");
      expect(issuer.identify(link)).toEqual(issuer.identify(link));
      const { identity } = issuer.identify(link);
      if (identity.proof !== "oidc") throw new Error("not a web identity");
      const lookup = lookupOf(live);
      const { claims } = await issuer.mint({ link, audience: link.audience, lookup }, b.world());
      expect(claims).toMatchObject(resolve({ ...identity.claims }, lookup));
      expect(claims).toMatchObject({ iss: resolve(identity.issuer, lookup), aud: link.audience });
    }
  });
});

describe("relying parties: the judge and the cloud say the same of a token", () => {
  const changes: readonly (readonly [string, Readonly<Record<string, unknown>>, boolean])[] = [
    ["as minted", {}, true],
    ["another subject", { sub: "999999999999999999999" }, false],
    ["a subject with a blank behind", { sub: `107826859272070640966 ` } as const, false],
    ["another audience", { aud: "aws-trust-2" }, false],
    ["the audience in another case", { aud: "AWS-TRUST-1" }, false],
    ["an azp of somebody else", { azp: "999999999999999999999" }, true],
    ["an e-mail beside", { email: "x@example.com" }, true],
  ];

  test.each(changes)("%s", async (_, change, allowed) => {
    const b = await bench();
    const { federation, planned, live } = await appliedExample(b);
    const [link] = federation.links;
    const issuer = parties.find(({ name }) => name === link?.from.party)?.issuer;
    const relying = parties.find(({ name }) => name === link?.to.party)?.relying;
    if (!link || !issuer || !relying) throw new Error("no link");
    const lookup = lookupOf(live);
    const world = b.world();
    const minted = await issuer.mint({ link, audience: link.audience, lookup }, world);
    const claims = { ...minted.claims, ...change };
    const text = (await world.sandbox?.mint(String(claims.iss), claims)) ?? "";
    const trust = planned.expansion.trustOf.get(link.name) as Resource["address"];
    const view = { link, live: live.get(trust) as Live, lookup };
    expect(relying.judge(claims, view).allow).toBe(allowed);
    const exchanged = relying.exchange({ link, purpose: "prove" }, { ...minted, text, claims }, world);
    if (allowed) await exchanged;
    else await expect(exchanged).rejects.toMatchObject({ class: "denied" });
  });
});

async function appliedExample(b: Bench, file = example) {
  const { planned, applied } = await b.apply(file);
  const live = new Map([...planned.observed.live, ...applied.live]);
  return { federation: federationOf(file), planned, live };
}

describe("combining is commutative, associative and idempotent", () => {
  const link = fc.record({
    account: fc.constantFrom("reports", "worker-1", "worker-2"),
    audience: fc.constantFrom("a", "b"),
    may: fc.constantFrom(
      "arn:aws:iam::aws:policy/ReadOnlyAccess",
      "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
      "{ allow: [ s3:GetObject ], resources: [ arn:aws:s3:::x/* ] }",
      "{ allow: [ sqs:SendMessage ], resources: [ arn:aws:sqs:us-east-1:111122223333:q ] }",
    ),
  });

  test("links on one role add up to the same role in any order, however often one is repeated", () => {
    const role = (links: readonly { account: string; audience: string; may: string }[]): string => {
      const entries = links.map(
        ({ account: id, audience, may }, at) =>
          `  link-${at}:\n    from: { google: { project: acme-prod, serviceAccount: ${id} } }\n` +
          `    to:   { aws: { account: ${account}, role: shared, audience: ${audience} } }\n    may:  [ ${may} ]\n`,
      );
      const { resources, findings } = expand(
        federationOf(`crosstrust: 1\nname: acme\nlinks:\n${entries.join("")}`).links,
        parties,
      );
      expect(findings).toEqual([]);
      const found = resources.find(({ address }) => address === `aws:role/${account}/shared`);
      const { managed, inline, trust } = (found as Resource).spec as Record<string, unknown>;
      // Inline policies are named after their links; their statements are what adds up.
      return canonical({ managed, trust, inline: Object.values(inline as object) });
    };
    fc.assert(
      fc.property(fc.array(link, { minLength: 1, maxLength: 5 }), fc.integer({ min: 0, max: 4 }), (links, at) => {
        const rotated = [...links.slice(at), ...links.slice(0, at)];
        expect(role(rotated)).toBe(role(links));
        expect(role([...links].reverse())).toBe(role(links));
      }),
      { numRuns: 100, seed: 20261121 },
    );
  });

  test("of two specs alike, their sum is one of them; differing scalars are a conflict that names both places", () => {
    const { resources } = expand(federationOf(example).links, parties);
    for (const { address, spec } of resources) {
      const kind = kinds.find(({ name }) => address.startsWith(`${name}/`));
      if (kind?.combine) expect(canonical(kind.combine(spec, spec))).toBe(canonical(spec));
    }
  });
});
