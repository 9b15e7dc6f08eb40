import type { Alert, Memory, Past } from "../model.ts";

/** What a page or metrics show of the memory: since when, when last well, the last runs, what is open. */
export function pastOf(memory: Memory | undefined): Past | undefined {
  if (!memory) return undefined;
  const links = Object.entries(memory.links).map(([name, { since, good, history }]) => {
    const known = good ? { lastGood: good.at } : {};
    return [name, { since, runs: history, ...known }] as const;
  });
  return { links: Object.fromEntries(links), alerts: memory.alerts.flatMap(shown) };
}

/** A line for each link that it hits, because people look for theirs. */
const shown = ({ cause, links, since }: Alert): NonNullable<Past["alerts"]> => {
  const says = `${cause.what}   ${cause.where}`;
  // What is about an account alone hits no link.
  return links.length > 0 ? links.map((link) => ({ link, since, says })) : [{ since, says }];
};
