import type { Code, Finding, Identity, Issuer, Link, Party, Resource, World } from "../../model.ts";
import { finding } from "../../model.ts";
import { CloudError, inParallel } from "../../run/retry.ts";
import { getProject } from "./calls.ts";
import { identityOf, isDefaultAccount, serviceAccountAddress } from "./claims.ts";
import { explainMint } from "./explain.ts";
import { bindingKind, bindingOnUsedKind } from "./federation/binding.ts";
import { poolKind } from "./federation/pool.ts";
import { poolProviderKind } from "./federation/pool-provider.ts";
import { reviewPoolProvider } from "./federation/review.ts";
import { grantMint, recallGrant } from "./grant.ts";
import { denyPolicyKind, guardResource } from "./guard.ts";
import { type AccountSpec, accountKind } from "./kind.ts";
import { lintShared } from "./lint-shared.ts";
import { lintTarget } from "./lint-target.ts";
import { messages } from "./messages.ts";
import { mint } from "./mint.ts";
import { nextSteps } from "./next-steps.ts";
import { preflight } from "./preflight.ts";
import { relying } from "./relying.ts";
import { forms, from, isSignIn, may, serviceAccountOf, signInOf, sinkOf, targetOf, to } from "./shape.ts";
import { signIn } from "./sign-in.ts";
import { audit } from "./speakers/audit.ts";
import { tokenCreatorKind, tokenCreators } from "./token-creator.ts";

/** The account is desired enabled: one that somebody disabled is drift, and apply switches it on. */
const accounts: Issuer = {
  identify(link) {
    const { identity, account } = identityOf(link);
    const { project, id, email, hold } = account;
    const spec: AccountSpec = { project, id, email, disabled: false };
    const guard = guardResource(link, project);
    const covers = hold === "own" && guard.length > 0 ? { covers: guard.map(({ address }) => address) } : {};
    const address = serviceAccountAddress(account);
    const resource: Resource<AccountSpec> = { address, links: [link.name], hold, spec, ...covers };
    return { identity, resources: [resource, ...guard] };
  },
  mint,
  explainMint,
  grantMint,
  recallGrant,
};

const of = (link: Link): Issuer => (isSignIn(link) ? signIn : accounts);

/** Service accounts and people have an issuer in common, and nothing else. */
const issuer: Issuer = {
  identify: (link) => of(link).identify(link),
  mint: (ask, world) => of(ask.link).mint(ask, world),
  explainMint: (ask, error) => of(ask.link).explainMint(ask, error),
  grantMint: (ask, world) => of(ask.link).grantMint(ask, world),
  recallGrant: (link, world) => of(link).recallGrant(link, world),
};

/** Google Cloud as a party. `kinds` is in the order of making; removal goes through it backwards. */
export const google: Party = {
  ...{ name: "google", issuer, relying, title, identityName, lint, reach, preflight },
  messages,
  kinds: [poolKind, poolProviderKind, accountKind, bindingKind, bindingOnUsedKind, tokenCreatorKind, denyPolicyKind],
  nextSteps,
  lintAll: lintShared,
  review: reviewPoolProvider,
  control: tokenCreators,
  audit,
};

function title(link: Link, side: "from" | "to"): string {
  if (side === "to") return titleOf(link);
  if (isSignIn(link)) return `${signInOf(link).subject}@accounts.google.com`;
  const { id, project, email, hold } = serviceAccountOf(link);
  return hold === "own" ? `${id}@${project}` : email;
}

/** A service account's e-mail; people and identities of a pool are nobody that a link could begin with. */
function identityName(link: Link, side: "from" | "to"): string | undefined {
  if (side === "to") return sinkOf(link)?.email;
  return isSignIn(link) ? undefined : serviceAccountOf(link).email;
}

/**
 * Every project that is named is there and active; a deleted one answers too, for a while. Missing and denied
 * are one finding. An API that is off is thrown on, with its own remedy.
 */
async function reach(resources: readonly Resource[], world: World): Promise<readonly Finding[]> {
  const projects = [...new Set(resources.map((resource) => String(resource.spec.project)))];
  const found = await inParallel(projects, 4, async (project): Promise<readonly Finding[]> => {
    const problem = (code: Code, says: string, fix: readonly string[]): readonly Finding[] => [
      { code, severity: "error", asks: "denied", at: {}, says, because: [], fix },
    ];
    try {
      const { lifecycleState } = await getProject(world, project);
      if (lifecycleState === "ACTIVE") return [];
      return problem("GOOGLE-PROJECT", `the google project ${project} is ${lifecycleState.toLowerCase()}`, [
        "name another project",
      ]);
    } catch (error) {
      if (!(error instanceof CloudError) || (error.class !== "missing" && error.class !== "denied")) throw error;
      if (error.code === "SERVICE_DISABLED") throw error;
      const says = `the google project ${project} does not exist, or these credentials do not see it`;
      return problem("GOOGLE-PROJECT", says, [`gcloud projects describe ${project}`, ...(error.fix ?? [])]);
    }
  });
  return found.flat();
}

/** An account that is spoken for, or the pool provider that lets in. */
function titleOf(link: Link): string {
  const { pool, poolProvider } = targetOf(link);
  const sink = sinkOf(link);
  return sink ? `${sink.id}@${sink.project}` : `${pool}/${poolProvider}`;
}

/** Google's part of the federation file. */
export const shape = {
  party: "google",
  ...{ from, to, may },
  forms: { from: forms },
  shares: true as const,
  audience: ({ clientId }: Readonly<Record<string, unknown>>) => (typeof clientId === "string" ? clientId : undefined),
  canary: {
    from: ({ project, serviceAccount }: Readonly<Record<string, unknown>>, checker: string) =>
      serviceAccount === undefined ? undefined : { project, serviceAccount: checker },
  },
};

function lint(link: Link, identity: Identity): readonly Finding[] {
  const there = link.to.party === "google" ? lintTarget(link, identity) : [];
  return [...there, ...lintAccount(link)];
}

function lintAccount(link: Link): readonly Finding[] {
  if (link.from.party !== "google" || isSignIn(link)) return [];
  const { email } = serviceAccountOf(link);
  const elsewhere = otherProject(link, email);
  if (!isDefaultAccount(email)) return elsewhere;
  return [
    ...elsewhere,
    {
      code: "GOOGLE-DEFAULT-ACCOUNT",
      severity: "warning",
      at: { place: link.at("from.google.serviceAccount") },
      links: [link.name],
      says: `${email} is the project's default account: whatever runs there without an account of its own gets in too`,
      because: [],
      fix: ["give the workload a service account of its own; a plain name here makes one"],
    },
  ];
}

/** The e-mail of an account names its project; that of the default account of Compute Engine names a number. */
function otherProject(link: Link, email: string): readonly Finding[] {
  const { project } = link.from.spec;
  const home = /@([a-z][a-z0-9-]+)\.iam\.gserviceaccount\.com$|^([a-z][a-z0-9-]+)@appspot\./.exec(email)?.slice(1);
  const named = home?.find((one) => one !== undefined);
  if (named === undefined || named === project) return [];
  return [
    finding("FIELDS-CONTRADICT", {
      at: { place: link.at("from.google.serviceAccount") },
      links: [link.name],
      says: `${email} is of the project ${named}, and from.google.project is ${project}`,
      fix: [`from.google.project: ${named}`, `or an account of ${project}`],
    }),
  ];
}
