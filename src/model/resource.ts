import type { Address, Known, Spec } from "./basics.ts";
import type { Code } from "./codes.ts";
import type { Finding } from "./finding.ts";

/**
 * What will be proved, known before anyone mints it: all that the two parties of a link have in common.
 * `oidc`: a signed token; a claim with a list may hold any of its values. `aws4_request`: a signed
 * GetCallerIdentity; `example` is an answer that it might be.
 */
export type Identity =
  | {
      readonly proof: "oidc";
      readonly issuer: Known<string>;
      /** The issuer as a resource that is only used: its keys and certificates can be referred to. */
      readonly served?: Address;
      readonly claims: Readonly<Record<string, Known<string> | readonly Known<string>[]>>;
      /** Patterns of subjects with `*` and `?`, in place of `claims.sub`: many identities, all of them meant. */
      readonly like?: readonly string[];
      /** What else its tokens can say of the same identity, and no trust of ours asks: the e-mail of a service account. */
      readonly also?: Readonly<Record<string, string>>;
      /** Tags that the token must give its session, each with the values that will do. */
      readonly tags?: Readonly<Record<string, readonly string[]>>;
    }
  | { readonly proof: "aws4_request"; readonly account: string; readonly who: AwsWho; readonly example: AwsCaller };

/** An answer of GetCallerIdentity: all that a pool provider for AWS ever sees of a workload (google.md 6.5). */
export interface AwsCaller {
  readonly account: string;
  readonly arn: string;
  readonly userid: string;
}

/**
 * Whom that answer will name: any session of a role, one EC2 instance in whatever role, or one user or session by its
 * ARN to the letter.
 */
export type AwsWho = { readonly role: string } | { readonly instance: string } | { readonly arn: string };

/**
 * How to reach the account or project of a resource, where the file says so: profile, role to assume, region.
 * Not part of what is desired, so another profile is no drift; links that share a thing must agree on it.
 */
export type Access = Readonly<Record<string, string>>;

/**
 * What must exist. `own`: made, changed and removed by us. `use`: must exist, is read and watched, never
 * written (contract, section 3). A change of it concerns its `links`, and the consent of one covers it.
 */
export interface Resource<S extends Spec = Spec> {
  readonly address: Address;
  readonly links: readonly string[];
  readonly hold: "own" | "use";
  readonly spec: S;
  readonly access?: Access;
  /** Made before it although nothing in the spec refers to it: an ARN is known before there is anything behind it. */
  readonly needs?: readonly Address[];
  /** What rides on it, too small for a mark of its own: part of what its mark says the file wanted. */
  readonly covers?: readonly Address[];
  /** Breadth and privilege that its links bring: each of them needs a consent before it is made. */
  readonly decisions?: readonly Decision[];
  /**
   * Members of the spec that the file does not state. They decide how a new thing is made, and nothing about one that is
   * taken over: there the live value stays (contract, section 9).
   */
  readonly defaults?: readonly string[];
}

/**
 * Breadth or privilege that one link brings into a resource. A person agrees to it before it is made: with an `accept` in
 * the file, or with a flag (contract, section 9).
 */
export interface Decision {
  readonly code: Code;
  /** The value that a consent is pinned to, as the finding shows it. */
  readonly of: string;
  readonly says: string;
  readonly link: string;
}

/**
 * What we leave on each thing we own: whose it is, and two fingerprints of 16 hex. It lives on the thing
 * itself (AWS tags, the end of a Google description): there is no state file, and the mark alone tells an
 * edited file from a changed cloud (contract, section 8; the table is in `plan/compare.ts`).
 */
export interface Mark {
  /** The deployment. A mark of another owner makes a thing as foreign as none. */
  readonly owner: string;
  /** Of the desired spec, references symbolic: it changes when the file changes, and only then. */
  readonly want: string;
  /** Of the spec as last written, or `-` from the create call until the last part is written. */
  readonly put: string;
  /** It was there before us: `destroy` gives it back instead of deleting it. */
  readonly adopted?: boolean;
  /** What it was before it was adopted, as far as it was changed: a `packed` record that only its kind reads. */
  readonly was?: string;
  /** Unique ids of the subjects it trusts, `name=id` each: the only way back to a deleted service account. */
  readonly subjects?: string;
  /** What rides on it and has no mark, each by a hash of its address: the way back to what a later file no longer names. */
  readonly holds?: readonly string[];
  /** Those of what rides on it that were there before it carried a mark of ours, by the same hashes: they are not ours. */
  readonly theirs?: readonly string[];
  /** The other deployments with a claim on it, where its kind lets several share it. */
  readonly sharers?: readonly string[];
}

/** What has to be remembered of a thing so that it can be given back as it was. */
export interface Former {
  /** A `packed` record; left out where nothing but the mark itself would be changed. */
  readonly was?: string;
  /** What there is no room to remember, in words: it would be lost. */
  readonly lost: readonly string[];
  /** Why the thing cannot carry a mark at all. */
  readonly blocked?: string;
}

/** What could not be read has no state here: reading throws, because "absent" would mean create. */
export type Live<S extends Spec = Spec> =
  /**
   * `narrower`: conditions under which something beside it does already what it would do without them. Making it would lift
   * these.
   */
  | { readonly state: "absent"; readonly narrower?: readonly string[] }
  /** Gone, but can come back: `id` is what the undelete call needs, `outputs` what it will have again. */
  | { readonly state: "deleted"; readonly id: string; readonly outputs: Readonly<Record<string, string>> }
  | LivePresent<S>;

/** A thing that is there, in the members of its desired spec. */
export interface LivePresent<S extends Spec = Spec> {
  readonly state: "present";
  /** `ours` and `adopted` carry our mark; `foreign` is never touched without `--adopt`. */
  readonly owner: "ours" | "adopted" | "foreign";
  readonly spec: S;
  /** What others refer to: `arn`, `uniqueId`, `email` ... */
  readonly outputs: Readonly<Record<string, string>>;
  readonly mark?: Mark;
  /** Seen beside the spec, and not ours to change: others who may mint, dangling members ... */
  readonly notes?: readonly Finding[];
  /**
   * What was read beside the spec and is needed to judge who gets in: other pool providers of a pool, other members of a
   * policy. Never compared, never written, no part of a fingerprint.
   */
  readonly seen?: readonly Spec[];
  /** Another deployment has a claim on it, and its kind lets several share it: to take part in it needs no consent. */
  readonly joins?: boolean;
  /** What would have to be remembered if it were changed to what the file wants. No part of a fingerprint. */
  readonly former?: (owner: string) => Former;
}
