import { CloudError } from "../../src/run/retry.ts";
import { Declined, type Ground, Kit } from "./kit.ts";
import { type Answer, agrees, type Probe } from "./probe.ts";

/** One line of the file that is sent in. */
export interface Outcome extends Omit<Probe, "ask"> {
  readonly answered?: Answer;
  readonly agrees: boolean | "not asked";
  /** Why there is no answer. */
  readonly why?: string;
}

/**
 * Asks one probe after the other, so that each write is agreed to alone and each refusal has one cause. What cannot be asked
 * is said to be not asked, and never to agree. `told` gets each outcome as it comes.
 */
export async function askAll(
  ground: Ground,
  chosen: readonly Probe[],
  told: (outcome: Outcome) => void,
): Promise<readonly Outcome[]> {
  const kit = new Kit(ground);
  const outcomes: Outcome[] = [];
  for (const probe of chosen) {
    const outcome = masked(await outcomeOf(kit, probe), ground);
    outcomes.push(outcome);
    told(outcome);
  }
  return outcomes;
}

async function outcomeOf(kit: Kit, probe: Probe): Promise<Outcome> {
  const { id, standing, question, leans, asked, expected } = probe;
  const about = { id, standing, question, leans, asked, expected };
  if (kit.world.signal.aborted) return { ...about, agrees: "not asked", why: "interrupted" };
  try {
    const answered = await probe.ask(kit);
    return { ...about, answered, agrees: agrees(expected, answered) };
  } catch (error) {
    return { ...about, agrees: "not asked", why: whyNot(error) };
  }
}

/** What a probe rests on was refused, did not answer, or was not agreed to. A mistake of the kit itself is told as one. */
function whyNot(error: unknown): string {
  if (error instanceof Declined) return `nobody agreed to this: ${error.message}`;
  if (error instanceof CloudError)
    return `${error.service} ${error.operation}: ${[error.status || "", error.code, error.message].filter(Boolean).join(" ")}`;
  throw error;
}

/** The names of the project and of the account say whose they are, and nothing of the answer. */
function masked(outcome: Outcome, { project, projectNumber, account }: Ground): Outcome {
  const text = JSON.stringify(outcome)
    .replaceAll(projectNumber, "PROJECT_NUMBER")
    .replaceAll(project, "PROJECT")
    .replaceAll(account.account, "ACCOUNT");
  return JSON.parse(text);
}
