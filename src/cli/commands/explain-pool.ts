import { existsSync } from "node:fs";
import { z } from "zod";
import { judgePool, type PoolTrust } from "../../judge/google/judge.ts";
import { type TokenRefusal, tokenRefusal } from "../../judge/google/token.ts";
import type { Finding, World } from "../../model.ts";
import { causeOfRows } from "../../parties/google/explain-exchange.ts";
import { getPool, getPoolProvider } from "../../parties/google/federation/calls.ts";
import { tokenCause } from "../../parties/google/token-cause.ts";
import { findingText } from "../../say/findings.ts";
import { document, findingBody } from "../../say/json.ts";
import { shownValue } from "../../say/visible.ts";
import { codes } from "../../verdict/exit.ts";
import { version } from "../../version.ts";
import { readText } from "../context.ts";
import { UsageError } from "../exit.ts";
import type { Command } from "../run.ts";
import { read } from "./explain-token.ts";

/** A token that somebody has, and the pool provider that refuses it: by its full name, or as `gcloud .. describe` printed it. */
export interface PoolAsk {
  readonly token: string;
  readonly poolProvider: string;
}

/** As IAM shows it; of a file only what decides counts. */
const shown = z.object({
  name: z.string().default(""),
  disabled: z.boolean().default(false),
  state: z.string().default("ACTIVE"),
  attributeMapping: z.record(z.string(), z.string()).default({}),
  attributeCondition: z.string().default(""),
  aws: z.object({ accountId: z.string() }).optional(),
  oidc: z.object({ issuerUri: z.string(), allowedAudiences: z.array(z.string()).default([]) }).optional(),
});

/** Judges a real token against a pool provider, row by row. With a file nothing is contacted; signatures are not verified. */
export const explainAtPool: Command<PoolAsk> = async ({ flags, world, paper }, ask) => {
  const { claims, header } = read(ask.token);
  const trust = existsSync(ask.poolProvider) ? inFile(ask.poolProvider) : await live(ask.poolProvider, world);
  const judged = judgePool(claims, trust);
  // A pool provider of AWS takes signed requests, which have no such claims.
  const before =
    trust.type === "aws" ? undefined : tokenRefusal({ header, claims }, Math.floor(world.clock.now() / 1000));
  const finding = findingOf(judged, before);
  const exit = finding ? (finding.asks === "untold" ? codes.untold : codes.broken) : codes.fine;
  if (flags.json) {
    const envelope = { tool: version, world: world.kind, command: "explain", exit };
    return { exit, text: document(envelope, { claims, findings: finding ? [findingBody(finding)] : [] }) };
  }
  const who = shownValue(`${claims.sub}   of ${claims.iss}`);
  const fine = shownValue(`this pool provider lets the token in, as ${judged.attributes?.subject}`);
  return { exit, text: [who, "", finding ? findingText(finding, paper) : fine].join("\n") };
};

function findingOf(
  { allow, rows, unknown = [] }: ReturnType<typeof judgePool>,
  before: TokenRefusal | undefined,
): Finding | undefined {
  const base = { severity: "error", at: {}, because: rows } as const;
  if (before) return { ...base, ...tokenCause(before), because: [before.row, ...rows], asks: "broken" };
  if (allow === true) return undefined;
  if (allow === "unknown") {
    const says = `these parts cannot be judged from here: ${unknown.join(", ")}`;
    return { ...base, code: "GOOGLE-CONDITION-UNDECIDED", says, fix: ["read the condition"], asks: "untold" };
  }
  return { ...base, ...causeOfRows(rows, "the pool provider"), asks: "broken" };
}

function inFile(path: string): PoolTrust {
  const text = readText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(
      `${path} holds no JSON: gcloud iam workload-identity-pools providers describe .. --format=json`,
    );
  }
  const found = shown.safeParse(value);
  if (!found.success || (!found.data.aws && !found.data.oidc))
    throw new UsageError(`${path} holds no pool provider of aws or oidc`);
  return trustOf(found.data, found.data.name);
}

function trustOf(found: z.infer<typeof shown>, name: string): PoolTrust {
  const off =
    found.state === "DELETED"
      ? "the pool provider is deleted"
      : found.disabled
        ? "the pool provider is disabled"
        : undefined;
  return {
    type: found.aws ? "aws" : "oidc",
    source: found.aws?.accountId ?? found.oidc?.issuerUri ?? "",
    audiences: found.oidc?.allowedAudiences ?? [],
    name: name ? `//iam.googleapis.com/${name}` : undefined,
    ...{ mapping: found.attributeMapping, condition: found.attributeCondition },
    ...(off ? { off } : {}),
  };
}

async function live(name: string, world: World): Promise<PoolTrust> {
  const [, project = "", pool = "", id = ""] =
    /(?:^|\/\/iam\.googleapis\.com\/)projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/.exec(
      name,
    ) ?? [];
  if (!project)
    throw new UsageError(
      "--pool-provider is projects/P/locations/global/workloadIdentityPools/POOL/providers/ID, or a file",
    );
  const [around, found] = await Promise.all([
    getPool(world, { project, pool }),
    getPoolProvider(world, { project, pool, id }),
  ]);
  if (!found) throw new UsageError(`there is no pool provider ${id} in ${pool}`);
  const trust = trustOf(found, found.name);
  return around?.disabled ? { ...trust, off: "the pool is disabled" } : trust;
}
