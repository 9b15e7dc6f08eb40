import { describe, expect, test } from "vitest";
import { explainError } from "../src/cli/commands/explain-error.ts";
import { sentencesIn } from "./support/sandbox-texts.ts";

// Whatever a fake can answer, somebody will paste. The texts are read from the source of the fakes, so a new one fails here
// until `explain --error` knows it.

/** Services that no link uses: where they refuse, nothing about a trust is to be explained. */
const beside =
  /google\/sandbox\/(?:artifactregistry|execution|log-|logging|monitoring|operations|scheduler|services|uploads|workflow|objects|storage|predefined-roles|hierarchy)/;

/** Sentences of the fakes that are no answer, each with what it is. */
const noAnswers: readonly (readonly [text: RegExp, is: string])[] = [
  [/^(?:code id_token|token id_token|id_token token)$/, "a response type"],
  [/; the sandbox (?:attached it|took it as a boundary)/, "a warning beside an answer that is no refusal"],
  [/^# no keys of real/, "the text of a file"],
  [/^the service model does not require|^aws has no quota/, "said to whoever writes or controls the sandbox"],
  [/^IAM Policy$|^Compute Engine default service account$/, "a title"],
  [
    /^(?:1|X) validation errors?$|^(?:less|greater) than or equal to X$|^an integer$|^Value null$|^'X' is not X\.$/,
    "part of a sentence",
  ],
  [/^this service of Google$/, "part of a sentence"],
  [
    /^(?:at most X|one audience.*|not empty|whole seconds|a (?:text or a|number of|list of one) .+|less than 48 h .+|keys of 128 .+)$/,
    "what a rule wants",
  ],
  [/^(?:ARNs of roles|X tags at most|X h after iat)$/, "what a rule wants, or what a token says"],
  [/^X X$|^the call$/, "part of a sentence"],
  [/^(?:detach all policies|delete policies)$/, "part of a sentence"],
  [/^[\w ()]+ API$/, "the title of a service"],
  [/^Metadata Server for VM$/, "a header"],
  [/^because no identity-based policy allows the$/, "part of a sentence"],
  [/^no workload is called that$/, "said to whoever controls the sandbox"],
  [/^User: X is not authorized to perform: X on resource: X X X action$/, "fed below, with an action in it"],
  [/^AADSTSX: X Trace ID/, "fed below, with a number in it"],
  [/^Permission 'X' denied/, "fed below, with a permission in it"],
];

/** The fakes, and what they answer with from the one copy of a cloud's rules. */
const sources = [
  ...["aws", "google", "entra"].map((party) => `src/parties/${party}/sandbox/*.ts`),
  ...["src/judge/aws/token.ts", "src/judge/google/{token,words}.ts"],
];

const texts = sources.flatMap((source) =>
  sentencesIn(source).filter(
    ({ file, text }) => !beside.test(file) && !noAnswers.some(([pattern]) => pattern.test(text)),
  ),
);

/** How clients show an answer: the text as it came, in its envelope, quoted by a program that quotes another one. */
const shownBy: readonly (readonly [client: string, shown: (text: string) => string])[] = [
  ["the aws CLI", (text) => `\nAn error occurred (X) when calling the X operation: ${text}`],
  [
    "aws on the wire",
    (text) => `<ErrorResponse><Error><Code>X</Code><Message>${xml(text)}</Message></Error></ErrorResponse>`,
  ],
  ["an SDK that prints the wire", (text) => `b'<Error>\\n  <Message>${xml(text)}</Message>\\n</Error>\\n'`],
  ["google on the wire", (text) => JSON.stringify({ error: { code: 400, message: text } }, null, 2)],
  [
    "gcloud",
    (text) =>
      `ERROR: (gcloud.x) There was a problem refreshing your current auth tokens: ('X', '${python(oauth(text))}')`,
  ],
  ["go", (text) => `oauth2/google: status code 403: ${oauth(text)}`],
  [
    "java",
    (text) =>
      `Caused by: x.y.ZException: 400 Bad Answer\nPOST https://example.com/token\n${oauth(text)}\n\tat x.y.Z(Z.java:1)`,
  ],
  ["node, in a log of JSON", (text) => JSON.stringify({ msg: `GaxiosError: ${oauth(text)}`, level: 50 })],
  [
    "terraform",
    (text) =>
      `╷\n│ Error: creating thing (x): operation error X: Y, api error Z: ${text.replaceAll(" ", (_, at: number) => (at % 7 === 0 ? "\n│ " : " "))}\n│ \n│   with x.y,\n╵`,
  ],
  ["an action on github", (text) => `2026-01-01T00:00:00.0000000Z ##[error]an/action failed with: ${oauth(text)}`],
];
const xml = (text: string): string =>
  text.replace(
    /[&<>"']/g,
    (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[one] ?? one,
  );
const oauth = (text: string): string => JSON.stringify({ error: "X", error_description: text });
const python = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n");

describe.each(shownBy)("the cause is taken from inside of what %s prints", (_, shown) => {
  test("for every text of a fake", () => {
    const codesOf = (text: string) => explainError(text).recognised?.causes.map(({ code }) => code);
    // Two words, such as Bad Request, are no cause: clients say them of anything.
    const sentences = texts.filter(({ text }) => text.split(" ").length > 2);
    const wrong = sentences.filter(({ text }) => `${codesOf(shown(text))}` !== `${codesOf(text)}`);
    expect(wrong.map(({ text }) => [text, codesOf(text), codesOf(shown(text))])).toEqual([]);
  });
});

describe("every text of a fake is known", () => {
  test.each(texts)("$file:$line  $text", ({ text }) => {
    const { exit, recognised } = explainError(text);
    expect([exit, recognised?.causes.length]).toEqual([0, expect.any(Number)]);
  });

  test("the texts were found, those of tables and of templates among them", () => {
    const all = texts.map(({ text }) => text);
    expect(all.length).toBeGreaterThan(200);
    expect(all).toContain("Provided Token is not a Login With Amazon token");
    expect(all).toContain("Token issued in the future: X");
    expect(all).toContain("Tenant 'X' not found. X");
  });

  test.each(noAnswers)("%s is still in a fake: %s", (pattern) => {
    const all = sources.flatMap((source) => sentencesIn(source));
    expect(all.some(({ text }) => pattern.test(text))).toBe(true);
  });
});

describe("what IAM says of a document that it does not read", () => {
  // The grammar holds these, and the sandbox answers with them.
  test.each([
    "Actions/Condition can contain only one colon.",
    "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    "AssumeRole policy may only specify STS AssumeRole actions.",
    "Has prohibited field Resource",
    "Missing required field Action",
    "Missing required field Principal",
    "Policy document must be version 2012-10-17 or greater.",
    "Policy document should not specify a principal.",
    "Policy statement must contain actions.",
    "Policy statement must contain resources.",
    "Resource vendor must be fully qualified and cannot contain regexes.",
    "Statement IDs (SID) in a single policy must be unique.",
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    "Syntax errors in policy.",
    "The policy contains characters outside of the allowed set.",
    "The policy failed legacy parsing",
    "This policy contains invalid Json",
    "IAM resource arn:aws:iam:x:1:role/x cannot contain region information.",
    'IAM resource path must either be "*" or start with user/, role/.',
    'Partition "x" is not valid for resource "arn:x:s3:::b".',
    "Resource arn:aws:s3:x::b can not contain region information.",
    'Resource b must be in ARN format or "*".',
    "Vendor x is not valid",
  ])("%s", (text) => {
    expect(explainError(text).recognised?.causes.map(({ code }) => code)).toEqual(["AWS-POLICY-GRAMMAR"]);
  });
});
