import type { Finding, MintAsk } from "../../model.ts";
import { CloudError } from "../../run/retry.ts";
import { serviceAccountAddress } from "./claims.ts";
import { serviceAccountOf } from "./shape.ts";

type Cause = Pick<Finding, "code" | "asks" | "says" | "fix">;

/**
 * Why no token could be minted: what was read of the account tells apart what Google answers alike
 * (google.md, trap 4).
 */
export function explainMint(ask: MintAsk, error: unknown): Finding | undefined {
  if (!(error instanceof CloudError)) return undefined;
  const cause = causeOf(ask, error);
  const { link } = ask;
  const at = { place: link.at("from.google.serviceAccount") };
  return cause && { severity: "error", at, links: [link.name], because: [], ...cause };
}

/** From the surest down. An account without a live `disabled` was not there when it was read. */
function causeOf({ link, lookup }: MintAsk, error: CloudError): Cause | undefined {
  const { email, project, ...account } = serviceAccountOf(link);
  const disabled = lookup({ $ref: serviceAccountAddress({ email, project, ...account }), field: "disabled" });
  if (error.code === "SERVICE_DISABLED") {
    const api = error.detail ?? "iamcredentials.googleapis.com";
    const fix = [`gcloud services enable ${api} --project ${project}`];
    return { code: "GOOGLE-API-DISABLED", asks: "denied", says: `${api} is not enabled in ${project}`, fix };
  }
  if (!["denied", "missing", "invalid"].includes(error.class)) return undefined;
  if (disabled === undefined) {
    const says = `the service account ${email} does not exist`;
    return { code: "GOOGLE-ACCOUNT-MISSING", asks: "broken", says, fix: ["crosstrust plan", "crosstrust apply"] };
  }
  if (disabled === "true") {
    const fix = ["crosstrust apply", `gcloud iam service-accounts enable ${email} --project ${project}`];
    return { code: "GOOGLE-ACCOUNT-DISABLED", asks: "broken", says: `the service account ${email} is disabled`, fix };
  }
  const permission = error.detail ?? "iam.serviceAccounts.getOpenIdToken";
  return {
    code: "GOOGLE-MINT-DENIED",
    asks: "denied",
    says: `google does not let you mint an ID token of ${email} (${permission})`,
    fix: error.fix ?? ["crosstrust apply --grant-me   # for the time of the proof"],
  };
}
