import type { Report } from "../../model.ts";
import { type Edge, type Graph, graphOf, type Node } from "./graph.ts";
import { boxHeight, boxSvg, edgeSvg, type Spot } from "./svg.ts";
import { html, type Markup } from "./text.ts";

/** Pixels of the wide drawing: four columns of boxes, and room between them for a step's name. */
const wide = { width: 1120, box: 194, row: 96, gap: (1120 - 4 * 194) / 3 };
/** And of the narrow one, a link below the other. */
const tall = { width: 340, box: 300, step: boxHeight + 34 };

/** The trust graph twice: side by side for a screen, one below the other for a phone. The style shows one of them. */
export function drawing(report: Report): Markup {
  const graph = graphOf(report);
  if (graph.rows.length === 0) return html`<p class="quiet">no link of this report is in the file any more.</p>`;
  const left = graph.left > 0 && html`<p class="quiet">${graph.left} more in the list below.</p>`;
  return html`${wideSvg(graph)}${tallSvg(report, graph)}${left}`;
}

const label = ({ rows }: Graph): string =>
  rows
    .map(
      ({ sides, verdict }) =>
        `${sides.link}: ${sides.from.title}, vouched for by ${sides.issuer}, becomes ${sides.to.title}, may ${sides.may.join(", ") || "nothing by itself"}: ${verdict}`,
    )
    .join(". ");

function wideSvg(graph: Graph): Markup {
  const height = graph.rows.length * wide.row;
  const spots = new Map([0, 1, 2, 3].flatMap((column) => [...columnSpots(graph, column)]));
  const edges = graph.edges.map((edge) => {
    const [from, to] = [spots.get(edge.from), spots.get(edge.to)];
    return from && to ? across(edge, { from, to, ...crowd(edge, graph) }) : html``;
  });
  const boxes = [...graph.nodes].map(([key, node]) => boxSvg(node, spots.get(key) as Spot));
  return html`<svg class="wide" viewBox="0 0 ${wide.width} ${height}" role="img" aria-label="${label(graph)}">${edges}${boxes}</svg>`;
}

/**
 * A box stands at the middle of its rows. Two shared ones may want the same place: each is pushed below the one
 * before it, then all are pushed up again from the last row.
 */
function columnSpots({ nodes, rows }: Graph, column: number): ReadonlyMap<string, Spot> {
  const middle = (node: Node): number => node.rows.reduce((sum, row) => sum + row, 0) / node.rows.length;
  const mine = [...nodes].filter(([, node]) => node.column === column).sort(([, a], [, b]) => middle(a) - middle(b));
  const places: number[] = [];
  for (const [at, [, node]] of mine.entries())
    places[at] = Math.max(middle(node), at === 0 ? 0 : (places[at - 1] ?? 0) + 1);
  for (let at = mine.length - 1, last = rows.length - 1; at >= 0; at--, last--) {
    places[at] = Math.min(places[at] ?? 0, last, (places[at + 1] ?? rows.length) - 1);
  }
  const x = column * (wide.box + wide.gap);
  return new Map(mine.map(([key], at) => [key, { x, y: (places[at] ?? 0) * wide.row + 4, width: wide.box }]));
}

interface Way {
  readonly from: Spot;
  readonly to: Spot;
  /** How many arrows leave where it starts, and arrive where it ends. */
  readonly out: number;
  readonly in: number;
}

const crowd = (edge: Edge, { edges }: Graph): Pick<Way, "out" | "in"> => ({
  out: edges.filter(({ from }) => from === edge.from).length,
  in: edges.filter(({ to }) => to === edge.to).length,
});

/**
 * Straight where its words stand, which is at the end with fewer arrows; curved over the rest. Between two crowds there
 * is no such end: the words are left to the list, because they would stand on each other.
 */
function across(edge: Edge, { from, to, ...arrows }: Way): Markup {
  const [x1, y1, x2, y2] = [from.x + wide.box, from.y + boxHeight / 2, to.x, to.y + boxHeight / 2];
  const words = 78;
  const atStart = arrows.out < arrows.in || (arrows.out === 1 && edge.step === "mint");
  const bend = atStart ? x1 + words : x2 - words;
  const path = atStart
    ? `M${x1} ${y1}H${bend}C${x2 - 6} ${y1} ${bend + 4} ${y2} ${x2} ${y2}`
    : `M${x1} ${y1}C${bend - 4} ${y1} ${x1 + 6} ${y2} ${bend} ${y2}H${x2}`;
  const head = `M${x2 - 8} ${y2 - 4.5}L${x2 - 1} ${y2}L${x2 - 8} ${y2 + 4.5}Z`;
  return edgeSvg(
    edge,
    { path, head },
    {
      x: atStart ? x1 + 10 : bend,
      y: atStart ? y1 : y2,
      mute: arrows.out > 1 && arrows.in > 1,
    },
  );
}

/** No box is shared here: each link is drawn by itself, with its name above. */
function tallSvg(report: Report, graph: Graph): Markup {
  return html`<div class="tall">${graph.rows.map(({ sides }) => {
    const links = report.document.links.filter(({ link }) => link === sides.link);
    const alone = graphOf({ ...report, document: { ...report.document, links } });
    return html`<p class="quiet mono">${sides.link}</p>${column(alone)}`;
  })}</div>`;
}

function column(graph: Graph): Markup {
  const x = (tall.width - tall.box) / 2;
  const keys = [...graph.nodes.keys()];
  // What a relying party does with others stands below its box, so the arrow after it starts lower.
  const extra = (key: string): number => {
    const lines = graph.nodes.get(key)?.notes.length ?? 0;
    return lines > 0 ? lines * 14 + 8 : 0;
  };
  const before = (at: number): number => keys.slice(0, at).reduce((sum, key) => sum + extra(key), 0);
  const top = (at: number): number => 4 + at * tall.step + before(at);
  const edges = graph.edges.map((edge, at) => {
    const from = top(at) + boxHeight + extra(keys[at] ?? "");
    const to = top(at + 1);
    const middle = x + 24;
    const head = `M${middle - 4.5} ${to - 8}L${middle} ${to - 1}L${middle + 4.5} ${to - 8}Z`;
    return edgeSvg(
      edge,
      { path: `M${middle} ${from}V${to}`, head },
      { x: middle + 14, y: (from + to) / 2 + 3, flat: true },
    );
  });
  const boxes = [...graph.nodes.values()].map((node, at) => boxSvg(node, { x, y: top(at), width: tall.box }));
  const height = top(keys.length - 1) + boxHeight + 8;
  return html`<svg viewBox="0 0 ${tall.width} ${height}" role="img" aria-label="${label(graph)}">${edges}${boxes}</svg>`;
}
