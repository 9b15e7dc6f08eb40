/**
 * Predefined roles, as far as this product's calls need them; an owner and an editor mint nothing (google.md 6.2). A role
 * that is not here holds no permission. The service agents' roles are approximate.
 */
const roles: Readonly<Record<string, RegExp>> = {
  "roles/owner":
    /^(?!iam\.serviceAccounts\.(getAccessToken|getOpenIdToken|signBlob|signJwt|implicitDelegation)$|resourcemanager\.(folders|organizations)\.)/,
  "roles/editor":
    /^(?!.*\.setIamPolicy$|iam\.serviceAccounts\.(getAccessToken|getOpenIdToken|signBlob|signJwt|implicitDelegation)$|iam\.roles\.(create|delete|undelete|update)$|resourcemanager\.(folders|organizations)\.)/,
  "roles/viewer": /\.(get|list|getIamPolicy)$/,
  "roles/browser": /^resourcemanager\.projects\.(get|getIamPolicy|list)$/,
  "roles/iam.serviceAccountAdmin":
    /^iam\.serviceAccounts\.(create|delete|disable|enable|get|getIamPolicy|list|setIamPolicy|undelete|update)$/,
  "roles/iam.serviceAccountCreator": /^iam\.serviceAccounts\.(create|get|list)$/,
  "roles/iam.serviceAccountDeleter": /^iam\.serviceAccounts\.(delete|get|list)$/,
  "roles/iam.serviceAccountKeyAdmin": /^iam\.(serviceAccountKeys\.\w+|serviceAccounts\.(get|list))$/,
  "roles/iam.serviceAccountViewer": /^iam\.serviceAccounts\.(get|getIamPolicy|list)$/,
  "roles/iam.serviceAccountTokenCreator":
    /^iam\.serviceAccounts\.(get|getAccessToken|getOpenIdToken|implicitDelegation|list|signBlob|signJwt)$/,
  "roles/iam.serviceAccountOpenIdTokenCreator": /^iam\.serviceAccounts\.getOpenIdToken$/,
  "roles/iam.workloadIdentityUser": /^iam\.serviceAccounts\.(get|getAccessToken|getOpenIdToken|list)$/,
  "roles/iam.workloadIdentityPoolAdmin": /^iam\.workloadIdentityPool(Provider)?s\./,
  "roles/iam.workloadIdentityPoolViewer": /^iam\.workloadIdentityPool(Provider)?s\.(get|list)$/,
  "roles/serviceusage.serviceUsageAdmin": /^serviceusage\.services\./,
  "roles/serviceusage.serviceUsageConsumer": /^serviceusage\.services\.(get|list|use)$/,
  "roles/iam.serviceAccountUser": /^iam\.serviceAccounts\.(actAs|get|list)$/,
  "roles/iam.securityAdmin": /\.(getIamPolicy|list|setIamPolicy)$/,
  "roles/iam.securityReviewer": /\.(getIamPolicy|list)$/,
  "roles/iam.denyAdmin": /^iam\.denypolicies\./,
  "roles/iam.denyReviewer": /^iam\.denypolicies\.(get|list)$/,
  "roles/iam.organizationRoleAdmin": /^iam\.roles\./,
  "roles/iam.organizationRoleViewer": /^iam\.roles\.(get|list)$/,
  "roles/iam.roleAdmin": /^iam\.roles\./,
  "roles/iam.roleViewer": /^iam\.roles\.(get|list)$/,
  "roles/run.admin": /^run\./,
  "roles/run.developer": /^run\.(?!.*\.(setIamPolicy|invoke)$)/,
  "roles/run.viewer": /^run\..*\.(get|list|getIamPolicy)$/,
  "roles/run.invoker": /^run\.(routes|jobs)\.invoke$/,
  "roles/run.builder":
    /^(artifactregistry\.repositories\.(uploadArtifacts|downloadArtifacts)|logging\.logEntries\.create|storage\.objects\.get)$/,
  "roles/cloudbuild.builds.builder":
    /^(artifactregistry\.repositories\.\w+Artifacts|cloudbuild\..*|logging\.logEntries\.create|storage\.objects\.\w+)$/,
  "roles/cloudbuild.builds.editor": /^cloudbuild\.builds\./,
  "roles/artifactregistry.admin": /^artifactregistry\./,
  "roles/artifactregistry.reader": /^artifactregistry\..*\.(get|list|downloadArtifacts)$/,
  "roles/artifactregistry.writer": /^artifactregistry\..*\.(get|list|downloadArtifacts|uploadArtifacts)$/,
  "roles/storage.admin": /^storage\./,
  "roles/storage.bucketViewer": /^storage\.buckets\.(get|list)$/,
  "roles/storage.objectAdmin": /^storage\.objects\./,
  "roles/storage.objectUser": /^storage\.objects\.(?!(get|set)IamPolicy)/,
  "roles/storage.objectCreator": /^storage\.objects\.create$/,
  "roles/storage.objectViewer": /^storage\.objects\.(get|list)$/,
  "roles/storage.legacyBucketOwner":
    /^storage\.(buckets\.(get|getIamPolicy|setIamPolicy|update)|objects\.(create|delete|list))$/,
  "roles/storage.legacyBucketReader": /^storage\.(buckets\.get|objects\.list)$/,
  "roles/logging.admin": /^logging\./,
  "roles/logging.configWriter": /^logging\.(logMetrics|sinks|buckets|exclusions)\./,
  "roles/logging.logWriter": /^logging\.logEntries\.create$/,
  "roles/logging.viewer": /^logging\.(logEntries|logMetrics|logs)\.(get|list)$/,
  "roles/monitoring.editor": /^monitoring\./,
  "roles/monitoring.alertPolicyEditor": /^monitoring\.alertPolicies\./,
  "roles/monitoring.viewer": /^monitoring\..*\.(get|list)$/,
  "roles/resourcemanager.projectIamAdmin": /^resourcemanager\.projects\.(get|getIamPolicy|setIamPolicy)$/,
  "roles/resourcemanager.projectCreator": /^resourcemanager\.(organizations\.get|projects\.create)$/,
  "roles/resourcemanager.projectMover": /^resourcemanager\.projects\.(get|list|move|update)$/,
  "roles/resourcemanager.folderAdmin":
    /^resourcemanager\.(folders\.\w+|projects\.(get|getIamPolicy|list|move|setIamPolicy))$/,
  "roles/resourcemanager.folderIamAdmin": /^resourcemanager\.folders\.(get|getIamPolicy|setIamPolicy)$/,
  "roles/resourcemanager.folderCreator": /^resourcemanager\.(folders\.(create|get|list)|projects\.(get|list))$/,
  "roles/resourcemanager.folderEditor":
    /^resourcemanager\.(folders\.(delete|get|list|undelete|update)|projects\.(get|list))$/,
  "roles/resourcemanager.folderViewer": /^resourcemanager\.(folders|projects)\.(get|list)$/,
  "roles/resourcemanager.organizationAdmin":
    /^resourcemanager\.(organizations|folders|projects)\.(get|getIamPolicy|list|setIamPolicy)$/,
  "roles/resourcemanager.organizationViewer": /^resourcemanager\.organizations\.get$/,
  "roles/billing.creator": /^(billing\.accounts\.create|resourcemanager\.organizations\.get)$/,
  // Of the roles of Google's own agents, what matters here is that these may speak as the accounts below them.
  "roles/cloudbuild.serviceAgent": /^iam\.serviceAccounts\.(actAs|getAccessToken|getOpenIdToken)$/,
  "roles/cloudscheduler.serviceAgent": /^iam\.serviceAccounts\.(getAccessToken|getOpenIdToken)$/,
  "roles/compute.serviceAgent": /^iam\.serviceAccounts\.(actAs|getAccessToken|signBlob)$/,
  "roles/pubsub.serviceAgent": /^iam\.serviceAccounts\.(get|getOpenIdToken|implicitDelegation|list)$/,
  "roles/run.serviceAgent": /^iam\.serviceAccounts\.(getAccessToken|getOpenIdToken|signBlob)$/,
  "roles/workflows.serviceAgent": /^iam\.serviceAccounts\.(getAccessToken|getOpenIdToken)$/,
  "roles/cloudscheduler.admin": /^cloudscheduler\./,
  "roles/cloudscheduler.jobRunner": /^cloudscheduler\.jobs\.run$/,
  "roles/cloudscheduler.viewer": /^cloudscheduler\.jobs\.(get|list)$/,
  "roles/workflows.admin": /^workflows\./,
  "roles/workflows.editor": /^workflows\.(?!\w+\.setIamPolicy$)/,
  // What an invoker may see of executions is from memory of the role's page: unverified.
  "roles/workflows.invoker": /^workflows\.executions\.(create|cancel|get|list)$/,
  "roles/workflows.viewer": /^workflows\.\w+\.(get|list)$/,
};

/** Permissions that the sandbox knows, by service and collection. What a predefined role includes is taken from these. */
const verbs: Readonly<Record<string, string>> = {
  "artifactregistry.repositories":
    "create delete downloadArtifacts get getIamPolicy list setIamPolicy update uploadArtifacts",
  "billing.accounts": "create",
  "cloudbuild.builds": "create get list update",
  "cloudscheduler.jobs": "create delete enable get list pause run update",
  "iam.denypolicies": "create delete get list update",
  "iam.roles": "create delete get list undelete update",
  "iam.serviceAccountKeys": "create delete disable enable get list upload",
  "iam.serviceAccounts":
    "actAs create delete disable enable get getAccessToken getIamPolicy getOpenIdToken implicitDelegation list setIamPolicy signBlob signJwt undelete update",
  "iam.workloadIdentityPoolProviders": "create delete get list undelete update",
  "iam.workloadIdentityPools": "create delete get getIamPolicy list setIamPolicy undelete update",
  "logging.logEntries": "create list",
  "logging.logMetrics": "create delete get list update",
  "monitoring.alertPolicies": "create delete get list update",
  "monitoring.notificationChannels": "create delete get list update",
  "resourcemanager.folders": "create delete get getIamPolicy list move setIamPolicy undelete update",
  "resourcemanager.organizations": "get getIamPolicy setIamPolicy",
  "resourcemanager.projects": "create delete get getIamPolicy list move setIamPolicy undelete update",
  "run.jobs": "create delete get getIamPolicy list run setIamPolicy update",
  "run.routes": "get invoke list",
  "run.services": "create delete get getIamPolicy list setIamPolicy update",
  "serviceusage.services": "disable enable get list use",
  "storage.buckets": "create delete get getIamPolicy list setIamPolicy update",
  "storage.objects": "create delete get getIamPolicy list setIamPolicy update",
  "workflows.executions": "cancel create get list",
  "workflows.workflows": "create delete get list update",
};

/** Every permission that the sandbox knows, in alphabetical order. */
export const permissions: readonly string[] = Object.entries(verbs).flatMap(([collection, names]) =>
  names.split(" ").map((verb) => `${collection}.${verb}`),
);

/** Whether a predefined role holds a permission; one that the sandbox does not know holds none. */
export const roleHolds = (role: string, permission: string): boolean =>
  Object.hasOwn(roles, role) && roles[role]?.test(permission) === true;

/** The names of the predefined roles that the sandbox knows. */
export const predefinedRoles: readonly string[] = Object.keys(roles).sort();

/** Permissions that a custom role of a project cannot hold, because they are about what stands above it (IAM, "custom roles"). */
export const aboveProjects = (permission: string): boolean =>
  /^resourcemanager\.((folders|organizations)\..+|projects\.(create|list|move))$/.test(permission);
