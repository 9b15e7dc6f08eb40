import { describe, expect, test } from "vitest";
import { bench } from "./support/bench.ts";

// Without allowed audiences a pool provider takes its own name in its two spellings: the default of gcloud, the console,
// Terraform and google-github-actions/auth.

const name = "iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/gh-pool/providers/github";
const file = (clientId: string) => `crosstrust: 1
name: acme
links:
  gh-app:
    from: { oidc: { issuer: https://token.actions.githubusercontent.com, clientId: "${clientId}", subject: "repo:acme/app:ref:refs/heads/main", claims: { repository_id: 1234 } } }
    to: { google: { project: acme-prod, pool: gh-pool, poolProvider: github, serviceAccount: app-deployer } }
    prove: judge
`;

async function stage(prefix: string, number?: string) {
  const b = await bench();
  await b.apply(file("placeholder"));
  const path = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/gh-pool/providers/github";
  const { body } = await b.google("GET", path);
  const own = /projects\/(\d+)\//.exec(String(body.name))?.[1] ?? "";
  const text = file(`${prefix}${name.replace("NUMBER", number ?? own)}`);
  await b.apply(text);
  const list = async (allowedAudiences: readonly string[]) =>
    b.google("PATCH", `${path}?updateMask=oidc.allowedAudiences`, { oidc: { allowedAudiences } });
  const verdict = async () => (await b.health(text)).links.map((link) => link.verdict);
  return { b, text, list, verdict, own };
}

describe("a list of audiences that is empty", () => {
  test.each(["https://", "//"])(
    "is what a file asks for that names the pool provider itself, as %s",
    async (prefix) => {
      const { b, text, list, verdict } = await stage(prefix);
      expect((await list([])).status).toBe(200);
      expect(await verdict()).toEqual(["unproved"]);
      const writes = await b.callsOf(() => b.apply(text));
      expect(writes.filter(({ write }) => write)).toEqual([]);
    },
  );

  test("is not, where the file names a pool provider of another project", async () => {
    const { list, verdict } = await stage("https://", "999999999999");
    await list([]);
    expect(await verdict()).not.toEqual(["unproved"]);
  });

  test("one spelling alone is not the other: who mints for that one is refused", async () => {
    const { list, verdict, own } = await stage("https://");
    await list([`//${name.replace("NUMBER", own)}`]);
    expect((await verdict()).some((one) => one !== "unproved")).toBe(true);
  });
});
