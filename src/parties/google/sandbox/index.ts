import type { Player } from "../../../sandbox/fake.ts";
import { issueAccessToken } from "./access.ts";
import { artifactregistry } from "./artifactregistry.ts";
import { executions } from "./executions.ts";
import { iam } from "./iam.ts";
import { googleIssuer, iamcredentials } from "./iamcredentials.ts";
import { logging } from "./logging.ts";
import { metadata } from "./metadata.ts";
import { monitoring } from "./monitoring.ts";
import { oauth2, refreshToken } from "./oauth2.ts";
import { cloudbilling, projects } from "./projects.ts";
import { cloudbuild } from "./run/builds.ts";
import { invoked } from "./run/invoke.ts";
import { run } from "./run/services.ts";
import { scheduler } from "./scheduler.ts";
import { services } from "./services.ts";
import { storage } from "./storage.ts";
import { operator, projectOf, type StoredProject } from "./store.ts";
import { sts } from "./sts.ts";
import { unplayed } from "./unplayed.ts";
import { workflows } from "./workflows.ts";

/** gcloud's name for each endpoint that can be moved (wire.md 2.2). */
const overrides = {
  IAM: "iam",
  IAMCREDENTIALS: "iamcredentials",
  CLOUDRESOURCEMANAGER: "cloudresourcemanager",
  SERVICEUSAGE: "serviceusage",
  CLOUDSCHEDULER: "cloudscheduler",
  CLOUDBILLING: "cloudbilling",
  WORKFLOWS: "workflows",
  WORKFLOWEXECUTIONS: "workflowexecutions",
  LOGGING: "logging",
} as const;

/**
 * Google Cloud as the sandbox plays it. gcloud needs no sign-in here: it takes its access token from a file
 * (google.md, trap 22). What is unset would lead to the user's own set-up.
 */
export const player: Player = {
  party: "google",
  fakes: [
    ...[iam, iamcredentials, sts, projects, cloudbilling, services, oauth2, metadata, scheduler, storage],
    ...[run, invoked, cloudbuild, artifactregistry, logging, monitoring, workflows, executions],
  ],
  unplayed,
  issuers: [googleIssuer],
  operator(_project, host) {
    const { token, expiresIn } = issueAccessToken(host, operator.email);
    return {
      secrets: { accessToken: token, refreshToken: refreshToken(host) },
      principal: operator.email,
      expiresAt: host.now() + expiresIn * 1000,
    };
  },
  environment(named, host) {
    const first = host.state.list<StoredProject>("google.project/")[0]?.[1].id;
    const project = projectOf(host, named ?? first ?? "acme-prod").id;
    const address = host.base.replace("http://", "");
    const moved = Object.entries(overrides).map(
      ([name, service]) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name}`, `${host.base}/google/${service}/`] as const,
    );
    const variables = {
      ...Object.fromEntries(moved),
      CLOUDSDK_CORE_PROJECT: project,
      CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "1",
      CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: "1",
      CLOUDSDK_SURVEY_DISABLE_PROMPTS: "1",
      GOOGLE_CLOUD_PROJECT: project,
      // Three names for one server: gcloud, Python and Node each read another (google.md, trap 27).
      GCE_METADATA_HOST: address,
      GCE_METADATA_IP: address,
      GCE_METADATA_ROOT: address,
    };
    const files = { CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: issueAccessToken(host, operator.email).token };
    return {
      variables,
      files,
      folders: ["CLOUDSDK_CONFIG"],
      unset: [
        "GOOGLE_APPLICATION_CREDENTIALS",
        "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
        "CLOUDSDK_ACTIVE_CONFIG_NAME",
      ],
    };
  },
};
