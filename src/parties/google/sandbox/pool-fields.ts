import { syntaxError } from "../../../judge/google/cel.ts";
import { issuerOf } from "../../../judge/issuers/table.ts";
import type { StoredPoolProvider } from "./pool-store.ts";
import { GoogleError } from "./rest.ts";

/** What a request may set, of a pool or of a pool provider. */
export type Fields = Partial<Omit<StoredPoolProvider, "project" | "pool" | "id" | "deletedAt">>;

const invalid = (says: string): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], says);

/** A living one, or one that was deleted within 30 days (recorded by gcloud's users, google.md, trap 11). */
export const taken = (): GoogleError => new GoogleError([409, "ALREADY_EXISTS"], "Requested entity already exists");

/** 4-32 of `a-z 0-9 -`; what begins with `gcp-` is Google's own (google.md 6.1). */
export function idFrom(given: string | null): string {
  if (given !== null && /^(?!gcp-)[a-z0-9-]{4,32}$/.test(given)) return given;
  throw invalid(`The ID must be 4-32 characters of [a-z0-9-] and must not begin with gcp-: ${given ?? ""}`);
}

const poolFields = {
  ...{ displayName: "string", description: "string", disabled: "boolean" },
  ...{ sessionDuration: "string", mode: "string", inlineTrustConfig: "object" },
  inlineCertificateIssuanceConfig: "object",
} as const;
const poolProviderFields = {
  ...{ displayName: "string", description: "string", disabled: "boolean" },
  ...{ attributeMapping: "object", attributeCondition: "string" },
  ...{ aws: "object", oidc: "object", saml: "object", x509: "object" },
} as const;

/** What a request says of a pool or a pool provider, and nothing else it carries; null is as good as not there. */
export function fieldsOf(body: Readonly<Record<string, unknown>>, of: "pool" | "poolProvider"): Fields {
  const known: Readonly<Record<string, string>> = of === "pool" ? poolFields : poolProviderFields;
  const given = Object.entries(body).filter(([name, value]) => known[name] !== undefined && value !== null);
  const wrong = given.find(([name, value]) => typeof value !== known[name]);
  if (wrong) throw invalid(`Invalid value at '${wrong[0]}' (${String(known[wrong[0]])})`);
  return Object.fromEntries(given) as Fields;
}

/** What a mask may name. */
export const maskable = (of: "pool" | "poolProvider"): readonly string[] =>
  Object.keys(of === "pool" ? poolFields : poolProviderFields);

/** The limits of google.md 6.1; the words of the refusals are approximate. `new`: all of a pool provider is there. */
export function checkFields(fields: Fields, whole?: "new"): Fields {
  const { displayName = "", description = "", sessionDuration = "3600s" } = fields;
  if (displayName.length > 32) throw invalid("The display name is longer than 32 characters.");
  if (description.length > 256) throw invalid("The description is longer than 256 characters.");
  const seconds = Number(/^(\d+)s$/.exec(sessionDuration)?.[1]);
  if (!(seconds >= 120 && seconds <= 43_200)) throw invalid("The session duration is between 2 minutes and 12 hours.");
  if (whole) checkWhole(fields);
  return fields;
}

function checkWhole({ attributeMapping = {}, attributeCondition = "", aws, oidc, saml, x509 }: Fields): void {
  if ([aws, oidc, saml, x509].filter((one) => one !== undefined).length !== 1)
    throw invalid("Exactly one of aws, oidc, saml, x509 must be set.");
  if (aws && !/^\d{12}$/.test(aws.accountId ?? "")) throw invalid("The AWS account id must have 12 digits.");
  if (oidc) checkOidc(oidc);
  checkMapping(attributeMapping, aws !== undefined);
  const wanted = oidc?.issuerUri !== undefined && issuerOf(oidc.issuerUri).googleWantsCondition;
  if (wanted && !/\bassertion\b|\battribute\b|\bgoogle\b/.test(attributeCondition))
    throw invalid("The attribute condition must reference one of the provider's claims.");
  if (attributeCondition.length > 4096) throw invalid("The attribute condition is longer than 4096 characters.");
  const wrong = attributeCondition.trim() === "" ? undefined : syntaxError(attributeCondition);
  if (wrong) throw invalid(`Error in the attribute condition: ${wrong}`);
}

/** Keys that somebody stores: RSA and EC, and none of the members that certificates come in (google.md 6.1). */
function checkKeys(jwksJson: string): void {
  const members = ["kty", "alg", "use", "kid", "n", "e", "x", "y", "crv"];
  const fits = (key: object) =>
    ["RSA", "EC"].includes((key as { kty?: string }).kty ?? "") &&
    Object.keys(key).every((one) => members.includes(one));
  try {
    const { keys } = JSON.parse(jwksJson) as { keys: readonly object[] };
    if (keys.every(fits)) return;
  } catch {
    // What is no set of keys is told like one that has a wrong key.
  }
  throw invalid("Input JWK is not in a valid json format");
}

function checkOidc({ issuerUri, jwksJson, allowedAudiences = [] }: NonNullable<Fields["oidc"]>): void {
  if (!/^https:\/\//.test(issuerUri ?? "")) throw invalid("The issuer URI must begin with https://");
  if (jwksJson) checkKeys(jwksJson);
  if (allowedAudiences.length > 10) throw invalid("There are more than 10 allowed audiences.");
  if (allowedAudiences.some((one) => one.length > 256))
    throw invalid("An allowed audience is longer than 256 characters.");
}

const key = /^(?:google\.(?:subject|groups)|attribute\.[a-z0-9_]{1,100})$/;

/** Without any, AWS has Google's default; with one, and for every token, `google.subject` is required. */
function checkMapping(mapping: Readonly<Record<string, string>>, isAws: boolean): void {
  const entries = Object.entries(mapping);
  if (mapping["google.subject"] === undefined && !(isAws && entries.length === 0))
    throw invalid("The attribute mapping must have google.subject.");
  if (entries.filter(([name]) => name.startsWith("attribute.")).length > 50)
    throw invalid("There are more than 50 custom attributes.");
  for (const [name, expression] of entries) {
    if (!key.test(name)) throw invalid(`The attribute key ${name} is not valid.`);
    if (expression.length > 2048) throw invalid(`The expression of ${name} is longer than 2048 characters.`);
    const wrong = syntaxError(expression);
    if (wrong) throw invalid(`Error in the mapping of ${name}: ${wrong}`);
  }
}
