import { relative, resolve } from "node:path";
import type { Finding } from "../model.ts";
import { junitText } from "../say/junit.ts";
import { sarifText } from "../say/sarif.ts";
import { version } from "../version.ts";
import type { Flags } from "./context.ts";

/** Returns findings as the programs of others take them; undefined where the format is not one of those. */
export function listedAs({ format, file }: Flags, findings: readonly Finding[]): string | undefined {
  if (format === "sarif") return sarifText(findings, version);
  if (format === "junit") return junitText(findings, relative(process.cwd(), resolve(file)) || file);
  return undefined;
}
