/** A piece of text with how it stands out from what is behind it (WCAG 2: 4.5 for text). */
export interface Contrast {
  readonly text: string;
  readonly colour: string;
  readonly behind: string;
  readonly ratio: number;
}

export function contrasts(): readonly Contrast[];
export function cutOff(): readonly string[];
export function unfold(): void;
export function focused(): string | undefined;
export function about(): {
  readonly language: string;
  readonly title: string;
  readonly width: number;
  readonly ground: string;
  readonly headings: readonly string[];
};
export function unseenNames(): readonly string[];
