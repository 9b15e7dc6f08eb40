import { partitionOf } from "../../../judge/issuers/partitions.ts";
import type { AwsCaller, AwsWho, Identity, Link, Resource } from "../../../model.ts";
import { outboundAddress, outboundResource } from "../outbound/kind.ts";
import { callerOf } from "../shape.ts";

/** What GetCallerIdentity would say of the workload, or the account's own JWT; only the switch for that is ever made. */
export function identify(link: Link): { readonly identity: Identity; readonly resources: readonly Resource[] } {
  const { account, proof } = callerOf(link);
  const who = whoOf(link);
  if (proof === "outbound-jwt") {
    const issuer = { $ref: outboundAddress(account), field: "issuer" };
    const claims = { sub: roleArn(link), aud: link.audience };
    return { identity: { proof: "oidc", issuer, claims }, resources: [outboundResource(link)] };
  }
  return { identity: { proof: "aws4_request", account, who, example: exampleOf(link, who) }, resources: [] };
}

/** The subject of such a JWT: the role and not its session; a role with a path has it there, too (aws.md 10). */
function roleArn(link: Link): string {
  const { account, region, role = "" } = callerOf(link);
  return `arn:${partitionOf(region)}:iam::${account}:role/${role}`;
}

/** The form of the file, which takes exactly one. */
export function whoOf(link: Link): AwsWho {
  const { role, instance, arn } = callerOf(link);
  if (arn !== undefined) return { arn };
  return instance === undefined ? { role: role ?? "" } : { instance };
}

/** EC2 names a role's session after the instance; any other caller chooses the name (google.md, trap 21). */
export function exampleOf(link: Link, who: AwsWho): AwsCaller {
  const { account, region } = callerOf(link);
  const [role, session] = "role" in who ? [who.role, "crosstrust"] : ["role", "instance" in who ? who.instance : ""];
  const assumed = `arn:${partitionOf(region)}:sts::${account}:assumed-role/${role}/${session}`;
  const arn = "arn" in who ? who.arn : assumed;
  return { account, arn, userid: `AROACROSSTRUST:${arn.split("/").at(-1)}` };
}

/** Whether an answer of GetCallerIdentity names the link's workload. */
export function isMeant({ account, arn }: Pick<AwsCaller, "account" | "arn">, link: Link): boolean {
  const who = whoOf(link);
  if (account !== callerOf(link).account) return false;
  if ("arn" in who) return arn === who.arn;
  return "instance" in who
    ? arn.endsWith(`/${who.instance}`)
    : arn.split(":assumed-role/")[1]?.split("/")[0] === who.role;
}

/** How people call it: `role ec2-my-role`, `instance i-0abc`, `user/alice`. */
export function callerTitle(link: Link): string {
  const who = whoOf(link);
  const { account } = callerOf(link);
  const name = "role" in who ? who.role : "instance" in who ? who.instance : who.arn.split(":").slice(5).join(":");
  return `${name}@${account}`;
}
