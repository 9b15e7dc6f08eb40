import { XMLBuilder } from "fast-xml-parser";
import type { Finding } from "../model.ts";
import { displayed } from "./visible.ts";

const builder = new XMLBuilder({
  attributeNamePrefix: "@",
  format: true,
  ignoreAttributes: false,
  processEntities: true,
});

/**
 * Returns findings as JUnit's XML, which CI servers show as a list of tests. Errors and security findings are failures,
 * warnings and hints are tests that pass and say something, and what the file accepts is a skipped one. `file` itself is a test,
 * so that a file without findings is not an empty list.
 */
export function junitText(findings: readonly Finding[], file: string): string {
  const shown = displayed(findings);
  const own = { "@name": "can be read", "@classname": displayed(file) };
  const cases = [own, ...shown.map((finding) => caseOf(finding, file))];
  const counts = { "@tests": String(cases.length), "@failures": number(cases, "failure"), "@errors": "0" };
  const suite = { "@name": "crosstrust lint", ...counts, "@skipped": number(cases, "skipped"), testcase: cases };
  const document = { "?xml": { "@version": "1.0", "@encoding": "UTF-8" }, testsuites: { ...counts, testsuite: suite } };
  return String(builder.build(document));
}

type Case = Readonly<Record<string, unknown>>;

const number = (cases: readonly Case[], member: string): string =>
  String(cases.filter((one) => one[member] !== undefined).length);

function caseOf({ code, severity, says, fix, at, accepted }: Finding, file: string): Case {
  const { place, address } = at;
  const where = place ? `${place.file}:${place.line}:${place.column}` : (address ?? file);
  const named = { "@name": `${code} ${where}`, "@classname": place?.file ?? file };
  if (accepted) return { ...named, skipped: { "@message": `accepted: ${accepted.reason}` } };
  const text = [`${where}  ${says}`, ...fix.map((step) => `fix: ${step}`), `crosstrust explain ${code}`].join("\n");
  if (severity === "error" || severity === "security")
    return { ...named, failure: { "@type": severity, "@message": says, "#text": text } };
  return { ...named, "system-out": text };
}
