import { createHash } from "node:crypto";
import { z } from "zod";
import type { Host } from "../../../sandbox/fake.ts";
import { attached, type StoredApp, saveApp, savePrincipal } from "./store.ts";

const identity = z.object({
  tenant: z.string(),
  subject: z.string(),
  application: z.string(),
  version: z.enum(["1", "2"]),
  clientId: z.string().optional(),
});

/**
 * The sandbox's machine in Azure gets the identity of a workload, and its tenant the application that it asks for: what
 * somebody sets up in Azure before (entra.md 8.2). The only identity from then on, so that no request has to name it.
 */
export function runAs(who: unknown, host: Host): void {
  const { tenant, subject, application, version, clientId } = identity.parse(who);
  for (const other of attached(host.state))
    savePrincipal(host.state, { ...other, managed: { ...own, ...other.managed, attached: false } });
  const appId = guid(`app/${application}`);
  const app: StoredApp = {
    ...{ tenant, appId: /^[0-9a-f-]{36}$/.test(application) ? application : appId, id: guid(`object/${application}`) },
    ...{ displayName: "sandbox", identifierUris: [application], version: version === "2" ? 2 : 1 },
    ...{ secrets: [], federated: [] },
  };
  saveApp(host.state, app);
  const principal = { tenant, enabled: true, assignmentRequired: false, assigned: {} };
  savePrincipal(host.state, { ...principal, id: guid(`principal/${application}`), appId: app.appId });
  savePrincipal(host.state, { ...principal, id: subject, appId: clientId ?? guid(`client/${subject}`), managed: own });
}

const own = { kind: "system", attached: true, resourceId: "" } as const;

function guid(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}
