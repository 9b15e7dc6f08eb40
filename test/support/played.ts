import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import type { Service } from "../../src/parties/google/sandbox/rest.ts";

type Rest = typeof import("../../src/parties/google/sandbox/rest.ts");

const parties = join(import.meta.dirname, "..", "..", "src", "parties");

/** Every operation in the tables from which Google's fakes are made, as `service operation`. */
async function restOperations(): Promise<readonly string[]> {
  const seen: Service[] = [];
  vi.resetModules();
  vi.doMock("../../src/parties/google/sandbox/rest.ts", async (original) => {
    const rest = await original<Rest>();
    const restFake: Rest["restFake"] = (service, principalOf) => {
      seen.push(service);
      return rest.restFake(service, principalOf);
    };
    return { ...rest, restFake };
  });
  await import("../../src/parties/google/sandbox/index.ts");
  vi.doUnmock("../../src/parties/google/sandbox/rest.ts");
  vi.resetModules();
  return seen.flatMap(({ service, routes }) => routes.map(({ operation }) => `${service} ${operation}`));
}

const isAction = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "write" in value && "run" in value && typeof value.run === "function";

/** Every action in a table of IAM's actions, in whatever file such a table is exported. */
async function iamActions(): Promise<readonly string[]> {
  const modules = await Promise.all(globSync(join(parties, "aws/sandbox/*.ts")).map((file) => import(file)));
  const tables = modules
    .flatMap((module: object) => Object.values(module))
    .filter((value) => {
      const entries = typeof value === "object" && value !== null ? Object.values(value) : [];
      return entries.length > 0 && entries.every(isAction);
    });
  return tables.flatMap((table: object) => Object.keys(table)).map((name) => `aws.iam ${name}`);
}

/** The fakes that are written out: the names in their sources, of calls or in tables of routes. */
const written: readonly (readonly [service: string, file: string, name: RegExp])[] = [
  ["aws.sts", "aws/sandbox/sts.ts", /name === "(\w+)"/g],
  ["google.sts", "google/sandbox/sts.ts", /name: introspects \? "(\w+)" : "(\w+)"/g],
  ["entra", "entra/sandbox/login.ts", /operation: "(\w+)"/g],
  ["entra.graph", "entra/sandbox/graph.ts", /\["(\w+)", \w+\.\w+\]/g],
  ["google.metadata", "google/sandbox/metadata.ts", /[?:] "(Get\w+)"/g],
  ["google.run.app", "google/sandbox/run/invoke.ts", /name: "(\w+)"/g],
  ["ec2.metadata", "aws/sandbox/machine.ts", /\? "(GetToken)" : "(GetMetadata)"/g],
  ["ecs.metadata", "aws/sandbox/machine.ts", /name: "(\w+)"/g],
  ["azure.imds", "entra/sandbox/imds.ts", /name: "(\w+)"/g],
];

/** Every operation that the sandbox really handles, as `service operation`. */
export async function playedOperations(): Promise<ReadonlySet<string>> {
  const others = written.flatMap(([service, file, name]) =>
    [...readFileSync(join(parties, file), "utf8").matchAll(name)].flatMap((match) =>
      match.slice(1).map((operation) => `${service} ${operation}`),
    ),
  );
  return new Set([...(await restOperations()), ...(await iamActions()), ...others]);
}
