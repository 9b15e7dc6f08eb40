import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { jsonSchema } from "../../file/schema.ts";
import { shapes } from "../../parties/index.ts";
import { commandLine } from "../../say/paper.ts";
import { codes } from "../../verdict/exit.ts";
import { againOf, type Flags } from "../context.ts";
import { UsageError } from "../exit.ts";

/** Writes a commented starter file and the schema that editors check it with. Never overwrites a file. */
export function init(flags: Flags, { from, to }: { from: string; to: string }): { exit: number; text: string } {
  const starter = new URL(`./starter-${from}-to-${to}.yaml`, import.meta.url);
  if (!/^[a-z]+ [a-z]+$/.test(`${from} ${to}`) || !existsSync(starter))
    throw new UsageError(
      `--from ${from} --to ${to} is not built yet; --from google, oidc or entra --to aws is, and --from aws, oidc or entra --to google`,
    );
  if (existsSync(flags.file)) throw new UsageError(`${flags.file} is there already; --file PATH writes another`);
  const schema = join(dirname(resolve(flags.file)), "federation.schema.json");
  writeFileSync(flags.file, readFileSync(starter, "utf8"));
  writeFileSync(schema, schemaText());
  const here = (path: string) => relative(process.cwd(), resolve(path));
  const lines = [
    `wrote ${here(flags.file)} and ${here(schema)}`,
    `next   ${commandLine("lint", againOf(flags))}`,
    `       ${commandLine("plan", againOf({ ...flags, sandbox: true }))}   # tries it offline`,
  ];
  return { exit: codes.fine, text: lines.join("\n") };
}

/** The committed federation.schema.json, letter for letter. */
export const schemaText = (): string => `${JSON.stringify(jsonSchema(shapes), null, 2)}\n`;
