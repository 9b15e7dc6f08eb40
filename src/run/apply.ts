import type {
  Address,
  Change,
  Finding,
  Kind,
  Live,
  LivePresent,
  Lookup,
  Mark,
  Plan,
  Ref,
  Resource,
  World,
} from "../model.ts";
import { adoptionOf, formerOf, holding, holdsOf, isStale, subjectsOf, theirsOf, unfinished } from "./marks.ts";
import { tailOf } from "./observe.ts";
import { type Adoption, forgetReplacing, notedReplacing, noteReplacing } from "./replacing.ts";
import { CloudError, inParallel } from "./retry.ts";
import { troubleOf } from "./trouble.ts";

/** A plan to be carried out. Whether it is wise is not looked at again: that was asked before. */
export interface Job {
  readonly plan: Plan;
  /** Everything that was read, also what the plan leaves alone: changes may refer to it. */
  readonly live: ReadonlyMap<Address, Live>;
  readonly kinds: readonly Kind[];
  /** Everything that the file names, also what is being destroyed: what refers to what. */
  readonly named: readonly Resource[];
  /** What could not be read: it may be there, so what alone remembers it stays. */
  readonly unread: ReadonlySet<Address>;
  /** What can be switched off is kept, disabled, instead of deleted. */
  readonly keep: boolean;
  /** The plan's own helpers, because a mark is made of the same fingerprints that a plan compares. */
  readonly tools: {
    readonly resolve: <T>(value: T, lookup: Lookup) => T;
    readonly refs: (value: unknown) => readonly Ref[];
    readonly want: (resource: Resource) => string;
    readonly put: (spec: unknown) => string;
    readonly leaving: (rest: unknown) => string;
    readonly hash: (address: Address) => string;
  };
}

/** What came of it. Errors are findings here, because the rest of the plan goes on without them. */
export interface Applied {
  /** Live as it is after what was done. */
  readonly live: ReadonlyMap<Address, Live>;
  readonly done: readonly Change[];
  readonly findings: readonly Finding[];
}

/** AWS writes 8 at a time an account, Google 4; one width serves both (reliability-and-security.md, 2.5). */
const width = 8;

/**
 * Makes it so, wave by wave: what others refer to first, deletions after everything else and in reverse, an
 * order in which a run may be killed anywhere (reliability-and-security.md, 2.4). Independent changes go on
 * when one fails; what depends on the failed one is left alone.
 */
export async function apply(job: Job, world: World): Promise<Applied> {
  const run = new Run(job, world);
  await run.shield();
  for (const wave of job.plan.waves) await inParallel(wave, width, (address) => run.make(address));
  await run.clean();
  await run.seal();
  await run.reread();
  return { live: run.live, done: run.done, findings: run.findings };
}

const words: Readonly<Record<Change["verb"], string>> = {
  create: "create",
  restore: "restore",
  update: "update",
  replace: "replace",
  adopt: "adopt",
  keep: "keep",
  delete: "delete",
  release: "give back",
};

/** `live` moves along with what is written, because later waves refer to the outputs of earlier ones. */
class Run {
  readonly live = new Map<Address, Live>();
  readonly done: Change[] = [];
  readonly findings: Finding[] = [];
  private readonly failed = new Set<Address>();
  /** Taken away before the first wave, although the plan keeps it: made again at its turn. */
  private readonly shielded = new Set<Address>();
  /** Carriers that are not done with their turn, with the marks that they get at the end. */
  private readonly resting = new Map<Address, { readonly mark: Mark; readonly before: Mark | undefined }>();
  private readonly job: Job;
  private readonly world: World;
  private readonly changes: ReadonlyMap<Address, Change>;

  constructor(job: Job, world: World) {
    this.job = job;
    this.world = world;
    this.changes = new Map(job.plan.changes.map((change) => [change.address, change]));
    for (const [address, live] of job.live) this.live.set(address, live);
  }

  /**
   * Before anything that lets somebody in comes back, what names it goes: else it would let in whom it let in last, until
   * it is as the file says (house.md: bindings, undelete, patch, bindings).
   */
  async shield(): Promise<void> {
    const { changes } = this.job.plan;
    const waking = changes.filter(({ verb, address }) => verb === "restore" && this.kindOf(address).wakes);
    const names = new Set(waking.map(({ address }) => address));
    if (names.size === 0) return;
    const small = changes.filter(({ address, live }) => this.kindOf(address).unmarked && live.state === "present");
    const gone = small.filter((change) => {
      const { verb, desired } = change;
      if (this.isLeft(change)) return false;
      const on = [...(desired?.needs ?? []), ...this.job.tools.refs(desired?.spec).map((ref) => ref.$ref)];
      return verb === "delete" || on.some((address) => names.has(address));
    });
    await inParallel(gone, width, async (change) => {
      if (change.verb === "delete") return this.step(change, () => this.removeFor(change));
      await this.remove(change, "delete");
      this.live.set(change.address, { state: "absent" });
      this.shielded.add(change.address);
    });
  }

  /**
   * One thing, at its turn. A `keep` is written only where its mark is stale, so a second run writes nothing.
   * The mark is made only now, because it holds unique ids that earlier waves may have brought into being.
   */
  async make(address: Address): Promise<void> {
    const planned = this.changes.get(address);
    if (!planned?.desired || planned.desired.hold === "use") return;
    const { change, adoption } = await this.resumed(planned, planned.desired);
    const mark = this.opened(change, this.markFor(change, adoption));
    const taken = this.shielded.has(address);
    if (!mark || (change.verb === "keep" && !taken && !isStale((change.live as LivePresent).mark, mark))) return;
    await this.step(planned, async () => {
      const kind = this.kindOf(address);
      if (change.verb === "replace") {
        if (mark.adopted) await noteReplacing(this.world, change.desired, mark.was);
        await this.remove(change, "delete");
      }
      const live: Live = change.verb === "replace" || taken ? { state: "absent" } : change.live;
      const desired = { ...change.desired, spec: this.resolved(change) } as Resource;
      this.live.set(address, await kind.put({ desired, live, mark }, this.world));
      if (mark.adopted && this.replaces(address)) await forgetReplacing(this.world, address);
    });
  }

  /** The mark for now, where something rests: what rides on it is yet to be made, or a former file's is yet to go. */
  private opened({ address, verb, desired, live }: Change, mark: Mark | undefined): Mark | undefined {
    if (!mark) return undefined;
    const before = live.state === "present" ? live.mark : undefined;
    const rests =
      this.job.plan.open.includes(address) ||
      desired?.covers?.some((one) => this.shielded.has(one) || (verb !== "keep" && this.job.unread.has(one))) === true;
    if (!rests && formerOf(before, mark).length === 0) return mark;
    this.resting.set(address, { mark, before });
    return unfinished(mark, before, rests);
  }

  /** The carriers' last marks, once all is there and gone; of a failure the next run finds what is left to do. */
  async seal(): Promise<void> {
    const stuck = this.job.plan.changes.some(({ verb, address }) => verb === "delete" && this.failed.has(address));
    const forget = this.job.plan.swept && !stuck && !this.isBlind() && !changesLeft(this.job.plan);
    const gone = new Set(
      this.done.filter(({ verb }) => verb === "delete").map((one) => this.job.tools.hash(one.address)),
    );
    await inParallel([...this.resting], width, async ([address, { mark: last, before }]) => {
      const change = this.changes.get(address) as Change;
      const { desired, links } = change;
      const live = this.live.get(address);
      const all = (desired?.covers ?? []).every((one) => this.live.get(one)?.state === "present");
      if (!desired || !all || live?.state !== "present") return;
      const kept = forget ? [] : formerOf(before, last).filter((one) => !gone.has(one));
      const mark = holding(last, kept);
      try {
        if (live.mark && !isStale(live.mark, mark)) return;
        this.live.set(
          address,
          await this.kindOf(address).put(
            { desired: { ...desired, spec: this.resolved(change) }, live, mark },
            this.world,
          ),
        );
      } catch (error) {
        this.findings.push(troubleOf(error, { address, links }));
      }
    });
  }

  /** Deletions in reverse of the kinds: whoever refers to a thing goes before it, leftovers included. */
  async clean(): Promise<void> {
    const leaves = ({ verb }: Change) => verb === "delete" || verb === "release";
    const gone = this.job.plan.changes.filter(
      (change) => leaves(change) && !this.done.includes(change) && !this.isLeft(change),
    );
    const order = [...new Set(gone.map(({ address }) => address.split("/")[0] ?? ""))];
    const rank = this.job.kinds.map((kind) => kind.name);
    await this.confirmGone(gone);
    await this.openAll(gone);
    for (const head of order.sort((a, b) => rank.indexOf(b) - rank.indexOf(a))) {
      const group = gone.filter(({ address }) => address.startsWith(`${head}/`));
      const free = group.filter((change) => {
        const why = this.keptBy(change);
        if (why === undefined) return true;
        this.failed.add(change.address);
        this.findings.push(leftAlone(change, why));
        return false;
      });
      await inParallel(free, width, (change) => this.step(change, () => this.removeFor(change)));
    }
  }

  /** What no link names stays until its number was agreed to: it may be another file's (contract, section 9). */
  private isLeft({ links }: Change): boolean {
    return links.length === 0 && !this.job.plan.prunes;
  }

  /**
   * Marks what carries small things that go as unfinished before the first of them goes: a run that is cut off in between
   * leaves something unfinished, and nothing that looks as if somebody else had changed it.
   */
  private async openAll(gone: readonly Change[]): Promise<void> {
    const going = new Set(gone.map(({ address }) => address));
    const covering = this.job.named.filter(({ covers }) => covers?.some((one) => going.has(one)));
    const names = new Set(covering.map(({ address }) => address));
    const carriers = gone.filter(({ address, verb }) => verb === "delete" && names.has(address));
    await inParallel(carriers, width, async ({ address, links, live, access }) => {
      if (live.state !== "present" || !live.mark || live.mark.put === "-") return;
      const desired: Resource = { address, links, hold: "own", spec: live.spec, ...(access ? { access } : {}) };
      try {
        await this.kindOf(address).put({ desired, live, mark: { ...live.mark, put: "-" } }, this.world);
      } catch (error) {
        // It only says what the deletion is about to do; where that cannot be done either, the deletion says so.
        if (!(error instanceof CloudError)) throw error;
      }
    });
  }

  /**
   * Returns why a thing that should go has to stay: something that may still be there depends on it or lies within it, and
   * the next run would not find that without it.
   */
  private keptBy({ address, live, links }: Change): string | undefined {
    const stays = [...this.failed, ...this.job.unread].filter((one) => !this.isNew(one));
    const held = live.state === "present" ? (live.mark?.holds ?? []) : [];
    const outputs = live.state === "present" ? Object.values(live.outputs) : [];
    const one = stays.find(
      (other) =>
        other !== address &&
        (this.restsOn(other).has(address) ||
          this.names(other, outputs) ||
          held.includes(this.job.tools.hash(other)) ||
          isWithin(other, address)),
    );
    if (one !== undefined) return `${tailOf(one)} may still be there, and would not be found without it`;
    const known = new Set(
      [...this.job.named, ...this.job.plan.changes].map((other) => this.job.tools.hash(other.address)),
    );
    if (this.isBlind() && held.some((hash) => !known.has(hash)))
      return "it alone remembers a grant of a former file, which could not be looked for";
    const blind = this.job.plan.findings.some(({ code, asks }) => code === "LEFTOVERS-UNSEEN" && asks !== undefined);
    return blind && (links.length === 0 || this.isReferredTo(address))
      ? "not all that a former file left could be looked for, and something may depend on it"
      : undefined;
  }

  /** Whether things of its own cloud depend on it, and so may those that a former file left. */
  private isReferredTo(address: Address): boolean {
    return this.job.named.some((one) => one.address !== address && this.restsOn(one.address).has(address));
  }

  /** Whether a thing was to be made in this run, so that nothing of an earlier one is at stake. */
  private isNew(address: Address): boolean {
    return this.changes.get(address)?.verb === "create";
  }

  /**
   * What a thing depends on in its own cloud, and what remembers it. A role in another cloud that names an account carries a
   * mark of its own, and is worth nothing once the account is gone.
   */
  private restsOn(address: Address): ReadonlySet<Address> {
    const { named, tools } = this.job;
    const resource = named.find((one) => one.address === address);
    const carriers = named.filter(({ covers }) => covers?.includes(address)).map((one) => one.address);
    const on = resource ? [...tools.refs(resource.spec).map(({ $ref }) => $ref), ...(resource.needs ?? [])] : [];
    const [cloud] = address.split(":");
    return new Set([...on, ...carriers].filter((one) => one.startsWith(`${cloud}:`)));
  }

  /** Whether a small leftover names something by one of its outputs: no file says any more what it depends on. */
  private names(address: Address, outputs: readonly string[]): boolean {
    const live = this.changes.get(address)?.live;
    if (!this.kindOf(address).unmarked || live?.state !== "present") return false;
    const values = Object.values(live.spec);
    return outputs.some((name) => values.some((value) => saysName(value, name)));
  }

  /**
   * Looks again for small things that were not found although the mark of what carries them says that they were made. A
   * read soon after a write may show the past, and after their carrier is gone nobody would look for them again.
   */
  private async confirmGone(gone: readonly Change[]): Promise<void> {
    const leaving = new Set(gone.map(({ address }) => address));
    const covered = this.job.named.flatMap(({ address, covers = [] }) => {
      const live = this.job.live.get(address);
      const whole = leaving.has(address) && live?.state === "present" && live.mark && live.mark.put !== "-";
      return whole ? covers : [];
    });
    const missed = this.job.named.filter(
      ({ address }) =>
        covered.includes(address) && this.job.live.get(address)?.state === "absent" && !this.job.unread.has(address),
    );
    await inParallel(missed, width, async ({ address, links, ...rest }) => {
      const spec = this.job.tools.resolve(rest.spec, this.lookup);
      const resource: Resource = { address, links, ...rest, spec };
      const change: Change = { address, links, verb: "delete", differences: [], live: { state: "absent" } };
      try {
        const live = await this.seenLate(resource);
        if (live) await this.step({ ...change, live }, () => this.removeFor({ ...change, live }));
      } catch (error) {
        this.failed.add(address);
        this.findings.push(troubleOf(error, { address, links }));
      }
    });
  }

  /** Reads a thing three times within six seconds, until it is there. */
  private async seenLate(resource: Resource): Promise<LivePresent | undefined> {
    for (let asked = 0; asked < 3; asked++) {
      if (asked > 0) await this.world.clock.sleep(3000);
      const live = await this.kindOf(resource.address).read(resource, [], this.world);
      if (live.state === "present") return live;
    }
    return undefined;
  }

  /** Whether something that a former file left could not be looked for, or has to stay. */
  private isBlind(): boolean {
    return this.job.plan.findings.some(({ code }) => code === "LEFTOVERS-UNSEEN" || code === "LEFTOVERS-OTHERS");
  }

  /** What is only used was read before we wrote into it: the proof must judge what is there now. */
  async reread(): Promise<void> {
    if (!this.done.some(({ address }) => this.kindOf(address).onUsed)) return;
    const used = this.job.plan.changes.flatMap(({ desired }) => (desired?.hold === "use" ? [desired] : []));
    await inParallel(used, width, async (resource) => {
      const live = await this.kindOf(resource.address)
        .read(resource, [], this.world)
        .catch(() => undefined);
      if (live) this.live.set(resource.address, live);
    });
  }

  private async removeFor(change: Change): Promise<void> {
    const disable = this.job.keep && this.kindOf(change.address).disables === true;
    await this.remove(change, change.verb === "release" ? "release" : disable ? "disable" : "delete");
    this.live.set(change.address, { state: "absent" });
  }

  private async remove(change: Change, how: "delete" | "release" | "disable"): Promise<void> {
    if (change.live.state !== "present") return;
    const access = change.desired?.access ?? change.access;
    const kind = this.kindOf(change.address);
    const rest = kind.leaving?.(change.live.spec);
    const target = {
      address: change.address,
      live: change.live,
      how,
      ...(access ? { access } : {}),
      ...(rest === undefined ? {} : { leaving: this.job.tools.leaving(rest) }),
    };
    const found = await kind.remove(target, this.world);
    this.findings.push(...found.map((one) => ({ ...one, at: { address: change.address }, links: change.links })));
  }

  /**
   * Every error of a call ends in a finding; one that is not a `CloudError` is a bug of ours and ends the
   * run. An interruption refuses the next call, so it ends a step between two calls.
   */
  private async step(change: Change, work: () => Promise<void>): Promise<void> {
    const what = `${words[change.verb]} ${this.kindOf(change.address).label} ${tailOf(change.address)}`;
    const start = this.world.clock.now();
    this.world.progress({ what, state: "started" });
    try {
      await work();
      this.done.push(change);
      this.world.progress({ what, state: "done", ms: this.world.clock.now() - start });
    } catch (error) {
      this.failed.add(change.address);
      this.world.progress({ what, state: "failed", ms: this.world.clock.now() - start });
      this.findings.push(troubleOf(error, { address: change.address, links: change.links }));
    }
  }

  /** The mark to leave, or nothing where a thing it depends on is not there: then this one is left alone. */
  private markFor(change: Change, adoption: Adoption): Mark | undefined {
    const desired = change.desired as Resource;
    const refs = this.job.tools.refs(desired.spec);
    const without = desired.needs?.some((address) => this.failed.has(address));
    if (without || refs.some((ref) => this.failed.has(ref.$ref) || this.lookup(ref) === undefined)) {
      this.failed.add(change.address);
      this.findings.push(leftAlone(change, "what it refers to is not there"));
      return undefined;
    }
    const subjects = subjectsOf(refs, this.lookup);
    const theirs = theirsOf(change, this.job);
    const holds = holdsOf(desired, this.job.tools.hash).filter((one) => !theirs.includes(one));
    return {
      owner: this.job.plan.deployment,
      want: this.job.tools.want(desired),
      put: this.job.tools.put(this.resolved(change)),
      ...adoption,
      ...(subjects ? { subjects } : {}),
      ...(holds.length > 0 ? { holds } : {}),
      ...(theirs.length > 0 ? { theirs } : {}),
    };
  }

  /** Of a thing that a run which was cut off has deleted to make it anew, only a note knows what it was. */
  private async resumed(
    change: Change,
    desired: Resource,
  ): Promise<{ change: Change & { desired: Resource }; adoption: Adoption }> {
    const { address, verb } = change;
    const note = verb === "create" && this.replaces(address) ? await notedReplacing(this.world, desired) : undefined;
    if (!note) return { change: { ...change, desired }, adoption: adoptionOf(change, this.job.plan.deployment) };
    return {
      change: { ...change, desired: { ...desired, spec: { ...desired.spec, ...note.kept } } },
      adoption: note.adoption,
    };
  }

  private replaces(address: Address): boolean {
    return this.job.plan.replaces.includes(address);
  }

  private readonly lookup: Lookup = (ref) => {
    const target = this.live.get(ref.$ref);
    return target?.state === "present" ? target.outputs[ref.field] : undefined;
  };

  private resolved(change: Change): Resource["spec"] {
    return this.job.tools.resolve((change.desired as Resource).spec, this.lookup);
  }

  private kindOf(address: Address): Kind {
    return this.job.kinds.find((kind) => address.startsWith(`${kind.name}/`)) as Kind;
  }
}

/** Whether something that no link names stays, because its number was not agreed to. */
const changesLeft = ({ changes, prunes }: Plan): boolean =>
  !prunes && changes.some(({ verb, links }) => links.length === 0 && (verb === "delete" || verb === "release"));
/** Whether a thing of another kind lies within it: a pool provider in its pool. */
const isWithin = (inner: Address, outer: Address): boolean =>
  inner.split("/")[0] !== outer.split("/")[0] && tailOf(inner).startsWith(`${tailOf(outer)}/`);

/** Whether a value of a spec is a name, or ends in it behind its sort: `serviceAccount:E-MAIL`, `serviceAccounts/E-MAIL`. */
const saysName = (value: unknown, name: string): boolean =>
  typeof value === "string" &&
  name !== "" &&
  (value === name || value.endsWith(`:${name}`) || value.endsWith(`/${name}`));

const leftAlone = ({ address, links }: Change, why: string): Finding => ({
  code: "LEFT-ALONE",
  severity: "warning",
  at: { address },
  links,
  says: `${tailOf(address)} was left alone, because ${why}`,
  because: [],
  fix: ["repair that first, then run the same command again"],
});
