import { parties } from "../../parties/index.ts";
import { redact } from "../../run/cloud-error.ts";
import { document } from "../../say/json.ts";
import { type NearPage, nearestPages, type Recognised, type Recognition, recognise } from "../../say/recognise.ts";
import { shownValue } from "../../say/visible.ts";
import { codes } from "../../verdict/exit.ts";
import { version } from "../../version.ts";
import type { Answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { pageOf, pages } from "../pages.ts";

/** What is known of a message that somebody was given. */
export interface Explained {
  readonly exit: number;
  readonly text: string;
  /** Where the message is known: its pages, and whether the message tells which of them it is. */
  readonly recognised?: {
    readonly sentence: string;
    readonly certain: boolean;
    readonly causes: readonly { readonly code: string; readonly means: string }[];
  };
  /** Where it is not known: pages that share words with it. */
  readonly nearest?: readonly NearPage[];
}

const known = parties.flatMap(({ messages = [] }) => messages);

/**
 * Returns what a message means: the page of its cause where the message tells it, the possible causes and what tells them
 * apart where it does not, and the nearest pages where it is not known. Of an unknown message nothing is concluded.
 */
export function explainError(text: string): Explained {
  const found = recognise(text, known);
  if (!found) return unknown(text);
  const { sentence, causes } = found.first;
  const recognised = { sentence: quoted(sentence), certain: causes.length === 1, causes };
  return { exit: codes.fine, text: (causes.length === 1 ? one(found) : many(found)).join("\n"), recognised };
}

/** The same as a document: `recognised` or `nearest` beside the envelope, and no finding, because no link was looked at. */
export function explainedError({ flags, world }: Context, message: string): Answer {
  const { exit, text, recognised, nearest: near } = explainError(message);
  if (!flags.json) return { exit, text };
  const envelope = { tool: version, world: world.kind, command: "explain", exit };
  return { exit, text: document(envelope, { ...(recognised ? { recognised } : { nearest: near }), findings: [] }) };
}

/** A text that was pasted may hold a token, or what would rewrite the screen. */
const quoted = (sentence: string): string => shownValue(redact(sentence));

function one({ first, others }: Recognition): readonly string[] {
  const [{ code, means }] = first.causes;
  return [pageOf(code) ?? code, "", "in the message", `  "${quoted(first.sentence)}"`, `  ${means}`, ...beside(others)];
}

/** The first line is the most frequent cause; no page is shown, because it would be the page of one of them. */
function many({ first, others }: Recognition): readonly string[] {
  const [frequent] = first.causes;
  const width = Math.max(...first.causes.map(({ code }) => code.length));
  return [
    frequent.code,
    `or another cause: this message has ${first.causes.length}, and does not tell which`,
    "",
    "in the message",
    `  "${quoted(first.sentence)}"`,
    "",
    "what tells the causes apart",
    ...first.causes.map(({ code, means }) => `  ${code.padEnd(width)}   ${means}`),
    ...beside(others),
    "",
    "next   crosstrust explain CODE shows a page; crosstrust explain LINK proves a link and finds the cause",
  ];
}

const beside = (others: readonly Recognised[]): readonly string[] =>
  others.length === 0
    ? []
    : [
        "",
        "also in the message",
        ...others.map(({ sentence, causes: [{ code }] }) => `  ${code}   "${quoted(sentence)}"`),
      ];

function unknown(text: string): Explained {
  const near = nearestPages(text, pages());
  const list = near.map(({ code, title }) => `  ${code}   ${title}`);
  const next = "crosstrust explain LINK proves a link and explains what fails; explain --token judges a token you have";
  return {
    exit: codes.untold,
    text: [
      "this message is not known here",
      ...(list.length > 0
        ? ["", "pages with the most words in common, which may be about something else", ...list, ""]
        : []),
      `next   ${next}`,
    ].join("\n"),
    nearest: near,
  };
}
