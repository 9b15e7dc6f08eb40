import type { Finding, Identity, Link } from "../../model.ts";
import { tailsOf } from "./federation/binding-spec.ts";
import { sinkOf, targetOf } from "./shape.ts";

type IdentityOf = (link: Link) => Identity;

/** Rules over all links that end at Google: what only several of them together say. */
export function lintShared(links: readonly Link[], identityOf: IdentityOf): readonly Finding[] {
  const here = links.filter(({ to }) => to.party === "google");
  return [...lintAccounts(here), ...lintPrincipals(here, identityOf)];
}

/** One account for several workloads: each of them has what any of them was given, and logs tell them apart by little. */
function lintAccounts(links: readonly Link[]): readonly Finding[] {
  const spoken = links.filter(({ to }) => to.spec.serviceAccount !== undefined);
  return [...Map.groupBy(spoken, (link) => sinkOf(link)?.email ?? "")].flatMap(([email, sharing]) => {
    const whose = new Set(sharing.map(({ from }) => JSON.stringify(from)));
    const [, second] = sharing;
    if (whose.size < 2 || !second) return [];
    const names = sharing.map(({ name }) => name);
    return [
      {
        ...({ code: "GOOGLE-SHARED-ACCOUNT", severity: "warning", because: [], links: names } as const),
        at: { place: second.at("to.google.serviceAccount") },
        of: email,
        says: `${names.join(", ")} all speak as ${email}: each workload has what any of them was given`,
        fix: ["a service account for each, or direct access without one"],
      },
    ];
  });
}

/** A member names a pool and no pool provider: the same subject of two issuers is one principal (google.md 6.3). */
function lintPrincipals(links: readonly Link[], identityOf: IdentityOf): readonly Finding[] {
  const first = new Map<string, Link>();
  return links.flatMap((link) => {
    const { project, pool } = targetOf(link);
    const identity = identityOf(link);
    return tailsOf(targetOf(link), identity).flatMap((tail) => {
      const key = `${project}/${pool}/${tail}`;
      const other = first.get(key) ?? link;
      first.set(key, other);
      const [here, there] = [sourceOf(identity), sourceOf(identityOf(other))];
      if (tail === "*" || here === there) return [];
      const says = `${tail} of the pool ${pool} is somebody of ${there} and somebody of ${here}: each of them has what ${other.name} and ${link.name} give`;
      const fix = [
        "a pool for each of them",
        "or a mapping that tells them apart: google.subject: \"'a:' + assertion.sub\"",
      ];
      const about = { code: "GOOGLE-SHARED-PRINCIPAL", severity: "security", because: [], says, fix } as const;
      return [{ ...about, at: { place: link.at("to.google.pool") }, links: [other.name, link.name] }];
    });
  });
}

/** An AWS account or an issuer: who vouches for the name. */
const sourceOf = (identity: Identity): string =>
  identity.proof === "aws4_request"
    ? `the aws account ${identity.account}`
    : typeof identity.issuer === "string"
      ? identity.issuer
      : JSON.stringify(identity.issuer);
