import { z } from "zod";
import type { Link } from "../../model.ts";

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const isGuid = (text: string): boolean => guid.test(text);

/** Lower case, as it stands in tokens: what compares them does so byte for byte (entra.md 7.1). */
const id = (what: string) => z.string().regex(guid, `${what} is a GUID in lower case`);

/** Without `*` and `?`, which a condition would read as wildcards; a URI must not end with a slash (entra.md 8.1). */
const uri = /^(?:api|https):\/\/[\x21-\x29\x2b-\x3e\x40-\x7e]{0,250}[\x21-\x29\x2b-\x2e\x30-\x3e\x40-\x7e]$/;

/** A service principal's object id, or the long form of what a Microsoft service mints (entra.md 2.6). */
const subject = () =>
  z
    .string()
    .refine(
      (text) => guid.test(text) || /^\/eid1\/[\w/-]{1,240}$/.test(text),
      "the subject is the object id (a GUID in lower case) of a service principal, or begins with /eid1/",
    );

const one = (members: readonly string[]) => (value: object) =>
  members.filter((name) => (value as Record<string, unknown>)[name] !== undefined).length === 1;

/** Zod's own words for a wrong key name it and no right one. */
const takes = (what: string, members: readonly string[]) => ({
  error: ({ code }: { readonly code: string }) =>
    code === "unrecognized_keys" ? `${what} takes ${members.join(", ")}` : undefined,
});

const credentials = ["clientId", "assertion", "secretFrom"];
const ways = ["tokenFile", "command", "clientCredentials"];

/** `mint`: how a token is got where the program does not run as the workload (contract, sections 3 and 7). */
const mint = () =>
  z
    .strictObject(
      {
        tokenFile: z.string().min(1).max(4096).optional(),
        command: z.array(z.string()).min(1, "a command is a list: the program, then its arguments").optional(),
        env: z
          .array(z.string().regex(/^[A-Za-z_]\w{0,127}$/, "env lists names of variables"))
          .min(1)
          .optional(),
        clientCredentials: z
          .strictObject(
            {
              clientId: id("clientId"),
              assertion: z.literal("google", "the only assertion is google").optional(),
              secretFrom: z
                .string()
                .regex(/^(?:env:[A-Za-z_]\w*|secretmanager:[\w/.-]+)$/, "a secret is env:NAME or secretmanager:NAME")
                .optional(),
            },
            takes("clientCredentials", credentials),
          )
          .refine(one(["assertion", "secretFrom"]), "clientCredentials has exactly one of assertion and secretFrom")
          .optional(),
      },
      takes("mint", [...ways, "env"]),
    )
    .refine(one(ways), `mint has exactly one of ${ways.join(", ")}`)
    .refine(({ command, env }) => env === undefined || command !== undefined, "env is for a command");

/** `from.entra`. What `tokenVersion` asks of the other members is told by `lint`: a raw shape cannot hold it. */
export const from = () => ({
  tenant: id("the tenant"),
  application: z
    .string()
    .refine(
      (text) => guid.test(text) || uri.test(text),
      "an application is an App ID URI such as api://my-app without a slash at its end, or its client id in lower case",
    ),
  subject: subject(),
  tokenVersion: z.enum(["1", "2"], "tokenVersion is 1 or 2").default("1").meta({ digits: true }),
  clientId: id("clientId").optional(),
  mint: mint().optional(),
});

/** The workload that a link starts from. */
export type Source = z.infer<z.ZodObject<ReturnType<typeof from>>>;

export const sourceOf = (link: Link): Source => link.from.spec as Source;
