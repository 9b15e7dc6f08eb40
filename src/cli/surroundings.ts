import { join } from "node:path";
import { readFederation } from "../file/read.ts";
import type { Resource } from "../model.ts";
import { parties, shapes } from "../parties/index.ts";
import { expand } from "../plan/expand.ts";
import { type Surroundings, surroundings } from "../sandbox/environment.ts";
import type { Environment } from "../sandbox/fake.ts";
import { type Context, type Flags, folderOf, readBytes } from "./context.ts";
import { UsageError } from "./exit.ts";

/** Calls one of a sandbox's control endpoints. */
export async function control<T>(url: string, method: string, path: string): Promise<T> {
  return send(`${url}/_sandbox/${path}`, { method });
}

async function send<T>(url: string, init: RequestInit): Promise<T> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
  if (!answer?.ok) throw new UsageError(`there is no sandbox at ${new URL(url).origin}`);
  return (await answer.json()) as T;
}

/** What the file in this folder makes, or nothing where there is no usable one. */
export function wanted(flags: Flags): readonly Resource[] {
  const bytes = readBytes(flags.file);
  const federation = bytes && readFederation(flags.file, bytes, shapes).federation;
  return federation ? expand(federation.links, parties).resources : [];
}

/** Issuers that the file names are played under their real names, before any plan has asked for them (contract, 5). */
export async function hostIssuers(resources: readonly Resource[], url: string): Promise<void> {
  for (const { address, spec } of resources.filter((one) => one.address.startsWith("oidc:issuer/"))) {
    const privateCa = spec.privateCa === true ? { privateCa: true } : {};
    const issuer = address.slice("oidc:issuer/".length).replace("/", "://");
    await send(`${url}/_sandbox/issuers`, { method: "PUT", body: JSON.stringify({ issuer, ...privateCa }) });
  }
}

/** What leads programs to a sandbox, for the account and project of the file in this folder. */
export async function lead(flags: Flags, url: string): Promise<Surroundings> {
  const resources = wanted(flags);
  await hostIssuers(resources, url);
  const parts = await control<readonly Environment[]>(url, "GET", `environment?${scopes(resources)}`);
  return surroundings(url, parts, join(folderOf(flags, "sandbox"), "exec"));
}

/** Without a usable file the sandbox takes the first account and project it knows. */
function scopes(resources: readonly Resource[]): URLSearchParams {
  const query = new URLSearchParams();
  for (const { address, spec } of resources) {
    const party = address.split(":")[0] ?? "";
    const scope = spec.account ?? spec.project;
    if (!query.has(party) && typeof scope === "string") query.set(party, scope);
  }
  return query;
}

/** This process's environment with everything led to a sandbox, and nothing left that would lead elsewhere. */
export function led({ set, unset }: Surroundings): NodeJS.ProcessEnv {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !unset.includes(name)));
  return { ...clean, ...set };
}

/** The same, for the sandbox that a context is attached to. */
export async function sandboxEnvironment(flags: Flags, { world }: Context): Promise<NodeJS.ProcessEnv> {
  const base = await world.locate("aws.iam", "");
  return led(await lead(flags, new URL(base).origin));
}
