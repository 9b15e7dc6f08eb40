import { z } from "zod";
import type { Link } from "../../model.ts";

/** Project ids: 6-30 characters, a letter first, no hyphen last (docs: creating and managing projects). */
export const projectId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, "a Google project id has 6-30 of a-z 0-9 -, a letter first; not the number");

/** Service account ids: 6-30 characters, a letter first, no hyphen last (google.md 5). */
const accountId = /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/;
const email = /^[a-z0-9][a-z0-9.-]*@[a-z0-9.-]+\.gserviceaccount\.com$/;

/** An id is made and owned here, a full e-mail is used and never written: two forms, two meanings. */
const serviceAccount = z
  .string()
  .refine(
    (text) => accountId.test(text) || email.test(text),
    "a service account is an id of 6-30 of a-z 0-9 - (made here), or a full e-mail that ends in gserviceaccount.com (used)",
  );

/** A Google account's id: digits, and never its e-mail, which can be given to somebody else (google.md 4). */
const subject = z
  .string()
  .regex(/^\d{5,30}$/, "a Google account's subject is its number, 21 digits as a rule; not the e-mail")
  .meta({ digits: true });
const clientId = z
  .string()
  .regex(/^[\x21-\x29\x2b-\x3e\x40-\x7e]{1,255}$/, "an OAuth client id ends in .apps.googleusercontent.com as a rule");

/** `from.google`: a service account of a project, or whoever signs in with Google. */
export const from = {
  project: projectId.optional(),
  serviceAccount: serviceAccount.optional(),
  clientId: clientId.optional(),
  subject: subject.optional(),
};

/** Which members go together. */
export const forms = [
  ["project", "serviceAccount"],
  ["clientId", "subject"],
] as const;

/** Somebody who signs in with Google: an OAuth client, and the number of an account. */
export interface SignIn {
  readonly clientId: string;
  readonly subject: string;
}

export const isSignIn = (link: Link): boolean => link.from.spec.clientId !== undefined;
export const signInOf = (link: Link): SignIn => link.from.spec as unknown as SignIn;

/** The account of a link, with what follows from the form in which the file names it. */
export interface ServiceAccountName {
  readonly project: string;
  readonly email: string;
  /** The id within the project; a full e-mail has one too, but is used, never made. */
  readonly id: string;
  readonly hold: "own" | "use";
}

/**
 * The service account a link starts from, by its e-mail. A used one lives in the project its e-mail names; a
 * default account's names none, so for it the file decides.
 */
export function serviceAccountOf(link: Link): ServiceAccountName {
  const { project, serviceAccount: named } = link.from.spec as { project: string; serviceAccount: string };
  const at = named.indexOf("@");
  if (at < 0) return { project, email: emailOf(named, project), id: named, hold: "own" };
  const home = /@([a-z][a-z0-9-]+)\.iam\.gserviceaccount\.com$/.exec(named)?.[1];
  return { project: home ?? project, email: named, id: named.slice(0, at), hold: "use" };
}

/**
 * `ID@PROJECT.iam.gserviceaccount.com`; domain-scoped projects (`example.com:p`) are not supported (google.md
 * 5, unverified).
 */
export const emailOf = (id: string, project: string): string => `${id}@${project}.iam.gserviceaccount.com`;
