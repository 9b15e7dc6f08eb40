import type { Code, Stranger } from "../../model.ts";
import { claimsIn } from "./anybody.ts";
import { isSameIssuer, judgePool, type PoolTrust } from "./judge.ts";

/** What nobody is called. */
const nobody = "stranger";

type Claims = Readonly<Record<string, string>>;

/**
 * Whom a live pool provider takes and the wanted one does not, found by trying: every value that either of them names
 * for a claim, and one that nobody names. Finite, and a second opinion beside comparing texts, as for AWS's policies.
 */
export function strangersOf(live: PoolTrust, wanted: PoolTrust): readonly Stranger[] {
  const all = live.type === "aws" ? callers(live, wanted) : tokens(live, wanted);
  const tried = all.map((claims) => ({ claims, there: judgePool(claims, live), should: judgePool(claims, wanted) }));
  const extra = tried.filter(({ should }) => should.allow !== true);
  const letIn = extra.filter(({ there }) => there.allow === true).map(({ claims }) => claims);
  const found = new Map(letIn.map((claims) => [codeOf(claims, wanted), stranger(claims, wanted)]));
  const unsure = [...new Set(extra.flatMap(({ there }) => there.unknown ?? []))].map(
    (reason): Stranger => ({
      ...{ who: `perhaps somebody else (${reason})`, code: "GOOGLE-CONDITION-UNDECIDED", unsure: true },
    }),
  );
  return [...found.values(), ...(found.size > 0 ? [] : unsure)];
}

function codeOf({ iss, account, aud }: Claims, wanted: PoolTrust): Code {
  // A pool provider of one type may stand where the file wants one of the other.
  if (account === undefined ? !isSameIssuer(iss, wanted.source) : account !== wanted.source)
    return "GOOGLE-SOURCE-EXTRA";
  if (aud !== undefined && !audiencesOf(wanted).includes(aud)) return "GOOGLE-AUDIENCE-EXTRA";
  return "GOOGLE-CONDITION-OPEN";
}

function stranger(claims: Claims, wanted: PoolTrust): Stranger {
  const { iss, account, aud, arn, sub } = claims;
  const code = codeOf(claims, wanted);
  const source = account === undefined ? iss : `the aws account ${account}`;
  const who =
    code === "GOOGLE-SOURCE-EXTRA"
      ? `identities of ${source}, which the file does not name,`
      : code === "GOOGLE-AUDIENCE-EXTRA"
        ? `a token for the audience ${aud}`
        : `${arn ?? sub ?? "somebody"} of ${source}, as an example,`;
  return { who, code, claims };
}

const audiencesOf = ({ audiences, name }: PoolTrust): readonly string[] =>
  audiences.length > 0 ? audiences : name === undefined ? [] : [name];

/** Texts in quotes that an expression holds, unescaped as far as names need it. */
const literals = (text: string): readonly string[] =>
  [...text.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)].map(([, one, other]) =>
    (one ?? other ?? "").replace(/\\(.)/g, "$1"),
  );

/** Whoever GetCallerIdentity could name: sessions of the roles that are named, of another role, and a user. */
function callers(live: PoolTrust, wanted: PoolTrust): readonly Claims[] {
  const accounts = [...new Set([live.source, wanted.source])];
  const named = [...literals(live.condition), ...literals(wanted.condition)];
  return accounts.flatMap((account) => {
    const root = `arn:aws:sts::${account}:assumed-role/`;
    const known = named.flatMap((text) => /assumed-role\/([\w+=,.@-]+)/.exec(text)?.[1] ?? []);
    // A name that only begins alike is another role.
    const roles = known.flatMap((role) => [role, `${role}-${nobody}`]);
    const sessions = [nobody, ...named.flatMap((text) => /^\/?(i-[0-9a-f]+)$/.exec(text)?.[1] ?? [])];
    const whole = named.filter((text) => /^arn:aws[a-z-]*:\w+::\d{12}:(?:user\/|assumed-role\/[^/]+\/).+/.test(text));
    const assumed = [...new Set([...roles, `${nobody}-role`])].flatMap((role) =>
      sessions.map((session) => `${root}${role}/${session}`),
    );
    const arns = [...new Set([...assumed, ...whole, `arn:aws:iam::${account}:user/${nobody}`])];
    return arns.map((arn) => ({ account, arn, userid: `AROASTRANGER:${nobody}` }));
  });
}

/** More combinations than that would only repeat what these say. */
const mostTried = 400;
/** Claims of which all combinations are tried. */
const mostCombined = 24;

function tokens(live: PoolTrust, wanted: PoolTrust): readonly Claims[] {
  const texts = [live.condition, wanted.condition, ...Object.values({ ...live.mapping, ...wanted.mapping })];
  const names = new Set(["sub", ...texts.flatMap(claimsIn)]);
  for (const fixed of ["iss", "aud"]) names.delete(fixed);
  const values = [nobody, ...new Set([...literals(live.condition), ...literals(wanted.condition)])].slice(0, 12);
  const audiences = [...new Set([...audiencesOf(live), ...audiencesOf(wanted), "crosstrust-wrong-audience"])];
  let all: Claims[] = [live.source, wanted.source].flatMap((iss) => audiences.map((aud) => ({ iss, aud })));
  for (const name of [...names].slice(0, mostCombined)) {
    const next = all.flatMap((claims) => values.map((value) => ({ ...claims, [name]: value })));
    all = next.length > mostTried ? next.filter((_, at) => at % Math.ceil(next.length / mostTried) === 0) : next;
  }
  // Of a condition that reads more claims than that, the others take each value in turn: copying tokens costs their square.
  const others = [...names].slice(mostCombined);
  return all.map((claims, turn) => {
    const rest = others.map((name, at) => [name, values[(turn + at) % values.length] ?? nobody] as const);
    return { ...claims, ...Object.fromEntries(rest) };
  });
}
