import { z } from "zod";
import { googleRole, iamCall, longPolicy, providerTrust, role } from "./aws.ts";
import { awsPath, type Kit } from "./kit.ts";
import { answerOf, type Probe } from "./probe.ts";

const made = (work: Promise<unknown>) => answerOf(work.then(() => ({ made: true })));

/** A trust that is valid, admits nobody who exists, and is longer than a role may have. */
function longTrust(kit: Kit): string {
  const subjects = Array.from({ length: 60 }, (_, at) => `nobody-${at}-${"x".repeat(30)}`);
  return providerTrust(kit, "missing.example.com", { "missing.example.com:sub": subjects });
}

/** What IAM says of documents, and which it takes. */
export const awsPolicies: readonly Probe[] = [
  {
    id: "aws/trust-of-a-missing-provider",
    standing: "unverified",
    question: "Does CreateRole take a trust in an OIDC provider that does not exist?",
    leans: "the order in which apply creates, and destroy deletes",
    asked: "CreateRole whose principal is the ARN of an OIDC provider that nobody made",
    expected: { status: 200, saw: { made: true } },
    ask: (kit) =>
      made(
        role(
          kit,
          providerTrust(kit, "missing.example.com", { "missing.example.com:sub": "nobody" }),
          "which trusts an OIDC provider that does not exist",
        ),
      ),
  },
  {
    id: "aws/shared-issuer-without-subject",
    standing: "unverified",
    question: "With which words is a trust in GitHub's issuer refused that says nothing of the subject?",
    leans: "lint, which refuses such a file, and explain",
    asked: "CreateRole which trusts token.actions.githubusercontent.com by aud alone",
    expected: { status: 400, code: "MalformedPolicyDocument" },
    ask: (kit) => {
      const host = "token.actions.githubusercontent.com";
      return made(
        role(
          kit,
          providerTrust(kit, host, { [`${host}:aud`]: "sts.amazonaws.com" }),
          "which AWS should refuse to create",
        ),
      );
    },
  },
  {
    id: "aws/trust-too-long",
    standing: "unverified",
    question: "With which words is a trust policy refused that is longer than the quota?",
    leans: "lint, which counts the characters, and explain",
    asked: "CreateRole with a trust policy of more than 2,048 characters",
    expected: { status: 409, code: "LimitExceeded", message: "Cannot exceed quota for ACLSizePerRole" },
    ask: (kit) => made(role(kit, longTrust(kit), "which AWS should refuse to create")),
  },
  {
    id: "aws/inline-policy-too-long",
    standing: "unverified",
    question: "With which words is an inline policy of more than 10,240 characters refused?",
    leans: "lint, and explain",
    asked: "PutRolePolicy with a policy of 10,300 characters that allows nothing",
    expected: { status: 409, code: "LimitExceeded", message: "Maximum policy size of 10240 bytes exceeded" },
    ask: async (kit) => {
      const { name } = await googleRole(kit);
      const input = { RoleName: name, PolicyName: "field-kit", PolicyDocument: longPolicy(10_300) };
      return made(
        kit.write(`try to put a policy that is too long, and allows nothing, into the role ${name}`, () =>
          iamCall(kit, "PutRolePolicy", input, z.unknown()),
        ),
      );
    },
  },
  {
    id: "aws/managed-policy-too-long",
    standing: "unverified",
    question: "With which words is a managed policy of more than 6,144 characters refused?",
    leans: "lint, and explain",
    asked: "CreatePolicy with a policy of 6,200 characters that allows nothing",
    expected: { status: 409, code: "LimitExceeded", message: "Cannot exceed quota for PolicySize: 6144" },
    ask: (kit) => {
      const input = { PolicyName: kit.name(), Path: awsPath, PolicyDocument: longPolicy(6200) };
      return made(
        kit.write(`try to create the policy ${awsPath}${input.PolicyName}, which is too long and allows nothing`, () =>
          iamCall(kit, "CreatePolicy", input, z.unknown()),
        ),
      );
    },
  },
  {
    id: "aws/tag-keys-by-letter-case",
    standing: "inferred",
    question: "Are two tags refused whose keys differ in their letter case alone?",
    leans: "lint, and the sandbox",
    asked: "TagRole with the keys Team and team",
    expected: { status: 400, code: "InvalidInput", message: "Tag keys are case insensitive" },
    ask: async (kit) => {
      const { name } = await googleRole(kit);
      const Tags = [
        { Key: "Team", Value: "a" },
        { Key: "team", Value: "b" },
      ];
      return made(
        kit.write(`try to tag the role ${name} twice`, () =>
          iamCall(kit, "TagRole", { RoleName: name, Tags }, z.unknown()),
        ),
      );
    },
  },
  {
    id: "aws/outbound-federation-off",
    standing: "approximate",
    question: "With which status does IAM say that the account issues no tokens of its own?",
    leans: "the observation of links that are proved by such tokens",
    asked: "GetOutboundWebIdentityFederationInfo of an account that never switched it on",
    expected: { status: 404, code: "FeatureDisabledException" },
    ask: (kit) =>
      answerOf(
        iamCall(kit, "GetOutboundWebIdentityFederationInfo", {}, z.object({ JwtVendingEnabled: z.boolean() })).then(
          ({ JwtVendingEnabled }) => ({ enabled: JwtVendingEnabled }),
        ),
      ),
  },
];
