import { type Evidence, nearMiss } from "../../model.ts";

/** What is said of a row that nearly holds, and what to do about it. */
export interface Miss {
  readonly says: string;
  readonly fix: readonly string[];
}

const describe = "gcloud iam workload-identity-pools providers update-oidc ..";

/** How little is between the issuer that a pool provider believes and a token's. A slash at the end does not matter to Google. */
export function issuerMiss({ wants, says }: Evidence): Miss | undefined {
  const why = issuerWhy(wants.replace(/\/$/, ""), says.replace(/\/$/, ""));
  if (why === undefined) return undefined;
  return {
    says: why,
    fix: [`if this issuer is meant: ${describe} --issuer-uri=${says}`, `else take the token from ${wants}`],
  };
}

function issuerWhy(wanted: string, has: string): string | undefined {
  if (wanted.toLowerCase() === has.toLowerCase()) return "they differ in letter case alone, and it counts";
  if (wanted.replace(/^http:/, "https:") === has.replace(/^http:/, "https:"))
    return "they differ in the scheme in front";
  const github = "https://token.actions.githubusercontent.com";
  if (has.startsWith(`${wanted}/`))
    return wanted === github
      ? `the path ${has.slice(wanted.length)} is in the token alone: it is an enterprise's own issuer`
      : `the path ${has.slice(wanted.length)} of the token's issuer is missing in the pool provider`;
  if (wanted.startsWith(`${has}/`))
    return `the pool provider has the path ${wanted.slice(has.length)}, which the token's issuer has not`;
  const [one, other] = [URL.parse(wanted), URL.parse(has)];
  if (one && other && one.host === other.host) return "the host is the same, and the path is not";
  return undefined;
}

const own =
  /^(?:https:)?(\/\/iam\.googleapis\.com\/projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+))$/;

/**
 * How little is between the audiences that are taken and a token's. A pool provider's own name has two spellings, which are one
 * value while its list of audiences is empty; once a spelling is in the list, the list alone counts, letter by letter.
 */
export function audienceMiss({ wants, says }: Evidence): Miss | undefined {
  const taken = wants.split(" or ");
  const given = says.split(", ");
  for (const aud of given) {
    for (const want of taken) {
      const miss = ownName(want, aud) ?? plain(want, aud);
      if (miss) return miss;
    }
  }
  return undefined;
}

function ownName(want: string, aud: string): Miss | undefined {
  const [, wanted, project, pool, id] = own.exec(want) ?? [];
  const [, has, project2, pool2, id2] = own.exec(aud) ?? [];
  if (wanted === undefined || has === undefined || want === aud) return undefined;
  if (wanted === has)
    return {
      says: "these are the two spellings of the pool provider's own name, with and without https:, and its list of audiences names only one of them",
      fix: [
        `empty the list, so that both spellings are taken: ${describe} --allowed-audiences=`,
        `or list both: --allowed-audiences=${wanted},https:${wanted}`,
      ],
    };
  if (pool === pool2 && id === id2) {
    const byId = !/^\d+$/.test(project2 ?? "") || !/^\d+$/.test(project ?? "");
    return {
      says: byId
        ? "one names the project by its id, and google compares with its number"
        : "they name two projects, which have a pool and a pool provider of the same names",
      fix: [`ask for a token whose audience is ${want}`],
    };
  }
  return {
    says: `the token is for another pool provider (${pool2}/${id2})`,
    fix: [`ask for a token whose audience is ${want}`],
  };
}

function plain(want: string, aud: string): Miss | undefined {
  const near = nearMiss(want, aud, false);
  if (near)
    return {
      says: near.why,
      fix: [`ask for a token whose audience is ${want}`, `or add ${aud} to the audiences of the pool provider`],
    };
  return undefined;
}
