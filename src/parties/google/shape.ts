import { z } from "zod";
import type { Link } from "../../model.ts";

/** Project ids: 6-30 characters, a letter first, no hyphen last (docs: creating and managing projects). */
export const projectId = () =>
  z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
      "a Google project id has 6-30 of a-z 0-9 -, a letter first; not the number",
    );

/** Service account ids: 6-30 characters, a letter first, no hyphen last (google.md 5). */
const accountId = /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/;
const email = /^[a-z0-9][a-z0-9.-]*@[a-z0-9.-]+\.gserviceaccount\.com$/;

/** An id is made and owned here, a full e-mail is used and never written: two forms, two meanings. */
const serviceAccount = () =>
  z
    .string()
    .refine(
      (text) => accountId.test(text) || email.test(text),
      "a service account is an id of 6-30 of a-z 0-9 - (made here), or a full e-mail that ends in gserviceaccount.com (used)",
    );

/** A Google account's id: digits, and never its e-mail, which can be given to somebody else (google.md 4). */
const subject = () =>
  z
    .string()
    .regex(/^\d{5,30}$/, "a Google account's subject is its number, 21 digits as a rule; not the e-mail")
    .meta({ digits: true });
const clientId = () =>
  z
    .string()
    .regex(
      /^[\x21-\x29\x2b-\x3e\x40-\x7e]{1,255}$/,
      "an OAuth client id ends in .apps.googleusercontent.com as a rule",
    );

/** `from.google`: a service account of a project, or whoever signs in with Google. */
export const from = () => ({
  project: projectId().optional(),
  serviceAccount: serviceAccount().optional(),
  clientId: clientId().optional(),
  subject: subject().optional(),
});

/** Pools and pool providers alike (google.md 6.1): 4-32 characters, and Google keeps a prefix for itself. */
const federationId = () =>
  z
    .string()
    .regex(
      /^(?!gcp-)[a-z0-9-]{4,32}$/,
      "a pool or pool provider id has 4-32 of a-z 0-9 -, and does not begin with gcp-",
    );

/** `google.subject`, `google.groups`, `attribute.NAME` (google.md 6.1). */
const mappingKey = () =>
  z
    .string()
    .regex(
      /^(?:google\.(?:subject|groups)|attribute\.[a-z0-9_]{1,100})$/,
      "a mapping maps google.subject, google.groups or attribute.NAME of a-z 0-9 _",
    );
const isCustom = (key: string): boolean => key.startsWith("attribute.");
const expression = () => z.string().min(1).max(2048, "an expression has at most 2,048 characters");

/** It ends a member's name, where `*` stands for a whole pool (google.md 6.3). */
const granted = () =>
  z
    .string()
    .regex(
      /^[\x21-\x29\x2b-\x7e](?:[\x20-\x29\x2b-\x7e]*[\x21-\x29\x2b-\x7e])?$/,
      "printable characters without *, and no blank at an end",
    )
    .max(1024);

/** Who of a pool is meant; a whole pool is many. */
const grant = () =>
  z.union([
    z.literal("subject"),
    z.literal("pool"),
    z.strictObject({ group: granted() }),
    z.strictObject({
      attribute: z
        .record(z.string().regex(/^[a-z0-9_]{1,100}$/, "an attribute has a-z 0-9 _"), granted())
        .refine((value) => Object.keys(value).length === 1, "grant names one attribute with its value"),
    }),
  ]);

/** `to.google`. What is left out of mapping, condition and grant is made as narrow as the workload is named. */
export const to = () => ({
  project: projectId(),
  pool: federationId(),
  poolProvider: federationId(),
  serviceAccount: serviceAccount().optional(),
  grant: grant().optional(),
  mapping: z
    .record(mappingKey(), expression())
    .refine((value) => "google.subject" in value, "a mapping needs google.subject")
    .refine(
      (value) => Object.keys(value).filter(isCustom).length <= 50,
      "a mapping has at most 50 attributes of your own",
    )
    .optional(),
  condition: z
    .string()
    .regex(/\S/, "an empty condition lets in whoever the issuer vouches for; left out, it pins the link's workload")
    .max(4096, "a condition has at most 4,096 characters")
    .optional(),
  audiences: z
    .array(z.string().min(1).max(256, "an audience has at most 256 characters"))
    .min(1)
    .max(10, "a pool provider takes at most 10 audiences")
    .optional(),
});

/** Full resource names of what can be granted on here (contract, section 3). */
const resourceName = () =>
  z
    .string()
    .regex(
      /^\/\/(?:cloudresourcemanager\.googleapis\.com\/projects\/[a-z][a-z0-9-]{4,28}[a-z0-9]|storage\.googleapis\.com\/projects\/_\/buckets\/[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])$/,
      "a resource is //cloudresourcemanager.googleapis.com/projects/P or //storage.googleapis.com/projects/_/buckets/B",
    );

/** `may` for Google Cloud: a role on resources. */
export const may = () =>
  z.strictObject({
    role: z
      .string()
      .regex(
        /^(?:roles\/[a-zA-Z0-9_.]+|(?:projects\/[a-z0-9-]+|organizations\/\d+)\/roles\/[\w.]+)$/,
        "a role looks like roles/storage.objectViewer",
      ),
    resources: z.array(resourceName()).min(1, "name at least one resource"),
  });

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
export const serviceAccountOf = (link: Link): ServiceAccountName =>
  nameOf(link.from.spec as { project: string; serviceAccount: string });

/** Where a link leads, as its shape left it. */
export interface Target {
  readonly project: string;
  readonly pool: string;
  readonly poolProvider: string;
  readonly serviceAccount?: string;
  readonly grant?: "subject" | "pool" | { readonly group: string } | { readonly attribute: Record<string, string> };
  readonly mapping?: Readonly<Record<string, string>>;
  readonly condition?: string;
  readonly audiences?: readonly string[];
}

export const targetOf = (link: Link): Target => link.to.spec as unknown as Target;

/** The account that a link's workload becomes; undefined for direct access. */
export function sinkOf(link: Link): ServiceAccountName | undefined {
  const { project, serviceAccount } = targetOf(link);
  return serviceAccount === undefined ? undefined : nameOf({ project, serviceAccount });
}

function nameOf({ project, serviceAccount: named }: { project: string; serviceAccount: string }): ServiceAccountName {
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
