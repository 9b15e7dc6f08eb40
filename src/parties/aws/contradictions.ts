import { like } from "../../judge/aws/conditions.ts";
import { partitionOf } from "../../judge/issuers/partitions.ts";
import type { Finding, Link } from "../../model.ts";
import { finding } from "../../model.ts";
import { resourcesOf } from "./permissions.ts";
import { type CallerSide, callerOf, roleOf, type TargetSide, targetSideOf } from "./shape.ts";

/** What an ARN says of itself. `name` is what follows the first slash: a path and a name, or a role and its session. */
interface Arn {
  readonly partition: string;
  readonly account: string;
  readonly name: string;
}

/** Undefined where there is no ARN: a plain name contradicts nothing. */
function arnOf(text: string | undefined): Arn | undefined {
  const [, partition, account, name] = /^arn:([^:]+):[^:]*:[^:]*:([^:]*):[^/]+\/(.+)$/.exec(text ?? "") ?? [];
  return partition === undefined || account === undefined || name === undefined
    ? undefined
    : { partition, account, name };
}

const contradiction = (link: Link, field: string, said: Pick<Finding, "says" | "fix">): Finding =>
  finding("FIELDS-CONTRADICT", { at: { place: link.at(field) }, links: [link.name], ...said });

/** A side of a link, as the checks below see it. */
interface Side {
  readonly link: Link;
  readonly side: "from.aws" | "to.aws";
  readonly account: string;
  readonly region: string;
}

/** An ARN below `field` has to be of the side's own account and of the partition of its region. */
function misplaced(on: Side, field: string, text: string | undefined): readonly Finding[] {
  const arn = arnOf(text);
  if (text === undefined || !arn) return [];
  // Policies that AWS itself manages are of no account.
  const elsewhere = arn.account !== on.account && arn.account !== "aws";
  const otherAccount = contradiction(on.link, field, {
    says: `${text} is of the account ${arn.account}, and ${on.side}.account is ${on.account}`,
    fix: [`name the account ${arn.account}; or an ARN of ${on.account}`],
  });
  const across = arn.partition !== partitionOf(on.region);
  return [...(elsewhere ? [otherAccount] : []), ...(across ? [otherPartition(on, field, text)] : [])];
}

/** AWS writes no policy that names another partition, and says so only once half of a link is made. */
function otherPartition({ link, side, region }: Side, field: string, text: string): Finding {
  const [there, here] = [text.split(":")[1] ?? "", partitionOf(region)];
  return contradiction(link, field, {
    says: `${text} is of the partition ${there}, and ${side}.region ${region} is of ${here}`,
    fix: [`${side}.region: a region of ${there}; or an ARN of ${here}`],
  });
}

/** Resources may be of other accounts, and their ARNs may have wildcards, in the partition too. */
function resourcesElsewhere(on: Side): readonly Finding[] {
  const partition = partitionOf(on.region);
  return on.link.may.flatMap((one, at) =>
    resourcesOf(one).flatMap((arn, index) => {
      const there = /^arn:([^:]+):/.exec(arn)?.[1];
      if (there === undefined || like(there, partition)) return [];
      return [otherPartition(on, `may.${at}.resources.${index}`, arn)];
    }),
  );
}

/** Fields of `to.aws` and `may` that say different things of one role. */
export function roleContradictions(link: Link): readonly Finding[] {
  const spec = targetSideOf(link);
  const side: Side = { link, side: "to.aws", account: spec.account, region: spec.region };
  return [
    ...misplaced(side, "to.aws.role", spec.role),
    ...misplaced(side, "to.aws.boundary", spec.boundary),
    ...misplaced(side, "to.aws.assumeRole", spec.assumeRole),
    ...link.may.flatMap((one, at) => (typeof one === "string" ? misplaced(side, `may.${at}`, one) : [])),
    ...resourcesElsewhere(side),
    ...usedRole(link, spec),
  ];
}

/** Of a role that is only used the ARN says where it is, and its owner what it is like. */
function usedRole(link: Link, { path, boundary }: TargetSide): readonly Finding[] {
  const role = roleOf(link);
  if (role.hold !== "use") return [];
  const moved = contradiction(link, "to.aws.path", {
    says: `the role's ARN says the path ${role.path}, and to.aws.path says ${path}`,
    fix: ["leave path out: the ARN says it"],
  });
  const bound = contradiction(link, "to.aws.boundary", {
    says: "a role named by its ARN is only used, so crosstrust never sets its boundary",
    fix: ["leave boundary out; or give a plain name in role to have it made"],
  });
  return [...(path === undefined || path === role.path ? [] : [moved]), ...(boundary === undefined ? [] : [bound])];
}

/** Fields of `from.aws` that say different things of one workload. */
export function callerContradictions(link: Link): readonly Finding[] {
  const spec = callerOf(link);
  const side: Side = { link, side: "from.aws", account: spec.account, region: spec.region };
  // That `arn` is of another account has a code of its own.
  const ofArn = arnOf(spec.arn)?.account === spec.account ? misplaced(side, "from.aws.arn", spec.arn) : [];
  return [
    ...ofArn,
    ...misplaced(side, "from.aws.assumeRole", spec.assumeRole),
    ...spokenFor(link, spec),
    ...unheard(link),
  ];
}

/** `assumeRole` is how crosstrust becomes the workload, so it has to be the workload's own role. */
function spokenFor(link: Link, { role, arn, assumeRole }: CallerSide): readonly Finding[] {
  const assumed = arnOf(assumeRole)?.name.split("/").at(-1);
  const named = role ?? /:assumed-role\/([^/]+)\//.exec(arn ?? "")?.[1];
  if (assumed === undefined || named === undefined || assumed === named) return [];
  return [
    contradiction(link, "from.aws.assumeRole", {
      says: `assumeRole makes crosstrust the role ${assumed}, and the workload of the link is the role ${named}`,
      fix: [`assumeRole: the ARN of ${named}; or profile, for credentials that may assume it`],
    }),
  ];
}

/** A JWT of AWS is asked for the link's audience, so the relying party has to take that one. */
function unheard(link: Link): readonly Finding[] {
  const { audiences } = link.to.spec;
  if (callerOf(link).proof !== "outbound-jwt" || !Array.isArray(audiences) || audiences.includes(link.audience))
    return [];
  const field = `to.${link.to.party}.audiences`;
  return [
    contradiction(link, field, {
      says: `the workload's tokens are for ${link.audience}, and ${field} does not take it`,
      fix: [`add ${link.audience} to audiences; or leave them out`],
    }),
  ];
}
