import type { Finding, Issuer, Link, MintAsk, Party, Resource, World } from "../../model.ts";
import { CloudError, inParallel } from "../../run/retry.ts";
import { getProject } from "./calls.ts";
import { identityOf, isDefaultAccount, serviceAccountAddress } from "./claims.ts";
import { accountKind, type AccountSpec } from "./kind.ts";
import { mint } from "./mint.ts";
import { from, serviceAccountOf } from "./shape.ts";

const issuer: Issuer = {
  identify(link) {
    const { identity, account } = identityOf(link);
    const { project, id, email, hold } = account;
    const spec: AccountSpec = { project, id, email, disabled: false };
    const resource: Resource<AccountSpec> = { address: serviceAccountAddress(account), links: [link.name], hold, spec };
    return { identity, resources: [resource] };
  },
  mint,
  explainMint,
};

export const google: Party = { name: "google", issuer, kinds: [accountKind], title, lint, reach };

function title(link: Link): string {
  const { id, project, email, hold } = serviceAccountOf(link);
  return hold === "own" ? `${id}@${project}` : email;
}

/** Every project that is named is there and active; a deleted one answers too, for a while. */
async function reach(resources: readonly Resource[], world: World): Promise<readonly Finding[]> {
  const projects = [...new Set(resources.map((resource) => String(resource.spec["project"])))];
  const found = await inParallel(projects, 4, async (project): Promise<readonly Finding[]> => {
    const problem = (code: string, says: string, fix: readonly string[]): readonly Finding[] => [
      { code, severity: "error", asks: "denied", at: {}, says, because: [], fix },
    ];
    try {
      const { lifecycleState } = await getProject(world, project);
      if (lifecycleState === "ACTIVE") return [];
      return problem("GOOGLE-PROJECT", `the google project ${project} is ${lifecycleState.toLowerCase()}`, ["name another project"]);
    } catch (error) {
      if (!(error instanceof CloudError) || (error.class !== "missing" && error.class !== "denied")) throw error;
      if (error.code === "SERVICE_DISABLED") throw error;
      const says = `the google project ${project} does not exist, or these credentials do not see it`;
      return problem("GOOGLE-PROJECT", says, [`gcloud projects describe ${project}`, ...(error.fix ?? [])]);
    }
  });
  return found.flat();
}

export const shape = { party: "google", from };

function lint(link: Link): readonly Finding[] {
  const { email } = serviceAccountOf(link);
  if (!isDefaultAccount(email)) return [];
  return [
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

/** Google answers a missing account and a missing permission alike (google.md, trap 4): what was read tells them apart. */
function explainMint({ link, lookup }: MintAsk, error: unknown): Finding | undefined {
  if (!(error instanceof CloudError)) return undefined;
  const account = serviceAccountOf(link);
  const seen = (field: string) => lookup({ $ref: serviceAccountAddress(account), field });
  const base = { severity: "error", at: { place: link.at("from.google.serviceAccount") }, links: [link.name], because: [] } as const;
  const gcloud = `gcloud iam service-accounts`;
  if (error.code === "SERVICE_DISABLED") {
    const api = error.detail ?? "iamcredentials.googleapis.com";
    const fix = [`gcloud services enable ${api} --project ${account.project}`];
    return { ...base, code: "GOOGLE-API-DISABLED", asks: "denied", says: `${api} is not enabled in ${account.project}`, fix };
  }
  if (error.class !== "denied" && error.class !== "missing" && error.class !== "invalid") return undefined;
  if (seen("uniqueId") === undefined) {
    const says = `the service account ${account.email} does not exist`;
    return { ...base, code: "GOOGLE-ACCOUNT-MISSING", asks: "broken", says, fix: ["crosstrust plan", "crosstrust apply"] };
  }
  if (seen("disabled") === "true") {
    const fix = [`${gcloud} enable ${account.email} --project ${account.project}`];
    return { ...base, code: "GOOGLE-ACCOUNT-DISABLED", asks: "broken", says: `the service account ${account.email} is disabled`, fix };
  }
  return {
    ...base,
    code: "GOOGLE-MINT-DENIED",
    asks: "denied",
    says: `google does not let you mint an ID token of ${account.email} (${error.detail ?? "iam.serviceAccounts.getOpenIdToken"})`,
    fix: error.fix ?? ["crosstrust apply --grant-me    (for the time of the proof)"],
  };
}
