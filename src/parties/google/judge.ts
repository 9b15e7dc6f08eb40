import type { Attributes } from "../../judge/google/attributes.ts";
import { judgeDeclared } from "../../judge/google/declared.ts";
import { judgePool, type PoolTrust } from "../../judge/google/judge.ts";
import type { Tail } from "../../judge/google/principals.ts";
import { isMeant } from "../../judge/google/principals.ts";
import type { Evidence, Judgement, LivePresent, TrustView } from "../../model.ts";
import { tailsOf } from "./federation/binding-spec.ts";
import { type PoolProviderSpec, poolName, poolProviderName } from "./federation/spec.ts";
import { targetOf } from "./shape.ts";
import { trustFrom } from "./trust-from.ts";

/** A pool provider as it is live, or as the file wants it. */
export function trustOf({ link, live, lookup }: TrustView): PoolTrust | undefined {
  if (live.state !== "present") return undefined;
  const spec = (live as LivePresent<PoolProviderSpec>).spec;
  const pool = lookup({ ...poolName(targetOf(link)), field: "disabled" }) === "true";
  return trustFrom(spec, poolProviderName(link, lookup), pool);
}

const missing = ({ link, live }: TrustView): Evidence => ({
  key: "pool provider",
  wants: targetOf(link).poolProvider,
  says: live.state === "deleted" ? "(deleted)" : "(absent)",
  readFrom: "iam",
  ok: false,
});

/** Believed by the pool provider, and one of those whom the link means: else it would be somebody else's token. */
export function judge(claims: Readonly<Record<string, unknown>>, view: TrustView): Judgement {
  const pool = trustOf(view);
  if (!pool) return { allow: false, rows: [missing(view)] };
  const judged = view.declared ? judgeDeclared(claims, pool) : judgePool(claims, pool);
  const { attributes } = judged;
  const { identity } = view;
  if (!attributes || !identity) return judged;
  const tails = tailsOf(targetOf(view.link), identity);
  const ok = meant(tails, attributes, new Set(judged.guessed ?? []));
  const row: Evidence = {
    key: "principal",
    wants: tails.join(" or "),
    says: wordsFor(tails, attributes),
    readFrom: "mapping",
    ok,
  };
  const unsure = ok === "unknown" ? [...(judged.unknown ?? []), `principal: ${row.wants}`] : judged.unknown;
  const allow = ok === false ? false : ok === "unknown" && judged.allow === true ? "unknown" : judged.allow;
  return { rows: [...judged.rows, row], allow, ...(unsure ? { unknown: unsure } : {}) };
}

/** An attribute that is made of what nobody declared may be anything. */
function meant(tails: readonly Tail[], attributes: Attributes, guessed: ReadonlySet<string>): boolean | "unknown" {
  if (tails.some((tail) => isMeant(tail, attributes) && !guessed.has(keyOf(tail)))) return true;
  return tails.some((tail) => guessed.has(keyOf(tail))) ? "unknown" : false;
}

const keyOf = (tail: Tail): string => {
  const head = tail.split("/")[0] ?? "";
  return head === "subject" ? "google.subject" : head === "group" ? "google.groups" : head;
};

/** The attribute that a principal speaks of, as the mapping filled it. */
function wordsFor(tails: readonly Tail[], { subject, custom }: Attributes) {
  const names = [...new Set(tails.map((tail) => tail.split("/")[0] ?? ""))];
  const said = names.map((name) =>
    name === "subject" ? subject : (custom[name.replace("attribute.", "")] ?? "(not mapped)"),
  );
  return said.join(", ") || "(nothing)";
}
