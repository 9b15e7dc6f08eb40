import { type Attributes, attributesOf, isUnmapped } from "../../../judge/google/attributes.ts";
import { mappedBy } from "../../../judge/google/principals.ts";
import type { Address, Identity, Json, Known, Link, Ref, Resource, Spec } from "../../../model.ts";
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

/** Covers getAccessToken and getOpenIdToken (google.md 6.2). */
export const impersonator = "roles/iam.workloadIdentityUser";

/** What a link's workload gets: to speak as its account, or what `may` says; and what its account gets. */
export function bindingResources(link: Link, identity: Identity): readonly Resource[] {
  const target = targetOf(link);
  const sink = sinkOf(link);
  const tails = tailsOf(target, identity);
  const pool = { pool: poolName(target), name: target.pool };
  const grants = link.may as unknown as readonly { readonly role: string; readonly resources: readonly string[] }[];
  const granted = grants.flatMap(({ role, resources }) => resources.map((name) => ({ role, on: shortName(name) })));
  const carrier = { link, needs: [poolProviderAddress(target)], broad: isBroad(target, identity) };
  if (!sink) {
    return granted.flatMap(({ role, on }) =>
      tails.map((member) => binding({ ...carrier, project: projectOf(on, target), on, role, member, ...pool })),
    );
  }
  const account = serviceAccountAddress(sink);
  const needs = [...carrier.needs, account];
  const on = `serviceAccounts/${sink.email}`;
  const used = sink.hold === "use";
  return [
    ...tails.map((member) =>
      binding({ ...carrier, needs, project: sink.project, on, role: impersonator, member, ...pool, used }),
    ),
    ...granted.map(({ role, on: where }) =>
      binding({
        ...{ link, needs: [account], broad: false, project: projectOf(where, target), on: where, role },
        ...{ member: `serviceAccount:${sink.email}`, pool: "", name: "" },
      }),
    ),
  ];
}

/** A whole pool, a pattern of subjects, or a mapping that says the same of everybody: each takes a word by name. */
export function isBroad(target: Target, identity: Identity): boolean {
  const mapping = mappingOf(target, identity);
  const constant = tailsOf(target, identity)
    .map((tail) => mapping[mappedBy(tail)])
    .some((text) => text !== undefined && !/\bassertion\b/.test(text));
  return target.grant === "pool" || constant || (identity.proof === "oidc" && (identity.like ?? []).length > 0);
}

interface Wanted {
  readonly link: Link;
  readonly needs: readonly Address[];
  readonly broad: boolean;
  readonly project: string;
  readonly on: string;
  readonly role: string;
  readonly member: string;
  readonly pool: Ref | "";
  /** The pool's id, for people. */
  readonly name: string;
  readonly used?: boolean;
}

function binding({ link, needs, broad, used, name, ...spec }: Wanted): Resource {
  const plain = bindingAddress(spec, name);
  const address = used ? onUsed(plain) : plain;
  const more = { needs, ...(broad ? { broad: [link.name] } : {}) };
  return { address, links: [link.name], hold: "own", spec: { ...spec } as unknown as Spec, ...more };
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
