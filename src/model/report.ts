import type { Address, Json } from "./basics.ts";
import type { Cause, Verb } from "./change.ts";
import type { Finding } from "./finding.ts";
import type { Hop, MissingPremise, Verdict } from "./proof.ts";

/** A change as a health document tells it: without what was read, and without what nobody asked about. */
export interface ReportedChange {
  readonly address: Address;
  readonly verb: Verb;
  readonly cause?: Cause;
  readonly differences?: readonly { readonly path: string; readonly desired?: Json; readonly live?: Json }[];
}

/** The document of `health --json` (contract, section 4): what is stored, sent, and rendered later elsewhere. */
export interface HealthDocument {
  readonly tool: string;
  readonly world: "sandbox" | "cloud";
  readonly deployment: string;
  /** ISO 8601. */
  readonly at: string;
  readonly verdict: Verdict;
  readonly ms: number;
  readonly links: readonly {
    readonly link: string;
    readonly verdict: Verdict;
    /** Absent in a document of an older version. */
    readonly missing?: readonly Omit<MissingPremise, "asks">[];
    readonly hops: readonly Hop[];
    readonly changes: readonly ReportedChange[];
  }[];
  readonly findings: readonly Finding[];
  /** Who else may act as what the links rely on, as is usual. */
  readonly inventory?: readonly Finding[];
}

/** What a link looks like when it is drawn: all words of the file, so a report can be drawn without a cloud. */
export interface Sides {
  readonly link: string;
  /** As `Party.title` calls them. */
  readonly from: { readonly party: string; readonly title: string };
  /** `scope`: the account or project, because two of them may have roles of one name. */
  readonly to: { readonly party: string; readonly title: string; readonly scope: string };
  /** Who vouches: an issuer without its scheme, or an account that signs. */
  readonly issuer: string;
  readonly audience: string;
  readonly may: readonly string[];
}

/**
 * What is known of earlier checks. It only adds to what a report shows: no verdict is ever taken from it, because
 * whoever could edit it would else silence the check. Links it does not know are shown without a past.
 */
export interface Past {
  readonly links: Readonly<
    Record<
      string,
      {
        /** ISO 8601: since when the verdict is what it is. */
        readonly since: string;
        /** ISO 8601: the last check in which it worked. */
        readonly lastGood?: string;
        /** Oldest first, this check included. */
        readonly runs?: readonly Verdict[];
      }
    >
  >;
  /** Those that are open now. */
  readonly alerts?: readonly { readonly link?: string; readonly says: string; readonly since: string }[];
}

/** A page or a page of metrics: the document, how its links are drawn, and what the next command needs (`--sandbox`). */
export interface Report {
  readonly document: HealthDocument;
  readonly sides: readonly Sides[];
  readonly again: string;
}
