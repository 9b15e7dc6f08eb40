import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// Writes src/model/codes.ts from the pages in src/say/codes: the pages are the list, and the compiler knows it.

const root = join(import.meta.dirname, "..");

/** The text of src/model/codes.ts for the pages that exist now. A test compares it with the file. */
export function codesSource(): string {
  const names = readdirSync(join(root, "src", "say", "codes"))
    .filter((file) => file.endsWith(".md"))
    .map((file) => file.slice(0, -".md".length))
    .sort();
  const lines = names.map((name) => `  | "${name}"`);
  return `/** The codes of findings, one for each page in src/say/codes. Written by \`npm run codes\`. */\nexport type Code =\n${lines.join("\n")};\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(join(root, "src", "model", "codes.ts"), codesSource());
