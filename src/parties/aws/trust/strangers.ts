import type { Stranger } from "../../../model.ts";
import { googleIssuer } from "../claims.ts";
import { type Asker, actionTruth, judgeTrust } from "./judge.ts";
import { isText, type Policy, type Statement } from "./policy.ts";

/** A service account of nobody: 21 digits like a real unique id, and not one that Google gives out first. */
export const nobody = "199999999999999999999";
export const anyAudience = "crosstrust-wrong-audience";

interface Witness {
  readonly iss: string;
  readonly federated: string;
  readonly sub: string;
  readonly aud: string;
  readonly azp?: string;
}

/**
 * Whom `live` lets in and `desired` does not, found by trying: every subject, audience and authorized party that
 * either policy names, patterns filled in, and one of each that nobody names. Finite, and a second opinion beside
 * comparing texts (fact sheet reliability-and-security, 6.2).
 */
export function strangersOf(live: Policy, desired: Policy): readonly Stranger[] {
  const found = witnesses([live, desired]).filter((witness) => {
    const asker = askerOf(witness);
    return judgeTrust(asker, live).allow === true && judgeTrust(asker, desired).allow !== true;
  });
  return [...summary(found, desired), ...live.statements.flatMap((statement) => others(statement, desired))];
}

/** Whether a live policy has parts whose effect cannot be told, that the desired one does not have. */
export function undecided(live: Policy, desired: Policy): readonly string[] {
  const reasons = witnesses([live, desired]).flatMap((witness) => judgeTrust(askerOf(witness), live).unknown ?? []);
  const known = witnesses([desired]).flatMap((witness) => judgeTrust(askerOf(witness), desired).unknown ?? []);
  return [...new Set(reasons)].filter((reason) => !known.includes(reason));
}

/** Whom `desired` lets in and `live` does not: an outage. */
export const shutOut = (live: Policy, desired: Policy): boolean =>
  witnesses([live, desired]).some((witness) => {
    const asker = askerOf(witness);
    return judgeTrust(asker, desired).allow === true && judgeTrust(asker, live).allow !== true;
  });

const askerOf = ({ federated, ...claims }: Witness): Asker => ({ claims, federated });

function witnesses(policies: readonly Policy[]): readonly Witness[] {
  const statements = policies.flatMap((policy) => policy.statements);
  const federated = [...new Set(statements.flatMap((statement) => statement.principal?.Federated ?? []))];
  return federated.flatMap((name) => ofIssuer(name, statements));
}

function ofIssuer(federated: string, statements: readonly Statement[]): readonly Witness[] {
  const prefix = federated.slice(federated.startsWith("arn:") ? federated.indexOf("/") + 1 : 0);
  const iss = `https://${prefix}`;
  const named = (key: string) => [
    ...new Set(statements.flatMap((one) => valuesOf(one, `${prefix.toLowerCase()}:${key}`))),
  ];
  const parties = named("aud");
  const subjects = [...named("sub"), nobody];
  const audiences = [...new Set([...named("oaud"), ...(iss === googleIssuer ? [] : parties), anyAudience])];
  // Google's service-account tokens carry the unique id as azp; of another issuer's token it may be absent.
  return subjects.flatMap((sub) =>
    audiences.flatMap((aud) => [
      ...[sub, ...parties, nobody].map((azp) => ({ iss, federated, sub, aud, azp })),
      ...(iss === googleIssuer ? [] : [{ iss, federated, sub, aud }]),
    ]),
  );
}

/** What a key is compared with, patterns filled in so that they become something a token can say. */
function valuesOf(statement: Statement, key: string): readonly string[] {
  return Object.values(statement.condition ?? {})
    .flatMap((keys) => keys[key] ?? [])
    .filter(isText)
    .map((value) => value.replaceAll("*", "9").replaceAll("?", "9"));
}

/** Many witnesses, few strangers: the widest thing that can be said of them. */
function summary(found: readonly Witness[], desired: Policy): readonly Stranger[] {
  const wanted = desired.statements.flatMap((statement) =>
    Object.keys(Object.assign({}, ...Object.values(statement.condition ?? {})))
      .filter((key) => key.endsWith(":sub"))
      .flatMap((key) => valuesOf(statement, key)),
  );
  const anybody = found.find(({ sub }) => sub === nobody);
  if (anybody) {
    const host = anybody.iss.replace("https://", "");
    const who = anybody.iss === googleIssuer ? `every service account and user of ${host}` : `every user of ${host}`;
    return [{ who, code: "AWS-SUB-OPEN", claims: claimsOf(anybody) }];
  }
  const subjects = found.filter(({ sub }) => !wanted.includes(sub));
  const bySubject = new Map(subjects.map((witness) => [witness.sub, witness]));
  if (bySubject.size > 0) {
    return [...bySubject].map(([sub, witness]) => ({
      who: `the subject ${sub}`,
      code: "AWS-SUB-EXTRA",
      claims: claimsOf(witness),
    }));
  }
  const audience = found.find(({ aud }) => aud === anyAudience) ?? found[0];
  if (!audience) return [];
  const says = audience.aud === anyAudience ? "for any audience" : `for the audience ${audience.aud}`;
  return [{ who: `a token ${says}`, code: "AWS-AUDIENCE-OPEN", claims: claimsOf(audience) }];
}

const claimsOf = ({ federated: _, ...claims }: Witness): Record<string, string> => claims;

/** Principals that need no token of this issuer: other issuers, AWS accounts and services. */
function others(statement: Statement, desired: Policy): readonly Stranger[] {
  if (statement.effect !== "Allow") return [];
  const known = desired.statements.flatMap((one) => Object.values(one.principal ?? {}).flat());
  if (statement.notPrincipal)
    return [{ who: "everybody but those its NotPrincipal names", code: "AWS-PRINCIPAL-EXTRA" }];
  return Object.entries(statement.principal ?? {}).flatMap(([type, names]) => {
    const how = type === "Federated" ? "sts:assumerolewithwebidentity" : "sts:assumerole";
    const saml = actionTruth(statement, "sts:assumerolewithsaml");
    if (!actionTruth(statement, how) && !(type === "Federated" && saml)) return [];
    return names
      .filter((name) => !known.includes(name))
      .map((name) => ({ who: `${type} principal ${name}`, code: "AWS-PRINCIPAL-EXTRA" }));
  });
}
