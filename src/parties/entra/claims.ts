import { createHash, randomBytes } from "node:crypto";
import type { Address, Identity, Link, Resource } from "../../model.ts";
import { isGuid, type Source, sourceOf } from "./shape.ts";

/** The resource that every service principal may ask for, and the `aud` of its tokens (entra.md, trap 10). */
export const tokenExchange = {
  uri: "api://AzureADTokenExchange",
  appId: "fb60f99c-7a34-4190-8149-302f77469936",
} as const;

/** Two issuers for one tenant: v1 ends with a slash, v2 does not (entra.md, trap 2). */
export const issuerOf = (tenant: string, version: Source["tokenVersion"]): string =>
  version === "2" ? `https://login.microsoftonline.com/${tenant}/v2.0` : `https://sts.windows.net/${tenant}/`;

/** Of the kind `oidc:issuer`: the slash at the end of a v1 issuer is part of its name. */
export const issuerAddress = (issuer: string): Address => `oidc:issuer/${issuer.replace("://", "/")}`;

/**
 * What an app-only token of this workload will say (entra.md 2.5 and 5.1). `azp` is the client that asked, and only
 * v2 has it; the audience is the application, whatever audience the relying party would like.
 */
export function identityOf(link: Link): { readonly identity: Identity; readonly resources: readonly Resource[] } {
  const { tenant, application, subject, tokenVersion, clientId } = sourceOf(link);
  const issuer = issuerOf(tenant, tokenVersion);
  const served = issuerAddress(issuer);
  const azp = tokenVersion === "2" && clientId !== undefined ? { azp: clientId } : {};
  const identity: Identity = { proof: "oidc", issuer, served, claims: { sub: subject, aud: application, ...azp } };
  // Clouds but AWS know no thumbprint of an issuer.
  const spec = { url: issuer, privateCa: false, ...(link.to.party === "aws" ? {} : { unpinned: true as const }) };
  return { identity, resources: [{ address: served, links: [link.name], hold: "use", spec }] };
}

/** v1 repeats its issuer under this name (entra.md 2.5). */
const homeClaim = "idp";

/** For whom a token is made, and when. */
export interface Moment {
  readonly audience: string;
  /** Epoch seconds. */
  readonly now: number;
}

/**
 * A whole token of the workload as Entra would fill it (entra.md 2.2 to 2.5), for a world in which we mint: five
 * minutes old when it is issued, an hour to live. `appid` is no trust's business; one that the file leaves out is
 * made from the subject.
 */
export function wholeClaims(link: Link, { audience, now }: Moment): Readonly<Record<string, unknown>> {
  const { tenant, subject, tokenVersion, clientId } = sourceOf(link);
  const iss = issuerOf(tenant, tokenVersion);
  const client = clientId ?? guidFrom(subject);
  const own = tokenVersion === "2" ? { azp: client, azpacr: "2" } : { appid: client, appidacr: "2", [homeClaim]: iss };
  return {
    aud: audience,
    iss,
    ...{ iat: now - 300, nbf: now - 300, exp: now + 3600 },
    ...own,
    oid: isGuid(subject) ? subject : guidFrom(subject),
    sub: subject,
    tid: tenant,
    uti: randomBytes(16).toString("base64url"),
    ver: tokenVersion === "2" ? "2.0" : "1.0",
  };
}

function guidFrom(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}
