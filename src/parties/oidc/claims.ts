import type { Address, Identity, Link } from "../../model.ts";
import { sideOf } from "./shape.ts";

/**
 * Issuers that people meet, as data. `azp`: their tokens carry an authorized party, which AWS then reads as the
 * audience; so the client id of the file is that party, and not what the token calls its audience (aws.md 2.1, 4).
 */
export interface KnownIssuer {
  readonly name: string;
  readonly issuer: RegExp;
  readonly azp: boolean;
  /** How such tokens name their subject, for whoever writes one into a file. */
  readonly subject: string;
  /** What `aud` holds beside the authorized party, where it is not the client id. */
  readonly audience?: string;
}

const known: readonly KnownIssuer[] = [
  {
    name: "GitHub Actions",
    issuer: /^https:\/\/token\.actions\.githubusercontent\.com(\/|$)/,
    azp: false,
    subject: "repo:ORG/REPO:ref:refs/heads/main",
  },
  {
    name: "GitLab",
    issuer: /^https:\/\/gitlab\./,
    azp: false,
    subject: "project_path:GROUP/PROJECT:ref_type:branch:ref:main",
  },
  {
    name: "Keycloak",
    issuer: /\/realms\/[^/]+$/,
    azp: true,
    subject: "the user's or service account's id",
    audience: "account",
  },
  {
    name: "Auth0",
    issuer: /^https:\/\/[\w-]+(\.\w{2})?\.auth0\.com\/$/,
    azp: true,
    subject: "CLIENT_ID@clients, or auth0|USER",
  },
  {
    name: "Okta",
    issuer: /^https:\/\/[\w-]+\.okta(preview|-emea)?\.com(\/oauth2\/\w+)?$/,
    azp: false,
    subject: "the user's id, 00u...",
  },
  {
    name: "CircleCI",
    issuer: /^https:\/\/oidc\.circleci\.com\/org\//,
    azp: false,
    subject: "org/ORG/project/PROJECT/user/USER",
  },
  {
    name: "Buildkite",
    issuer: /^https:\/\/agent\.buildkite\.com$/,
    azp: false,
    subject: "organization:ORG:pipeline:PIPELINE:ref:REF:commit:SHA:step:KEY",
  },
];

/** What is known of an issuer; an unknown one is taken to send no authorized party. */
export const knownIssuer = (issuer: string): KnownIssuer | undefined => known.find((one) => one.issuer.test(issuer));

/** The issuer as a resource: used, read and watched, never made (see kind.ts). */
export const issuerAddress = (issuer: string): Address => `oidc:issuer/${issuer.replace("://", "/")}`;

/**
 * What a token will say. The client id is what AWS reads as the audience; with `to.aws.audience` beside it the token's
 * own `aud` is pinned as well, which only an issuer with an authorized party can satisfy (aws.md 2.1).
 */
export function identityOf(link: Link): Identity {
  const { issuer, clientId, subject, subjectLike, claims, tags } = sideOf(link);
  const apart = link.audience !== clientId;
  const audience = apart || knownIssuer(issuer)?.azp ? { aud: link.audience, azp: clientId } : { aud: clientId };
  const one = (values: readonly string[]) => (values.length === 1 ? (values[0] ?? "") : values);
  const extra = Object.entries(claims ?? {}).map(([claim, values]) => [claim, one(values)] as const);
  return {
    proof: "oidc",
    issuer,
    served: issuerAddress(issuer),
    claims: { ...(subject ? { sub: one(subject) } : {}), ...audience, ...Object.fromEntries(extra) },
    ...(subjectLike ? { like: subjectLike } : {}),
    ...(tags ? { tags } : {}),
  };
}
