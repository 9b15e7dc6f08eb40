import { beginCodeCache, keepCode } from "../src/functions/compiled.ts";

/**
 * `gcp-build` of a deployed function: the code of what runs from here on is kept as V8 compiled it. Everything is loaded
 * in the order of a request, because zod decides by it which of its functions it runs.
 */
async function build(): Promise<void> {
  beginCodeCache();
  (await import("../src/functions/lean.ts")).lean();
  const { prepare } = await import("../src/functions/prepare.ts");
  await prepare();
  keepCode();
}

build();
