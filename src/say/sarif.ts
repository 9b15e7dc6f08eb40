import type { Finding } from "../model.ts";
import { jsonText } from "./json.ts";
import { displayed } from "./visible.ts";

/** How grave SARIF calls each severity (SARIF 2.1.0, 3.27.10): it has no word for `security`. */
const levels = { error: "error", security: "error", warning: "warning", hint: "note" } as const;

/**
 * Returns findings as a log of SARIF 2.1.0, which code hosts show beside the lines that they are about. What the file accepts
 * is a suppressed result with its reason. `tool`: the version of crosstrust.
 */
export function sarifText(findings: readonly Finding[], tool: string): string {
  const shown = displayed(findings);
  const codes = [...new Set(shown.map(({ code }) => code))].sort();
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "crosstrust",
            semanticVersion: tool,
            rules: codes.map((id) => ({ id, help: { text: `crosstrust explain ${id}` } })),
          },
        },
        columnKind: "utf16CodeUnits",
        results: shown.map((finding) => resultOf(finding, codes)),
      },
    ],
  };
  return `${jsonText(log)}\n`;
}

function resultOf({ code, severity, says, fix, at, accepted }: Finding, codes: readonly string[]): object {
  const steps = accepted ? [] : fix.map((step) => `fix: ${step}`);
  const { place, address } = at;
  const physical =
    place === undefined
      ? {}
      : {
          physicalLocation: {
            artifactLocation: { uri: uriOf(place.file) },
            region: { startLine: place.line, startColumn: place.column },
          },
        };
  const logical = address === undefined ? {} : { logicalLocations: [{ fullyQualifiedName: address }] };
  const located = place !== undefined || address !== undefined;
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: levels[severity],
    message: { text: [says, ...steps].join("\n") },
    ...(located ? { locations: [{ ...physical, ...logical }] } : {}),
    ...(accepted ? { suppressions: [{ kind: "inSource", justification: accepted.reason }] } : {}),
  };
}

/** A relative reference (RFC 3986, 4.2): what a path may hold and a reference may not is percent-encoded. */
const uriOf = (path: string): string =>
  path
    .replaceAll("\\", "/")
    .split("/")
    .map((part) => encodeURIComponent(part))
    .join("/");
