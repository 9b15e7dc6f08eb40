import type { Host } from "../../../sandbox/fake.ts";
import { GoogleError, type RestCall, type Route } from "./rest.ts";

/** A long-running operation of Resource Manager: every one is over when it is answered. */
export interface Operation {
  readonly name: string;
  readonly done: true;
  readonly response?: object;
  readonly error?: { readonly code: number; readonly message: string };
}

/** Operations of Resource Manager, which gcloud asks for once more before it believes them. */
export const operationRoutes: readonly Route[] = [
  {
    method: "GET",
    pattern: /^\/v[13]\/(operations\/[cf][cpm]\.\d+)$/,
    operation: "GetOperation",
    write: false,
    run: ({ host, parts }: RestCall) => {
      const found = host.state.get<Operation>(`google.operation/${parts[0]}`);
      if (!found) throw new GoogleError([404, "NOT_FOUND"], "Requested entity was not found.");
      return found;
    },
  },
];

/** Keeps an operation and returns it; `kind` is the beginning of its name, such as `cp` for a project that is created. */
export function finished(host: Host, kind: string, outcome: Pick<Operation, "response" | "error">): Operation {
  const name = `operations/${kind}.${host.state.next("google.operation")}`;
  const operation: Operation = { name, done: true, ...outcome };
  host.state.put(`google.operation/${name}`, operation);
  return operation;
}
