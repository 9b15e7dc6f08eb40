import type { IamCall } from "./action.ts";
import { AwsError } from "./query.ts";

/** One page of a listing, and what an answer says of the rest. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly rest: { readonly IsTruncated: boolean; readonly Marker?: string };
}

/** The part of a list that a call asks for with MaxItems, 100 by default, and Marker. */
export function page<T>(call: IamCall, all: readonly T[]): Page<T> {
  const from = startOf(call);
  const to = from + Number(call.params.get("MaxItems") ?? "100");
  const more = to < all.length;
  return { items: all.slice(from, to), rest: { IsTruncated: more, ...(more ? { Marker: markerFor(call, to) } : {}) } };
}

/** Sealed, and for this action of this account alone: what is cut off, made up or another's does not open. */
function markerFor({ params, account, host }: IamCall, from: number): string {
  const seal = host.secrets.mac(`aws-marker/${account}/${params.get("Action")}/${from}`).slice(0, 32);
  return Buffer.from(`${from}/${seal}`).toString("base64url");
}

/** Throws ValidationError for a marker that no answer gave; its text is approximate. */
function startOf(call: IamCall): number {
  const marker = call.params.get("Marker");
  if (marker === undefined) return 0;
  const from = Number(Buffer.from(marker, "base64url").toString("utf8").split("/")[0] || Number.NaN);
  if (Number.isInteger(from) && markerFor(call, from) === marker) return from;
  throw new AwsError("ValidationError", 400, `Invalid Marker: ${marker}`);
}
