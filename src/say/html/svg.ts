import { ratings, worst } from "../../verdict/table.ts";
import type { Edge, Node } from "./graph.ts";
import { html, type Markup, short } from "./text.ts";

/** Where a box stands; all boxes of a drawing have one size. */
export interface Spot {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export const boxHeight = 46;
/** Of the monospaced letters, with a little to spare for wide ones. */
const letter = 7.4;

/** A box: what it is in small letters, what it is called, and below it what it does with others. */
export function boxSvg(node: Node, { x, y, width }: Spot): Markup {
  const tone = node.column === 2 ? ratings[worst(node.verdicts)].tone : "none";
  return html`<g class="box ${tone}"><title>${node.caption}: ${node.whole}</title>
<rect x="${x}" y="${y}" width="${width}" height="${boxHeight}" rx="6"/>
<text class="cap" x="${x + 12}" y="${y + 17}">${node.caption}</text>
<text class="name" x="${x + 12}" y="${y + 35}">${short(node.title, Math.floor((width - 24) / letter))}</text>
${node.notes.map((note, at) => html`<text class="say ${note.tone}" x="${x + 12}" y="${y + boxHeight + 16 + at * 14}">${note.sign} ${note.word}</text>`)}</g>`;
}

/** Where a step's words stand; `flat`: in one line, beside a line that goes down. */
export interface Words {
  readonly x: number;
  readonly y: number;
  readonly flat?: true;
  /** No place for them: whoever points at the line is told. */
  readonly mute?: boolean;
}

/** The line with its head, and the step in words: which, and how it went. */
export function edgeSvg(
  edge: Edge,
  line: { readonly path: string; readonly head: string },
  { x, y, flat, mute }: Words,
): Markup {
  const { sign, tone, word } = edge.look;
  const many = edge.links > 1 ? `${edge.links} links` : word;
  const words = flat
    ? html`<text class="say" x="${x}" y="${y}">${sign} ${edge.step}</text><text class="how" x="${x + 84}" y="${y}">${many}</text>`
    : html`<text class="say" x="${x}" y="${y - 6}">${sign} ${edge.step}</text><text class="how" x="${x}" y="${y + 15}">${many}</text>`;
  return html`<g class="edge ${tone}"><path class="line" d="${line.path}"/><path class="head" d="${line.head}"/>${mute ? html`<title>${edge.step}: ${many}</title>` : words}</g>`;
}
