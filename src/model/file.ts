import type { Place } from "./basics.ts";

/** One side of a link: which party, and what the file says about it (checked by that party's shape). */
export interface Side {
  readonly party: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What a link may do: a policy by name, or actions on resources; its form is the relying party's. */
export type Permission = string | Readonly<Record<string, unknown>>;

export interface Link {
  readonly name: string;
  /** The deployment this link belongs to: part of every mark. */
  readonly deployment: string;
  readonly from: Side;
  readonly to: Side;
  /** The audience that tokens for this link are asked for. */
  readonly audience: string;
  readonly may: readonly Permission[];
  /** `judge`: nothing can mint for this link, so its trust is judged and never proved (contract, section 7). */
  readonly prove: "exchange" | "judge";
  readonly place: Place;
  /** The place of a field of this link, by path such as `to.aws.role`; the nearest parent's where it is absent. */
  readonly at: (path: string) => Place;
}

export interface Federation {
  readonly file: string;
  readonly name: string;
  readonly links: readonly Link[];
}
