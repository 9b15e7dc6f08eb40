import type { Code } from "./codes.ts";

/** One cause of a message. */
export interface MessageCause {
  /** The page that explains it. */
  readonly code: Code;
  /** One sentence: what the message means; where it has several causes, what tells this one from the others. */
  readonly means: string;
}

/**
 * How near to the cause a text is. Clients wrap what a cloud answers, so a text is explained by the nearest layer in it.
 *
 * - `cause`: a sentence that its sender has for this alone
 * - `code`: an error code, or a sentence that many causes share
 * - `wrapper`: what a client says whatever went wrong
 */
export const layers = ["cause", "code", "wrapper"] as const;

/** A text that people meet, as the clouds and their clients write it. */
export interface KnownMessage {
  /** Over the unwrapped text, in which every run of white space is one blank. */
  readonly text: RegExp;
  /** What has to stand somewhere in the text as well. */
  readonly near?: RegExp;
  readonly layer: (typeof layers)[number];
  /** More than one where the text does not tell which it is; the most frequent one first. */
  readonly causes: readonly [MessageCause, ...MessageCause[]];
}

/** A text that its sender has for one cause alone. */
export const tells = (text: RegExp, code: Code, means: string, near?: RegExp): KnownMessage => ({
  text,
  ...(near ? { near } : {}),
  layer: "cause",
  causes: [{ code, means }],
});

type Told = readonly (readonly [code: Code, means: string])[];

const several =
  (layer: KnownMessage["layer"]) =>
  (text: RegExp, [first, ...others]: readonly [Told[number], ...Told], near?: RegExp): KnownMessage => ({
    text,
    ...(near ? { near } : {}),
    layer,
    causes: [causeOf(first), ...others.map(causeOf)],
  });

const causeOf = ([code, means]: Told[number]): MessageCause => ({ code, means });

/** A code or a sentence that several causes share. */
export const shared = several("code");
/** What a client says of every failure of a kind. */
export const wraps = several("wrapper");
