import type { Attributes } from "../../judge/google/attributes.ts";
import { renderCondition } from "../../judge/google/condition.ts";
import { judgePool, type PoolTrust } from "../../judge/google/judge.ts";
import { isMeant } from "../../judge/google/principals.ts";
import type { Evidence, Judgement, LivePresent, TrustView } from "../../model.ts";
import { tailsOf } from "./federation/binding-spec.ts";
import { type PoolProviderSpec, poolName, poolProviderName } from "./federation/spec.ts";
import { targetOf } from "./shape.ts";

/** A pool provider as it is live, or as the file wants it. */
export function trustOf({ link, live, lookup }: TrustView): PoolTrust | undefined {
  if (live.state !== "present") return undefined;
  const { type, source, audiences, mapping, conditions, disabled, keys } = (live as LivePresent<PoolProviderSpec>).spec;
  const pool = lookup({ ...poolName(targetOf(link)), field: "disabled" }) === "true";
  const off = pool ? "the pool is disabled" : disabled ? "the pool provider is disabled" : undefined;
  return {
    type: type === "aws" ? "aws" : "oidc",
    ...{ source: String(source), audiences, mapping, condition: renderCondition(conditions) },
    name: poolProviderName(link, lookup),
    ...(off || keys !== "issuer" ? { off: off ?? "its keys were uploaded, and not the issuer's" } : {}),
  };
}

const missing = ({ link, live }: TrustView): Evidence => ({
  ...{ key: "pool provider", wants: targetOf(link).poolProvider, readFrom: "iam", ok: false },
  says: live.state === "deleted" ? "(deleted)" : "(absent)",
});

/** Believed by the pool provider, and one of those whom the link means: else it would be somebody else's token. */
export function judge(claims: Readonly<Record<string, unknown>>, view: TrustView): Judgement {
  const pool = trustOf(view);
  if (!pool) return { allow: false, rows: [missing(view)] };
  const judged = judgePool(claims, pool);
  const { attributes } = judged;
  const { identity } = view;
  if (!attributes || !identity) return judged;
  const tails = tailsOf(targetOf(view.link), identity);
  const ok = tails.some((tail) => isMeant(tail, attributes));
  const row: Evidence = {
    ...{ key: "principal", wants: tails.join(" or "), readFrom: "mapping", ok },
    says: wordsFor(tails, attributes),
  };
  return { ...judged, rows: [...judged.rows, row], allow: ok ? judged.allow : false };
}

/** The attribute that a principal speaks of, as the mapping filled it. */
function wordsFor(tails: readonly string[], { subject, custom }: Attributes) {
  const names = [...new Set(tails.map((tail) => tail.split("/")[0] ?? ""))];
  const said = names.map((name) =>
    name === "subject" ? subject : (custom[name.replace("attribute.", "")] ?? "(not mapped)"),
  );
  return said.join(", ") || "(nothing)";
}
