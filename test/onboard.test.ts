import { describe, expect } from "vitest";
import { stage } from "./support/cli.ts";
import { witnessed } from "./support/witness.ts";

// The one-shot onboarding as a new user meets it: on a project where something is switched off or not permitted.

const api = "projects/acme-prod/services/iamcredentials.googleapis.com";

describe("onboarding", () => {
  witnessed("gcloud")("an API that is off is switched on with gcloud, and it goes on to the health check", async () => {
    const { b, ct } = await stage();
    await b.google("POST", `serviceusage/v1/${api}:disable`, {});
    const { exit, out } = await ct("onboard --quiet");
    expect([exit, out]).toEqual([0, expect.stringContaining("iamcredentials.googleapis.com not enabled")]);
    expect(out).toMatch(/^\$ gcloud services enable iamcredentials\.googleapis\.com --project acme-prod$/m);
    expect(out.indexOf("not enabled")).toBeLessThan(out.indexOf("are enabled"));
    for (const step of ["lint", "plan", "apply", "health"]) expect(out).toContain(`$ crosstrust ${step} `);
    expect(b.calls.filter(({ operation }) => operation === "EnableService")).toHaveLength(1);
  });

  witnessed("gcloud")(
    "a missing permission ends it with 77 and the command that grants it, and nothing is written",
    async () => {
      const { b, ct } = await stage();
      const path = "cloudresourcemanager/v1/projects/acme-prod";
      const bindings = [{ role: "roles/viewer", members: ["user:operator@example.com"] }];
      await b.google("POST", `${path}:setIamPolicy`, { policy: { bindings } });
      const before = b.calls.length;
      const { exit, out } = await ct("onboard --quiet");

      expect([exit, out]).toEqual([77, expect.stringContaining("missing iam.serviceAccounts.create")]);
      expect(out).toContain("gcloud projects add-iam-policy-binding acme-prod");
      expect(out).toContain("not proved: a part of it could not be made");
      expect(out).not.toContain("broken");
      expect(b.calls.slice(before).filter(({ write, status }) => write && status < 400)).toEqual([]);
    },
  );

  witnessed("gcloud")("an organization policy that forbids service accounts is named", async () => {
    const { b, ct } = await stage();
    const constraint = "constraints/iam.disableServiceAccountCreation";
    const policy = { constraint, booleanPolicy: { enforced: true } };
    await b.google("POST", "cloudresourcemanager/v1/projects/acme-prod:setOrgPolicy", { policy });
    const { out } = await ct("onboard --quiet");
    expect(out).toContain(`${constraint} is enforced`);
    expect(out).toContain("gcloud resource-manager org-policies disable-enforce iam.disableServiceAccountCreation");
  });
});
