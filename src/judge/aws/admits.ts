import type { Stranger } from "../../model.ts";
import { googleIssuer } from "./claims.ts";
import { actionTruth, judgeTrust } from "./judge.ts";
import { isText, type Policy, type Statement } from "./policy.ts";

/** A service account of nobody: 21 digits like a real unique id, and not one that Google gives out first. */
export const nobody = "199999999999999999999";
/** An audience that no policy names: who gets in with it gets in with any. */
export const anyAudience = "crosstrust-wrong-audience";

/** A token that somebody might come with, and the name he gives his session. */
interface Witness {
  readonly federated: string;
  readonly claims: Readonly<Record<string, string>>;
  /** The caller chooses it, so a stranger chooses the right one. */
  readonly sessionName: string;
}

/**
 * Whom `live` lets in and `desired` does not, found by trying: every subject, audience, authorized party,
 * e-mail and session name that either policy names, patterns filled in, and one of each that nobody names.
 * Finite, and a second opinion beside comparing texts (fact sheet reliability-and-security, 6.2).
 */
export function strangersOf(live: Policy, desired: Policy): readonly Stranger[] {
  const tried = witnesses(live, desired).map((witness) => ({
    witness,
    live: judgeWitness(witness, live),
    allowed: judgeWitness(witness, desired).allow === true,
  }));
  const letIn = tried.filter((one) => one.live.allow === true && !one.allowed).map(({ witness }) => witness);
  const reasons = tried.filter(({ allowed }) => !allowed).flatMap((one) => one.live.unknown ?? []);
  const found = [
    ...summary(letIn, live, desired),
    ...live.statements.flatMap((statement) => others(statement, desired)),
  ];
  return [...found, ...[...new Set(reasons)].map(unsure)];
}

/** A part of the policy whose effect cannot be told from here, in front of somebody whom the file does not allow. */
const unsure = (reason: string): Stranger => ({
  who: `perhaps somebody else (${reason} cannot be judged from here)`,
  code: "AWS-TRUST-UNDECIDED",
  unsure: true,
});

/** Whether `live` admits anything at all that `desired` does not: an audience by name, say. */
export const loosens = (live: Policy, desired: Policy): boolean => shutOut(desired, live);

/** Whom `desired` lets in and `live` does not: an outage. */
export const shutOut = (live: Policy, desired: Policy): boolean =>
  [...witnesses(live, desired), ...witnesses(desired, live)].some(
    (witness) => judgeWitness(witness, desired).allow === true && judgeWitness(witness, live).allow !== true,
  );

const judgeWitness = ({ claims, federated, sessionName }: Witness, policy: Policy) =>
  judgeTrust({ claims, federated, request: { sessionName } }, policy);

/** Of the issuers that the file trusts; whoever trusts another issuer besides is told by its principal. */
function witnesses(live: Policy, desired: Policy): readonly Witness[] {
  const federated = [...new Set(desired.statements.flatMap((statement) => statement.principal?.Federated ?? []))];
  return federated.flatMap((name) => ofIssuer(name, [...live.statements, ...desired.statements]));
}

/** Every combination for one issuer; what follows the first `/` of an ARN is the key prefix (aws.md 6.1). */
function ofIssuer(federated: string, statements: readonly Statement[]): readonly Witness[] {
  const prefix = federated.slice(federated.startsWith("arn:") ? federated.indexOf("/") + 1 : 0);
  const iss = `https://${prefix}`;
  const google = iss === googleIssuer;
  const named = (key: string) => [...new Set(statements.flatMap((one) => valuesOf(one, key.toLowerCase())))];
  const parties = named(`${prefix}:aud`);
  // What the OIDC provider knows comes first: it turns other audiences away before a trust policy is read.
  const audiences = [...new Set([...(google ? [] : parties), ...named(`${prefix}:oaud`), anyAudience])];
  const emails = [undefined, ...named(`${prefix}:email`)];
  const [tags, more] = [tagged(statements), own(prefix, statements)];
  // With what the policies ask for besides, and without any part of it.
  const extras = [{}, tags, more, { ...tags, ...more }].filter(
    (one, at, all) => at === all.findIndex((other) => JSON.stringify(other) === JSON.stringify(one)),
  );
  const sessions = [...named("sts:RoleSessionName"), "stranger"];
  // Google's service-account tokens carry the unique id as azp; of another issuer's token it may be absent.
  const azps = (sub: string) => [...new Set([...(google ? [] : [undefined, ...parties]), sub, ...parties, nobody])];
  return [...new Set([...named(`${prefix}:sub`), nobody])].flatMap((sub) =>
    audiences.flatMap((aud) =>
      azps(sub).flatMap((azp) =>
        emails.flatMap((email) => {
          const claims = { iss, sub, aud, ...(azp ? { azp } : {}), ...(email ? { email } : {}) };
          return extras.flatMap((extra) =>
            sessions.map((sessionName) => ({ federated, claims: { ...claims, ...extra }, sessionName })),
          );
        }),
      ),
    ),
  );
}

/** The tags that some statement asks for, all at once: who lacks them is tried too. */
function tagged(statements: readonly Statement[]): Record<string, string> {
  const keys = statements.flatMap((statement) =>
    Object.values(statement.condition ?? {}).flatMap((conditions) => Object.keys(conditions)),
  );
  const names = [...new Set(keys)].filter((key) => key.startsWith("aws:requesttag/"));
  return Object.fromEntries(
    names.map((key) => [
      `https://aws.amazon.com/tags/principal_tags/${key.slice("aws:requesttag/".length)}`,
      statements.flatMap((statement) => valuesOf(statement, key))[0] ?? "",
    ]),
  );
}

/** Claims of this issuer's own keys, as the first policy that names one wants them: they say who somebody is not. */
function own(prefix: string, statements: readonly Statement[]): Record<string, string> {
  const head = `${prefix.toLowerCase()}:`;
  const keys = statements.flatMap((statement) =>
    Object.values(statement.condition ?? {}).flatMap((conditions) => Object.keys(conditions)),
  );
  const names = [...new Set(keys)]
    .filter((key) => key.startsWith(head))
    .map((key) => key.slice(head.length))
    .filter((name) => !["aud", "oaud", "sub", "email", "amr"].includes(name));
  return Object.fromEntries(
    names.map((name) => [name, statements.flatMap((statement) => valuesOf(statement, `${head}${name}`))[0] ?? ""]),
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
function summary(found: readonly Witness[], live: Policy, desired: Policy): readonly Stranger[] {
  const wanted = new Set(desired.statements.flatMap(subjectsOf));
  const anybody = found.find(({ claims }) => claims.sub === nobody && claims.email === undefined);
  if (anybody) {
    const host = (anybody.claims.iss ?? "").replace("https://", "");
    const who = host === "accounts.google.com" ? `every service account and user of ${host}` : `every user of ${host}`;
    const pattern = live.statements.some((statement) => subjectsOf(statement).length > 0);
    return [{ who, code: pattern ? "AWS-SUB-WILDCARD" : "AWS-SUB-MISSING", claims: anybody.claims }];
  }
  const byMail = found.find(({ claims }) => claims.sub === nobody);
  if (byMail)
    return [{ who: `whoever has the e-mail ${byMail.claims.email}`, code: "AWS-SUB-EXTRA", claims: byMail.claims }];
  const bySubject = new Map(
    found.filter(({ claims }) => !wanted.has(claims.sub ?? "")).map((one) => [one.claims.sub, one]),
  );
  if (bySubject.size > 0) {
    return [...bySubject].map(([sub, { claims }]) => ({ who: `the subject ${sub}`, code: "AWS-SUB-EXTRA", claims }));
  }
  // The right subject for one more audience by name is no stranger, only drift.
  const audience = found.find(({ claims }) => claims.aud === anyAudience);
  return audience ? [{ who: "a token for any audience", code: "AWS-AUDIENCE-OPEN", claims: audience.claims }] : [];
}

/** The subjects that a statement names, whatever its issuer and operator. */
const subjectsOf = (statement: Statement): readonly string[] =>
  [...new Set(Object.values(statement.condition ?? {}).flatMap((keys) => Object.keys(keys)))]
    .filter((key) => key.endsWith(":sub"))
    .flatMap((key) => valuesOf(statement, key));

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
