import { readFileSync } from "node:fs";
import type { Live, Resource } from "../model.ts";
import { resolve } from "../plan/refs.ts";
import { deployedFile, deployment } from "./deployment.ts";
import { asked, nowhere } from "./nowhere.ts";
import { keepRead } from "./prepared.ts";

/**
 * Reads the federation file, and goes once through a request and its check in a world where nothing is there, so that
 * V8 has compiled what they run. Nobody is called, nothing is logged, and no result is kept but the code.
 */
export async function prepare(): Promise<void> {
  const file = { path: deployedFile(), bytes: readFileSync(deployedFile()) };
  const { read, places } = (await import("./read-file.ts")).readWhole(file);
  keepRead(file, read, places);
  const { checkCaller } = await import("./late.ts");
  const { world, token } = nowhere();
  await checkCaller(token, { audience: asked.audience, emails: [asked.email] }, world);
  const { federation } = await deployment();
  await import("./health.ts");
  const { checkHealth, makePlan, noConsents, proveLinks } = await import("../crosstrust.ts");
  await checkHealth({ federation, only: [], consents: noConsents }, world);
  // And once as if everything were there as the file wants it, which it is as a rule.
  const { expansion } = await makePlan({ federation, only: [], consents: noConsents }, world);
  const live = new Map(expansion.resources.map((resource) => [resource.address, asWanted(resource)] as const));
  const unread = new Map();
  await proveLinks({ federation, expansion, live, unread, only: [], patience: 0, grantMe: false }, world);
}

/** Made by us, with every reference known. */
function asWanted({ spec }: Resource): Live {
  const outputs = { uniqueId: "1", email: "none", arn: "none", name: "none", number: "1" };
  return { state: "present", owner: "ours", spec: resolve(spec, () => "1"), outputs };
}
