import { z } from "zod";
import type { Former, Json, Mark } from "../../model.ts";
import { packed, unpacked } from "../../run/packed.ts";
import { markIn, maxDescription, ownDescription, parseDescription, withMark } from "./mark.ts";

/** One member that would be changed: what it is now, and what people call it. */
export interface Changed {
  readonly value: Json;
  readonly says: string;
}

const recordSchema = z.record(z.string(), z.json());
/** Former values by member; `mark` is the mark of another deployment. */
type Record = { readonly [member: string]: Json };

/** How long a text is in the unit in which its description is limited: bytes for accounts, characters for pools. */
export type Measure = (text: string) => number;
export const bytesOf: Measure = (text) => Buffer.byteLength(text);
export const charactersOf: Measure = (text) => [...text].length;

/** A description, and whose mark it would get. */
export interface Described {
  readonly description: string;
  readonly owner: string;
  readonly measure: Measure;
}

/**
 * Returns what has to be remembered of a thing: the members that taking it over, or a later edit, changes for the first
 * time, and the mark of another deployment. What does not fit into the description is left out, the largest first.
 */
export function formerIn(
  { description, owner, measure }: Described,
  changed: { readonly [member: string]: Changed },
): Former {
  const before = parseDescription(description);
  const isOwn = before?.owner === owner;
  const known = isOwn ? recordIn(before) : {};
  const theirs = isOwn ? {} : before ? { mark: markIn(description) } : madeIn(description);
  const added = Object.entries(changed).filter(([member]) => known[member] === undefined);
  let record: Record = {
    ...known,
    ...theirs,
    ...Object.fromEntries(added.map(([member, { value }]) => [member, value])),
  };
  const lost: string[] = [];
  const size = (was: string | undefined) =>
    measure(withMark(description, { ...longestMark(owner), ...(was ? { was } : {}) }));
  const over = size(undefined) - maxDescription;
  if (over > 0) return { lost, blocked: `its description leaves no room for a mark; shorten it by ${over}` };
  const largest = [...added].sort(([, one], [, other]) => text(other).length - text(one).length);
  for (const [member, { says }] of largest) {
    if (size(wasOf(record)) <= maxDescription) break;
    const { [member]: _, ...rest } = record;
    record = rest;
    lost.push(says);
  }
  if (size(wasOf(record)) <= maxDescription)
    return { ...(wasOf(record) ? { was: wasOf(record) } : {}), lost } as Former;
  return { lost: [...lost, "the mark of another deployment"] };
}

/** One that was made here and lost its mark has our own text: without a record it would pass for ours again. */
const madeIn = (description: string): Record =>
  withMark(description, undefined) === ownDescription ? { made: true } : {};

const text = ({ value }: Changed): string => JSON.stringify(value);
const wasOf = (record: Record): string | undefined => (Object.keys(record).length > 0 ? packed(record) : undefined);

/** Fingerprints have 16 digits, so every mark of an owner without what rides on the thing is as long as this one. */
const longestMark = (owner: string): Mark => ({ owner, want: "0".repeat(16), put: "0".repeat(16), adopted: true });

/** Returns the record that a mark holds; empty where there is none, or none that can be read. */
export function recordIn(mark: Pick<Mark, "was"> | undefined): Record {
  return recordSchema.safeParse(mark?.was === undefined ? undefined : unpacked(mark.was)).data ?? {};
}

/** Returns a description without our mark, and with the mark of another deployment that stood there before. */
export function formerDescription(description: string): string {
  const { mark } = recordIn(parseDescription(description));
  const human = withMark(description, undefined);
  if (typeof mark !== "string") return human;
  return human ? `${human} ${mark}` : mark;
}
