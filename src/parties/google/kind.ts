import type {
  Kind,
  Leftovers,
  Live,
  LivePresent,
  Mark,
  PutJob,
  Removal,
  Resource,
  Seek,
  Spec,
  World,
} from "../../model.ts";
import { CloudError, createOnce, inParallel, mayHaveLanded, settle, unlessMissing } from "../../run/retry.ts";
import * as calls from "./calls.ts";
import { ownProjects, serviceAccountAddress } from "./claims.ts";
import { bytesOf, formerDescription, formerIn, recordIn } from "./former.ts";
import { maxDescription, ownDescription, parseDescription, withMark } from "./mark.ts";
import { emailOf } from "./shape.ts";

/** `project` and `id` make it, `email` finds it: a default account's cannot be computed from the two. */
export interface AccountSpec extends Spec {
  readonly project: string;
  readonly id: string;
  readonly email: string;
  /** False in every file: no token comes out of a disabled account. */
  readonly disabled: boolean;
}

/**
 * A service account. Its mark stands at the end of its description, because it takes no labels (fact sheet,
 * 2.3). It can be disabled instead of deleted: 30 days after a delete its unique id is lost (google.md 5).
 */
export const accountKind: Kind<AccountSpec> = {
  name: "google:serviceAccount",
  label: "google service account",
  disables: true,
  read: readAccount,
  list: listLeftovers,
  put: putAccount,
  remove: (target, world) => removeAccount(target, world).then(() => []),
};

async function readAccount(
  desired: Resource<AccountSpec>,
  hints: readonly string[],
  world: World,
): Promise<Live<AccountSpec>> {
  const target = { project: desired.spec.project, account: desired.spec.email };
  const account = await unlessMissing(calls.getAccount(world, target));
  if (account) return present(desired.spec.project, account);
  // A deleted account cannot be read; only the id that its dependants remember brings it back (house.md).
  const id = hints[0];
  return id ? { state: "deleted", id, outputs: { uniqueId: id } } : { state: "absent" };
}

/** Any owner's mark gives `ours` or `adopted` here; whose it is, `observe` decides. */
function present(project: string, account: calls.LiveAccount): LivePresent<AccountSpec> {
  const mark = parseDescription(account.description);
  const id = account.email.split("@")[0] ?? "";
  return {
    state: "present",
    owner: mark ? (mark.adopted ? "adopted" : "ours") : "foreign",
    spec: { project, id, email: account.email, disabled: account.disabled },
    outputs: {
      uniqueId: account.uniqueId,
      email: account.email,
      description: account.description,
      disabled: String(account.disabled),
    },
    ...(mark ? { mark } : {}),
    former: (owner) =>
      formerIn(
        { description: account.description, owner, measure: bytesOf },
        account.disabled ? { disabled: { value: true, says: "that it was disabled" } } : {},
      ),
  };
}

/** Accounts of this owner that the file does not name, where it owns anything (contract, section 8). */
async function listLeftovers({ named, beside, owner }: Seek<AccountSpec>, world: World): Promise<Leftovers> {
  const known = new Set(named.map((resource) => resource.spec.email));
  const projects = ownProjects(beside);
  const lists = await inParallel(projects, 4, async (project) => {
    const accounts = await calls.listAccounts(world, project);
    return accounts
      .filter((account) => !known.has(account.email) && parseDescription(account.description)?.owner === owner)
      .map((account) => present(project, account));
  });
  const found = lists.flat().map((live) => ({ address: serviceAccountAddress(live.spec), live }));
  return { found, scopes: projects.map((project) => `google ${project}`), findings: [] };
}

/**
 * Observe, ensure, sync, return. One call makes an account whole, so its mark never says `-`; else it is
 * written last. Throws class `exists` where somebody else's account appeared after the plan.
 */
async function putAccount(
  { desired, live, mark }: PutJob<AccountSpec>,
  world: World,
): Promise<LivePresent<AccountSpec>> {
  const { spec } = desired;
  const target = { project: spec.project, account: spec.email };
  const there = live.state === "present" ? live : await bring(world, { desired, live, mark });
  if (live.state !== "present" && there.mark?.owner !== mark.owner) {
    throw new CloudError({
      ...creating,
      class: "exists",
      code: "ALREADY_EXISTS",
      status: 409,
      message: `${spec.email} appeared meanwhile and is not ours`,
    });
  }
  // What it was is written down before any of it changes.
  const first = marked(there.outputs.description ?? "", { ...mark, put: "-" }, spec.email);
  if (mark.was !== undefined && there.mark?.was !== mark.was) await calls.describeAccount(world, target, first);
  if (there.spec.disabled !== spec.disabled)
    await calls.switchAccount(world, target, spec.disabled ? "disable" : "enable");
  const description = marked(there.outputs.description ?? "", mark, spec.email);
  if (description !== there.outputs.description) await calls.describeAccount(world, target, description);
  const outputs = { ...there.outputs, description };
  return { state: "present", owner: mark.adopted ? "adopted" : "ours", spec, outputs, mark };
}

/** Somebody's own text is never cut to make room for our mark: it could not be given back. */
function marked(description: string, mark: Mark, email: string): string {
  const text = withMark(description, mark);
  const over = Buffer.byteLength(text) - maxDescription;
  if (over <= 0) return text;
  throw new CloudError({
    ...{ class: "invalid", service: "google.iam", operation: "PatchServiceAccount", code: "", status: 0 },
    message: `the description of ${email} leaves no room for a mark; shorten it by ${over} bytes`,
  });
}

const creating = { service: "google.iam", operation: "CreateServiceAccount" } as const;

/** Makes the account, or brings the deleted one back with its unique id; then waits until it can be read. */
async function bring(world: World, { desired, live, mark }: PutJob<AccountSpec>): Promise<LivePresent<AccountSpec>> {
  const { spec } = desired;
  const target = { project: spec.project, account: spec.email };
  const restored = live.state === "deleted" ? await restore(world, spec, live.id) : undefined;
  const made = restored ?? (await create(world, desired, mark));
  const visible = () =>
    unlessMissing(calls.getAccount(world, target)).then((now) => now?.uniqueId === made.outputs.uniqueId, notYet);
  // 404 and 403 both mean "not yet" on a fresh account; three reads in a row count (google.md 5).
  const seen = await settle(
    world,
    { what: `google service account ${spec.email} becomes visible`, budget: 60_000, inARow: 3 },
    visible,
  );
  if (!seen)
    throw new CloudError({
      ...creating,
      class: "transient",
      code: "",
      status: 0,
      message: `${spec.email} was made and is not visible yet`,
    });
  return made;
}

/**
 * A refusal is lag on a fresh account (google.md, trap 14), and an answer that says nothing is one more reason to look
 * again; anything else is thrown on.
 */
const notYet = (error: unknown): boolean => {
  if (error instanceof CloudError && (error.class === "denied" || mayHaveLanded(error))) return false;
  throw error;
};

/** Undefined where it cannot be brought back; `bring` then makes a new one. */
async function restore(world: World, spec: AccountSpec, id: string): Promise<LivePresent<AccountSpec> | undefined> {
  try {
    return present(spec.project, await calls.undeleteAccount(world, { project: spec.project, account: id }));
  } catch (error) {
    // Past its 30 days: a new account it is, with a new unique id, and every trust follows by its reference.
    if (error instanceof CloudError && ["missing", "invalid"].includes(error.class)) return undefined;
    // A missing id may be answered with a refusal too. Whoever has the right to undelete was not refused for lack of it;
    // for the others a namesake would bar the way back, so the refusal is told.
    if (error instanceof CloudError && error.class === "denied" && (await mayUndelete(world, spec.project)))
      return undefined;
    throw error;
  }
}

async function mayUndelete(world: World, project: string): Promise<boolean> {
  const permission = "iam.serviceAccounts.undelete";
  return (await calls.heldPermissions(world, project, [permission])).includes(permission);
}

async function create(world: World, desired: Resource<AccountSpec>, mark: Mark): Promise<LivePresent<AccountSpec>> {
  const { spec } = desired;
  const input = {
    id: spec.id,
    displayName: spec.id,
    description: withMark(ownDescription, mark),
  };
  return createOnce(world, {
    find: async () => {
      const account = await unlessMissing(
        calls.getAccount(world, { project: spec.project, account: emailOf(spec.id, spec.project) }),
      );
      return account && present(spec.project, account);
    },
    create: async () => present(spec.project, await calls.createAccount(world, spec.project, input)),
  });
}

/**
 * By its unique id, so that a namesake made meanwhile stays. `release` takes our mark off, leaves the account and its own
 * text, and disables one that was disabled; one that is gone already counts as deleted.
 */
async function removeAccount({ live, how }: Removal<AccountSpec>, world: World): Promise<void> {
  const target = { project: live.spec.project, account: live.outputs.uniqueId ?? live.spec.email };
  if (how === "disable") {
    if (!live.spec.disabled) await calls.switchAccount(world, target, "disable");
  } else if (how === "release") {
    // What remembers that it was disabled goes last.
    if (recordIn(live.mark).disabled === true) await calls.switchAccount(world, target, "disable");
    await calls.describeAccount(world, target, formerDescription(live.outputs.description ?? ""));
  } else {
    await unlessMissing(calls.deleteAccount(world, target));
  }
}
