import { withoutHidden } from "../../model.ts";

/** Text that is markup already. Only `html` makes it, so nothing reaches a page without having been escaped. */
export interface Markup {
  readonly markup: string;
}

type Part = string | number | Markup | undefined | false | readonly Part[];

/** Template for markup: what is put in is text and becomes harmless, unless it is markup itself. */
export const html = (fixed: TemplateStringsArray, ...parts: readonly Part[]): Markup => ({
  markup: fixed.map((text, at) => text + render(parts[at])).join(""),
});

function render(part: Part): string {
  if (part === undefined || part === false) return "";
  if (typeof part === "string") return escaped(part);
  if (typeof part === "number") return String(part);
  if ("markup" in part) return part.markup;
  return part.map(render).join("");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Names, claims and answers of clouds are other people's text: no tag, no attribute ends in it; what cannot be seen, or
 * turns the order of what is read around, becomes a sign that can be seen.
 */
const escaped = (text: string): string =>
  withoutHidden(text, (character) => (/[\t\n]/.test(character) ? character : "\ufffd")).replace(
    /[&<>"']/g,
    (character) => entities[character] ?? "",
  );

const minutes = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;

/** A moment as people and programs read it. */
export const moment = (iso: string): Markup => html`<time datetime="${iso}">${minutes(iso)}</time>`;

/** `3 d 4 h`, `12 min`: how long ago one moment was at another; the two greatest units that count. */
export function span(from: string, to: string): string {
  const whole = Math.max(0, Math.floor((Date.parse(to) - Date.parse(from)) / 60_000));
  if (!Number.isFinite(whole) || whole === 0) return "just now";
  const units = [
    [Math.floor(whole / 1440), "d"],
    [Math.floor(whole / 60) % 24, "h"],
    [whole % 60, "min"],
  ] as const;
  const said = units.filter(([number]) => number > 0).slice(0, 2);
  return said.map(([number, unit]) => `${number} ${unit}`).join(" ");
}

/** The middle of a long word gives way: of an address or an ARN both ends matter. */
export function short(text: string, room: number): string {
  const signs = [...text];
  if (signs.length <= room) return text;
  const head = Math.ceil((room - 1) * 0.6);
  return `${signs.slice(0, head).join("")}…${signs.slice(signs.length - (room - 1 - head)).join("")}`;
}
