import { reviewLive } from "../../crosstrust/review.ts";
import type { Federation, Finding, World } from "../../model.ts";
import { parties } from "../../parties/index.ts";
import { expand } from "../../plan/expand.ts";
import { order } from "../../plan/order.ts";
import { placedText } from "../../say/findings.ts";
import { document, findingBody } from "../../say/json.ts";
import { codes, exitOf } from "../../verdict/exit.ts";
import { version } from "../../version.ts";
import { type Flags, isError, type Loaded, loadFile, paperFor } from "../context.ts";
import { BadFile } from "../exit.ts";
import type { Answer, Command } from "../run.ts";

/** The file's own findings; its errors end the command before anything is contacted. */
function readFile(flags: Flags, consented: [] | "all"): Loaded {
  const loaded = loadFile(flags, consented);
  const { resources, findings: clashes } = expand(loaded.federation.links, parties);
  const errors = [...clashes, ...order(resources).findings];
  if (errors.length > 0) throw new BadFile(errors);
  return loaded;
}

/** Findings that need no cloud. No world is opened, so nothing can be contacted. */
export function lint(flags: Flags): Answer {
  const { federation, findings, reviewed } = readFile(flags, []);
  const all = [...findings, ...reviewed];
  return answer({ flags, federation, findings: all, world: flags.sandbox ? "sandbox" : "cloud", exit: codes.fine });
}

/** The same rules over what is there now. Reads what `plan` reads, and writes nothing, so that no consent is asked. */
export const lintLive: Command<void> = async ({ flags, world }) => {
  const { federation, findings: own } = readFile(flags, "all");
  const { findings, trouble } = await reviewLive(federation, world);
  const all = [...own, ...findings, ...trouble];
  return answer({ flags, federation, findings: all, world: world.kind, exit: exitOfReview(findings, trouble) });
};

/**
 * 65 on errors, as without `--live`. A trust that lets strangers in is open: 3, in the contract's order before what
 * could not be read (77, 75).
 */
function exitOfReview(findings: readonly Finding[], trouble: readonly Finding[]): number {
  const unread = exitOf({ findings: trouble });
  if (unread === codes.interrupted) return unread;
  if (findings.some(isError)) return codes.badFile;
  return findings.some(({ severity }) => severity === "security") ? codes.broken : unread;
}

interface Said {
  readonly flags: Flags;
  readonly federation: Federation;
  readonly findings: readonly Finding[];
  readonly world: World["kind"];
  readonly exit: number;
}

function answer({ flags, federation, findings, world, exit }: Said): Answer {
  const envelope = { tool: version, world, command: "lint", exit };
  if (flags.json) return { exit, text: document(envelope, { findings: findings.map(findingBody) }) };
  const { length } = federation.links;
  const links = length === 1 ? "1 link" : `${length} links`;
  const number = (of: Finding["severity"]) => findings.filter(({ severity }) => severity === of).length;
  const [errors, open] = [number("error"), number("security")];
  const count = errors === 0 ? "no errors" : errors === 1 ? "1 error" : `${errors} errors`;
  const last = [federation.file, links, count, ...(open > 0 ? [`${open} about security`] : [])].join("   ");
  const text = findings.length > 0 ? `${placedText(findings, paperFor(process.stdout, flags))}\n${last}` : last;
  return { exit, text };
}
