import { z } from "zod";
import { admitted, assumed, audience, googleTrust, iamCall, providerTrust, role, workingRole } from "./aws.ts";
import { claimsFor, ownKeys, serviceAccount } from "./google.ts";
import { awsPath, type Kit } from "./kit.ts";
import { answerOf, type Probe } from "./probe.ts";

const asked = "AssumeRoleWithWebIdentity with an ID token of a Google service account";
const denied = {
  status: 403,
  code: "AccessDenied",
  message: "Not authorized to perform sts:AssumeRoleWithWebIdentity",
};

const granted = (work: Promise<unknown>) => answerOf(work.then(() => ({ session: "given" })));

/** An issuer that nobody can reach: `.invalid` never resolves (RFC 2606). */
const unreachable = (kit: Kit): string => `field-kit-${kit.ground.run}.invalid`;

/** What STS makes of a token and of the request around it. */
export const awsTokens: readonly Probe[] = [
  {
    id: "aws/google-token-admitted",
    standing: "docs",
    question: "Does a role admit a Google service account by sub, aud (unique id or e-mail) and oaud?",
    leans: "every link from Google to AWS, and the probes beside it",
    asked,
    expected: { status: 200, saw: { session: "given" } },
    ask: (kit) => granted(workingRole(kit)),
  },
  {
    id: "aws/role-that-is-not-there",
    standing: "inferred",
    question: "Does AWS answer for a role that does not exist as for one whose trust refuses?",
    leans: "the proof, which waits for a fresh role, and explain",
    asked: `${asked}, for a role that nobody made`,
    expected: denied,
    ask: async (kit) => {
      const { arn } = await workingRole(kit);
      return granted(assumed(kit, { roleArn: `${arn}-missing` }));
    },
  },
  {
    id: "aws/role-without-its-path",
    standing: "inferred",
    question: "Is a role that has a path refused when its ARN is given without the path?",
    leans: "the proof, which tries a role at both paths where the file states none",
    asked: `${asked}, for an ARN without ${awsPath}`,
    expected: denied,
    ask: async (kit) => {
      const { arn } = await workingRole(kit);
      return granted(assumed(kit, { roleArn: arn.replace(awsPath, "/") }));
    },
  },
  {
    id: "aws/role-arn-that-is-none",
    standing: "inferred",
    question: "How does AssumeRoleWithWebIdentity refuse a RoleArn that is no ARN?",
    leans: "explain, and the sandbox",
    asked: `${asked}, RoleArn nothing-valid-in-here`,
    expected: { status: 400, code: "ValidationError", message: "nothing-valid-in-here is invalid" },
    ask: (kit) => granted(assumed(kit, { roleArn: "nothing-valid-in-here" })),
  },
  {
    id: "aws/duration-below-the-range",
    standing: "unverified",
    question: "With which words is a duration below 900 seconds refused?",
    leans: "explain, and the sandbox",
    asked: `${asked}, DurationSeconds 899`,
    expected: {
      status: 400,
      code: "ValidationError",
      message: "'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    },
    ask: async (kit) => granted(assumed(kit, { roleArn: (await workingRole(kit)).arn, seconds: 899 })),
  },
  {
    id: "aws/opaque-token",
    standing: "inferred",
    question: "How is a text refused that is no JWT?",
    leans: "explain, which tells an access token from an ID token by this sentence",
    asked: "AssumeRoleWithWebIdentity with a text that is no JWT",
    expected: {
      status: 400,
      code: "InvalidIdentityToken",
      message: "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
    },
    ask: async (kit) => granted(assumed(kit, { roleArn: (await workingRole(kit)).arn, token: "this-is-no-web-token" })),
  },
  {
    id: "aws/session-policy-that-is-none",
    standing: "unverified",
    question: "How is a session policy refused that is no policy?",
    leans: "explain, and the sandbox",
    asked: `${asked}, Policy {"Version":"2012-10-17"}`,
    expected: { status: 400, code: "MalformedPolicyDocument" },
    ask: async (kit) =>
      granted(assumed(kit, { roleArn: (await workingRole(kit)).arn, policy: '{"Version":"2012-10-17"}' })),
  },
  {
    id: "aws/condition-key-in-other-letters",
    standing: "unverified",
    question: "Does a trust admit whose condition keys are in capital letters?",
    leans: "the judge and the comparison of policies: both fold the letter case of keys",
    asked: `${asked}; the trust's keys are ACCOUNTS.GOOGLE.COM:SUB, :AUD and :OAUD`,
    expected: { status: 200, saw: { session: "given" } },
    ask: async (kit) => {
      const { uniqueId, email } = await serviceAccount(kit);
      const trust = googleTrust({
        "ACCOUNTS.GOOGLE.COM:SUB": uniqueId,
        "ACCOUNTS.GOOGLE.COM:AUD": [uniqueId, email],
        "ACCOUNTS.GOOGLE.COM:OAUD": audience,
      });
      const { arn } = await role(kit, trust, "whose condition keys are in capital letters");
      return granted(admitted(kit, { roleArn: arn }));
    },
  },
  {
    id: "aws/keys-that-cannot-be-fetched",
    standing: "approximate",
    question: "How is a token refused whose issuer cannot be reached?",
    leans: "the retry layer and explain, which take this for passing",
    asked: "AssumeRoleWithWebIdentity with a token of an issuer whose name does not resolve",
    expected: { status: 400, code: "InvalidIdentityToken", message: "retrieve verification key" },
    ask: async (kit) => {
      const host = unreachable(kit);
      await kit.write(`create the OIDC provider ${host}, which nobody can reach`, () =>
        iamCall(
          kit,
          "CreateOpenIDConnectProvider",
          { Url: `https://${host}`, ClientIDList: [audience], ThumbprintList: ["0".repeat(40)] },
          z.object({ OpenIDConnectProviderArn: z.string() }),
        ),
      );
      const { arn } = await role(
        kit,
        providerTrust(kit, host, { [`${host}:sub`]: "field-kit" }),
        "which admits nobody",
      );
      const claims = claimsFor(kit, "", { iss: `https://${host}`, aud: audience });
      const token = (await ownKeys(kit)).token(claims);
      return granted(admitted(kit, { roleArn: arn, token }));
    },
  },
];
