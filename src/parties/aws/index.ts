import type { Finding, Link, Party, RelyingParty, Resource, World } from "../../model.ts";
import { inParallel } from "../../run/retry.ts";
import { callerIdentity, exchange, whoami } from "./exchange.ts";
import { explain, judge } from "./explain.ts";
import { privileged } from "./permissions.ts";
import { roleKind } from "./role/kind.ts";
import { type RoleSpec, roleResource, trustOf } from "./role/spec.ts";
import { may, roleOf, to } from "./shape.ts";
import { strangersOf } from "./trust/strangers.ts";

const relying: RelyingParty = {
  trust: (link, identity) => [roleResource(link, identity)],
  judge,
  strangers: ({ live }, desired) =>
    live.state === "present" ? strangersOf(trustOf(live.spec as RoleSpec), trustOf(desired.spec as RoleSpec)) : [],
  exchange,
  whoami,
  explain,
};

export const aws: Party = { name: "aws", relying, kinds: [roleKind], title: (link) => `role ${roleOf(link).name}`, lint, reach };

/** The account of the file must be the account of the credentials, before anything is read or written there. */
async function reach(resources: readonly Resource[], world: World): Promise<readonly Finding[]> {
  const accounts = new Map(resources.map((resource) => [`${resource.spec["account"]} ${JSON.stringify(resource.access)}`, resource]));
  const found = await inParallel([...accounts.values()], 4, async ({ spec, access }): Promise<readonly Finding[]> => {
    const account = { account: String(spec["account"]), ...(access ? { access } : {}) };
    const session = await world.credentials({ party: "aws", scope: account.account, ...(access ? { access } : {}) });
    const who = await callerIdentity(world, account, session);
    if (who.Account === account.account) return [];
    const says = `the file names the aws account ${account.account}, and these credentials belong to ${who.Account} (${who.Arn})`;
    const fix = [`aws sts get-caller-identity   with the credentials of ${account.account}, or name a profile: to.aws.profile`];
    return [{ code: "AWS-WRONG-ACCOUNT", severity: "error", asks: "denied", at: {}, says, because: [], fix }];
  });
  return found.flat();
}

export const shape = { party: "aws", to, may };

function lint(link: Link): readonly Finding[] {
  const role = roleOf(link);
  const findings: Finding[] = [];
  const report = (code: string, path: string, says: string, fix: readonly string[], severity: Finding["severity"] = "error") =>
    findings.push({ code, severity, at: { place: link.at(path) }, links: [link.name], says, because: [], fix });
  if (role.hold === "use" && link.may.length > 0) {
    report("USED-KEEPS-ITS-OWN", "may", "a role named by its ARN is only used, so nothing can be granted to it", ["leave may out"]);
  }
  link.may.forEach((permission, at) => {
    const what = privileged(permission);
    if (!what) return;
    const says = `${what} makes whoever gets in an administrator`;
    report("AWS-PRIVILEGED", `may.${at}`, says, [`name the actions it needs; or set a boundary and say --allow-privileged ${link.name}`]);
  });
  return findings;
}
