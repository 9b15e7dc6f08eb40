import { comesThrough, type OtherProvider } from "../../../judge/google/admits.ts";
import { parseMember } from "../../../judge/google/principals.ts";
import type { Speaker, Standing, Surroundings } from "../../../judge/google/speaking.ts";
import { standingOf } from "../../../judge/google/speaking.ts";
import {
  type Address,
  type AuditAsk,
  ascii,
  type Finding,
  finding,
  type Link,
  type Witness,
  withoutHidden,
} from "../../../model.ts";
import { sinkOf } from "../shape.ts";
import { bindCommand, type Watched } from "./reads.ts";

/** A member and the accounts that it may speak as. */
export interface Told {
  readonly speaker: Speaker;
  readonly accounts: readonly Watched[];
}

/** What decides how a member is told. */
export interface Telling {
  readonly ask: AuditAsk;
  readonly around: Surroundings;
  /** What the file's own links bind, as `ON MEMBER`. */
  readonly granted: ReadonlySet<string>;
  /** The live pool providers of the pool that a member names, where it is one of the file's. */
  readonly providersOf: (member: string) => readonly Pick<OtherProvider, "trust" | "id" | "wanted">[];
}

/** Most links and accounts that one line names. */
const most = 3;

/** Returns the finding about one member; none where a link of the file grants it, or where it is nobody any more. */
export function tell({ speaker, accounts }: Told, { ask, around, granted, providersOf }: Telling): readonly Finding[] {
  if (granted.has(`${speaker.on} ${speaker.member}`)) return [];
  const standing = standingOf(speaker.member, around);
  const { who } = standing;
  if (standing.sort === "gone" || accounts.length === 0) return [];
  const emails = accounts.map(({ email }) => email);
  const links = [...new Set(accounts.flatMap(({ resource }) => resource.links))];
  const [first] = accounts as readonly [Watched, ...Watched[]];
  const address = speaker.level === "account" ? first.resource.address : addressOf(speaker.on);
  const when = speaker.conditional ? ", under a condition" : "";
  const { member } = speaker;
  const holds = `${member} holds ${speaker.roles.join(", ")} on ${speaker.on}${when}`;
  const of = `${member} on ${speaker.on}`;
  const says = `${who} may speak as ${some(emails)}: ${holds}`;
  if (standing.sort === "known")
    return [finding("GOOGLE-SPEAKER-KNOWN", { severity: "hint", at: { address }, links, of, says })];
  const own = ask.links.filter(({ name }) => first.resource.links.includes(name));
  const grants = own.map((link) => grantText(link, first, ask));
  const last = `speaks as ${first.email}, ${some(grants)}`;
  const meant = accounts.map(({ email }) => tailsOn(`serviceAccounts/${email}`, speaker.member, granted));
  const through =
    standing.pool && speaker.direct
      ? comesThrough(providersOf(speaker.member), tailsIn(speaker.member), meant)
      : undefined;
  const unbounded = standing.unbounded && speaker.direct;
  const witness: Witness | undefined = through
    ? {
        outsider: through.who,
        path: [`a token of ${through.who}`, `the pool provider ${through.through}`, holds, last],
        how: "judged",
        ...(through.claims ? { claims: through.claims } : {}),
      }
    : unbounded
      ? { outsider: who, path: [holds, last], how: "judged" }
      : undefined;
  return [
    finding(standing.pool ? "GOOGLE-SPEAKER-POOL" : "GOOGLE-SPEAKER", {
      severity: "security",
      at: { address },
      links,
      of,
      says,
      fix: fixesFor(speaker, first, standing),
      ...(witness ? { witness } : {}),
    }),
  ];
}

/** Whom of the pool that a member names the file's own links let speak as an account. */
const tailsOn = (on: string, member: string, granted: ReadonlySet<string>): readonly string[] =>
  [...granted].flatMap((grant) => {
    const parsed = grant.startsWith(`${on} `) ? parseMember(grant.slice(on.length + 1)) : undefined;
    return parsed && parsed.pool === parseMember(member)?.pool ? [parsed.tail] : [];
  });

const tailsIn = (member: string): readonly string[] => [parseMember(member)?.tail ?? []].flat();

/** `projects/P` is at `google:project/P`. */
function addressOf(on: string): Address {
  const [kind = "", name = ""] = on.split("/");
  return `google:${kind.replace(/s$/, "")}/${name}`;
}

const some = (names: readonly string[]): string =>
  names.length > most ? `${names.slice(0, most).join(", ")} and ${names.length - most} more` : names.join(", ");

/** What whoever speaks as an account gets by a link that starts from it or ends at it. */
function grantText(link: Link, { email }: Watched, { grants }: AuditAsk): string {
  const ends = link.to.party === "google" && sinkOf(link)?.email === email;
  return ends ? `which ${link.name} grants ${grants(link)}` : `which ${link.name} lets into ${grants(link)}`;
}

/** For a shell: whatever stands in a member stays one word. bash and zsh read `$'\U0000202e'` as the character. */
export function quoted(text: string): string {
  const escaped = withoutHidden(text.replace(/[\\']/g, "\\$&"), (one) => {
    const point = one.codePointAt(0) ?? 0;
    return `\\U${point.toString(16).padStart(8, "0")}`;
  });
  return escaped.includes("\\U") ? `$'${escaped}'` : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Commands that take the member out, one a role. A binding under a condition has to be named with it, or all at once. */
function fixesFor({ on, member, roles, conditional }: Speaker, { project }: Watched, { unbounded }: Standing) {
  const scope = on.startsWith("serviceAccounts/") ? ` --project ${project}` : "";
  const all = conditional ? " --all" : "";
  const commands = roles.map(
    (role) => `${bindCommand(on, "remove")}${scope} --member=${quoted(member)} --role=${role}${all}`,
  );
  // The file holds plain ASCII alone.
  return unbounded || ascii(member) !== member
    ? commands
    : [...commands, `or name it in the file, where it is meant: speakers: [ ${JSON.stringify(member)} ]`];
}
