import type { Attributes } from "../../judge/google/attributes.ts";
import { isMeant, mappedBy, memberOf, parseMember, tailsOf } from "../../judge/google/principals.ts";
import { powersOfRole } from "../../judge/google/speaking.ts";
import { type Evidence, nearMiss } from "../../model.ts";
import type { IamPolicy } from "./policies.ts";

/** A token as the pool knows it, and the pool's full name with the project's number. */
export interface Principal {
  readonly pool: string;
  readonly attributes: Attributes;
}

/** Every member by which a policy can mean this token (google.md 6.3). */
export const membersOf = ({ pool, attributes }: Principal): readonly string[] =>
  tailsOf(attributes).map((tail) => memberOf(pool, tail));

/** Whether a service account's own policy lets a token speak as it, with a row for each member that comes from a pool. */
export interface Bound {
  readonly allow: boolean | "unknown";
  readonly rows: readonly Evidence[];
}

/**
 * Holds the members of a service account's policy against the principals that a token becomes. A binding with a condition is
 * not decided here. What is bound on the project or above it is in no account's policy, and is not seen.
 */
export function heldAgainst({ bindings }: IamPolicy, principal: Principal): Bound {
  const rows = bindings.flatMap(({ role, members, condition }) =>
    members.flatMap((member) => memberRow(member, { role, conditional: condition !== undefined }, principal)),
  );
  const ok = rows.map((row) => row.ok);
  return { allow: ok.includes(true) ? true : ok.includes("unknown") ? "unknown" : false, rows };
}

interface Place {
  readonly role: string;
  readonly conditional: boolean;
}

const everybody = ["allUsers", "allAuthenticatedUsers"];

/** Members that are no identities of a pool, such as people, say nothing about a token. */
function memberRow(member: string, { role, conditional }: Place, principal: Principal): readonly Evidence[] {
  const speaks = powersOfRole(role).includes("speak");
  const readFrom = role;
  const row = { key: "member", wants: member, readFrom };
  if (everybody.includes(member))
    return speaks ? [{ ...row, says: "everybody", ok: conditional ? "unknown" : true }] : [];
  if (!/iam\.googleapis\.com|workloadIdentityPools/.test(member)) return [];
  const found = parseMember(member);
  const meant = found?.pool === principal.pool && isMeant(found.tail, principal.attributes);
  if (meant && !isGranting(role))
    return [{ ...row, says: "the token, but whether this role lets it speak is not known here", ok: "unknown" }];
  if (meant && !speaks)
    return [{ ...row, says: "the token, but this role does not let it speak as the account", ok: false }];
  if (meant)
    return [
      { ...row, says: conditional ? "the token, under a condition" : "the token", ok: conditional ? "unknown" : true },
    ];
  return [{ ...row, says: misfit(member, principal), ok: false }];
}

/** Of a custom role the permissions are not in a policy. */
const isGranting = (role: string): boolean => role.startsWith("roles/");

const form =
  /^(principal|principalSet):\/\/iam\.googleapis\.com\/projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/([^/]+)\/(.+)$/;

/** Why a member that looks like one of a pool does not mean a token: the usual mistakes first. */
export function misfit(member: string, { pool, attributes }: Principal): string {
  const [, kind = "", project = "", id = "", tail = ""] = form.exec(member) ?? [];
  const [, ownNumber = "", ownId = ""] =
    /^projects\/(\d+)\/locations\/global\/workloadIdentityPools\/(.+)$/.exec(pool) ?? [];
  if (member.startsWith("deleted:")) return "a pool that was deleted: the member of a pool made anew is another one";
  if (kind === "") return shapeless(member);
  if (!/^\d+$/.test(project)) return `the project by its id; google knows members by its number (${ownNumber})`;
  if (project !== ownNumber || id !== ownId)
    return id === ownId
      ? `a pool of the same name in another project (${project}, not ${ownNumber})`
      : `another pool (${id}, not ${ownId})`;
  if (/^providers\//.test(tail))
    return "a pool provider: a member names the pool, and then a subject, a group or an attribute";
  return ofTail(tail, kind, attributes);
}

const shapeless = (member: string): string =>
  /^(?:principal|principalSet):\/\/iam\.googleapis\.com\//.test(member)
    ? "no identity of a pool: after the pool stands /subject/.., /group/.., /attribute.NAME/.. or /*"
    : "no member of a pool: it begins with principal://iam.googleapis.com/ or principalSet://iam.googleapis.com/";

function ofTail(tail: string, kind: string, attributes: Attributes): string {
  const at = tail.indexOf("/");
  const [head, value] = at < 0 ? [tail, ""] : [tail.slice(0, at), tail.slice(at + 1)];
  if (head === "*" && kind === "principal") return "the whole pool, which is written principalSet://";
  if (/^attribute\.(?:subject|sub|google\.subject)$/.test(head) || head === "google.subject")
    return `the attribute ${head}; the subject is written principal://../subject/${attributes.subject}`;
  if (head.startsWith("subject") && kind === "principalSet")
    return "one subject, which is written principal:// and not principalSet://";
  if (/^(?:attribute\.|group$)/.test(head) && kind === "principal")
    return "a set of identities, which is written principalSet:// and not principal://";
  const two = twoAttributes(value);
  if (two)
    return `two attributes in one, of which google takes the first with the value ${value}; test ${two} in the condition`;
  if (/\*/.test(value)) return `a pattern: google compares members to the letter, so * is a character here`;
  return ofValue(head, value, attributes);
}

/** The second attribute that a member's value names, where its author meant two; undefined for any other value. */
export const twoAttributes = (value: string): string | undefined =>
  /\/(attribute\.\w+|subject|group|google\.\w+)\/./.exec(value)?.[1];

function ofValue(head: string, value: string, { subject, groups, custom }: Attributes): string {
  const key = mappedBy(`${head}/${value}`);
  const name = /^attribute\.(.+)$/.exec(head)?.[1];
  if (name !== undefined && !Object.hasOwn(custom, name)) {
    const near = Object.keys(custom).find((one) => one.toLowerCase() === name.toLowerCase());
    return near === undefined
      ? `${key}, which the mapping does not make of this token`
      : `attribute.${name}; the mapping makes attribute.${near}, and letter case counts`;
  }
  if (head !== "subject" && head !== "group" && name === undefined)
    return `${head}, which is no subject, group or attribute`;
  const has = head === "subject" ? [subject] : head === "group" ? groups : [custom[name ?? ""] ?? ""];
  const misses = has.flatMap((one) => nearMiss(value, one, false)?.why ?? []);
  return `${key} of another value: the token's is ${has.join(", ") || "(none)"}${misses[0] === undefined ? "" : ` (${misses[0]})`}`;
}
