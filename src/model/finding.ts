import type { Address, Place } from "./basics.ts";

/**
 * One row of why: *policy wants / token says / read from which claim*. The clouds name no condition when they
 * refuse, so this is where a user sees which comparison failed (failures.md F1); and the claim is often not
 * the one that the key is named after (aws.md 2.1). `unknown` cannot be decided from here; it is never ok.
 */
export interface Evidence {
  readonly key: string;
  readonly wants: string;
  readonly says: string;
  readonly readFrom: string;
  readonly ok: boolean | "unknown";
}

/**
 * `security`: somebody gets in, or could, whom the file does not name; it outranks `error`, which is whatever
 * keeps a command from doing its work. `warning` and `hint` change nothing about what is done.
 */
export type Severity = "error" | "security" | "warning" | "hint";

/**
 * Which exit code a finding asks for where its severity alone does not say (contract, section 2): `broken` 3
 * the cloud says a definite no, `denied` 77 we are not permitted, `conflict` 73 it is not ours, `untold` 75
 * we could not tell, `usage` 64 a consent is missing, `file` 65 what the file says cannot be, as only looking shows.
 */
export type Asks = "broken" | "denied" | "conflict" | "untold" | "usage" | "file";

/**
 * Whatever is wrong anywhere, as data: only `say/` makes lines of it, and only the command line an exit code.
 * It holds no secret and no foreign error, so it may be printed, stored and sent.
 */
export interface Finding {
  /** Upper-case and stable, such as `AWS-AUD-IS-AZP`; each has a page in `say/codes/`. */
  readonly code: string;
  readonly severity: Severity;
  readonly at: { readonly address?: Address; readonly place?: Place };
  /** One lower-case sentence: what is so, not what to do. */
  readonly says: string;
  readonly because: readonly Evidence[];
  /** What to do about it, a step each: a command to paste where there is one. */
  readonly fix: readonly string[];
  readonly asks?: Asks;
  /** Whom it concerns; absent means every link. */
  readonly links?: readonly string[];
}

/** A finding before anybody says where: whoever judges a thing by itself knows neither its address nor its links. */
export type Remark = Pick<Finding, "code" | "severity" | "says" | "because" | "fix">;
