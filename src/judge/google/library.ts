import { createRequire } from "node:module";

export type Cel = typeof import("@bufbuild/cel");
type Extensions = typeof import("@bufbuild/cel/ext");

/** The CEL library, loaded when asked. A bundle has no packages beside it: there this file is another (scripts/bundle.ts). */
export function library(): Cel & Extensions {
  const load = createRequire(import.meta.url);
  return { ...(load("@bufbuild/cel") as Cel), ...(load("@bufbuild/cel/ext") as Extensions) };
}
