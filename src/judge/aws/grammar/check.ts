import { like } from "../conditions.ts";
import { conditionFaults, twice } from "./conditions.ts";
import { type Fault, legacy, stages, syntax } from "./faults.ts";
import { itemsOf, JsonFault, type Member, memberOf, type Node, readJson } from "./json.ts";
import { actionFault, type NameFault, resourceFault } from "./names.ts";
import { principalFaults } from "./principals.ts";

/**
 * What a policy is for. `trust`: who may assume a role. `inline`, `managed` and `session` say what an identity may do; a
 * managed one has to have the newer version (moto's table of refusals).
 */
export type PolicyKind = "trust" | "inline" | "managed" | "session";

/**
 * Returns what IAM's policy grammar forbids in a document, the fault that IAM answers first. A document without faults is one
 * that IAM keeps, as far as its text decides that: whether a principal exists, and how much room there is, is not asked here.
 */
export function policyFaults(text: string, kind: PolicyKind): readonly Fault[] {
  // The character set of policies ends with Latin-1 (fact sheet reliability-and-security, case 95).
  const odd = /[^\t\n\r\x20-\xff]/.exec(text);
  if (odd) {
    return [{ stage: "characters", says: "The policy contains characters outside of the allowed set.", at: odd.index }];
  }
  const found = read(text, kind);
  const form = found.some(({ stage }) => stage === "resource-form");
  return found
    .filter(({ stage }) => !(form && stage === "resource-legacy"))
    .sort((a, b) => stages.indexOf(a.stage) - stages.indexOf(b.stage) || a.at - b.at);
}

/** Characters of a policy as IAM counts them for its quotas: white space does not count. */
export const countedLength = (text: string): number => text.replace(/\s/g, "").length;

function read(text: string, kind: PolicyKind): readonly Fault[] {
  try {
    return documentFaults(readJson(text), kind);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    // The first sentence is recorded for trust policies, the second one for the others.
    const says = kind === "trust" ? "This policy contains invalid Json" : "Syntax errors in policy.";
    return [{ stage: "json", says, because: `this is no JSON: ${error.message}`, at: error.at }];
  }
}

function documentFaults(node: Node, kind: PolicyKind): readonly Fault[] {
  if (node.kind !== "object") return [syntax(node.at, "a policy is a JSON object")];
  const statement = memberOf(node, "Statement");
  const list = statement ? itemsOf(statement.value) : [];
  const none = list.length > 0 ? [] : [syntax(statement?.at ?? node.at, "a policy holds at least one Statement")];
  return [
    ...unknown(node.members, ["Version", "Id", "Statement"], "a policy"),
    ...versionFaults(node, kind),
    ...textual(memberOf(node, "Id")),
    ...none,
    ...list.flatMap((one) => statementFaults(one, kind)),
    ...sidFaults(list),
  ];
}

/** Elements that the grammar does not have, and elements that come twice. */
const unknown = (members: readonly Member[], known: readonly string[], where: string): readonly Fault[] => [
  ...members
    .filter(({ name }) => !known.includes(name))
    .map(({ name, at }) => syntax(at, `${name} is no element of ${where}`)),
  ...twice(members),
];

function versionFaults(node: Node, kind: PolicyKind): readonly Fault[] {
  const version = memberOf(node, "Version");
  const written = version?.value.kind === "text" ? version.value.value : undefined;
  if (version && written !== "2012-10-17" && written !== "2008-10-17") {
    return [syntax(version.value.at, "Version is 2012-10-17, or 2008-10-17")];
  }
  if (kind !== "managed" || written === "2012-10-17") return [];
  const says = "Policy document must be version 2012-10-17 or greater.";
  return [{ stage: "version", says, at: version?.value.at ?? node.at }];
}

const textual = (member: Member | undefined): readonly Fault[] =>
  member && member.value.kind !== "text" ? [syntax(member.value.at, `${member.name} is a text`)] : [];

const elements = [
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
];

function statementFaults(node: Node, kind: PolicyKind): readonly Fault[] {
  if (node.kind !== "object") return [syntax(node.at, "a statement is a JSON object")];
  const condition = memberOf(node, "Condition");
  return [
    ...unknown(node.members, elements, "a statement"),
    ...textual(memberOf(node, "Sid")),
    ...effectFaults(node),
    ...(condition ? conditionFaults(condition.value) : []),
    ...exclusive(node, "Principal", "NotPrincipal"),
    ...exclusive(node, "Action", "NotAction"),
    ...exclusive(node, "Resource", "NotResource"),
    ...(kind === "trust" ? trustFaults(node) : identityFaults(node)),
  ];
}

function effectFaults(node: Node): readonly Fault[] {
  const effect = memberOf(node, "Effect")?.value;
  if (!effect) return [syntax(node.at, "a statement has an Effect")];
  const written = effect.kind === "text" ? effect.value : "";
  if (written === "Allow" || written === "Deny") return [];
  const known = /^(?:allow|deny)$/i.test(written);
  return known
    ? [legacy(effect.at, `Effect is Allow or Deny in this spelling, not ${written}`)]
    : [syntax(effect.at, "Effect is Allow or Deny")];
}

function exclusive(node: Node, one: string, other: string): readonly Fault[] {
  const second = memberOf(node, other);
  return memberOf(node, one) && second ? [syntax(second.at, `a statement has ${one} or ${other}, not both`)] : [];
}

/** The texts of an element. An element that holds something else is a fault; IAM passes over null (moto). */
function texts(
  node: Node,
  names: readonly string[],
): { readonly member?: Member; readonly faults: readonly Fault[]; readonly values: readonly Text[] } {
  const member = names.flatMap((name) => memberOf(node, name) ?? [])[0];
  if (!member) return { faults: [], values: [] };
  const items = itemsOf(member.value).filter(({ kind }) => kind !== "null");
  const faults = items
    .filter(({ kind }) => kind !== "text")
    .map(({ at }) => syntax(at, `${member.name} holds texts and nothing else`));
  return { member, faults, values: items.flatMap((item) => (item.kind === "text" ? [item] : [])) };
}

type Text = Extract<Node, { kind: "text" }>;

const named = ({ at, value }: Text, check: (name: string) => NameFault | undefined): readonly Fault[] => {
  const fault = check(value);
  return fault ? [{ ...fault, at }] : [];
};

const statementFault = (stage: Fault["stage"], says: string, at: number): Fault => ({ stage, says, at });

/** What an identity may do: on resources, and never by whom. */
function identityFaults(node: Node): readonly Fault[] {
  const principal = memberOf(node, "Principal") ?? memberOf(node, "NotPrincipal");
  const actions = texts(node, ["Action", "NotAction"]);
  const resources = texts(node, ["Resource", "NotResource"]);
  // Recorded (terraform-provider-aws#10419).
  const who = "Policy document should not specify a principal.";
  return [
    ...(principal ? [statementFault("principal-prohibited", who, principal.at)] : []),
    ...actions.faults,
    ...resources.faults,
    ...(actions.values.length === 0
      ? [statementFault("actions", "Policy statement must contain actions.", (actions.member ?? node).at)]
      : actions.values.flatMap((one) => named(one, actionFault))),
    ...(resources.values.length === 0
      ? [statementFault("resources", "Policy statement must contain resources.", (resources.member ?? node).at)]
      : resources.values.flatMap((one) => named(one, resourceFault))),
  ];
}

/** Who may assume a role: no resource, because the role is the resource. */
function trustFaults(node: Node): readonly Fault[] {
  const principal = memberOf(node, "Principal") ?? memberOf(node, "NotPrincipal");
  const resource = memberOf(node, "Resource") ?? memberOf(node, "NotResource");
  const actions = texts(node, ["Action", "NotAction"]);
  return [
    ...(resource ? [statementFault("principal", "Has prohibited field Resource", resource.at)] : []),
    ...(principal
      ? principalFaults(principal)
      : [statementFault("principal", "Missing required field Principal", node.at)]),
    ...actions.faults,
    ...(actions.values.length === 0
      ? [statementFault("actions", "Missing required field Action", (actions.member ?? node).at)]
      : actions.values.flatMap(trustActionFaults)),
  ];
}

/** What a trust may allow beside assuming the role are the actions that STS checks with it (terraform-provider-aws#32872). */
const trustActions = [
  "assumerole",
  "assumerolewithsaml",
  "assumerolewithwebidentity",
  "tagsession",
  "setsourceidentity",
  "setcontext",
];

function trustActionFaults(action: Text): readonly Fault[] {
  const malformed = named(action, actionFault);
  if (malformed.length > 0 || action.value === "*") return malformed;
  const [vendor, name = ""] = action.value.toLowerCase().split(":");
  if (vendor === "sts" && trustActions.some((one) => like(name, one))) return [];
  const says = "AssumeRole policy may only specify STS AssumeRole actions.";
  return [{ stage: "trust-actions", says, because: `${action.value} is none of them`, at: action.at }];
}

/** Letters and digits, and each of them once; an empty one counts as none. */
function sidFaults(statements: readonly Node[]): readonly Fault[] {
  const sids = statements.flatMap((one) => {
    const sid = memberOf(one, "Sid")?.value;
    return sid?.kind === "text" && sid.value !== "" ? [sid] : [];
  });
  const values = sids.map(({ value }) => value);
  const form =
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*";
  const unique = "Statement IDs (SID) in a single policy must be unique.";
  return sids.flatMap(({ value, at }, index) => [
    ...(/^[0-9A-Za-z]*$/.test(value) ? [] : [statementFault("sid", form, at)]),
    ...(values.indexOf(value) < index ? [statementFault("sid", unique, at)] : []),
  ]);
}
