import { type Attributes, attributesOf, isUnmapped } from "../../../judge/google/attributes.ts";
import { mappedBy } from "../../../judge/google/principals.ts";
import { judgeGrant } from "../../../judge/google/privilege.ts";
import { varyingParts } from "../../../judge/issuers/patterns.ts";
import { issuerOf } from "../../../judge/issuers/table.ts";
import type { Address, Decision, Identity, Json, Known, Link, Ref, Resource, Spec } from "../../../model.ts";
import { serviceAccountAddress } from "../claims.ts";
import { sinkOf, type Target, targetOf } from "../shape.ts";
import { mappingOf, poolName, poolProviderAddress } from "./spec.ts";

/** One member of one role on one resource. */
export interface BindingSpec extends Spec {
  /** Whose credentials write it. */
  readonly project: string;
  /** `serviceAccounts/E-MAIL`, `projects/P` or `buckets/B`. */
  readonly on: string;
  readonly role: string;
  /** The pool's full name for identities of a pool; empty where `member` is whole. */
  readonly pool: Known<string> & Json;
  /** The end of a pool's member (trust/principals.ts), else `serviceAccount:E-MAIL`. */
  readonly member: string;
}

/** Another identity of a pool that holds a role on the same resource. */
export interface HeldBy extends Spec {
  readonly member: string;
  readonly role: string;
}

/** The address says of which kind a spec is. */
export const isBinding = (resource: Resource): resource is Resource<BindingSpec> =>
  /^google:binding(?:OnUsed)?\//.test(resource.address);

/** Covers getAccessToken and getOpenIdToken (google.md 6.2). */
export const impersonator = "roles/iam.workloadIdentityUser";

/** What a link's workload gets: to speak as its account, or what `may` says; and what its account gets. */
export function bindingResources(link: Link, identity: Identity): readonly Resource[] {
  const target = targetOf(link);
  const sink = sinkOf(link);
  const poolProvider = poolProviderAddress(target);
  const member = { pool: poolName(target), name: target.pool, decisions: broadSubjects(link, identity) };
  const tails = tailsOf(target, identity);
  if (!sink) {
    return tails.flatMap((tail) => grantsOf({ link, needs: [poolProvider], member: tail, ...member }));
  }
  const account = serviceAccountAddress(sink);
  const speaking = tails.map((tail) =>
    binding({
      link,
      needs: [poolProvider, account],
      project: sink.project,
      on: `serviceAccounts/${sink.email}`,
      role: impersonator,
      member: tail,
      ...member,
      used: sink.hold === "use",
    }),
  );
  const holder = { member: `serviceAccount:${sink.email}`, pool: "" as const, name: "", decisions: [] };
  return [...speaking, ...grantsOf({ link, needs: [account], ...holder })];
}

/** What `may` says, granted to one member. */
function grantsOf({ decisions, ...member }: Omit<Wanted, "project" | "on" | "role">): readonly Resource[] {
  const { link } = member;
  const grants = link.may as unknown as readonly { readonly role: string; readonly resources: readonly string[] }[];
  return grants.flatMap(({ role, resources }) =>
    resources.map((resource) => {
      const on = shortName(resource);
      const project = projectOf(on, targetOf(link));
      const asked = [...decisions, ...privilegeDecisions(link, role, resource)];
      return binding({ ...member, decisions: asked, project, on, role });
    }),
  );
}

/** A whole pool, or a mapping that says the same of everybody. */
export interface Breadth {
  /** Below `to.google`. */
  readonly field: "grant" | "mapping";
  readonly of: string;
  readonly says: string;
}

/** How a target grants to more than the link's workload, whoever the workload is. */
export function breadthOf(target: Target, identity: Identity): readonly Breadth[] {
  if (target.grant === "pool") {
    const says = `whoever the pool ${target.pool} lets in, through any of its pool providers, gets what this link gets`;
    return [{ field: "grant", of: `${target.project}/${target.pool}/*`, says }];
  }
  const mapping = mappingOf(target, identity);
  const keys = new Set(tailsOf(target, identity).map(mappedBy));
  return [...keys].flatMap((key): readonly Breadth[] => {
    const text = mapping[key];
    if (text === undefined || /\bassertion\b/.test(text)) return [];
    const says = `the mapping makes the same ${key} of everybody, and that is what is granted to: whoever gets a token has it`;
    return [{ field: "mapping", of: `${key}: ${text}`, says }];
  });
}

/** What has to be agreed to before the link's workload gets its grants: breadth of the grant, and patterns of subjects. */
function broadSubjects(link: Link, identity: Identity): readonly Decision[] {
  const { like = [], issuer = "" } = identity.proof === "oidc" ? identity : {};
  const entry = issuerOf(typeof issuer === "string" ? issuer : "");
  const patterns = like.filter((pattern) => varyingParts(entry, pattern) === undefined);
  const matched = patterns.map((of) => ({ of, says: `every subject that matches ${of} would get in` }));
  return [...breadthOf(targetOf(link), identity), ...matched].map(({ of, says }) => ({
    code: "BROAD-SUBJECT",
    of,
    says,
    link: link.name,
  }));
}

/** What has to be agreed to before one role is granted on one resource. */
const privilegeDecisions = (link: Link, role: string, resource: string): readonly Decision[] =>
  judgeGrant(role, resource)
    .filter(({ severity }) => severity === "security")
    .map(({ code, of = "", says }) => ({ code, of, says, link: link.name }));

interface Wanted {
  readonly link: Link;
  readonly needs: readonly Address[];
  readonly decisions: readonly Decision[];
  readonly project: string;
  readonly on: string;
  readonly role: string;
  readonly member: string;
  readonly pool: Ref | "";
  /** The pool's id, for people. */
  readonly name: string;
  readonly used?: boolean;
}

function binding({ link, needs, decisions, used, name, project, on, role, member, pool }: Wanted): Resource {
  const spec = { project, on, role, member, pool };
  const plain = bindingAddress(spec, name);
  const address = used ? onUsed(plain) : plain;
  return { address, links: [link.name], hold: "own", spec: spec as unknown as Spec, needs, decisions };
}

/** The same on an account that is only used: a kind of its own, because making it takes a word by name. */
export const onUsed = (binding: Address): Address =>
  binding.replace("google:binding", "google:bindingOnUsed") as Address;

/** What makes one member of one policy, in the order in which people ask: where, what, who. `pool` is its bare id. */
export function bindingAddress(spec: Pick<BindingSpec, "project" | "on" | "role" | "member">, pool: string): Address {
  const who = pool ? `${pool}/${spec.member}` : spec.member.replace("serviceAccount:", "");
  const what = spec.role.replace(/^roles\//, "");
  return `google:binding/${spec.project}/${spec.on.replace(/^\w+\//, "")}/${what}/${who}`;
}

/** `//storage.googleapis.com/projects/_/buckets/B` -> `buckets/B`; projects alike. */
const shortName = (resource: string): string => resource.split("/").slice(-2).join("/");

/** A bucket's name does not tell its project; whoever writes its policy is the operator of the pool's. */
const projectOf = (on: string, { project }: Target): string =>
  on.startsWith("projects/") ? on.slice("projects/".length) : project;

/**
 * Whom of the pool a link means. By default as narrowly as its workload is named: a role by the attribute that holds
 * it, since a session's name is its caller's choice (google.md, trap 21), anything else by its subject.
 */
export function tailsOf(target: Target, identity: Identity): readonly string[] {
  const { grant } = target;
  if (grant === "pool") return ["*"];
  if (typeof grant === "object") {
    if ("group" in grant) return [`group/${grant.group}`];
    return Object.entries(grant.attribute).map(([name, value]) => `attribute.${name}/${value}`);
  }
  if (identity.proof === "oidc") return subjectsOf(target, identity);
  const { who, example } = identity;
  if ("arn" in who || grant === "subject") {
    return [`subject/${sampleOf(target, identity)?.subject ?? example.arn}`];
  }
  const name = "instance" in who ? "aws_ec2_instance" : "aws_role";
  const plain = "instance" in who ? who.instance : who.role;
  const value = target.mapping ? sampleOf(target, identity)?.custom[name] : plain;
  return [`attribute.${name}/${value ?? plain}`];
}

/** Each subject by what the mapping makes of it. */
function subjectsOf(target: Target, identity: Identity & { proof: "oidc" }): readonly string[] {
  const { aud: _, ...claims } = identity.claims;
  const subs = [claims.sub ?? []].flat().filter((sub) => typeof sub === "string");
  return subs.map((sub) => {
    const mapped = mappingOf(target, identity)["google.subject"] === "assertion.sub";
    const subject = mapped ? sub : attributeFor({ ...claims, sub }, target, identity)?.subject;
    return `subject/${subject ?? sub}`;
  });
}

/** What the mapping makes of one identity; undefined where it makes nothing of it. */
export function attributeFor(
  claims: Readonly<Record<string, unknown>>,
  target: Target,
  identity: Identity,
): Attributes | undefined {
  const mapped = attributesOf(claims, mappingOf(target, identity));
  return isUnmapped(mapped) ? undefined : mapped;
}

const sampleOf = (target: Target, identity: Identity & { proof: "aws4_request" }): Attributes | undefined =>
  attributeFor({ ...identity.example }, target, identity);
