import type { ErrorClass } from "../../run/retry.ts";

/** A definite refusal; `reason` and `detail` are Google's own, as `refusal` in client.ts picked them. */
export interface Refusal {
  readonly class: ErrorClass;
  readonly reason: string;
  readonly detail: string | undefined;
  readonly operation: string;
  readonly project: string;
  /** The account of a refused mint is read out of it. */
  readonly path: string;
  /** The e-mail behind the credentials that were refused. */
  readonly principal: string;
}

/**
 * The command that would mend a refusal, ready to paste; undefined where none does. A constraint comes before
 * the class: it answers 400, and no role helps against it (google.md 5).
 */
export function remedy(refusal: Refusal): readonly string[] | undefined {
  const { project, detail } = refusal;
  if (refusal.class === "unauthenticated") return ["gcloud auth application-default login   # then run it again"];
  if (detail?.startsWith("constraints/")) {
    return [
      `ask whoever runs the organization to lift ${detail} for ${project}`,
      `gcloud resource-manager org-policies describe ${detail.replace("constraints/", "")} --project ${project} --effective`,
    ];
  }
  if (refusal.class !== "denied") return undefined;
  if (refusal.reason === "SERVICE_DISABLED") return [`gcloud services enable ${detail ?? "API"} --project ${project}`];
  const account = /serviceAccounts\/([^/:]+):generateIdToken$/.exec(refusal.path)?.[1];
  if (account) {
    const role = "roles/iam.serviceAccountOpenIdTokenCreator";
    return [
      "crosstrust apply --grant-me   # for the time of the proof",
      `gcloud iam service-accounts add-iam-policy-binding ${account} --project ${project} --member=${memberOf(refusal.principal)} --role=${role}`,
    ];
  }
  const policyOf = /\/b\/([^/]+)\/iam/.exec(refusal.path)?.[1];
  if (policyOf) {
    const member = `--member=${memberOf(refusal.principal)} --role=roles/storage.admin`;
    return [`gcloud storage buckets add-iam-policy-binding gs://${policyOf} ${member}`];
  }
  if (/^\/v1\/projects\/[^/]+:[gs]etIamPolicy/.test(refusal.path)) {
    const member = `--member=${memberOf(refusal.principal)} --role=roles/resourcemanager.projectIamAdmin`;
    return [`gcloud projects add-iam-policy-binding ${project} ${member}`];
  }
  const bucket = /\/b\/([^/]+)\/o/.exec(refusal.path)?.[1];
  if (bucket) {
    const member = `--member=${memberOf(refusal.principal)} --role=roles/storage.objectUser`;
    return [`gcloud storage buckets add-iam-policy-binding gs://${bucket} ${member}`];
  }
  const binding = `gcloud projects add-iam-policy-binding ${project} --member=${memberOf(refusal.principal)} --role=${roleFor(refusal)}`;
  return [binding];
}

/** An e-mail as a policy member: whoever is no service account is taken for a person. */
export const memberOf = (email: string): string =>
  email === "" ? "user:YOU" : `${email.endsWith(".gserviceaccount.com") ? "serviceAccount" : "user"}:${email}`;

/** The narrowest predefined role that holds the permission (google.md 6.2). */
function roleFor({ operation }: Refusal): string {
  if (/^(Get|List)WorkloadIdentityPool/.test(operation)) return "roles/iam.workloadIdentityPoolViewer";
  if (/WorkloadIdentityPool/.test(operation)) return "roles/iam.workloadIdentityPoolAdmin";
  if (/^((Get|List)ServiceAccounts?|GetIamPolicy)$/.test(operation)) return "roles/iam.serviceAccountViewer";
  if (/^(BatchGet|Get|List)Services?$/.test(operation)) return "roles/serviceusage.serviceUsageViewer";
  if (/ServiceAccount$|IamPolicy$/.test(operation)) return "roles/iam.serviceAccountAdmin";
  return operation.includes("Service") ? "roles/serviceusage.serviceUsageAdmin" : "roles/browser";
}
