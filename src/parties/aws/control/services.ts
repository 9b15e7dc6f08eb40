import { type Policy, parsePolicy, type Statement } from "../../../judge/aws/policy.ts";
import type { Resource, World } from "../../../model.ts";
import { CloudError, inParallel } from "../../../run/retry.ts";
import type { Account } from "../client.ts";
import { getDocument, getPolicy } from "../managed-policy/calls.ts";
import type { RoleSpec } from "../role/spec.ts";

/**
 * What the managed policies of a file allow, by `ACCOUNT ARN`: the document of the default version as AWS gives it.
 * Undefined for one that is not there or may not be read.
 */
export type Documents = ReadonlyMap<string, string | undefined>;

/** The service prefixes that roles need, or why it is not known that they need no others. */
export type Services =
  | { readonly known: readonly string[] }
  | { readonly openedBy: readonly { readonly links: readonly string[]; readonly why: string }[] };

const keyOf = (account: string, arn: string): string => `${account} ${arn}`;

/** The address says of which kind a spec is. */
const isOwnRole = (resource: Resource): resource is Resource<RoleSpec> =>
  resource.address.startsWith("aws:role/") && resource.hold === "own";

/** Reads the managed policies that the roles of a file get, each once an account. Throws what is no refusal. */
export async function documentsOf(resources: readonly Resource[], world: World): Promise<Documents> {
  const wanted = new Map<string, { readonly account: Account; readonly arn: string }>();
  for (const { spec, access } of resources.filter(isOwnRole))
    for (const arn of spec.managed)
      wanted.set(keyOf(spec.account, arn), { account: { account: spec.account, ...(access ? { access } : {}) }, arn });
  const read = await inParallel([...wanted], 4, async ([key, target]) => {
    const document = await getPolicy(world, target)
      .then(({ DefaultVersionId }) => getDocument(world, target, DefaultVersionId))
      .catch(unreadable);
    return [key, document] as const;
  });
  return new Map(read);
}

function unreadable(error: unknown): undefined {
  if (error instanceof CloudError && (error.class === "denied" || error.class === "missing")) return undefined;
  throw error;
}

/** The services that these roles need, by what their policies allow. */
export function servicesOf(roles: readonly Resource<RoleSpec>[], documents: Documents): Services {
  const all = roles.flatMap((role) => neededBy(role, documents));
  const openedBy = all.flatMap((one) => ("why" in one ? [one] : []));
  if (openedBy.length > 0) return { openedBy };
  return { known: [...new Set(all.flatMap((one) => ("services" in one ? one.services : [])))].sort() };
}

type Need = { readonly services: readonly string[] } | { readonly links: readonly string[]; readonly why: string };

function neededBy({ spec, links }: Resource<RoleSpec>, documents: Documents): readonly Need[] {
  // A spec is plain JSON; an inline policy of it is always a canonical one, built from the file.
  const inline = Object.values(spec.inline).map((one) => allowedBy(one as unknown as Policy, "allow", links));
  const managed = spec.managed.map((arn) => {
    const text = documents.get(keyOf(spec.account, arn));
    const policy = text === undefined ? undefined : parsePolicy(text);
    const name = arn.split("/").at(-1) ?? arn;
    return policy ? allowedBy(policy, name, links) : { links, why: `${name} could not be read` };
  });
  return [...inline, ...managed];
}

function allowedBy({ statements }: Policy, name: string, links: readonly string[]): Need {
  const allows = statements.filter(({ effect }) => effect === "Allow");
  const odd = allows.find((statement) => statement.notAction || actionsOf(statement).some(isOpen));
  if (odd)
    return { links, why: `${name} allows ${odd.notAction ? "all but some actions" : "actions of every service"}` };
  return { services: allows.flatMap(actionsOf).map((action) => action.slice(0, action.indexOf(":")).toLowerCase()) };
}

const actionsOf = ({ action = [] }: Statement): readonly string[] => action;

/** A wildcard in the name of the service, or in place of all. */
const isOpen = (action: string): boolean => !/^[\w-]+:/.test(action);
