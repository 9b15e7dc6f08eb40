import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { jsonSchema } from "../../file/schema.ts";
import { shapes } from "../../parties/index.ts";
import { root } from "../../root.ts";
import { commandLine } from "../../say/paper.ts";
import { codes } from "../../verdict/exit.ts";
import { againOf, type Flags } from "../context.ts";
import { UsageError } from "../exit.ts";

/** What people call a party by the name of its cloud. */
const aliases: Readonly<Record<string, string>> = { gcp: "google", azure: "entra" };

/** The pairs of parties that there is a starter for: `google` to `aws`. */
const pairs = (): readonly (readonly [from: string, to: string])[] =>
  readdirSync(new URL(starters, root)).flatMap((file) => {
    const [, from, to] = /^starter-(\w+)-to-(\w+)\.yaml$/.exec(file) ?? [];
    return from === undefined || to === undefined ? [] : [[from, to] as const];
  });

const starters = "src/cli/commands/";

/** Writes a commented starter file and the schema that editors check it with. Never overwrites a file. */
export function init(flags: Flags, asked: { from: string; to: string }): { exit: number; text: string } {
  const [from, to] = [aliases[asked.from] ?? asked.from, aliases[asked.to] ?? asked.to];
  if (!pairs().some(([one, other]) => one === from && other === to)) {
    const known = pairs().map(([one, other]) => `--from ${one} --to ${other}`);
    throw new UsageError(`there is no starter from ${asked.from} to ${asked.to}; there is ${known.join(", ")}`);
  }
  const starter = new URL(`${starters}starter-${from}-to-${to}.yaml`, root);
  if (existsSync(flags.file)) throw new UsageError(`${flags.file} is there already; --file PATH writes another`);
  const schema = join(dirname(resolve(flags.file)), "federation.schema.json");
  const name = nameFor(resolve(flags.file));
  writeFileSync(flags.file, named(readFileSync(starter, "utf8"), name));
  writeFileSync(schema, schemaText());
  const here = (path: string) => relative(process.cwd(), resolve(path));
  const lines = [
    `wrote ${here(flags.file)} and ${here(schema)}`,
    `name   ${name}   marks everything that the file makes: no other file may have it in the same accounts and projects`,
    `next   ${commandLine("lint", againOf(flags))}`,
    `       ${commandLine("plan", againOf({ ...flags, sandbox: true }))}   # tries it offline`,
  ];
  return { exit: codes.fine, text: lines.join("\n") };
}

/** A name has 3 to 20 of a-z 0-9 and `-` (contract, section 3). */
const [shortest, longest] = [3, 20];

/** The name of a deployment as far as a text allows one. */
const cleaned = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, longest)
    .replace(/^-+|-+$/g, "");

/** What many people call such a folder: two of them in one account would be one deployment. */
const usual =
  /^(?:app|aws|azure|build|ci|cloud|config|crosstrust|deploy|deployment|dev|federation|gcp|git|home|iac|iam|identity|infra|infrastructure|links?|main|ops|platform|prod|production|project|projects|repo|root|sandbox|security|services?|setup|src|staging|stage|terraform|test|tmp|work|workspace)(?:-links)?$/;

/** A name that many would choose, with four characters that tell this folder of this machine from others. */
function distinct(name: string, file: string): string {
  if (!usual.test(name)) return cleaned(name);
  const own = createHash("sha256")
    .update(`${hostname()} ${resolve(file)}`)
    .digest("hex")
    .slice(0, 4);
  return `${cleaned(name.slice(0, longest - own.length - 1))}-${own}`;
}

/**
 * Returns a name for the deployment of a file: that of its folder, with the file's own where it is not the usual one, else
 * that of the Google project at hand. Two files with one name in one account take each other's things for their own.
 */
export function nameFor(file: string, env: NodeJS.ProcessEnv = process.env): string {
  const folder = cleaned(basename(dirname(file)));
  const own = cleaned(basename(file, extname(file)));
  const project = cleaned(env.GOOGLE_CLOUD_PROJECT ?? env.CLOUDSDK_CORE_PROJECT ?? "");
  const place = distinct([folder, project].find((one) => one.length >= shortest) ?? `${folder}-links`, file);
  if (own === "federation" || own === "") return place;
  const room = longest - own.length - 1;
  return room < 1 ? own : `${place.slice(0, room).replace(/-+$/, "")}-${own}`;
}

/** A starter with its name, in the places where it stands. */
const named = (starter: string, name: string): string =>
  starter
    .replace(/^name: acme */m, `name: ${name}`.padEnd("name: acme                      ".length))
    .replace("crosstrust/acme/", `crosstrust/${name}/`);

/** The committed federation.schema.json, letter for letter. */
export const schemaText = (): string => `${JSON.stringify(jsonSchema(shapes), null, 2)}\n`;
