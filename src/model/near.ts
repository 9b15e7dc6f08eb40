/** How a wanted text nearly is a given one, in words, and the text that would be right where it can be told. */
export interface Near {
  /** The end of a sentence that begins with the two texts. */
  readonly why: string;
  /** What to write in place of the wanted text. */
  readonly write?: string;
}

const subjectWithIds = /^(repo:)([^/@:]+)@(\d+)\/([^@:]+)@(\d+)(:.*)?$/;

/** The names in a subject of GitHub with the ids left out: `repo:octo@123/app@456:ref:..` is `repo:octo/app:ref:..`. */
const withoutIds = (text: string): string => text.replace(subjectWithIds, "$1$2/$4$6");

const since =
  "github writes the ids of owner and repository into the subject of repositories created, renamed or transferred since 2026-07-15, and of those that opted in";

/**
 * Compares a text that a policy wants with the one that a token has, and says how little is between them. Undefined where they
 * have nothing to do with each other. `like`: `*` and `?` of the wanted text are wildcards.
 */
export function nearMiss(wanted: string, has: string, like: boolean): Near | undefined {
  if (wanted === has || wanted === "" || has === "") return undefined;
  return (
    byIds(wanted, has, like) ?? byLetters(wanted, has, like) ?? byEnds(wanted, has, like) ?? byMiddle(wanted, has, like)
  );
}

const matches = (pattern: string, text: string, like: boolean): boolean => {
  if (!like) return pattern === text;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, "[^]*?")
    .replace(/\?/g, "[^]");
  // A pattern of many wildcards could be tried in too many ways: then nothing is said.
  return (pattern.match(/\*+/g)?.length ?? 0) <= 3 && new RegExp(`^${source}$`).test(text);
};

function byIds(wanted: string, has: string, like: boolean): Near | undefined {
  const [whole, , owner = "", ownerId = "", repo = "", repoId = "", rest = ""] = subjectWithIds.exec(has) ?? [];
  if (whole !== undefined && matches(wanted, withoutIds(has), like)) {
    const named = new RegExp(`^repo:${escaped(owner)}/(?:${escaped(repo)})?`);
    const ids = wanted.startsWith(`repo:${owner}/${repo}`)
      ? `repo:${owner}@${ownerId}/${repo}@${repoId}`
      : `repo:${owner}@${ownerId}/`;
    return { why: `the token's subject has ids in it: ${since}`, write: wanted.replace(named, () => ids) };
  }
  const other = subjectWithIds.exec(wanted);
  if (whole !== undefined && other && other[3] === ownerId && other[5] === repoId && (other[6] ?? "") === rest)
    return { why: "the ids are the same and the names are not: the repository or its owner was renamed", write: has };
  if (whole !== undefined && other && other[5] === repoId)
    return { why: "the repository's id is the same and its owner is not: it was transferred", write: has };
  if (whole === undefined && other && withoutIds(wanted) === has)
    return { why: `the policy names ids, and the token's subject has none: ${since}`, write: has };
  const [, names, after] = /^repo:([^:*?]+)(:.*)?$/.exec(wanted) ?? [];
  if (whole !== undefined && names !== undefined && !names.includes("@") && matches(after ?? "", rest, like))
    return {
      why: `the token is of ${owner}/${repo}, with ids, and the policy names ${names}: if that was its name before it was renamed or transferred, the subject has ids since then`,
      write: `repo:${owner}@${ownerId}/${repo}@${repoId}${after ?? ""}`,
    };
  return undefined;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The same but for letter case, blanks around it, a slash at its end, or the scheme in front. */
function byLetters(wanted: string, has: string, like: boolean): Near | undefined {
  if (matches(wanted.toLowerCase(), has.toLowerCase(), like))
    return { why: "they differ in letter case alone, and it counts", write: recased(wanted, has) };
  if (matches(wanted.trim(), has.trim(), like)) return { why: "they differ in blanks around them", write: has };
  if (matches(wanted.replace(/\/$/, ""), has.replace(/\/$/, ""), like))
    return { why: "they differ in a slash at the end, and it counts", write: has };
  const bare = (text: string): string => text.replace(/^(?:https?:)?\/\//, "");
  if (matches(bare(wanted), bare(has), like)) return { why: "they differ in the scheme in front", write: has };
  return undefined;
}

/** The wanted text with the token's letters, wildcards kept; the token's text where they do not lie side by side. */
function recased(wanted: string, has: string): string {
  const lower = has.toLowerCase();
  let at = 0;
  const pieces = wanted.split(/([*?]+)/).map((piece) => {
    if (/^[*?]+$/.test(piece) || piece === "") return piece;
    const found = lower.indexOf(piece.toLowerCase(), at);
    if (found < 0) return piece;
    at = found + piece.length;
    return has.slice(found, at);
  });
  return pieces.join("");
}

/** One is the beginning or the end of the other. */
function byEnds(wanted: string, has: string, like: boolean): Near | undefined {
  const plain = wanted.replace(/[*?]+$/, "");
  if (wanted === plain && has.startsWith(wanted)) {
    const rest = has.slice(wanted.length);
    const sign = /^[:/]/.test(rest) ? rest[0] : /[:/]$/.test(wanted) ? "" : undefined;
    const open = sign === undefined ? "" : `, or ${wanted}${sign}* as a pattern`;
    return {
      why: `the policy's value is a beginning of the token's, where ${rest} is missing`,
      write: `${has}${open}`,
    };
  }
  if (plain.startsWith(has)) {
    const surplus = wanted.slice(has.length);
    return { why: `the token's value ends before ${surplus}, which the policy has too much`, write: has };
  }
  if (!like && has.endsWith(wanted) && wanted.length > 3)
    return {
      why: `the policy's value is an end of the token's, where ${has.slice(0, -wanted.length)} is missing in front`,
      write: has,
    };
  if (!like && wanted.endsWith(has) && has.length > 3)
    return {
      why: `the policy's value has ${wanted.slice(0, -has.length)} in front, which the token has not`,
      write: has,
    };
  return undefined;
}

/** They agree for a good part, and differ then. */
function byMiddle(wanted: string, has: string, like: boolean): Near | undefined {
  const fixed = like ? (/^[^*?]*/.exec(wanted)?.[0] ?? "") : wanted;
  let same = 0;
  while (same < fixed.length && same < has.length && fixed[same] === has[same]) same++;
  let tail = 0;
  const most = Math.min(wanted.length, has.length) - same;
  while (tail < most && wanted.at(-1 - tail) === has.at(-1 - tail)) tail++;
  if (same + tail < Math.max(4, Math.min(wanted.length, has.length) / 2)) return undefined;
  // A name is said whole: of two that begin alike, what follows the last sign that ends a part.
  const from = Math.max(...[":", "/", "."].map((sign) => wanted.slice(0, same).lastIndexOf(sign))) + 1;
  const shared = wanted.slice(0, from);
  const front = shared === "" ? "" : `they agree in ${shared} and differ then: `;
  return { why: `${front}the policy wants ${wanted.slice(from)}, and the token has ${has.slice(from)}` };
}
