import type { Address, Known, Spec } from "./basics.ts";
import type { Finding } from "./finding.ts";

/** What will be proved, known before anyone mints it. */
export type Identity =
  | {
      readonly proof: "oidc";
      readonly issuer: Known<string>;
      readonly claims: Readonly<Record<string, Known<string> | readonly Known<string>[]>>;
    }
  | { readonly proof: "aws4_request"; readonly account: string; readonly arn: string };

/** How to reach the account or project of a resource, where the file says so; not part of what is desired. */
export type Access = Readonly<Record<string, string>>;

/** What must exist. `own`: made, changed and removed by us. `use`: must exist, is read and watched, never written. */
export interface Resource<S extends Spec = Spec> {
  readonly address: Address;
  readonly links: readonly string[];
  readonly hold: "own" | "use";
  readonly spec: S;
  readonly access?: Access;
}

/** Who owns a thing, and two fingerprints: what the file wanted, and what was last written (contract, section 8). */
export interface Mark {
  readonly owner: string;
  readonly want: string;
  /** Fingerprint of the spec as last written, or `-` from the create call until the last part is written. */
  readonly put: string;
  readonly adopted?: boolean;
  /** Unique ids of the subjects this thing trusts: the only way back to a deleted service account. */
  readonly subjects?: string;
}

export type Live<S extends Spec = Spec> =
  | { readonly state: "absent" }
  /** Gone, but can come back: `id` is what the undelete call needs, `outputs` what it will have again. */
  | { readonly state: "deleted"; readonly id: string; readonly outputs: Readonly<Record<string, string>> }
  | LivePresent<S>;

export interface LivePresent<S extends Spec = Spec> {
  readonly state: "present";
  readonly owner: "ours" | "adopted" | "foreign";
  readonly spec: S;
  /** What others refer to: `arn`, `uniqueId`, `email` ... */
  readonly outputs: Readonly<Record<string, string>>;
  readonly mark?: Mark;
  /** What was seen beside the spec and deserves a word: others who may mint, dangling members ... */
  readonly notes?: readonly Finding[];
}
