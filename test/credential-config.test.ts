import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ConfigAsk, credentialConfig } from "../src/parties/google/credential-config.ts";

// The files were written by gcloud 528 (facts/credential-config-golden); the generator has to write the same bytes, and
// to refuse what gcloud only lets pass.

const golden = (name: string): string =>
  readFileSync(join(import.meta.dirname, "vectors", "credential-config", `${name}.json`), "utf8");
const at = (id: string) => `projects/123456789012/locations/global/workloadIdentityPools/my-pool/providers/${id}`;
const serviceAccount = "my-sa@my-project.iam.gserviceaccount.com";
const aws = { audience: at("my-aws"), source: { of: "aws" } } as const;
const awsV2 = { audience: at("my-aws"), source: { of: "aws", imdsv2: true } } as const;
const azure = { audience: at("my-azure"), source: { of: "azure", appIdUri: "api://my-app" } } as const;
const oidc = (source: ConfigAsk["source"]) => ({ audience: at("my-oidc"), source });
const url = "http://127.0.0.1:8080/token";

const files: Readonly<Record<string, ConfigAsk>> = {
  "aws-direct": aws,
  "aws-impersonation": { ...aws, serviceAccount },
  "aws-impersonation-lifetime": { ...aws, serviceAccount, lifetime: 1800 },
  "aws-imdsv2-direct": awsV2,
  "aws-imdsv2-impersonation": { ...awsV2, serviceAccount },
  "aws-imdsv2-impersonation-lifetime": { ...awsV2, serviceAccount, lifetime: 3600 },
  "azure-default-appid-direct": { audience: at("my-azure"), source: { of: "azure" } },
  "azure-appid-direct": azure,
  "azure-appid-impersonation": { ...azure, serviceAccount },
  "azure-appid-impersonation-lifetime": { ...azure, serviceAccount, lifetime: 2700 },
  "azure-appid-https": { ...azure, source: { of: "azure", appIdUri: "https://contoso.example/app?x=1" } },
  "file-text-direct": oidc({ of: "file", file: "/var/run/token.txt" }),
  "file-json-impersonation": {
    ...oidc({ of: "file", file: "/var/run/token.json", type: "json", field: "id_token" }),
    serviceAccount,
  },
  "file-saml": {
    audience: at("my-saml"),
    source: { of: "file", file: "/var/run/saml.xml" },
    subjectTokenType: "urn:ietf:params:oauth:token-type:saml2",
  },
  "url-text-direct": oidc({ of: "url", url }),
  "url-json-headers-impersonation": {
    ...oidc({
      ...{ of: "url", url, headers: { Metadata: "True", "X-Api-Key": "abc" } },
      ...{ type: "json", field: "access_token" },
    }),
    serviceAccount,
  },
  "executable-direct": oidc({ of: "executable", command: "/opt/bin/get-token --flag value" }),
  "executable-full-impersonation": {
    ...oidc({
      ...{ of: "executable", command: "/opt/bin/get-token --flag value" },
      ...{ timeoutMillis: 5000, outputFile: "/var/cache/token-cache.json" },
    }),
    ...{ serviceAccount, lifetime: 900 },
  },
  "executable-id-token-type": {
    ...oidc({ of: "executable", command: "/opt/bin/get-token" }),
    subjectTokenType: "urn:ietf:params:oauth:token-type:id_token",
  },
  "x509-direct": { audience: at("my-x509"), source: { of: "certificate", configLocation: "certcfg.json" } },
  "x509-impersonation": { audience: at("my-x509"), source: { of: "certificate" }, serviceAccount },
  "universe-domain-aws": { ...aws, serviceAccount, universe: "universe.example" },
  "workforce-file": {
    audience: "locations/global/workforcePools/wf/providers/okta",
    ...{ source: { of: "file", file: "/t" }, userProject: "123" },
  },
};

describe("byte for byte what gcloud writes", () => {
  test.each(Object.entries(files))("%s", (name, ask) => {
    expect(credentialConfig(ask)).toBe(golden(name));
  });

  test("what is beyond ASCII is escaped as Python does it", () => {
    expect(credentialConfig(oidc({ of: "file", file: "/tokens/grün" }))).toContain('"/tokens/gr\\u00fcn"');
  });
});

describe("what gcloud lets pass is refused, with the reason", () => {
  const lenient: Readonly<Record<string, readonly [ConfigAsk, RegExp]>> = {
    "LENIENT-appid-with-aws": [{ ...aws, source: { of: "aws", appIdUri: "api://x" } as never }, /on azure alone/],
    "LENIENT-field-without-json": [oidc({ of: "file", file: "/x", field: "f" }), /not said to stand in json/],
    "LENIENT-headers-with-file": [oidc({ of: "file", file: "/x", headers: { a: "b" } } as never), /to a url alone/],
    "LENIENT-bad-audience": [{ ...aws, audience: "not/a/real/audience" }, /is no pool provider/],
    "LENIENT-relative-exec": [oidc({ of: "executable", command: "get-token" }), /whole path/],
    "LENIENT-full-prefix": [{ ...aws, audience: `//iam.googleapis.com/${aws.audience}` }, /twice/],
    "LENIENT-subject-type-aws": [
      { ...aws, subjectTokenType: "urn:ietf:params:oauth:token-type:jwt" },
      /follows from aws/,
    ],
  };

  test.each(Object.entries(lenient))("%s", (name, [ask, why]) => {
    expect(golden(name)).toContain("external_account");
    expect(() => credentialConfig(ask)).toThrow(why);
  });

  test.each([
    ["a lifetime without an account", { ...aws, lifetime: 900 }, /none is named/],
    ["a lifetime of a day", { ...aws, serviceAccount, lifetime: 99_999 }, /between 600 and 43200/],
    ["a program that has a millisecond", oidc({ of: "executable", command: "/x", timeoutMillis: 1 }), /between 5000/],
    ["json without a field", oidc({ of: "file", file: "/x", type: "json" }), /name of its field/],
    ["imdsv2 on azure", { ...azure, source: { of: "azure", imdsv2: true } as never }, /aws alone/],
    [
      "the project's id in place of its number",
      { ...aws, audience: at("my-aws").replace("123456789012", "acme") },
      /NUMBER/,
    ],
  ] as const)("%s", (_, ask, why) => {
    expect(() => credentialConfig(ask)).toThrow(why);
  });
});
