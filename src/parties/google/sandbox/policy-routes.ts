import type { Route } from "./rest.ts";

interface PolicyCalls {
  readonly get: Route["run"];
  readonly set: Route["run"];
  readonly test: Route["run"];
}

/** The three calls about the policy of a folder or of an organization; `path` makes a pattern of what follows the id. */
export const policyRoutes = (path: (rest: string) => RegExp, { get, set, test }: PolicyCalls): readonly Route[] => [
  { method: "POST", pattern: path(":getIamPolicy"), operation: "GetIamPolicy", write: false, run: get },
  { method: "POST", pattern: path(":setIamPolicy"), operation: "SetIamPolicy", write: true, run: set },
  { method: "POST", pattern: path(":testIamPermissions"), operation: "TestIamPermissions", write: false, run: test },
];
