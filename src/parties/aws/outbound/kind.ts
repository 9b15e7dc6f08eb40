import { z } from "zod";
import type { Address, Kind, Link, Live, LivePresent, Resource, Spec, World } from "../../../model.ts";
import { CloudError } from "../../../run/retry.ts";
import type { Account } from "../client.ts";
import { send, write } from "../iam-call.ts";
import { callerOf } from "../shape.ts";

/** Whether an account gives its workloads JWTs. There is one switch for each account (aws.md 10). */
export interface OutboundSpec extends Spec {
  readonly account: string;
  readonly enabled: boolean;
}

export const outboundAddress = (account: string): Address =>
  // Twice: what follows the scope is what people are shown.
  `aws:outboundFederation/${account}/${account}`;

export function outboundResource(link: Link): Resource<OutboundSpec> {
  const { account, region, profile, assumeRole } = callerOf(link);
  const access = { region, ...(profile ? { profile } : {}), ...(assumeRole ? { assumeRole } : {}) };
  const spec = { account, enabled: true };
  return { address: outboundAddress(account), links: [link.name], hold: "own", spec, access };
}

/**
 * Outbound identity federation of an account: switched on where it is off, and left on when the last link goes, because
 * nothing tells who else signs in with its tokens. It has no tags, so nobody's mark.
 */
export const outboundKind: Kind<OutboundSpec> = {
  name: "aws:outboundFederation",
  label: "aws outbound federation",
  unmarked: true,
  read: ({ spec, access }, _hints, world) => read(spec, access, world),
  list: async () => ({ found: [], scopes: [], findings: [] }),
  put,
  remove: async ({ live }) => [
    {
      ...{ code: "AWS-OUTBOUND-STAYS", severity: "hint", at: {}, because: [] },
      says: `the aws account ${live.spec.account} goes on giving JWTs to its workloads: nothing tells who else uses them`,
      fix: ["aws iam disable-outbound-web-identity-federation   # where you know that nobody does"],
    },
  ],
};

const infoSchema = z.object({ IssuerIdentifier: z.string().startsWith("https://"), JwtVendingEnabled: z.boolean() });

const accountOf = ({ account }: OutboundSpec, access: Account["access"]): Account => ({
  account,
  ...(access ? { access } : {}),
});

/** `adopted`, because it is given back and never deleted. Off for good, it has no issuer and counts as absent. */
async function read(spec: OutboundSpec, access: Account["access"], world: World): Promise<Live<OutboundSpec>> {
  try {
    const info = await send(world, accountOf(spec, access), {
      ...{ operation: "GetOutboundWebIdentityFederationInfo", effect: "read", answer: infoSchema },
      input: {},
    });
    const live = { account: spec.account, enabled: info.JwtVendingEnabled };
    return { state: "present", owner: "adopted", spec: live, outputs: { issuer: info.IssuerIdentifier } };
  } catch (error) {
    if (error instanceof CloudError && /^FeatureDisabled/.test(error.code)) return { state: "absent" };
    throw error;
  }
}

async function put(
  { desired }: { readonly desired: Resource<OutboundSpec> },
  world: World,
): Promise<LivePresent<OutboundSpec>> {
  const account = accountOf(desired.spec, desired.access);
  await write(world, account, { operation: "EnableOutboundWebIdentityFederation", input: {} }).catch(
    (error: unknown) => {
      // Somebody was faster, or our own answer was lost: on is on.
      if (!(error instanceof CloudError && /^FeatureEnabled/.test(error.code))) throw error;
    },
  );
  const live = await read(desired.spec, desired.access, world);
  if (live.state === "present") return live;
  throw new CloudError({
    ...{
      class: "transient",
      service: "aws.iam",
      operation: "GetOutboundWebIdentityFederationInfo",
      code: "",
      status: 0,
    },
    message: "outbound federation was switched on, and is not visible yet",
  });
}
