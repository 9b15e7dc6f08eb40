import { z } from "zod";
import { nearest, type Side } from "../model.ts";
import { acceptable } from "./acceptable.ts";

/**
 * What a party adds to the file: the members of its `from` and `to`, and the form of one permission. The
 * file's shape is gathered from these, so that no rule about a cloud stands outside that cloud's folder.
 */
export interface PartyShape {
  readonly party: string;
  /** Absent where it cannot issue; `to` is absent where it cannot rely. Made when a file is read, and not before. */
  readonly from?: () => z.ZodRawShape;
  readonly to?: () => z.ZodRawShape;
  readonly may?: () => z.ZodType;
  /** Sets of members that go together, where a side is written in more than one way. */
  readonly forms?: { readonly from: readonly (readonly string[])[] };
  /** Several links may share what holds the trust, so that decisions can stand on it (`to.google.accept`). */
  readonly shares?: true;
  /** What tokens are asked for where the file says it on this side; else each link has an audience of its own. */
  readonly audience?: (from: Readonly<Record<string, unknown>>) => string | undefined;
  /**
   * The sides of the link that `prove: canary` proves: the checker in the workload's place, and a second thing of the
   * same kind to get into. Undefined where the side has no such thing.
   */
  readonly canary?: {
    readonly from?: (from: Readonly<Record<string, unknown>>, checker: string) => Side["spec"] | undefined;
    readonly to?: (to: Readonly<Record<string, unknown>>) => Side["spec"];
  };
}

/** No unknown keys: a wrong one is answered with the nearest right one. `what` names the map in errors. */
export function strict(members: z.ZodRawShape, what: string): z.ZodObject {
  const known = Object.keys(members);
  return z.strictObject(members, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return `${what} is a map with ${known.join(", ")}`;
      // A line for each key: whoever reads the issue tells them apart.
      return issue.keys.map((key) => advice(key, known) ?? `${what} takes ${known.join(", ")}`).join("\n");
    },
  });
}

function advice(key: string, known: readonly string[]): string | undefined {
  const guess = nearest(key, known);
  return guess && `did you mean ${guess}?`;
}

/**
 * Exactly one party, named by its key. Each is optional to the parser and a refinement counts them, so that
 * errors speak of the one that is there; the counts below are for the JSON schema, which sees no refinement.
 */
function side(which: "from" | "to", shapes: readonly PartyShape[]): z.ZodType {
  const members: Record<string, z.ZodType> = {};
  for (const shape of shapes) {
    const own = shape[which]?.();
    if (!own) continue;
    const shared = which === "to" && shape.shares ? { accept: accepts() } : {};
    const whole = strict({ ...own, ...shared }, `${which}.${shape.party}`);
    const forms = which === "from" ? shape.forms?.from : undefined;
    members[shape.party] = (forms ? oneForm(whole, forms) : whole).optional();
  }
  const names = Object.keys(members).join(", ");
  const exactlyOne = (value: object) => Object.keys(value).length === 1;
  return strict(members, which)
    .refine(exactlyOne, `${which} names exactly one of ${names}`)
    .meta({ minProperties: 1, maxProperties: 1 });
}

/**
 * Of the forms the one that is meant is the one that most of its members are there of; what it lacks is missing, and
 * what belongs to another form alone does not fit.
 */
function oneForm(whole: z.ZodObject, forms: readonly (readonly string[])[]): z.ZodType {
  const all = [...new Set(forms.flat())];
  return whole
    .superRefine((value, context) => {
      const has = (key: string) => (value as Record<string, unknown>)[key] !== undefined;
      const score = (form: readonly string[]) => form.filter(has).length - form.filter((key) => !has(key)).length;
      const meant = [...forms].sort((a, b) => score(b) - score(a))[0] ?? [];
      for (const key of meant.filter((one) => !has(one)))
        context.addIssue({ code: "invalid_type", expected: "string", input: undefined, path: [key] });
      for (const key of all.filter((one) => has(one) && !meant.includes(one)))
        context.addIssue({ code: "custom", path: [key], message: `does not go together with ${meant.join(", ")}` });
    })
    .meta({ anyOf: forms.map((required) => ({ required: [...required] })) });
}

const functionAccount = z
  .string("an e-mail of a service account is wanted")
  .regex(
    /^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z][a-z0-9-]{4,28}[a-z0-9]\.iam\.gserviceaccount\.com$/,
    "a function runs as a service account of its own: ID@PROJECT.iam.gserviceaccount.com",
  );

/** Two accounts: whoever can change trust must not be the one who watches it (fact sheet, 4.4). */
/** `guard`: what nobody may do in the projects of the file, whatever else they were given (contract, section 3). */
const guard = strict(
  {
    denyServiceAccountKeys: z
      .enum(["true", "false"], "denyServiceAccountKeys is true or false")
      .transform((text) => text === "true"),
    breakGlass: z.email("breakGlass is the e-mail of a group").optional(),
  },
  "guard",
);

const control = strict({ checker: functionAccount, provisioner: functionAccount }, "control")
  .refine(({ checker, provisioner }) => checker !== provisioner, "checker and provisioner are two accounts")
  .optional();

/** Public members and whole pools bound nobody, so no list can stand for them. */
const member = z
  .string()
  .regex(
    /^(?:(?:user|group|serviceAccount):[^\s@]+@[^\s@]+|serviceAccount:[^\s[\]]+\.svc\.id\.goog\[[^\s[\]]+\]|domain:[^\s@]+|principal(?:Set)?:\/\/(?!.*\/\*$)\S+)$/,
    "a speaker is a member as policies name it: group:platform@example.com, user:jo@example.com; neither allUsers nor a whole pool",
  );

const list = (item: z.ZodType) => z.array(item, "a list is wanted here");

const acceptableCodes = acceptable.map(({ code }) => code);

/** A day of the calendar: 2027-02-30 is none. */
const isDay = (text: string): boolean => new Date(text).toJSON()?.slice(0, 10) === text;

/** Decisions to live with a finding, each pinned to the value that the finding shows (contract, section 9). */
const accepts = () =>
  list(
    strict(
      {
        finding: z.enum(acceptableCodes, `only these can be accepted: ${acceptableCodes.join(", ")}`),
        of: z.string().min(1, "the value that the finding shows after `of`").max(4096),
        reason: z.string().regex(/\S/, "a reason that others understand").max(500),
        until: z
          .string()
          .regex(/^\d{4}-\d{2}-\d{2}$/, "a day such as 2027-03-01")
          .refine(isDay, "the calendar has no such day")
          .optional(),
      },
      "accept",
    ),
  ).optional();

/** Minutes, up to a day: Cloud Scheduler knows no shorter step, and who looks less often need not be told soon. */
const minutes = z
  .string()
  .regex(/^([1-9]\d{0,2}|1[0-3]\d\d|14[0-3]\d|1440)$/, "the schedule is a number of minutes, 1 to 1440")
  .meta({ digits: true });
const variable = z
  .string()
  .regex(/^env:[A-Z][A-Z0-9_]*$/, "the URL of a webhook is a secret: name its variable, env:NAME");

/**
 * The whole file. The members of `may` are checked once more against the party they belong to. Digits stay
 * text: an account may start with 0 and a unique id has 21 of them (contract, section 3).
 */
export function federationShape(shapes: readonly PartyShape[]): z.ZodType {
  const permissions = shapes.flatMap((shape) => (shape.may ? [shape.may()] : []));
  const link = strict(
    {
      from: side("from", shapes),
      to: side("to", shapes),
      may: list(z.union(permissions as [z.ZodType, z.ZodType])).default([]),
      prove: z.enum(["judge", "canary", "exchange"], "prove is judge or canary, or left out").default("exchange"),
      accept: accepts(),
    },
    "a link",
  );
  const linkName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "a link's name has 1-40 of a-z 0-9 -");
  return strict(
    {
      crosstrust: z.literal("1", "the format is crosstrust: 1"),
      name: z.string("a name is wanted").regex(/^[a-z0-9-]{3,20}$/, "the deployment's name has 3-20 of a-z 0-9 -"),
      control,
      guard: guard.optional(),
      speakers: list(member).optional(),
      links: z
        .record(linkName, link, "links is a map from a name to a link")
        .refine((links) => Object.keys(links).length > 0, "there is no link yet"),
      schedule: minutes.optional(),
      region: z
        .string()
        .regex(/^[a-z]+-[a-z]+\d{1,2}$/, "a region of Google Cloud looks like europe-west1")
        .optional(),
      alerts: strict({ webhook: variable }, "alerts").optional(),
      accept: accepts(),
    },
    "the file",
  );
}

/** The same shape without a look into `may`, so that a wrong permission is told in its own words. */
export function withoutPermissions(shapes: readonly PartyShape[]): z.ZodType {
  return federationShape(shapes.map(({ may: _, ...rest }) => ({ ...rest, may: () => z.unknown() })));
}

/**
 * JSON schema for editors. Members that their shape marks with `digits` may be an integer there, because YAML
 * editors read them so; our own reader keeps every scalar as text, and the mark is taken out again.
 */
export function jsonSchema(shapes: readonly PartyShape[]): Record<string, unknown> {
  const schema = z.toJSONSchema(federationShape(shapes), {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema: out }) => {
      if (z.globalRegistry.get(zodSchema)?.digits && out.type === "string") {
        const { type: _, ...rest } = out;
        for (const key of Object.keys(out)) delete out[key];
        Object.assign(out, { anyOf: [{ type: "string", ...rest }, { type: "integer" }] });
      }
      // Our own reader keeps `true` as text, too.
      if (String(out.enum) === "true,false")
        Object.assign(out, { anyOf: [{ type: "boolean" }, { enum: out.enum }], enum: undefined, type: undefined });
      for (const branch of [out, ...(out.anyOf ?? [])]) delete (branch as Record<string, unknown>).digits;
      if (out.const === "1") Object.assign(out, { const: undefined, enum: ["1", 1], type: undefined });
    },
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "crosstrust federation file",
    ...clean(schema),
  };
}

const clean = (value: unknown): Record<string, unknown> => JSON.parse(JSON.stringify(value));
