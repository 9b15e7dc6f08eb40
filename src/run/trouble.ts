import type { Address, Finding, Place } from "../model.ts";
import { CloudError } from "./cloud-error.ts";

export interface Where {
  readonly address?: Address | undefined;
  readonly place?: Place | undefined;
  readonly links?: readonly string[];
}

type Words = Pick<Finding, "code" | "says" | "fix" | "asks">;

/** An error of a call as a finding: what, and the next command to type. A bug of ours is not one, and is thrown on. */
export function troubleOf(error: unknown, where: Where): Finding {
  if (!(error instanceof CloudError)) throw error;
  const at = { ...(where.address ? { address: where.address } : {}), ...(where.place ? { place: where.place } : {}) };
  return { severity: "error", at, because: [], ...(where.links ? { links: where.links } : {}), ...words(error) };
}

function words(error: CloudError): Words {
  const call = [error.service, error.operation].filter(Boolean).join(" ");
  const told = plainWords(error, call);
  return { ...told, fix: error.fix ?? told.fix };
}

function plainWords(error: CloudError, call: string): Words {
  const again = ["run it again"];
  switch (error.class) {
    case "denied":
      return { code: "NOT-PERMITTED", asks: "denied", says: `${call} is not permitted: ${error.message}`, fix: [] };
    case "credentials":
      return { code: "NO-CREDENTIALS", asks: "denied", says: error.message, fix: [] };
    case "unauthenticated":
      return { code: "CREDENTIALS-REFUSED", asks: "denied", says: `${call} refuses the credentials: ${error.message}`, fix: [] };
    case "unsent":
      return { code: "NO-NETWORK", asks: "untold", says: `${call} cannot be reached: ${error.message}`, fix: ["check the network and the proxy, then run it again"] };
    case "malformed":
      return { code: "MALFORMED-ANSWER", asks: "untold", says: `${call}: ${error.message}; nothing is concluded from it`, fix: again };
    case "exists":
      return { code: "NOT-OURS", asks: "conflict", says: error.message, fix: ["crosstrust plan"] };
    case "interrupted":
      return { code: "INTERRUPTED", says: "interrupted; what was begun is finished, the rest is not", fix: ["run the same command again"] };
    case "throttled":
    case "transient":
    case "lost":
    case "race":
      return { code: "COULD-NOT-TELL", asks: "untold", says: `${call}: ${error.message || error.code}`, fix: again };
    default:
      return { code: "REFUSED", asks: "broken", says: `${call} answers ${error.code || error.status}: ${error.message}`, fix: ["crosstrust plan"] };
  }
}
