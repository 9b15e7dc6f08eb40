import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

// Writes src/judge/aws/managed-policy-names.ts from the managed policies of AWS that moto carries, which are an account's own
// `aws iam list-policies --scope AWS` (getmoto/moto, Apache-2.0): node scripts/managed-policies.ts .../moto/iam/aws_managed_policies.py

const target = join(import.meta.dirname, "..", "src", "judge", "aws", "managed-policy-names.ts");

const listed = z.record(
  z.string(),
  z.object({
    Path: z.string(),
    CreateDate: z.iso.datetime({ offset: true }),
    UpdateDate: z.iso.datetime({ offset: true }).optional(),
  }),
);

/** Returns the text of the list: names with their paths, and the day of the last change in it, which is the list's date. */
export function namesSource(python: string): string {
  const [, json = ""] = /aws_managed_policies_data = """\n([\s\S]*?)"""/.exec(python) ?? [];
  const policies = Object.entries(listed.parse(JSON.parse(json)));
  const date = policies
    .map(([, { CreateDate, UpdateDate = CreateDate }]) => UpdateDate.slice(0, 10))
    .sort()
    .at(-1);
  const names = policies.map(([name, { Path }]) => `${Path.slice(1)}${name}`).sort();
  return [
    "// Written by scripts/managed-policies.ts from moto's list of AWS's managed policies (getmoto/moto, Apache-2.0).",
    "",
    "/** The day of the last change that the list holds. */",
    `export const listedOn = "${date}";`,
    "",
    `/** ${names.length} policies as their ARNs end, behind \`:policy/\`, one a line. */`,
    `export const listedNames = \`\\\n${names.join("\n")}\`;`,
    "",
  ].join("\n");
}

const [, script, source] = process.argv;
if (script === import.meta.filename && source) writeFileSync(target, namesSource(readFileSync(source, "utf8")));
