import type { Federation, HealthDocument, Link, Permission, Report, Sides } from "../model.ts";
import { parties } from "../parties/index.ts";

/**
 * A health document made ready to be shown, from its text as it was printed or stored: the same input for the command
 * line and the function gives the same page. A link that has left the file since is shown, and not drawn.
 */
export const reportOf = (text: string, federation: Federation, again = ""): Report => ({
  document: JSON.parse(text) as HealthDocument,
  sides: federation.links.map(sidesOf),
  again,
});

function sidesOf(link: Link): Sides {
  const { account, project } = link.to.spec;
  return {
    link: link.name,
    from: { party: link.from.party, title: titleOf(link, "from") },
    to: { party: link.to.party, title: titleOf(link, "to"), scope: String(account ?? project ?? "") },
    issuer: issuerOf(link),
    audience: link.audience,
    may: link.may.map(permissionText),
  };
}

/** What a link grants, in words: what it leads to, and what it may do there. */
export function grantText(link: Link): string {
  const may = link.may.map(permissionText);
  return may.length > 0 ? `${titleOf(link, "to")} (${may.join("; ")})` : titleOf(link, "to");
}

const titleOf = (link: Link, side: "from" | "to"): string =>
  parties.find(({ name }) => name === link[side].party)?.title(link, side) ?? link[side].party;

/** What the identity will say of itself, known from the file alone (house.md: `identify` is pure). */
function issuerOf(link: Link): string {
  const identity = parties.find(({ name }) => name === link.from.party)?.issuer?.identify(link).identity;
  if (!identity) return link.from.party;
  if (identity.proof !== "oidc") return `aws ${identity.account}`;
  return typeof identity.issuer === "string" ? identity.issuer.replace(/^https:\/\//, "") : link.from.party;
}

/** A policy by its name, or what it allows on what; lists and roles of every party read the same way. */
function permissionText(permission: Permission): string {
  if (typeof permission === "string") return permission.replace(/^arn:aws[a-z-]*:iam::(aws|\d{12}):policy\//, "");
  const { allow, role, resources } = permission as Readonly<Record<string, string | readonly string[] | undefined>>;
  const list = (value: string | readonly string[] | undefined): string => [value ?? []].flat().join(", ");
  return `${list(allow) || list(role)} on ${list(resources) || "everything"}`;
}
