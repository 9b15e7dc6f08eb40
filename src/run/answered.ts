import { AsyncLocalStorage } from "node:async_hooks";
import type { HttpAnswer, HttpRequest } from "../model.ts";

/** What the last answer within one try of a call said of itself. */
export interface Answered {
  status?: number;
  requestId?: string;
}

const trying = new AsyncLocalStorage<Answered>();

/**
 * Headers in which clouds and issuers name a request: AWS's IAM and STS, Google's APIs, Entra and Microsoft Graph. An answer
 * has one of them at most.
 */
const names = [
  "x-amzn-requestid",
  "x-amz-request-id",
  "x-goog-request-id",
  "x-guploader-uploadid",
  "x-ms-request-id",
  "request-id",
];

/** How long a name of a request may be to be shown, and what it may be made of: others wrote it. */
const shape = /^[\w:.=+/-]{1,100}$/;

/** Runs one try of a call, and tells what its last answer said of itself, whether the try succeeds or not. */
export async function noted<T>(attempt: () => Promise<T>, tell: (answered: Readonly<Answered>) => void): Promise<T> {
  const answered: Answered = {};
  try {
    return await trying.run(answered, attempt);
  } finally {
    tell(answered);
  }
}

/** Returns the same transport, which leaves status and name of each answer for the try that it belongs to. */
export const noting =
  (send: (request: HttpRequest) => Promise<HttpAnswer>) =>
  async (request: HttpRequest): Promise<HttpAnswer> => {
    const answered = trying.getStore();
    // A try may ask for credentials first: what those were answered says nothing of a request that got no answer.
    delete answered?.status;
    delete answered?.requestId;
    const answer = await send(request);
    if (answered === undefined) return answer;
    answered.status = answer.status;
    const named = names.map((name) => answer.headers[name]).find((value) => value !== undefined && shape.test(value));
    if (named !== undefined) answered.requestId = named;
    return answer;
  };
