import { codeFunctions } from "./codes.ts";
import { collectionFunctions } from "./collections.ts";
import { generalFunctions } from "./general.ts";
import type { Builtin } from "./signature.ts";
import { textFunctions } from "./text.ts";

export type { Builtin, Surroundings } from "./signature.ts";

/** Every function that an expression may call; what is not here is refused at deployment (serverless.md 6.4). */
export const library: ReadonlyMap<string, Builtin> = new Map(
  Object.entries({ ...generalFunctions, ...collectionFunctions, ...textFunctions, ...codeFunctions }),
);

const request = ["url", "headers", "query", "body", "timeout", "auth"];

/** What only a `call` step may call, because it waits (serverless.md 5.1), with the names of its arguments. */
export const blocking: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...["get", "post", "put", "patch", "delete"].map((verb): [string, readonly string[]] => [`http.${verb}`, request]),
  ["http.request", ["method", ...request]],
  ["sys.log", ["data", "text", "json", "severity"]],
  ["sys.sleep", ["seconds"]],
  ["sys.sleep_until", ["time"]],
]);
