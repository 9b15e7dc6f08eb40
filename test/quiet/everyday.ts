import type { Row } from "./row.ts";
import { github, toAws, toGoogle } from "./set-ups.ts";

/** A project as it is everywhere: people are owners, default accounts editors, Google's agents token creators. */
export const everydayRow: Row = {
  row: 28,
  title: "an everyday project",
  right: [
    {
      title: "a workload of its own account, and a service account that others become",
      links:
        toAws("reports", "google: { project: acme-prod, serviceAccount: reports }") +
        toGoogle(
          "app",
          `oidc: { issuer: ${github}, clientId: gcp, subject: "repo:acme/app:ref:refs/heads/main", claims: { repository_id: "123" } }`,
          "pool: github-pool, poolProvider: actions, serviceAccount: app-deployer",
        ),
      lint: [],
      verdict: "works",
    },
  ],
  open: [],
};
