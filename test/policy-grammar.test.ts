import { describe, expect, test } from "vitest";
import { policyFaults } from "../src/judge/aws/grammar/check.ts";
import { readJson } from "../src/judge/aws/grammar/json.ts";

// The grammar of IAM policies as tables. "moto" stands for tests/test_iam/test_iam_policies.py of getmoto/moto, whose refusals
// and texts were taken from AWS; "docs" for the IAM user guide (policy grammar, elements) and the policy check reference.

const bucket = "arn:aws:s3:::example_bucket";
type Fields = Readonly<Record<string, unknown>>;

/** One statement that is fine, with fields put in its place; undefined takes one away. */
const statement = (fields: Fields = {}): Fields => ({
  Effect: "Allow",
  Action: "s3:ListBucket",
  Resource: bucket,
  ...fields,
});
const policy = (fields: Fields = {}, top: Fields = {}): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statement(fields), ...top });
const statements = (...list: readonly Fields[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: list.map(statement) });
const resource = (Resource: unknown, more: Fields = {}): string => policy({ Resource, ...more });
const action = (Action: unknown, more: Fields = {}): string => policy({ Action, ...more });
const when = (Condition: unknown, more: Fields = {}): string => policy({ Condition, ...more });
const date = (value: string): string => when({ DateLessThanEquals: { a: value } });

const syntax = "Syntax errors in policy.";
const version = "Policy document must be version 2012-10-17 or greater.";
const legacy = "The policy failed legacy parsing";
const vendor = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
const colon = "Actions/Condition can contain only one colon.";
const noActions = "Policy statement must contain actions.";
const noResources = "Policy statement must contain resources.";
const unique = "Statement IDs (SID) in a single policy must be unique.";
const arn = (written: string) => `Resource ${written} must be in ARN format or "*".`;
const partition = (name: string, shown: string) => `Partition "${name}" is not valid for resource "${shown}".`;
const gone = undefined;

/** CreatePolicy: what AWS refuses, and its sentence. */
const refused: readonly (readonly [what: string, document: string, says: string, source: "moto" | "docs"])[] = [
  ["no JSON", "This is not a json document", syntax, "moto"],
  ["a JSON text", JSON.stringify("This is not a json document"), syntax, "moto"],
  ["no version", policy({}, { Version: gone }), version, "moto"],
  ["the older version", policy({}, { Version: "2008-10-17" }), version, "moto"],
  ["a version that never was", policy({}, { Version: "2013-10-17" }), syntax, "moto"],
  ["no statement", policy({}, { Statement: gone }), syntax, "moto"],
  ["a text as a statement", policy({}, { Statement: ["afd"] }), syntax, "moto"],
  ["an empty list of statements", policy({}, { Statement: [] }), syntax, "moto"],
  ["an unknown element of the policy", policy({}, { "Extra field": "value" }), syntax, "moto"],
  ["an unknown element of a statement", policy({ "Extra field": "value" }), syntax, "moto"],
  ["a list as Id", policy({}, { Id: ["cd3a324d"] }), syntax, "moto"],
  ["an object as Id", policy({}, { Id: {} }), syntax, "moto"],
  ["an object as Sid", policy({ Sid: {} }), syntax, "moto"],
  ["a list as Sid", policy({ Sid: [] }), syntax, "moto"],
  ["an unknown effect", policy({ Effect: "invalid" }), syntax, "moto"],
  ["no effect", policy({ Effect: gone }), syntax, "moto"],
  ["an effect in other letters", policy({ Effect: "denY" }), legacy, "moto"],
  ["an action without a vendor", action("invalid"), vendor, "moto"],
  ["an empty NotAction", action(gone, { NotAction: "" }), vendor, "moto"],
  ["a vendor with a blank", action("a a:ListBucket"), "Vendor a a is not valid", "moto"],
  ["two colons", action("s3:List:Bucket"), colon, "moto"],
  ["two colons in the second statement", statements({ Action: "s3s:List" }, { Action: "s:3s:List" }), colon, "moto"],
  ["a resource that is no ARN", resource("invalid resource"), arn("invalid resource"), "moto"],
  ["an empty resource", resource(""), arn(""), "moto"],
  ["an empty resource in two statements", statements({ Resource: "" }, { Resource: "" }), arn(""), "moto"],
  ["a bad resource before a bad action", resource("sdfsadf", { Action: "s:3:ListBucket" }), arn("sdfsadf"), "moto"],
  ["a list with what is no ARN", resource(["adf"]), arn("adf"), "moto"],
  ["a partition alone", resource("a:bsdfd"), partition("bsdfd", "arn:bsdfd:*:*:*:*"), "moto"],
  ["a partition and a service", resource("a:b:cadfsdf"), partition("b", "arn:b:cadfsdf:*:*:*"), "moto"],
  ["an unknown partition", resource("a:b:c:d:e:f:g:h"), partition("b", "arn:b:c:d:e:f:g:h"), "moto"],
  ["arn left out", resource("aws:s3:::example"), partition("s3", "arn:s3:::example:*"), "moto"],
  [
    "an unknown partition beside too few parts",
    resource(["arn:error:s3:::example_bucket", "arn:error:s3::example_bucket"]),
    partition("error", "arn:error:s3:::example_bucket"),
    "moto",
  ],
  ["no resource", resource(gone), noResources, "moto"],
  ["an empty list of resources", resource([]), noResources, "moto"],
  ["no resource and a bad action", action("invalid", { Resource: gone }), vendor, "moto"],
  ["no action", action(gone), noActions, "moto"],
  ["neither action nor resource", action(gone, { Resource: gone }), noActions, "moto"],
  ["an empty list of actions", action([]), noActions, "moto"],
  ["no action in the first statement", statements({ Action: gone, Resource: gone }, {}), noActions, "moto"],
  [
    "a path that IAM does not have",
    resource("arn:aws:iam:::example_bucket"),
    'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.',
    "moto",
  ],
  ["too few parts", resource("arn:aws:s3::example_bucket"), legacy, "moto"],
  ["too few parts before no action", resource("arn:aws:s3::example_bucket", { Action: gone }), legacy, "moto"],
  ["too few parts in NotResource", resource(gone, { NotResource: "arn:aws:s3::example_bucket" }), legacy, "moto"],
  ["no service", resource("arn:aws::::example_bucket", { Action: gone, NotAction: "s3:List" }), legacy, "moto"],
  ["no service, and too few parts", resource("arn:aws::fdsasf"), legacy, "moto"],
  [
    "a partition and nothing else",
    resource("arn:aws"),
    "Resource vendor must be fully qualified and cannot contain regexes.",
    "moto",
  ],
  ["an object as resource", resource({ a: bucket }), syntax, "moto"],
  ["an object among resources", resource(["adfdf", {}], { Effect: "Deny" }), syntax, "moto"],
  ["Resource and NotResource, empty", resource(bucket, { NotResource: [] }), syntax, "moto"],
  ["Resource and NotResource", resource(bucket, { NotResource: "*" }), syntax, "moto"],
  ["a list within actions", action([[]], { Effect: "Deny" }), syntax, "moto"],
  ["Action, empty, and NotAction", action([], { NotAction: "s3s:ListBucket" }), syntax, "moto"],
  ["Action and NotAction", action("iam:dsf", { NotAction: "s3:ListBucket" }), syntax, "moto"],
  ["an object as action", action({}), syntax, "moto"],
  ["a list as Condition", when([]), syntax, "moto"],
  ["a text as Condition", when("a"), syntax, "moto"],
  ["a text for an operator", when({ a: "b" }), syntax, "moto"],
  ["a text for a known operator", when({ DateGreaterThan: "b" }), syntax, "moto"],
  ["a list for an operator", when({ DateGreaterThan: [] }), syntax, "moto"],
  ["an object as a condition's value", when({ DateGreaterThan: { a: {} } }), syntax, "moto"],
  ["the same without action", when({ DateGreaterThan: { a: {} } }, { Action: gone }), syntax, "moto"],
  ["an unknown operator", when({ x: { a: "1" } }), syntax, "moto"],
  ["two colons in an operator", when({ "ForAnyValue::StringEqualsIfExists": { a: "asf" } }), syntax, "moto"],
  ["a list of conditions", when([{ "ForAllValues:StringEquals": { "aws:TagKeys": "D" } }]), syntax, "moto"],
  [
    "a region for IAM",
    resource("arn:aws:iam:us-east-1::example_bucket"),
    "IAM resource arn:aws:iam:us-east-1::example_bucket cannot contain region information.",
    "moto",
  ],
  [
    "a region for a bucket",
    resource("arn:aws:s3:us-east-1::example_bucket"),
    "Resource arn:aws:s3:us-east-1::example_bucket can not contain region information.",
    "moto",
  ],
  ["a Sid twice", statements({ Sid: "sdf" }, { Sid: "sdf", Action: gone, Resource: gone }), unique, "moto"],
  [
    "a Sid twice, no version",
    policy({}, { Version: gone, Statement: [{ Sid: "a" }, { Sid: "a" }].map(statement) }),
    version,
    "moto",
  ],
  ["a bad date", when({ DateGreaterThan: { a: "sdfdsf" } }), legacy, "moto"],
  [
    "a bad date, no version",
    policy({ Condition: { DateGreaterThan: { a: "sdfdsf" } } }, { Version: gone }),
    version,
    "moto",
  ],
  ["an effect in other letters, no version", policy({ Effect: "denY" }, { Version: gone }), version, "moto"],
  [
    "a bad date, and no action",
    when({ DateGreaterThan: { a: "s" } }, { Action: gone, Resource: gone }),
    legacy,
    "moto",
  ],
  [
    "an effect in small letters",
    resource("arn:aws:s3:us-east-1::b", { Effect: "allow", Action: gone }),
    legacy,
    "moto",
  ],
  ["an effect before a Sid", statements({ Sid: "sdf", Effect: "aLLow" }, { Sid: "sdf" }), legacy, "moto"],
  ["a month of 13", date("234-13"), legacy, "moto"],
  ["a zone of one digit", date("2016-12-13t2:00:00.593194+1"), legacy, "moto"],
  ["ten digits of a second", date("2016-12-13t2:00:00.1999999999+10:59"), legacy, "moto"],
  ["seconds beyond 63 bits", date("9223372036854775808"), legacy, "moto"],
  [
    "a bad date before a partition",
    resource("arn:error:s3:::b", { Condition: { DateLessThan: { a: "s" } } }),
    legacy,
    "moto",
  ],
  // What the documentation forbids beside these.
  ["a principal", policy({ Principal: "*" }), "Policy document should not specify a principal.", "docs"],
  ["a NotPrincipal", policy({ NotPrincipal: { AWS: "*" } }), "Policy document should not specify a principal.", "docs"],
  ["Null with IfExists", when({ NullIfExists: { "aws:TokenIssueTime": "true" } }), syntax, "docs"],
  [
    "a Sid with blanks",
    policy({ Sid: "Allow all" }),
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    "docs",
  ],
  [
    "a pattern as the service of an ARN",
    resource("arn:aws:*:us-east-1:111122223333:thing"),
    "Resource vendor must be fully qualified and cannot contain regexes.",
    "docs",
  ],
  ["a prefix that is not arn", resource("urn:aws:s3:::example_bucket"), arn("urn:aws:s3:::example_bucket"), "docs"],
  [
    "an account for a bucket",
    resource("arn:aws:s3::111122223333:example_bucket"),
    "Resource arn:aws:s3::111122223333:example_bucket can not contain account information.",
    "docs",
  ],
  ["an element twice", policy().replace('"Effect":"Allow"', '"Effect":"Deny","Effect":"Allow"'), syntax, "docs"],
  ["a condition key twice", when({ StringEquals: { a: "1" } }).replace('"a":"1"', '"a":"1","a":"2"'), syntax, "docs"],
  ["a comma too many", policy().replace("}}", ",}}"), syntax, "docs"],
  ["a quote that is missing", policy().replace('"Allow"', '"Allow'), syntax, "docs"],
  ["a number as action", action(5), syntax, "docs"],
  ["a boolean as resource", resource(true), syntax, "docs"],
  ["a list as the document", `[${policy()}]`, syntax, "docs"],
];

const self = "arn:aws:iam::*:user/${aws:username}";

/** CreatePolicy: what AWS keeps. */
const kept: readonly (readonly [what: string, document: string, source: "moto" | "docs"])[] = [
  ["a list of one resource", resource([bucket]), "moto"],
  ["an action with blanks", action("iam: asdf safdsf af "), "moto"],
  ["an ARN and a star", resource([bucket, "*"]), "moto"],
  ["every action", action("*"), "moto"],
  ["a list of statements", statements({}), "moto"],
  ["a service with a hyphen", action("service-prefix:action-name", { Resource: "*" }), "moto"],
  [
    "two operators",
    when({ DateGreaterThan: { a: "2017-07-01T00:00:00Z" }, DateLessThan: { a: "2017-12-31T23:59:59Z" } }),
    "moto",
  ],
  ["a service that has no such action", action("fsx:ListBucket"), "moto"],
  ["a user of no account", resource("arn:aws:iam:::user/example_bucket"), "moto"],
  ["an unknown service", resource("arn:aws:s33:::example_bucket"), "moto"],
  ["an unknown service with a region", resource("arn:aws:invalid-service:us-east-1::example_bucket"), "moto"],
  ["three parts", resource("arn:aws:fdsasf"), "moto"],
  ["no condition", when({}), "moto"],
  ["ForAllValues", when({ "ForAllValues:StringEquals": { "aws:TagKeys": "Department" } }), "moto"],
  ["a region of EC2", resource("arn:aws:ec2:us-east-1::example_bucket"), "moto"],
  ["an operator without keys", when({ DateGreaterThan: {} }), "moto"],
  ["a key without values", when({ DateGreaterThan: { a: [] } }), "moto"],
  ["an unknown operator without keys", when({ x: {}, y: {} }), "moto"],
  ["a Sid", policy({ Sid: "dsfsdfsdfsdfsdfsadfsd" }), "moto"],
  ["an Id", policy({ Action: gone, NotAction: "s3:ListBucket" }, { Id: "sdfsdfsdf" }), "moto"],
  ["NotResource", policy({ Effect: "Deny", Resource: gone, NotResource: [bucket, `${bucket}/*`] }), "moto"],
  ["NotAction and NotResource", policy({ Action: gone, NotAction: "s3:L", Resource: gone, NotResource: "*" }), "moto"],
  ["a long vendor", action("aaaaaadsfdsafsadfsadfaaaaa:ListBucket"), "moto"],
  ["a vendor with a hyphen", action("s3-s:ListBucket"), "moto"],
  ["a vendor with a dot", action("s3.s:ListBucket"), "moto"],
  ["a Sid beside none", statements({ Sid: "sdf" }, {}), "moto"],
  ["two empty Sids", statements({ Sid: "" }, { Sid: "" }), "moto"],
  ["the year 1", when({ DateGreaterThan: { a: "01T" } }), "moto"],
  ["IfExists", when({ StringEqualsIfExists: { a: "asf" } }), "moto"],
  ["ForAnyValue with IfExists", when({ "ForAnyValue:StringEqualsIfExists": { a: "asf" } }), "moto"],
  ["a date", date("2019-07-01T13:20:15Z"), "moto"],
  ["a date with a fraction and a zone", date("2016-12-13T21:20:37.593194+00:00"), "moto"],
  ["a date in small letters", date("2016-12-13t2:00:00.593194+23"), "moto"],
  ["the first year", date("-292275054"), "moto"],
  ["a policy variable in a resource", resource(self, { Action: ["iam:ChangePassword", "iam:GetUser"] }), "moto"],
  ["a boolean as text", when({ BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } }), "moto"],
  ["patterns for region and account", resource("arn:aws:dynamodb:*:*:table/MyTable"), "moto"],
  ["an ARN as a value", when({ ArnEquals: { "ec2:SourceInstanceARN": "arn:aws:ec2:*:*:instance/i" } }), "moto"],
  ["words for region and account", resource("arn:aws:ec2:region:account-id:instance/*"), "moto"],
  ["an empty text among values", when({ StringLike: { "s3:prefix": ["", "home/", "home/${aws:userid}/*"] } }), "moto"],
  ["an access point", resource("arn:aws:s3:us-west-2:123456789012:accesspoint/mine/object/*"), "moto"],
  ["several partitions", resource(["arn:aws-cn:s3:::b", "arn:aws-us-gov:s3:::b", "arn:*:s3:::b"]), "docs"],
  ["a boolean and a number", when({ Bool: { a: true }, NumericLessThan: { b: 3600 } }), "docs"],
  ["a job of S3", resource("arn:aws:s3:us-west-2:123456789012:job/*"), "docs"],
  ["a bucket of any account, as in AWSCodePipeline_FullAccess", resource("arn:aws:s3::*:codepipeline-*"), "docs"],
  ["the root user, as in IAMCreateRootUserPassword", resource(gone, { NotResource: "arn:aws:iam::*:root" }), "docs"],
  ["a date with a zone to the west", date("2019-07-01T13:20-05:00"), "docs"],
  ["a policy variable for a date", date("${aws:CurrentTime}"), "docs"],
];

describe("a managed policy is refused", () => {
  test.each(refused)("%s", (_, document, says) => {
    expect(policyFaults(document, "managed")[0]?.says).toBe(says);
  });
});

describe("a managed policy is kept", () => {
  test.each(kept)("%s", (_, document) => {
    expect(policyFaults(document, "managed")).toEqual([]);
  });
});

test("an inline policy may have the older version, or none", () => {
  for (const Version of ["2008-10-17", gone]) expect(policyFaults(policy({}, { Version }), "inline")).toEqual([]);
});

const github = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
const trust = (fields: Fields = {}, top: Fields = {}): string =>
  policy({ Action: "sts:AssumeRoleWithWebIdentity", Resource: gone, Principal: { Federated: github }, ...fields }, top);
const aws = (name: unknown): string => trust({ Action: "sts:AssumeRole", Principal: { AWS: name } });
const nobody = (type: string, name: string) => `Invalid principal in policy: "${type}":"${name}"`;
const federated = "Federated principals must be valid domain names or SAML metadata ARNs";
const sts = "AssumeRole policy may only specify STS AssumeRole actions.";

describe("a trust policy is refused", () => {
  test.each([
    ["no JSON", "{", "This policy contains invalid Json"],
    ["an empty text", "", "This policy contains invalid Json"],
    ["an unknown element", trust({ Principals: {} }), syntax],
    ["a version that never was", trust({}, { Version: "2012-10-18" }), syntax],
    ["no statement", trust({}, { Statement: [] }), syntax],
    ["an unknown effect", trust({ Effect: "Permit" }), syntax],
    ["an unknown operator", trust({ Condition: { StringEqual: { a: "b" } } }), syntax],
    ["a resource", trust({ Resource: "*" }), "Has prohibited field Resource"],
    ["a NotResource", trust({ NotResource: "*" }), "Has prohibited field Resource"],
    ["no principal", trust({ Principal: gone }), "Missing required field Principal"],
    ["no action", trust({ Action: gone }), "Missing required field Action"],
    ["an action of another service", trust({ Action: "s3:GetObject" }), sts],
    ["an action beside the right one", trust({ Action: ["sts:AssumeRole", "iam:PassRole"] }), sts],
    ["an sts action that assumes nothing", trust({ Action: "sts:GetCallerIdentity" }), sts],
    ["an sts action that is misspelled", trust({ Action: ["sts:AssumeRole", "sts:TagSessions"] }), sts],
    ["an action without a vendor", trust({ Action: "AssumeRole" }), vendor],
    ["a principal that is a text", trust({ Principal: "arn:aws:iam::111122223333:root" }), syntax],
    ["an unknown type of principal", trust({ Principal: { User: "me" } }), "Invalid principal in policy."],
    ["a number as principal", trust({ Principal: { AWS: 111122223333 } }), syntax],
    [
      "no name under a type",
      trust({ Principal: { AWS: [] } }),
      "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: The passed in policy has a statement with no principals!",
    ],
    ["an account of 11 digits", aws("11112222333"), nobody("AWS", "11112222333")],
    ["a pattern in an ARN", aws("arn:aws:iam::111122223333:role/*"), nobody("AWS", "arn:aws:iam::111122223333:role/*")],
    ["a group", aws("arn:aws:iam::111122223333:group/g"), nobody("AWS", "arn:aws:iam::111122223333:group/g")],
    ["a deleted principal's id", aws("AROAEXAMPLEEXAMPLEEXA"), nobody("AWS", "AROAEXAMPLEEXAMPLEEXA")],
    ["a service that is no host", trust({ Principal: { Service: "ec2" } }), nobody("SERVICE", "ec2")],
    ["an issuer with its scheme", trust({ Principal: { Federated: "https://accounts.google.com" } }), federated],
    ["a role as issuer", trust({ Principal: { Federated: "arn:aws:iam::111122223333:role/r" } }), federated],
    ["Principal and NotPrincipal", trust({ NotPrincipal: "*" }), syntax],
    ["a letter beyond Latin-1", trust({ Sid: "\u0416" }), "The policy contains characters outside of the allowed set."],
  ])("%s", (_, document, says) => {
    expect(policyFaults(document, "trust")[0]?.says).toBe(says);
  });
});

describe("a trust policy is kept", () => {
  test.each([
    ["an OIDC provider", trust()],
    ["the older version", trust({}, { Version: "2008-10-17" })],
    ["no version", trust({}, { Version: gone })],
    ["a built-in issuer", trust({ Principal: { Federated: "accounts.google.com" } })],
    [
      "SAML",
      trust({
        Action: "sts:AssumeRoleWithSAML",
        Principal: { Federated: "arn:aws-cn:iam::111122223333:saml-provider/x" },
      }),
    ],
    [
      "all that a session may bring",
      trust({ Action: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"] }),
    ],
    ["other letters in an action", trust({ Action: "STS:assumerolewithwebidentity" })],
    ["a pattern of actions", trust({ Action: "sts:AssumeRole*" })],
    ["every sts action", trust({ Action: "sts:*" })],
    ["an account", aws("111122223333")],
    [
      "a root, a role and a user",
      aws([
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:role/p/r",
        "arn:aws-us-gov:iam::111122223333:user/u",
      ]),
    ],
    ["a session", aws("arn:aws:sts::111122223333:assumed-role/r/s")],
    ["everybody", aws("*")],
    ["everybody, in short", trust({ Principal: "*" })],
    [
      "two services",
      trust({ Action: "sts:AssumeRole", Principal: { Service: ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"] } }),
    ],
    ["a Deny by NotPrincipal", trust({ Effect: "Deny", Principal: gone, NotPrincipal: { AWS: "111122223333" } })],
  ])("%s", (_, document) => {
    expect(policyFaults(document, "trust")).toEqual([]);
  });
});

test("a fault says where it is", () => {
  const document = JSON.stringify(JSON.parse(resource([bucket, "no ARN"])), undefined, 2);
  const [fault] = policyFaults(document, "inline");
  expect(document.slice(fault?.at, (fault?.at ?? 0) + 8)).toBe('"no ARN"');
});

test("every fault of a document is told, the one that IAM answers first", () => {
  const found = policyFaults(policy({ Effect: "allow", Action: "invalid", Resource: "none" }), "inline");
  expect(found.map(({ says }) => says)).toEqual([legacy, arn("none"), vendor]);
});

test("the reader of JSON agrees with JSON.parse about what is JSON", () => {
  const texts = [
    "{}",
    "[]",
    "[1,]",
    "{,}",
    '{"a"}',
    '{"a":1}x',
    '"\\u00e9"',
    '"\\x"',
    "-0.5e3",
    "01",
    "tru",
    " [ null , true ] ",
    '"a\nb"',
    "\ufeff{}",
  ];
  const fits = (read: (text: string) => unknown) => texts.filter((text) => attempt(() => read(text)));
  expect(fits(readJson)).toEqual(fits(JSON.parse));
});

test("a text that nests without end is refused", () => {
  expect(policyFaults("[".repeat(100_000), "inline")[0]?.says).toBe(syntax);
});

function attempt(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
