import { type TokenRefusal, tokenRefusal } from "../../judge/google/token.ts";
import type { Code, Evidence, Failed, Finding, Judgement, TrustView } from "../../model.ts";
import { CloudError } from "../../run/retry.ts";
import { judge, trustOf } from "./judge.ts";
import { audienceMiss, issuerMiss } from "./near-misses.ts";
import { sinkOf, targetOf } from "./shape.ts";
import { tokenCause } from "./token-cause.ts";

type Cause = Pick<Finding, "code" | "says" | "fix"> & { readonly asks?: "untold" };

/**
 * Google names what it refuses, and the judge over the live pool provider says which part of it that was. Undefined for
 * every class but `denied` and `refused`: of a throttle or a cut connection nothing more is known.
 */
export function explain({ view, error, claims, header }: Failed): Finding | undefined {
  if (!(error instanceof CloudError)) return undefined;
  if (error.class !== "denied" && error.class !== "refused") return undefined;
  const judgement = judge(claims, view);
  const broken = brokenRule(error, { view, claims, ...(header ? { header } : {}) });
  const { code, says, fix, asks } = causeOf(error, judgement, { view, broken });
  const { link } = view;
  const at = { place: link.at("to.google") };
  return {
    severity: "error",
    asks: asks ?? "broken",
    at,
    links: [link.name],
    code,
    says,
    fix,
    because: broken && !isOff(judgement) ? [broken.row, ...judgement.rows] : judgement.rows,
  };
}

/**
 * The rule that a JWT breaks, where Google's token exchange refused the token itself (`invalid_grant`). What it said of a
 * target that is off, or of impersonation, means that it got further, or never looked.
 */
function brokenRule(error: CloudError, { view, claims, header }: Omit<Failed, "error">): TokenRefusal | undefined {
  if (error.service !== "google.sts" || error.code !== "invalid_grant" || view.now === undefined) return undefined;
  if (trustOf(view)?.type !== "oidc") return undefined;
  return tokenRefusal({ claims, ...(header ? { header } : {}) }, Math.floor(view.now / 1000));
}

const isOff = ({ rows }: Judgement): boolean => rows.some(({ key, ok }) => key === "state" && ok === false);

/** From the surest down: what is there, what Google says, what the judge sees. */
function causeOf(
  error: CloudError,
  judgement: Judgement,
  { view, broken }: { view: TrustView; broken: TokenRefusal | undefined },
): Cause {
  if (error.service === "google.iamcredentials") return impersonation(error, judgement, view);
  const wrong = judgement.rows.filter((row) => row.ok === false);
  const state = wrong.find(({ key }) => key === "state");
  if (view.live.state !== "present" || state) return off(view, state, byPlan);
  // Google names what it refuses of these; a rule that the token breaks besides is not why.
  const said = /issuer in ID Token|audience in ID Token|rejected by the attribute condition|mapped attribute/i;
  if (broken && !said.test(error.message)) return tokenCause(broken);
  if (/is stale to sign-in/.test(error.message)) return stale(error);
  const id = targetOf(view.link).poolProvider;
  if (judgement.allow === false) return causeOfRows(judgement.rows, id);
  return trustOf(view)?.keys === "uploaded" ? otherKeys(error, id) : anyway(error, judgement);
}

const byPlan = ["crosstrust plan   # shows what differs", "crosstrust apply   # repairs it"];

/**
 * What the judge sees, the first row that says no; also of a token and a pool provider that belong to no link, which no command
 * of ours repairs: then `repair` is what its owner can do.
 */
export function causeOfRows(rows: readonly Evidence[], id: string, repair: readonly string[] = byPlan): Cause {
  const wrong = rows.filter((row) => row.ok === false);
  const key = (name: string): Evidence | undefined => wrong.find((row) => row.key === name);
  const told = (code: Code, says: string): Cause => ({ code, says, fix: repair });
  const state = key("state");
  if (state) return told("GOOGLE-POOL-OFF", state.says);
  const account = key("account");
  if (account)
    return told(
      "GOOGLE-WRONG-ACCOUNT",
      `${id} believes the aws account ${account.wants}, and this workload is of ${account.says}`,
    );
  const iss = key("iss");
  if (iss) return issuer(iss, id, repair);
  const aud = key("aud");
  if (aud) {
    const says = `${id} takes tokens for ${aud.wants}, and this one is for ${aud.says}`;
    const miss = audienceMiss(aud);
    return miss
      ? { code: "GOOGLE-AUDIENCE", says: `${says}: ${miss.says}`, fix: [...miss.fix, ...repair] }
      : told("GOOGLE-AUDIENCE", says);
  }
  const mapped = wrong.find((row) => row.readFrom === "mapping" && row.key !== "principal");
  if (mapped) return mapping(mapped, id);
  return told("GOOGLE-CONDITION-FALSE", `the attribute condition of ${id} rejected the credential`);
}

function issuer(row: Evidence, id: string, repair: readonly string[]): Cause {
  const { wants, says } = row;
  const miss = issuerMiss(row);
  return {
    code: "GOOGLE-ISSUER",
    says: `${id} believes ${wants}, and the token is of ${says}${miss ? `: ${miss.says}` : ""}`,
    fix: [...nearly(wants, says), ...(miss?.fix ?? []), ...repair],
  };
}

/** A tenant of Entra has an issuer for each version of its tokens (entra.md 2). */
function nearly(wants: string, says: string): readonly string[] {
  const tenantOf = (text: string) =>
    /^https:\/\/(?:sts\.windows\.net|login\.[\w.]+)\/([0-9a-f-]{36})\b/.exec(text)?.[1];
  const tenant = tenantOf(wants);
  if (tenant !== undefined && tenant === tenantOf(says) && says.includes("/v2.0") !== wants.includes("/v2.0")) {
    const version = says.includes("/v2.0") ? "2" : "1";
    return [
      `the token is of version ${version}: tokenVersion: ${version} in from.entra,`,
      "or api.requestedAccessTokenVersion of the application, which decides what it is",
    ];
  }
  return [];
}

function off({ live }: TrustView, state: Evidence | undefined, repair: readonly string[]): Cause {
  const code = "GOOGLE-POOL-OFF";
  if (state) return { code, says: state.says, fix: repair };
  if (live.state === "deleted")
    return {
      code,
      says: "the pool provider is deleted, and its id held for 30 days",
      fix: ["crosstrust apply --undelete"],
    };
  return { code, says: "the pool provider does not exist", fix: ["crosstrust apply"] };
}

const stale = (error: CloudError): Cause => ({
  code: "GOOGLE-TOKEN-STALE",
  says: `google finds the token too old: ${error.message}`,
  fix: ["take a fresh one; a machine of azure caches its token for a day, and gives a new one only then"],
});

const otherKeys = (error: CloudError, id: string): Cause => ({
  code: "GOOGLE-KEYS-UPLOADED",
  says: `${id} goes by keys that somebody stored in it, not by its issuer's, and google refuses the token: ${error.message}`,
  fix: byPlan,
});

const mapping = ({ key, says }: Evidence, id: string): Cause =>
  /bytes/.test(says)
    ? {
        code: "GOOGLE-SUBJECT-SIZE",
        says: `${key} of ${id} is too long for google: ${says}`,
        fix: ["map a shorter part of the claim: to.google.mapping"],
      }
    : {
        code: "GOOGLE-MAPPING-FAILS",
        says: `the mapping of ${id} cannot be carried out: ${key}: ${says}`,
        fix: ["map what every token has, or test for it with has()"],
      };

/** A missing account, a disabled one and a missing binding answer alike (google.md, trap 4). */
function impersonation(error: CloudError, { rows }: Judgement, { link }: TrustView): Cause {
  const email = sinkOf(link)?.email ?? "";
  const misfit = rows.find(({ key, ok }) => key === "principal" && ok === false);
  const says = misfit
    ? `${email} may be spoken for by ${misfit.wants}, and the mapping makes this workload ${misfit.says}`
    : `google does not let this workload speak as ${email} (${error.detail ?? error.code})`;
  return {
    ...{ code: "GOOGLE-IMPERSONATION-DENIED", says },
    fix: [
      "crosstrust plan   # shows whether the account and its binding are there",
      "a fresh binding takes two minutes, seven at worst",
    ],
  };
}

/** The judge sees no policy of the organization, nor whether a change has propagated. */
function anyway(error: CloudError, { allow, unknown }: Judgement): Cause {
  if (allow === "unknown")
    return {
      code: "GOOGLE-CONDITION-UNDECIDED",
      asks: "untold",
      says: `google refuses, and this cannot be judged from here: ${unknown?.join(", ")}`,
      fix: ["read the condition"],
    };
  return {
    ...{
      code: "GOOGLE-REFUSED-ANYWAY",
      says: `the pool provider, as read now, takes this workload, and google refuses it: ${error.message}`,
    },
    fix: [
      "if it was changed within the last minutes: wait and try again",
      "else look at the message: google saw what the judge does not",
    ],
  };
}
