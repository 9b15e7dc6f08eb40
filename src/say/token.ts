import type { Token } from "../model.ts";
import { columns, ink, type Paper } from "./paper.ts";
import { displayed } from "./visible.ts";

/** `rows`: the condition keys or attributes that the claims become, and where each is read from. */
export interface TokenView {
  readonly link: string;
  readonly world: "sandbox" | "cloud";
  /** Which cloud reads the token. */
  readonly reader: string;
  /** Without its text: nothing in this room can print a token. */
  readonly token: Omit<Token, "text">;
  /** SHA-256 of the text, in hex: by its first digits two tokens can be told apart. */
  readonly hash: string;
  readonly rows: readonly { readonly key: string; readonly value: string; readonly readFrom: string }[];
}

/** Claims, the condition keys they become, and a hash by which two tokens can be told apart; never the token. */
export function tokenText(given: TokenView, paper: Paper): string {
  const { link, world, reader, token, hash, rows } = displayed(given);
  const { claims, header, mintedBy } = token;
  const shown = Object.entries(claims).map(([name, value]) => [
    `  ${name}`,
    typeof value === "object" ? JSON.stringify(value) : said(name, value),
  ]);
  return [
    ...(world === "sandbox" ? [`${link}   sandbox`] : [link]),
    `minted by ${mintedBy}   ${header.alg}   sha256 ${hash.slice(0, 12)}...`,
    "",
    ink(paper, "bold", "claims"),
    ...columns(shown),
    ...(rows.length > 0 ? ["", ink(paper, "bold", `what ${reader} reads`)] : []),
    ...columns(rows.map(({ key, value, readFrom }) => [`  ${key}`, value, `from ${readFrom}`])),
  ].join("\n");
}

/** Times as people read them, beside the number. */
const said = (name: string, value: unknown): string =>
  ["iat", "exp", "nbf"].includes(name) && typeof value === "number"
    ? `${value}   ${new Date(value * 1000).toISOString()}`
    : String(value);
