import { twice } from "./conditions.ts";
import { type Fault, syntax } from "./faults.ts";
import { itemsOf, type Member } from "./json.ts";

/** The principal types, and how IAM writes each of them into its refusals. */
const types: Readonly<Record<string, { readonly shown: string; readonly fits: (name: string) => boolean }>> = {
  AWS: { shown: "AWS", fits: isAws },
  Service: { shown: "SERVICE", fits: isHost },
  Federated: { shown: "FEDERATED", fits: isFederated },
  CanonicalUser: { shown: "CANONICAL_USER", fits: (name) => /^[0-9a-f]{64}$/.test(name) },
};

/** What is wrong with the Principal or NotPrincipal of a trust policy (IAM user guide, "Principal"). */
export function principalFaults({ name: element, value }: Member): readonly Fault[] {
  if (value.kind === "text" && value.value === "*") return [];
  if (value.kind !== "object") return [syntax(value.at, `${element} holds "*", or an object of principal types`)];
  const named = value.members.flatMap((member) => itemsOf(member.value));
  // Recorded (terraform-aws-iam#47).
  const none =
    "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: The passed in policy has a statement with no principals!";
  const empty: readonly Fault[] = named.length > 0 ? [] : [{ stage: "principal", says: none, at: value.at }];
  return [...empty, ...twice(value.members), ...value.members.flatMap(typeFaults)];
}

function typeFaults({ name: type, at, value }: Member): readonly Fault[] {
  const known = types[type];
  if (!known) {
    const because = `${type} is no type of principal: ${Object.keys(types).join(", ")}`;
    return [{ stage: "principal", says: "Invalid principal in policy.", because, at }];
  }
  return itemsOf(value).flatMap((one): readonly Fault[] => {
    if (one.kind !== "text") return [syntax(one.at, `a principal of type ${type} is a text`)];
    if (known.fits(one.value)) return [];
    return [{ stage: "principal", says: principalRefusal(known.shown, one.value), at: one.at }];
  });
}

/** IAM's refusal of one principal; for AWS principals recorded (configure-aws-credentials#332), for domains failures.md F22. */
export const principalRefusal = (type: string, name: string): string =>
  type === "FEDERATED"
    ? "Federated principals must be valid domain names or SAML metadata ARNs"
    : `Invalid principal in policy: "${type}":"${name}"`;

/**
 * An account, everybody, or one user, role or session by its full ARN. A group is no principal, part of an ARN cannot be a
 * pattern, and the unique id that IAM shows in place of a deleted principal cannot be written.
 */
function isAws(name: string): boolean {
  if (name === "*" || /^\d{12}$/.test(name)) return true;
  if (/[*?]/.test(name)) return false;
  return (
    /^arn:aws[a-z-]*:iam::\d{12}:(?:root|(?:user|role)\/.+)$/.test(name) ||
    /^arn:aws[a-z-]*:sts::\d{12}:(?:assumed-role\/[^/]+\/[^/]+|federated-user\/.+)$/.test(name)
  );
}

/** A host name, such as `ec2.amazonaws.com`. Which services there are is not known here. */
function isHost(name: string): boolean {
  return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(name);
}

/** A domain name, or the ARN of an OIDC provider or of SAML metadata (failures.md F22). */
function isFederated(name: string): boolean {
  return (
    /^[a-z0-9.-]+\.[a-z]{2,}$/i.test(name) || /^arn:aws[a-z-]*:iam::\d{12}:(?:oidc|saml)-provider\/[^*?]+$/.test(name)
  );
}
