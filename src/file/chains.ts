import type { Finding, Link, Party } from "../model.ts";

/** One link as a step from an identity to an identity; what is no identity of a cloud has no name here. */
interface Step {
  readonly link: Link;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/**
 * How links hang together: none may lead back to where it began, and nobody is let into one thing twice (fact sheet
 * reliability-and-security, cases 39 and 40).
 */
export function lintChains(links: readonly Link[], parties: readonly Party[]): readonly Finding[] {
  const named = (link: Link, side: "from" | "to") =>
    parties.find(({ name }) => name === link[side].party)?.identityName?.(link, side);
  const steps = links.map((link): Step => ({ link, from: named(link, "from"), to: named(link, "to") }));
  return [...loops(steps), ...twice(steps)];
}

/** Whoever got in once could renew itself for ever, and no end of a session would end it. */
function loops(steps: readonly Step[]): readonly Finding[] {
  const told = new Set<Step>();
  const from = Map.groupBy(steps, (step) => step.from);
  return steps.flatMap((step): readonly Finding[] => {
    const loop = told.has(step) ? undefined : wayBack(step, from);
    if (!loop) return [];
    for (const one of loop) told.add(one);
    return [
      {
        ...{ code: "LINKS-CYCLE", severity: "error", because: [], links: loop.map(({ link }) => link.name) },
        at: { place: step.link.place },
        says: `the links lead back to where they begin: ${[...loop.map(({ from }) => from), step.from].join(" -> ")}`,
        fix: ["take one of the links out, or give it an identity of its own to end in"],
      },
    ];
  });
}

/** The shortest way from a step's end back to its start; the steps in their order, itself first. */
function wayBack(first: Step, from: ReadonlyMap<string | undefined, readonly Step[]>): readonly Step[] | undefined {
  const ways: (readonly Step[])[] = [[first]];
  const seen = new Set([first]);
  for (let way = ways.shift(); way; way = ways.shift()) {
    const end = way.at(-1)?.to;
    if (end === undefined) continue;
    if (end === first.from) return way;
    for (const next of from.get(end) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}

/** Members that say how a workload is reached and not who it is. */
const beside = new Set(["mint", "profile", "assumeRole", "region", "subject", "subjectLike"]);

/** The same workload into the same thing again: a second name for one door, of which taking one away takes nothing. */
function twice(steps: readonly Step[]): readonly Finding[] {
  const alike = Map.groupBy(steps, ({ link, to }) => (to === undefined ? undefined : `${to} ${whose(link)}`));
  alike.delete(undefined);
  return [...alike.values()].flatMap((group) =>
    group.flatMap(({ link, to = "" }, at) => {
      const first = group.slice(0, at).find((other) => shared(other.link, link));
      return first ? [again(link, first.link, to)] : [];
    }),
  );
}

const again = (link: Link, first: Link, to: string): Finding => ({
  ...{ code: "LINKS-TWICE", severity: "error", because: [], links: [first.name, link.name] },
  at: { place: link.place },
  says: `${link.name} lets in whom ${first.name} (line ${first.place.line}) lets in already, and to the same ${to}`,
  fix: ["make them one link: may holds all it needs"],
});

/** Of whom a link speaks, but for its subjects. An audience of its own is another door. */
const whose = ({ from, to }: Link): string =>
  JSON.stringify([from.party, Object.entries(from.spec).filter(([key]) => !beside.has(key)), to.spec.audience ?? ""]);

const subjectsOf = ({ from }: Link): readonly unknown[] => [from.spec.subject ?? from.spec.subjectLike ?? ""].flat();

const shared = (one: Link, other: Link): boolean =>
  subjectsOf(one).some((subject) => subjectsOf(other).includes(subject));
