import { createHash } from "node:crypto";
import type { Token } from "../model.ts";
import { columns, ink, type Paper } from "./paper.ts";

export interface TokenView {
  readonly link: string;
  readonly world: "sandbox" | "cloud";
  readonly token: Token;
  readonly rows: readonly { readonly key: string; readonly value: string; readonly readFrom: string }[];
}

/** Claims, the condition keys they become, and a hash by which two tokens can be told apart; never the token. */
export function tokenText({ link, world, token, rows }: TokenView, paper: Paper): string {
  const { claims, header, mintedBy } = token;
  const hash = createHash("sha256").update(token.text).digest("hex").slice(0, 12);
  const shown = Object.entries(claims).map(([name, value]) => [
    `  ${name}`,
    typeof value === "object" ? JSON.stringify(value) : said(name, value),
  ]);
  return [
    ...(world === "sandbox" ? [`${link}   sandbox`] : [link]),
    `minted by ${mintedBy}   ${header.alg}   sha256 ${hash}...`,
    "",
    ink(paper, "bold", "claims"),
    ...columns(shown),
    "",
    ink(paper, "bold", "what aws reads"),
    ...columns(rows.map(({ key, value, readFrom }) => [`  ${key}`, value, `from ${readFrom}`])),
  ].join("\n");
}

/** Times as people read them, beside the number. */
const said = (name: string, value: unknown): string =>
  ["iat", "exp", "nbf"].includes(name) && typeof value === "number"
    ? `${value}   ${new Date(value * 1000).toISOString()}`
    : String(value);
