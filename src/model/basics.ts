/** The smallest words: places, addresses, references, JSON. */

/** Line and column count from 1. It travels with its value, so that the last error can still say where. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * `party:kind/scope/name`, e.g. `aws:role/111122223333/reports-reader`. Built from the text of the file
 * alone: known before the thing exists, and the same for two links that name it.
 */
export type Address = `${string}:${string}/${string}`;

/**
 * A value that another resource has once it exists: output `field` of the thing at `$ref`. Order, "known
 * after create" and hashing follow from it. An unresolved one equals nothing.
 */
export interface Ref {
  readonly $ref: Address;
  readonly field: string;
}
/** Known from the file, or only once something exists, such as the unique id of an account to be made. */
export type Known<T> = T | Ref;

/**
 * JSON values. Two conventions hold in a spec: arrays are sets, without order and duplicates, and what stands
 * under `action` is compared without regard to case, as IAM does (`plan/fingerprint.ts`).
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** Desired and live hold the same members, made canonical: equal texts, equal things (house.md, habit 5). */
export type Spec = { readonly [key: string]: Json };
