import { z } from "zod";
import type { Session } from "../../src/model.ts";
import { switchAccount } from "../../src/parties/google/calls.ts";
import { google } from "../../src/parties/google/client.ts";
import { operatorOf } from "../../src/parties/google/grant.ts";
import { getPolicy, ofAccount, setPolicy } from "../../src/parties/google/policies.ts";
import { memberOf } from "../../src/parties/google/remedy.ts";
import { awsProvider, exchanged, mintFor, newAccount, poolProvider, signedBy } from "./google.ts";
import type { Kit } from "./kit.ts";
import { answerOf, type Probe } from "./probe.ts";

const operatorOfAws = ({ world, ground }: Kit): Promise<Session> => {
  const { account, access } = ground.account;
  return world.credentials({ party: "aws", scope: account, ...(access ? { access } : {}) });
};

/** A signed GetCallerIdentity put to a pool provider; `change` is what is done to it on the way. */
async function callerTo(kit: Kit, name: string, age = 0, change = (text: string) => text) {
  const text = change(await signedBy(kit, await operatorOfAws(kit), name, age));
  return answerOf(exchanged(kit, { name, text, isSigned: true }));
}

const caller = "POST sts.googleapis.com/v1/token with the operator's own signed GetCallerIdentity";

/** Google, when AWS's word is what it goes by. */
export const googleCallers: readonly Probe[] = [
  {
    id: "google/aws-caller-admitted",
    standing: "docs",
    question: "Does a signed GetCallerIdentity get a token of the pool?",
    leans: "the probes beside it: a refusal says something only where a good request is taken",
    asked: caller,
    expected: { status: 200, saw: { token: "given" } },
    ask: async (kit) => callerTo(kit, await awsProvider(kit)),
  },
  {
    id: "google/aws-other-account",
    standing: "unverified",
    question: "How is a caller refused whose AWS account is not the pool provider's?",
    leans: "explain, and the sandbox's words, which are made up",
    asked: `${caller}, to a pool provider of the AWS account 111111111111`,
    expected: { status: 400, code: "invalid_grant" },
    ask: async (kit) => callerTo(kit, await poolProvider(kit, { awsAccount: "111111111111" })),
  },
  {
    id: "google/aws-no-json",
    standing: "unverified",
    question: "With which code is a subject token refused that is no signed request?",
    leans: "explain, which knows the sentence and not the code",
    asked: `${caller}, cut off after its opening brace`,
    expected: { status: 400, code: "invalid_request", message: "Invalid format of AWS credentials" },
    ask: async (kit) => callerTo(kit, await awsProvider(kit), 0, () => "%7B"),
  },
  {
    id: "google/aws-wrong-signature",
    standing: "unverified",
    question: "How does Google tell that AWS refuses the signature?",
    leans: "explain, which looks for AWS's own sentence inside Google's",
    asked: `${caller}, its signature replaced by zeros`,
    expected: { status: 400, code: "invalid_grant" },
    ask: async (kit) =>
      callerTo(kit, await awsProvider(kit), 0, (text) =>
        text.replace(/(Signature(?:=|%3D))[0-9a-f]{64}/, `$1${"0".repeat(64)}`),
      ),
  },
  {
    id: "google/aws-old-signature",
    standing: "unverified",
    question: "Is a request refused that was signed 20 minutes ago?",
    leans: "the life of 900 seconds that a proof is given",
    asked: `${caller}, signed for 20 minutes ago`,
    expected: { status: 400, code: "invalid_grant" },
    ask: async (kit) => callerTo(kit, await awsProvider(kit), 1200),
  },
];

const onAccount = { title: "field-kit", expression: "request.time < timestamp('2030-01-01T00:00:00Z')" };

/** Service accounts, their policies and a predefined role. */
export const googleAccounts: readonly Probe[] = [
  {
    id: "google/etag-of-an-empty-policy",
    standing: "unverified",
    question: "Has the policy of a fresh service account the etag ACAB and no bindings?",
    leans: "the edit of bindings, which writes with the etag that it read",
    asked: "POST iam.googleapis.com serviceAccounts.getIamPolicy of a fresh account",
    expected: { status: 200, saw: { etag: "ACAB", bindings: 0 } },
    ask: async (kit) => {
      const { email } = await newAccount(kit);
      const target = ofAccount({ project: kit.ground.project, account: email });
      const read = () => getPolicy(kit.world, target);
      const policy = kit.patiently(({ class: kind }) => kind === "missing" || kind === "denied", read);
      return answerOf(policy.then(({ etag, bindings }) => ({ etag, bindings: bindings.length })));
    },
  },
  {
    id: "google/condition-on-an-account",
    standing: "unverified",
    question: "Does the policy of a service account take a binding with a condition?",
    leans: "the reading of who may speak as an account",
    asked:
      "POST iam.googleapis.com serviceAccounts.setIamPolicy, version 3, one binding of the operator with a condition",
    expected: { status: 200 },
    ask: async (kit) => {
      const { email } = await newAccount(kit);
      const target = ofAccount({ project: kit.ground.project, account: email });
      const member = memberOf(await operatorOf(kit.world, kit.ground.project));
      const bindings = [{ role: "roles/iam.serviceAccountViewer", members: [member], condition: onAccount }];
      const isFresh = ({ class: kind }: { readonly class: string }) => kind === "missing" || kind === "denied";
      const { etag } = await kit.patiently(isFresh, () => getPolicy(kit.world, target));
      return answerOf(
        kit.write(`let ${member} view the account ${email}, under a condition`, async () => {
          const set = await setPolicy(kit.world, target, { bindings, ...(etag === undefined ? {} : { etag }) });
          return { kept: set.bindings.some(({ condition }) => condition !== undefined) };
        }),
      );
    },
  },
  {
    id: "google/workload-identity-user-holds",
    standing: "unverified",
    question: "Does roles/iam.workloadIdentityUser hold the permissions to mint access tokens and ID tokens?",
    leans: "the binding that every link to a service account makes",
    asked: "GET iam.googleapis.com/v1/roles/iam.workloadIdentityUser",
    expected: { status: 200, saw: { accessToken: true, openIdToken: true } },
    ask: (kit) => answerOf(predefined(kit, "roles/iam.workloadIdentityUser")),
  },
  {
    id: "google/disabled-account",
    standing: "approximate",
    question: "How is an ID token refused whose account is disabled?",
    leans: "the sandbox, which answers as for a missing permission, and explain",
    asked: "POST iamcredentials.googleapis.com generateIdToken of an account that was disabled",
    expected: { status: 403, code: "PERMISSION_DENIED" },
    ask: async (kit) => {
      const { email } = await newAccount(kit);
      const target = { project: kit.ground.project, account: email };
      await kit.write(`disable the account ${email}`, () =>
        kit.patiently(
          ({ class: kind }) => kind === "missing",
          () => switchAccount(kit.world, target, "disable"),
        ),
      );
      return answerOf(mintFor(kit, email, "crosstrust-field-kit").then(() => ({ token: "given" })));
    },
  },
];

async function predefined(kit: Kit, name: string) {
  const { includedPermissions: held } = await google(kit.world, {
    service: "google.iam",
    operation: "GetRole",
    effect: "read",
    method: "GET",
    path: `/v1/${name}`,
    project: kit.ground.project,
    answer: z.object({ includedPermissions: z.array(z.string()).default([]) }),
  });
  return {
    accessToken: held.includes("iam.serviceAccounts.getAccessToken"),
    openIdToken: held.includes("iam.serviceAccounts.getOpenIdToken"),
  };
}
