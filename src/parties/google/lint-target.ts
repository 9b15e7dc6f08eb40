import { evaluate } from "../../judge/google/cel.ts";
import { mappedBy } from "../../judge/google/principals.ts";
import { judgeGrant } from "../../judge/google/privilege.ts";
import type { Finding, Identity, Link } from "../../model.ts";
import { twoAttributes } from "./bound.ts";
import { breadthOf, tailsOf } from "./federation/binding-spec.ts";
import { declared, lintExpressions, reassignable, type Said } from "./federation/lint-expressions.ts";
import { mappingOf } from "./federation/spec.ts";
import { type Target, targetOf } from "./shape.ts";

/** Rules over a link that ends at Google, which need no cloud; errors end the command. */
export function lintTarget(link: Link, identity: Identity): readonly Finding[] {
  const target = targetOf(link);
  const same = sameCloud(link);
  const own = () => [
    ...unread(link, identity),
    ...byId(link, identity),
    ...unasked(link, identity),
    ...everybody(link),
    ...lintExpressions(link, identity),
    ...grants(target, identity),
    ...reassigned(target, identity),
    ...sessions(target, identity),
    ...privileges(link),
    ...foreignRoles(link),
  ];
  const said = same.length > 0 ? same : own();
  return said.map(({ field, ...rest }) => ({
    ...rest,
    at: { place: link.at(field.startsWith("may") ? field : `to.google.${field}`) },
    links: [link.name],
    because: [],
  }));
}

function sameCloud(link: Link): readonly Said[] {
  if (link.from.party !== "google") return [];
  return [
    {
      ...{ code: "SAME-CLOUD", severity: "error", field: "project" },
      says: "both sides are google: a service account needs no pool to reach a project of google's",
      fix: ["grant its e-mail the role, in google itself"],
    },
  ];
}

/** Google fetches an issuer's keys over TLS that public CAs vouch for, and reads no session tags. */
function unread(link: Link, identity: Identity): readonly Said[] {
  const base = { severity: "error", field: "poolProvider" } as const;
  const tls: Said = {
    ...{ ...base, code: "ISSUER-TLS" },
    says: "google reaches an issuer only where public CAs vouch for it",
    fix: ["serve its discovery and keys with a certificate of a public CA"],
  };
  const tags: Said = {
    ...{ ...base, code: "GOOGLE-NO-TAGS" },
    says: "session tags are aws's: google reads none",
    fix: ["claims: { NAME: VALUE } pins a claim of the token instead"],
  };
  const tagged = identity.proof === "oidc" && identity.tags !== undefined;
  return [...(link.from.spec.tls === "private-ca" ? [tls] : []), ...(tagged ? [tags] : [])];
}

/** Of a signed request the target is the pool provider itself, and no list of audiences is asked (google.md 8.1). */
function unasked(link: Link, identity: Identity): readonly Said[] {
  if (identity.proof !== "aws4_request" || targetOf(link).audiences === undefined) return [];
  const says = "a pool provider for aws takes no audiences: what is signed names the pool provider itself";
  return [{ code: "GOOGLE-AUDIENCE", severity: "error", field: "audiences", says, fix: ["leave them out"] }];
}

/** Only the number stands in a pool provider's own name, and only Google knows it (google.md, trap 12; case 42). */
function byId(link: Link, identity: Identity): readonly Said[] {
  if (identity.proof !== "oidc") return [];
  const { audiences } = targetOf(link);
  const named = (audiences ?? [link.audience]).find((one) =>
    /^(?:https:)?\/\/iam\.googleapis\.com\/projects\/(?!\d+\/)/.test(one),
  );
  if (named === undefined) return [];
  const says = `the audience ${named} names the project by its id, and google compares it with the number`;
  const fix = ["gcloud projects describe PROJECT --format='value(projectNumber)'", "or an audience of your own choice"];
  return [{ code: "GOOGLE-AUDIENCE", severity: "error", field: audiences ? "audiences" : "poolProvider", says, fix }];
}

/** Members that are everybody on the net. None of the forms here would become one, and no file may look like it (case 108). */
function everybody({ from, to }: Link): readonly Said[] {
  const all = /"(allUsers|allAuthenticatedUsers)"/.exec(JSON.stringify([from.spec, to.spec]))?.[1];
  if (all === undefined) return [];
  const says = `${all} is whoever asks: nothing is ever granted to it here`;
  const fix = ["name the workload"];
  return [{ code: "GOOGLE-PUBLIC", severity: "error", field: "poolProvider", says, fix }];
}

/** Whether whoever is granted something is somebody that the mapping can come up with. */
function grants(target: Target, identity: Identity): readonly Said[] {
  const tails = tailsOf(target, identity);
  const none: Said = {
    ...{ code: "GOOGLE-GRANT-NEEDED", severity: "error", field: "poolProvider" },
    says: "a pattern of subjects names nobody that could be granted something",
    fix: ["grant: { attribute: { NAME: VALUE } } with a mapping for it", "or subject: [..] where they are few"],
  };
  const misfit = tails.flatMap((tail) => [...misfitOf(tail, target, identity), ...several(tail)]);
  const broad = breadthOf(target, identity).map(
    ({ field, of, says }): Said => ({
      code: "BROAD-SUBJECT",
      severity: "security",
      field,
      of,
      says,
      fix:
        field === "grant"
          ? ["leave grant out, or name a group or an attribute"]
          : ["map what tells your own from others: assertion.."],
    }),
  );
  return [...broad, ...(tails.length === 0 ? [none] : []), ...misfit];
}

/** What is granted to is a name that can be given to somebody else (entra.md 5.3). */
function reassigned(target: Target, identity: Identity): readonly Said[] {
  const mapping = mappingOf(target, identity);
  return tailsOf(target, identity).flatMap((tail): readonly Said[] => {
    const key = mappedBy(tail);
    const claim = reassignable.exec(mapping[key] ?? "")?.[1];
    // Of google.subject a rule of its own tells.
    if (tail === "*" || key === "google.subject" || claim === undefined) return [];
    return [
      {
        code: "GOOGLE-MUTABLE-NAME",
        severity: "warning",
        field: "grant",
        says: `${tail} is granted, which is made of ${claim}: whoever has that name next gets what this link grants`,
        fix: ["grant to what is never given twice, such as an id or the subject"],
      },
    ];
  });
}

/** A subject that is one session of a role: its name is chosen by whoever assumes the role. */
function sessions(target: Target, identity: Identity): readonly Said[] {
  if (identity.proof !== "aws4_request" || !("arn" in identity.who)) return [];
  const [, role, session] = /:assumed-role\/(.+)\/([^/]+)$/.exec(identity.who.arn) ?? [];
  if (role === undefined || !tailsOf(target, identity).some((tail) => tail.startsWith("subject/"))) return [];
  return [
    {
      code: "GOOGLE-SESSION-CHOSEN",
      severity: "hint",
      field: "poolProvider",
      says: `whoever may assume the role ${role} chooses the name of the session, ${session} too`,
      fix: [`from: { aws: { .., role: ${role} } } names the role, and leaves the session to it`],
    },
  ];
}

/**
 * A value that names another attribute: its author meant two in one member, which Google does not know. A warning, because an
 * issuer may well have a value with such a text in it.
 */
function several(tail: string): readonly Said[] {
  const second = twoAttributes(tail);
  if (second === undefined) return [];
  return [
    {
      code: "GOOGLE-MAPPING-MISFIT",
      severity: "warning",
      field: "grant",
      says: `a member names one attribute, and ${tail} names ${second} as well: only a token whose first attribute has that whole text gets in`,
      fix: [`grant to one of them, and test ${second} in to.google.condition`],
    },
  ];
}

/** An attribute that is not mapped, or a session's subject where every session has another. */
function misfitOf(tail: string, target: Target, identity: Identity): readonly Said[] {
  const mapping = mappingOf(target, identity);
  const base = { code: "GOOGLE-MAPPING-MISFIT", severity: "error", field: "grant" } as const;
  const key = mappedBy(tail);
  if (tail !== "*" && mapping[key] === undefined)
    return [
      {
        ...base,
        says: `${tail} is granted, and the mapping makes no ${key}`,
        fix: [`map it: mapping: { ${key}: .. }`],
      },
    ];
  const made = madeOf(key, mapping, identity);
  const wanted = tail.slice(tail.indexOf("/") + 1);
  if (tail !== "*" && made !== undefined && !made.includes(wanted)) {
    const says = `${tail} is granted, and the mapping makes this workload's ${key} ${made.join(", ")}`;
    return [{ ...base, says, fix: ["grant what the mapping makes", "or map what is granted: mapping: { .. }"] }];
  }
  const varies = identity.proof === "aws4_request" && !("arn" in identity.who) && target.grant === "subject";
  if (!varies) return [];
  const says = "grant: subject names one session, and every session of a role has a subject of its own";
  return [{ ...base, says, fix: ["leave grant out: then the role is granted, by its attribute"] }];
}

/**
 * What a mapping makes of the declared workload, each of its subjects; undefined where that hangs on what the file does
 * not say: another claim, or the session of a role, whose name is its caller's choice (google.md, traps 19 and 21).
 */
function madeOf(key: string, mapping: Readonly<Record<string, string>>, identity: Identity) {
  const texts = samplesOf(identity).map((assertion) => {
    const outcome = evaluate(mapping[key] ?? "", { assertion });
    return outcome.state === "value" && typeof outcome.value === "string" ? outcome.value : undefined;
  });
  const known = texts.filter((text) => text !== undefined);
  const varies = identity.proof === "aws4_request" && new Set(known).size > 1;
  return known.length < texts.length || known.length === 0 || varies ? undefined : [...new Set(known)];
}

/** Of a role two sessions, so that what hangs on them is seen to. */
function samplesOf(identity: Identity): readonly Readonly<Record<string, unknown>>[] {
  if (identity.proof === "oidc") return declared(identity);
  const { example, who } = identity;
  const other = { ...example, arn: `${example.arn}-2`, userid: `${example.userid}-2` };
  return "role" in who ? [{ ...example }, other] : "arn" in who ? [{ ...example }] : [];
}

const privileges = (link: Link): readonly Said[] =>
  link.may.flatMap((permission, at) => {
    const { role, resources } = permission as { readonly role: string; readonly resources: readonly string[] };
    return resources
      .flatMap((resource) => judgeGrant(role, resource))
      .map((remark): Said => ({ ...remark, field: `may.${at}` }));
  });

/** A custom role of a project can be granted in that project alone. */
const foreignRoles = (link: Link): readonly Said[] =>
  link.may.flatMap((permission, at) => {
    const { role, resources } = permission as { readonly role: string; readonly resources: readonly string[] };
    const home = /^projects\/([^/]+)\//.exec(role)?.[1];
    const projects = resources.map((one) => /^\/\/cloudresourcemanager\.[^/]+\/projects\/(.+)$/.exec(one)?.[1]);
    const other = projects.find((project) => project !== undefined && home !== undefined && project !== home);
    if (other === undefined) return [];
    const says = `${role} is a role of the project ${home}, and google grants it in no other: not in ${other}`;
    const fix = [`name a role of ${other}, a predefined one, or one of the organization`];
    return [{ code: "FIELDS-CONTRADICT", severity: "error", field: `may.${at}`, says, fix }];
  });
