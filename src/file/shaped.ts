import type { z } from "zod";
import type { Accept, Code, Control, Federation, Finding, Guard, Link, Permission, Place, Side } from "../model.ts";
import { nearestPlace, placesOf } from "./places.ts";
import { federationShape, type PartyShape, withoutPermissions } from "./schema.ts";
import type { Parsed } from "./tree.ts";

/** A federation, or all that is wrong with the file: never half of one. */
export interface ReadResult {
  /** Absent when there is an error among the findings. */
  readonly federation?: Federation;
  readonly findings: readonly Finding[];
}

/** The file as its shape leaves it: each side still stands under the name of its party. */
interface RawLink {
  readonly from: Record<string, Record<string, unknown>>;
  readonly to: Record<string, Record<string, unknown>>;
  readonly may: readonly Permission[];
  readonly prove: Link["prove"];
  readonly accept?: readonly RawAccept[];
}
type RawAccept = Pick<Accept, "finding" | "of" | "reason" | "until">;
interface RawFile {
  readonly name: string;
  readonly control?: Control;
  readonly guard?: Guard;
  readonly links: Record<string, RawLink>;
  readonly schedule?: string;
  readonly region?: string;
  readonly alerts?: { readonly webhook: string };
  readonly accept?: readonly RawAccept[];
  readonly speakers?: readonly string[];
}

/** A file as it was parsed, and the shapes of the parties that it is held against. */
export interface Source {
  readonly file: string;
  readonly parsed: Parsed;
  readonly shapes: readonly PartyShape[];
}

/**
 * The second half of reading: a tree with places, held against the shape gathered from the parties. It needs no YAML, so
 * a function that starts over a tree parsed before does not load what parses it.
 *
 * What does not fit is looked at again without `may`, because a union of all parties' permissions would answer a wrong
 * one with the complaints of every party; each permission is held against its own party in any case. Where the YAML itself is wrong at a place, what the shape says about the same place is left out:
 * it would only repeat it.
 */
export function shaped({ file, parsed, shapes }: Source): ReadResult {
  const start = { file, line: 1, column: 1 };
  if (parsed.tree === undefined && parsed.findings.length === 0)
    return wrong("CONFIG-EMPTY", start, "the file is empty");
  if (parsed.tree === undefined) return { findings: parsed.findings };
  if (typeof parsed.tree === "string" || Array.isArray(parsed.tree)) {
    return wrong("CONFIG-NOT-A-MAP", start, "the file is one map: crosstrust, name, links");
  }
  const whole = federationShape(shapes).safeParse(parsed.tree);
  const plain = whole.success ? whole : withoutPermissions(shapes).safeParse(parsed.tree);
  const issues = plain.success ? permissionIssues(plain.data as RawFile, shapes) : plain.error.issues;
  const told = new Set(parsed.findings.map((finding) => spot(finding.at.place)));
  const shaped = issues
    .flatMap((issue) => explain(issue, parsed))
    .filter((finding) => !told.has(spot(finding.at.place)));
  const findings = [...parsed.findings, ...shaped].sort(byPlace);
  if (findings.length > 0 || !plain.success) return { findings };
  const raw = plain.data as RawFile;
  const federation: Federation = {
    file,
    name: raw.name,
    links: links(raw, { file, parsed, shapes }),
    accepts: accepts(raw, parsed.places),
    ...watching(raw),
  };
  const birdless = federation.links.filter(({ prove, canary }) => prove === "canary" && !canary);
  if (birdless.length > 0)
    return { findings: birdless.map((link) => problem("BAD-VALUE", link.at("prove"), noCanary)) };
  return { federation: { ...federation, ...(raw.control ? { control: raw.control } : {}) }, findings };
}

const noCanary =
  "prove: canary is for service accounts of google that go to aws, in a file whose control: names the checker";

const watching = ({ schedule, region, alerts, speakers }: RawFile) => ({
  ...(speakers ? { speakers } : {}),
  ...(region ? { region } : {}),
  ...(schedule ? { schedule: Number(schedule) } : {}),
  ...(alerts ? { webhook: alerts.webhook.slice("env:".length) } : {}),
});

/** Every `accept` of the file, with where it stands: on a link, on the pool provider of one, or at the top. */
function accepts(raw: RawFile, places: Parsed["places"]): readonly Accept[] {
  const at = (path: string, all: readonly RawAccept[] = [], scope: Pick<Accept, "link" | "shared"> = {}) =>
    all.map((one, number): Accept => {
      const place = nearestPlace(places, [...path.split("."), String(number)]);
      return { ...one, ...scope, place };
    });
  const onLinks = Object.entries(raw.links).flatMap(([link, { accept, to }]) => [
    ...at(`links.${link}.accept`, accept, { link }),
    ...Object.entries(to).flatMap(([party, side]) =>
      at(`links.${link}.to.${party}.accept`, side.accept as readonly RawAccept[] | undefined, { link, shared: true }),
    ),
  ]);
  return [...at("accept", raw.accept), ...onLinks];
}

/** For a file that has nothing in it to point at. */
function wrong(code: Code, place: Place, says: string): ReadResult {
  const fix = ["crosstrust init   # writes a file to start from"];
  return { findings: [{ code, severity: "error", at: { place }, says, because: [], fix }] };
}

/** Each permission against the shape of the link's own relying party, so that the error speaks of that party. */
function permissionIssues(file: RawFile, shapes: readonly PartyShape[]): z.core.$ZodIssue[] {
  return Object.entries(file.links).flatMap(([name, link]) => {
    const shape = shapes.find((candidate) => candidate.party === Object.keys(link.to)[0]);
    return link.may.flatMap((permission, at) => {
      const result = shape?.may?.().safeParse(permission);
      const found = result && !result.success ? result.error.issues.flatMap(innermost(permission)) : [];
      return found.map((issue) => ({ ...issue, path: ["links", name, "may", at, ...issue.path] }));
    });
  });
}

/** Of a union only the branch that fits the value's kind says something useful. */
const innermost =
  (value: unknown) =>
  (issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] => {
    if (issue.code !== "invalid_union") return [issue];
    const branch = issue.errors.find((errors) =>
      errors.every((inner) => inner.code !== "invalid_type" || inner.path.length),
    );
    return branch ?? [{ ...issue, message: `a permission is a policy or { allow, resources }, not ${typeof value}` }];
  };

/** In words for people. A wrong key is placed at the key, a missing one at the map that lacks it. */
function explain(issue: z.core.$ZodIssue, parsed: Parsed): Finding[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const advice = issue.message.split("\n");
    return issue.keys.map((key, at) => {
      const place = parsed.keys.get([...path, key].join(".")) ?? nearestPlace(parsed.places, [...path, key]);
      return problem("UNKNOWN-KEY", place, `unknown key ${key}: ${advice[at] ?? issue.message}`);
    });
  }
  if (issue.code === "invalid_key") {
    const place = parsed.keys.get(path.join(".")) ?? nearestPlace(parsed.places, path);
    return [problem("BAD-VALUE", place, issue.issues[0]?.message ?? issue.message)];
  }
  const place = nearestPlace(parsed.places, path);
  const what = path.filter((step) => !/^\d+$/.test(step)).at(-1) ?? "the file";
  // Zod reports an absent key as a value of the wrong kind; where nothing stands, say so.
  if (issue.code.startsWith("invalid_") && !parsed.places.has(path.join("."))) {
    return [problem("MISSING-KEY", place, `${what} is missing here`)];
  }
  return [problem("BAD-VALUE", place, `${what}: ${sized(issue) ?? issue.message}`)];
}

/** Zod's own words for a size, where a shape has none, speak of types. */
function sized(issue: z.core.$ZodIssue): string | undefined {
  if (!issue.message.startsWith("Too ")) return undefined;
  const unit = "origin" in issue && issue.origin === "string" ? "characters" : "entries";
  if (issue.code === "too_small")
    return issue.minimum === 1 ? "nothing stands here" : `at least ${issue.minimum} ${unit}`;
  return issue.code === "too_big" ? `at most ${issue.maximum} ${unit}` : undefined;
}

const problem = (code: Code, place: Place, says: string): Finding => ({
  code,
  severity: "error",
  at: { place },
  says: says.charAt(0).toLowerCase() + says.slice(1),
  because: [],
  fix: [],
});

function links(raw: RawFile, { file, parsed, shapes }: Source): Link[] {
  return Object.entries(raw.links).map(([name, link]) => {
    const [from, to] = [sideOf(link.from), sideOf(link.to)];
    const place = parsed.keys.get(`links.${name}`) ?? { file, line: 1, column: 1 };
    const given = to.spec.audience ?? shapes.find(({ party }) => party === from.party)?.audience?.(from.spec);
    const read: Link = {
      name,
      deployment: raw.name,
      from,
      to,
      audience: typeof given === "string" ? given : `crosstrust/${raw.name}/${name}`,
      may: link.may,
      ...(raw.control ? { controlled: true as const } : {}),
      ...(raw.guard ? { guard: raw.guard } : {}),
      prove: link.prove,
      place,
      at: placesOf(name, parsed.places),
    };
    const canary = link.prove === "canary" ? canaryOf(read, raw.control, shapes) : undefined;
    return canary ? { ...read, canary } : read;
  });
}

/** For the same audience, so that its token, held against the link's own trust, is that of somebody else and no more. */
function canaryOf(link: Link, control: Control | undefined, shapes: readonly PartyShape[]): Link | undefined {
  const of = (name: string) => shapes.find(({ party }) => party === name)?.canary;
  const from = control && of(link.from.party)?.from?.(link.from.spec, control.checker);
  const to = of(link.to.party)?.to?.(link.to.spec);
  if (!from || !to) return undefined;
  const sides = { from: { ...link.from, spec: from }, to: { ...link.to, spec: to } };
  return { ...link, ...sides, may: [], prove: "exchange" };
}

/** The shape has seen to it that exactly one party stands there. What is accepted there is no part of the side. */
function sideOf(side: Record<string, Record<string, unknown>>): Side {
  const [party = "", whole = {}] = Object.entries(side)[0] ?? [];
  const { accept: _, ...spec } = whole;
  return { party, spec };
}

const spot = (place: Place | undefined): string => `${place?.line}:${place?.column}`;

const byPlace = (a: Finding, b: Finding): number =>
  (a.at.place?.line ?? 0) - (b.at.place?.line ?? 0) || (a.at.place?.column ?? 0) - (b.at.place?.column ?? 0);
