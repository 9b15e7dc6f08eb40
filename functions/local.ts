import type { AddressInfo } from "node:net";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import "./health.ts";
import "./provision.ts";

/**
 * Serves both functions for this machine alone: the framework's own command listens on all interfaces
 * (serverless.md, trap 7). Ports: 4581 and 4582, or what PORT_HEALTH and PORT_PROVISION say.
 */
export async function serveLocally(
  name: "health" | "provision",
  port: number,
): Promise<{ url: string; close: () => void }> {
  const server = getTestServer(name);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => server.close() };
}

if (import.meta.main) {
  // Otherwise the framework answers an error with its stack (fact sheet reliability-and-security, trap 8).
  process.env.NODE_ENV ??= "production";
  const health = await serveLocally("health", Number(process.env.PORT_HEALTH ?? 4581));
  const provision = await serveLocally("provision", Number(process.env.PORT_PROVISION ?? 4582));
  process.stdout.write(`health      ${health.url}\nprovision   ${provision.url}\n`);
  const { CROSSTRUST_AUDIENCE: audience, CROSSTRUST_CALLERS: callers } = process.env;
  if (!audience || !callers) process.stdout.write("nobody is let in: set CROSSTRUST_AUDIENCE and CROSSTRUST_CALLERS\n");
}
