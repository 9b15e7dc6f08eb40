import { mkdirSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { codeCache, useCodeCache } from "../src/functions/prepared.ts";

/** `gcp-build` of a deployed function: what is loaded from here on is kept as V8 compiled it. */
mkdirSync(codeCache, { recursive: true });
useCodeCache();
await (await import("../src/functions/prepare.ts")).prepare();
flushCompileCache();
