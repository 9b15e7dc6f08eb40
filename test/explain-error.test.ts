import { describe, expect, test } from "vitest";
import { explainError } from "../src/cli/commands/explain-error.ts";
import { parties } from "../src/parties/index.ts";
import { unwrap } from "../src/say/unwrap.ts";
import { stage } from "./support/cli.ts";

// A message that somebody was given, and nothing else: what it means, or that it is not known.

const codesOf = (text: string): readonly string[] =>
  explainError(text).recognised?.causes.map(({ code }) => code) ?? ["unknown"];

describe("messages of AWS", () => {
  test.each([
    ["InvalidIdentityToken: Missing a required claim: sub", "AWS-TOKEN-CLAIMS"],
    ["InvalidIdentityToken: Token issued in the future: 1789127298", "CLOCK-SKEW"],
    [
      "InvalidIdentityToken: The target role ARN is not present in the roles claim of the identity token",
      "AWS-ROLES-CLAIM",
    ],
    [
      "User: arn:aws:sts::111122223333:assumed-role/hub/ci is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/target",
      "AWS-CHAIN-DENIED",
    ],
    ["Cannot exceed quota for ACLSizePerRole: 2048", "AWS-TRUST-SIZE"],
    ["nothing-valid-in-here is invalid", "REQUEST-INVALID"],
    ["An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied", "NOT-PERMITTED"],
  ])("%s", (text, code) => {
    expect(codesOf(text)).toEqual([code]);
  });
});

describe("messages of Google and its clients", () => {
  test.each([
    [
      `{"error":"unauthorized_client","error_description":"Could not obtain a value for google.subject from the given credential."}`,
      "GOOGLE-MAPPING-FAILS",
    ],
    [
      "Error code invalid_grant: `issuer` claim in OIDC discovery document does not match the issuer specified in the request.",
      "ISSUER-MISMATCH",
    ],
    [
      "Error 400: Invalid mapped attribute key: assertion.sub. The maximum length of a mapped attribute key is 100 characters and may only contain the characters [a-z0-9_].",
      "GOOGLE-EXPRESSION",
    ],
    [
      "invalid subject token request, audience is //iam.googleapis.com/projects/1/.. (expected ) and subject_token_type is urn:ietf:params:oauth:token-type:jwt(expected ..)",
      "GOOGLE-CLIENT-CONFIG",
    ],
    [
      "Executables need to be explicitly allowed (set GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES to '1') to run.",
      "GOOGLE-EXECUTABLE",
    ],
    ["dial tcp 169.254.169.254:80: connect: invalid argument", "GOOGLE-AWS-CREDENTIALS"],
    [
      "GitHub Actions did not inject $ACTIONS_ID_TOKEN_REQUEST_TOKEN or $ACTIONS_ID_TOKEN_REQUEST_URL into this job.",
      "GITHUB-NO-ID-TOKEN",
    ],
    [
      `oauth2/google: status code 403: { "error": { "code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED" } } Post https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/x@p.iam.gserviceaccount.com:generateAccessToken`,
      "GOOGLE-IMPERSONATION-DENIED",
    ],
  ])("%s", (text, code) => {
    expect(codesOf(text)).toEqual([code]);
  });

  // Catches a wrapper that stands before the cause in the list of patterns.
  test.each([
    [
      "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
      "GOOGLE-IMPERSONATION-DENIED",
    ],
    ["Request contains an invalid argument.", "GOOGLE-NO-SCOPES"],
    [
      "IAM Service Account Credentials API has not been used in project 1 before or it is disabled.",
      "GOOGLE-API-DISABLED",
    ],
    ["The access token lifetime cannot exceed 3600 seconds.", "GOOGLE-LIFETIME"],
  ])("around %s a wrapper does not count", (message, code) => {
    const answer = JSON.stringify({ error: { code: 400, message } }).replaceAll("'", "\\'");
    expect(
      codesOf(`google.auth.exceptions.RefreshError: ('Unable to acquire impersonated credentials', '${answer}')`),
    ).toEqual([code]);
  });
});

describe("a message that does not tell its cause", () => {
  test.each([
    "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    "InvalidIdentityToken",
    "AccessDenied",
    "invalid_grant",
    "unauthorized_client",
    "PERMISSION_DENIED",
    "MalformedPolicyDocument",
    "LimitExceeded",
    "InvalidClientTokenId",
    "Unable to acquire impersonated credentials",
    "Credentials could not be loaded, please check your action inputs: Could not load credentials from any providers",
  ])("%s is answered by its causes, not by the page of one of them", (text) => {
    const { exit, text: shown, recognised } = explainError(text);
    const causes = recognised?.causes ?? [];
    expect([exit, recognised?.certain, causes.length > 1]).toEqual([0, false, true]);
    for (const { code, means } of causes) expect(shown).toMatch(new RegExp(`${code} +${means.slice(0, 12)}`));
    expect(shown).not.toMatch(/^(?:Fix|fix)$/m);
  });

  // One code of a cause twice would tell nothing apart; a page that is not there cannot be read.
  test("no message names a cause twice", () => {
    for (const { text, causes } of parties.flatMap(({ messages = [] }) => messages))
      expect([text, new Set(causes.map(({ code }) => code)).size]).toEqual([text, causes.length]);
  });
});

describe("a message that is not known", () => {
  test.each(["it does not work", "", "   ", "Segmentation fault (core dumped)", "npm ERR! missing script: build"])(
    "%j is not guessed at",
    (text) => {
      const { exit, text: shown, recognised } = explainError(text);
      expect([exit, recognised, shown.split("\n")[0]]).toEqual([75, undefined, "this message is not known here"]);
    },
  );

  test("the nearest pages are listed as what they are", () => {
    const { exit, text, nearest } = explainError(
      "the thumbprint of the certificate chain was rotated, says our issuer",
    );
    expect([exit, nearest?.length]).toEqual([75, 3]);
    expect(nearest?.map(({ code }) => code).join(" ")).toMatch(/THUMBPRINT|CERTIFICATE/);
    expect(text).toContain("which may be about something else");
  });
});

describe("what is shown", () => {
  test("another cause in the same output is listed", () => {
    const output =
      "getaddrinfo x\nToken expired: current date/time 2 must be before the expiration date/time 1\nSTS is not activated in this region";
    expect(explainError(output).text).toMatch(/also in the message\n {2}AWS-REGION-OFF/);
  });

  test("a token or a key that was pasted with the message is not", () => {
    const token = `eyJ${"hbGciOiJSUzI1NiJ9".repeat(2)}.e30.sig`;
    const { text } = explainError(`Missing a required claim: ${token}`);
    expect(text).not.toContain(token);
    expect(text).toContain("[redacted]");
  });

  test("what would rewrite the screen is made visible", () => {
    expect(explainError("Missing a required claim: \u202esub\u0007").text).not.toMatch(/[\u202e\u0007]/);
  });

  // A pattern that backtracks would run into the limit of a test.
  test("a very long output is read whole", () => {
    expect(codesOf(`${"x \\\\\"{'".repeat(60_000)} Missing a required claim: sub`)).toEqual(["AWS-TOKEN-CLAIMS"]);
  });

  test("--json holds the causes, and whether the message tells which", async () => {
    const { ct } = await stage();
    const one = JSON.parse((await ct(["explain", "--json", "--error", "Missing a required claim: sub"])).out);
    expect(one).toMatchObject({ command: "explain", exit: 0, recognised: { certain: true }, findings: [] });
    expect(one.recognised.causes[0].code).toBe("AWS-TOKEN-CLAIMS");
    const none = JSON.parse((await ct(["explain", "--json", "--error", "it does not work"])).out);
    expect(none).toMatchObject({ exit: 75, findings: [] });
    expect(none.recognised).toBeUndefined();
  });
});

describe("unwrapping", () => {
  test.each([
    [String.raw`{"a":"{\"b\":\"it\\u0027s \\\"c\\\"\"}"}`, `{"a":"{"b":"it's "c""}"}`],
    ["2026-01-01T00:00:00.000Z ##[error]no\n2026-01-01T00:00:00.000Z way", "no way"],
    ["╷\n│ Error: a\n│ b\n╵", "Error: a b"],
    ["\x1b[31mred\x1b[0m", "red"],
    ["&lt;Message&gt;a &amp;quot;b&amp;quot;&lt;/Message&gt;", '<Message>a "b"</Message>'],
    ["pattern: [\\w+=,.@-]*", "pattern: [\\w+=,.@-]*"],
  ])("%j", (output, text) => {
    expect(unwrap(output)).toBe(text);
  });
});
