import { z } from "zod";
import type { Link } from "../../model.ts";
import { urlTrouble } from "./url.ts";

const issuer = () =>
  z.string().superRefine((text, context) => {
    const trouble = urlTrouble(text);
    if (trouble) context.addIssue({ code: "custom", message: trouble });
  });

/** IAM takes 1 to 255 characters (aws.md 6.1); `*` and `?` would be wildcards in a condition. */
const value = () =>
  z.string().regex(/^[\x21-\x29\x2b-\x3e\x40-\x7e]{1,255}$/, "1-255 printable characters without * ? and blanks");
/** Said twice is a slip: one of the two was meant to be another (reliability-and-security.md, case 40). */
const list = <T extends z.ZodString>(one: T) =>
  z
    .array(one)
    .min(1)
    .refine((all) => new Set(all).size === all.length, "the same value stands in the list twice");
/** One, or a list of alternatives. */
const values = () => z.union([value(), list(value())], "a value, or a list of them").transform((one) => [one].flat());

const pattern = () =>
  z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, "1-255 printable characters, * for any run of them and ? for one")
    .refine((text) => /[^*?]/.test(text), "a pattern of wildcards alone lets every user of the issuer in");

/** AWS stores what it is given; what is no SHA-1 can match nothing (aws.md 6.1). */
const thumbprint = () => z.string().regex(/^[0-9a-fA-F]{40}$/, "a thumbprint is 40 hex digits, without colons");

const secretFrom = () => z.string().regex(/^(env|secretmanager):[\w./-]+$/, "env:NAME or secretmanager:NAME");
/** What Okta and others want named; blanks part several. */
const scope = () => z.string().regex(/^[\x21-\x7e][\x20-\x7e]{0,255}$/, "a scope has 1-256 printable characters");
const path = () => z.string().min(1).max(4096);

/** A variable that a command is given: no others than the ordinary ones reach it. */
const variable = () => z.string().regex(/^[A-Za-z_]\w{0,127}$/, "env lists names of variables");

/** How a token is had where the issuer gives one to programs (contract, section 3). */
const mint = () =>
  z.union(
    [
      z.strictObject({ tokenFile: path() }),
      z.strictObject({ command: z.array(path()).min(1), env: list(variable()).optional() }),
      z.strictObject({
        clientCredentials: z.union([
          z.strictObject({ clientId: value(), scope: scope().optional(), assertion: z.literal("google") }),
          z.strictObject({ clientId: value(), scope: scope().optional(), secretFrom: secretFrom() }),
        ]),
      }),
    ],
    "mint is { tokenFile }, { command: [..], env: [..] } or { clientCredentials: { clientId, assertion: google | secretFrom } }",
  );

/** `from.oidc`: any OpenID Connect issuer. */
export const from = () => ({
  issuer: issuer(),
  clientId: value(),
  subject: values().optional(),
  subjectLike: z
    .union([pattern(), list(pattern())])
    .transform((one) => [one].flat())
    .optional(),
  /** Claims that AWS exposes for this issuer besides, such as GitHub's `repository_id` (aws.md 2.2). */
  claims: z
    .record(z.string().regex(/^[\w./-]{1,128}$/, "a claim's name has 1-128 of letters, digits and _ . / -"), values())
    .optional(),
  tags: z.record(z.string().regex(/^[\w .:/=+@-]{1,128}$/, "a tag key has 1-128 characters"), values()).optional(),
  thumbprints: z.array(thumbprint()).min(1).max(5).optional(),
  tls: z.literal("private-ca", "tls is private-ca, or left out").optional(),
  mint: mint().optional(),
});

/** Members that go together: whom a link is for is said in one of two ways. */
export const forms = [
  ["issuer", "clientId", "subject"],
  ["issuer", "clientId", "subjectLike"],
] as const;

/** What the file says of a workload of some issuer. */
export type OidcSide = z.infer<z.ZodObject<ReturnType<typeof from>>>;
export const sideOf = (link: Link): OidcSide => link.from.spec as unknown as OidcSide;
