import type { HealthDocument, Report, Sides, Verdict } from "../../model.ts";
import { concerns } from "../../verdict/link.ts";
import { undecidedOf } from "../../verdict/run.ts";
import { type StepLook, stepLook, worstFirst } from "./words.ts";

/** A box of the drawing. Two links that share a thing share its box. */
export interface Node {
  readonly column: number;
  readonly caption: string;
  readonly title: string;
  /** Said in full to whoever points at it. */
  readonly whole: string;
  /** The rows of the links that use it. */
  readonly rows: readonly number[];
  readonly verdicts: readonly Verdict[];
  /** Below a relying party: what it does with strangers, and whether it is as the file says. */
  readonly notes: readonly Pick<StepLook, "sign" | "tone" | "word">[];
}

/** An arrow between two boxes, by their keys; where several links go the same way, the worst of them is shown. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly step: "mint" | "exchange" | "whoami";
  readonly look: StepLook;
  readonly links: number;
}

/** The trust graph as data: what is where is for the drawing to say. */
export interface Graph {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly edges: readonly Edge[];
  readonly rows: readonly { readonly sides: Sides; readonly verdict: Verdict }[];
  /** Links that have no place in it: too many, or no longer in the file. */
  readonly left: number;
}

/** More rows than these nobody reads as a drawing; the list below has them all. */
const most = 24;

type Checked = HealthDocument["links"][number];
const steps = ["mint", "exchange", "whoami"] as const;
const severity = ["good", "none", "note", "warn", "bad"] as const;
const worse = (a: StepLook, b: StepLook): StepLook => (severity.indexOf(b.tone) > severity.indexOf(a.tone) ? b : a);

/** Worst first, and those of one issuer together, so that arrows cross as little as can be. */
export function graphOf({ document, sides }: Report): Graph {
  const sidesOf = new Map(sides.map((one) => [one.link, one]));
  const drawable = worstFirst(document.links).flatMap((link) => {
    const mine = sidesOf.get(link.link);
    return mine ? [{ link, sides: mine }] : [];
  });
  const shown = drawable.slice(0, most);
  const issuers = [...new Set(shown.map((row) => row.sides.issuer))];
  shown.sort((a, b) => issuers.indexOf(a.sides.issuer) - issuers.indexOf(b.sides.issuer));
  const open = undecidedOf(document.findings);
  const nodes = new Map<string, Node>();
  const edges = new Map<string, Edge>();
  for (const [row, { link, sides: mine }] of shown.entries()) {
    const undecided = open.some((finding) => concerns(finding, link.link));
    const keys = boxesOf(mine, link, undecided).map(({ key: own, ...box }, column) => {
      const key = `${column} ${own}`;
      nodes.set(key, merged(nodes.get(key), { ...box, column, rows: [row], verdicts: [link.verdict] }));
      return key;
    });
    for (const [at, step] of steps.entries())
      joinEdge(edges, { from: keys[at] ?? "", to: keys[at + 1] ?? "", step }, link);
  }
  const rows = shown.map((row) => ({ sides: row.sides, verdict: row.link.verdict }));
  return { nodes, edges: [...edges.values()], rows, left: document.links.length - shown.length };
}

type Box = Omit<Node, "column" | "rows" | "verdicts"> & { readonly key: string };

/** The keys say when two links mean one thing: a subject is one of its issuer, and a permission one of its role. */
function boxesOf({ from, to, issuer, may }: Sides, link: Checked, undecided: boolean): readonly Box[] {
  const [first = "nothing by itself"] = may;
  const more = may.length > 1 ? ` +${may.length - 1}` : "";
  const [key, all] = [`${to.party} ${to.scope} ${to.title}`, may.join("; ")];
  const plain = (title: string) => ({ title, whole: title, notes: [] });
  return [
    { key: `${issuer} ${from.title}`, caption: `${from.party} workload`, ...plain(from.title) },
    { key: issuer, caption: "issuer", ...plain(issuer) },
    { ...plain(to.title), key, caption: `${to.party} ${to.scope}`.trim(), notes: notesOf(link, undecided) },
    { key: `${key} ${all}`, caption: "may", title: `${first}${more}`, whole: all || first, notes: [] },
  ];
}

/** Others are said to be turned away only where nothing is left to decide. */
function notesOf({ hops, changes, verdict }: Checked, undecided: boolean): Node["notes"] {
  const refuse = hops.find(({ step }) => step === "refuse");
  const { sign, tone } = stepLook(refuse);
  const drift = changes.length > 0 ? [{ sign: "~", tone: "warn" as const, word: "not as the file says" }] : [];
  if (verdict === "open") return [{ sign: "!", tone: "bad", word: "lets strangers in" }, ...drift];
  if (undecided) return [{ sign: "!", tone: "warn", word: "a security finding to decide" }, ...drift];
  if (refuse?.result === "ok") return [{ sign, tone, word: "turns others away" }, ...drift];
  return [{ sign, tone, word: "others: could not tell" }, ...drift];
}

/** Of what two links say of strangers the worse holds for the box: a door is as open as it was found once. */
function merged(known: Node | undefined, one: Node): Node {
  if (!known) return one;
  const graver = (a: Node["notes"][number], b: typeof a) =>
    severity.indexOf(b.tone) > severity.indexOf(a.tone) ? b : a;
  const [first, second] = [known.notes[0], one.notes[0]];
  const notes =
    first && second ? [graver(first, second), ...[known, one].flatMap((node) => node.notes.slice(1)).slice(0, 1)] : [];
  return { ...known, notes, rows: [...known.rows, ...one.rows], verdicts: [...known.verdicts, ...one.verdicts] };
}

function joinEdge(edges: Map<string, Edge>, way: Pick<Edge, "from" | "to" | "step">, { hops }: Checked): void {
  const key = `${way.from}\n${way.to}`;
  const look = stepLook(hops.find(({ step }) => step === way.step));
  const known = edges.get(key);
  edges.set(
    key,
    known ? { ...known, look: worse(known.look, look), links: known.links + 1 } : { ...way, look, links: 1 },
  );
}
