import { z } from "zod";
import type { Link, Preflight, Resource, World } from "../../model.ts";
import { CloudError, inParallel } from "../../run/retry.ts";
import type { Account } from "./client.ts";
import { callerIdentity } from "./exchange.ts";
import { send } from "./iam-call.ts";
import { type OidcProviderSpec, oidcProviderArn } from "./oidc-provider/spec.ts";
import { quotaLine } from "./quota-line.ts";
import type { RoleSpec } from "./role/spec.ts";
import { roleOf } from "./shape.ts";

/** What making, changing and removing a role takes, each on the role itself. */
const onRole = [
  "CreateRole",
  "GetRole",
  "TagRole",
  "UntagRole",
  "UpdateRole",
  "UpdateAssumeRolePolicy",
  "DeleteRole",
  "AttachRolePolicy",
  "DetachRolePolicy",
  "PutRolePolicy",
  "DeleteRolePolicy",
  "GetRolePolicy",
  "ListRolePolicies",
  "ListAttachedRolePolicies",
].map((name) => `iam:${name}`);
const onBoundary = ["iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary"];
/** What an OIDC provider takes, each on itself; only where the file needs one. */
const onOidcProvider = [
  ...["Create", "Get", "Tag", "Untag", "Delete"].map((verb) => `iam:${verb}OpenIDConnectProvider`),
  "iam:AddClientIDToOpenIDConnectProvider",
  "iam:RemoveClientIDFromOpenIDConnectProvider",
  "iam:UpdateOpenIDConnectProviderThumbprint",
];
/** What can be allowed on `*` alone: finding what is left over (service authorization reference, IAM). */
const onAccount = ["iam:ListRoles", "iam:GetAccountAuthorizationDetails"];

/**
 * Account by account: whose credentials, the right account, and permitted. The identity comes first, because
 * the simulator is asked about its ARN. A `CloudError` becomes a line that stops; nothing is written.
 */
export async function preflight(resources: readonly Resource[], world: World): Promise<readonly Preflight[]> {
  const accounts = Map.groupBy(resources, ({ spec, access }) => `${spec.account} ${JSON.stringify(access)}`);
  const lines = await inParallel([...accounts.values()], 2, async (group) => {
    const { spec, access } = group[0] as Resource;
    const account: Account = { account: String(spec.account), ...(access ? { access } : {}) };
    try {
      const session = await world.credentials({ party: "aws", scope: account.account, ...(access ? { access } : {}) });
      const who = await callerIdentity(world, account, session);
      if (who.Account !== account.account) return [wrong(account.account, who.Account)];
      const seen: Preflight = { topic: "aws account", ok: true, says: `${account.account}, as ${who.Arn}`, fix: [] };
      const may = await permitted(world, account, { arn: who.Arn, questions: questionsOf(group) });
      return [seen, may, await quotaLine(world, account, group)];
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      return [{ topic: "aws account", ok: false, says: error.message, fix: error.fix ?? [], stops: true } as const];
    }
  });
  return lines.flat();
}

const wrong = (wanted: string, have: string): Preflight => ({
  topic: "aws account",
  ok: false,
  says: `the file names ${wanted}, and these credentials belong to ${have}`,
  fix: [`use credentials of ${wanted}, or name a profile in the file: to.aws.profile`],
  stops: true,
});

/** A decision is `allowed`, `explicitDeny` or `implicitDeny`; all but the first count as missing. */
const result = z.object({
  EvaluationResults: z.array(z.object({ EvalActionName: z.string(), EvalDecision: z.string() })),
});

/** Actions and the thing they are about; without one, `*` is meant (IAM API, SimulatePrincipalPolicy). */
interface Question {
  readonly actions: readonly string[];
  readonly on?: string;
}

/** One question for each path of roles, because least privilege is given by path, and one for the account. */
function questionsOf(resources: readonly Resource[]): readonly Question[] {
  const roles = new Map(
    resources.flatMap(({ spec, hold }) => {
      const { partition, account, path, name, boundary } = spec as unknown as RoleSpec;
      const actions = boundary === null ? onRole : [...onRole, ...onBoundary];
      const on = `arn:${partition}:iam::${account}:role${path}${name}`;
      return hold === "own" && path !== undefined ? [[`${path} ${actions.length}`, { actions, on }] as const] : [];
    }),
  );
  const issuers = resources.flatMap(({ address, spec }) => {
    if (!address.startsWith("aws:oidcProvider/")) return [];
    return [{ actions: onOidcProvider, on: oidcProviderArn(spec as unknown as OidcProviderSpec) }];
  });
  const lists = issuers.length > 0 ? [...onAccount, "iam:ListOpenIDConnectProviders"] : onAccount;
  return [...roles.values(), ...issuers.slice(0, 1), { actions: lists }];
}

/**
 * Asks the policy simulator, so that a missing permission shows before the first write instead of half way
 * through. That needs a permission of its own: root, and whatever the simulator cannot tell, is left open and
 * never a no.
 */
async function permitted(
  world: World,
  account: Account,
  { arn, questions }: { arn: string; questions: readonly Question[] },
): Promise<Preflight> {
  const topic = "aws permissions";
  const source = sourceOf(arn);
  if (!source) return { topic, ok: "unknown", says: `cannot be simulated for ${arn}`, fix: [] };
  try {
    const missing = await inParallel(questions, 4, (question) => simulate(world, account, { source, question }));
    const statements = missing.filter(({ Action }) => Action.length > 0);
    if (statements.length === 0) return { topic, ok: true, says: "may make and remove roles", fix: [] };
    const says = `missing ${[...new Set(statements.flatMap(({ Action }) => Action))].join(", ")}`;
    return { topic, ok: false, says, fix: [grantTo(source, statements)] };
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    return { topic, ok: "unknown", says: "cannot be simulated with these credentials; plan will tell", fix: [] };
  }
}

/** What of a question is not allowed, as the statement that would allow it, by path where it is about a role. */
async function simulate(
  world: World,
  account: Account,
  { source, question }: { source: string; question: Question },
): Promise<{ Action: readonly string[]; Resource: string }> {
  const { actions, on } = question;
  const call = { operation: "SimulatePrincipalPolicy", effect: "read" } as const;
  const about = on === undefined ? {} : { ResourceArns: [on] };
  const input = { PolicySourceArn: source, ActionNames: [...actions], ...about };
  const { EvaluationResults } = await send(world, account, { ...call, input, answer: result });
  const missing = EvaluationResults.filter(({ EvalDecision }) => EvalDecision !== "allowed");
  const Resource = on === undefined ? "*" : on.replace(/[^/]*$/, "*");
  return { Action: missing.map(({ EvalActionName }) => EvalActionName), Resource };
}

/** The command that gives a user or role what it lacks. */
function grantTo(source: string, statements: readonly { Action: readonly string[]; Resource: string }[]): string {
  const Statement = statements.map((statement) => ({ Effect: "Allow", ...statement }));
  const document = JSON.stringify({ Version: "2012-10-17", Statement });
  const whom = source.includes(":role/") ? "put-role-policy --role-name" : "put-user-policy --user-name";
  return `aws iam ${whom} ${source.split("/").at(-1)} --policy-name crosstrust-setup --policy-document '${document}'`;
}

/**
 * The user or role behind a caller's ARN, which is what the simulator takes. A session's ARN names its role
 * without the path (IAM user guide, "IAM identifiers"), so only roles without one are found; for the others
 * the simulator's refusal leaves the question open.
 */
function sourceOf(arn: string): string | undefined {
  const session = /^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn);
  if (session) return `arn:${session[1]}:iam::${session[2]}:role/${session[3]}`;
  return arn.includes(":user/") ? arn : undefined;
}

/** How programs get at the role: they run `crosstrust credentials`, and no key is stored (aws.md 11.1). */
export function nextSteps(link: Link): readonly string[] {
  const { name, region } = roleOf(link);
  return [
    `in ~/.aws/config       [profile ${name}]`,
    `                       credential_process = crosstrust credentials ${link.name}`,
    `                       region = ${region}`,
  ];
}
