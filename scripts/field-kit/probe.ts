import { CloudError } from "../../src/run/retry.ts";
import type { Kit } from "./kit.ts";

/** What a cloud answered. `saw` holds only what a probe picked out of a success, and never a secret. */
export interface Answer {
  readonly status: number;
  /** The cloud's own code; empty for a success. */
  readonly code: string;
  readonly message: string;
  readonly saw?: Readonly<Record<string, unknown>>;
}

/** What crosstrust and its sandbox take for the answer. What is left out is not compared; `message` is a part of the text. */
export interface Expected {
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
  readonly saw?: Readonly<Record<string, unknown>>;
}

/** How well the fact is known today. */
export type Standing = "unverified" | "inferred" | "approximate" | "issue" | "docs";

/** One question to one cloud, small enough to be read before it is asked. */
export interface Probe {
  /** The fact's name in the file that is sent in. */
  readonly id: string;
  readonly standing: Standing;
  readonly question: string;
  /** What in crosstrust would be wrong if the answer is another one. */
  readonly leans: string;
  /** The call, in words. */
  readonly asked: string;
  readonly expected: Expected;
  /** Throws what `Answer` cannot hold: no answer at all, or a write that nobody agreed to. */
  readonly ask: (kit: Kit) => Promise<Answer>;
}

/**
 * Turns a call into an answer. A refusal is one; a call that got no definite answer is not, and goes on as the error that it
 * is.
 */
export async function answerOf(work: Promise<Readonly<Record<string, unknown>> | undefined>): Promise<Answer> {
  try {
    const saw = await work;
    return { status: 200, code: "", message: "", ...(saw ? { saw } : {}) };
  } catch (error) {
    if (!(error instanceof CloudError) || error.status < 400 || error.class === "throttled") throw error;
    return { status: error.status, code: error.code, message: error.message };
  }
}

/** Whether the answer is the expected one, in everything that is expected. */
export function agrees({ status, code, message, saw = {} }: Expected, answer: Answer): boolean {
  if (answer.status !== status) return false;
  if (code !== undefined && answer.code !== code) return false;
  if (message !== undefined && !answer.message.includes(message)) return false;
  return Object.entries(saw).every(([key, value]) => JSON.stringify(answer.saw?.[key]) === JSON.stringify(value));
}
