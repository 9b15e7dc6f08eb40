import { type QuotaName, quotaDefaults } from "../../../judge/aws/quotas.ts";
import type { Host } from "../../../sandbox/fake.ts";
import type { View } from "../../../sandbox/state.ts";
import type { IamAction, IamCall } from "./action.ts";
import { oidcProvidersOf } from "./oidc-providers.ts";
import { policiesOf } from "./policies.ts";
import { AwsError } from "./query.ts";
import { rolesOf } from "./roles.ts";

const key = "aws.quotas";

/** The quotas of every account here: AWS's defaults, and what the control endpoint has set. */
export const quotasOf = (view: View): Readonly<Record<QuotaName, number>> => ({
  ...quotaDefaults,
  ...view.get<Partial<Record<QuotaName, number>>>(key),
});

/** Raises or lowers quotas, as a request at Service Quotas would. Throws for a name that is none. */
export function setQuotas(quotas: Readonly<Record<string, number>>, host: Host): void {
  const wrong = Object.keys(quotas).find((name) => !(name in quotaDefaults));
  if (wrong !== undefined) {
    throw new SyntaxError(`aws has no quota ${wrong}: ${Object.keys(quotaDefaults).join(", ")}`);
  }
  host.state.put(key, { ...host.state.get<Readonly<Record<string, number>>>(key), ...quotas });
}

/** A quota by its name in the account's summary, and by the name that a refusal gives it. */
interface Limit {
  readonly quota: QuotaName;
  readonly as: string;
}

/** Throws LimitExceeded, in recorded words, where a count would be over the quota. */
export function within({ host }: Pick<IamCall, "host">, { quota, as }: Limit, count: number): void {
  const most = quotasOf(host.state)[quota];
  if (count > most) throw new AwsError("LimitExceeded", 409, `Cannot exceed quota for ${as}: ${most}`);
}

/** What nobody has here: the sandbox plays no users, groups, instance profiles and server certificates. */
const absent = ["Users", "Groups", "ServerCertificates", "InstanceProfiles", "MFADevices", "MFADevicesInUse"];

/** The quotas of those, at their defaults (botocore's example of the operation; IAM quotas). */
const others = {
  ...{ UsersQuota: 5000, GroupsQuota: 300, ServerCertificatesQuota: 20, InstanceProfilesQuota: 1000 },
  ...{ UserPolicySizeQuota: 2048, GroupPolicySizeQuota: 5120, GroupsPerUserQuota: 10 },
  ...{ SigningCertificatesPerUserQuota: 2, AccessKeysPerUserQuota: 2 },
  ...{ AttachedPoliciesPerGroupQuota: 10, AttachedPoliciesPerUserQuota: 10, PolicyVersionsInUseQuota: 10_000 },
  ...{ AccountMFAEnabled: 1, AccountAccessKeysPresent: 0, AccountPasswordPresent: 1 },
  ...{ AccountSigningCertificatesPresent: 0, GlobalEndpointTokenVersion: 1 },
};

/** The summary of an account: what there is, and how much there may be. It has no quota of providers or of client ids. */
export const quotaActions: Readonly<Record<string, IamAction>> = {
  GetAccountSummary: {
    write: false,
    run: ({ account, host }) => {
      const { ClientIdsPerProviderQuota: _, ProvidersQuota: __, ...quotas } = quotasOf(host.view);
      const policies = policiesOf(host.view, account);
      const versions = policies.reduce((sum, one) => sum + Object.keys(one.versions).length, 0);
      const counts = {
        Roles: rolesOf(host.view, account).length,
        Policies: policies.length,
        PolicyVersionsInUse: versions,
        Providers: oidcProvidersOf(host.view, account).length,
      };
      const none = Object.fromEntries(absent.map((name) => [name, 0]));
      const all = Object.entries({ ...none, ...counts, ...others, ...quotas }).sort(([a], [b]) => (a < b ? -1 : 1));
      // A map is written as entries, unlike a list (wire.md 3.2).
      return { SummaryMap: { entry: all.map(([name, value]) => ({ key: name, value })) } };
    },
  },
};
