import { distance, nearest } from "../../model.ts";
import { listedNames, listedOn } from "./managed-policy-names.ts";

export { listedOn } from "./managed-policy-names.ts";

/**
 * What is known of a managed policy of AWS by its ARN. `misspelled`: AWS has the name under another path, or in a
 * spelling so close to it that nothing else can be meant. `unlisted`: it may be younger than the list.
 */
export type Listed =
  | { readonly state: "listed" }
  | { readonly state: "service-linked" }
  | { readonly state: "misspelled"; readonly meant: string; readonly because: "path" | "name" }
  | { readonly state: "unlisted"; readonly meant?: string };

/** Path and name by the name, which is unique among AWS's policies whatever the path. */
let byName: ReadonlyMap<string, string> | undefined;

const names = (): ReadonlyMap<string, string> => {
  byName ??= new Map(listedNames.split("\n").map((line) => [line.slice(line.lastIndexOf("/") + 1), line]));
  return byName;
};

/** Undefined for an ARN that is not of AWS's own managed policies. The list is of the partition aws, and judges the others too. */
export function listedPolicy(arn: string): Listed | undefined {
  const [, head = "", written] = /^(arn:aws[a-z-]*:iam::aws:policy\/)(.+)$/.exec(arn) ?? [];
  if (written === undefined) return undefined;
  const name = written.slice(written.lastIndexOf("/") + 1);
  const there = names().get(name);
  if (there !== undefined && there !== written) return { state: "misspelled", meant: head + there, because: "path" };
  if (there !== undefined) return { state: there.startsWith("aws-service-role/") ? "service-linked" : "listed" };
  const near = nearest(name, [...names().keys()]);
  if (near === undefined) return { state: "unlisted" };
  const meant = head + (names().get(near) ?? near);
  const slip = distance(name.toLowerCase(), near.toLowerCase()) <= 2 && bare(name) !== bare(near);
  const sure = slip || name.toLowerCase() === near.toLowerCase();
  return sure ? { state: "misspelled", meant, because: "name" } : { state: "unlisted", meant };
}

/** Without a number at the end: AWS's newer version of a policy differs from the older one by `V2` and the like. */
const bare = (name: string): string => name.replace(/[_-]?v?\d+$/i, "").toLowerCase();

/** Says which list, and that it ends. */
export const notListed = (arn: string): string => `${arn} is not in the list of AWS's managed policies of ${listedOn}`;
