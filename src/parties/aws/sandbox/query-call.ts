import type { FakeRequest } from "../../../sandbox/fake.ts";
import { signedFor } from "./meant-service.ts";
import { paramsOf } from "./query.ts";
import { hasOperation, type ServiceName, serviceModels } from "./service-model.ts";

/**
 * Whether a request to the bare listener is a Query call of a service: by what it is signed for, else by its version
 * (wire.md 3.1), else, where it has none, by an action that the service has.
 */
export function isCallOf(service: ServiceName, request: FakeRequest): boolean {
  if (request.path !== "/" || !["GET", "POST"].includes(request.method)) return false;
  const params = paramsOf(request);
  if (!params.has("Action")) return false;
  const signed = signedFor(request);
  if (signed !== undefined) return signed === service;
  const version = params.get("Version");
  return version === undefined
    ? hasOperation(service, params.get("Action") ?? "")
    : version === serviceModels[service].version;
}
