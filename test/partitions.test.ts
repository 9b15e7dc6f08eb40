import { describe, expect, test } from "vitest";
import { z } from "zod";
import { iam, sts } from "../src/parties/aws/client.ts";
import { account, type Bench, bench } from "./support/bench.ts";

// China and GovCloud, through the same program as everywhere else. Catches a sandbox that keeps everything in one partition,
// so that what was made under one name is sought under another, and a session that opens another partition's doors.

const issuer = "https://idp.example.com";
const file = (region: string, partition: string, name = "acme") => `crosstrust: 1
name: ${name}
links:
  one:
    from: { oidc: { issuer: ${issuer}, clientId: app-1, subject: user-123 } }
    to:   { aws: { account: ${account}, role: deploy, region: ${region} } }
    may:  [ arn:${partition}:iam::aws:policy/AmazonS3ReadOnlyAccess, { allow: [ "s3:GetObject" ], resources: [ "arn:${partition}:s3:::b/*" ] } ]
`;
const partitions = [
  ["us-east-1", "aws"],
  ["cn-north-1", "aws-cn"],
  ["cn-northwest-1", "aws-cn"],
  ["us-gov-west-1", "aws-us-gov"],
  ["us-gov-east-1", "aws-us-gov"],
] as const;

const things = ({ sandbox: { state } }: Bench): number =>
  ["aws.role/", "aws.oidcProvider/", "aws.policy/"].flatMap((prefix) => [...state.list(prefix)]).length;

/** A call of the operator's, in a region. */
const call = (b: Bench, region: string, operation: string, input: object = {}) =>
  iam(b.world(), {
    ...{ service: "aws.iam", operation, effect: "once", input, answer: z.looseObject({}) },
    account: { account, access: { region } },
  });

describe("each partition end to end", () => {
  test.each(partitions)("%s", async (region, partition) => {
    const b = await bench();
    await b.apply(file(region, partition));
    expect((await b.health(file(region, partition))).verdict).toBe("works");
    const { Role } = await call(b, region, "GetRole", { RoleName: "deploy" });
    expect(Role).toMatchObject({ Arn: `arn:${partition}:iam::${account}:role/crosstrust/deploy` });
    const again = await b.callsOf(() => b.apply(file(region, partition)));
    expect(again.filter(({ write }) => write)).toEqual([]);
    await b.apply(file(region, partition), { destroy: true, consents: { prune: 9 } });
    expect(things(b)).toBe(0);
  });
});

describe("partitions are apart", () => {
  test("what is in one is not seen from another, under the same account number", async () => {
    const b = await bench();
    await b.apply(file("cn-north-1", "aws-cn"));
    for (const region of ["us-east-1", "us-gov-west-1"]) {
      expect((await call(b, region, "ListRoles")).Roles, region).toEqual([]);
      expect((await call(b, region, "ListOpenIDConnectProviders")).OpenIDConnectProviderList).toEqual([]);
      await expect(call(b, region, "GetRole", { RoleName: "deploy" })).rejects.toMatchObject({ code: "NoSuchEntity" });
    }
    await b.apply(file("us-east-1", "aws", "other"));
    expect((await b.health(file("cn-north-1", "aws-cn"))).verdict).toBe("works");
    await b.apply(file("us-east-1", "aws", "other"), { destroy: true, consents: { prune: 9 } });
    expect((await b.health(file("cn-north-1", "aws-cn"))).verdict).toBe("works");
  });

  test("a policy of another partition cannot be attached, nor bound a role", async () => {
    const b = await bench();
    await b.apply(file("cn-north-1", "aws-cn"));
    const PolicyArn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    const refused = { code: "NoSuchEntity", status: 404 };
    const attach = call(b, "cn-north-1", "AttachRolePolicy", { RoleName: "deploy", PolicyArn });
    await expect(attach).rejects.toMatchObject(refused);
    const bound = { RoleName: "deploy", PermissionsBoundary: PolicyArn };
    await expect(call(b, "cn-north-1", "PutRolePermissionsBoundary", bound)).rejects.toMatchObject(refused);
  });

  test("a session of one partition is none in another", async () => {
    const b = await bench();
    const arn = `arn:aws-cn:sts::${account}:assumed-role/worker/i-1`;
    const session = await b.world().sandbox?.session("aws", arn);
    if (!session) throw new Error("no session");
    const ask = (region: string) =>
      sts(b.world(), {
        ...{ service: "aws.sts", operation: "GetCallerIdentity", effect: "read", input: {}, session },
        ...{ answer: z.looseObject({ Arn: z.string() }), account: { account, access: { region } } },
      });
    expect((await ask("cn-north-1")).Arn).toBe(arn);
    await expect(ask("us-east-1")).rejects.toMatchObject({ code: "InvalidClientTokenId" });
  });
});
