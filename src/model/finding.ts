import type { Address, Place } from "./basics.ts";
import type { Code } from "./codes.ts";
import { ascii } from "./text.ts";

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
  readonly code: Code;
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
  /** The value that a reader decides about, as it is shown: an `accept` of the file is pinned to it (contract, section 9). */
  readonly of?: string;
  /** Somebody whom the file does not name reaches what a link grants: this, and nothing else, makes a verdict `open`. */
  readonly witness?: Witness;
  /**
   * It is about who may act in place of the links, beside what the file wants. Without a witness it changes no verdict:
   * what is new among these is an alert of its own.
   */
  readonly beside?: true;
  /**
   * A hint that every run gives until somebody changes what it is about: `explain` and `--all` show it, and other runs count
   * it.
   */
  readonly standing?: true;
  /** How the cloud calls the request that failed, for its support and its logs. */
  readonly requestId?: string;
  /** The file accepts it: it keeps its severity and is shown, and causes neither an exit code nor `open`. */
  readonly accepted?: { readonly reason: string; readonly until?: string };
}

/** A named outsider, and the path that ends in what the link grants (contract, section 9). */
export interface Witness {
  /** Who it is, in words that may be printed. */
  readonly outsider: string;
  /** One step each, in order: what the outsider presents, what believes it, and last what the link grants. */
  readonly path: readonly string[];
  /** `proved`: credentials were obtained for real. `judged`: the one judge says so over what is live. */
  readonly how: "proved" | "judged";
  /** The claims of a token that gets in, so that a test can replay it. Absent where no token of an issuer is needed. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/**
 * Returns what a failed reading asks for: what could not be read is not known, even where the answer was a definite no,
 * because it says nothing about the link.
 */
export const unreadAsks = ({ asks }: Pick<Finding, "asks">): Asks =>
  asks === undefined || asks === "broken" ? "untold" : asks;

/** Something that the credentials at hand may not look at, and the command that would permit it. */
export interface Unwatched {
  readonly what: string;
  readonly fix: string;
}

/** A finding before anybody says where: whoever judges a thing by itself knows neither its address nor its links. */
export type Remark = Pick<Finding, "code" | "severity" | "says" | "because" | "fix" | "of" | "witness" | "standing">;

/** What differs from the defaults of a finding: no evidence, no fix, no place, severity `error`. */
type Given = Pick<Finding, "says"> & Partial<Omit<Finding, "code">>;

/** What an `accept` is pinned to must be a text that the file can hold. */
const pinned = ({ of }: { readonly of?: string }) => (of === undefined ? {} : { of: ascii(of) });

/** Builds a finding from its code and what differs from the defaults. */
export const finding = (code: Code, given: Given): Finding => ({
  code,
  severity: "error",
  at: {},
  because: [],
  fix: [],
  ...given,
  ...pinned(given),
});

/** Builds a remark, a finding without a place, from its code and what differs from the defaults. */
export const remark = (code: Code, given: Pick<Remark, "says"> & Partial<Omit<Remark, "code">>): Remark => ({
  code,
  severity: "error",
  because: [],
  fix: [],
  ...given,
  ...pinned(given),
});

/** Returns the line that accepts a value in the file. JSON is YAML, whatever the value holds. */
export const acceptLine = (code: Code, of: string): string =>
  `accept: [ { finding: ${code}, of: ${JSON.stringify(ascii(of))}, reason: "...", until: YYYY-MM-DD } ]`;
