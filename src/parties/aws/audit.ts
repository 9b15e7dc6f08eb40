import { z } from "zod";
import { parsePolicy } from "../../judge/aws/policy.ts";
import { type Audit, type AuditAsk, type Finding, finding, type Resource, type World } from "../../model.ts";
import { CloudError, inParallel } from "../../run/retry.ts";
import type { Account } from "./client.ts";
import { allPages, paged, send } from "./iam-call.ts";
import { getPolicy } from "./managed-policy/calls.ts";
import { type OtherRole, seenBeside } from "./role/bulk.ts";
import { type RoleSpec, roleAddress, trustOf } from "./role/spec.ts";
import { controlPath, roleOf } from "./shape.ts";
import { grantsOf } from "./trust/lint-grants.ts";
import { opennessOf } from "./trust/lint-subject.ts";

/** An account of the file, and the roles that it names there. */
interface Place {
  readonly account: Account;
  readonly roles: readonly Resource<RoleSpec>[];
  readonly looked: readonly Resource<RoleSpec>[];
}

/**
 * What can be had in an account beside the links: other roles that take the same tokens from everybody, and managed
 * policies whose content somebody else decides. It is about the account: no link's verdict depends on it.
 */
export async function audit(ask: AuditAsk, world: World): Promise<Audit> {
  const found = await inParallel(placesIn(ask), 2, async (place): Promise<readonly Audit[]> => {
    const beside = wholeAccount(ask, place) ? await guarded(place, listing, () => rolesBeside(place, world)) : nothing;
    return [beside, await policyVersions(place, world)];
  });
  const all = found.flat();
  return {
    findings: all.flatMap(({ findings }) => findings),
    inventory: all.flatMap(({ inventory }) => inventory),
    unwatched: all.flatMap(({ unwatched }) => unwatched),
    failed: all.flatMap(({ failed }) => failed),
  };
}

/** The address says of which kind a spec is. */
const isRole = (resource: Resource): resource is Resource<RoleSpec> => resource.address.startsWith("aws:role/");

const nothing: Audit = { findings: [], inventory: [], unwatched: [], failed: [] };

function placesIn({ desired, resources }: AuditAsk): readonly Place[] {
  const rolesOf = (some: readonly Resource[]) => some.filter(isRole);
  const looked = Map.groupBy(rolesOf(resources), ({ spec }) => spec.account);
  return [...looked].flatMap(([id, here]) => {
    const access = here[0]?.access;
    const account = { account: id, ...(access ? { access } : {}) };
    return [{ account, looked: here, roles: rolesOf(desired).filter(({ spec }) => spec.account === id) }];
  });
}

/** A check of some links looks at a whole account where the first of its links is among them: shares of a divided run do so once. */
function wholeAccount({ links, only }: AuditAsk, { account }: Place): boolean {
  const first = links.find((link) => link.to.party === "aws" && roleOf(link).account === account.account);
  return only.length === 0 || (first !== undefined && only.includes(first.name));
}

const listing = { what: "other roles of the account", action: "iam:ListRoles" } as const;
interface Need {
  readonly what: string;
  readonly action: string;
}

/** What may not be read is not watched; what failed for the moment is told, and no link depends on it. */
async function guarded(place: Place, { what, action }: Need, work: () => Promise<Audit>): Promise<Audit> {
  const { account } = place.account;
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CloudError) || error.class === "interrupted") throw error;
    if (["denied", "unauthenticated", "credentials"].includes(error.class)) {
      const fix = `allow ${action} in ${account}; crosstrust onboard --control does so for the checker`;
      return { ...nothing, unwatched: [{ what: `${what} ${account}`, fix }] };
    }
    return { ...nothing, failed: [{ address: `aws:account/${account}`, links: [], error }] };
  }
}

const listed = z.object({ RoleName: z.string(), Path: z.string(), AssumeRolePolicyDocument: z.string() });

/** A few pages for an account, however many links end there; none where the bulk read has been through it. */
async function rolesBeside({ account, roles, looked }: Place, world: World): Promise<Audit> {
  const named = new Set(roles.map(({ spec }) => spec.name.toLowerCase()));
  const issuers = new Set(roles.flatMap(({ spec }) => grantsOf(trustOf(spec)).map(({ prefix }) => prefix)));
  if (issuers.size === 0) return nothing;
  const all = seenBeside(looked) ?? (await listRoles(world, account));
  const others = all.filter(({ RoleName, Path }) => !named.has(RoleName.toLowerCase()) && Path !== controlPath);
  const findings = others.flatMap((role) => besideFindings(role, account.account, issuers));
  return { ...nothing, findings };
}

async function listRoles(world: World, account: Account): Promise<readonly OtherRole[]> {
  const pages = await allPages((Marker) =>
    send(world, account, {
      operation: "ListRoles",
      effect: "read",
      answer: z.object({ Roles: z.array(listed).default([]), ...paged }),
      input: { MaxItems: 300, ...(Marker ? { Marker } : {}) },
    }),
  );
  return pages.flatMap(({ Roles }) => Roles);
}

function besideFindings(
  { RoleName, AssumeRolePolicyDocument }: OtherRole,
  account: string,
  issuers: ReadonlySet<string>,
): readonly Finding[] {
  // What is no policy is nothing that this run could be wrong about: no link ends there.
  const trust = parsePolicy(decodeURIComponent(AssumeRolePolicyDocument));
  const grants = trust ? grantsOf(trust).filter(({ prefix }) => issuers.has(prefix)) : [];
  const open = grants.map(opennessOf).filter((one) => one !== undefined);
  return open.slice(0, 1).map(({ who, shared }) =>
    finding("AWS-ROLE-BESIDE", {
      severity: shared ? "security" : "warning",
      at: { address: roleAddress({ account, name: RoleName }) },
      links: [],
      of: `role ${RoleName} of ${account}`,
      says: `the role ${RoleName} of ${account}, which no link names, lets ${who} in: its trust names no subject`,
      fix: [`aws iam get-role --role-name ${RoleName} --query Role.AssumeRolePolicyDocument`],
    }),
  );
}

const ofCustomer = /^arn:aws[a-z-]*:iam::(\d{12}):policy\/(?:.*\/)?([^/]+)$/;

/** Policies of the account's own that `may` names, each once. */
async function policyVersions(place: Place, world: World): Promise<Audit> {
  const holders = place.looked.flatMap((role) => role.spec.managed.map((arn) => ({ arn, role })));
  const arns = Map.groupBy(
    holders.filter(({ arn }) => ofCustomer.test(arn)),
    ({ arn }) => arn,
  );
  const need = { what: "the default versions of customer managed policies of", action: "iam:GetPolicy" } as const;
  const found = await inParallel([...arns], 4, ([arn, held]) =>
    guarded(place, need, async () => {
      const links = [...new Set(held.flatMap(({ role }) => role.links))];
      const { DefaultVersionId: version } = await getPolicy(world, { account: place.account, arn });
      const [, account = "", name = ""] = ofCustomer.exec(arn) ?? [];
      return {
        ...nothing,
        inventory: [
          finding("AWS-POLICY-VERSION", {
            severity: "hint",
            at: { address: `aws:managedPolicy/${account}/${name}` },
            links,
            of: `${arn} ${version}`,
            says: `may of ${links.slice(0, 3).join(", ")} names the customer managed policy ${arn}, whose default version is ${version}`,
            fix: [`aws iam get-policy-version --policy-arn ${arn} --version-id ${version}`],
          }),
        ],
      };
    }),
  );
  return {
    ...nothing,
    inventory: found.flatMap(({ inventory }) => inventory),
    unwatched: found.flatMap(({ unwatched }) => unwatched),
    failed: found.flatMap(({ failed }) => failed),
  };
}
