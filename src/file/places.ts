import type { Link, Place } from "../model.ts";

/** What is missing has no place of its own: the nearest thing around it, at worst the first line. */
export function nearestPlace(places: ReadonlyMap<string, Place>, path: readonly string[]): Place {
  for (let length = path.length; length >= 0; length--) {
    const place = places.get(path.slice(0, length).join("."));
    if (place) return place;
  }
  return { file: "", line: 1, column: 1 };
}

/** Where the fields of a link stand, by path such as `to.aws.role`. */
export const placesOf =
  (link: string, places: ReadonlyMap<string, Place>): Link["at"] =>
  (path) =>
    nearestPlace(places, ["links", link, ...path.split(".")]);
