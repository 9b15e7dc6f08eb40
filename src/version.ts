import { readFileSync } from "node:fs";
import { root } from "./root.ts";

/** The tool's version, from its own manifest: the checkout's, the published package's or the deployed function's. */
export const version: string = (JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as { version: string })
  .version;
