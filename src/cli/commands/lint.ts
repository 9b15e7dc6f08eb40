import { parties } from "../../parties/index.ts";
import { expand } from "../../plan/expand.ts";
import { order } from "../../plan/order.ts";
import { placedText } from "../../say/findings.ts";
import { document, findingBody } from "../../say/json.ts";
import { version } from "../../version.ts";
import type { Flags } from "../context.ts";
import { loadFile, paperFor } from "../context.ts";
import { BadFile, codes, UsageError } from "../exit.ts";

/** Findings that need no cloud. No world is opened, so nothing can be contacted. */
export function lint(flags: Flags, live: boolean): { exit: number; text: string } {
  if (live) throw new UsageError("lint --live is not built yet");
  const { federation, findings } = loadFile(flags, []);
  const { resources, findings: clashes } = expand(federation.links, parties);
  const errors = [...clashes, ...order(resources).findings];
  if (errors.length > 0) throw new BadFile(errors);
  const envelope = {
    tool: version,
    world: flags.sandbox ? "sandbox" : "cloud",
    command: "lint",
    exit: codes.fine,
  } as const;
  if (flags.json) return { exit: codes.fine, text: document(envelope, { findings: findings.map(findingBody) }) };
  const clean = `${federation.file}   ${federation.links.length === 1 ? "1 link" : `${federation.links.length} links`}   no errors`;
  return {
    exit: codes.fine,
    text: findings.length > 0 ? `${placedText(findings, paperFor(process.stdout, flags))}\n${clean}` : clean,
  };
}
