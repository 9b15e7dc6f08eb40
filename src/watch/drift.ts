import type { Change, Difference } from "../model.ts";

type Weight = NonNullable<Difference["weight"]>;

/** The gravest first: what each weight of a difference is called as the cause of an alert. */
const words: readonly (readonly [Weight, string])[] = [
  ["opens", "drifted, admits others"],
  ["loosens", "drifted, admits more"],
  ["grants", "drifted, grants more"],
  ["narrows", "drifted, admits or grants less"],
];

/**
 * Returns everything that has happened to a thing that differs, the gravest first: a harmless edit is told from a grave one,
 * and a file that nobody applied from a cloud that somebody changed.
 */
export function driftsOf({
  verb,
  cause,
  differences,
}: Pick<Change, "verb" | "cause" | "differences">): readonly string[] {
  if (verb === "create" || verb === "restore") return ["missing"];
  if (cause === "edited" || cause === "moved") return ["not applied"];
  const found = words.filter(([weight]) => differences.some((one) => one.weight === weight)).map(([, word]) => word);
  const plain = found.length === 0 || differences.some(({ weight }) => weight === undefined);
  return plain ? [...found, "drifted"] : found;
}

/** How grave a cause of `driftsOf` is: the higher, the graver. What is no drift has none. */
export const gravityOf = (what: string): number => {
  const at = words.findIndex(([, word]) => word === what);
  return at < 0 ? 0 : words.length - at;
};

/** Names that a message has room for. */
const named = 5;

/**
 * Returns what differs of these changes, a thing each, for a message: `role/111122223333/reports: may AdministratorAccess`.
 * It holds names of the file, of the format and of AWS's own policies, and nothing that somebody could choose.
 */
export function changesShown(changes: readonly Change[]): readonly string[] {
  const shown = changes.map(({ address, verb, differences }) => {
    const paths = [...new Set(differences.map(({ path }) => partOf(path)))];
    const more = paths.length > named ? ` and ${paths.length - named} more` : "";
    return `${address.replace(/^\w+:/, "")}: ${paths.slice(0, named).join(", ") || verb}${more}`;
  });
  return [...new Set(shown)].slice(0, named);
}

/** `may.arn:aws:iam::aws:policy/AdministratorAccess` is `may AdministratorAccess`; of any other path its first word. */
function partOf(path: string): string {
  const policy = /^may\.arn:aws[a-z-]*:iam::aws:policy\/([\w+=,.@/-]+)$/.exec(path)?.[1];
  return policy === undefined ? (path.split(".")[0] ?? "") : `may ${policy}`;
}
