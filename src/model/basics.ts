/** The smallest words: places, addresses, references, JSON. */

/** A place in a text file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `party:kind/scope/name`, built from the text of the file alone, e.g. `aws:role/111122223333/reports-reader`. */
export type Address = `${string}:${string}/${string}`;

/** A value that another resource has once it exists. Order, "known after create" and hashing follow from it. */
export interface Ref {
  readonly $ref: Address;
  readonly field: string;
}
export type Known<T> = T | Ref;

/**
 * JSON values. Two conventions hold in a spec: every array is a set, whose order and duplicates carry no meaning, and
 * what stands under `action` is compared without regard to case.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Spec = { readonly [key: string]: Json };
