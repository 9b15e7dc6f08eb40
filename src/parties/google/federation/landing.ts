import type { Mark, World } from "../../../model.ts";
import { CloudError, mayHaveLanded, settle } from "../../../run/retry.ts";
import { maxDescription, withMark } from "../mark.ts";

/**
 * Waits until a fresh thing is seen three times in a row: changes are instant as a rule and take five minutes at worst
 * (google.md 6.1). A refusal is lag here, and an answer that says nothing is one more reason to look again.
 */
export async function visible(world: World, what: string, seen: () => Promise<boolean>): Promise<void> {
  const look = () =>
    seen().catch((error: unknown) => {
      if (error instanceof CloudError && (error.class === "denied" || mayHaveLanded(error))) return false;
      throw error;
    });
  if (await settle(world, { what: `${what} becomes visible`, budget: 300_000, inARow: 3 }, look)) return;
  throw new CloudError({
    ...{ class: "transient", service: "google.iam", operation: "Get", code: "", status: 0 },
    message: `${what} was written and is not visible yet`,
  });
}

/** Somebody's own text is never cut to make room for our mark: it could not be given back. */
export function described(description: string, mark: Mark, what: string): string {
  const text = withMark(description, mark);
  const over = [...text].length - maxDescription;
  if (over <= 0) return text;
  throw new CloudError({
    ...{ class: "invalid", service: "google.iam", operation: "Patch", code: "", status: 0 },
    message: `the description of ${what} leaves no room for a mark; shorten it by ${over} characters`,
  });
}
