import type { Policy, Statement } from "../../../judge/aws/policy.ts";
import { compareTrusts } from "../../../judge/aws/widens.ts";
import type { Around, Change, Json, Widening } from "../../../model.ts";
import { type RoleSpec, roleAddress, trustOf } from "./spec.ts";

/**
 * Says whether a change of a role's trust lets somebody in who does not get in now. Where a role is taken over, whom it is
 * taken over for is what `--adopt` agrees to: only identities that it decides about already are compared.
 */
export function roleWidens({ verb, desired, live }: Change, { resolve }: Around): Widening | undefined {
  if (!desired || live.state !== "present") return undefined;
  const before = trustOf(live.spec as RoleSpec);
  const after = trustOf(resolve(desired.spec) as RoleSpec);
  return compareTrusts(before, verb === "adopt" ? joined(before, after) : after);
}

/**
 * The same for one statement in a role that is only used, compared with the whole trust of the role. `--adopt` agrees to
 * the statement, not to the loss of a restriction that the role's own statements have.
 */
export function statementWidens({ desired }: Change, { changes, resolve }: Around): Widening | undefined {
  if (!desired) return undefined;
  const { account, role, statement } = resolve(desired.spec);
  const address = roleAddress({ account: String(account), name: String(role) });
  const live = changes.find((change) => change.address === address)?.live;
  if (live?.state !== "present") return undefined;
  const before = trustOf(live.spec as RoleSpec);
  const written = { ...before, statements: [statementOf(statement)] };
  return compareTrusts(before, {
    ...before,
    statements: [...before.statements, ...joined(before, written).statements],
  });
}

/** A spec is plain JSON; its `statement` is always a canonical one, built from the file. */
const statementOf = (json: Json | undefined): Statement => json as unknown as Statement;

/** The statements that take tokens of an issuer which the trust takes tokens of already, and whatever else is no token. */
function joined(before: Policy, after: Policy): Policy {
  const issuersOf = ({ principal }: Statement) => principal?.Federated ?? [];
  const known = new Set(before.statements.filter(({ effect }) => effect === "Allow").flatMap(issuersOf));
  const about = (statement: Statement) =>
    issuersOf(statement).length === 0 || issuersOf(statement).some((issuer) => known.has(issuer));
  return { ...after, statements: after.statements.filter(about) };
}
