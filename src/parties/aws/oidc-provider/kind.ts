import type {
  Finding,
  Kind,
  Leftovers,
  Live,
  LivePresent,
  Mark,
  PutJob,
  Removal,
  Resource,
  Seek,
  World,
} from "../../../model.ts";
import { CloudError, createOnce, inParallel, mayHaveLanded, unlessMissing } from "../../../run/retry.ts";
import type { Account } from "../client.ts";
import { getRole } from "../role/calls.ts";
import * as calls from "./calls.ts";
import { type Claim, claimKey, claimsOf, claimTag, hashOf } from "./claim.ts";
import { extras } from "./notes.ts";
import {
  combineOidcProviders,
  differOidcProviders,
  joined,
  type OidcProviderSpec,
  oidcProviderAddress,
  oidcProviderArn,
} from "./spec.ts";
import { steps } from "./steps.ts";

/**
 * An IAM OIDC provider: there is one for each account and URL, whoever wants it, so each deployment has a claim on it,
 * sees its own part, and takes only that part away again.
 */
export const oidcProviderKind: Kind<OidcProviderSpec> = {
  name: "aws:oidcProvider",
  label: "aws OIDC provider",
  read: (desired, _hints, world) => readOne(world, accountOf(desired), desired.spec),
  list: listLeftovers,
  put: putOne,
  remove: removeOne,
  differ: differOidcProviders,
  combine: combineOidcProviders,
};

const accountOf = ({ spec, access }: Pick<Resource<OidcProviderSpec>, "spec" | "access">): Account => ({
  account: spec.account,
  ...(access ? { access } : {}),
});

const fetchOne = (world: World, account: Account, arn: string): Promise<calls.LiveOidcProvider | undefined> =>
  unlessMissing(calls.getOidcProvider(world, account, arn));

async function readOne(world: World, account: Account, like: OidcProviderSpec): Promise<Live<OidcProviderSpec>> {
  const arn = oidcProviderArn(like);
  const there = await fetchOne(world, account, arn);
  return there ? present(there, like) : { state: "absent" };
}

/**
 * As this deployment sees it. While others have a part in it, client ids that are not ours are theirs, and their
 * thumbprints beside ours as well: neither is drift (house.md).
 */
function present(there: calls.LiveOidcProvider, like: OidcProviderSpec): LivePresent<OidcProviderSpec> {
  const claims = claimsOf(there.Tags);
  const mine = claims.find(({ deployment }) => deployment === like.deployment);
  const shared = mine === undefined || claims.length > 1 || mine.since === "adopted";
  const ours = (id: string) => like.clientIds.includes(id) || mine?.wants.includes(hashOf(id));
  // While the issuer is not read yet, what was written last is what is looked for.
  const wanted = (typeof like.thumbprints === "string" ? like.thumbprints : (mine?.thumbprints ?? "")).split("+");
  const has = (one: string) => there.ThumbprintList.includes(one);
  const enough = shared && wanted.every(has);
  const spec: OidcProviderSpec = {
    ...like,
    clientIds: shared ? there.ClientIDList.filter(ours) : there.ClientIDList,
    thumbprints: enough ? joined(wanted) : joined(there.ThumbprintList),
  };
  const mark = mine && markOf(mine, like.url);
  // Whoever is not alone gives it back instead of deleting it.
  const owner = mine === undefined ? "foreign" : shared ? "adopted" : "ours";
  return {
    ...{
      state: "present",
      owner,
      spec,
      outputs: { arn: oidcProviderArn(like), clientIds: there.ClientIDList.join(" ") },
    },
    ...(mark ? { mark } : {}),
    // Another deployment made it to be shared; what a stranger made is taken part in by consent only.
    ...(mine === undefined && claims.length > 0 ? { joins: true } : {}),
    former: () => ({ lost: pushedOut(there, wanted) }),
    ...(mine !== undefined && !shared ? { notes: extras({ like, there, wanted }) } : {}),
  };
}

/** IAM keeps five thumbprints: what the file needs takes the place of the last ones. */
function pushedOut({ ThumbprintList }: calls.LiveOidcProvider, wanted: readonly string[]): readonly string[] {
  const list = [...new Set([...wanted.filter(Boolean), ...ThumbprintList])].slice(0, 5);
  return ThumbprintList.filter((one) => !list.includes(one)).map((one) => `its thumbprint ${one}`);
}

const markOf = ({ deployment, want, put, since, thumbprints }: Claim, url: string): Mark => ({
  ...{ owner: deployment, want, put },
  ...(since === "adopted" ? { adopted: true } : {}),
  ...(thumbprints ? { subjects: `${url.replace("://", "/")}=${thumbprints}` } : {}),
});

/** Observe, ensure, sync, return. Everything is in the one create call, so a fresh one is never half made. */
async function putOne(
  { desired, mark }: PutJob<OidcProviderSpec>,
  world: World,
): Promise<LivePresent<OidcProviderSpec>> {
  const { spec } = desired;
  const target = { account: accountOf(desired), arn: oidcProviderArn(spec) };
  const thumbprints = String(spec.thumbprints).split("+").filter(Boolean);
  const remembered = mark.subjects?.split("=").at(-1);
  const claim: Claim = {
    ...{ deployment: spec.deployment, want: mark.want, put: mark.put, since: mark.adopted ? "adopted" : "made" },
    wants: spec.clientIds.map(hashOf),
    added: spec.clientIds.map(hashOf),
    addedThumbprints: [],
    ...(remembered ? { thumbprints: remembered } : {}),
  };
  const find = () => fetchOne(world, target.account, target.arn);
  const there =
    (await find()) ??
    (await createOnce(world, {
      find,
      create: async () => {
        const input = { Url: spec.url, ClientIDList: [...spec.clientIds], ThumbprintList: thumbprints };
        await calls.createOidcProvider(world, target.account, { ...input, Tags: [claimTag(claim)] });
        return { ...input, Tags: [claimTag(claim)] };
      },
    }));
  if (claimsOf(there.Tags).length === 0 && !mark.adopted) throw notOurs(spec.url);
  for (const step of steps({ clientIds: spec.clientIds, thumbprints, claim }, there))
    await calls.writeOidcProvider(world, target, step);
  const whole = {
    Url: spec.url,
    ClientIDList: [...spec.clientIds],
    ThumbprintList: thumbprints,
    Tags: [claimTag(claim)],
  };
  return present(whole, spec);
}

/** It appeared after the plan was made: to take part in a stranger's needs a word (contract, section 2). */
const notOurs = (url: string): CloudError =>
  new CloudError({
    ...{ class: "exists", service: "aws.iam", operation: "CreateOpenIDConnectProvider", code: "", status: 409 },
    message: `the OIDC provider of ${url} exists and is not ours`,
  });

/** Found by listing all of an account, since nothing else says where a former link's issuer was. */
async function listLeftovers({ named, beside, owner }: Seek<OidcProviderSpec>, world: World): Promise<Leftovers> {
  const known = new Set(named.map(({ address }) => address));
  // A link's roles say where its issuer would be, though no link with an issuer is left.
  const roles = beside.filter(({ hold, spec }) => hold === "own" && typeof spec.partition === "string");
  const accounts = new Map(roles.map((resource) => [String(resource.spec.account), resource]));
  const found = await inParallel([...accounts.values()], 4, async (resource) => {
    const { account: id, partition } = resource.spec as OidcProviderSpec;
    const account: Account = { account: id, ...(resource.access ? { access: resource.access } : {}) };
    const arns = await calls.listOidcProviders(world, account);
    const others = arns.filter((arn) => !known.has(oidcProviderAddress(account.account, urlOf(arn))));
    return inParallel(others, 4, async (arn) => {
      const place = { account: id, partition, url: urlOf(arn) };
      const like = { ...place, deployment: owner, clientIds: [], thumbprints: "" };
      const live = await readOne(world, account, like);
      const address = oidcProviderAddress(account.account, urlOf(arn));
      return live.state === "present" && live.mark
        ? [{ address, live, ...(account.access ? { access: account.access } : {}) }]
        : [];
    });
  });
  return { found: found.flat(2), scopes: [], findings: [] };
}

const urlOf = (arn: string): string => `https://${arn.slice(arn.indexOf("/") + 1)}`;

/**
 * It goes when no claim and no trusting role remains (house.md). Where another one does, only this deployment's claim
 * and the client ids that it added, and that nobody else wants, are taken off.
 */
async function removeOne({ live, how, access }: Removal<OidcProviderSpec>, world: World): Promise<readonly Finding[]> {
  const account: Account = { account: live.spec.account, ...(access ? { access } : {}) };
  const target = { account, arn: oidcProviderArn(live.spec) };
  const there = await fetchOne(world, account, target.arn);
  if (!there) return [];
  const claims = claimsOf(there.Tags);
  const mine = claims.find(({ deployment }) => deployment === live.spec.deployment);
  const others = claims.filter((claim) => claim !== mine);
  const naming = how === "delete" && others.length === 0 ? await stillNaming(world, target) : [];
  if (how === "delete" && others.length === 0 && naming.length === 0) {
    await deleteOne(world, target);
    return [];
  }
  const wanted = new Set(others.flatMap(({ wants }) => wants));
  const gone = there.ClientIDList.filter(
    (id) => naming.length === 0 && mine?.added.includes(hashOf(id)) && !wanted.has(hashOf(id)),
  );
  for (const ClientID of gone)
    await calls.writeOidcProvider(world, target, {
      operation: "RemoveClientIDFromOpenIDConnectProvider",
      input: { ClientID },
    });
  const list = thumbprintsWithout(there, { mine, others, stays: naming.length > 0 });
  if (list.length > 0 && list.length < there.ThumbprintList.length)
    await calls.writeOidcProvider(world, target, {
      operation: "UpdateOpenIDConnectProviderThumbprint",
      input: { ThumbprintList: list },
    });
  await calls.writeOidcProvider(world, target, {
    operation: "UntagOpenIDConnectProvider",
    input: { TagKeys: [claimKey(live.spec.deployment)] },
  });
  return naming.length > 0 ? [kept(live.spec.url, naming)] : [];
}

interface Leaving {
  readonly mine: Claim | undefined;
  readonly others: readonly Claim[];
  /** Roles name it still: what they need stays. */
  readonly stays: boolean;
}

/** The thumbprints that were there before, and those that others want. */
function thumbprintsWithout({ ThumbprintList }: calls.LiveOidcProvider, { mine, others, stays }: Leaving): string[] {
  const wanted = new Set(others.flatMap(({ thumbprints = "" }) => thumbprints.split("+")));
  return ThumbprintList.filter((one) => stays || wanted.has(one) || !mine?.addedThumbprints.includes(hashOf(one)));
}

/** A role that was deleted a moment ago may still be listed (aws.md 7): looked at three times before it is believed. */
async function stillNaming(
  world: World,
  { account, arn }: { account: Account; arn: string },
): Promise<readonly string[]> {
  for (let looked = 1; ; looked++) {
    const naming = await calls.rolesThatName(world, account, arn);
    if (naming.length === 0) return naming;
    // A list shows the past for longer than a role that is asked for by its name.
    if (looked === 3) return (await inParallel(naming, 4, (role) => isThere(world, account, role))).flat();
    await world.clock.sleep(1000);
  }
}

const isThere = async (world: World, account: Account, arn: string): Promise<readonly string[]> => {
  const role = await unlessMissing(getRole(world, { account, name: arn.split("/").at(-1) ?? "" }));
  return role === undefined ? [] : [arn];
};

/** Documented as idempotent and observed not to be (aws.md 6.1): gone already is done. */
async function deleteOne(world: World, target: { account: Account; arn: string }): Promise<void> {
  try {
    await calls.writeOidcProvider(world, target, {
      operation: "DeleteOpenIDConnectProvider",
      input: {},
      effect: "once",
    });
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    if (error.class === "missing") return;
    if (!mayHaveLanded(error) || (await fetchOne(world, target.account, target.arn))) throw error;
  }
}

const kept = (url: string, roles: readonly string[]): Finding => ({
  code: "AWS-OIDC-PROVIDER-IN-USE",
  severity: "warning",
  at: {},
  says: `the OIDC provider of ${url} stays, because roles that are not ours name it: ${roles.join(", ")}`,
  because: [],
  fix: ["delete it when those roles no longer need it"],
});
