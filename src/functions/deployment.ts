import { readFileSync } from "node:fs";
import { type Deployment, readBefore } from "./prepared.ts";

export type { Deployment } from "./prepared.ts";

/** As which of its two functions a deployment runs here. */
export type FunctionName = "health" | "provision";

/** The file that CROSSTRUST_FILE names, or `federation.yaml`: a deployed function starts in its own folder. */
export const deployedFile = (): string => process.env.CROSSTRUST_FILE ?? "federation.yaml";

/** The file of this deployment, as it is at each request; throws where it has an error. */
export async function deployment(): Promise<Deployment> {
  const file = { path: deployedFile(), bytes: readFileSync(deployedFile()) };
  return readBefore(file) ?? (await import("./read-file.ts")).readWhole(file).read;
}
