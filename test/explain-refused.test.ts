import { describe, expect, test } from "vitest";
import type { Identity, Lookup } from "../src/model.ts";
import { explain } from "../src/parties/aws/explain.ts";
import { tokenMessages } from "../src/parties/aws/messages/token.ts";
import { CloudError } from "../src/run/retry.ts";
import { federationOf } from "./support/bench.ts";
import { sentencesIn } from "./support/sandbox-texts.ts";

// What a finding says of an exchange that AWS refused: AWS's own sentence, its cause, and whether it passes by itself.

const link = (issuer: string) => {
  const text = `crosstrust: 1
name: acme
links:
  pod:
    from: { oidc: { issuer: ${issuer}, clientId: k3s, subject: "system:serviceaccount:apps:reader" } }
    to: { aws: { account: 111122223333, role: reader } }
    may: [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`;
  const [found] = federationOf(text).links;
  if (!found) throw new Error("no link");
  return found;
};

interface Scene {
  readonly message: string;
  readonly code?: string;
  readonly class?: CloudError["class"];
  readonly issuer?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  /** This machine's clock, epoch milliseconds. */
  readonly now?: number;
  /** Outputs of the issuer and of the OIDC provider as they were read. */
  readonly read?: Readonly<Record<string, string>>;
}

function refused({ message, code = "InvalidIdentityToken", issuer = "https://k3s.acme.example", ...scene }: Scene) {
  const call = { service: "aws.sts", operation: "AssumeRoleWithWebIdentity" };
  const error = new CloudError({ ...call, class: scene.class ?? "refused", code, status: 400, message });
  const lookup: Lookup = (ref) => ("field" in ref ? scene.read?.[ref.field] : undefined);
  const usual = { sub: "system:serviceaccount:apps:reader", aud: "k3s", iat: 1790000000, exp: 1790003600 };
  const claims = { iss: issuer, ...usual, ...scene.claims };
  const served = `oidc:issuer/${issuer.replace("://", "/")}` as const;
  const identity: Identity = { proof: "oidc", issuer, served, claims: {} };
  const header = scene.header ? { header: scene.header } : {};
  return explain({
    view: {
      link: link(issuer),
      live: { state: "absent" },
      lookup,
      identity,
      ...(scene.now === undefined ? {} : { now: scene.now }),
    },
    error,
    claims,
    ...header,
  });
}

describe("aws's own sentence", () => {
  const sentences = sentencesIn("src/{judge/aws,parties/aws/sandbox}/{token,issuer-keys}.ts").filter(
    ({ text }) => !/^Not authorized/.test(text),
  );

  // Catches a cause that stands in for whatever is not known, and swallows what aws said.
  test.each(sentences)("is kept, and has a finding of its own: $text", ({ text }) => {
    const finding = refused({ message: text });
    expect(finding?.says).toContain(`"${text}"`);
    expect(["AWS-REFUSED-ANYWAY", "AWS-ROLE-MISSING", "AWS-TRUST-REFUSES"]).not.toContain(finding?.code);
    expect(finding?.fix.length).toBeGreaterThan(0);
  });

  test("one that nobody knows is no time that this machine's clock alone finds wrong", () => {
    const message = "The token is of the wrong colour.";
    expect(refused({ message, now: Date.UTC(2040, 0) })?.code).toBe("AWS-TOKEN-REFUSED");
    expect(refused({ message: "Token expired: current date/time 1", now: Date.UTC(2040, 0) })?.code).toBe(
      "TOKEN-EXPIRED",
    );
  });

  test("one that nobody knows is quoted, and blamed on no policy of the organization", () => {
    const finding = refused({ message: "The token is of the wrong colour." });
    expect([finding?.code, finding?.says]).toEqual([
      "AWS-TOKEN-REFUSED",
      'aws says "The token is of the wrong colour."',
    ]);
  });

  test.each(tokenMessages.filter(({ layer }) => layer === "cause"))("$text has one cause", ({ causes }) => {
    expect(causes).toHaveLength(1);
  });
});

describe("a fix that the users of an issuer can follow", () => {
  const keycloak = "https://sso.example.com/realms/prod";
  const cognito = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc";
  test.each([
    ["Missing a required claim: sub", keycloak, "`basic`"],
    ["Missing a required claim: aud", cognito, "ID token"],
    ["Missing a required claim: iat", "https://k3s.acme.example", "write iat"],
    ["Token issued in the future: 1999990000", "https://k3s.acme.example", "set the clock of https://k3s.acme.example"],
    ["Token issued in the future: 1999990000", "https://token.actions.githubusercontent.com", "its vendor's"],
    [
      "Token audience contains more than one audience while authorized party is not present",
      keycloak,
      "audience mappers",
    ],
  ])("%s from %s", (message, issuer, fix) => {
    expect(refused({ message, issuer })?.fix.join("\n")).toContain(fix);
  });
});

describe("whether a missing key passes by itself is decided by what the issuer serves", () => {
  const message =
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";
  const keys = (scene: Pick<Scene, "header" | "read" | "issuer">) => {
    const finding = refused({ message, class: "transient", ...scene });
    return [finding?.code, finding?.asks];
  };

  test.each<[string, Pick<Scene, "header" | "read" | "issuer">, string]>([
    ["nothing was read: not known", {}, "untold"],
    ["the key is served: it passes", { header: { kid: "a" }, read: { kids: "a b" } }, "untold"],
    ["another key is served: it lasts", { header: { kid: "gone" }, read: { kids: "a b" } }, "broken"],
    ["no kid, and two keys: it lasts", { header: {}, read: { kids: "a b" } }, "broken"],
    ["no kid, and one key: it passes", { header: {}, read: { kids: "a" } }, "untold"],
    ["keys without kid: it lasts", { header: {}, read: { kids: "" } }, "broken"],
    [
      "discovery lacks what aws requires: it lasts",
      { header: { kid: "a" }, read: { kids: "a", lacking: "subject_types_supported" } },
      "broken",
    ],
    ["the keys were read and the header is not known: not known", { read: { kids: "a" } }, "untold"],
  ])("%s", (_, scene, asks) => {
    expect(keys(scene)).toEqual(["AWS-NO-KEYS", asks]);
  });

  test("who runs a shared issuer is named, because its users cannot change what it serves", () => {
    const issuer = "https://token.actions.githubusercontent.com";
    const finding = refused({ message, class: "transient", issuer, header: { kid: "a" }, read: { kids: "a" } });
    expect(finding?.fix.join("\n")).toContain("status page of GitHub Actions");
  });
});

describe("the sentence that a wrong client and a wrong signature share", () => {
  const message =
    "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.";

  test.each<[string, Omit<Scene, "message">, string]>([
    ["no client id fits", { read: { clientIds: "app-1" } }, "AWS-CLIENT-ID-MISSING"],
    ["azp counts before aud", { claims: { azp: "other" }, read: { clientIds: "k3s" } }, "AWS-CLIENT-ID-MISSING"],
    ["the client id fits", { header: { alg: "RS256" }, read: { clientIds: "k3s" } }, "AWS-TOKEN-SIGNATURE"],
    ["aws does not verify the algorithm", { header: { alg: "EdDSA" } }, "TOKEN-ALGORITHM"],
    ["the client ids were not read", { header: { alg: "RS256" } }, "AWS-TOKEN-REFUSED"],
  ])("%s", (_, scene, code) => {
    expect(refused({ message, ...scene })?.code).toBe(code);
  });

  // Catches a client id that is blamed for whatever else aws finds in the token.
  test("another sentence is not explained by the client ids", () => {
    expect(refused({ message: "Missing a required claim: sub", read: { clientIds: "app-1" } })?.code).toBe(
      "AWS-TOKEN-CLAIMS",
    );
  });
});
