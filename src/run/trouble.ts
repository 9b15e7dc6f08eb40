import type { Address, Finding, Place } from "../model.ts";
import { CloudError } from "./cloud-error.ts";

/** What the error concerns; without `links` it concerns them all. */
export interface Where {
  readonly address?: Address | undefined;
  readonly place?: Place | undefined;
  readonly links?: readonly string[];
}

type Words = Pick<Finding, "code" | "says" | "fix" | "asks" | "requestId">;

/** An error of a call as a finding: what, and the next command to type. A bug of ours is not one, and is thrown on. */
export function troubleOf(error: unknown, where: Where): Finding {
  if (!(error instanceof CloudError)) throw error;
  // An interruption happened nowhere: it is about the run, and not about the line at which it came.
  if (error.class === "interrupted") return { severity: "error", at: {}, because: [], ...words(error) };
  // A permission is missing whatever the time is.
  const late = error.class === "denied" ? undefined : clockTrouble(error, where);
  return late ?? { severity: "error", because: [], ...placed(where), ...words(error) };
}

const placed = ({ address, place, links }: Where): Pick<Finding, "at" | "links"> => ({
  at: { ...(address ? { address } : {}), ...(place ? { place } : {}) },
  ...(links ? { links } : {}),
});

/** Returns what an error says where the clock of this machine was set during the run: then it explains nothing else. */
export function clockTrouble(error: unknown, where: Where): Finding | undefined {
  return error instanceof CloudError && error.clockJump !== undefined
    ? { severity: "error", because: [], ...placed(where), ...jumped(error, words(error)) }
    : undefined;
}

function jumped({ clockJump = 0 }: CloudError, { says }: Words): Words {
  return {
    code: "CLOCK-JUMPED",
    asks: "untold",
    says: `the clock of this machine jumped by ${clockJump} s while it ran: ${says}`,
    fix: ["set the clock of this machine (NTP), then run the same command again"],
  };
}

function words(error: CloudError): Words {
  const call = [error.service, error.operation].filter(Boolean).join(" ");
  const told = plainWords(error, call);
  const { requestId } = error;
  return { ...told, fix: error.fix ?? told.fix, ...(requestId === undefined ? {} : { requestId }) };
}

const again = ["run it again"];

/** What each class of error says, where its party knows nothing better. */
const plain: Readonly<Partial<Record<CloudError["class"], (error: CloudError, call: string) => Words>>> = {
  denied: ({ message }, call) => ({
    code: "NOT-PERMITTED",
    asks: "denied",
    says: `${call} is not permitted: ${message}`,
    fix: [],
  }),
  credentials: ({ message }) => ({ code: "NO-CREDENTIALS", asks: "denied", says: message, fix: [] }),
  unauthenticated: ({ message }, call) => ({
    code: "CREDENTIALS-REFUSED",
    asks: "denied",
    says: `${call} refuses the credentials: ${message}`,
    fix: [],
  }),
  unsent: ({ message }, call) => ({
    code: "NO-NETWORK",
    asks: "untold",
    says: `${call} cannot be reached: ${message}`,
    fix: ["check the network and the proxy, then run it again"],
  }),
  malformed: ({ message }, call) => ({
    code: "MALFORMED-ANSWER",
    asks: "untold",
    says: `${call}: ${message}; nothing is concluded from it`,
    fix: again,
  }),
  exists: ({ message }) => ({ code: "NOT-OURS", asks: "conflict", says: message, fix: ["crosstrust plan"] }),
  interrupted: () => ({
    code: "INTERRUPTED",
    says: "interrupted; what was begun is finished, the rest is not",
    fix: ["run the same command again"],
  }),
};

/** Nobody knows what these mean for the link, so they never count as broken. */
const transient = ["throttled", "transient", "lost", "race"];

/** What has no words of its own is a definite no. */
function plainWords(error: CloudError, call: string): Words {
  if (error.known) return { ...error.known, says: error.message, fix: again };
  const told = plain[error.class]?.(error, call);
  if (told) return told;
  if (transient.includes(error.class))
    return { code: "COULD-NOT-TELL", asks: "untold", says: `${call}: ${error.message || error.code}`, fix: again };
  return {
    code: "REFUSED",
    asks: "broken",
    says: `${call} answers ${error.code || error.status}: ${error.message}`,
    fix: ["crosstrust plan"],
  };
}
