import type { Link } from "../../model.ts";
import { isSignIn, serviceAccountOf } from "./shape.ts";

/** What people do next, on whichever side of a link Google stands: commands to paste, since workloads are never touched here. */
export const nextSteps = (link: Link): readonly string[] =>
  link.from.party === "google" ? stepsFrom(link) : stepsInto(link);

/**
 * How the workload gets its identity: commands for people, since workloads are never touched here. GKE needs
 * both the annotation and the binding of its own member form (google.md 6.3 and 10).
 */
function stepsFrom(link: Link): readonly string[] {
  if (isSignIn(link)) return [];
  const { email, project } = serviceAccountOf(link);
  return [
    `on a virtual machine   gcloud compute instances set-service-account VM --project ${project} --service-account ${email} --scopes cloud-platform`,
    `on Cloud Run           gcloud run services update SERVICE --project ${project} --service-account ${email}`,
    `on GKE                 kubectl annotate serviceaccount KSA iam.gke.io/gcp-service-account=${email}`,
    `                       gcloud iam service-accounts add-iam-policy-binding ${email} --project ${project} --role roles/iam.workloadIdentityUser --member "serviceAccount:${project}.svc.id.goog[NAMESPACE/KSA]"`,
  ];
}

/** Machines of AWS and Azure have their proof at hand; of any other issuer's the file says where a token is. */
function stepsInto({ name, from }: Link): readonly string[] {
  const own = from.party === "entra" || (from.party === "aws" && from.spec.proof !== "outbound-jwt");
  const minted = (from.spec.mint as { readonly tokenFile?: string } | undefined)?.tokenFile !== undefined;
  const source = own || minted ? "" : " --token-file TOKEN_FILE";
  return [
    `for its programs       crosstrust credential-config ${name}${source} --output google.json    (holds no secret)`,
    '                       export GOOGLE_APPLICATION_CREDENTIALS="$PWD/google.json"     client libraries, Terraform',
    "                       gcloud auth login --cred-file=google.json",
  ];
}
