import { denied, require_, requireApi } from "./access.ts";
import { GoogleError, type RestCall } from "./rest.ts";
import { accountOf, projectOf, type StoredAccount } from "./store.ts";

/**
 * Returns the service account that a call names, once its caller holds `permission` on it. Throws 404, or 403 where the
 * project is the wildcard. Only `iam.serviceAccounts.get` lags: a fresh account answers 404 for a while, and so does a
 * stale read. A write finds at once what it writes to.
 */
export function foundAccount({ parts, host, principal }: RestCall, permission: string): StoredAccount {
  const [projectName = "", name = ""] = parts;
  const lags = permission === "iam.serviceAccounts.get";
  const view = lags ? (host.view === host.state ? host.propagated : host.view) : host.state;
  const account = accountOf(view, name);
  const project = projectName === "-" ? account?.project : projectOf(host, projectName).id;
  if (project !== undefined) requireApi(host, project, "iam.googleapis.com");
  if (!account || (projectName !== "-" && account.project !== project)) {
    // With the wildcard Google does not say that nothing is there (google.md, trap 13).
    if (projectName === "-") throw denied(permission);
    throw new GoogleError([404, "NOT_FOUND"], `Unknown service account`);
  }
  require_(principal, { permission, project: account.project, account }, host);
  return account;
}
