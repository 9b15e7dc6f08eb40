import { z } from "zod";
import type { Link, Preflight, Resource, World } from "../../model.ts";
import { CloudError, inParallel } from "../../run/retry.ts";
import { type Account, iam } from "./client.ts";
import { callerIdentity } from "./exchange.ts";
import { roleOf } from "./shape.ts";

/** What making, changing and removing a role takes. */
const actions = [
  ...["CreateRole", "GetRole", "ListRoles", "TagRole", "UpdateRole", "UpdateAssumeRolePolicy", "DeleteRole"],
  ...["AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "GetRolePolicy"],
  ...["ListRolePolicies", "ListAttachedRolePolicies"],
].map((name) => `iam:${name}`);

/** Account by account: whose credentials, the right account, and permitted. */
export async function preflight(resources: readonly Resource[], world: World): Promise<readonly Preflight[]> {
  const accounts = new Map(
    resources.map(({ spec, access }) => [`${spec.account} ${JSON.stringify(access)}`, { spec, access }]),
  );
  const lines = await inParallel([...accounts.values()], 2, async ({ spec, access }) => {
    const account: Account = { account: String(spec.account), ...(access ? { access } : {}) };
    try {
      const session = await world.credentials({ party: "aws", scope: account.account, ...(access ? { access } : {}) });
      const who = await callerIdentity(world, account, session);
      if (who.Account !== account.account) return [wrong(account.account, who.Account)];
      const seen: Preflight = { topic: "aws account", ok: true, says: `${account.account}, as ${who.Arn}`, fix: [] };
      return [seen, await permitted(world, account, who.Arn)];
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

const result = z.object({
  EvaluationResults: z.array(z.object({ EvalActionName: z.string(), EvalDecision: z.string() })),
});

/** The policy simulator, for users and roles; root and what it cannot tell are left open. */
async function permitted(world: World, account: Account, arn: string): Promise<Preflight> {
  const topic = "aws permissions";
  const source = sourceOf(arn);
  if (!source) return { topic, ok: "unknown", says: `cannot be simulated for ${arn}`, fix: [] };
  try {
    const ask = {
      service: "aws.iam",
      operation: "SimulatePrincipalPolicy",
      effect: "read",
      account,
      answer: result,
    } as const;
    const { EvaluationResults } = await iam(world, ask, async (client) => {
      const { SimulatePrincipalPolicyCommand } = await import("@aws-sdk/client-iam");
      return client.send(new SimulatePrincipalPolicyCommand({ PolicySourceArn: source, ActionNames: actions }));
    });
    const missing = EvaluationResults.filter(({ EvalDecision }) => EvalDecision !== "allowed").map(
      ({ EvalActionName }) => EvalActionName,
    );
    if (missing.length === 0) return { topic, ok: true, says: "may make and remove roles", fix: [] };
    const document = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: missing, Resource: "*" }],
    });
    const whom = source.includes(":role/") ? "put-role-policy --role-name" : "put-user-policy --user-name";
    const fix = [
      `aws iam ${whom} ${source.split("/").at(-1)} --policy-name crosstrust-setup --policy-document '${document}'`,
    ];
    return { topic, ok: false, says: `missing ${missing.join(", ")}`, fix };
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    return { topic, ok: "unknown", says: "cannot be simulated with these credentials; plan will tell", fix: [] };
  }
}

/** A session's role; its path is not in the session's ARN, so only roles without one are found (aws.md 6.5). */
function sourceOf(arn: string): string | undefined {
  const session = /^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn);
  if (session) return `arn:${session[1]}:iam::${session[2]}:role/${session[3]}`;
  return arn.includes(":user/") ? arn : undefined;
}

/** How a program on the workload gets at the role. */
export function nextSteps(link: Link): readonly string[] {
  const { name, region } = roleOf(link);
  return [
    `in ~/.aws/config       [profile ${name}]`,
    `                       credential_process = crosstrust credentials ${link.name}`,
    `                       region = ${region}`,
  ];
}
