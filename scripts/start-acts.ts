import { IAMClient, UpdateAssumeRolePolicyCommand } from "@aws-sdk/client-iam";
import type { Session } from "../src/model.ts";

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The sandbox's own operator: no credentials of the user are near this script. */
const operator = async (url: string, party: string, scope: string): Promise<Session> =>
  (await (await fetch(`${url}/_sandbox/credentials?party=${party}&scope=${scope}`)).json()) as Session;

/** The hand edit: what a console click or a copied blog post does, through AWS's own SDK. */
export async function editTrust(url: string): Promise<void> {
  const { secrets } = await operator(url, "aws", "111122223333");
  const credentials = { accessKeyId: secrets.accessKeyId ?? "", secretAccessKey: secrets.secretAccessKey ?? "" };
  const client = new IAMClient({ region: "us-east-1", endpoint: `${url}/aws/iam`, credentials });
  const Condition = {
    StringEquals: { "accounts.google.com:oaud": "aws-trust-1" },
    StringLike: { "accounts.google.com:sub": "*" },
  };
  const Principal = { Federated: "accounts.google.com" };
  const Statement = [{ Effect: "Allow", Principal, Action: "sts:AssumeRoleWithWebIdentity", Condition }];
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await client.send(new UpdateAssumeRolePolicyCommand({ RoleName: "reports-reader", PolicyDocument }));
  say(
    `somebody: aws iam update-assume-role-policy --role-name reports-reader   with   StringLike accounts.google.com:sub *\n`,
  );
}

/**
 * What Cloud Scheduler does every few minutes: it calls the function with an OIDC token of its own service
 * account. The account, the job and the run go through the sandbox's Google APIs. Throws unless that call is
 * let in and the same call without a token is not.
 */
export async function scheduleHealth(url: string, target: string): Promise<void> {
  const { secrets } = await operator(url, "google", "acme-prod");
  const headers = { authorization: `Bearer ${secrets.accessToken}`, "content-type": "application/json" };
  const post = async (path: string, body: unknown): Promise<Record<string, unknown>> =>
    (await (
      await fetch(`${url}/google/${path}`, { method: "POST", headers, body: JSON.stringify(body) })
    ).json()) as Record<string, unknown>;
  const { email } = await post("iam/v1/projects/acme-prod/serviceAccounts", {
    accountId: "health-scheduler",
    serviceAccount: {},
  });
  process.env.CROSSTRUST_AUDIENCE = target;
  process.env.CROSSTRUST_CALLERS = String(email);
  const jobs = "cloudscheduler/v1/projects/acme-prod/locations/us-central1/jobs";
  const name = "projects/acme-prod/locations/us-central1/jobs/crosstrust-health";
  const oidcToken = { serviceAccountEmail: email, audience: target };
  await post(jobs, {
    name,
    schedule: "*/5 * * * *",
    httpTarget: { uri: target, httpMethod: "POST", headers: { "content-type": "application/json" }, oidcToken },
  });
  say(`scheduler: POST ${target}   as ${email}`);
  const { status } = (await post(`${jobs}/crosstrust-health:run`, {})) as { status?: { code?: number } };
  if (status?.code !== 0) throw new Error(`the function answered the scheduler with ${status?.code}`);
  const refused = await fetch(target, { method: "POST" });
  say(`function:  200, every link works; the same call without a token: ${refused.status}`);
  if (refused.status !== 401) throw new Error("the function let a caller in without a token");
}
