import { type KnownMessage, shared, tells } from "../../model.ts";
import { refusals, unnamed } from "./explain.ts";

/** What Entra's token endpoint says: its numbers, in the words of the findings (entra.md 4.2, 7.4). */
const numbers: readonly KnownMessage[] = Object.entries(refusals).map(([number, told]) =>
  tells(new RegExp(`\\bAADSTS${number}\\b`), "ENTRA-REFUSED", told(unnamed).says),
);

/** The same sentences without their number, as some clients print them. */
const sentences: readonly KnownMessage[] = [
  tells(
    /No matching federated identity record found/i,
    "ENTRA-REFUSED",
    "no federated credential has the issuer, subject and audience of the assertion, letter by letter",
  ),
  tells(
    /has no configured federated identity credentials/i,
    "ENTRA-REFUSED",
    "the application has no federated credential at all",
  ),
  tells(
    /Client assertion is not within its valid time range|must have a lifetime of less than or equal to/i,
    "ENTRA-REFUSED",
    "the assertion is past its end, of the future or made for too long: a client that keeps an old token, or a wrong clock",
  ),
  tells(
    /Client assertion failed signature validation/i,
    "ENTRA-REFUSED",
    "the assertion's signature does not hold under the keys that its issuer serves",
  ),
  tells(
    /JWT token is invalid or malformed|Forbidden token type|AAD-issued tokens may not be used/i,
    "ENTRA-REFUSED",
    "what was sent as assertion is none that entra takes here",
  ),
  tells(
    /Request to External OIDC endpoint failed/i,
    "ENTRA-REFUSED",
    "entra could not read the discovery document or the keys of the assertion's issuer",
  ),
  tells(
    /Invalid client secret provided|client secret keys for app .{0,60}are expired/i,
    "ENTRA-REFUSED",
    "the client secret is wrong, is its id instead of its value, or has ended",
  ),
  tells(
    /Application with identifier .{0,120}was not found in the directory|is missing service principal in the tenant|resource principal named .{0,160}was not found in the tenant|by the administrator of the tenant or consented to by any user/i,
    "ENTRA-REFUSED",
    "the application, or the one that the token is for, is not in that tenant",
  ),
  tells(
    /is not assigned to a role for the application|Application '.{0,120}is disabled/i,
    "ENTRA-REFUSED",
    "the application is disabled, or the workload lacks an app role that it requires",
  ),
  tells(
    /Tenant '.{0,120}' not found|Check to make sure you have the correct tenant ID/i,
    "ENTRA-REFUSED",
    "there is no such tenant in that cloud",
  ),
  tells(
    /must contain the following parameter|unsupported grant type|'resource' request parameter is not supported|input parameter scope .{0,160}is not valid|\.default suffixed to the resource|provided value for scope/i,
    "ENTRA-REFUSED",
    "the request for a token is incomplete, or its scope is not RESOURCE/.default",
  ),
];

const others: readonly KnownMessage[] = [
  tells(
    /Identity not found|Multiple user assigned identities exist|Required metadata header not specified|Required query variable 'resource' is missing|api-version is invalid or was not specified|Unknown Source|Failed to retrieve token from the Active directory|ManagedIdentityCredential authentication unavailable/i,
    "ENTRA-MACHINE",
    "the metadata service of the azure machine gives no token for this request",
  ),
  tells(
    /Federated Identity Credential|federated identity credentials?\b.{0,40}(?:at most|exactly one|longer than)|Issuer and subject combination already exists|FederatedIdentityCredential with name|identifierUris already exists|Failed to add identifier URI|of the service principal does not reference|service principal (?:cannot be created|name .{0,80}is already in use)|queried reference-property objects are not present|Resource not found for the segment|Resource '.{0,120}' does not exist\.|Unable to read JSON request payload|Access token validation failure|single (?:issuer|audience)/i,
    "ENTRA-GRAPH",
    "microsoft graph does not take what was to be written or read",
  ),
  shared(/Too many requests/i, [["THROTTLED", "the service asks for patience"]]),
  tells(/Service unavailable/i, "COULD-NOT-TELL", "the service had trouble of its own: run it again"),
  shared(/\bAADSTS\d+/, [
    ["ENTRA-REFUSED", "this number has no words here: https://login.microsoftonline.com/error?code=NUMBER explains it"],
  ]),
  shared(/\binvalid_client\b/, [
    ["ENTRA-REFUSED", "the sender is entra: the number behind AADSTS is missing from this text"],
  ]),
];

/** Every text of Entra and its clients that is known. */
export const messages: readonly KnownMessage[] = [...numbers, ...sentences, ...others];
