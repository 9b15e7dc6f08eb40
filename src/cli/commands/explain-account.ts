import type { Attributes } from "../../judge/google/attributes.ts";
import { type Finding, finding as told, type World } from "../../model.ts";
import { heldAgainst, membersOf } from "../../parties/google/bound.ts";
import { getPolicy, type IamPolicy, ofAccount } from "../../parties/google/policies.ts";
import { UsageError } from "../exit.ts";
import { iamPolicyIn } from "../inputs/iam-policy.ts";

/** The account that an identity of a pool is to speak as, and where its policy is. */
export interface AccountAsk {
  readonly serviceAccount?: string;
  readonly iamPolicy?: string;
}

interface Identity {
  readonly pool: string | undefined;
  readonly attributes: Attributes;
}

/** Whether the identity may speak as the account: a line where it may, else why not. */
export interface Held {
  readonly fine?: string;
  readonly finding?: Finding;
  readonly answer?: string;
}

const email = /^[a-z0-9-]+@([a-z0-9-]+(?:\.[a-z0-9-]+)?)\.iam\.gserviceaccount\.com$/;

/**
 * Holds an identity of a pool against the policy of a service account, live or in a file. Of a policy in a file the account may
 * stay unnamed. Undefined where nobody asked.
 */
export async function speakingFor(ask: AccountAsk, identity: Identity, world: World): Promise<Held | undefined> {
  const { serviceAccount, iamPolicy } = ask;
  if (serviceAccount === undefined && iamPolicy === undefined) return undefined;
  const { pool, attributes } = identity;
  if (pool === undefined)
    throw new UsageError(
      "members name a pool by the number of its project, and this pool provider's file has no such name",
    );
  const policy = iamPolicy === undefined ? await live(serviceAccount ?? "", world) : iamPolicyIn(iamPolicy);
  const who = serviceAccount ?? "the account of this policy";
  const { allow, rows } = heldAgainst(policy, { pool, attributes });
  if (allow === true) return { fine: `its own policy lets it speak as ${who}` };
  const seen = "a grant on its project or above is not looked at";
  if (allow === "unknown") {
    const says = `whether ${who} may be spoken for hangs on what is not decided here: the condition of a binding, or what a role holds`;
    return {
      finding: told("GOOGLE-CONDITION-UNDECIDED", { says, because: rows, fix: ["read the binding"], asks: "untold" }),
    };
  }
  const [member = ""] = membersOf({ pool, attributes });
  const none =
    rows.length === 0 ? "names no identity of a pool" : "names none of the principals that this token becomes";
  const fix = [
    `gcloud iam service-accounts add-iam-policy-binding ${serviceAccount ?? "EMAIL"} --role=roles/iam.workloadIdentityUser --member='${member}'`,
    ...(rows.length > 0
      ? ["and take out the member that was meant for it, where the row says what is wrong with it"]
      : []),
  ];
  return {
    finding: told("GOOGLE-IMPERSONATION-DENIED", {
      says: `the policy of ${who} ${none} (${seen})${worst(rows)}`,
      because: rows,
      fix,
      asks: "broken",
    }),
    answer:
      "PERMISSION_DENIED: Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
  };
}

/** The one mistake, where there is one member: nobody should have to read a table of one row. */
const worst = (rows: readonly { readonly wants: string; readonly says: string }[]): string =>
  rows.length === 1 && rows[0] ? `: ${rows[0].wants} is ${rows[0].says}` : "";

async function live(account: string, world: World): Promise<IamPolicy> {
  const project = email.exec(account)?.[1];
  if (project === undefined)
    throw new UsageError(
      `--service-account is the e-mail of an account, NAME@PROJECT.iam.gserviceaccount.com, not ${account}`,
    );
  return getPolicy(world, ofAccount({ project, account }));
}
