import { type Covered, covered, evidences } from "../../sandbox/coverage.ts";
import { document } from "../../say/json.ts";
import { codes } from "../../verdict/exit.ts";
import { version } from "../../version.ts";
import type { Answer } from "../answer.ts";
import type { Flags } from "../context.ts";

/** `sandbox coverage`: how faithful each operation is. It contacts nothing and starts nothing. */
export async function coverage({ json }: Flags): Promise<Answer> {
  const about = { tool: version, world: "sandbox", command: "sandbox coverage", exit: codes.fine } as const;
  return { exit: codes.fine, text: json ? document(about, { operations: covered }) : tableOf(covered) };
}

function tableOf(rows: readonly Covered[]): string {
  const width = (key: "service" | "operation") => Math.max(...rows.map((row) => row[key].length));
  const [services, operations] = [width("service"), width("operation")];
  const lines = rows.map(
    ({ service, operation, evidence }) => `${service.padEnd(services)}  ${operation.padEnd(operations)}  ${evidence}`,
  );
  const counts = evidences.map((one) => `${rows.filter(({ evidence }) => evidence === one).length} ${one}`);
  return `${[...lines, counts.join(", ")].join("\n")}\n`;
}
